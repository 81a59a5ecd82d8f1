"""Feeds in, articles out."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from werkzeug.wrappers import Request, Response

from bot.config import CollectorConfig, ConfigError
from bot.news.articles import Article, ArticleIndex
from bot.news.cache import Cache
from bot.news.collector import collect, merged
from bot.news.feeds import BadFeed, canonical, read_feed, shown
from bot.news.store import Folder, NotFound, Store, store_at
from bot.news.web import FeedState, Result, fetch, read, read_all
from provision.console.server import HttpServer
from tests.bot.raw_server import RawServer, drips, is_silent, sends

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Sample News</title>
{items}</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom &amp; Co</title>
<entry><title type="html">&lt;b&gt;Bold&lt;/b&gt; title</title><link href="https://example.com/a"/>
<updated>2027-01-14T09:00:00+09:00</updated><category term="Science"/>
<summary type="html">&lt;p&gt;One &amp;amp; two&lt;img src="https://example.com/i.png"&gt;&lt;/p&gt;</summary>
</entry></feed>"""


def item(
    title: str, link: str = "", date: str = "Fri, 15 Jan 2027 07:00:00 GMT", more: str = ""
) -> str:
    """An RSS item."""
    link = link or f"https://example.com/{title}"
    return f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate>{more}</item>"


def rss(*items: str) -> bytes:
    """A feed."""
    return RSS.format(items="".join(items)).encode()


class Feeds:
    """The internet: feeds by address, an exception to be raised, and what was asked with which state."""

    def __init__(self, **feeds: bytes | Exception) -> None:
        self.feeds = {f"https://{name}/rss": content for name, content in feeds.items()}
        self.asked: list[tuple[str, FeedState]] = []

    def fetch(self, url: str, state: FeedState) -> tuple[bytes, str, FeedState] | None:
        self.asked.append((url, state))
        content = self.feeds[url]
        if isinstance(content, Exception):
            raise content
        tag = str(hash(content))
        if state.etag == tag:
            return None
        return content, "application/rss+xml", replace(state, etag=tag)

    def read(self, asked: Sequence[tuple[str, FeedState]], now: float) -> list[Result]:
        return [read(url, state, now, self.fetch) for url, state in asked]

    def collect(self, store: Store, now: float = NOW, days: int = 30) -> int:
        return collect(store, list(self.feeds), days, now, self.read)


def index(folder: Path) -> ArticleIndex:
    """What the bot would read there."""
    return Cache(Folder(str(folder)), run=lambda work: work()).articles()


def titles(folder: Path) -> list[str]:
    """The headlines, newest first."""
    return [article.title for article in index(folder).newest()]


