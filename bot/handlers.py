"""What the bot answers: a table of commands, and a handler for each kind of event.

A command is a function from an event and the news to messages. To add one, or to replace one, put it
into `bot/custom.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import dropwhile
from math import ceil
from typing import Any, TypeVar

from linebot.v3.webhooks import FollowEvent, JoinEvent, MessageEvent, PostbackEvent

from bot import messages
from bot.events import in_group, mentions_bot, user_id, words_of
from bot.messages import Button, Message, Phrase, button, carousel, joined, say, text, with_buttons
from bot.news.articles import ArticleIndex, page
from bot.query import Kind, Query, parse_query
from bot.text import Language, clean, is_japanese, language_of, normalise, search_words, shorten

LENGTH = 200  # characters of a message that are looked at


@dataclass(frozen=True)
class News:
    """The articles, for one answer: the time (epoch seconds) and the person's language, if known."""

    articles: ArticleIndex
    now: float
    language: Language | None = None

    @property
    def reading(self) -> Language:
        """The language for articles and buttons, which are in one only."""
        return self.language or "ja"


Handler = Callable[[Any, News], "Message | list[Message]"]
AnyHandler = TypeVar("AnyHandler", bound=Handler)
COMMANDS: dict[str, Handler] = {}


def command(*words: str) -> Callable[[AnyHandler], AnyHandler]:
    """Register a function as the answer to each of the words, however they are written."""

    def register(handler: AnyHandler) -> AnyHandler:
        COMMANDS.update(dict.fromkeys(map(normalise, words), handler))
        return handler

    return register


@command("latest", "news", "new", "latest news", "today's news", "more", "show me the news")
@command(
    "最新", "ニュース", "新着", "最新ニュース", "新着記事", "今日のニュース", "もっと見る", "もっと"
)
def latest(event: Any, news: News) -> list[Message]:
    """Show the newest articles of all categories."""
    return show(Query("latest", "", news.reading), news)


@command("help", "menu", "hello", "hi", "hey", "good morning", "good evening", "how to use")
@command(
    "categories",
    "category",
    "ヘルプ",
    "使い方",
    "つかいかた",
    "メニュー",
    "カテゴリー",
)
@command(
    "カテゴリー一覧", "カテゴリ", "こんにちは", "こんにちわ", "こんばんは", "こんばんわ", "おはよう"
)
@command(
    "おはようございます", "はじめまして", "やあ", "もしもし", "よろしく", "よろしくお願いします"
)
def usage(event: Any, news: News) -> list[Message]:
    """Tell what can be asked, and the categories."""
    return sentences(joined(messages.USAGE, _categories(news.articles)), news)


@command("thanks", "thank you", "thx", "ty", "ok", "okay", "good", "great", "bye", "good night")
@command(
    "ありがとう", "ありがとうございます", "ありがとうございました", "どうも", "了解", "おやすみ"
)
@command("おやすみなさい", "さようなら", "すごい", "いいね", "はい", "なるほど", "おk")
def thanks(event: Any, news: News) -> list[Message]:
    """Answer to thanks and to small talk that ends a conversation."""
    return sentences(messages.YOU_ARE_WELCOME, news)


@command(
    "通知", "購読", "配信", "登録", "解除", "subscribe", "unsubscribe", "notify me", "notifications"
)
def subscription(event: Any, news: News) -> list[Message]:
    """Say that the bot does not send by itself yet."""
    return sentences(messages.NO_SUBSCRIPTION, news)


# Sentences that ask for it; a search for 通知機能 stays a search.
_SUBSCRIPTION = re.compile(
    "(毎朝|毎日|毎晩|毎週|定期|自動).*(送|届|配信|通知|知らせ).*|(un)?subscribe( .*)?|"
    "(please )?(notify|send|push|alert) me( .*)?|(push )?notifications?( .*)?|"
    "(通知|購読|配信|登録)(を|に)?(して|したい|する|ほしい|欲しい|停止|解除|止めて|やめて|おん|おふ|設定|登録).*"
)


def _command(words: str) -> Handler | None:
    """Return the command that a text is, however it is written."""
    wanted = normalise(words)
    if _SUBSCRIPTION.fullmatch(normalise(words)):
        return subscription
    for ending in (
        "",
        "を教えて",
        "を見せて",
        "を見たい",
        "を送って",
        "をください",
        "ください",
        " please",
    ):
        if wanted.endswith(ending) and (found := COMMANDS.get(wanted.removesuffix(ending))):
            return found
    return None


def answer(
    event: Any,
    articles: ArticleIndex,
    now: float,
    language: Callable[[str], Language | None] = lambda user: None,
) -> list[Message] | None:
    """Return the reply to an event, 1 to 5 messages; None if there is nothing to say.

    In groups the bot answers when it is mentioned, and to buttons. `now` is in epoch seconds; `language`
    returns the language of a user's LINE.
    """
    if isinstance(event, MessageEvent) and in_group(event) and not mentions_bot(event.message):
        return None
    given = _text_of(event)
    words = clean(" ".join(search_words(clean(given)[:LENGTH])))
    query = parse_query(given) if isinstance(event, PostbackEvent) else None
    if query:
        return show(query, News(articles, now, query.language))
    reply = _handle(event, words, News(articles, now, _language(event, words, language)))
    return [reply] if isinstance(reply, dict) else reply


def _language(
    event: Any, words: str, language: Callable[[str], Language | None]
) -> Language | None:
    """Return the language of the words if they tell it, else of the person's LINE, else English."""
    if is_japanese(words):
        return "ja"
    user = "" if in_group(event) else user_id(event)
    return (language(user) if user else None) or ("en" if words else None)


