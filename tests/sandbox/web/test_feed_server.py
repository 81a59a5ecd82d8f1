"""The sandbox's feed server: a feed that the bot's own collector can read."""

import pytest
from werkzeug.test import Client

from bot.news.feeds import BadFeed, read_feed
from provision.sandbox.web.feed_server import HOUR, PATH, REPORTS, FeedServer

NOW = 1_800_000_123.0


@pytest.fixture
def client() -> Client:
    """Return a client of it, at a moment within an hour."""
    return Client(FeedServer(lambda: NOW))


def test_the_collector_reads_it(client: Client) -> None:
    """Every report is an article, the newest of this hour, each other one hour older."""
    response = client.get(PATH)
    articles = read_feed(response.data, response.content_type, "http://127.0.0.1/news.xml", NOW)
    assert [report[1] for report in REPORTS] == [article.title for article in articles]
    assert {report[0] for report in REPORTS} == {article.category for article in articles}
    assert [NOW // HOUR * HOUR - HOUR * n for n in range(len(REPORTS))] == [
        article.published for article in articles
    ]
    assert {"サンドボックス新報"} == {article.source for article in articles}


def test_feed_changes_hourly(client: Client) -> None:
    """304 within the hour; new content after it; other paths do not exist."""
    tag = client.get(PATH).headers["ETag"]
    assert 304 == client.get(PATH, headers={"If-None-Match": tag}).status_code
    later = Client(FeedServer(lambda: NOW + HOUR))
    assert 200 == later.get(PATH, headers={"If-None-Match": tag}).status_code
    assert 404 == client.get("/").status_code


def test_no_report_is_published_again_within_the_hours_of_the_feed() -> None:
    """An hour later one article is new, and the others are the same: the bot shows none of them twice."""
    articles = {}
    for now in (NOW, NOW + HOUR):
        response = Client(FeedServer(lambda now=now: now)).get(PATH)
        for article in read_feed(response.data, response.content_type, "http://127.0.0.1/", now):
            articles[article.url] = article.title
    assert [*(report[1] for report in REPORTS), "Nothing is left behind"] == list(articles.values())


def test_articles_and_pictures(client: Client) -> None:
    """Each article has a page and a PNG; the feed links both, on a host that only the sandbox has."""
    response = client.get(PATH)
    articles = read_feed(response.data, response.content_type, "http://127.0.0.1/news.xml", NOW)
    hour = 1_800_000_000
    assert f"https://news.example/{hour}/0" == articles[0].url
    assert f"https://news.example/{hour}/0.png" == articles[0].image
    page = client.get(f"/{hour}/0")
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.content_type)
    assert "<h1>ロードバランサーは今日も健康</h1>" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    picture = client.get(f"/{hour}/0.png")
    assert (200, "image/png") == (picture.status_code, picture.content_type)
    assert picture.data.startswith(b"\x89PNG\r\n\x1a\n")
    assert 5000 > len(picture.data)
    for path in (f"/{hour}/10", f"/{hour}/", f"/{hour}/0.svg", "/x/0"):
        assert 404 == client.get(path).status_code


def test_there_is_a_second_page(client: Client) -> None:
    """More articles than a carousel shows, so that the button for more is there."""
    assert 10 == len(REPORTS)


def test_broken_feed(client: Client) -> None:
    """Switched on, it is no feed; switched off, it is one again."""
    assert {"broken": True} == client.post("/_sandbox/broken", json={"broken": True}).get_json()
    response = client.get(PATH)
    with pytest.raises(BadFeed):
        read_feed(response.data, response.content_type, "http://127.0.0.1/news.xml", NOW)
    assert 400 == client.post("/_sandbox/broken", json={"broken": 1}).status_code
    assert {"broken": True} == client.get("/_sandbox/broken").get_json()
    client.post("/_sandbox/broken", json={"broken": False})
    assert 200 == client.get(PATH).status_code
    assert client.get(PATH).content_type.startswith("application/rss+xml")