def test_from_feeds_to_the_bot(tmp_path: Path) -> None:
    """The articles of two feeds are stored, newest first; unchanged feeds are not sent again."""
    old = "Thu, 14 Jan 2027 07:00:00 GMT"
    web = Feeds(a=rss(item("one"), item("two", date=old)), b=ATOM.encode())
    store = Folder(str(tmp_path))
    assert 2 == web.collect(store)
    assert ["one", "two", "Bold title"] == titles(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    assert 2 == web.collect(store)
    assert before == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    assert {"", str(hash(web.feeds["https://a/rss"]))} == {
        state.etag for url, state in web.asked if url == "https://a/rss"
    }


@pytest.mark.parametrize(
    "trouble",
    [BadFeed("HTTP 500"), OSError("gone"), RuntimeError("bug"), b"<html>no feed</html>", b""],
)
def test_a_bad_feed_costs_the_others_nothing(tmp_path: Path, trouble: Any) -> None:
    """And what it said before stays."""
    web = Feeds(a=rss(item("one")), b=rss(item("two")))
    store = Folder(str(tmp_path))
    web.collect(store)
    web.feeds = {"https://a/rss": trouble, "https://b/rss": rss(item("two"), item("three"))}
    assert 1 == web.collect(store)
    assert {"one", "two", "three"} == set(titles(tmp_path))


def test_nothing_is_written_when_no_feed_can_be_read(tmp_path: Path) -> None:
    """The news stays as it was; the caller is told."""
    web, store = Feeds(a=rss(item("one"))), Folder(str(tmp_path))
    web.collect(store)
    web.feeds["https://a/rss"] = BadFeed("gone")
    assert 0 == web.collect(store, NOW + 99 * 86400)
    assert ["one"] == titles(tmp_path)


def test_empty_feeds_leave_an_index(tmp_path: Path) -> None:
    """They were read: whoever looks whether there is news sees that somebody has looked."""
    assert 1 == Feeds(a=rss()).collect(Folder(str(tmp_path)))
    assert [] == json.loads((tmp_path / "index.json").read_bytes())["articles"]


def test_old_articles_go(tmp_path: Path) -> None:
    """After so many days; and a feed that still tells them does not bring them back."""
    web, store = Feeds(a=rss(item("one"))), Folder(str(tmp_path))
    web.collect(store, days=30)
    web.feeds["https://a/rss"] = rss(item("one"), item("two", date="Sun, 14 Feb 2027 00:00:00 GMT"))
    web.collect(store, NOW + 31 * 86400, days=30)
    assert ["two"] == titles(tmp_path)


def test_an_article_is_told_once() -> None:
    """Known by its address, whatever campaign brought it, or by its title; the first one stays."""
    first = Article("Title", "https://e.com/a?id=1&utm_source=rss#top", published=5)
    same = [
        Article("Other words", "https://e.com/a?id=1", published=9),
        Article("ＴＩＴＬＥ", "https://e.com/b", published=9),
    ]
    other = Article("Other", "https://e.com/a?id=2", published=9)
    assert [other, first] == merged([*same, other], [first], 0)
    assert [other] == merged([other], [first], 9)


def items(*rows: str) -> list[Article]:
    """The articles of one feed, an item a row."""
    rows_ = "".join(f"<item>{row}</item>" for row in rows)
    return read_feed(RSS.format(items=rows_).encode(), "text/xml", "https://e.com/rss", NOW)


@pytest.mark.parametrize(
    "rows",
    [
        # A podcast: one page for all, a guid each.
        [
            f"<title>Episode {n}</title><link>https://e.com/show</link><guid>ep-{n}</guid>"
            for n in range(5)
        ],
        # The same page and title each day.
        [
            f"<title>Today</title><link>https://e.com/show</link><guid>{n}</guid>"
            f"<pubDate>1{n} Jan 2027 07:00 GMT</pubDate>"
            for n in range(5)
        ],
        [f"<title>Today</title><link>https://e.com/notes#{n}</link>" for n in range(5)],
        [f"<title>{n}</title><link>https://e.com/#/news/{n}</link>" for n in range(5)],
        [f"<title>Today</title><link>https://e.com/{n}</link>" for n in range(5)],
        [f"<title>{n}</title><link>https://e.com/</link>" for n in range(5)],
        [f"<title>{n}</title><guid isPermaLink='false'>always the same</guid>" for n in range(5)],
        [f"<title>{n}</title>" for n in range(5)],
        [f"<title>{n}</title><guid>{n}</guid>" for n in range(5)],
        [f"<title>Today</title><guid>{n}</guid>" for n in range(5)],
        [f"<title>a</title><guid>{n}</guid><link>https://e.com/?p={n}</link>" for n in range(5)],
    ],
)
def test_articles_of_one_feed_are_not_one(rows: list[str]) -> None:
    """Articles are identified by guid, else by unique link, else by link and title, also an hour later."""
    once = merged(items(*rows), [], 0)
    assert 5 == len(once)
    assert once == merged(items(*rows), once, 0)
    assert 5 == len(merged(items(*rows[1:], rows[0].replace("<title>", "<title> ")), once, 0))


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        # The guid stays, the headline and the page change.
        (
            "<title>Storm</title><link>https://e.com/1</link><guid>7</guid>",
            "<title>Storm: two hurt</title><link>https://e.com/storm</link><guid>7</guid>",
        ),
        # The BBC's guids end in #0, #3.
        (
            "<title>Storm</title><link>https://e.com/1</link><guid>https://e.com/1#0</guid>",
            "<title>Storm</title><link>https://e.com/1</link><guid>https://e.com/1#3</guid>",
        ),
        (
            "<title>Storm</title><link>https://e.com/1</link>",
            "<title>Storm: two hurt</title><link>https://e.com/1?utm_source=x</link>",
        ),
    ],
)
def test_articles_of_one_feed_that_are_one(stored: str, fresh: str) -> None:
    """Stored articles are kept."""
    once = items(stored)
    assert once == merged(items(fresh), once, 0)


