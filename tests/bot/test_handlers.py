"""Which event gets which reply."""

from typing import Any

import pytest

from bot.events import read_event
from bot.handlers import COMMANDS, Handler, News, latest, thanks, usage
from bot.handlers import answer as answer_event
from bot.news.articles import Article, ArticleIndex
from bot.text import Language
from provision.sandbox.line.messages import problems

NOW = 1_800_000_000.0
ARTICLES = ArticleIndex(
    [
        Article("ロケット打ち上げ", "https://example.com/1", "サイエンス", published=3),
        Article("A library of telescopes", "https://example.com/2", "Science", published=2),
        Article("Rocket fuel", "https://example.com/3", "Technology", published=1),
    ]
)


def answer(
    raw: dict[str, Any], articles: ArticleIndex, now: float, language: Language | None = None
) -> list[dict[str, Any]] | None:
    """The reply to an event as LINE sends it, to a person with this language."""
    read = read_event(raw)
    return read and answer_event(read, articles, now, lambda user: language)


def event(kind: str = "message", **more: Any) -> dict[str, Any]:
    """An event of a one-to-one chat."""
    return {"type": kind, "replyToken": "r", "source": {"type": "user", "userId": "U"}, **more}


def said(words: str, articles: ArticleIndex = ARTICLES) -> list[dict[str, Any]]:
    """The reply to a text message, which must be one that LINE takes."""
    messages = answer(event(message={"type": "text", "text": words}), articles, NOW)
    assert messages is not None
    assert [] == problems(messages)
    return messages


def titles(message: dict[str, Any]) -> list[str]:
    """Titles in a carousel: the bold line that may wrap."""
    return [
        next(line["text"] for line in bubble["body"]["contents"] if line.get("maxLines") == 3)
        for bubble in message["contents"]["contents"]
    ]


def quick(message: dict[str, Any]) -> list[str]:
    """What the buttons below a message send or say."""
    actions = [item["action"] for item in message["quickReply"]["items"]]
    return [action.get("text") or action["displayText"] for action in actions]


@pytest.mark.parametrize("words", ["latest", "Ｌａｔｅｓｔ", "最新", "ニュース"])
def test_latest(words: str) -> None:
    """The newest of all categories."""
    (message,) = said(words)
    newest = ["ロケット打ち上げ", "A library of telescopes", "Rocket fuel"]
    assert newest == titles(message)


@pytest.mark.parametrize("words", ["サイエンス", "ｻｲｴﾝｽ", "さいえんす"])
def test_category(words: str) -> None:
    """A category's articles, however its name is written."""
    (message,) = said(words)
    assert ["ロケット打ち上げ"] == titles(message)
    assert message["altText"].startswith(f"{words}: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ROCKET", ["Rocket fuel"]),
        ("ろけっと", ["ロケット打ち上げ"]),
        ("library telescopes", ["A library of telescopes"]),
    ],
)
def test_keyword(words: str, expected: list[str]) -> None:
    """Articles in which all words occur."""
    (message,) = said(words)
    assert expected == titles(message)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("help", "Categories: "), ("ヘルプ", "カテゴリー: "), ("使い方", "カテゴリー: ")],
)
def test_help(words: str, sentence: str) -> None:
    """What can be asked, in the language of the question, with the categories."""
    (message,) = said(words)
    assert sentence in message["text"]
    assert "Technology" in message["text"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("zebra", "nothing about “zebra”"), ("シマウマ", "「シマウマ」の記事は")],
)
def test_an_unknown_word_gets_something_all_the_same(words: str, sentence: str) -> None:
    """Categories to choose from, and what is new."""
    told, newest = said(words)
    assert sentence in told["text"]
    assert "サイエンス" in told["text"]
    assert "ロケット打ち上げ" in titles(newest)


def test_quick_replies_speak_the_language_of_the_question() -> None:
    """Categories in that language first."""
    assert ["latest", "Science", "Technology", "サイエンス", "help"] == quick(said("rocket")[-1])
    assert ["最新", "サイエンス", "Science", "Technology", "使い方"] == quick(said("ロケット")[-1])


@pytest.mark.parametrize(
    ("words", "sentence"), [("latest", "no articles"), ("最新", "記事がありません")]
)
def test_without_articles_it_says_so(words: str, sentence: str) -> None:
    """Never nothing."""
    (message,) = said(words, ArticleIndex())
    assert sentence in message["text"]


