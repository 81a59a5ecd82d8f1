"""What the bot answers: a table of commands, and a handler for each kind of event.

A command is a function from an event and the news to messages. Your own go into `bot/custom.py`.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from math import ceil
from typing import Any, TypeVar

from linebot.v3.webhooks import FollowEvent, JoinEvent, MessageEvent, PostbackEvent

from bot.events import in_group, mentions_bot, user_id, words_of
from bot.messages import PHRASES, SHOWN, Message, button, carousel, say, text, with_buttons
from bot.news.articles import ArticleIndex, page, respellings
from bot.query import Kind, Query, parse_query
from bot.text import Language, clean, language_of, normalise, search_words, shorten
from bot.wording import command_words, wordings

LENGTH = 200  # characters of a message that are looked at


@dataclass(frozen=True)
class News:
    """The articles, for one answer: the time (epoch seconds) and the person's language, if known."""

    articles: ArticleIndex
    now: float
    language: Language | None = None


Handler = Callable[[Any, News], Message | list[Message]]
Function = TypeVar("Function", bound=Handler)
COMMANDS: dict[str, Handler] = {}


def command(*words: str) -> Callable[[Function], Function]:
    """Register a function as the answer to each of the words, however they are written."""

    def register(handler: Function) -> Function:
        COMMANDS.update(dict.fromkeys(map(normalise, words), handler))
        return handler

    return register


@command("latest", "news", "最新", "ニュース", "今日のニュース")
def latest(event: Any, news: News) -> list[Message]:
    """Show the newest articles of all categories."""
    return show(Query("latest", "", news.language or "ja"), news)


@command("help", "menu", "categories", "使い方", "ヘルプ", "メニュー", "カテゴリー")
def usage(event: Any, news: News) -> list[Message]:
    """Tell what can be asked, and the categories."""
    categories = news.articles.categories
    names = ("usage", "categories") if categories else ("usage",)
    return sentences(news, *names, categories=categories)


@command("thanks", "ありがとう")
def thanks(event: Any, news: News) -> list[Message]:
    """Answer to thanks and to small talk that ends a conversation."""
    return sentences(news, "thanks")


@command("subscribe", "unsubscribe", "通知", "購読")
def subscription(event: Any, news: News) -> list[Message]:
    """Say that the bot does not send by itself yet."""
    return sentences(news, "subscription")


def answer(
    event: Any,
    articles: ArticleIndex,
    now: float,
    language: Callable[[str], Language | None] = lambda user: None,
) -> list[Message] | None:
    """Return the reply to an event, 1 to 5 messages; None if there is nothing to say.

    In groups the bot answers when it is mentioned, and to buttons. `language` returns the language of a
    user's LINE, which counts where the text does not tell it.
    """
    words = ""
    if isinstance(event, PostbackEvent):
        words = event.postback.data or ""
        if query := parse_query(words):
            return show(query, News(articles, now, query.language))
    elif isinstance(event, MessageEvent):
        if in_group(event) and not mentions_bot(event.message):
            return None
        words = words_of(event.message)
    words = clean(" ".join(search_words(clean(words)[:LENGTH])))
    spoken = language_of(words) if words else None
    if spoken != "ja" and (user := user_id(event)) and not in_group(event):
        spoken = language(user) or spoken
    return handle(event, words, News(articles, now, spoken))


def handle(event: Any, words: str, news: News) -> list[Message] | None:
    """Return the reply to an event with these words."""
    if isinstance(event, FollowEvent | JoinEvent):
        again = isinstance(event, FollowEvent) and event.follow.is_unblocked
        greeting = ["welcome back" if again else "greeting", "usage"]
        return sentences(news, *greeting, *(["in groups"] if in_group(event) else []))
    if isinstance(event, PostbackEvent) and (event.postback.params or {}).get("newRichMenuAliasId"):
        return None  # the person looks at another tab of the menu
    if isinstance(event, MessageEvent) and event.message.type != "text":
        received = f"received {event.message.type}"
        return sentences(news, received if received in PHRASES else "received", "write words")
    for word in command_words(words):
        if word in COMMANDS:
            return run(word, event, news)
    for form in wordings(words):
        if category := news.articles.category(form):
            named = words if form == words else category
            return show(Query("category", named, news.language or "ja"), news)
    if isinstance(event, PostbackEvent) or not normalise(words):  # of a menu that is not ours
        return usage(event, news)
    return search(event, words, news)


def run(word: str, event: Any, news: News) -> list[Message]:
    """Return what a command answers, as a list."""
    reply = COMMANDS[word](event, news)
    return [reply] if isinstance(reply, dict) else reply