def _text_of(event: Any) -> str:
    if isinstance(event, PostbackEvent):
        return event.postback.data or ""
    return words_of(event.message) if isinstance(event, MessageEvent) else ""


def _handle(event: Any, words: str, news: News) -> Message | list[Message] | None:
    if isinstance(event, FollowEvent | JoinEvent):
        return greet(event, news)
    if isinstance(event, MessageEvent) and event.message.type != "text":
        received = messages.THANKS.get(event.message.type, messages.THANKS_ANYWAY)
        return sentences(joined(received, messages.WORDS_PLEASE), news)
    if isinstance(event, PostbackEvent) and "newRichMenuAliasId" in (event.postback.params or {}):
        return None  # the person looks at another tab of the menu
    if not normalise(words):
        return usage(event, news)
    if handler := _command(words):
        return handler(event, news)
    if news.articles.category(words):
        return show(Query("category", words, news.reading), news)
    if isinstance(event, PostbackEvent):  # of a menu or a date picker that is not ours
        return usage(event, news)
    return show(Query("search", words, news.reading), news)


def greet(event: Any, news: News) -> list[Message]:
    """Greet a new friend, a friend who comes back, or a group."""
    again = getattr(getattr(event, "follow", None), "is_unblocked", False)
    greeting = joined(messages.WELCOME_BACK if again else messages.GREETING, messages.USAGE)
    return sentences(joined(greeting, messages.IN_GROUPS) if in_group(event) else greeting, news)


def show(query: Query, news: News) -> list[Message]:
    """Show a page of the articles a query asks for; else the nearest categories and what is new."""
    language = query.language
    if query.kind == "help":
        return usage(None, news)
    if not news.articles:
        return [text(messages.NO_ARTICLES[language])]
    found = _found(query, news.articles)
    if query.as_of:
        found = dropwhile(lambda article: article.published > query.as_of, found)
    shown, more = page(found, query.skipped, messages.SHOWN)
    if shown:
        newest = messages.NEWEST[language]
        heading = newest if query.kind == "latest" else f"{shorten(query.words, 60)}:"
        following = _dated(query, news.articles).next_page(len(shown)) if more else None
        return with_next([carousel(shown, heading, news.now, language)], news, following)
    if query.skipped:
        return with_next([text(messages.NO_MORE[language])], news)
    return _nothing_found(query, news)


def _found(query: Query, articles: ArticleIndex) -> Any:
    if query.kind == "latest":
        return articles.newest()
    if query.kind == "category":
        return articles.of_category(query.words)
    return articles.search(query.words)


def _dated(query: Query, articles: ArticleIndex) -> Query:
    """Return the query with the time of the newest article, unless it has one."""
    if query.as_of:
        return query
    return replace(query, as_of=ceil(max(0.0, min(next(articles.newest()).published, 1e11))))


def _nothing_found(query: Query, news: News) -> list[Message]:
    language = query.language
    near = _nearest(query.words, news.articles)
    listed = _listed(messages.NEAREST, near, language) or _categories(news.articles)[language]
    told = messages.UNKNOWN[language].format(word=shorten(query.words, 60))
    newest, more = page(news.articles.newest(), 0, messages.SHOWN)
    following = _dated(Query("latest", "", language), news.articles).next_page(len(newest))
    reply = [
        text(f"{told}\n{listed}"),
        carousel(newest, messages.NEWEST[language], news.now, language),
    ]
    return with_next(reply, news, following if more else None, near)


def _nearest(words: str, articles: ArticleIndex) -> list[str]:
    """Return categories whose names are like the words, the most similar first."""
    names = {normalise(name): name for name in articles.categories[:100]}
    wanted = normalise(words)
    within = [key for key in names if key in wanted or wanted in key]
    like = difflib.get_close_matches(wanted, list(names), 3, 0.6)
    return [names[key] for key in dict.fromkeys([*within, *like])][:3]


def sentences(phrase: Phrase, news: News) -> list[Message]:
    """Return the phrase as a message in the person's language, with the usual buttons."""
    return with_next([text(say(phrase, news.language))], news)


def _categories(articles: ArticleIndex) -> Phrase:
    names = articles.categories
    return {
        "ja": _listed(messages.CATEGORIES, names, "ja"),
        "en": _listed(messages.CATEGORIES, names, "en"),
    }


def _listed(heading: Phrase, names: Sequence[str], language: Language) -> str:
    between = "、" if language == "ja" else ", "
    return heading[language] + shorten(between.join(names), 1000) if names else ""


def with_next(
    reply: list[Message],
    news: News,
    following: Query | None = None,
    first: Sequence[str] = (),
) -> list[Message]:
    """Add buttons for the next step: more, latest, categories (the person's language first), help.

    A button answers in the person's language; if that is not known, in the language of its label.
    """

    def one(label: str, kind: Kind, words: str = "") -> Button | None:
        return button(label, Query(kind, words, news.language or language_of(label)))

    language = news.reading
    names = dict.fromkeys([*first, *_by_language(news.articles.categories, language)])
    found = [
        button(messages.MORE[language], following) if following else None,
        one(messages.LATEST[language], "latest"),
        None if news.language else one(messages.LATEST["en"], "latest"),
        *(one(name, "category", name) for name in names),
    ]
    shown = [each for each in found if each][: messages.QUICK_REPLIES - 1]
    return with_buttons(reply, [*shown, one(messages.HELP[language], "help")])


@lru_cache(maxsize=8)
def _by_language(categories: tuple[str, ...], language: Language) -> list[str]:
    """Return the categories, those in the language first, as many as could be shown."""
    ordered = sorted(categories[:100], key=lambda name: language_of(name) != language)
    return ordered[: messages.QUICK_REPLIES]