@pytest.mark.parametrize("kind", ["follow", "join"])
def test_greeting(kind: str) -> None:
    """In both languages where the person's is not known, with what can be asked."""
    messages = answer(event(kind), ARTICLES, NOW)
    assert messages is not None
    assert [] == problems(messages)
    assert "最新" in messages[0]["text"]
    assert '"latest"' in messages[0]["text"]
    assert ["最新", "latest"] == quick(messages[0])[:2]
    (message,) = answer(event(kind), ARTICLES, NOW, "en") or []
    assert "最新" not in message["text"]
    assert "latest" == quick(message)[0]


def test_joining_a_group_tells_how_to_call_the_bot() -> None:
    """Because there it speaks only when it is spoken to."""
    (message,) = answer(event("join", source={"type": "group"}), ARTICLES, NOW) or []
    assert "mention me" in message["text"]
    (message,) = answer(event("follow"), ARTICLES, NOW) or []
    assert "mention me" not in message["text"]


@pytest.mark.parametrize("kind", ["sticker", "image", "video", "audio", "file", "location", "new"])
def test_other_messages_get_a_kind_answer(kind: str) -> None:
    """Whatever was sent that has no words; in the language of the person's LINE, if it tells."""
    sent = event(message={"type": kind, "id": "1"})
    for spoken, sentences in (
        (None, ["Thank you", "ありがとう"]),
        ("en", ["Thank you"]),
        ("ja", ["ありがとう"]),
    ):
        messages = answer(sent, ARTICLES, NOW, spoken)
        assert messages is not None
        assert [] == problems(messages)
        assert sentences == [
            one for one in ("Thank you", "ありがとう") if one in messages[0]["text"]
        ]


def test_words_of_nothing_visible_get_help() -> None:
    """A message of control characters is answered too."""
    (message,) = said("\u202e\x00 ")
    assert "Technology" in message["text"]


def postback(data: str, articles: ArticleIndex = ARTICLES) -> list[dict[str, Any]]:
    """The reply to a pressed button."""
    messages = answer(event("postback", postback={"data": data}), articles, NOW)
    assert messages is not None
    assert [] == problems(messages)
    return messages


def many(count: int, start: int = 0) -> ArticleIndex:
    """Numbered articles, the highest number the newest."""
    found = [
        Article(f"rocket {number}", category="Space", published=1000.0 + number)
        for number in range(start, start + count)
    ]
    return ArticleIndex(found)


def more(message: dict[str, Any]) -> str:
    """The data of the button for the next page; empty where there is none."""
    actions = [item["action"] for item in message["quickReply"]["items"]]
    return next((one["data"] for one in actions if one["label"] in ("More", "もっと見る")), "")


@pytest.mark.parametrize(
    ("words", "button"), [("rocket", "More"), ("SPACE", "More"), ("最新", "もっと見る")]
)
def test_the_pages_of_what_was_found(words: str, button: str) -> None:
    """All articles once, in order, although new ones arrive meanwhile; the last page has no button."""
    (message,) = said(words, many(20))
    assert button == quick(message)[0]
    seen = titles(message)
    while data := more(message):
        (message,) = postback(data, many(25))
        seen += titles(message)
    assert [f"rocket {number}" for number in range(19, -1, -1)] == seen


def test_a_page_that_is_there_no_more() -> None:
    """The articles have gone since: it says so, with something else to ask."""
    (message,) = said("rocket", many(20))
    (told,) = postback(more(message), many(5))
    assert "That is all" in told["text"]
    assert "Space" in quick(told)


def test_a_long_question_has_no_next_page() -> None:
    """What does not fit into a postback cannot be asked for again."""
    title = "あ" * 199
    articles = ArticleIndex([Article(f"{title}{n}") for n in range(20)])
    assert more(said("あ" * 150, articles)[0])
    long = ArticleIndex([Article("a" + "\\" * 198 + "a" + str(n)) for n in range(20)])
    (message,) = said("a" + "\\" * 198 + "a", long)
    assert 8 == len(titles(message))
    assert not more(message)


@pytest.mark.parametrize(
    "data",
    [
        *("latest", "[1]", "{}", "[" * 5000, "ロケット"),
        *('["latest","",0,"fr",0]', '["search","rocket",-1,"ja",0]'),
    ],
)
def test_other_data_is_read_as_words(data: str) -> None:
    """A rich menu made in LINE's console may send whatever was entered there."""
    assert postback(data)


@pytest.mark.parametrize("data", [None, 7])
def test_a_postback_without_data(data: Any) -> None:
    """Gets help."""
    assert answer(event("postback", postback={"data": data}), ARTICLES, NOW)
    assert answer(event("postback", postback=data), ARTICLES, NOW)


