"""Translate the sentences that a person reads.

The code has the English sentence in `_()`; `ja.yaml` maps it to the Japanese one. Placeholders have names
(`{key}`), so that translations may reorder them. A sentence without a translation is shown in English; a test
detects missing ones.
"""

import gettext
import os
import re
import string
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ja")
# The beginning of a command in a sentence. own: the flags in use do not belong to it.
RECOMMENDED = re.compile(r"`provision (?P<own>sandbox\b|-)?")
_language = ["en"]
_program = ["provision"]
_flags = [""]


def use(language: str) -> None:
    """Set the language of `_()` and of click's own sentences, "en" or "ja"."""
    _language[0] = language
    gettext.bindtextdomain("messages", str(Path(__file__).parent))  # the domain that click reads
    os.environ["LANGUAGE"] = language


def repeat_flags(flags: str) -> None:
    """Add these options to every `provision VERB` that a sentence recommends: "--sandbox", for instance."""
    _flags[0] = flags


def use_program(name: str) -> None:
    """Set how the person starts `provision`: every sentence that recommends a command begins it so."""
    _program[0] = name


def command(words: str) -> str:
    """Return the command line of `provision` with these words, as the person starts it."""
    return f"{_program[0]} {words}"


def _recommended(found: "re.Match[str]") -> str:
    """Return the beginning of a recommended command, with the options that say which stack is meant."""
    flags = f"{_flags[0]} " if _flags[0] and not found["own"] else ""
    return f"`{command(flags)}{found['own'] or ''}"


def language() -> str:
    """Return the current language of `_()`."""
    return _language[0]


def from_locale(environ: "os._Environ[str] | dict[str, str]") -> str:
    """Return the locale's language (POSIX order: LC_ALL, LC_MESSAGES, LANG), else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(variable):
            return "ja" if environ[variable].lower().startswith("ja") else "en"
    return "en"


def from_arguments(arguments: list[str], environ: "os._Environ[str] | dict[str, str]") -> str:
    """Return the language of `--lang ja` or `--lang=ja` on the command line, else the locale's.

    Called before click parses the arguments, because click's help has translated sentences.
    """
    for index, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            value = argument.removeprefix("--lang=")
        elif argument == "--lang" and index + 1 < len(arguments):
            value = arguments[index + 1]
        else:
            continue
        if value in LANGUAGES:
            return value
    return from_locale(environ)


def can_show(text: str, *streams: Any) -> bool:
    """Return whether these text streams' encodings have every character of the text."""
    try:
        for stream in streams:
            text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


@cache
def japanese() -> dict[str, str]:
    """Return the Japanese sentences by their English originals."""
    from importlib import resources

    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files(__name__).joinpath("ja.yaml").read_text(encoding="utf-8")
    sentences: dict[str, str] = yaml.load(text, Loader=loader) or {}
    return sentences


def one_line(text: str) -> str:
    """Return the text on one line, so that nothing in it can pass for a line of ours."""
    return re.sub(r"\s*[\r\n]\s*", " ", text)


class _OneLine(string.Formatter):
    """A formatter whose values, which AWS, LINE or a file may have written, stay on one line."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        return one_line(format(value, format_spec))


def _(sentence: str, **values: object) -> str:
    """Return the sentence in the current language, with its placeholders replaced by values on one line."""
    translated = japanese().get(sentence, sentence) if _language[0] == "ja" else sentence
    text = _OneLine().vformat(translated, (), values) if values else translated
    return RECOMMENDED.sub(_recommended, text)
