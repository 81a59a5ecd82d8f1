"""What the bot says, in both of its languages, and the words that it knows."""

from bot.text import Language, normalise

LATEST = {"ja": "最新", "en": "latest"}
HELP = {"ja": "使い方", "en": "help"}
MORE = {"ja": "もっと見る", "en": "More"}
LATEST_WORDS = {
    normalise(word)
    for word in ("latest", "news", "new", "最新", "ニュース", "新着", "最新ニュース")
}
HELP_WORDS = {
    normalise(word)
    for word in ("help", "?", "menu", "hello", "hi", "ヘルプ", "使い方", "つかいかた", "メニュー")
} | {normalise(word) for word in ("こんにちは", "こんばんは", "おはよう", "はじめまして")}

GREETING = {
    "ja": "はじめまして。ニュースをお届けするボットです。",
    "en": "Hello! I am a bot that brings you the news.",
}
USAGE = {
    "ja": "「最新」で新着記事、カテゴリー名でその記事、気になる言葉で記事を探せます。"
    "言葉を空白で区切ると絞り込めます。",
    "en": 'Send "latest" for what is new, the name of a category, or any words to search for.',
}
IN_COMPANY = {
    "ja": "グループでは、わたしをメンションして話しかけてください。",
    "en": "In a group, mention me when you want something.",
}
CATEGORIES = {"ja": "カテゴリー: ", "en": "Categories: "}
NEAREST = {"ja": "近いカテゴリー: ", "en": "Close to that: "}
UNKNOWN = {
    "ja": "「{word}」の記事は見つかりませんでした。新着記事はこちらです。",
    "en": "I found nothing about “{word}”. Here is what is new.",
}
EMPTY = {
    "ja": "いまお届けできる記事がありません。しばらくしてからもう一度お試しください。",
    "en": "There are no articles just now. Please try again a little later.",
}
NO_MORE = {
    "ja": "これですべてです。ほかの記事はいかがですか。",
    "en": "That is all there is. Would you like something else?",
}
THANKS = {
    "sticker": {"ja": "スタンプありがとうございます。", "en": "Thank you for the sticker!"},
    "image": {"ja": "写真ありがとうございます。", "en": "Thank you for the picture!"},
    "video": {"ja": "動画ありがとうございます。", "en": "Thank you for the video!"},
    "audio": {"ja": "音声ありがとうございます。", "en": "Thank you for the recording!"},
    "file": {"ja": "ファイルありがとうございます。", "en": "Thank you for the file!"},
    "location": {"ja": "位置情報ありがとうございます。", "en": "Thank you for the location!"},
}
THANKS_ANYWAY = {"ja": "ありがとうございます。", "en": "Thank you!"}
WORDS_PLEASE = {
    "ja": "文字で送っていただければ記事を探せます。",
    "en": "Send me a word and I will look for articles.",
}
TROUBLE = {
    "ja": "うまくお答えできませんでした。別の言葉でお試しください。",
    "en": "Something went wrong with that answer. Please try other words.",
}
NEWEST = {"ja": "新着記事:", "en": "Latest:"}


def said(phrase: dict[str, str], language: Language | None) -> str:
    """The phrase in the person's language; in both where it is not known."""
    return phrase[language] if language else f"{phrase['ja']}\n\n{phrase['en']}"


def joined(*phrases: dict[str, str]) -> dict[str, str]:
    """One after the other, in each language."""
    return {language: "\n".join(phrase[language] for phrase in phrases) for language in GREETING}