def test_the_nearest_categories_come_first() -> None:
    """A slip of the finger is understood, and half a name is."""
    told, _newest = said("Technolgy")
    assert "Close to that: Technology" in told["text"]
    assert "Technology" == quick(_newest)[1]
    told, _newest = said("サイエンスの本")
    assert "近いカテゴリー: サイエンス" in told["text"]


@pytest.mark.parametrize(
    "silent",
    [
        event("unfollow", replyToken=None),
        event("leave", replyToken=None),
        event("unsend", replyToken=None),
        event("somethingNew"),
        event("messageEdited", message={"type": "text", "text": "latest"}),
        event("memberJoined"),
        event(message={"type": "text", "text": "latest"}, mode="standby"),
        event(message={"type": "text", "text": "latest"}, mode="later"),
        event(message={"type": "text", "text": "latest"}, replyToken=7),
        event(message="latest"),
        event(),
        {},
    ],
)
def test_silence(silent: dict[str, Any]) -> None:
    """Where nobody waits for an answer, or none can be sent, and nothing falls over."""
    assert answer(silent, ARTICLES, NOW) is None


def group(words: str, *mentionees: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The reply to a text message in a group."""
    message = {"type": "text", "text": words, "mention": {"mentionees": list(mentionees)}}
    return answer(event(message=message, source={"type": "group", "groupId": "C"}), ARTICLES, NOW)


def test_in_groups_only_when_mentioned() -> None:
    """And the mention is no part of the question; an emoji before it counts as two."""
    assert group("rocket") is None
    assert group("@Ann rocket", {"index": 0, "length": 4, "type": "user"}) is None
    messages = group("😀 @News rocket", {"index": 3, "length": 5, "isSelf": True})
    assert messages is not None
    assert ["Rocket fuel"] == titles(messages[0])


def test_a_bare_mention_gets_help() -> None:
    """Who calls the bot without a question is told what can be asked."""
    messages = group("@News", {"index": 0, "length": 5, "isSelf": True})
    assert messages is not None
    assert "Categories" in messages[0]["text"]


def labels(message: dict[str, Any]) -> list[str]:
    """What stands on the buttons below a message."""
    return [item["action"]["label"] for item in message["quickReply"]["items"]]


@pytest.mark.parametrize("words", ["IT", "AI", "Amazon", "latest", "help", "😀", "。。。", "？"])
@pytest.mark.parametrize(("language", "button"), [("ja", "使い方"), ("en", "help")])
def test_without_kana_and_kanji_the_persons_language_decides(
    words: str, language: Language, button: str
) -> None:
    """A word in Latin letters, an emoji or punctuation does not tell it."""
    messages = answer(event(message={"type": "text", "text": words}), ARTICLES, NOW, language)
    assert messages is not None
    assert button == labels(messages[-1])[-1]


@pytest.mark.parametrize(("language", "button"), [("ja", "使い方"), ("en", "help")])
def test_a_button_keeps_the_persons_language(language: Language, button: str) -> None:
    """Whatever the language of the category on it."""
    messages = answer(event(message={"type": "sticker"}), ARTICLES, NOW, language)
    assert messages is not None
    for item in messages[0]["quickReply"]["items"]:
        (message,) = postback(item["action"]["data"])
        assert button == labels(message)[-1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("最新！", "ロケット打ち上げ"),
        ("「最新」", "ロケット打ち上げ"),
        ("Latest!", "ロケット打ち上げ"),
        ("今日のニュース", "ロケット打ち上げ"),
        ("もっと見る", "ロケット打ち上げ"),
        ("show me the news", "ロケット打ち上げ"),
        ("#サイエンス", "ロケット打ち上げ"),
        ("サイエンス😀", "ロケット打ち上げ"),
        ("ロケット？", "ロケット打ち上げ"),
        ("ロケット、打ち上げ", "ロケット打ち上げ"),
        ("ロケ\u200bット", "ロケット打ち上げ"),
        ("ロケット\ufe0f", "ロケット打ち上げ"),
        ("fuel", "Rocket fuel"),
        ("ロケット\uff0f打ち上げ", "ロケット打ち上げ"),
        ("ロケット＆打ち上げ", "ロケット打ち上げ"),
        ("最 新", "ロケット打ち上げ"),
        ("最新ー", "ロケット打ち上げ"),
        ("最新ｗｗ", "ロケット打ち上げ"),
        ("さいしん", "ロケット打ち上げ"),
        ("最新お願いします", "ロケット打ち上げ"),
        ("今日のニュースは？", "ロケット打ち上げ"),
        ("ニュースを教えてください", "ロケット打ち上げ"),
        ("give me news", "ロケット打ち上げ"),
        ("What's new?", "ロケット打ち上げ"),
        ("send me the latest news, please", "ロケット打ち上げ"),
        ("サイエンスのニュース", "ロケット打ち上げ"),
        ("Technology news", "Rocket fuel"),
        ("show me articles about fuel", "Rocket fuel"),
        ("ロケットについて教えて", "ロケット打ち上げ"),
    ],
)
def test_punctuation_emoji_and_invisible_characters(words: str, expected: str) -> None:
    """They are no part of what is asked for."""
    (message,) = said(words)
    assert expected == titles(message)[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("おはようございます", "「最新」→ 新着ニュース"),
        ("こんにちわ", "「最新」→ 新着ニュース"),
        ("使い方を教えて", "「最新」→ 新着ニュース"),
        ("カテゴリー", "カテゴリー: "),
        ("good morning", 'Send "latest"'),
        ("categories", "Categories: "),
        ("ありがとう", "どういたしまして"),
        ("ありがとうございます！", "どういたしまして"),
        ("thanks", "You are welcome"),
        ("通知", "自動でのお届けや通知はまだできません"),
        ("購読", "自動でのお届けや通知はまだできません"),
        ("配信停止", "自動でのお届けや通知はまだできません"),
        ("毎朝ニュースを送って", "自動でのお届けや通知はまだできません"),
        ("subscribe", "by myself yet"),
        ("unsubscribe", "by myself yet"),
        ("notify me", "by myself yet"),
        ("おはよー", "「最新」→ 新着ニュース"),
        ("使い方がわからない", "「最新」→ 新着ニュース"),
        ("何ができるの？", "「最新」→ 新着ニュース"),
        ("Hello there", 'Send "latest"'),
        ("how does this work?", 'Send "latest"'),
        ("どうもありがとうございました！", "どういたしまして"),
        ("ありがとー", "どういたしまして"),
        ("お疲れ様です", "どういたしまして"),
        ("わかりました。", "どういたしまして"),
        ("thank you so much", "You are welcome"),
        ("Thanks a lot!!", "You are welcome"),
        ("通知ON", "自動でのお届けや通知はまだできません"),
        ("プッシュ通知", "自動でのお届けや通知はまだできません"),
        ("毎日ニュースがほしい", "自動でのお届けや通知はまだできません"),
        ("地震があったら教えて", "自動でのお届けや通知はまだできません"),
        ("please subscribe me", "by myself yet"),
        ("Send me news every morning", "by myself yet"),
    ],
)
def test_small_talk_is_not_searched_for(words: str, sentence: str) -> None:
    """Greetings, thanks, help and wishes that the bot cannot fulfil."""
    (message,) = said(words)
    assert sentence in message["text"]


@pytest.mark.parametrize(
    "words",
    ["he", "通知機能", "subscription", "自動配送", "毎日新聞", "通知表", "住民票を登録する方法"],
)
def test_words_that_only_begin_like_a_command_are_searched_for(words: str) -> None:
    """There may be news about them."""
    told, newest = said(words)
    assert words in told["text"]
    assert "flex" == newest["type"]


@pytest.mark.parametrize(
    ("words", "told", "sentence"),
    [
        ("hlep", "nothing about “hlep”", 'Send "latest"'),
        ("catgories", "nothing about “catgories”", 'Send "latest"'),
        ("カテゴ", "「カテゴ」の記事は見つかりませんでした", "「最新」→ 新着ニュース"),
        ("へるぶ", "「へるぶ」の記事は見つかりませんでした", "「最新」→ 新着ニュース"),
    ],
)
def test_a_command_that_is_mistyped_or_begun(words: str, told: str, sentence: str) -> None:
    """It says so, and answers it."""
    first, second = said(words)
    assert told in first["text"]
    assert sentence in second["text"]


def test_a_mistyped_command_with_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """LINE takes five messages in a reply."""
    five = [{"type": "text", "text": str(number)} for number in range(5)]
    monkeypatch.setitem(COMMANDS, "weather", lambda event, news: five)
    assert five == said("weather")
    assert five[:4] == said("weathr")[1:]


def test_only_the_beginning_of_a_message_is_read() -> None:
    """200 characters."""
    assert ["Rocket fuel"] == titles(said("a " * 97 + "rocket")[0])
    assert "text" == said("a " * 100 + "rocket")[0]["type"]


def test_in_groups_nobodys_language_is_asked_for() -> None:
    """The others there may have another one."""
    asked: list[str] = []

    def ask(user: str) -> None:
        asked.append(user)

    mention = {"mentionees": [{"index": 0, "length": 5, "isSelf": True}]}
    for source, expected in (({"type": "user"}, ["U1"]), ({"type": "group", "groupId": "C"}, [])):
        asked.clear()
        message = {"type": "text", "text": "@News rocket", "mention": mention}
        raw = {"type": "message", "replyToken": "r", "message": message}
        read = read_event({**raw, "source": {**source, "userId": "U1"}})
        assert read
        answer_event(read, ARTICLES, NOW, ask)
        assert expected == asked


def test_a_mistyped_word() -> None:
    """What differs in one letter or in the order of two is looked for, and it says so."""
    told, found = said("libray telecsopes")
    assert (
        "I found nothing about “libray telecsopes”. "
        "Here is what I found about “library telescopes”." == told["text"]
    )
    assert ["A library of telescopes"] == titles(found)


@pytest.mark.parametrize(("words", "near"), [("a", False), ("Technology 株", True), ("々", False)])
def test_a_category_is_near_as_a_word(words: str, near: bool) -> None:
    """One Latin letter is in nearly all of them."""
    told, _newest = said(words)
    assert near == ("Technology" in told["text"].partition("近いカテゴリー: ")[2])


def test_the_iteration_mark_is_japanese() -> None:
    """々 is no kanji by its code point."""
    assert "「々」の記事は見つかりませんでした" in said("々")[0]["text"]


def test_a_friend_who_comes_back() -> None:
    """Is not greeted as a new one."""
    (message,) = answer(event("follow", follow={"isUnblocked": True}), ARTICLES, NOW, "ja") or []
    assert "おかえりなさい" == message["text"][:7]


@pytest.mark.parametrize(
    ("postback", "expected"),
    [
        ({"data": "action=buy&item=1"}, "「最新」→ 新着ニュース"),
        ({"data": "when", "params": {"datetime": "2026-08-14T12:00"}}, "「最新」→ 新着ニュース"),
        ({"data": "ロケット"}, "「最新」→ 新着ニュース"),
        ({"data": '["search"," ",0,"ja",0]'}, "「最新」→ 新着ニュース"),
        ({"data": '["category","",0,"ja",0]'}, "「最新」→ 新着ニュース"),
    ],
)
def test_menus_and_date_pickers_are_not_searched_for(
    postback: dict[str, Any], expected: str
) -> None:
    """Of postbacks that are not ours only commands and categories are known."""
    (message,) = answer(event("postback", postback=postback), ARTICLES, NOW, "ja") or []
    assert expected in message["text"]


def test_another_tab_of_a_menu() -> None:
    """Nobody waits for an answer."""
    switched = {"data": "tab", "params": {"newRichMenuAliasId": "b", "status": "SUCCESS"}}
    assert answer(event("postback", postback=switched), ARTICLES, NOW) is None


@pytest.mark.parametrize(
    ("command", "wordings"),
    [
        (
            latest,
            "速報 ヘッドライン トップニュース 記事一覧 ニュース一覧 人気 話題 ランキング ほかには？ "
            "昨日のニュース 面白い記事ない？ なんかニュースある？ 別のニュース 続きを読む 今日何があった？",
        ),
        (
            usage,
            "テスト ハロー おっす 助けて わかりません できること 何が出来ますか？ どうやって使うの？ "
            "どんなカテゴリーがある？ 何のニュースがある？ ジャンル一覧 あなたは誰？",
        ),
        (thanks, "あざす あざっす！ サンクス りょ オーケー へー そうなんだ"),
    ],
)
def test_what_people_write_in_japanese(command: Handler, wordings: str) -> None:
    """Other words for a command, and small talk, are not searched for."""
    others = [words for words in wordings.split() if said(words) != as_list(command)]
    assert [] == others


@pytest.mark.parametrize(
    ("command", "wordings"),
    [
        (
            latest,
            "headlines, top stories, breaking news, what's the news?, recent news, refresh, next page",
        ),
        (usage, "test, list, topics, what topics are there?, who are you?, how do you work?, home"),
        (thanks, "thank you very much, haha"),
    ],
)
def test_what_people_write_in_english(command: Handler, wordings: str) -> None:
    """Other words for a command, and small talk, are not searched for."""
    others = [words for words in wordings.split(", ") if said(words) != as_list(command, "en")]
    assert [] == others


def as_list(command: Handler, language: Language = "ja") -> list[dict[str, Any]]:
    """Return what a command answers, as a list."""
    reply = command(None, News(ARTICLES, NOW, language))
    return [reply] if isinstance(reply, dict) else reply
