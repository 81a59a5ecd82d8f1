"""Articles, editions, and where they come from."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from bot.config import SAMPLES
from bot.news.articles import Article, ArticleIndex, page, parse
from bot.news.cache import Cache
from bot.news.store import Bucket, Folder, NotFound, Store, store_at


def packed(*articles: object) -> bytes:
    """A file of articles."""
    return json.dumps({"articles": articles}).encode()


def run(work: Callable[[], None]) -> None:
    """What the cache would do on a thread, done at once."""
    work()


class Files:
    """A source with settable files that notes its readings; an exception as content is raised."""

    def __init__(self, **files: bytes | Exception) -> None:
        self.files = {f"{name}.json": content for name, content in files.items()}
        self.read_names: list[str] = []

    def read(self, name: str) -> bytes:
        self.read_names.append(name)
        content = self.files.get(name, NotFound(name))
        if isinstance(content, Exception):
            raise content
        return content


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def titles(cache: Cache) -> list[str]:
    """What the cache has."""
    return [article.title for article in cache.articles().newest()]


def test_parse_reads_every_field() -> None:
    """The format of the module's docstring."""
    entry = {
        "title": " A\n title ",
        "url": "https://example.com/",
        "category": "World",
        "summary": "s",
        "source": "t",
        "published": "1970-01-02T00:00:00Z",
        "image": "https://example.com/i.png",
    }
    expected = Article(
        "A title", "https://example.com/", "World", "s", "t", 86400.0, "https://example.com/i.png"
    )
    assert [expected] == parse(packed(entry))


def test_time_without_an_offset_is_utc() -> None:
    """Whatever the machine's zone; with an offset it is that one's."""
    times = ("2026-08-01T08:00:00", "2026-08-01T08:00:00+09:00")
    articles = parse(packed(*({"title": "x", "published": moment} for moment in times)))
    assert [1785571200, 1785538800] == [article.published for article in articles]


def test_parse_leaves_out_what_is_no_article() -> None:
    """One bad entry costs only itself; bad fields are as if absent."""
    entries = ({"title": "good", "published": "soon", "url": 7}, {"title": 5}, None, {"url": "x"})
    assert [Article("good")] == parse(packed(*entries))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"articles": 1}', b"\xff"])
def test_parse_refuses_another_file(content: bytes) -> None:
    """So that the last good edition stays."""
    with pytest.raises(ValueError):  # noqa: PT011  (json's own words)
        parse(content)


def test_articles_are_newest_first_and_searched_by_every_word() -> None:
    """Words narrow it; the way of writing does not matter; titles, summaries and sources count."""
    old = Article("ロケットの打ち上げ", category="宇宙", published=1)
    new = Article("ﾛｹｯﾄ の部品", summary="月へ", category="宇宙", published=2)
    other = Article("Stocks", category="経済", published=3)
    index_ = ArticleIndex([old, new, other])
    assert [other, new, old] == list(index_.newest())
    assert [new, old] == list(index_.search("ろけっと"))
    assert [new] == list(index_.search("ロケット　月"))
    assert [] == list(index_.search(" "))
    assert [new, old] == list(index_.of_category("宇宙"))
    assert ("経済", "宇宙") == index_.categories
    assert ("宇宙", "") == (index_.category(" 宇宙"), index_.category("宇"))
    assert index_
    assert not ArticleIndex([])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("IT", ["The IT industry"]),
        ("it", ["Everybody reads it", "The IT industry"]),
        ("a", []),
        ("1", []),
        ("industr", ["The IT industry"]),
        ("ndustry", []),
        ("月", ["月へ"]),
    ],
)
def test_latin_words_are_words(words: str, expected: list[str]) -> None:
    """Not letters within others; names in capitals are looked for as they are written."""
    found = [Article(title) for title in ("Everybody reads it", "The IT industry", "a 1", "月へ")]
    assert expected == [one.title for one in ArticleIndex(found).search(words)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("node.j", ["Node.js 20"]),
        ("ＮＯＤＥ．ＪＳ", ["Node.js 20"]),
        ("C++", ["C++ for all"]),
        ("AI研究", ["生成AI研究会"]),
        ("AI", ["生成AI研究会"]),
        ("20", ["Node.js 20"]),
        ("2", []),
    ],
)
def test_words_with_latin_letters_in_them(words: str, expected: list[str]) -> None:
    """Found from where their letters begin."""
    found = [Article(title) for title in ("Node.js 20", "C++ for all", "生成AI研究会", "wait")]
    assert expected == [one.title for one in ArticleIndex(found).search(words)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("load balencer", "load balancer"),
        ("laod balancer", "load balancer"),
        ("balancerr", "balancer"),
        ("blancer", "balancer"),
        ("zebra", "zebra"),
        ("ニュース", "にゅーす"),
        ("abc", "abc"),
    ],
)
def test_respell(words: str, expected: str) -> None:
    """One letter more, less or another, or two in the wrong order; short words stay."""
    found = [Article("The load balancer", summary="abd")]
    assert expected == ArticleIndex(found).respell(words)


