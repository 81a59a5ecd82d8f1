"""The whole wizard at a terminal, in both languages: wrong answers, Ctrl-C at every question, going on."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import yaml

from tests.provision.shell import Person
from tests.provision.terminal import DOWN, ENTER, Terminal

CLEAR = "\x15"  # Ctrl-U: the line is empty again


@dataclass(frozen=True)
class Asked:
    """One question: the words by which it is known, a wrong answer and what is said to it, the right one."""

    words: str
    right: str
    wrong: str = ""
    told: str = ""


ENGLISH = (
    Asked("Which domain do you own?", "shop.example", "no domain", "xn--"),
    Asked(
        "Under which name shall LINE call", "bot.shop.example", "bot.other.example", "shop.example"
    ),
    Asked("In which network shall the bot stand?", ""),
    Asked("When should the bot answer?", DOWN),
    Asked("Which container image is the bot?", "a/b:1", "!", "public.ecr.aws"),
    Asked("Keep the defaults of everything else?", "n"),
    Asked("How shall the stack be called?", "shop-bot", "Shop Bot!", "2 to 20"),
    Asked("In which AWS region?", "ap-northeast-1", "Tokyo", "ap-northeast-1"),
    Asked("Which public subnets?", ""),
    Asked("For which processor is the image?", ""),
    Asked("How much processor for a task?", "256", "300", "256, 512"),
    Asked("How much memory for a task, in MiB?", "1024", "1000", "512, 1024, 2048"),
    Asked("How many tasks?", "2", "0", "1"),
    Asked("Spot or on-demand capacity?", DOWN),
    Asked(
        "Which parameter holds LINE's channel access token?", "SHOP_TOKEN", "a b", "Parameter Store"
    ),
    Asked(
        "Which parameter holds LINE's channel secret?", "SHOP_SECRET", "SHOP_TOKEN", "another name"
    ),
    Asked("Which bucket holds the news?", ""),
    Asked("Which feeds does the bot read?", "https://a.example/feed", "ftp://a", "http"),
)
JAPANESE = (
    Asked("お持ちのドメインはどれですか？", "shop.example", "no domain", "xn--"),
    Asked("LINEからボットを呼び出すホスト名", ""),
    Asked("ボットをどのネットワークに置きますか？", ""),
    Asked("ボットはいつ応答しますか？", ""),
    Asked("ボットのコンテナイメージはどれですか？", "a/b:1"),
    Asked("ほかはすべて既定値のままにしますか？", "y"),
)
SETTINGS = {
    "domain": "shop.example",
    "host": "bot.shop.example",
    "network": {"vpc": "default"},
    "schedule": {
        "timezone": "Asia/Tokyo",
        "start": "cron(0 8 ? * SAT,SUN *)",
        "stop": "cron(0 9 ? * SAT,SUN *)",
    },
    "image": {"uri": "a/b:1", "platform": "linux/amd64"},
    "name": "shop-bot",
    "region": "ap-northeast-1",
    "service": {"cpu": 256, "memory": 1024, "count": 2, "capacity": "on-demand"},
    "line": {"access_token_parameter": "SHOP_TOKEN", "channel_secret_parameter": "SHOP_SECRET"},
    "news": {"bucket": None, "feeds": ["https://a.example/feed"]},
}


def answer(terminal: Terminal, asked: Asked) -> None:
    """Reads the question, tries the wrong answer, gives the right one."""
    terminal.until(asked.words)
    if asked.wrong:
        terminal.type(CLEAR + asked.wrong + ENTER)
        terminal.until(asked.told)
        terminal.type(CLEAR)
    if asked.right in ("y", "n"):
        terminal.type(asked.right)
    elif asked.right in ("", DOWN):  # the answer that stands there already, or the one below it
        terminal.type(asked.right + ENTER)
    else:
        terminal.type(CLEAR + asked.right + ENTER)


def test_whole_wizard(person: Person, terminals: Callable[..., Terminal]) -> None:
    """Every question, with wrong answers on the way; each answer is a line in the file."""
    terminal = terminals("--sandbox", "setup")
    for asked in ENGLISH:
        answer(terminal, asked)
    terminal.until("Build this?")
    terminal.type("n")
    terminal.until("Nothing was made.")
    assert 1 == terminal.stop()
    written = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())
    written["news"]["bucket"] = written["news"]["bucket"] or None
    written["network"].pop("subnets", None)
    assert SETTINGS == written


@pytest.mark.parametrize("language", ["en", "ja"])
def test_ctrl_c_at_every_question(
    person: Person, terminals: Callable[..., Terminal], language: str
) -> None:
    """Stopped at each question in turn, the same command goes on with the next open one."""
    questions = JAPANESE[:5] if language == "ja" else ENGLISH[:5]
    for place, asked in enumerate(questions):
        terminal = terminals("--sandbox", "setup", "--lang", language)
        terminal.until(asked.words)
        assert 130 == terminal.interrupt()
        terminal = terminals("--sandbox", "setup", "--lang", language)
        answer(terminal, asked)
        following = JAPANESE if language == "ja" else ENGLISH
        terminal.until(following[place + 1].words)
        assert 130 == terminal.interrupt()


def test_japanese_to_the_plan(person: Person, terminals: Callable[..., Terminal]) -> None:
    """The wizard in Japanese, up to the confirmation."""
    terminal = terminals("--sandbox", "setup", "--lang", "ja")
    for asked in JAPANESE:
        answer(terminal, asked)
    terminal.until("この内容で作りますか？")
    terminal.type("n")
    assert 1 == terminal.stop()
    written = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())
    assert {"timezone": "Asia/Tokyo", "start": "", "stop": ""} == written["schedule"]
