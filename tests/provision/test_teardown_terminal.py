"""What a user sees at a terminal before anything is deleted."""

import json
from collections.abc import Callable

import pytest

from tests.provision.shell import Person, set_endpoint
from tests.provision.terminal import ENTER, Terminal

SETS = ("--set", "domain=leave.example", "--set", "network.vpc=default", "--set", "image.uri=a/b:1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "delete", "stays", "asked", "nothing"),
    [
        ("en", "delete", "stays: zone/leave.example", "to delete it:", "Nothing was deleted"),
        ("ja", "削除", "残すもの: zone/leave.example", "入力してください", "何も削除していません"),
    ],
)
def test_teardown_lists_everything_before_asking(
    person: Person,
    terminals: Callable[..., Terminal],
    *,
    language: str,
    delete: str,
    stays: str,
    asked: str,
    nothing: str,
) -> None:
    """With costs, what is kept and why; only the stack's own name confirms."""
    set_endpoint(person, "https://leave.example/webhook")  # as after another setup of it
    assert 0 == person.types("--sandbox", "setup", "--yes", *SETS).returncode
    costs = json.loads(person.types("--sandbox", "cost", "--json").stdout)["resources"]
    (cost,) = (c["monthly_usd"] for c in costs if c["key"] == "load_balancer/news-bot")
    terminal = terminals("--sandbox", "--lang", language, "-v", "teardown")
    output = terminal.until(asked)
    lines = [line.split() for line in output.splitlines()]
    assert [["-", "load_balancer/news-bot", f"{cost:.2f}", delete]] == [
        line for line in lines if line[1:2] == ["load_balancer/news-bot"]
    ]
    assert stays in output
    assert "37.66 USD" in output  # what ends; the zone's 0.50 stays
    terminal.type("another" + ENTER)
    terminal.until(nothing)
    assert 1 == terminal.wait()
    terminal = terminals("--sandbox", "--lang", language, "teardown")
    terminal.until(asked)
    terminal.type("news-bot" + ENTER)
    assert 0 == terminal.wait()
    terminal = terminals("--sandbox", "--lang", language, "teardown")  # nothing is left to delete
    assert 0 == terminal.wait()
    assert asked not in terminal.output
    assert 0 == person.types("--sandbox", "teardown", "--yes", "--everything").returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "question", "answer", "asked", "expected"),
    [
        (
            "en",
            "Set it again all the same?",
            "y",
            "to delete it:",
            "https://old.example/webhook",
        ),
        (
            "ja",
            "それでもこのURLに戻しますか？",
            "n",
            "入力してください",
            "https://leave.example/webhook",
        ),
    ],
)
def test_teardown_asks_before_it_restores_a_webhook_that_does_not_answer(
    person: Person,
    terminals: Callable[..., Terminal],
    *,
    language: str,
    question: str,
    answer: str,
    asked: str,
    expected: str,
) -> None:
    """Yes restores it; no leaves the stack's, which is said."""
    line = set_endpoint(person, "https://old.example/webhook")
    assert 0 == person.types("--sandbox", "setup", "--yes", *SETS).returncode
    terminal = terminals("--sandbox", "--lang", language, "teardown", "--everything")
    output = terminal.until(question)
    assert "https://old.example/webhook" in output
    terminal.type(answer)
    terminal.until(asked)
    terminal.type("news-bot" + ENTER)
    assert 0 == terminal.wait()
    assert expected == line.endpoint()["endpoint"]
    said = terminal.output.replace("\r\n", "")
    assert (answer == "n") == ("「Webhookの利用」をオフ" in said)
    assert '"Use webhook"' not in said
