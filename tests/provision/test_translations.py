"""Every sentence shown to the user goes through `_()`, and has its Japanese translation."""

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
# The sandbox returns AWS's and LINE's own English messages; all other text is shown to the user.
TRANSLATED = [path for path in SOURCES if "sandbox" not in path.relative_to(PACKAGE).parts]
JAPANESE = PACKAGE / "i18n" / "ja.yaml"
SHOWING = {
    *("print", "echo", "say", "option", "command", "group", "confirmed", "typed"),
    *(
        "ProvisionError",
        "LineError",
        "Usage",
        "WaitingOnExternal",
        "Pending",
        "Malformed",
        "DnsError",
    ),
    *("ValueError", "_refusal", "_refused"),
}
REASONS = ("pending", "kept")  # methods that return a sentence
SHOWN_KEYWORDS = ("help", "epilog", "short_help", "prompt")
ALLOWED: dict[str, str] = {}  # a literal that is not a sentence -> why


@dataclass(frozen=True)
class Sentence:
    """One call of `_()`. text None: its argument is not a literal. given None: ** fills the placeholders."""

    location: str
    text: str | None
    given: frozenset[str] | None


def called_name(node: ast.Call) -> str:
    """Return the last part of the called name."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def literal(node: ast.AST) -> str | None:
    """Return a string literal's value; adjacent literals are one literal to Python."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def sentences(relative_path: str, source: str) -> Iterator[Sentence]:
    """Yield every call of `_()`, in order of lines."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id == "_":
            names = [keyword.arg for keyword in node.keywords]
            given = None if None in names else frozenset(name for name in names if name)
            text = literal(node.args[0]) if node.args else None
            yield Sentence(f"{relative_path}:{node.lineno}", text, given)


def prose(node: ast.AST) -> str:
    """Return the text of a literal or f-string that reads as words; otherwise ""."""
    text = literal(node)
    if text is not None:
        return text if " " in text.strip() and re.search(r"[A-Za-z]{2}", text) else ""
    if isinstance(node, ast.JoinedStr):
        parts = [literal(part) or "" for part in node.values]
        return next((part for part in parts if re.search(r"[A-Za-z]{2,} +[A-Za-z]{2,}", part)), "")
    return ""


def bypasses(relative_path: str, source: str) -> Iterator[str]:
    """Yield every literal that would be shown untranslated: "file:line: text"."""
    for node in ast.walk(ast.parse(source)):
        shown: list[ast.expr] = []
        if isinstance(node, ast.Call):
            shown += [keyword.value for keyword in node.keywords if keyword.arg in SHOWN_KEYWORDS]
            if called_name(node) in SHOWING:
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
                    yield f"{relative_path}:{branch.lineno}: {text!r}"


def placeholders(text: str) -> set[str]:
    """Return the names in braces, without their format specs."""
    return {name for _text, name, _spec, _how in string.Formatter().parse(text) if name is not None}


def relative_path(path: Path) -> str:
    """Return a file's path relative to the repository."""
    return path.relative_to(PACKAGE.parent).as_posix()


def all_sentences() -> list[Sentence]:
    """Return all sentences of the package, file by file."""
    return [
        sentence
        for path in SOURCES
        for sentence in sentences(relative_path(path), path.read_text(encoding="utf-8"))
    ]


def translations() -> dict[str, str]:
    """Return the content of ja.yaml."""
    return dict(yaml.safe_load(JAPANESE.read_text(encoding="utf-8")))


@pytest.fixture
def restore_language() -> Iterator[None]:
    """Restore the language afterwards."""
    before = i18n.language()
    yield
    i18n.use(before)


def test_every_sentence_is_a_literal() -> None:
    """A sentence composed at run time cannot be found, so it cannot be translated."""
    assert [] == [sentence.location for sentence in all_sentences() if sentence.text is None]


def test_every_sentence_has_a_translation() -> None:
    """Each sentence in the code is in ja.yaml with a non-empty value."""
    known = translations()
    assert [] == [
        f"{sentence.location}: {sentence.text!r}"
        for sentence in all_sentences()
        if sentence.text is not None and not known.get(sentence.text)
    ]


def test_no_translation_is_stale() -> None:
    """Each sentence of ja.yaml is somewhere in the code."""
    spoken = {sentence.text for sentence in all_sentences()}
    assert [] == [
        f"{JAPANESE.name}: {english!r}" for english in translations() if english not in spoken
    ]


def test_no_sentence_is_translated_twice() -> None:
    """In YAML the later of two equal keys silently wins."""
    node = yaml.compose(JAPANESE.read_text(encoding="utf-8"))
    keys = [key.value for key, _value in node.value]
    assert sorted(set(keys)) == sorted(keys)


def test_both_languages_have_the_same_placeholders() -> None:
    """A value in the English sentence is also in the Japanese one."""
    assert [] == [
        f"{JAPANESE.name}: {english!r}"
        for english, spoken in translations().items()
        if placeholders(english) != placeholders(spoken)
    ]


def test_every_placeholder_is_filled() -> None:
    """A call passes exactly the values that its sentence contains."""
    assert [] == [
        f"{sentence.location}: {sentence.text!r}"
        for sentence in all_sentences()
        if sentence.text is not None and sentence.given is not None
        if sentence.given != placeholders(sentence.text)
    ]


def test_no_sentence_bypasses_translation() -> None:
    """What is printed, used as help or raised as an error is not a bare English literal."""
    found = [
        line
        for path in TRANSLATED
        for line in bypasses(relative_path(path), path.read_text(encoding="utf-8"))
    ]
    assert [] == found


def test_sentences_are_found() -> None:
    """Adjacent literals are one sentence; non-literals and ** are recognised."""
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
def test_bypass_is_found(source: str) -> None:
    """Each way to show an untranslated sentence is found."""
    line = source.count("\n") + 1
    found = list(bypasses("f", source))
    assert 1 == len(found)
    assert found[0].startswith(f"f:{line}: ")


@pytest.mark.parametrize(
    "source", ['print(_("two words"))', 'print(f"{a}  {b}")', 'note("two words")', 'print("word")']
)
def test_other_strings_are_no_bypass(source: str) -> None:
    """Translated sentences, layout and single words are not reported."""
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
    """POSIX order: LC_ALL, LC_MESSAGES, LANG; empty ones are ignored; otherwise English."""
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
    """--lang anywhere, with or without "="; without a valid one the locale (here Japanese) decides."""
    assert expected == from_arguments(arguments, {"LANG": "ja_JP.UTF-8"})


@pytest.mark.usefixtures("restore_language")
def test_sentence_in_both_languages() -> None:
    """`_()` uses the chosen language, with its placeholders filled."""
    i18n.use("en")
    assert "en" == i18n.language()
    assert "Could not create zone." == _("Could not create {key}.", key="zone")
    i18n.use("ja")
    assert "ja" == i18n.language()
    expected = translations()["Could not create {key}."].replace("{key}", "zone")
    assert expected == _("Could not create {key}.", key="zone")
    assert translations()["done"] == _("done")


@pytest.mark.usefixtures("restore_language")
def test_untranslated_sentence_stays_english() -> None:
    """Braces that are not placeholders stay as they are."""
    i18n.use("ja")
    untranslated = "not {in} ja.yaml"
    assert untranslated == _(untranslated)
