"""docs/parity.md: what AWS does, whether the sandbox does it too, and the test of it.

`python -m tests.sandbox.parity` writes the page from the rules and the marks of the tests.
"""

import ast
from collections import defaultdict
from pathlib import Path

from provision.sandbox.aws import application
from provision.sandbox.aws.behaviours import BEHAVIOURS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/parity.md"
DIFFERENT = ROOT / "docs/parity-left-out.md"
RULES = application  # importing it registers every rule


def holders() -> dict[str, list[str]]:
    """Return for each key of a `behaviour` mark the tests that carry it ("file::name")."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for key in _marked(node):
                    found[key].append(f"{path.relative_to(ROOT)}::{node.name}")
    return dict(found)


def _marked(function: ast.FunctionDef) -> list[str]:
    return [
        str(argument.value)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(".behaviour")
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    ]


def page() -> str:
    """Return the page as it should be."""
    tests = holders()
    lines = [
        "# Where the sandbox does what AWS does",
        "",
        f"{len(BEHAVIOURS)} behaviours, each with its rule, its source and the test that holds it.",
        "Written by `make parity` from `provision/sandbox`; a test holds it to the rules.",
        "A test fails on plain moto, except where the last column says why not.",
        "",
    ]
    for service in sorted({key.partition(".")[0] for key in BEHAVIOURS}):
        lines += [f"## {service}", "", *_table(service, tests), ""]
    return "\n".join(lines) + DIFFERENT.read_text()


def _table(service: str, tests: dict[str, list[str]]) -> list[str]:
    rows = ["| behaviour | AWS's answer | source | test | plain moto |", "|---|---|---|---|---|"]
    # By key: the order of imports is not the same everywhere.
    for _, behaviour in sorted(BEHAVIOURS.items()):
        if behaviour.key.partition(".")[0] == service:
            names = ", ".join(f"`{test.partition('::')[2]}`" for test in tests[behaviour.key])
            cells = (behaviour.says, behaviour.answer, behaviour.source, names)
            rows.append(f"| {' | '.join(cells)} | {behaviour.moto or 'differs'} |")
    return rows


if __name__ == "__main__":
    PAGE.write_text(page())