def search(event: Any, words: str, news: News) -> list[Message]:
    """Show the articles with the words, else what is nearest to them, else what is new."""
    query = Query("search", words, news.language or "ja")
    for form in wordings(words):
        if any(news.articles.search(form)):
            return show(replace(query, words=form), news)
    if not news.articles or nearest(words, news.articles):
        return show(query, news)
    if near := similar_command(words):
        told = text(say(query.language, "nothing found", word=words))
        return [told, *run(near, event, news)][:5]
    near = news.articles.respell(words)
    if any(news.articles.search(near)):
        told = text(say(query.language, "found instead", word=words, near=near))
        return [told, *show(replace(query, words=near), news)]
    return nothing_found(query, news)


def similar_command(words: str) -> str:
    """Return the command that is mistyped or begun in the words; empty if there is none."""
    wanted = normalise(words)
    begun = len(wanted) >= (3 if wanted.isascii() else 2)
    one_word = re.fullmatch("[a-z]{4,20}|[ぁ-んー]{3,10}", wanted)
    near = respellings(wanted, set("".join(COMMANDS))) if one_word else ()
    return next((one for one in COMMANDS if one in near or (begun and one.startswith(wanted))), "")


def show(query: Query, news: News, first: Sequence[str] = ()) -> list[Message]:
    """Show a page of the articles a query asks for; else the nearest categories and what is new."""
    if query.kind == "help":
        return usage(None, news)
    if not news.articles:
        return [text(say(query.language, "no articles"))]
    heading = f"{shorten(query.words, 60)}:"
    if query.kind == "latest":
        found, heading = news.articles.newest(), say(query.language, "newest")
    elif query.kind == "category":
        found = news.articles.of_category(query.words)
    else:
        found = news.articles.search(query.words)
    # The next pages are as of the newest article at the time of the first one.
    as_of = query.as_of or ceil(max(0.0, min(next(news.articles.newest()).published, 1e11)))
    if query.as_of:
        found = dropwhile(lambda article: article.published > as_of, found)
    shown, more = page(found, query.skipped, SHOWN)
    if shown:
        following = replace(query, skipped=query.skipped + len(shown), as_of=as_of)
        reply = [carousel(shown, heading, news.now, query.language)]
        return with_next(reply, news, following if more else None, first)
    if query.skipped:
        return with_next([text(say(query.language, "no more"))], news)
    return nothing_found(query, news)


def nothing_found(query: Query, news: News) -> list[Message]:
    """Say so, and show the nearest categories and what is new."""
    near = nearest(query.words, news.articles)
    names = ("newest instead", "nearest categories" if near else "categories")
    categories = near or news.articles.categories
    told = text(say(query.language, *names, word=query.words, categories=categories))
    return [told, *show(Query("latest", "", query.language), news, near)]


def nearest(words: str, articles: ArticleIndex) -> list[str]:
    """Return categories whose names are like the words, the most similar first."""
    names = {normalise(name): name for name in articles.categories[:100]}
    wanted = normalise(words)
    pairs = {key: sorted((key, wanted), key=len) for key in names}
    within = [  # two Latin letters only as a word: IT is not in item
        key
        for key, (short, long) in pairs.items()
        if short in (long if len(short) > 2 or not short.isascii() else long.split())
    ]
    like = difflib.get_close_matches(wanted, list(names), 3, 0.6)
    return [names[key] for key in dict.fromkeys([*within, *like])][:3]


def sentences(news: News, *names: str, categories: Sequence[str] = ()) -> list[Message]:
    """Return the phrases as a message in the person's language, with the usual buttons."""
    return with_next([text(say(news.language, *names, categories=categories))], news)


def with_next(
    reply: list[Message], news: News, following: Query | None = None, first: Sequence[str] = ()
) -> list[Message]:
    """Add buttons for the next step; each answers in the person's language, else in its label's."""

    def one(label: str, kind: Kind, words: str = "") -> Message | None:
        return button(label, Query(kind, words, news.language or language_of(label)))

    language = news.language or "ja"
    names = sorted(news.articles.categories[:100], key=lambda name: language_of(name) != language)
    buttons = [
        button(say(language, "more"), following) if following else None,
        one(say(language, "latest"), "latest"),
        None if news.language else one(say("en", "latest"), "latest"),
        *(one(name, "category", name) for name in dict.fromkeys([*first, *names])),
    ]
    return with_buttons(reply, buttons, one(say(language, "help"), "help"))
