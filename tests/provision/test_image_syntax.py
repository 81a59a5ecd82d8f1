"""A syntax error in the image's files is found before anything is built: its file and line."""

import sys
from pathlib import Path

import pytest

from provision.errors import UsageError
from provision.image import inputs
from provision.image.syntax import check, python_of


def why(files: dict[str, bytes], python: str = "") -> str:
    """What is said of these files; "" where nothing is."""
    try:
        check(files, files, python)
    except UsageError as refused:
        return refused.why
    return ""


@pytest.mark.parametrize(
    ("name", "content", "said"),
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
def test_errors(name: str, content: bytes, said: str) -> None:
    """In the words of Python or of JSON's reader; what the bot does not read is not looked at."""
    assert why({name: content}).startswith(said)
    assert bool(said) == bool(why({name: content}))


def test_syntax_that_the_image_does_not_have_yet() -> None:
    """`match` came with Python 3.10: an older base cannot load it, though this machine can."""
    files = {"own.py": b"match 1:\n    case 1:\n        pass\n"}
    assert "" == why(files, "3.10")
    assert "own.py:3: SyntaxError: Pattern matching is only supported in Python 3.10" in why(
        files, "3.9"
    )


def test_syntax_that_this_machine_does_not_have_yet() -> None:
    """The refusal says that it was an older Python that read it."""
    newer = f"3.{sys.version_info.minor + 1}"
    with pytest.raises(UsageError) as refused:
        check({"own.py": b"a ="}, ["own.py"], newer)
    assert f"run provision itself with Python {newer}" in refused.value.then


def test_several_are_named() -> None:
    """Three of them."""
    said = why({f"{number}.py": b"(" for number in range(5)})
    assert ["0.py:1", "1.py:1", "2.py:1", "2 more"] == [part[:6] for part in said.split("; ")]


@pytest.mark.parametrize(
    ("reference", "python"),
    [
        ("public.ecr.aws/docker/library/python:3.12-slim@sha256:0", "3.12"),
        ("python:3.9", "3.9"),
        ("example.jp/bot:1", ""),
    ],
)
def test_python_of_a_base(reference: str, python: str) -> None:
    """As the official images are called."""
    assert python == python_of(reference)


def test_found_when_the_files_are_read(tmp_path: Path) -> None:
    """At the plan, before any base is asked for."""
    (tmp_path / "own/bot").mkdir(parents=True)
    (tmp_path / "own/bot/phrases.py").write_bytes(b"HELP = \n")
    with pytest.raises(UsageError) as refused:
        inputs.of("", "linux/amd64", tmp_path, "own")
    assert "bot/phrases.py:1: SyntaxError: invalid syntax" == refused.value.why
    assert "Fix that line" in refused.value.then