def test_single_articles_without_an_address() -> None:
    """Each day's only one is another one."""
    first, second = items("<title>one</title>"), items("<title>two</title>")
    assert [*first, *second] == merged(second, first, 0)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0, 1), (20, 1), (24, 2), (96, 2)],
    ids=["now", "20 h", "a day", "4 days"],
)
def test_one_title_in_two_feeds(hours: int, expected: int) -> None:
    """One article within a day; a column of another day is another one."""
    ours = Article("今日の天気", "https://a.example/1", published=NOW, feed="a", id="1")
    theirs = Article("今日の天気", "https://b.example/9", published=NOW, feed="b", id="9")
    earlier = replace(theirs, published=NOW - hours * 3600)
    assert expected == len(merged([ours], [earlier], 0))


def test_one_title_on_two_days_of_a_feed() -> None:
    """Today's is not dropped because there is yesterday's."""
    row = "<title>今日の天気</title><link>https://e.com/{0}</link><pubDate>{0} Jan 2027 07:00 GMT</pubDate>"
    yesterday, today = items(row.format(13)), items(row.format(14))
    assert [*today, *yesterday] == merged(today, yesterday, 0)


def test_one_address_in_two_feeds() -> None:
    """One article, unless it is the address of a feed's every article."""
    ours = Article("ours", "https://e.com/1", published=3, feed="a", id="1")
    theirs = Article("theirs", "https://e.com/1#top", published=2, feed="b", id="9")
    other = replace(theirs, title="other", published=1, id="8")
    assert [ours] == merged([theirs], [ours], 0)
    assert [ours, theirs, other] == merged([theirs, other], [ours], 0)


def test_articles_stored_before_feeds_had_ids() -> None:
    """An update of the bot brings nothing twice."""
    rows = [f"<title>{n}</title><link>https://e.com/{n}</link><guid>{n}</guid>" for n in range(3)]
    stored = [replace(one, feed="", id="") for one in items(*rows)]
    assert stored == merged(items(*rows), stored, 0)


def test_hostile_titles_are_merged_in_time() -> None:
    """More articles of one title than are kept."""
    every = [
        Article("a", f"https://e.com/{n}", published=NOW, feed="f", id=str(n))
        for n in range(20_001)
    ]
    began = time.process_time()
    assert 20_000 == len(merged(every, [], 0))
    assert time.process_time() - began < 20


def test_article_without_a_time_is_told_once(tmp_path: Path) -> None:
    """Collected daily for 95 days, kept for 30: of unknown age at first, gone after a month, never back."""
    web, store = Feeds(a=rss(item("one", date="")), b=rss()), Folder(str(tmp_path))
    shown = []
    for day in range(95):
        web.feeds["https://b/rss"] = rss(item(f"b{day}", date=""))  # so that there is news each day
        web.collect(store, NOW + day * 86400)
        shown.append({one.title: one.published for one in index(tmp_path).newest()})
    assert [day for day in range(95) if "one" in shown[day]] == list(range(31))
    assert {0.0} == {day["one"] for day in shown if "one" in day}
    assert NOW + 94 * 86400 == shown[94]["b94"]  # new in a feed that is known


def test_articles_without_a_time_keep_their_order(tmp_path: Path) -> None:
    """Below those with one."""
    web = Feeds(a=rss(item("z", date=""), item("a", date="")), b=rss(item("timed")))
    web.collect(Folder(str(tmp_path)))
    assert ["timed", "z", "a"] == titles(tmp_path)


def test_a_killed_run_leaves_the_news_as_it_was(tmp_path: Path) -> None:
    """There is one file, which is written as a whole."""

    class Killed(BaseException):
        """The power goes."""

    class Cut(Folder):
        def write(self, name: str, content: bytes) -> None:
            raise Killed

    Feeds(a=rss(item("one"))).collect(Folder(str(tmp_path)))
    web = Feeds(a=rss(item("one"), item("two")))
    with pytest.raises(Killed):
        web.collect(Cut(str(tmp_path)))
    assert ["one"] == titles(tmp_path)
    assert 1 == web.collect(Folder(str(tmp_path)))
    assert ["index.json"] == [file.name for file in tmp_path.iterdir()]
    assert {"one", "two"} == set(titles(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"articles": [], "feeds": []}',
        b'{"articles": [], "feeds": {"u": {"x": 1}}}',
        b'{"articles": [], "feeds": {"u": {"seen": {"a": "b"}}}}',
        b'{"articles": {}, "feeds": {}}',
    ],
)
def test_a_broken_index_is_written_anew(tmp_path: Path, content: bytes) -> None:
    """All feeds are asked without marks."""
    (tmp_path / "index.json").write_bytes(content)
    web = Feeds(a=rss(item("one")))
    web.collect(Folder(str(tmp_path)))
    assert ["one"] == titles(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"articles": [{"title": "old"}], "fe', {"one"}),
        (
            b'{"articles": [{"title": "old", "published": "2027-01-14"}], "feeds": []}',
            {"one", "old"},
        ),
    ],
)
def test_a_damaged_index_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, expected: set[str]
) -> None:
    """Under another name, with an error that tells it; articles that can be read stay."""
    (tmp_path / "index.json").write_bytes(content)
    assert 1 == Feeds(a=rss(item("one"))).collect(Folder(str(tmp_path)))
    assert expected == set(titles(tmp_path))
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "repair this copy" in record.message
    assert content == (tmp_path / record.__dict__["file"]).read_bytes()


