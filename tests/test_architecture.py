"""Imports point one way, and each outside has one door."""

import ast
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
    "linebot": set(),
    "rich": {"provision/ui/progress.py"},
    "segno": {"provision/ui/qr.py"},
    "ssl": {"provision/clients/tls.py"},
    "urllib3": {
        "provision/clients/http.py",
        "provision/clients/registry.py",
        "provision/clients/line.py",
    },
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
    assert {"Unanswered"} == caught
