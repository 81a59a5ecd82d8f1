"""stack.yaml as text: what is rejected, with its line, and what an edit leaves unchanged."""

import pytest
import yaml

from provision.state.yaml_edit import insert, without
from provision.state.yaml_text import Leaf, Malformed, compose, dump, leaves, plain

CONFLICT = "name: a\n<<<<<<< HEAD\nregion: b\n=======\nregion: c\n>>>>>>> theirs\n"


def read(text: str) -> object:
    """Parse the text into strings, lists and dicts."""
    node = compose(text)
    return plain(node) if node else {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\nname: b\n", 2),
        ("service:\n  cpu: 1\n  cpu: 2\n", 3),
        (CONFLICT, 2),
        (CONFLICT.replace("\n", "\r\n"), 2),
        ("<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> theirs\n", 1),
        ("name: a\nregi", 2),
        ("a: b\nname: 'a\nregion: b\n", 2),
        ("news:\n  feeds: [a,\n", 2),
        ("network:\n\tvpc: default\n", 2),
        ("service:\n  cpu: 1\n\tmemory: 2\n", 3),
        ("name: a\n- b\n", 2),
        ("a\n", 1),
        ("- a\n", 1),
        ("# hi\n{name: a}\n", 2),
        ("''\n", 1),
        ("name: a\n...\n", 2),
        ("name: a\n---\nname: b\n", 2),
        ("? name\n: a\n", 1),
        ("!!map\nname: a\n", 1),
        ("[a]: b\n", 1),
        ("name: a\n? [b]\n: c\n", 2),
        ("name: a\nhost: b\0\n", 2),
        ("a: &x b\nc: *x\n", 1),
        ("a: 1\nb: &x\n  c: *x\n", 2),
    ],
)
def test_malformed_text_is_rejected_with_its_line(text: str, line: int) -> None:
    """Duplicate keys, conflict markers, truncated files, tabs, flow style, documents, aliases, NUL."""
    with pytest.raises(Malformed) as refusal:
        list(leaves(compose(text) or pytest.fail("nothing was read")))
    assert line == refusal.value.line
    assert refusal.value.why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: c\n", "indent it with spaces: YAML does not allow tabs there"),
        ("a: 'b\n", "it is not valid YAML (found unexpected end of stream)"),
    ],
)
def test_syntax_errors_are_explained(text: str, expected: str) -> None:
    """A tab is what beginners meet; the rest is in the parser's words."""
    with pytest.raises(Malformed) as refusal:
        compose(text)
    assert expected == refusal.value.why