def test_news_that_may_not_be_read_is_not_replaced(tmp_path: Path) -> None:
    """AccessDenied does not say that there is none."""

    class Denied(Folder):
        def read(self, name: str) -> bytes:
            raise NotFound("AccessDenied")

    (tmp_path / "index.json").write_bytes(b"old")
    with pytest.raises(NotFound):
        Feeds(a=rss(item("one"))).collect(Denied(str(tmp_path)))
    assert b"old" == (tmp_path / "index.json").read_bytes()


def test_reading_a_feed() -> None:
    """Words without markup, the picture, the category, the time."""
    (article,) = read_feed(ATOM.encode(), "application/atom+xml", "https://example.com/feed", NOW)
    expected = Article(
        title="Bold title",
        url="https://example.com/a",
        category="Science",
        summary="One & two",
        source="Atom & Co",
        published=1_799_884_800.0,
        image="https://example.com/i.png",
    )
    assert expected == article


@pytest.mark.parametrize(
    ("more", "image"),
    [
        ('<media:thumbnail url="https://e.com/t.jpg"/>', "https://e.com/t.jpg"),
        ('<media:content url="https://e.com/c.jpg" medium="image"/>', "https://e.com/c.jpg"),
        (
            '<enclosure url="https://e.com/e.jpg" type="image/jpeg" length="1"/>',
            "https://e.com/e.jpg",
        ),
        ('<enclosure url="https://e.com/e.mp3" type="audio/mpeg" length="1"/>', ""),
        ('<media:thumbnail url="http://e.com/t.jpg"/>', ""),
        ("", ""),
    ],
)
def test_pictures(more: str, image: str) -> None:
    """Where feeds put them; LINE takes HTTPS only."""
    (article,) = read_feed(rss(item("a", more=more)), "", "https://e.com/", NOW)
    assert image == article.image


@pytest.mark.parametrize(
    ("more", "fragment", "category"),
    [
        ("", "", "Sample News"),
        ("<category>World</category><category>x</category>", "", "World"),
        ("<category>World</category>", "#%E7%A7%91%E5%AD%A6", "科学"),
        ("<category>" + "x" * 30 + "</category>", "", "x" * 19 + "…"),
    ],
)
def test_categories(more: str, fragment: str, category: str) -> None:
    """The name after the address's #, else the entry's, else the feed's title."""
    (article,) = read_feed(rss(item("a", more=more)), "", "https://e.com/rss" + fragment, NOW)
    assert category == article.category


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("", 0),
        ("soon", 0),
        ("Mon, 01 Jan 0001 00:00:00 +0000", 0),  # Go's zero time, as Hugo writes it
        ("Fri, 15 Jan 2099 07:00:00 GMT", NOW),  # it would stay on top for ever
    ],
)
def test_entry_without_a_believable_time(date: str, expected: float) -> None:
    """Unknown is not now."""
    (article,) = read_feed(rss(item("a", date=date)), "", "https://e.com/", NOW)
    assert expected == article.published


def test_hostile_feeds() -> None:
    """Scripts, entities, no titles, control characters, bombs: words, or no article."""
    hostile = [
        item("&lt;script&gt;alert(1)&lt;/script&gt;", "javascript:alert(1)"),
        item("", "https://e.com/x", more="<description>only words</description>"),
        item("", "https://e.com/y"),
        item("&#x202e;turned &#x1F600;" + "x" * 5000),
    ]
    articles = read_feed(rss(*hostile), "", "https://e.com/", NOW)
    assert ["alert(1)", "only words"] == [article.title for article in articles[:2]]
    assert ["", "https://e.com/x"] == [article.url for article in articles[:2]]
    assert 3 == len(articles)
    assert len(articles[2].title) <= 300
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><rss><a>&b;</a></rss>'
    with pytest.raises(BadFeed):
        read_feed(bomb, "", "https://e.com/", NOW)