def test_pages() -> None:
    """So many, and whether more follow."""
    articles = [Article(str(number)) for number in range(5)]
    assert (articles[:2], True) == page(iter(articles), 0, 2)
    assert (articles[3:], False) == page(iter(articles), 3, 2)
    assert ([], False) == page(iter(articles), 9, 2)


def test_samples_are_articles() -> None:
    """The shipped file: both languages, several categories, harmless links."""
    content = (Path(SAMPLES) / "articles.json").read_bytes()
    articles = parse(content)
    assert len(json.loads(content)["articles"]) == len(articles)
    assert len(ArticleIndex(articles).categories) >= 5
    assert all(one.url.startswith("https://example.com/") and one.published for one in articles)


def test_cache_fetches_again_after_its_time() -> None:
    """Nothing is read twice within the TTL."""
    store, clock = Files(articles=packed({"title": "one"})), Hands()
    cache = Cache(store, clock, run)
    assert ["one"] == titles(cache)
    store.files["articles.json"] = packed({"title": "two"})
    clock.now = 119.0
    assert ["one"] == titles(cache)
    clock.now = 121.0
    assert ["two"] == titles(cache)
    clock.now = 300.0
    assert ["two"] == titles(cache)


def test_what_is_collected_comes_before_what_is_written_by_hand() -> None:
    """One of the two."""
    store = Files(index=packed({"title": "one"}), articles=packed({"title": "two"}))
    assert ["one"] == titles(Cache(store, Hands(), run))
    assert ["index.json"] == store.read_names


def test_an_index_of_what_is_known_already() -> None:
    """It has the articles that there are now, with what is searched."""
    one, two, three = (Article(name, published=n) for n, name in enumerate(("one", "two", "three")))
    index = ArticleIndex([two, three], ArticleIndex([one, two]))
    assert [three, two] == list(index.newest())
    assert [[], [two], [three]] == [list(index.search(word)) for word in ("one", "two", "three")]


@pytest.mark.parametrize("trouble", [OSError("gone"), NotFound("gone"), b"not json", b"{}"])
@pytest.mark.parametrize("name", ["index.json", "articles.json"])
def test_cache_keeps_the_last_good_copy(name: str, trouble: bytes | Exception) -> None:
    """Whatever happens to the file; and it is asked for again soon."""
    store, clock = Files(), Hands()
    store.files[name] = packed({"title": "one"})
    cache = Cache(store, clock, run)
    assert ["one"] == titles(cache)
    store.files[name] = trouble
    clock.now = 200.0
    assert ["one"] == titles(cache)
    store.files[name] = packed({"title": "two"})
    clock.now = 216.0
    assert ["two"] == titles(cache)


def test_cache_answers_while_it_fetches() -> None:
    """A slow source makes nobody wait, and is asked once at a time."""
    store, clock = Files(articles=packed({"title": "one"})), Hands()
    waiting: list[Callable[[], None]] = []
    slow = Cache(store, clock, waiting.append)
    slow.refresh()
    slow.refresh()
    assert 1 == len(waiting)
    waiting.pop()()
    store.files["articles.json"], clock.now = packed({"title": "two"}), 500.0
    assert ["one"] == titles(slow)
    waiting.pop()()
    assert ["two"] == titles(slow)


