"""The sandbox's feed server: a feed that the bot's own collector can read."""

import pytest
from werkzeug.test import Client

from bot.news.feeds import read_feed
from provision.sandbox.web.feed_server import HOUR, PATH, REPORTS, FeedServer

NOW = 1_800_000_123.0


@pytest.fixture
def client() -> Client:
    """Return a client of it, at a moment within an hour."""
    return Client(FeedServer(lambda: NOW))


def test_the_collector_reads_it(client: Client) -> None:
    """Every report is an article, the newest of this hour, each other two hours older."""
    response = client.get(PATH)
    articles = read_feed(response.data, response.content_type, "http://127.0.0.1/news.xml", NOW)
    assert [report[1] for report in REPORTS] == [article.title for article in articles]
    assert {report[0] for report in REPORTS} == {article.category for article in articles}
    assert [NOW // HOUR * HOUR - 2 * HOUR * n for n in range(len(REPORTS))] == [
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