def test_passwords_of_feeds_stay_out_of_the_log() -> None:
    """Host and path tell which feed it is."""
    assert "private.example/feed" == shown("https://me:hunter2@private.example/feed?token=S#x")


@pytest.mark.parametrize("url", ["", "http://[::1", "https://e.com/a"])
def test_canonical(url: str) -> None:
    """What is no address stays as it is."""
    assert url == canonical(url)


Answer = Callable[[Request], Response]


@pytest.fixture
def site() -> Iterator[tuple[str, list[Answer], list[Request]]]:
    """A web server: its address, what it answers, what it was asked."""
    answers: list[Answer] = []
    asked: list[Request] = []

    @Request.application
    def answer(request: Request) -> Response:
        asked.append(request)
        return answers.pop(0)(request)

    server = HttpServer(answer)
    yield server.url, answers, asked
    server.close()


def test_the_web(site: tuple[str, list[Answer], list[Request]]) -> None:
    """Redirects are followed, marks are sent back, what has not changed is not sent."""
    url, answers, asked = site
    marks = {"ETag": '"1"', "Last-Modified": "yesterday"}
    answers += [
        lambda _: Response("", 302, {"Location": f"{url}/there"}),
        lambda _: Response("feed", headers=marks, content_type="text/xml"),
        lambda _: Response("", 304),
    ]
    assert (b"feed", "text/xml", FeedState('"1"', "yesterday")) == fetch(url, FeedState())
    assert fetch(url, FeedState('"1"', "yesterday")) is None
    assert ["/", "/there", "/"] == [request.path for request in asked]
    assert '"1"' == asked[2].headers["If-None-Match"]
    assert "yesterday" == asked[2].headers["If-Modified-Since"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: Response("", 404), "HTTP 404"),
        (lambda _: Response(b"x" * 4_000_001), "too large"),
        (lambda _: Response("", 302, {"Location": "/again"}), "TooManyRedirects"),
        (lambda _: Response("", 302, {"Location": "file:///etc/passwd"}), "InvalidSchema"),
        (
            lambda _: Response(b"x" * 99, headers={"Content-Encoding": "gzip"}),
            "ContentDecodingError",
        ),
    ],
    ids=["missing", "large", "circle", "file", "packed"],
)
def test_the_web_goes_wrong(
    site: tuple[str, list[Answer], list[Request]], answer: Answer, why: str
) -> None:
    """Each ends in a sentence."""
    url, answers, _asked = site
    answers += [answer] * 9
    with pytest.raises(BadFeed, match=why):
        fetch(url, FeedState())


@pytest.mark.parametrize(("redirects", "found"), [(4, True), (5, False)])
def test_redirects(
    site: tuple[str, list[Answer], list[Request]], redirects: int, found: bool
) -> None:
    """Four are followed."""
    url, answers, asked = site
    answers += [lambda _: Response("", 302, {"Location": "/on"})] * redirects
    answers.append(lambda _: Response("feed"))
    if not found:
        with pytest.raises(BadFeed, match="TooManyRedirects"):
            fetch(url, FeedState())
        return
    assert fetch(url, FeedState()) is not None
    assert 5 == len(asked)


