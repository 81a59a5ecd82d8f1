"""stack.yaml as text: read with the place of every word, and changed by whole lines only.

Nothing here knows a setting or a resource. BaseLoader leaves every scalar a text; `yaml.compose` keeps the
places; what is not replaced stays byte for byte (CRLF, BOM, comments).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from provision.words import _

Tree = str | list[Any] | dict[str, Any]
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Malformed(ValueError):
    """The text is not what it should be. line: counted from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


@dataclass(frozen=True)
class Leaf:
    """A value at its place: dotted key, the plain value, the line it begins on (from 1)."""

    key: str
    value: str | list[str]
    line: int


def compose(text: str) -> yaml.MappingNode | None:
    """The document's top mapping; None where it is empty. Raises Malformed naming the line."""
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Malformed(mark.line + 1 if mark else 1, error.problem or str(error)) from None
    except yaml.YAMLError as error:
        raise Malformed(1, str(error)) from None
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return None
    if not isinstance(node, yaml.MappingNode):
        raise Malformed(
            node.start_mark.line + 1, _("settings were expected, as `name: value` lines")
        )
    return node


def pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Key, key node and value node; a key that stands twice is refused (YAML itself would keep one)."""
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Malformed(
                key.start_mark.line + 1, _("a plain name was expected before the colon")
            )
        if key.value in seen:
            raise Malformed(key.start_mark.line + 1, _("{key} stands here twice", key=key.value))
        seen.add(key.value)
        yield key.value, key, value


def plain(node: yaml.Node) -> Tree:
    """The node as texts, lists and dicts."""
    if isinstance(node, yaml.MappingNode):
        return {key: plain(value) for key, _node, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return str(node.value)


def leaves(node: yaml.MappingNode, prefix: str = "") -> Iterator[Leaf]:
    """Every value below the mapping under its dotted key."""
    for key, key_node, value in pairs(node):
        dotted = prefix + key
        if isinstance(value, yaml.MappingNode):
            yield from leaves(value, dotted + ".")
            continue
        content = plain(value)
        if isinstance(content, list) and not all(isinstance(item, str) for item in content):
            raise Malformed(key_node.start_mark.line + 1, _("a list of plain texts was expected"))
        yield Leaf(dotted, content, key_node.start_mark.line + 1)  # type: ignore[arg-type]


def dump(value: Any) -> str:
    """A value as YAML block text."""
    return str(
        yaml.dump(value, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100, indent=2)
    )


def line_break(text: str) -> str:
    """The line ending the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def without(text: str, keys: tuple[str, ...]) -> str:
    """The text without these top-level entries; comments behind an entry's last line stay."""
    node = compose(text)
    lines = text.splitlines(keepends=True)
    for key, key_node, value in reversed(list(pairs(node)) if node else []):
        if key in keys:
            first, last = key_node.start_mark.line, value.end_mark.line
            if value.end_mark.column:
                last += 1
            while last > first + 1 and lines[last - 1].lstrip()[:1] in ("", "#"):
                last -= 1
            del lines[first:last]
    return "".join(lines)


def insert(text: str, dotted: str, value: str | int | list[str]) -> str:
    """The text with one more setting, as whole lines; an empty `name:` line that waits for it is filled."""
    node, end = compose(text), line_break(text)
    head, dot, tail = dotted.partition(".")
    entry = {name: (key, child) for name, key, child in pairs(node)} if node else {}
    lines = text.splitlines(keepends=True)
    if not dot or head not in entry:
        content: Any = {tail: value} if dot else value
        if head in entry:
            del lines[entry[head][0].start_mark.line : _end_line(*entry[head])]
            place = entry[head][0].start_mark.line
        else:
            place = len(lines)
        return _spliced(lines, place, dump({head: content}), end)
    key, child = entry[head]
    if child.start_mark.line == key.start_mark.line and child.value:
        raise Malformed(key.start_mark.line + 1, _("write {key} in lines of its own", key=head))
    place, indent = key.start_mark.line + 1, "  "
    if isinstance(child, yaml.MappingNode) and child.value:
        indent = " " * child.value[0][0].start_mark.column
        for name, key_node, leaf in pairs(child):
            if name == tail:
                del lines[key_node.start_mark.line : _end_line(key_node, leaf)]
                place = key_node.start_mark.line
    block = "".join(indent + line for line in dump({tail: value}).splitlines(keepends=True))
    return _spliced(lines, place, block, end)


def _end_line(key: yaml.Node, value: yaml.Node) -> int:
    """The first line behind an entry."""
    if isinstance(value, yaml.ScalarNode):
        return int(max(key.end_mark.line, value.end_mark.line)) + 1
    return int(value.end_mark.line) + (1 if value.end_mark.column else 0)


def _spliced(lines: list[str], place: int, block: str, end: str) -> str:
    if place and not lines[place - 1].endswith(("\n", "\r")):
        lines[place - 1] += end
    lines[place:place] = block.replace("\n", end).splitlines(keepends=True)
    return "".join(lines)
