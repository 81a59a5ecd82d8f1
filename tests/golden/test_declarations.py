"""Every timeout, limit and error code that the code declares, by value.

A test that uses the code's own constant does not notice a change of it; these files do.
"""

import ast
import dataclasses
import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import bot
import provision
from provision.resources.base import Deletion, Errors, Polling, kinds
from provision.stack import Stack
from tests.golden.golden_files import compare

assert Stack  # imported so that every resource is
LEFT_OUT = ("provision.sandbox", "provision.__main__", "bot.__main__", "bot.gunicorn_conf")
GROUPS = ("errors", "polling", "deletion", "batch", "console", "identified_by")


def modules(package: ModuleType) -> list[ModuleType]:
    """Return the modules of a package that can be imported without starting something."""
    names = [
        module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ]
    return [importlib.import_module(name) for name in names if not name.startswith(LEFT_OUT)]


def plain(value: Any) -> Any:
    """Return a value as JSON; of a dataclass what differs from its defaults."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        defaults = {field.name: field.default for field in dataclasses.fields(value)}
        return {name: plain(each) for name, each in found.items() if each != defaults[name]}
    if isinstance(value, set | frozenset):
        return sorted(str(each) for each in value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def is_plain(value: Any) -> bool:
    """Return whether it is a number, or a tuple or set of numbers and texts."""
    if isinstance(value, tuple | frozenset | set):
        return all(isinstance(each, str | int | float) for each in value)
    return isinstance(value, int | float)


def constants(module: ModuleType) -> dict[str, Any]:
    """Return the numbers, and the tuples and sets of numbers and codes, that a module assigns itself."""
    source = importlib.util.find_spec(module.__name__)
    assert source is not None
    assert source.origin is not None
    tree = ast.parse(Path(source.origin).read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    names = [
        name.id
        for node in assigned
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]
    found = {name: getattr(module, name) for name in names if name.isupper()}
    return {name: plain(value) for name, value in found.items() if is_plain(value)}


def test_constants(update: bool) -> None:
    """Constants of the tool and of the bot."""
    every = [*modules(provision), *modules(bot)]
    compare("constants", {m.__name__: found for m in every if (found := constants(m))}, update)


def test_resources(update: bool) -> None:
    """Each resource's errors, polling, deletion and identification, where they differ from the defaults."""
    declared = {}
    for name, kind in kinds().items():
        if not kind.__module__.startswith("provision."):
            continue  # defined in a test
        outputs = {
            field.name: [field.metadata["path"], field.metadata["pattern"]]
            for field in dataclasses.fields(kind)
            if "path" in field.metadata
        }
        groups = {group: plain(getattr(kind, group)) for group in GROUPS}
        declared[name] = {"outputs": outputs} | {k: v for k, v in groups.items() if v}
    compare("resources", declared, update)


def test_defaults_of_a_resource() -> None:
    """A resource that declares nothing; in seconds."""
    errors = {"not_found": (), "exists": (), "retry": (), "setting": "name", "fatal": True}
    assert errors == dataclasses.asdict(Errors())
    polling = {
        "expected": 1,
        "timeout": 600,
        "interval": 10.0,
        "interval_near": 2.0,
        "interval_far": 900.0,
        "checks": 2,
        "propagation_delay": 0.0,
        "after_propagation": False,
    }
    assert polling == dataclasses.asdict(Polling())
    deletion = {
        "immediate": False,
        "release_delay": 0,
        "after_dependents": False,
        "retained_with": "",
        "on_pause": False,
        "replaced_delay": 0.0,
    }
    assert deletion == dataclasses.asdict(Deletion())