def test_location_in_utf_8() -> None:
    """A Location header in raw UTF-8 bytes is followed."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        moved = "HTTP/1.1 302 X\r\nLocation: /日本語/feed\r\nConnection: close\r\n".encode()
        sends(b"feed", *([moved] if len(server.requests) == 1 else []))(server, connection)

    with RawServer(answer) as server:
        assert (b"feed", "", FeedState()) == fetch(server.url, FeedState())
        expected = b"GET /%E6%97%A5%E6%9C%AC%E8%AA%9E/feed HTTP/1.1"
        assert expected == server.requests[1].splitlines()[0]


def test_password_of_a_feed(site: tuple[str, list[Answer], list[Request]]) -> None:
    """It is sent to its host, and to no other one that this redirects to."""
    url, answers, asked = site
    other = url.replace("127.0.0.1", "localhost")
    answers += [
        lambda _: Response("", 302, {"Location": f"{other}/there"}),
        lambda _: Response("feed"),
    ]
    assert (
        fetch(url.replace("//", "//me:hunter%322@") + "/feed?token=S3CRET", FeedState()) is not None
    )
    assert ("me", "hunter22") == (asked[0].authorization.username, asked[0].authorization.password)
    assert asked[1].authorization is None


def test_japanese_domain() -> None:
    """It is asked for by the name that the DNS knows."""
    with pytest.raises(BadFeed) as error:
        fetch("http://日本語.invalid/feed", FeedState())
    assert "ConnectionError" == str(error.value)
    assert "xn--wgv71a119e.invalid" in str(error.value.__cause__)


def test_retry_after_is_not_slept_through(
    site: tuple[str, list[Answer], list[Request]],
) -> None:
    """A server that asks to be left alone for a day costs this feed, not the run."""
    url, answers, asked = site
    answers += [lambda _: Response("", 503, {"Retry-After": "86400"})] * 6
    with pytest.raises(BadFeed, match="HTTP 503"):
        fetch(url, FeedState())
    assert 1 == len(asked)


@pytest.mark.slow(seconds=10)
def test_slow_feeds_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are slow at: one time for a feed from its request to its articles."""
    monkeypatch.setenv("PRIVATE_FEEDS", "1")
    ok = b"HTTP/1.1 200 OK\r\n"
    slow = [
        drips(ok + b"Content-Length: 100000\r\n\r\n", b"x"),
        drips(ok + b"\r\n", b"x"),
        drips(ok, b"X-A: a"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        is_silent,
    ]
    with ExitStack() as stack:
        handlers = [*slow, sends(b""), sends(rss(item("one")))]
        urls = [stack.enter_context(RawServer(handler)).url for handler in handlers]
        readings = read_all([(url, FeedState()) for url in urls], NOW, seconds=3)
    assert [*["too slow"] * 5, "no feed"] == [str(reading) for reading in readings[:6]]
    articles, _mark = readings[6]
    assert ["one"] == [article.title for article in articles]


@mock_aws
def test_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in S3."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="collected")
    store = store_at("s3://collected/news", "us-east-1")
    web = Feeds(a=rss(item("one")))
    assert 1 == web.collect(store)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="collected")["Contents"]]
    assert ["news/index.json"] == keys
    assert store.read("index.json") is store.read("index.json")  # S3 sends it once
    web.feeds["https://a/rss"] = rss(item("one"), item("two"))
    assert 1 == web.collect(store)
    assert b"two" in store.read("index.json")
    with pytest.raises(NotFound, match="NoSuchKey"):
        store.read("none")
    s3.put_object(Bucket="collected", Key="news/large", Body=b" " * ((32 << 20) + 1))
    with pytest.raises(OSError, match="large has more than 33554432 bytes"):
        store.read("large")


def test_settings() -> None:
    """Where to, from where, how long."""
    given = {"NEWS_URL": "s3://b/news", "NEWS_FEEDS": " https://a/\n https://b/#x https://a/"}
    expected = CollectorConfig("s3://b/news", ["https://a/", "https://b/#x"])
    assert expected == CollectorConfig.from_environment(given)
    other = {**given, "NEWS_DAYS": "7", "AWS_REGION": "eu-west-1"}
    assert (7, "eu-west-1") == (
        (settings := CollectorConfig.from_environment(other)).days,
        settings.region,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"NEWS_URL": ""},
        {"NEWS_FEEDS": ""},
        {"NEWS_FEEDS": "a.xml"},
        {"NEWS_DAYS": "0"},
        {"NEWS_DAYS": "3651"},
    ],
)
def test_settings_that_are_missing(wrong: dict[str, str]) -> None:
    """Each is named."""
    given = {"NEWS_URL": "/news", "NEWS_FEEDS": "https://a/"}
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CollectorConfig.from_environment({**given, **wrong})


def test_the_command(tmp_path: Path, site: tuple[str, list[Answer], list[Request]]) -> None:
    """`python -m bot.news.collector`: 0 when news was collected, 1 when no feed could be read, 2 when it was
    told nothing; JSON lines."""
    url, answers, _asked = site
    answers += [lambda _: Response(rss(item("one"))), lambda _: Response("", 500)]
    environment = {"PATH": os.environ["PATH"], "NEWS_URL": str(tmp_path), "PRIVATE_FEEDS": "1"}
    for expected, feeds in ((0, url), (1, url), (2, "")):
        ended = subprocess.run(
            [sys.executable, "-m", "bot.news.collector"],
            env={**environment, "NEWS_FEEDS": feeds, "NEWS_DAYS": "3650"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert expected == ended.returncode, ended.stderr
        if expected < 2:
            assert all(json.loads(line)["message"] for line in ended.stderr.splitlines())
    assert ["one"] == titles(tmp_path)
