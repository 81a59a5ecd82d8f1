"""Seconds, tries and limits that the bot's documentation promises, where measuring takes real time."""

import importlib

import pytest

from bot.settings import Settings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bot.aws.SECONDS", 5.0),
        ("bot.collect.KEPT_SECONDS", 86400),  # of a file that no index names any more
        ("bot.aws.PARAMETER_SECONDS", 0.5),  # twice, and an answer still takes less than 2 s
        ("bot.connections.CONNECT_SECONDS", 1.0),
        ("bot.connections.IDLE_SECONDS", 50.0),  # load balancers close after 60
        ("bot.feeds.CONNECT_SECONDS", 5.0),
        ("bot.feeds.READ_SECONDS", 10.0),
        ("bot.feeds.MOST_ENTRIES", 500),
        ("bot.inbox.LATE_SECONDS", 10.0),
        ("bot.line.FIRST_PAUSE_SECONDS", 0.1),
        ("bot.line.PROFILE_SECONDS", 0.4),
        ("bot.newsstand.FIRST_EDITION_SECONDS", 1.0),
        ("bot.worker.REQUEST_SECONDS", 5.0),
        ("bot.gunicorn_conf.keepalive", 75),  # more than a load balancer's 60
        ("bot.gunicorn_conf.graceful_timeout", 80),  # 20 of lingering, 60 for what goes on
    ],
)
def test_promise(name: str, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """By value: who changes one changes what people were told."""
    for secret in ("ACCESS_TOKEN", "CHANNEL_SECRET"):  # gunicorn's settings read them
        monkeypatch.setenv(secret, "s")
    module, _, attribute = name.rpartition(".")
    assert expected == getattr(importlib.import_module(module), attribute)


def test_lingering() -> None:
    """20 s of answering after SIGTERM, where nothing else is said."""
    assert 20.0 == Settings("t", "s").linger_seconds