@pytest.mark.parametrize("levels", [31, 100, 300, 900, 1000, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a: ", "}")])
def test_deep_nesting_is_rejected(begin: str, end: str, levels: int) -> None:
    """Deep nesting is refused, by the reader or by our own limit."""
    with pytest.raises(Malformed, match="nest") as refusal:
        compose(f"a: 1\nb: {begin * levels}{end * levels}\n")
    assert 2 == refusal.value.line


@pytest.mark.parametrize("levels", [31, 900, 5000])
def test_deep_nesting_without_the_reader_in_c(levels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own reader calls itself for each level."""
    monkeypatch.setattr("provision.state.yaml_text.LOADER", yaml.BaseLoader)
    with pytest.raises(Malformed, match="it is nested too deeply"):
        compose(f"a: {'[' * levels}{']' * levels}\n")


@pytest.mark.parametrize("text", ["", "\n", "# only this\n", "---\n", "--- # and this\n", "\r\n"])
def test_empty_file_is_none(text: str) -> None:
    """A file without entries is no mapping, and no error."""
    assert compose(text) is None


@pytest.mark.parametrize(
    "value",
    ["18:00", "0256", "012345678901", "no", "on", "1_000", "~", "2024-01-01", "1e3", "0x1F"],
)
def test_scalars_stay_strings(value: str) -> None:
    """YAML 1.1 would convert these to numbers, times and booleans."""
    assert {"a": value} == read(f"a: {value}\n")
    assert {"a": value} == read(dump({"a": value}))


def test_leaves_have_dotted_key_value_and_line() -> None:
    """Lists are lists of strings; an empty mapping is an empty value."""
    text = "# top\nname: a\nservice:\n  # c\n  cpu: 256\nnews:\n  feeds:\n  - b\n  - c\nimage: {}\n"
    node = compose(text)
    assert node is not None
    assert [
        Leaf("name", "a", 2),
        Leaf("service.cpu", "256", 5),
        Leaf("news.feeds", ["b", "c"], 7),
        Leaf("image", "", 10),
    ] == list(leaves(node))


def test_list_of_mappings_is_rejected() -> None:
    """A list may contain only strings."""
    with pytest.raises(Malformed) as refusal:
        list(leaves(compose("a: 1\nb:\n- c: d\n") or pytest.fail("nothing was read")))
    assert 2 == refusal.value.line


@pytest.mark.parametrize(
    ("text", "key", "value", "expected"),
    [
        ("", "name", "a", "name: a\n"),
        ("", "service.cpu", 256, "service:\n  cpu: 256\n"),
        ("region: b", "name", "a", "region: b\nname: a\n"),
        ("region: b\r\n", "name", "a", "region: b\r\nname: a\r\n"),
        ("domain:\nname: a\n", "domain", "b.jp", "domain: b.jp\nname: a\n"),
        ("domain:   # yours\nname: a\n", "domain", "b.jp", "domain: b.jp   # yours\nname: a\n"),
        ("domain: ''  # yours\n", "domain", "b.jp", "domain: b.jp  # yours\n"),
        ("domain: ~\n", "domain", "b.jp", "domain: b.jp\n"),
        ("domain:", "domain", "b.jp", "domain: b.jp"),
        ("domain:\n\n# c\nname: a\n", "domain", "b", "domain: b\n\n# c\nname: a\n"),
        ("name: |-\n  a\n\n# c\nregion: b\n", "name", "d", "name: d\n# c\nregion: b\n"),
        ("name:\n  a\n# c\n", "name", "d", "name: d\n# c\n"),
        ("name: 'on'\n", "name", "no", "name: 'no'\n"),
        (
            "news:\n   feeds: # c\n",
            "news.feeds",
            ["a", "b"],
            "news:\n   feeds: # c\n     - a\n     - b\n",
        ),
        ("news:\n  feeds: [a]\n# c\n", "news.feeds", ["b"], "news:\n  feeds:\n  - b\n# c\n"),
        ("news:\n  feeds:\n  - a\n\n# c\n", "news.feeds", [], "news:\n  feeds: []\n\n# c\n"),
        (
            "network:\n    subnets: []\n",
            "network.vpc",
            "new",
            "network:\n    subnets: []\n    vpc: new\n",
        ),
        (
            "schedule:\n  start: a # c\n  # d\nname: b\n",
            "schedule.stop",
            "e",
            "schedule:\n  start: a # c\n  stop: e\n  # d\nname: b\n",
        ),
        ("news:\n  feeds:\n  - a\n", "news.bucket", "b", "news:\n  feeds:\n  - a\n  bucket: b\n"),
        ("network:\n# vpc: x\n", "network.vpc", "new", "network:\n  vpc: new\n# vpc: x\n"),
        ("network.vpc:\n", "network.vpc", "new", "network.vpc: new\n"),
        (
            "a: b\n? service\n: cpu: 256\n",
            "service.memory",
            512,
            "a: b\n? service\n: cpu: 256\n  memory: 512\n",
        ),
        ("  name: a\n", "service.cpu", 256, "  name: a\n  service:\n    cpu: 256\n"),
        ("--- # c\nname: a\n", "region", "b", "--- # c\nname: a\nregion: b\n"),
    ],
)
def test_insert(text: str, key: str, value: str, expected: str) -> None:
    """A value goes into its own line, an empty entry, or below an existing heading with its indentation."""
    assert expected == insert(text, key, value)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a: b\nservice: {cpu: 256}\n", "service.memory", 2),
        ("a: b\nservice:\n  {cpu: 256}\n", "service.memory", 2),
        ("a: b\nservice: {}\n", "service.memory", 2),
        ("a: b\nservice: ''\n", "service.memory", 2),
        ("a: b\nservice: c\n", "service.memory", 2),
    ],
)
def test_insert_into_flow_mapping_is_rejected(text: str, key: str, line: int) -> None:
    """A one-line mapping is the user's own; the error names its line."""
    with pytest.raises(Malformed) as refusal:
        insert(text, key, "512")
    assert line == refusal.value.line


def test_without_keeps_comments_and_neighbours() -> None:
    """Only the entries' own lines are removed, also where an indented line or a comment follows."""
    text = "  # top\n  a: 1\n  gone:\n    b:\n    - c\n  # behind\n\n  d: 2\n  gone2: e\n  f: 3\n"
    assert "  # top\n  a: 1\n  # behind\n\n  d: 2\n  f: 3\n" == without(text, ("gone", "gone2"))
