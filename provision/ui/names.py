"""Look up a resource's name for people and its step of the setup by its key in stack.yaml."""

from collections.abc import Iterable
from functools import cache

from provision import i18n
from provision.i18n import _
from provision.stack import steps


@cache
def _names(language: str) -> dict[str, tuple[str, str]]:
    """Return step and name of each resource by logical id. language: the current one, which they are in."""
    return {each: (step, name) for step, names in steps().items() for each, name in names.items()}


def _logical_id(key: str) -> str:
    """Return the attribute's name in stack.py; certificate.2/HOST is another of `certificate`."""
    return key.partition("/")[0].partition(".")[0]


def name_of(key: str) -> str:
    """Return what people call the resource with this key; the key where it has no name."""
    return _names(i18n.language()).get(_logical_id(key), ("", key))[1]


def by_step(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the keys by step, in the steps' order; those that belong to none come last."""
    names, other = _names(i18n.language()), _("Other")
    found: dict[str, list[str]] = {step: [] for step in (*(s for s, _n in names.values()), other)}
    for key in keys:
        step, _name = names.get(_logical_id(key), (other, key))
        found[step].append(key)
    return {step: members for step, members in found.items() if members}
