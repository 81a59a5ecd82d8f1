"""Articles, editions, and where they come from."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.aws import Missing
from bot.news import Article, Edition, Shard, page, parse, parse_index
from bot.newsstand import Newsstand
from bot.settings import SAMPLES
from bot.sources import Folder, NothingThere, source_at


def packed(*articles: object) -> bytes:
    """A file of articles."""
    return json.dumps({"articles": articles}).encode()


def index(*names: str) -> bytes:
    """An index.json."""
    return json.dumps({"files": names}).encode()


def run(work: Callable[[], None]) -> None:
    """What the newsstand would do on a thread, done at once."""
    work()


class Shelf:
    """A source with settable files that notes its readings; an exception as content is raised."""

    def __init__(self, **files: bytes | Exception) -> None:
        self.files = {f"{name}.json": content for name, content in files.items()}
        self.read_names: list[str] = []

    def read(self, name: str, tag: str = "") -> tuple[bytes, str] | None:
        self.read_names.append(name)
        content = self.files.get(name, NothingThere(name))
        if isinstance(content, Exception):
            raise content
        present = str(hash(content))
        return None if tag == present else (content, present)


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def titles(stand: Newsstand) -> list[str]:
    """What the newsstand has."""
    return [article.title for article in stand.edition().newest()]


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
    edition = Edition([Shard([old]), Shard([new, other])])
    assert [other, new, old] == list(edition.newest())
    assert [new, old] == list(edition.search("ろけっと"))
    assert [new] == list(edition.search("ロケット　月"))
    assert [] == list(edition.search(" "))
    assert [new, old] == list(edition.of_category("宇宙"))
    assert ("経済", "宇宙") == edition.categories
    assert ("宇宙", "") == (edition.category(" 宇宙"), edition.category("宇"))
    assert edition
    assert not Edition([Shard([])])


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
    assert len(Edition([Shard(articles)]).categories) >= 5
    assert all(one.url.startswith("https://example.com/") and one.published for one in articles)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        index("../secrets.json"),
        index("/etc/a.json"),
        b'{"files": [1]}',
        index("a"),
    ],
)
def test_an_index_names_files_below_it(content: bytes) -> None:
    """And nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011  (json's own words)
        parse_index(content)


def test_newsstand_fetches_again_after_its_time() -> None:
    """Nothing is read twice within the TTL; then by tag."""
    shelf, clock = Shelf(articles=packed({"title": "one"})), Hands()
    stand = Newsstand(shelf, clock, run)
    assert ["one"] == titles(stand)
    shelf.files["articles.json"] = packed({"title": "two"})
    clock.now = 119.0
    assert ["one"] == titles(stand)
    clock.now = 121.0
    assert ["two"] == titles(stand)
    clock.now = 300.0
    assert ["two"] == titles(stand)


def test_newsstand_reads_what_the_index_names() -> None:
    """Files that it knows are not read again: they never change."""
    shelf, clock = Shelf(), Hands()
    for name, published in (("a", "2026-01-02"), ("b", "2026-01-01"), ("c", "2026-01-03")):
        shelf.files[f"{name}.json"] = packed({"title": name, "published": published})
    shelf.files["index.json"] = index("a.json", "b.json")
    stand = Newsstand(shelf, clock, run)
    assert ["a", "b"] == titles(stand)
    shelf.files["index.json"] = index("c.json", "a.json")
    clock.now = 121.0
    shelf.read_names.clear()
    assert ["c", "a"] == titles(stand)
    assert ["index.json", "c.json"] == shelf.read_names


def test_newsstand_never_shows_half() -> None:
    """A file that the index names and that is not there, or is broken: the last good edition stays,
    and all of it is read again soon."""
    shelf, clock = Shelf(index=index("a.json"), a=packed({"title": "a"})), Hands()
    stand = Newsstand(shelf, clock, run)
    assert ["a"] == titles(stand)
    shelf.files["index.json"] = index("b.json", "c.json")
    shelf.files["b.json"] = packed({"title": "b"})
    clock.now = 121.0
    assert ["a"] == titles(stand)
    shelf.files["c.json"] = packed({"title": "c"})
    clock.now = 140.0
    assert ["b", "c"] == titles(stand)


def test_newsstand_shows_the_newest_file_first_when_it_starts() -> None:
    """Better some articles now than all of them later."""
    shelf, clock = Shelf(index=index("a.json", "b.json"), a=packed({"title": "a"})), Hands()
    stand = Newsstand(shelf, clock, run)
    assert ["a"] == titles(stand)
    shelf.files["b.json"], clock.now = packed({"title": "b"}), 16.0
    assert ["a", "b"] == titles(stand)


@pytest.mark.parametrize("trouble", [OSError("gone"), NothingThere("gone"), b"not json", b"{}"])
@pytest.mark.parametrize("name", ["index.json", "articles.json"])
def test_newsstand_keeps_the_last_good_copy(name: str, trouble: bytes | Exception) -> None:
    """Whatever happens to the file; and it is asked for again soon."""
    shelf, clock = Shelf(a=packed({"title": "one"}), b=packed({"title": "two"})), Hands()
    good = {"index.json": index("a.json"), "articles.json": packed({"title": "one"})}
    better = {"index.json": index("b.json"), "articles.json": packed({"title": "two"})}
    shelf.files[name] = good[name]
    stand = Newsstand(shelf, clock, run)
    assert ["one"] == titles(stand)
    shelf.files[name] = trouble
    clock.now = 200.0
    assert ["one"] == titles(stand)
    shelf.files[name] = better[name]
    clock.now = 216.0
    assert ["two"] == titles(stand)


def test_newsstand_answers_while_it_fetches() -> None:
    """A slow source makes nobody wait, and is asked once at a time."""
    shelf, clock = Shelf(articles=packed({"title": "one"})), Hands()
    waiting: list[Callable[[], None]] = []
    slow = Newsstand(shelf, clock, waiting.append)
    slow.refresh()
    slow.refresh()
    assert 1 == len(waiting)
    waiting.pop()()
    shelf.files["articles.json"], clock.now = packed({"title": "two"}), 500.0
    assert ["one"] == titles(slow)
    waiting.pop()()
    assert ["two"] == titles(slow)


def test_the_first_news_is_seen_at_once() -> None:
    """Who asks some seconds after the first collection is not told the samples once more."""
    shelf, clock, works = Shelf(), Hands(), list[Callable[[], None]]()
    stand = Newsstand(shelf, clock, works.append)
    stand.refresh()
    works.pop()()
    shelf.files |= {"index.json": index("a.json"), "a.json": packed({"title": "one"})}
    clock.now = 5.0  # seconds, while there is none
    stand.refresh()
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.extend(titles(stand)))
    reader.start()
    works.pop()()
    reader.join()
    assert ["one"] == told


