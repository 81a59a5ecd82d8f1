"""Which event gets which reply; pure. None where nothing is to be said.

Events are read as plain dicts, and with care: LINE adds kinds and properties unannounced, and
line-bot-sdk's parser refuses a whole request for one event without a `webhookEventId` or with a
`mode` it does not know.
"""

from __future__ import annotations

from typing import Any

from bot.news import Edition
from bot.replies import SHOWN, Message, carousel, text, with_quick_replies
from bot.text import Language, clean, language_of, normalise, shorten

Event = dict[str, Any]

LATEST = {"ja": "最新", "en": "latest"}
HELP = {"ja": "使い方", "en": "help"}
_LATEST_WORDS = {normalise(word) for word in ("latest", "news", "new", "最新", "ニュース", "新着")}
_HELP_WORDS = {normalise(word) for word in ("help", "?", "ヘルプ", "使い方", "つかいかた")}

_GREETING = {
    "ja": "はじめまして。ニュースをお届けするボットです。",
    "en": "Hello! I am a bot that brings you the news.",
}
_USAGE = {
    "ja": "「最新」で新着記事、カテゴリー名でその記事、気になる言葉で記事を探せます。",
    "en": 'Send "latest" for what is new, the name of a category, or any word to search for.',
}
_CATEGORIES = {"ja": "カテゴリー: ", "en": "Categories: "}
_UNKNOWN = {
    "ja": "「{word}」の記事は見つかりませんでした。新着記事はこちらです。",
    "en": "I found nothing about “{word}”. Here is what is new.",
}
_EMPTY = {
    "ja": "いまお届けできる記事がありません。しばらくしてからもう一度お試しください。",
    "en": "There are no articles just now. Please try again a little later.",
}
_NOT_WORDS = {
    "ja": "ありがとうございます。文字で送っていただければ記事を探せます。",
    "en": "Thank you! Send me a word and I will look for articles.",
}
_TROUBLE = {
    "ja": "うまくお答えできませんでした。別の言葉でお試しください。",
    "en": "Something went wrong with that answer. Please try other words.",
}
_NEWEST = {"ja": "新着記事:", "en": "Latest:"}


def answer(event: Event, edition: Edition, now: float) -> list[Message] | None:
    """The reply to one event, 1 to 5 messages. `now` is in epoch seconds.

    Says nothing in standby mode (another module has the chat), to unfollow, leave, unsend and kinds
    it does not know (they have no reply token, or nobody waits), and in groups unless mentioned.
    """
    if event.get("mode", "active") != "active" or not reply_token(event):
        return None
    kind = event.get("type")
    if kind in ("follow", "join"):
        return _greeting(edition)
    message = event.get("message")
    if kind != "message" or not isinstance(message, dict):
        return None
    if _in_company(event) and not _mentioned(message):
        return None
    words = message.get("text")
    if message.get("type") != "text" or not isinstance(words, str) or not clean(words):
        return _in_both(_NOT_WORDS, edition)
    return _to_words(_without_mentions(words, message), edition, now)


def plain_words() -> list[Message]:
    """What is always possible to say, for when something went wrong with the answer itself."""
    return [text(f"{_TROUBLE['ja']}\n\n{_TROUBLE['en']}")]


def reply_token(event: Event) -> str:
    """The event's reply token; empty where it has none."""
    token = event.get("replyToken")
    return token if isinstance(token, str) else ""


def _to_words(words: str, edition: Edition, now: float) -> list[Message]:
    language, wanted = language_of(words), normalise(words)
    if wanted in _HELP_WORDS or not wanted:
        return with_quick_replies(
            [text(_usage(edition, language))], _suggestions(edition, language)
        )
    newest = edition.newest(SHOWN)
    if not newest:
        return [text(_EMPTY[language])]
    said = shorten(clean(words), 60)
    messages: list[Message] = []
    if wanted in _LATEST_WORDS:
        found, heading = newest, _NEWEST[language]
    else:
        found = edition.of_category(words) or edition.search(words, SHOWN)
        heading = f"{said}:"
    if not found:
        unknown = _UNKNOWN[language].format(word=said)
        messages.append(text(f"{unknown}\n{_category_list(edition, language)}"))
        found, heading = newest, _NEWEST[language]
    messages.append(carousel(found, heading, now, language))
    return with_quick_replies(messages, _suggestions(edition, language))


def _greeting(edition: Edition) -> list[Message]:
    """In both languages: an event without words does not say which one its user reads."""
    greeting = {language: f"{_GREETING[language]}\n{_USAGE[language]}" for language in _GREETING}
    return _in_both(greeting, edition)


def _in_both(sentences: dict[str, str], edition: Edition) -> list[Message]:
    suggestions = [LATEST["ja"], LATEST["en"], *_suggestions(edition, "ja")[1:]]
    return with_quick_replies([text(f"{sentences['ja']}\n\n{sentences['en']}")], suggestions)


def _usage(edition: Edition, language: Language) -> str:
    return f"{_USAGE[language]}\n{_category_list(edition, language)}"


def _category_list(edition: Edition, language: Language) -> str:
    names = "、".join(edition.categories) if language == "ja" else ", ".join(edition.categories)
    return _CATEGORIES[language] + shorten(names, 1000) if names else ""


def _suggestions(edition: Edition, language: Language) -> list[str]:
    """What to ask next: latest, the categories (those in the person's language first), help."""
    names = sorted(edition.categories, key=lambda name: language_of(name) != language)
    return [LATEST[language], *names[:11], HELP[language]]


def _in_company(event: Event) -> bool:
    source = event.get("source")
    return isinstance(source, dict) and source.get("type") in ("group", "room")


def _mentions(message: dict[str, Any]) -> list[dict[str, Any]]:
    mention = message.get("mention")
    mentionees = mention.get("mentionees") if isinstance(mention, dict) else None
    return [one for one in mentionees or [] if isinstance(one, dict) and one.get("isSelf") is True]


def _mentioned(message: dict[str, Any]) -> bool:
    return bool(_mentions(message))


def _without_mentions(words: str, message: dict[str, Any]) -> str:
    """The words without "@bot"; a mention's place in the text is counted in UTF-16 units."""
    units = words.encode("utf-16-le", "surrogatepass")
    kept = [units[at : at + 2] for at in range(0, len(units), 2)]
    for one in _mentions(message):
        index, length = one.get("index"), one.get("length")
        if isinstance(index, int) and isinstance(length, int) and index >= 0 and length > 0:
            kept[index : index + length] = [b""] * len(kept[index : index + length])
    return b"".join(kept).decode("utf-16-le", "replace").strip()
