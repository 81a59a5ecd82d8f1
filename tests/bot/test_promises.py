"""Seconds, tries and limits that the bot's documentation promises, where measuring takes real time."""

import importlib

import pytest

from bot.config import Config


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bot.app.ANSWER_SECONDS", 1.8),  # LINE waits two
        ("bot.app.TOKEN_SECONDS", 1200),
        ("bot.deduplication.REMEMBERED", 20_000),
        ("bot.gunicorn_conf.workers", 1),  # two would not know of each other's events
        ("bot.gunicorn_conf.worker_class", "gthread"),
        ("bot.gunicorn_conf.threads", 384),
        ("bot.gunicorn_conf.keepalive", 75),  # more than a load balancer's 60
        ("bot.gunicorn_conf.graceful_timeout", 60),  # 20 more of lingering: below 120
        ("bot.line.CONNECT_SECONDS", 1.0),
        ("bot.line.PAUSES", (0.1, 0.3, 0.9)),
        ("bot.line.PROFILE_SECONDS", 0.4),
        ("bot.line.REPLY_SECONDS", 12.0),
        ("bot.news.cache.FIRST_SECONDS", 1.0),
        ("bot.news.web.CONNECT_SECONDS", 5.0),
        ("bot.news.web.READ_SECONDS", 10.0),
        ("bot.news.feeds.MOST_ENTRIES", 500),
        ("bot.news.web.FEED_SECONDS", 20.0),
        ("bot.news.web.SIDE_BY_SIDE", 8),
        ("bot.secrets.TIMEOUT_SECONDS", 0.5),  # twice, and an answer still takes less than 2 s
    ],
)
def test_promise(name: str, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """By value: who changes one changes what people were told."""
    for secret in ("ACCESS_TOKEN", "CHANNEL_SECRET"):  # gunicorn's settings read them
        monkeypatch.setenv(secret, "s")
    module, _, attribute = name.rpartition(".")
    assert expected == getattr(importlib.import_module(module), attribute)


def test_lingering() -> None:
    """20 s of answering after SIGTERM, where nothing else is said."""
    assert 20.0 == Config("t", "s").linger_seconds
