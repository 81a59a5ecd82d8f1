"""Articles, editions, and where they come from."""

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from bot.news import Article, Edition, parse
from bot.newsstand import Bucket, Folder, Newsstand, NothingThere, source_at
from bot.settings import SAMPLES


def packed(*articles: object) -> bytes:
    """An articles.json."""
    return json.dumps({"articles": articles}).encode()


def run(work: Callable[[], None]) -> None:
    """What the newsstand would do on a thread, done at once."""
    work()


class Shelf:
    """A source with settable content that counts its readings; an exception as content is raised."""

    def __init__(self, content: bytes | Exception) -> None:
        self.content = content
        self.tags: list[str] = []

    def read(self, tag: str) -> tuple[bytes, str] | None:
        self.tags.append(tag)
        if isinstance(self.content, Exception):
            raise self.content
        present = str(hash(self.content))
        return None if tag == present else (self.content, present)


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def titles(stand: Newsstand) -> list[str]:
    """What the newsstand has."""
    return [article.title for article in stand.edition().articles]


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


def test_parse_leaves_out_what_is_no_article() -> None:
    """One bad entry costs only itself; bad fields are as if absent."""
    entries = ({"title": "good", "published": "soon", "url": 7}, {"title": 5}, None, {"url": "x"})
    assert [Article("good")] == parse(packed(*entries))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"articles": 1}', b"\xff"])
def test_parse_refuses_another_file(content: bytes) -> None:
    """So that the last good edition stays."""
    with pytest.raises(ValueError):  # noqa: PT011  (json's own words)
        parse(content)


def test_edition_is_newest_first_and_searched_by_every_word() -> None:
    """Words narrow it; the way of writing does not matter; titles, summaries and sources count."""
    old = Article("ロケットの打ち上げ", category="宇宙", published=1)
    new = Article("ﾛｹｯﾄ の部品", summary="月へ", category="宇宙", published=2)
    other = Article("Stocks", category="経済", published=3)
    edition = Edition([old, new, other])
    assert [other, new] == edition.newest(2)
    assert [new, old] == edition.search("ろけっと", 9)
    assert [new] == edition.search("ロケット　月", 9)
    assert [new] == edition.search("ロケット", 1)
    assert [] == edition.search(" ", 9)
    assert [new, old] == edition.of_category("宇宙")
    assert ["経済", "宇宙"] == edition.categories


def test_samples_are_articles() -> None:
    """The shipped file: both languages, several categories, harmless links."""
    articles = parse((Path(SAMPLES) / "articles.json").read_bytes())
    assert len(json.loads((Path(SAMPLES) / "articles.json").read_bytes())["articles"]) == len(
        articles
    )
    assert len(Edition(articles).categories) >= 5
    assert all(one.url.startswith("https://example.com/") and one.published for one in articles)


def test_newsstand_fetches_again_after_its_time() -> None:
    """Nothing is read twice within the TTL; then by tag."""
    shelf, clock = Shelf(packed({"title": "one"})), Hands()
    stand = Newsstand(shelf, clock, run)
    assert ["one"] == titles(stand)
    shelf.content = packed({"title": "two"})
    clock.now = 119.0
    assert ["one"] == titles(stand)
    clock.now = 121.0
    assert ["two"] == titles(stand)
    assert ["", str(hash(packed({"title": "one"})))] == shelf.tags


@pytest.mark.parametrize("trouble", [OSError("gone"), b"not json", b"{}"])
def test_newsstand_keeps_the_last_good_copy(trouble: bytes | Exception) -> None:
    """Whatever happens to the file; and it is asked for again soon."""
    shelf, clock = Shelf(packed({"title": "one"})), Hands()
    stand = Newsstand(shelf, clock, run)
    assert ["one"] == titles(stand)
    shelf.content = trouble
    clock.now = 200.0
    assert ["one"] == titles(stand)
    shelf.content = packed({"title": "two"})
    clock.now = 216.0
    assert ["two"] == titles(stand)


def test_newsstand_answers_while_it_fetches() -> None:
    """A slow source makes nobody wait, and is asked once at a time."""
    shelf, clock = Shelf(packed({"title": "one"})), Hands()
    waiting: list[Callable[[], None]] = []
    stand = Newsstand(shelf, clock, run)
    stand.edition()
    slow = Newsstand(shelf, clock, waiting.append)
    slow.refresh()
    slow.refresh()
    assert 1 == len(waiting)
    waiting.pop()()
    shelf.content, clock.now = packed({"title": "two"}), 500.0
    assert ["one"] == titles(slow)
    waiting.pop()()
    assert ["two"] == titles(slow)


def test_folder_reads_only_what_changed(tmp_path: Path) -> None:
    """The tag is the file's time and size."""
    (tmp_path / "articles.json").write_bytes(packed({"title": "one"}))
    source = source_at(str(tmp_path))
    assert isinstance(source, Folder)
    first = source.read("")
    assert first is not None
    assert packed({"title": "one"}) == first[0]
    assert source.read(first[1]) is None
    with pytest.raises(OSError, match=r"articles\.json"):
        source_at(str(tmp_path / "none")).read("")


@mock_aws
def test_bucket_reads_only_what_changed() -> None:
    """A conditional GET on articles.json under the prefix."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="news")
    s3.put_object(Bucket="news", Key="a/b/articles.json", Body=packed({"title": "one"}))
    source = source_at("s3://news/a/b/", "us-east-1")
    first = source.read("")
    assert first is not None
    assert packed({"title": "one"}) == first[0]
    assert source.read(first[1]) is None
    with pytest.raises(NothingThere, match="NoSuchKey"):
        Bucket("news", "", "us-east-1").read("")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        source_at("s3://none", "us-east-1").read("")


@mock_aws
def test_samples_until_there_is_news(caplog: pytest.LogCaptureFixture) -> None:
    """An empty bucket: the samples, and a log line; then the news; news that has gone is an error."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="news")
    source = source_at("s3://news/a", "us-east-1")
    with caplog.at_level("INFO", "bot.newsstand"):
        samples = source.read("")
    assert ["no news yet: the samples stand in"] == [record.message for record in caplog.records]
    assert samples is not None
    assert (Path(SAMPLES) / "articles.json").read_bytes() == samples[0]
    assert source.read(samples[1]) is None
    s3.put_object(Bucket="news", Key="a/articles.json", Body=packed({"title": "one"}))
    news = source.read(samples[1])
    assert news is not None
    assert packed({"title": "one"}) == news[0]
    s3.delete_object(Bucket="news", Key="a/articles.json")
    with pytest.raises(NothingThere):
        source.read(news[1])
