"""Articles as a hostile feed may hold them."""

from hypothesis import strategies as st

from bot.news.articles import Article

HOSTILE = "😀\u202e\x00\ud800\"\\'\n\u3000あaア" * 7000

words = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", " ", "\x00", "\ud800", "\u202e", HOSTILE, "😀" * 50_000, "あ" * 100_000]),
)
addresses = st.one_of(
    words,
    st.sampled_from(
        ["https://", "javascript:alert(1)", "http://[::1", "https://例え.jp/道 ?q=あ#[x]"]
    ),
    st.text(max_size=900).map(lambda path: f"https://example.com/{path}"),
)
articles = st.builds(
    Article,
    title=words,
    url=addresses,
    category=words,
    summary=words,
    source=words,
    published=st.floats(allow_nan=False),
    image=addresses,
)
