"""Parse stack.yaml with the position of every value.

BaseLoader leaves every scalar a string; `yaml.compose` keeps the positions that yaml_edit.py needs. Callers
remove a byte order mark, because positions are counted without it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from provision.i18n import _

MAX_BYTES = 1 << 20  # of stack.yaml; a whole stack with its settings takes some 20 kB
MAX_DEPTH = 30  # levels of nesting; provision writes at most eight
MARK = "\ufeff"  # byte order mark, written by some editors
Tree = str | list[Any] | dict[str, Any]
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Malformed(ValueError):
    """The text is invalid. line: counted from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


@dataclass(frozen=True)
class Leaf:
    """A value with its dotted key and its first line (counted from 1)."""

    key: str
    value: str | list[str]
    line: int


def compose(text: str) -> yaml.MappingNode | None:
    """Return the document's top mapping, which must be a block; None if it is empty. Raise Malformed."""
    if conflict := re.search(r"^(<{7}|={7}|>{7}|\|{7})(?=\s|\Z)", text, re.MULTILINE):
        line = text[: conflict.start()].count("\n") + 1
        raise Malformed(line, _("a merge conflict starts here: keep one of the two versions"))
    try:
        node = yaml.compose(text, Loader=LOADER)
    except RecursionError:  # of PyYAML's Python loader; its C loader has another limit
        raise Malformed(1, _("it is nested too deeply")) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.YAMLError as error:
        unprintable = yaml.reader.Reader.NON_PRINTABLE.search(text)
        before = text[: unprintable.start()] if unprintable else ""
        raise Malformed(before.count("\n") + 1, str(error).partition("\n")[0]) from None
    expected = _("expected settings as `name: value` lines")
    if end := re.search(r"^\.\.\.(?=\s|\Z)", text, re.MULTILINE):
        raise Malformed(text[: end.start()].count("\n") + 1, expected)
    if node is None or (isinstance(node, yaml.ScalarNode) and is_missing(node)):
        return None
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise Malformed(line, expected)
    first = node.value[0][0].start_mark
    if (first.line, first.column) != (node.start_mark.line, node.start_mark.column):
        raise Malformed(line, expected)  # a tag, an anchor or a `?`: no line could be added
    _refuse_aliases(node, set(), MAX_DEPTH)
    return node


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> Malformed:
    """Return the syntax error with its line.

    PyYAML reports a bare word or an open quote some lines later; use the line where it begins.
    """
    reported_late = (error.context or "").endswith(("simple key", "quoted scalar"))
    begin = error.context_mark if reported_late else None
    mark = begin or error.problem_mark or error.context_mark
    last = max(1, len(text.splitlines()))
    line = min(mark.line + 1, last) if mark else 1
    if re.match(r" *\t", text.splitlines()[line - 1]):
        return Malformed(line, _("indent it with spaces: YAML does not allow tabs there"))
    return Malformed(line, _("it is not valid YAML ({error})", error=error.problem or str(error)))


def is_missing(node: yaml.Node) -> bool:
    """Return whether the value is missing in the text: `name:` at the end of a line."""
    return bool(
        node.start_mark.line == node.end_mark.line
        and node.start_mark.column == node.end_mark.column
    )


def _refuse_aliases(node: yaml.Node, seen: set[int], depth: int) -> None:
    """Raise Malformed for an alias, because its anchor cannot be replaced and it may be recursive.

    depth: how many levels there may be from here.
    """
    if not depth:
        raise Malformed(node.start_mark.line + 1, _("it is nested too deeply"))
    if id(node) in seen:
        raise Malformed(
            node.start_mark.line + 1, _("write the value out where it is used, without * and &")
        )
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _refuse_aliases(key, seen, depth - 1)
            _refuse_aliases(value, seen, depth - 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_aliases(item, seen, depth - 1)


def pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Yield key, key node and value node. Raise Malformed for a duplicate key, which PyYAML accepts."""
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Malformed(
                key.start_mark.line + 1, _("expected a setting's name before the colon")
            )
        if key.value in seen:
            raise Malformed(key.start_mark.line + 1, _("{key} appears twice", key=key.value))
        seen.add(key.value)
        yield key.value, key, value


def plain(node: yaml.Node) -> Tree:
    """Return the node as strings, lists and dicts."""
    if isinstance(node, yaml.MappingNode):
        return {key: plain(value) for key, _node, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return str(node.value)


def leaves(node: yaml.MappingNode, prefix: str = "") -> Iterator[Leaf]:
    """Yield every value below the mapping with its dotted key."""
    for key, key_node, value in pairs(node):
        dotted = prefix + key
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from leaves(value, dotted + ".")
            continue
        content = plain(value) or ("" if isinstance(value, yaml.MappingNode) else plain(value))
        if isinstance(content, list) and not all(isinstance(item, str) for item in content):
            raise Malformed(key_node.start_mark.line + 1, _("expected a list of strings"))
        yield Leaf(dotted, content, key_node.start_mark.line + 1)  # type: ignore[arg-type]


def dump(value: Any) -> str:
    """Return a value as YAML block text."""
    return str(
        yaml.dump(value, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100, indent=2)
    )
