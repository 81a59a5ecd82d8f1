"""Edit stack.yaml by whole lines; all other bytes stay unchanged (CRLF, comments)."""

from typing import Any

import yaml

from provision.i18n import _
from provision.state.yaml_text import Malformed, compose, dump, is_missing, leaves, pairs


def line_break(text: str) -> str:
    """Return the line ending that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def column(text: str) -> int:
    """Return the indentation of the top-level entries."""
    node = compose(text)
    return int(node.start_mark.column) if node else 0


def indent(block: str, by: int) -> str:
    """Return a block indented by a number of columns."""
    return "".join(" " * by + line for line in block.splitlines(keepends=True))


def without(text: str, keys: tuple[str, ...]) -> str:
    """Return the text without these top-level entries; comments after an entry's last line stay."""
    node = compose(text)
    lines = text.splitlines(keepends=True)
    for key, key_node, value in reversed(list(pairs(node)) if node else []):
        if key in keys:
            del lines[key_node.start_mark.line : _next_line(key_node, value)]
    return "".join(lines)


def insert(text: str, dotted: str, value: str | int | list[str]) -> str:
    """Return the text with one more setting, as whole lines; an empty `name:` line is filled in.

    Raise Malformed if one of the person's lines would have to be rewritten.
    """
    node = compose(text)
    entries = {name: (key, child) for name, key, child in pairs(node)} if node else {}
    lines = text.splitlines(keepends=True)
    head, dot, tail = dotted.partition(".")
    group = entries.get(head) if dot and dotted not in entries else None
    if dotted in entries:
        changed = _replace(lines, *entries[dotted], dotted, value, line_break(text))
    elif group is None:
        content = {head: {tail: value}} if dot else {head: value}
        block = indent(dump(content), column(text))
        changed = _splice(lines, len(lines), block, line_break(text))
    else:
        changed = _insert_in_group(lines, *group, tail, value, line_break(text))
    expected = _values(node) | {dotted: value if isinstance(value, list) else str(value)}
    if group is not None:
        expected.pop(head, None)
    try:
        valid = expected == _values(compose(changed))
    except Malformed:
        valid = False
    if not valid:
        line = entries[head][0].start_mark.line + 1 if head in entries else len(lines)
        raise Malformed(line, _("write {key} on separate lines", key=head))
    return changed


def _values(node: yaml.MappingNode | None) -> dict[str, Any]:
    return {leaf.key: leaf.value for leaf in leaves(node)} if node else {}


def _insert_in_group(
    lines: list[str], key: yaml.Node, child: yaml.Node, tail: str, value: Any, end: str
) -> str:
    """Return the text with a setting added to, or replaced in, a group that the text has."""
    if getattr(child, "flow_style", False) or not (child.value or is_missing(child)):
        raise Malformed(key.start_mark.line + 1, _("write {key} on separate lines", key=key.value))
    row, depth = key.start_mark.line + 1, key.start_mark.column + 2
    if isinstance(child, yaml.MappingNode):
        depth = child.value[0][0].start_mark.column
        for name, key_node, leaf in pairs(child):
            if name == tail:
                return _replace(lines, key_node, leaf, tail, value, end)
        row = _next_line(*child.value[-1])
    return _splice(lines, row, indent(dump({tail: value}), depth), end)


def _replace(
    lines: list[str], key: yaml.Node, child: yaml.Node, name: str, value: Any, end: str
) -> str:
    """Return the text with a new value for an entry; a one-line entry keeps its comment."""
    row, depth = key.start_mark.line, key.start_mark.column
    one_line = isinstance(child, yaml.ScalarNode) and child.style not in ("|", ">")
    if not one_line or (child.start_mark.line, child.end_mark.line) != (row, row):
        del lines[row : _next_line(key, child)]
        return _splice(lines, row, indent(dump({name: value}), depth), end)
    before = lines[row][: child.start_mark.column].rstrip()
    after = lines[row][child.end_mark.column :]
    if isinstance(value, list) and value:
        lines[row] = before + after
        return _splice(lines, row + 1, indent(dump(value), depth + 2), end)
    text = dump({"": value}).partition(": ")[2].rstrip("\n")
    lines[row] = f"{before} {text}{after}"
    return "".join(lines)


def _next_line(key: yaml.Node, value: yaml.Node) -> int:
    """Return the number of the line after an entry.

    A block's end mark cannot be used, because it is after the comments that follow the block.
    """
    if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        return _next_line(*value.value[-1])
    if isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
        return _next_line(key, value.value[-1])
    if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">"):
        return int(value.end_mark.line) + (1 if value.end_mark.column else 0)
    return int(max(key.end_mark.line, value.end_mark.line)) + 1


def _splice(lines: list[str], row: int, block: str, end: str) -> str:
    if row and not lines[row - 1].endswith(("\n", "\r")):
        lines[row - 1] += end
    lines[row:row] = block.replace("\n", end).splitlines(keepends=True)
    return "".join(lines)
