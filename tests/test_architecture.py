"""Imports go one way, and each external library is used in one place."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the command line to AWS: a file imports only from its own rank or a later one.
RANKS = [
    {"__main__"},
    {"cli"},
    {"wizard"},
    {"verify"},
    {"console"},
    {"library", "run"},
    {"operator_policy", "status_report"},
    {"ui"},
    {"stack"},
    {"engine"},
    {"resources"},
    {"state"},
    {"settings", "setting_types", "pricing", "schedules"},
    {"image", "environment"},
    {"clients"},
    {"clock", "crash_log", "errors", "i18n", "parallel", "retries", "__version__"},
]
RANK = {name: place for place, names in enumerate(RANKS) for name in names}
ALLOWED_IMPORTS = {
    "boto3": {"provision/clients/aws.py"},
    "botocore": {
        "provision/clients/aws.py",
        "provision/clients/aws_errors.py",
        "provision/clients/aws_parser.py",
    },
    "questionary": {"provision/wizard/prompts.py"},
    "click": {f"provision/cli/{path.name}" for path in (ROOT / "provision/cli").glob("*.py")},
    "dns": {"provision/clients/dns.py"},
    "linebot": {"provision/clients/line.py"},
    "requests": {"provision/clients/http.py", "provision/clients/registry.py"},
    "rich": {"provision/ui/frame.py", "provision/ui/progress.py", "provision/ui/text.py"},
    "segno": {"provision/ui/qr.py"},
    "ssl": {"provision/clients/http.py", "provision/clients/tls.py"},
    "urllib3": {  # only its exceptions
        "provision/clients/aws_errors.py",
        "provision/clients/line.py",
        "provision/clients/registry.py",
    },
    "subprocess": {"provision/clients/package_index.py"},
}
FILES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "provision").rglob("*.py")
    if "sandbox" not in path.relative_to(ROOT).parts
)


def imported(path: Path) -> list[str]:
    """Return every module a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] if node.module != "provision" else []
            found += [f"{node.module}.{a.name}" for a in node.names if node.module == "provision"]
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_external_library_is_imported_in_one_place(path: Path) -> None:
    """boto3 only in aws.py, questionary only in prompts.py, click only in cli, and so on."""
    external = {name.partition(".")[0] for name in imported(path)} & set(ALLOWED_IMPORTS)
    assert set() == {name for name in external if path.as_posix() not in ALLOWED_IMPORTS[name]}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_one_way(path: Path) -> None:
    """From cli and wizard by way of stack, engine and resources to clients."""
    own = path.parts[1].removesuffix(".py")
    if own not in RANK:
        assert "__init__" == own
        return
    wrong = [
        name
        for name in imported(path)
        if name.startswith("provision.")
        and (part := name.split(".")[1]) != "sandbox"
        and RANK[part] < RANK[own]
    ]
    assert [] == wrong


# Where text that AWS, LINE or a file may have written is printed without control characters; the QR code is
# all ours.
PRINTS = {"provision/ui/text.py", "provision/ui/errors.py", "provision/ui/qr.py"}


def test_everything_is_printed_in_one_place() -> None:
    """Everything else uses ui.text.echo or show."""
    printing = {
        path.as_posix()
        for path in FILES
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "click.echo")
    }
    assert PRINTS == printing


# What the sandbox may import from the tool: pure functions and values, and the page with its server, which
# know no stack. The demo runs the tool's commands.
PURE = {
    "provision.clients.http.on_loopback",
    "provision.clients.registry.OCI_INDEX",
    "provision.clients.registry.OCI_MANIFEST",
    "provision.clients.registry.sha256",
    "provision.console.guard.Guard",
    "provision.console.pages.Pages",
    "provision.console.server.HttpServer",
    "provision.console.server.QuietHandler",
    "provision.errors.ProvisionError",
    "provision.i18n._",
    "provision.i18n.command",
    "provision.i18n.language",
    "provision.image.layer",
    "provision.schedules.At",
    "provision.schedules.parse",
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "provision").rglob("*.py")
}


def imported_names(module: str) -> set[str]:
    """Return the dotted names a module imports, including in functions and for type checking."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("provision.")}


def modules_of(names: set[str]) -> set[str]:
    """Return the modules that these names are, or belong to."""
    return {name if name in MODULES else name.rpartition(".")[0] for name in names} & set(MODULES)


def test_no_import_cycles() -> None:
    """No module imports itself indirectly, including the sandbox's."""
    left = {module: modules_of(imported_names(module)) for module in MODULES}
    while leaves := [module for module, imports in left.items() if not imports & set(left)]:
        for module in leaves:
            del left[module]
    # What is left is in a cycle or imports one; the latter is imported by no module.
    while roots := set(left) - {name for imports in left.values() for name in imports}:
        for module in roots:
            del left[module]
    assert {} == left


def test_sandbox_imports_only_pure_functions() -> None:
    """The sandbox uses none of the tool's clients, settings, state or engine."""
    used = {
        (module, name)
        for module in MODULES
        if module.startswith("provision.sandbox")
        for name in imported_names(module)
        if not name.startswith("provision.sandbox")
    }
    others = {(module, name) for module, name in used if name not in PURE}
    assert {("provision.sandbox.demo", "provision.cli.main")} == others
    assert PURE == {name for _, name in used} - {"provision.cli.main"}


def test_tool_knows_the_sandbox_in_two_places() -> None:
    """The command starts a sandbox; the environment finds a running one."""
    used = {
        (module.split(".")[1], name)
        for module in MODULES
        if not module.startswith("provision.sandbox")
        for name in imported_names(module)
        if name.startswith("provision.sandbox")
    }
    assert {
        ("cli", "provision.sandbox.server.serve"),
        ("environment", "provision.sandbox.runtime.read_runtime"),
    } == used


def test_bot_does_not_import_the_tool() -> None:
    """The container has the bot without the tool."""
    files = [path.relative_to(ROOT) for path in (ROOT / "bot").rglob("*.py")]
    assert files
    assert [] == [str(p) for p in files for name in imported(p) if name.startswith("provision")]


def test_resources_catch_no_aws_errors() -> None:
    """Resources declare not_found, exists and retry instead. DNS has no such codes."""
    files = sorted((ROOT / "provision" / "resources").glob("*.py"))
    caught = {
        ast.unparse(node.type) if node.type else "everything"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
    }
    assert {"DnsError"} == caught


# An earlier vocabulary, replaced by standard terms.
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
