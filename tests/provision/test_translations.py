"""Every sentence a person reads goes through `_()`, and each has its Japanese beside it."""

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import provision
from provision import i18n
from provision.i18n import _, from_arguments, from_locale

PACKAGE = Path(provision.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
# The sandbox speaks AWS's and LINE's own English; everything else is read by a person.
SPOKEN = [path for path in SOURCES if "sandbox" not in path.relative_to(PACKAGE).parts]
JAPANESE = PACKAGE / "i18n" / "ja.yaml"
TELLING = {
    *("print", "echo", "say", "option", "command", "group", "confirmed", "typed"),
    *(
        "ProvisionError",
        "LineError",
        "Usage",
        "WaitingOnExternal",
        "Pending",
        "Malformed",
        "Unanswered",
    ),
    *("ValueError", "_refusal", "_refused"),
}
REASONS = ("pending", "kept")  # methods whose answer is a sentence
TOLD_BY_NAME = ("help", "epilog", "short_help", "prompt")
ALLOWED: dict[str, str] = {}  # a literal that is no sentence -> why


@dataclass(frozen=True)
class Sentence:
    """One call of `_()`. text None: its first argument is no literal. given: None where ** fills holes."""

    place: str
    text: str | None
    given: frozenset[str] | None


def called(node: ast.Call) -> str:
    """The last part of the called name."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def literal(node: ast.AST) -> str | None:
    """A literal text's value; parts that follow one another are one literal to Python already."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def sentences(place: str, source: str) -> Iterator[Sentence]:
    """Every call of `_()`, in the order of the lines."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id == "_":
            names = [keyword.arg for keyword in node.keywords]
            given = None if None in names else frozenset(name for name in names if name)
            text = literal(node.args[0]) if node.args else None
            yield Sentence(f"{place}:{node.lineno}", text, given)


def prose(node: ast.AST) -> str:
    """The text, if this is a literal (or an f-string) that a person would read as words; else ""."""
    text = literal(node)
    if text is not None:
        return text if " " in text.strip() and re.search(r"[A-Za-z]{2}", text) else ""
    if isinstance(node, ast.JoinedStr):
        parts = [literal(part) or "" for part in node.values]
        return next((part for part in parts if re.search(r"[A-Za-z]{2,} +[A-Za-z]{2,}", part)), "")
    return ""


def bypasses(place: str, source: str) -> Iterator[str]:
    """Every literal that would be shown as it stands: "file:line: text"."""
    for node in ast.walk(ast.parse(source)):
        shown: list[ast.expr] = []
        if isinstance(node, ast.Call):
            shown += [keyword.value for keyword in node.keywords if keyword.arg in TOLD_BY_NAME]
            if called(node) in TELLING:
                shown += node.args
        elif isinstance(node, ast.FunctionDef) and node.name in REASONS:
            returns = [item.value for item in ast.walk(node) if isinstance(item, ast.Return)]
            shown += [value for value in returns if value]
        for expression in shown:
            branches = (
                [expression.body, expression.orelse]
                if isinstance(expression, ast.IfExp)
                else [expression]
            )
            for branch in branches:
                if (text := prose(branch)) and text not in ALLOWED:
                    yield f"{place}:{branch.lineno}: {text!r}"


def holes(text: str) -> set[str]:
    """The names in braces, without their format specs."""
    return {name for _text, name, _spec, _how in string.Formatter().parse(text) if name is not None}


def place(path: Path) -> str:
    """A file's name as a person would say it."""
    return path.relative_to(PACKAGE.parent).as_posix()


def every_sentence() -> list[Sentence]:
    """All of the project's, file by file."""
    return [
        sentence
        for path in SOURCES
        for sentence in sentences(place(path), path.read_text(encoding="utf-8"))
    ]


def translations() -> dict[str, str]:
    """ja.yaml, as it is on disk."""
    return dict(yaml.safe_load(JAPANESE.read_text(encoding="utf-8")))


@pytest.fixture
def speaking() -> Iterator[None]:
    """Afterwards `_()` speaks the language it spoke before."""
    before = i18n.language()
    yield
    i18n.use(before)


def test_every_sentence_is_a_literal() -> None:
    """A sentence that is put together at run time cannot be found, so it cannot be translated."""
    assert [] == [sentence.place for sentence in every_sentence() if sentence.text is None]


def test_every_sentence_has_its_japanese() -> None:
    """Each sentence in the code stands in ja.yaml, with something on its right side."""
    known = translations()
    assert [] == [
        f"{sentence.place}: {sentence.text!r}"
        for sentence in every_sentence()
        if sentence.text is not None and not known.get(sentence.text)
    ]


def test_no_japanese_is_stale() -> None:
    """Each sentence of ja.yaml is somewhere in the code."""
    spoken = {sentence.text for sentence in every_sentence()}
    assert [] == [
        f"{JAPANESE.name}: {english!r}" for english in translations() if english not in spoken
    ]


def test_no_sentence_is_translated_twice() -> None:
    """YAML lets the later of two equal keys win without a word."""
    node = yaml.compose(JAPANESE.read_text(encoding="utf-8"))
    keys = [key.value for key, _value in node.value]
    assert sorted(set(keys)) == sorted(keys)


def test_both_languages_have_the_same_holes() -> None:
    """What English says with a value, Japanese says with the same value."""
    assert [] == [
        f"{JAPANESE.name}: {english!r}"
        for english, spoken in translations().items()
        if holes(english) != holes(spoken)
    ]


def test_every_hole_is_filled() -> None:
    """A call gives exactly the values that its sentence names."""
    assert [] == [
        f"{sentence.place}: {sentence.text!r}"
        for sentence in every_sentence()
        if sentence.text is not None and sentence.given is not None
        if sentence.given != holes(sentence.text)
    ]


def test_no_sentence_bypasses_translation() -> None:
    """What is printed, offered as help or raised as a refusal is not a bare English literal."""
    found = [
        line for path in SPOKEN for line in bypasses(place(path), path.read_text(encoding="utf-8"))
    ]
    assert [] == found


def test_the_walk_sees_sentences() -> None:
    """Joined literals are one sentence; what is no literal, and ** for holes, are told apart."""
    source = 'a = _("one " "two {x}", x=1)\n_(a)\n_(f"{a} b")\n_("{x}", **a)\nother("three four")\n'
    expected = [
        Sentence("f:1", "one two {x}", frozenset({"x"})),
        Sentence("f:2", None, frozenset()),
        Sentence("f:3", None, frozenset()),
        Sentence("f:4", "{x}", None),
    ]
    assert expected == list(sentences("f", source))


@pytest.mark.parametrize(
    "source",
    [
        'print("two words")',
        'print(f"{a} two words")',
        'click.echo("two words")',
        'click.option("--x", help="two words")',
        'raise ProvisionError(_("fine words"), "two words", _("x"))',
        'raise Usage("two words", a, b)',
        'raise WaitingOnExternal(a, "two words", b)',
        'raise Pending("two words")',
        'print("two words" if a else _("b"))',
        'def pending(self, live):\n    return "two words"',
    ],
)
def test_the_walk_sees_a_bypass(source: str) -> None:
    """Each way to show a bare sentence is noticed."""
    line = source.count("\n") + 1
    found = list(bypasses("f", source))
    assert 1 == len(found)
    assert found[0].startswith(f"f:{line}: ")


@pytest.mark.parametrize(
    "source", ['print(_("two words"))', 'print(f"{a}  {b}")', 'note("two words")', 'print("word")']
)
def test_the_walk_leaves_the_rest_alone(source: str) -> None:
    """Translated sentences, layout and single words are none."""
    assert [] == list(bypasses("f", source))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "ja"),
    ],
)
def test_from_locale(environ: dict[str, str], expected: str) -> None:
    """POSIX's order: LC_ALL, LC_MESSAGES, LANG; an empty one does not count; English else."""
    assert expected == from_locale(environ)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plan", "--lang", "en"], "en"),
        (["--lang=en", "plan"], "en"),
        (["plan"], "ja"),
        (["plan", "--lang"], "ja"),
        (["plan", "--lang", "fr"], "ja"),
    ],
)
def test_from_arguments(arguments: list[str], expected: str) -> None:
    """--lang anywhere, joined or not; without one that exists the locale (here Japanese) decides."""
    assert expected == from_arguments(arguments, {"LANG": "ja_JP.UTF-8"})


@pytest.mark.usefixtures("speaking")
def test_a_sentence_in_both_languages() -> None:
    """The chosen language speaks, with its holes filled."""
    i18n.use("en")
    assert "en" == i18n.language()
    assert "Creating zone." == _("Creating {key}.", key="zone")
    i18n.use("ja")
    assert "ja" == i18n.language()
    expected = translations()["Creating {key}."].replace("{key}", "zone")
    assert expected == _("Creating {key}.", key="zone")
    assert translations()["done"] == _("done")


@pytest.mark.usefixtures("speaking")
def test_an_unknown_sentence_stays_english() -> None:
    """Better a sentence in another language than none; braces without holes stay as they are."""
    i18n.use("ja")
    untranslated = "not {in} ja.yaml"
    assert untranslated == _(untranslated)
