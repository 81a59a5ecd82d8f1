"""The whole wizard at a terminal, in both languages: wrong answers, Ctrl-C at every question, going on."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import yaml

from tests.provision.shell import ROOT, Person, aws_environment, runtime_info
from tests.provision.terminal import DOWN, ENTER, Terminal

JAPANESE = yaml.safe_load((ROOT / "provision/i18n/ja.yaml").read_text(encoding="utf-8"))
CLEAR = "\x15"  # Ctrl-U: the line is empty again
SPACE = " "  # picks one of several


@dataclass(frozen=True)
class Asked:
    """One question: how its sentence begins, a wrong answer and what is said to it, the right one."""

    words: str
    right: str
    wrong: str = ""
    told: str = ""


FIRST = (
    Asked("Which domain should the bot use?", "shop.example", "no domain", "xn--"),
    Asked("Which host name should", "bot.shop.example", "bot.other.example", "shop.example"),
    Asked("When should the bot run?", DOWN),
)
MORE = Asked("Keep the defaults of everything else?", "n")
OTHERS = (
    Asked("What should the stack be called?", "shop-bot", "Shop Bot!", "2 to 20"),
    Asked("In which AWS region?", "ap-northeast-1", "Tokyo", "ap-northeast-1"),
    Asked("Which container image should the bot use?", "a/b:1", "!", "public.ecr.aws"),
    Asked("Which base image should it be built on?", "a/base:1", "B!", "public.ecr.aws"),
    Asked("Which folder of your own files", ""),
    Asked("Which processor is the image for?", ""),
    Asked("How much CPU for each task?", "256", "300", "256, 512"),
    Asked("How much memory for each task, in MiB?", "1024", "1000", "512, 1024, 2048"),
    Asked("How many tasks?", "2", "0", "100"),
    Asked("Spot or on-demand capacity?", DOWN),
    Asked(
        "Which parameter holds LINE's channel access token?",
        "SHOP_TOKEN",
        "a b",
        "a Parameter Store",
    ),
    Asked(
        "Which parameter holds LINE's channel secret?",
        "SHOP_SECRET",
        "SHOP_TOKEN",
        "a name different from",
    ),
    Asked("Which bucket holds the news?", ""),
    Asked("Which feeds should the bot read?", "https://a.example/feed", "ftp://a", "http"),
    Asked("When is the news collected?", "rate(6 hours)"),
)
VPC = Asked("Which network should the bot run in?", "")
SUBNETS = Asked("Which public subnets?", SPACE + DOWN + SPACE, SPACE, "Two or more public")
BUILD = Asked("Build this?", "n")
SETTINGS = {
    "domain": "shop.example",
    "host": "bot.shop.example",
    "network": {"vpc": "default"},
    "schedule": {
        "timezone": "Asia/Tokyo",
        "start": "cron(0 8 ? * SAT,SUN *)",
        "stop": "cron(0 9 ? * SAT,SUN *)",
    },
    "image": {"uri": "a/b:1", "base": "a/base:1", "files": "", "platform": "linux/amd64"},
    "name": "shop-bot",
    "region": "ap-northeast-1",
    "service": {"cpu": 256, "memory": 1024, "count": 2, "capacity": "on-demand"},
    "line": {"access_token_parameter": "SHOP_TOKEN", "channel_secret_parameter": "SHOP_SECRET"},
    "news": {"bucket": None, "feeds": ["https://a.example/feed"], "schedule": "rate(6 hours)"},
}


def spoken(language: str, english: str) -> str:
    """How the sentence that begins so begins in this language: as much of it as needs no value."""
    if language == "en":
        return english
    said = next((ja for en, ja in JAPANESE.items() if en.startswith(english)), english)
    return said.partition("{")[0].partition("。")[0][:16] or english


class Wizard:
    """Somebody who presses Ctrl-C at every question, and starts the same command again."""

    def __init__(self, open_one: Callable[[], Terminal], language: str) -> None:
        self.open_one, self.language = open_one, language
        self.terminal = open_one()

    def until(self, english: str) -> None:
        """Reads on until this sentence."""
        self.terminal.until(spoken(self.language, english))

    def interrupted(self, asked: Asked, *before: Asked) -> None:
        """Ctrl-C at the question; the same command comes to it again (`before`: asked anew on the way)."""
        self.until(asked.words)
        assert 130 == self.terminal.interrupt()
        self.terminal = self.open_one()
        for other in before:
            self.until(other.words)
            self.give(other.right)
        self.until(asked.words)

    def answers(self, asked: Asked) -> None:
        """The wrong answer first, then the right one."""
        if asked.wrong:
            self.give(asked.wrong)
            self.until(asked.told)
            if asked.wrong == SPACE:  # a picked one stays picked
                self.terminal.type(SPACE)
        self.give(asked.right)

    def give(self, answer: str) -> None:
        """Keys, as the kind of question wants them."""
        if answer in ("y", "n"):
            self.terminal.type(answer)
        elif answer.strip(SPACE + DOWN) == "":  # picks something that stands there
            self.terminal.type(answer + ENTER)
        else:
            self.terminal.type(CLEAR + answer + ENTER)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ja"])
def test_ctrl_c_at_every_question(
    person: Person,
    terminals: Callable[..., Terminal],
    language: str,
) -> None:
    """Every question and both secrets, each with a wrong answer where there is one, none asked twice."""

    known = runtime_info(person)

    def open_one() -> Terminal:
        return terminals("setup", "--lang", language, **aws_environment(known))

    wizard = Wizard(open_one, language)
    for asked in (*FIRST, MORE):
        wizard.interrupted(asked)
        wizard.answers(asked)
    for asked in OTHERS:
        wizard.interrupted(asked, MORE)
        wizard.answers(asked)
    wizard.interrupted(VPC, MORE)
    wizard.answers(VPC)
    wizard.interrupted(SUBNETS, MORE, VPC)
    wizard.answers(SUBNETS)
    token = Asked("LINE_CHANNEL_ACCESS_TOKEN", known["access_token"], "wrong", "401")
    wizard.interrupted(token)
    wizard.answers(token)
    secret = Asked(
        "LINE_CHANNEL_SECRET",
        known["channel_secret"],
        "0" * 32,
        "The channel secret and the access token",
    )
    wizard.interrupted(secret, Asked(token.words, token.right))
    wizard.answers(Asked(secret.words, secret.wrong))
    wizard.until(secret.told)
    wizard.until(secret.words)
    wizard.give(secret.right)
    wizard.interrupted(BUILD, token, secret)
    wizard.give(BUILD.right)
    wizard.until("Nothing was created.")
    assert 1 == wizard.terminal.wait()
    text = (person.folder / "stack.yaml").read_text()
    assert known["access_token"] not in text
    written = yaml.safe_load(text)
    written["news"]["bucket"] = written["news"]["bucket"] or None
    assert 2 == len(written["network"].pop("subnets"))
    assert SETTINGS == written
