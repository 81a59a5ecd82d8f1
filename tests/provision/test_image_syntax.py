"""A syntax error in the image's files is found before building, with file and line."""

import sys
from pathlib import Path

import pytest

from provision.errors import UsageError
from provision.image import inputs
from provision.image.syntax import check, python_version


def syntax_error(files: dict[str, bytes], python: str = "") -> str:
    """Return the error of these files, or ""."""
    try:
        check(files, files, python)
    except UsageError as refused:
        return refused.why
    return ""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("bot/phrases.py", b"a = 1\n\nHELP = (\n", "bot/phrases.py:3: SyntaxError: '(' was never"),
        ("own.py", b"def f():\nreturn 1\n", "own.py:2: IndentationError: expected an indented"),
        ("own.py", b"if 1:\n\ta\n        b\n", "own.py:3: TabError: inconsistent use of tabs"),
        ("own.py", b"a\nreturn 1\n", "own.py:2: SyntaxError: 'return' outside function"),
        ("own.py", b"def f(a, a): pass\n", "own.py:1: SyntaxError: duplicate argument 'a'"),
        ("own.py", b"a = '\x8bL'\n", "own.py:1: SyntaxError: (unicode error) 'utf-8' codec"),
        ("own.py", b"a\0b\n", "own.py"),
        ("own.py", b"(" * 100_000, "own.py"),
        ("bot/samples/articles.json", b'[\n {"a": 1}\n', "bot/samples/articles.json:3: "),
        ("bot/samples/articles.json", b"\x8bL", "bot/samples/articles.json: "),
        ("data.json", b"not ours", ""),
        ("notes.txt", b"(", ""),
        ("own.py", "# ずっと\nprint('\\d')\n".encode(), ""),
        ("own.py", b"# coding: shift_jis\na = '\x8bL'\n", ""),
    ],
)
def test_syntax_errors(name: str, content: bytes, expected: str) -> None:
    """In Python's or the JSON parser's words; files that the bot does not read are ignored."""
    assert syntax_error({name: content}).startswith(expected)
    assert bool(expected) == bool(syntax_error({name: content}))


def test_syntax_newer_than_the_images_python() -> None:
    """`match` needs Python 3.10: an older base cannot load it, though this machine can."""
    files = {"own.py": b"match 1:\n    case 1:\n        pass\n"}
    assert "" == syntax_error(files, "3.10")
    assert (
        "own.py:3: SyntaxError: Pattern matching is only supported in Python 3.10"
        in syntax_error(files, "3.9")
    )


def test_syntax_newer_than_this_machines_python() -> None:
    """The advice says that an older Python checked it."""
    newer = f"3.{sys.version_info.minor + 1}"
    with pytest.raises(UsageError) as refused:
        check({"own.py": b"a ="}, ["own.py"], newer)
    assert f"run provision itself with Python {newer}" in refused.value.then


def test_three_errors_are_listed() -> None:
    """The others are counted."""
    expected = syntax_error({f"{number}.py": b"(" for number in range(5)})
    assert ["0.py:1", "1.py:1", "2.py:1", "2 more"] == [part[:6] for part in expected.split("; ")]


@pytest.mark.parametrize(
    ("reference", "python"),
    [
        ("public.ecr.aws/docker/library/python:3.12-slim@sha256:0", "3.12"),
        ("python:3.9", "3.9"),
        ("example.jp/bot:1", ""),
    ],
)
def test_python_of_a_base(reference: str, python: str) -> None:
    """The Python version in the names of the official images."""
    assert python == python_version(reference)


def test_syntax_is_checked_when_files_are_read(tmp_path: Path) -> None:
    """Before any base is requested."""
    (tmp_path / "own/bot").mkdir(parents=True)
    (tmp_path / "own/bot/phrases.py").write_bytes(b"HELP = \n")
    with pytest.raises(UsageError) as refused:
        inputs.read_inputs("", "linux/amd64", tmp_path, "own")
    assert "bot/phrases.py:1: SyntaxError: invalid syntax" == refused.value.why
    assert "Fix that line" in refused.value.then


def test_what_the_parser_has_no_words_for() -> None:
    """A MemoryError says nothing: its name is shown, not an empty reason."""
    with pytest.raises(UsageError) as refused:
        check({"bot/custom.py": b"x = " + b"-" * 200_000 + b"1"}, ["bot/custom.py"], "3.12")
    assert "" != refused.value.why.removeprefix("bot/custom.py: ")
