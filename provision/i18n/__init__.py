"""Every sentence a person reads, in the language they read.

The English sentence stands in the code, inside `_()`; `ja.yaml` maps it to the Japanese one. Holes are
named (`{key}`), so that word order is the translator's business. A sentence without a translation is
shown in English; a test fails before that can happen.
"""

import os
from functools import cache
from typing import Any

LANGUAGES = ("en", "ja")
_chosen = ["en"]


def use(language: str) -> None:
    """From here on, `_()` speaks this language ("en" or "ja")."""
    _chosen[0] = language


def language() -> str:
    """The language that `_()` speaks now."""
    return _chosen[0]


def from_locale(environ: "os._Environ[str] | dict[str, str]") -> str:
    """The language the locale asks for (POSIX order: LC_ALL, LC_MESSAGES, LANG), else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(variable):
            return "ja" if environ[variable].lower().startswith("ja") else "en"
    return "en"


def from_arguments(arguments: list[str], environ: "os._Environ[str] | dict[str, str]") -> str:
    """`--lang ja` or `--lang=ja` anywhere on the command line, else the locale's language.

    Read before click does, because click prints its help with sentences that exist by then.
    """
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            wanted = argument.removeprefix("--lang=")
        elif argument == "--lang" and place + 1 < len(arguments):
            wanted = arguments[place + 1]
        else:
            continue
        if wanted in LANGUAGES:
            return wanted
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
    """English sentence -> Japanese sentence."""
    from importlib import resources

    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files(__name__).joinpath("ja.yaml").read_text(encoding="utf-8")
    sentences: dict[str, str] = yaml.load(text, Loader=loader) or {}
    return sentences


def _(sentence: str, **holes: object) -> str:
    """The sentence in the chosen language, its holes filled."""
    spoken = japanese().get(sentence, sentence) if _chosen[0] == "ja" else sentence
    return spoken.format(**holes) if holes else spoken
