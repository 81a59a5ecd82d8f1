"""The complete wizard at a terminal, in both languages: wrong answers, and Ctrl-C at every question."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import yaml

from tests.provision.shell import ROOT, Person, aws_environment, runtime_info, send
from tests.provision.terminal import DOWN, ENTER, ESCAPE, UP, Terminal

JAPANESE = yaml.safe_load((ROOT / "provision/i18n/ja.yaml").read_text(encoding="utf-8"))
CLEAR = "\x15"  # Ctrl-U: clears the line
SPACE = " "  # selects one of several


@dataclass(frozen=True)
class Question:
    """A question: how it begins, a wrong answer with the error it gets, and the right answer."""

    words: str
    right: str
    wrong: str = ""
    error: str = ""


FIRST_QUESTIONS = (
    Question("Which domain should the bot use?", "shop.example", "no domain", "xn--"),
    Question("Which host name should", "bot.shop.example", "bot.other.example", "shop.example"),
    Question("When should the bot run?", DOWN),
)
KEEP_DEFAULTS = Question("Keep the defaults of everything else?", "n")
OTHER_QUESTIONS = (
    Question("What should the stack be called?", "shop-bot", "Shop Bot!", "2 to 20"),
    Question("In which AWS region?", "ap-northeast-1", "Tokyo", "ap-northeast-1"),
    Question("Which container image should the bot use?", "a/b:1", "!", "public.ecr.aws"),
    Question("Which base image should it be built on?", "a/base:1", "B!", "public.ecr.aws"),
    Question("Which folder of your own files", ""),
    Question("Which processor is the image for?", ""),
    Question("How much CPU for each task?", ""),
    Question("How much memory for each task, in MiB?", UP),
    Question("How many tasks?", "2", "0", "100"),
    Question("Spot or on-demand capacity?", DOWN),
    Question(
        "Which parameter holds LINE's channel access token?",
        "SHOP_TOKEN",
        "a b",
        "a Parameter Store",
    ),
    Question(
        "Which parameter holds LINE's channel secret?",
        "SHOP_SECRET",
        "SHOP_TOKEN",
        "a name different from",
    ),
    Question("Which bucket holds the news?", ""),
    Question(
        "Which feeds should the bot read?",
        "https://a.example/feed",
        "ftp://a",
        "a list of http(s) URLs",
    ),
    Question("When is the news collected?", "rate(6 hours)"),
)
VPC = Question("Which network should the bot run in?", "")
SUBNETS = Question("Which public subnets?", SPACE + DOWN + SPACE, SPACE, "Two or more public")
BUILD = Question("Build this?", "n")
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


def translated(language: str, english: str) -> str:
    """Return how the sentence with this beginning begins in this language, up to its first value."""
    if language == "en":
        return english
    sentence = next((ja for en, ja in JAPANESE.items() if en.startswith(english)), english)
    return sentence.partition("{")[0].partition("。")[0][:16] or english


class Wizard:
    """A user who presses Ctrl-C at every question, and starts the same command again."""

    def __init__(self, open_one: Callable[[], Terminal], language: str) -> None:
        self.open_one, self.language = open_one, language
        self.terminal = open_one()

    def until(self, english: str) -> None:
        """Read until this sentence."""
        self.terminal.until(translated(self.language, english))

    def interrupt(self, question: Question, *before: Question) -> None:
        """Press Ctrl-C at the question; start again until it is asked (`before`: questions asked again)."""
        self.until(question.words)
        assert 130 == self.terminal.interrupt()
        self.terminal = self.open_one()
        for other in before:
            self.until(other.words)
            self.type_answer(other.right)
        self.until(question.words)

    def answer(self, question: Question) -> None:
        """Give the wrong answer first, then the right one."""
        if question.wrong:
            self.type_answer(question.wrong)
            self.until(question.error)
            if question.wrong == SPACE:  # a selected one stays selected
                self.terminal.type(SPACE)
        self.type_answer(question.right)

    def type_answer(self, answer: str) -> None:
        """Type an answer as this kind of question needs it."""
        if answer in ("y", "n"):
            self.terminal.type(answer)
        elif answer.strip(SPACE + DOWN + UP) == "":  # selects something listed
            self.terminal.type(answer + ENTER)
        else:
            self.terminal.type(CLEAR + answer + ENTER)


@pytest.mark.slow(seconds=40)
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.full), "ja"])
def test_ctrl_c_at_every_question(
    person: Person,
    terminals: Callable[..., Terminal],
    language: str,
) -> None:
    """Every question and both secrets, with a wrong answer where possible; none is asked twice."""

    known = runtime_info(person)

    def open_one() -> Terminal:
        return terminals("setup", "--lang", language, **aws_environment(known))

    wizard = Wizard(open_one, language)
    for question in (*FIRST_QUESTIONS, KEEP_DEFAULTS):
        wizard.interrupt(question)
        wizard.answer(question)
    for question in OTHER_QUESTIONS:
        wizard.interrupt(question, KEEP_DEFAULTS)
        wizard.answer(question)
    wizard.interrupt(VPC, KEEP_DEFAULTS)
    wizard.answer(VPC)
    wizard.interrupt(SUBNETS, KEEP_DEFAULTS, VPC)
    wizard.answer(SUBNETS)
    token = Question("LINE's channel access token (", known["access_token"], "wrong", "401")
    wizard.interrupt(token)
    wizard.answer(token)
    secret = Question(
        "LINE's channel secret (",
        known["channel_secret"],
        "0" * 32,
        "The channel secret and the access token",
    )
    wizard.interrupt(secret, Question(token.words, token.right))
    wizard.answer(Question(secret.words, secret.wrong))
    wizard.until(secret.error)
    wizard.until(secret.words)
    wizard.type_answer(secret.right)
    wizard.interrupt(BUILD, token, secret)
    wizard.type_answer(BUILD.right)
    wizard.until("Cancelled. Nothing was changed. To change an answer")
    assert 1 == wizard.terminal.wait()
    text = (person.folder / "stack.yaml").read_text()
    assert known["access_token"] not in text
    written = yaml.safe_load(text)
    written["news"]["bucket"] = written["news"]["bucket"] or None
    assert 2 == len(written["network"].pop("subnets"))
    assert SETTINGS == written


@pytest.mark.slow
def test_escape_goes_back(person: Person, terminals: Callable[..., Terminal]) -> None:
    """To the question before, whose answer can be changed; from own hours to their choice, too."""
    wizard = Wizard(lambda: terminals("--sandbox", "setup", "--set", "name=shop-bot"), "en")
    domain, host, hours = FIRST_QUESTIONS
    wizard.until(domain.words)
    wizard.terminal.type(ESCAPE)  # there is none before
    wizard.until(domain.words)
    wizard.type_answer("shpo.example")
    wizard.until(host.words)
    wizard.terminal.type(ESCAPE)
    wizard.until(domain.words)
    wizard.type_answer("shop.example")
    wizard.until(host.words)
    wizard.type_answer("shop.example")
    wizard.until(hours.words)
    wizard.type_answer(DOWN + DOWN)
    wizard.until("Start at?")
    wizard.type_answer("cron(0 8 ? * MON *)")
    wizard.until("Stop at?")
    wizard.type_answer("cron(0 8 ? * MON *)")
    wizard.until("times other than those of schedule.start")
    wizard.terminal.type(ESCAPE)
    wizard.until("Start at?")
    wizard.terminal.type(ESCAPE)
    wizard.until(hours.words)
    wizard.type_answer(DOWN)
    wizard.until(KEEP_DEFAULTS.words)
    wizard.terminal.type(ESCAPE)
    wizard.until(hours.words)
    wizard.type_answer("")
    wizard.until(KEEP_DEFAULTS.words)
    wizard.type_answer("")
    wizard.until(VPC.words)
    assert 130 == wizard.terminal.interrupt()
    written = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())
    assert "shop.example" == written["domain"]
    assert {"timezone": "Asia/Tokyo", "start": None, "stop": None} == {
        key: value or None for key, value in written["schedule"].items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ja"])
def test_pressing_only_enter(
    person: Person,
    addresses: dict[str, str],
    terminals: Callable[..., Terminal],
    language: str,
) -> None:
    """On the sandbox: from the first question to a message that the bot has answered."""
    wizard = Wizard(lambda: terminals("--sandbox", "setup", "--lang", language), language)
    for words in (
        *(question.words for question in FIRST_QUESTIONS),
        KEEP_DEFAULTS.words,
        VPC.words,
        "LINE's channel access token (",
        "LINE's channel secret (",
        BUILD.words,
        "Should provision enter the name servers at the sandbox's registrar",
    ):
        wizard.until(words)
        wizard.terminal.type(ENTER)
    wizard.terminal.type(ENTER)  # ends nothing: it is pressed before the wait begins
    wizard.until("Write something to the bot now")
    message = send(addresses, "help")
    assert (200, 1) == (message["status"], len(message["reply"]))
    assert "help" in wizard.terminal.until(message["reply"][0]["text"][:20])
    wizard.until("It works, from LINE to AWS and back.")
    assert 0 == wizard.terminal.wait()
    assert 1 == wizard.terminal.output.count("https://news-bot.example/webhook")
