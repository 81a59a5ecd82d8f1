"""Words as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import clean, language_of, normalise, shorten, utf16_length


@pytest.mark.parametrize(
    "written",
    ["ニュース", "ﾆｭｰｽ", "にゅーす", "  ニュース "],
    ids=["full", "half", "hira", "spaces"],
)
def test_ways_to_write_one_word(written: str) -> None:
    """Full-width, half-width, katakana and hiragana are one."""
    assert "にゅーす" == normalise(written)


def test_latin_letters_are_one_too() -> None:
    """Full-width and upper case as well."""
    assert "aws" == normalise("ＡＷＳ")


def test_clean_keeps_one_visible_line() -> None:
    """Control characters, direction overrides and lone surrogates go, white space is one space."""
    assert "a b c" == clean("a\u202e\x00\n\n b\t\ud800c\u2067")


@given(st.text(), st.integers(1, 40))
def test_shorten_keeps_the_limit(words: str, limit: int) -> None:
    """Never longer than the limit, in LINE's units; what fits is not touched."""
    short = shorten(words, limit)
    assert utf16_length(short) <= limit
    assert (short == words) == (utf16_length(words) <= limit)


def test_shorten_does_not_halve_an_emoji() -> None:
    """A pair of surrogates stays or goes as a whole."""
    assert "a…" == shorten("a😀😀", 3)
    assert 2 == utf16_length("😀")


@pytest.mark.parametrize(
    ("words", "language"), [("AWS とは", "ja"), ("宇宙", "ja"), ("news", "en")]
)
def test_language(words: str, language: str) -> None:
    """Any kana or kanji makes it Japanese."""
    assert language == language_of(words)
