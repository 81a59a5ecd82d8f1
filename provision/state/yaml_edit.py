"""stack.yaml changed by whole lines only: what is not replaced stays byte for byte (CRLF, comments)."""

from typing import Any

import yaml

from provision.i18n import _
from provision.state.yaml_text import Malformed, compose, dump, leaves, pairs, unwritten


def line_break(text: str) -> str:
    """The line ending the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def column(text: str) -> int:
    """How far the top-level entries are indented."""
    node = compose(text)
    return int(node.start_mark.column) if node else 0


def indented(block: str, by: int) -> str:
    """The lines of a block, further right."""
    return "".join(" " * by + line for line in block.splitlines(keepends=True))


def without(text: str, keys: tuple[str, ...]) -> str:
    """The text without these top-level entries; comments behind an entry's last line stay."""
    node = compose(text)
    lines = text.splitlines(keepends=True)
    for key, key_node, value in reversed(list(pairs(node)) if node else []):
        if key in keys:
            del lines[key_node.start_mark.line : _behind(key_node, value)]
    return "".join(lines)


def insert(text: str, dotted: str, value: str | int | list[str]) -> str:
    """The text with one more setting, as whole lines; an empty `name:` line that waits for it is filled.

    Raises Malformed where a line of the person's would have to be rewritten for it.
    """
    node = compose(text)
    entry = {name: (key, child) for name, key, child in pairs(node)} if node else {}
    lines = text.splitlines(keepends=True)
    head, dot, tail = dotted.partition(".")
    group = entry.get(head) if dot and dotted not in entry else None
    if dotted in entry:
        changed = _replaced(lines, *entry[dotted], dotted, value, line_break(text))
    elif group is None:
        content = {head: {tail: value}} if dot else {head: value}
        block = indented(dump(content), column(text))
        changed = _spliced(lines, len(lines), block, line_break(text))
    else:
        changed = _grouped(lines, *group, tail, value, line_break(text))
    wanted = _told(node) | {dotted: value if isinstance(value, list) else str(value)}
    if group is not None:
        wanted.pop(head, None)
    try:
        kept = wanted == _told(compose(changed))
    except Malformed:
        kept = False
    if not kept:
        line = entry[head][0].start_mark.line + 1 if head in entry else len(lines)
        raise Malformed(line, _("write {key} in lines of its own", key=head))
    return changed


def _told(node: yaml.MappingNode | None) -> dict[str, Any]:
    return {leaf.key: leaf.value for leaf in leaves(node)} if node else {}


def _grouped(
    lines: list[str], key: yaml.Node, child: yaml.Node, tail: str, value: Any, end: str
) -> str:
    """A setting below a name that stands there already."""
    if getattr(child, "flow_style", False) or not (child.value or unwritten(child)):
        raise Malformed(
            key.start_mark.line + 1, _("write {key} in lines of its own", key=key.value)
        )
    indent = key.start_mark.column + 2
    if isinstance(child, yaml.MappingNode):
        indent = child.value[0][0].start_mark.column
        for name, key_node, leaf in pairs(child):
            if name == tail:
                return _replaced(lines, key_node, leaf, tail, value, end)
    return _spliced(lines, key.start_mark.line + 1, indented(dump({tail: value}), indent), end)


def _replaced(
    lines: list[str], key: yaml.Node, child: yaml.Node, name: str, value: Any, end: str
) -> str:
    """Another value for an entry; on the entry's own line where it has but one, for its comment's sake."""
    row, indent = key.start_mark.line, key.start_mark.column
    here = isinstance(child, yaml.ScalarNode) and child.style not in ("|", ">")
    if not here or (child.start_mark.line, child.end_mark.line) != (row, row):
        del lines[row : _behind(key, child)]
        return _spliced(lines, row, indented(dump({name: value}), indent), end)
    before = lines[row][: child.start_mark.column].rstrip()
    after = lines[row][child.end_mark.column :]
    if isinstance(value, list) and value:
        lines[row] = before + after
        return _spliced(lines, row + 1, indented(dump(value), indent + 2), end)
    written = dump({"": value}).partition(": ")[2].rstrip("\n")
    lines[row] = f"{before} {written}{after}"
    return "".join(lines)


def _behind(key: yaml.Node, value: yaml.Node) -> int:
    """The first line behind an entry. A block's own end mark lies behind the comments that follow it."""
    if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        return _behind(*value.value[-1])
    if isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
        return _behind(key, value.value[-1])
    if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">"):
        return int(value.end_mark.line) + (1 if value.end_mark.column else 0)
    return int(max(key.end_mark.line, value.end_mark.line)) + 1


def _spliced(lines: list[str], place: int, block: str, end: str) -> str:
    if place and not lines[place - 1].endswith(("\n", "\r")):
        lines[place - 1] += end
    lines[place:place] = block.replace("\n", end).splitlines(keepends=True)
    return "".join(lines)
