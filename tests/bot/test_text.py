"""Words as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import clean, language_of, normalise, search_words, shorten, utf16_length, without


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
    ("words", "language"), [("AWS とは", "ja"), ("宇宙", "ja"), ("々", "ja"), ("news", "en")]
)
def test_language(words: str, language: str) -> None:
    """Any kana or kanji makes it Japanese."""
    assert language == language_of(words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10～20度", "10〜20度"),
        ("東京都", "東\u200b京都"),
        ("東京都", "東京\u00ad都"),
        ("葛城", "葛\U000e0100城"),
        ("❤", "❤\ufe0f"),
        ("霞ヶ関", "霞が関"),
        ("髙橋", "高橋"),
        ("サーバー", "サーバ"),
        ("it’s", "it's"),
        ("ｱｲﾌｫﾝ", "あいふぉん"),
    ],
)
def test_variants_are_one(one: str, other: str) -> None:
    """Letters that people take for the same, and characters that nobody sees."""
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("最新！", ["最新"]),
        ("「最新」。", ["最新"]),
        ("#社会 社会😀", ["社会", "社会"]),
        ("東京、地震", ["東京", "地震"]),
        ("C++ C# 10〜20度", ["C++", "C#", "10〜20度"]),
        ("Ｃ＋＋ C＃ C++!", ["Ｃ＋＋", "C＃", "C++"]),
        ("東京＆地震 東京/地震", ["東京", "地震", "東京", "地震"]),
        ("😀 。。。 ？", []),
    ],
)
def test_search_words(text: str, words: list[str]) -> None:
    """Without what stands around them."""
    assert words == search_words(text)


def test_parts_are_cut_out_by_utf16_units() -> None:
    """An emoji before them counts as two; what is no part of the text cuts nothing."""
    assert "😀 x" == without("😀 @News x", [(3, 6), (-1, 4), (99, 10**30)])
    assert "東京 地震" == without("東京(love)地震", [(2, 6)])
