"""Imports point one way, and each outside has one door."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From what a person types to what AWS hears: a file imports only from its own rank or a later one.
RANKS = [
    {"__main__"},
    {"cli"},
    {"wizard"},
    {"verify"},
    {"library", "run"},
    {"status_report"},
    {"ui"},
    {"stack"},
    {"engine"},
    {"resources"},
    {"state"},
    {"settings", "setting_types", "pricing", "schedules"},
    {"image", "environment"},
    {"clients"},
    {"clock", "crash_log", "errors", "i18n", "parallel", "__version__"},
]
RANK = {name: place for place, names in enumerate(RANKS) for name in names}
DOORS = {
    "boto3": {"provision/clients/aws.py"},
    "botocore": {"provision/clients/aws.py"},
    "questionary": {"provision/wizard/prompts.py"},
    "click": {f"provision/cli/{path.name}" for path in (ROOT / "provision/cli").glob("*.py")},
    "dns": {"provision/clients/dns.py"},
    "linebot": {"provision/clients/line.py"},
    "requests": {"provision/clients/http.py", "provision/clients/registry.py"},
    "rich": {"provision/ui/progress.py", "provision/ui/text.py"},
    "segno": {"provision/ui/qr.py"},
    "ssl": {"provision/clients/http.py", "provision/clients/tls.py"},
    "urllib3": {"provision/clients/aws.py", "provision/clients/line.py"},  # errors of libraries
    "subprocess": {"provision/clients/package_index.py"},
}
FILES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "provision").rglob("*.py")
    if "sandbox" not in path.relative_to(ROOT).parts
)


def imported(path: Path) -> list[str]:
    """Every module a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] if node.module != "provision" else []
            found += [f"{node.module}.{a.name}" for a in node.names if node.module == "provision"]
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_outside_has_one_door(path: Path) -> None:
    """boto3 only in aws.py, questionary only in questions.py, click only at the command line, and so on."""
    outsides = {name.partition(".")[0] for name in imported(path)} & set(DOORS)
    assert set() == {name for name in outsides if path.as_posix() not in DOORS[name]}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_one_way(path: Path) -> None:
    """keyboard -> questions -> settings -> stack -> engine -> resource -> aws, dns, line."""
    own = path.parts[1].removesuffix(".py")
    if own not in RANK:
        assert "__init__" == own
        return
    backwards = [
        name
        for name in imported(path)
        if name.startswith("provision.")
        and (part := name.split(".")[1]) != "sandbox"
        and RANK[part] < RANK[own]
    ]
    assert [] == backwards


# What the sandbox may import from the tool: pure functions and values. The demo types the tool's commands.
PURE = {
    "provision.clients.http.on_loopback",
    "provision.clients.registry.OCI_INDEX",
    "provision.clients.registry.OCI_MANIFEST",
    "provision.clients.registry.sha256",
    "provision.errors.ProvisionError",
    "provision.i18n._",
    "provision.image.layer",
    "provision.schedules.At",
    "provision.schedules.parse",
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "provision").rglob("*.py")
}


def imported_names(module: str) -> set[str]:
    """Return the dotted names that a module imports anywhere in it, functions and type checking included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("provision.")}


def modules_of(names: set[str]) -> set[str]:
    """Return the modules that these names are, or stand in."""
    return {name if name in MODULES else name.rpartition(".")[0] for name in names} & set(MODULES)


def test_no_import_cycles() -> None:
    """No module imports itself by way of others, the sandbox's included."""
    left = {module: modules_of(imported_names(module)) for module in MODULES}
    while leaves := [module for module, imports in left.items() if not imports & set(left)]:
        for module in leaves:
            del left[module]
    # What is left is in a cycle or imports one; the latter is no module's import.
    while roots := set(left) - {name for imports in left.values() for name in imports}:
        for module in roots:
            del left[module]
    assert {} == left


def test_sandbox_imports_only_pure_functions() -> None:
    """The sandbox uses none of the tool's clients, settings, state or engine."""
    taken = {
        (module, name)
        for module in MODULES
        if module.startswith("provision.sandbox")
        for name in imported_names(module)
        if not name.startswith("provision.sandbox")
    }
    beyond = {(module, name) for module, name in taken if name not in PURE}
    assert {("provision.sandbox.demo", "provision.cli.main")} == beyond
    assert PURE == {name for _, name in taken} - {"provision.cli.main"}


def test_tool_knows_the_sandbox_in_two_places() -> None:
    """The command starts a sandbox; the environment finds the one that runs."""
    taken = {
        (module.split(".")[1], name)
        for module in MODULES
        if not module.startswith("provision.sandbox")
        for name in imported_names(module)
        if name.startswith("provision.sandbox")
    }
    assert {
        ("cli", "provision.sandbox.server.serve"),
        ("environment", "provision.sandbox.runtime.read_runtime"),
    } == taken


def test_bot_stands_alone() -> None:
    """The container holds the bot without the tool."""
    files = [path.relative_to(ROOT) for path in (ROOT / "bot").rglob("*.py")]
    assert files
    assert [] == [str(p) for p in files for name in imported(p) if name.startswith("provision")]


def test_no_room_catches() -> None:
    """No resource catches AWS's errors: absent, taken and patient are declarations. DNS has no such codes."""
    rooms = sorted((ROOT / "provision" / "resources").glob("*.py"))
    caught = {
        ast.unparse(node.type) if node.type else "everything"
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
    }
    assert {"DnsError"} == caught


# An earlier vocabulary that a reader would have to learn; the field's names have taken its place.
FORMER_NAMES = {
    "Doors",
    "FirstNews",
    "Gone",
    "Held",
    "Holdings",
    "Newsstand",
    "NotYet",
    "Once",
    "Refusal",
    "Rollout",
    "Sight",
    "Traces",
    "Unfinished",
    "Unnamed",
    "WarmDoor",
    "absent",
    "dear",
    "desk",
    "doors",
    "first_news",
    "foreseen",
    "foundations",
    "glance",
    "goes_with",
    "hangs_on",
    "inbox",
    "lets_go",
    "looked_in",
    "newborn",
    "newsstand",
    "patient",
    "recall",
    "retrace",
    "revived",
    "ripens",
    "sight",
    "understood",
    "wants",
    "warm_door",
    "wholefile",
}


def test_no_former_names() -> None:
    """No module, class, function or variable has a name of the earlier vocabulary."""
    found = {
        f"{path.relative_to(ROOT)}:{token.start[0]} {token.string}"
        for folder in ("provision", "bot")
        for path in (ROOT / folder).rglob("*.py")
        for token in tokenize.generate_tokens(
            io.StringIO(path.read_text(encoding="utf-8")).readline
        )
        if token.type == tokenize.NAME and token.string in FORMER_NAMES
    }
    assert set() == found