def test_the_first_news_is_seen_at_once() -> None:
    """Who asks some seconds after the first collection is not told the samples once more."""
    store, clock, works = Files(), Hands(), list[Callable[[], None]]()
    cache = Cache(store, clock, works.append)
    cache.refresh()
    works.pop()()
    store.files["index.json"] = packed({"title": "one"})
    clock.now = 5.0  # seconds, while there is none
    cache.refresh()
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.extend(titles(cache)))
    reader.start()
    works.pop()()
    reader.join()
    assert ["one"] == told


def test_samples_until_there_is_news(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing there yet: the samples, and a log line; then the news."""
    store, clock = Files(), Hands()
    cache = Cache(store, clock, run)
    samples = [article.title for article in parse((Path(SAMPLES) / "articles.json").read_bytes())]
    with caplog.at_level("INFO", "bot.news.cache"):
        assert set(samples) == set(titles(cache))
        clock.now = 121.0
        assert set(samples) == set(titles(cache))
    assert ["no news yet: answering with the samples"] == [
        record.message for record in caplog.records
    ]
    store.files["articles.json"], clock.now = packed({"title": "one"}), 300.0
    assert ["one"] == titles(cache)


def test_folder(tmp_path: Path) -> None:
    """A file's content, or NotFound."""
    (tmp_path / "articles.json").write_bytes(packed({"title": "one"}))
    store = store_at(str(tmp_path))
    assert isinstance(store, Folder)
    assert packed({"title": "one"}) == store.read("articles.json")
    with pytest.raises(NotFound, match=r"articles\.json"):
        store_at(str(tmp_path / "none")).read("articles.json")


@pytest.fixture
def s3() -> Iterator[tuple[Bucket, Stubber]]:
    """A bucket with a prefix, and what S3 answers to its client."""
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="s"
    )
    with Stubber(client) as stubber:
        yield Bucket("news", "a/b", client=client), stubber
        stubber.assert_no_pending_responses()


def test_bucket(s3: tuple[Bucket, Stubber]) -> None:
    """A GET below the prefix."""
    store, stubber = s3
    expected = {"Bucket": "news", "Key": "a/b/x.json"}
    stubber.add_response("get_object", {"Body": io.BytesIO(b"content")}, expected)
    assert b"content" == store.read("x.json")


def test_what_has_not_changed_in_a_bucket(s3: tuple[Bucket, Stubber]) -> None:
    """S3 says so, instead of sending it again."""
    store, stubber = s3
    key = {"Bucket": "news", "Key": "a/b/x.json"}
    for tag, body in (("1", b"one"), ("2", b"two")):
        answer = {"Body": io.BytesIO(body), "ETag": tag}
        condition = {"IfNoneMatch": "1"} if tag == "2" else {}
        stubber.add_response("get_object", answer, {**key, **condition})
        assert body == store.read("x.json")
    stubber.add_client_error("get_object", "304", expected_params={**key, "IfNoneMatch": "2"})
    assert b"two" == store.read("x.json")


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_bucket_without_the_file(s3: tuple[Bucket, Stubber], code: str) -> None:
    """S3 does not tell those who may not list the bucket that there is none."""
    store, stubber = s3
    stubber.add_client_error("get_object", code)
    with pytest.raises(NotFound, match=code):
        store.read("x.json")


def test_the_log_names_what_s3_said(
    s3: tuple[Bucket, Stubber], caplog: pytest.LogCaptureFixture
) -> None:
    """NoSuchBucket is not ExpiredToken."""
    store, stubber = s3
    for code in ("NoSuchBucket", "ExpiredToken"):
        stubber.add_client_error("get_object", code)
    clock = Hands()
    cache = Cache(store, clock, run)
    cache.refresh()
    clock.now = 16.0
    cache.refresh()
    errors = [record.__dict__["error"] for record in caplog.records]
    assert ["NoSuchBucket", "ClientError ExpiredToken"] == errors


def test_where_the_news_is() -> None:
    """A bucket with or without a prefix, or a folder."""
    stores: list[Store] = [store_at(url) for url in ("s3://news/a/b/", "s3://news", "/news")]
    assert [Bucket, Bucket, Folder] == [type(store) for store in stores]
