"""Searching many texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.search import Haystack, Needle

letters = st.text("あいうえロケット月😀ab \ud800", max_size=12)


@given(st.lists(letters, max_size=20), st.lists(letters, min_size=1, max_size=3))
def test_it_finds_what_looking_at_each_would_find(texts: list[str], words: list[str]) -> None:
    """With the index and without."""
    expected = [at for at, text in enumerate(texts) if all(word in text for word in words)]
    haystack = Haystack(texts)
    assert expected == list(haystack.find(Needle(words)))
    haystack.index()
    assert expected == list(haystack.find(Needle(words)))


@pytest.mark.parametrize("word", ["宇宙", "は宇", "999番", "9", "い話"])
def test_many(word: str) -> None:
    """More than fit into a byte, or a word."""
    texts = [f"これは宇宙の{number}番目の長い話" for number in range(1000)]
    haystack = Haystack(texts)
    haystack.index()
    haystack.index()
    assert [at for at, text in enumerate(texts) if word in text] == list(
        haystack.find(Needle([word]))
    )