def test_samples_until_there_is_news(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing there yet: the samples, and a log line; then the news."""
    shelf, clock = Shelf(), Hands()
    stand = Newsstand(shelf, clock, run)
    samples = [article.title for article in parse((Path(SAMPLES) / "articles.json").read_bytes())]
    with caplog.at_level("INFO", "bot.newsstand"):
        assert set(samples) == set(titles(stand))
        clock.now = 121.0
        assert set(samples) == set(titles(stand))
    assert ["no news yet: the samples stand in"] == [record.message for record in caplog.records]
    shelf.files["articles.json"], clock.now = packed({"title": "one"}), 300.0
    assert ["one"] == titles(stand)


def test_folder_reads_only_what_changed(tmp_path: Path) -> None:
    """The tag is the file's time and size."""
    (tmp_path / "articles.json").write_bytes(packed({"title": "one"}))
    source = source_at(str(tmp_path), Store())
    assert isinstance(source, Folder)
    first = source.read("articles.json")
    assert first is not None
    assert packed({"title": "one"}) == first[0]
    assert source.read("articles.json", first[1]) is None
    with pytest.raises(NothingThere, match=r"articles\.json"):
        source_at(str(tmp_path / "none"), Store()).read("articles.json")


class Store:
    """What is asked of S3."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def object(self, bucket: str, key: str, tag: str = "") -> tuple[bytes, str] | None:
        self.asked.append((bucket, key, tag))
        if key == "none":
            raise Missing("AccessDenied")
        return b"content", "tag"


def test_bucket() -> None:
    """A conditional GET below the prefix."""
    store = Store()
    assert (b"content", "tag") == source_at("s3://news/a/b/", store).read("x.json", "old")
    assert (b"content", "tag") == source_at("s3://news", store).read("x.json")
    assert [("news", "a/b/x.json", "old"), ("news", "x.json", "")] == store.asked
    with pytest.raises(NothingThere, match="AccessDenied"):
        source_at("s3://news", store).read("none")
