"""Which event gets which reply; pure. None where nothing is to be said."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import lru_cache
from itertools import dropwhile
from math import ceil

from bot import phrases
from bot.events import (
    Event,
    in_company,
    mentioned,
    message_of,
    postback_data,
    wants_answer,
    words_of,
)
from bot.news import Article, Edition, page
from bot.paging import Kind, Question, question_of
from bot.replies import (
    QUICK_REPLIES,
    SHOWN,
    Message,
    carousel,
    more_button,
    text,
    with_quick_replies,
    word_button,
)
from bot.text import Language, clean, language_of, normalise, shorten

WORDS = 200  # letters of a question that are looked at


def answer(
    event: Event, edition: Edition, now: float, spoken: Language | None = None
) -> list[Message] | None:
    """The reply to one event, 1 to 5 messages. `now` is in epoch seconds.

    Words are answered in the language they are written in, all else in the one `spoken`, in both where
    that is not known. Says nothing in standby, to unsend, leave, unfollow and kinds it does not know
    (they have no reply token, or nobody waits), and in groups unless it is mentioned or a button is
    pressed.
    """
    if not wants_answer(event):
        return None
    kind = event.get("type")
    if kind in ("follow", "join"):
        greeting = phrases.joined(phrases.GREETING, phrases.USAGE)
        if in_company(event):
            greeting = phrases.joined(greeting, phrases.IN_COMPANY)
        return _sentences(greeting, edition, spoken)
    if kind == "postback":
        data = postback_data(event)
        question = question_of(data)
        if question:
            return _articles(question, edition, now)
        return _to_words(data, edition, now, spoken)  # a rich menu's, made in the console
    message = message_of(event)
    if kind != "message" or not message or (in_company(event) and not mentioned(message)):
        return None
    words = words_of(message)
    if message.get("type") != "text":
        thanks = phrases.THANKS.get(str(message.get("type")), phrases.THANKS_ANYWAY)
        return _sentences(phrases.joined(thanks, phrases.WORDS_PLEASE), edition, spoken)
    return _to_words(words, edition, now, spoken)


def plain_words() -> list[Message]:
    """What is always possible to say, for when something went wrong with the answer itself."""
    return [text(phrases.said(phrases.TROUBLE, None))]


def _to_words(
    words: str, edition: Edition, now: float, spoken: Language | None
) -> list[Message] | None:
    words = clean(words)[:WORDS]
    wanted = normalise(words)
    if not wanted:
        return _sentences(phrases.USAGE, edition, spoken, _categories(edition))
    language = language_of(words)
    if wanted in phrases.HELP_WORDS:
        return _sentences(phrases.USAGE, edition, language, _categories(edition))
    kind: Kind = "latest" if wanted in phrases.LATEST_WORDS else "search"
    if kind == "search" and edition.category(words):
        kind = "category"
    return _articles(Question(kind, words, language), edition, now)


def _articles(question: Question, edition: Edition, now: float) -> list[Message]:
    """A page of what was asked for; else what is nearest to it, and what is new."""
    language = question.language
    if not edition:
        return [text(phrases.EMPTY[language])]
    shown, more = _page(question, edition)
    if shown:
        named = phrases.NEWEST[language]
        heading = named if question.kind == "latest" else f"{shorten(question.words, 60)}:"
        asked = question if question.as_of else _as_of_now(question, edition)
        further = asked.further(len(shown)) if more else ""
        return _with_next([carousel(shown, heading, now, language)], edition, language, further)
    if question.skipped:
        return _with_next([text(phrases.NO_MORE[language])], edition, language)
    return _nothing_found(question, edition, now)


def _page(question: Question, edition: Edition) -> tuple[list[Article], bool]:
    if question.kind == "latest":
        found = edition.newest()
    elif question.kind == "category":
        found = edition.of_category(question.words)
    else:
        found = edition.search(question.words)
    if question.as_of:
        found = dropwhile(lambda article: article.published > question.as_of, found)
    return page(found, question.skipped, SHOWN)


def _as_of_now(question: Question, edition: Edition) -> Question:
    newest = max(0.0, min(next(edition.newest()).published, 1e11))
    return Question(question.kind, question.words, question.language, as_of=ceil(newest))


def _nothing_found(question: Question, edition: Edition, now: float) -> list[Message]:
    language = question.language
    told = phrases.UNKNOWN[language].format(word=shorten(question.words, 60))
    near = _nearest(question.words, edition)
    listed = _listed(phrases.NEAREST, near, language) or _categories(edition)[language]
    newest, more = page(edition.newest(), 0, SHOWN)
    latest = _as_of_now(Question("latest", "", language), edition)
    messages = [
        text(f"{told}\n{listed}"),
        carousel(newest, phrases.NEWEST[language], now, language),
    ]
    return _with_next(
        messages, edition, language, latest.further(len(newest)) if more else "", near
    )


def _nearest(words: str, edition: Edition) -> list[str]:
    """Categories whose names are like the words, the likest first."""
    names = {normalise(name): name for name in edition.categories[:100]}
    wanted = normalise(words)
    within = [key for key in names if key in wanted or wanted in key]
    like = difflib.get_close_matches(wanted, list(names), 3, 0.5)
    return [names[key] for key in dict.fromkeys([*within, *like])][:3]


def _sentences(
    phrase: dict[str, str],
    edition: Edition,
    language: Language | None,
    listed: dict[str, str] | None = None,
) -> list[Message]:
    """The phrase, with what can be asked below it; in both languages where none is known."""
    if listed:
        phrase = phrases.joined(phrase, listed)
    return _with_next([text(phrases.said(phrase, language))], edition, language)


def _categories(edition: Edition) -> dict[str, str]:
    names = edition.categories
    return {
        "ja": _listed(phrases.CATEGORIES, names, "ja"),
        "en": _listed(phrases.CATEGORIES, names, "en"),
    }


def _listed(heading: dict[str, str], names: Sequence[str], language: Language) -> str:
    between = "、" if language == "ja" else ", "
    return heading[language] + shorten(between.join(names), 1000) if names else ""


def _with_next(
    messages: list[Message],
    edition: Edition,
    language: Language | None,
    further: str = "",
    first: list[str] | None = None,
) -> list[Message]:
    """Buttons for the next step: more of it, latest, categories (the person's language first), help."""
    speaks: Language = language or "ja"
    both = () if language else (phrases.LATEST["en"],)
    names = [*(first or []), *_by_language(edition.categories, speaks)]
    words = list(dict.fromkeys([phrases.LATEST[speaks], *both, *names]))
    buttons = [more_button(phrases.MORE[speaks], further)] if further else []
    buttons += [button for word in words if (button := word_button(word))]
    buttons = buttons[: QUICK_REPLIES - 1]
    help_button = word_button(phrases.HELP[speaks])
    return with_quick_replies(messages, [*buttons, *([help_button] if help_button else [])])


@lru_cache(maxsize=8)
def _by_language(categories: tuple[str, ...], language: Language) -> list[str]:
    """Those in the language first, as many as could ever be shown."""
    return sorted(categories[:100], key=lambda name: language_of(name) != language)[:QUICK_REPLIES]
