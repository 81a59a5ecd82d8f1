"""Feeds: markup of feeds with pieces missing, doubled, in another encoding, or of something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.news.feeds import BadFeed, read_feed
from tests.full.test_mutated_feeds import ATOM, CODECS, ENTRY, ITEM, KINDS, ODD, RDF, RDF_ITEM, RSS
from tests.fuzz.inputs import damaged_bytes, fuzz, limits

pytestmark = pytest.mark.full

PIECES = st.sampled_from([*ODD, ITEM.format(n=1), ENTRY.format(n=2), RDF_ITEM.format(n=3)])
ITEMS = st.lists(PIECES | st.text(max_size=30), max_size=12).map("".join)


@st.composite
def feeds(draw: st.DrawFn) -> bytes:
    """Generate feeds."""
    frame = draw(st.sampled_from([RSS, ATOM, RDF, "{items}", "<html>{label}{items}"]))
    codec = draw(st.sampled_from(sorted(CODECS.values())))
    label = draw(st.sampled_from([*CODECS, "x", ""]))
    content = frame.format(label=label, items=draw(ITEMS)).encode(codec, "replace")
    return draw(damaged_bytes(content)) if draw(st.booleans()) else content


@fuzz(10)
@given(feeds() | st.binary(max_size=300), st.sampled_from(KINDS))
def test_feed(content: bytes, kind: str) -> None:
    """It has articles, or is a bad feed."""
    with limits():
        try:
            articles = read_feed(content, kind, "https://e.com/feed", 1_800_000_000.0)
        except BadFeed:
            return
    assert all(article.title.strip() for article in articles)
