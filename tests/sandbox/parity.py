"""docs/parity.md: each behaviour of AWS that the sandbox has, with its source and its tests.

The rows are written by hand. `python -m tests.sandbox.parity` sorts them and fills in the tests' names.
"""

import ast
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/parity.md"
DIFFERENT = ROOT / "docs/parity-left-out.md"


@dataclass(frozen=True)
class Row:
    """One behaviour; `moto` says why its test passes on plain moto too, "" where it fails there."""

    key: str
    says: str
    answer: str
    source: str
    moto: str


def rows() -> dict[str, Row]:
    """The page's rows by key."""
    found = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `"):
            key, says, answer, source, _test, moto = line[2:-2].split(" | ")
            key = key.strip("`")
            found[key] = Row(key, says, answer, source, "" if moto == "differs" else moto)
    return found


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
    """Return the page with its rows in order and the tests' names."""
    tests, behaviours = holders(), rows()
    lines = [
        "# AWS behaviour in the sandbox",
        "",
        f"{len(behaviours)} behaviours of AWS that the sandbox reproduces, each with its source and tests.",
        "`make parity` sorts the rows and fills in the test column; the other columns are written by hand.",
        "In the code, `@behaves` marks the function that implements a behaviour. A test fails on plain moto,",
        "unless the last column gives a reason.",
        "",
    ]
    for service in sorted({key.partition(".")[0] for key in behaviours}):
        lines += [
            f"## {service}",
            "",
            "| key | behaviour | AWS's answer | source | test | plain moto |",
            "|---|---|---|---|---|---|",
        ]
        for key, row in sorted(behaviours.items()):
            if key.partition(".")[0] == service:
                names = ", ".join(f"`{test.partition('::')[2]}`" for test in tests.get(key, []))
                cells = (f"`{key}`", row.says, row.answer, row.source, names, row.moto or "differs")
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines) + DIFFERENT.read_text()


if __name__ == "__main__":
    PAGE.write_text(page())
