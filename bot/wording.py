"""How people word what they ask for: synonyms of the commands, and the sentence around a word."""

import json
import re
from pathlib import Path

from bot.text import normalise

# Other ways to say what a command of handlers.py is registered for.
_TABLE = json.loads(Path(__file__).with_name("synonyms.json").read_bytes())
SYNONYMS = {normalise(word): command for command, words in _TABLE.items() for word in words}

# Sentences that ask to be written to; a search for 通知機能 stays a search.
_SUBSCRIPTION = re.compile(
    "(ぷっしゅ)?(通知|購読|配信|登録|あらーと|りまいんど)(を|に|の)? ?"
    "(して|したい|する|しろ|ほしい|欲しい|停止|解除|解約|止めて|とめて|やめて|おん|おふ|on|off|設定|登録).*"
    "|.*を ?(ぷっしゅ)?通知(して|しろ).*"
    "|.*(毎朝|毎晩|毎週|毎時|[0-9]時|毎日(?!新聞)).*(送って|届けて|知らせて|教えて|通知|配信|ほしい|欲しい)(ください)?"
    "|.*(定期|自動)(的に|で)? ?(送って|届けて|知らせて|通知|配信|購読).{,6}"
    "|.*(たら|とき|時に|次第|たびに|度に|ごとに) ?(すぐに?)?(教えて|知らせて|通知して|送って).*"
    "|((please|i want to|i would like to|how (do|can) i|can i) )*(un)?subscribe( .*)?"
    "|((please|can you) )*(turn (on|off) )?(push )?(notifications?|alerts?)( (on|off|please))?"
    "|((please|can you) )*((notify|alert|remind) me|(send|give|push) .*(every|daily))( .*)?"
)
_ASKING = (
    "教えて|おしえて|見せて|みせて|見たい|みたい|読みたい|知りたい|送って|出して|ちょうだい|"
    "お願い|おねがい|下さい|ください|ほしい|欲しい|わからない|分からない"
)
_AROUND = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        "( (please|now|today|there|bot|a lot|so much|very much|for me))+$"  # "latest, please"
        f"|(を|は|が|って|について)? ?({_ASKING}).*$|(は|って|ですか?|について)$",  # "最新を教えて"
        "^((please|can you|could you|i want|show|give|tell|send|find|search|get|me|us|the|some|any|more"
        "|many|all|latest|todays|today's|(news|articles?) (about|on|of)|about|for) )+"  # "show me"
        "|^(今日|本日|きょう|最近|最新)の|^ニュース ",
        " (news|articles?)$| ?((について|に関する)?の)? ?(ニュース|にゅーす|記事|情報)$",  # "ITのニュース"
    )
]


def wordings(words: str) -> list[str]:
    """Return the words as they are, and with ever less of the sentence around what is asked for."""
    found = [words]
    for pattern in _AROUND:
        found.append(pattern.sub("", found[-1]).strip() or found[-1])
    return list(dict.fromkeys(found))


def command_words(words: str) -> list[str]:
    """Return the normalised words by which a command may be registered that the text asks for."""
    forms = [normalise(form) for form in wordings(words)]
    forms += [form.rstrip("ーっw笑") for form in forms]  # "ありがとー", "最新ｗｗ"
    forms += [form.rstrip("ねよな") for form in forms]
    if not words.isascii():
        forms += [form.replace(" ", "") for form in forms]
    found = [word for form in forms for word in (form, SYNONYMS.get(form)) if word]
    return [*found, "subscribe"] if _SUBSCRIPTION.fullmatch(normalise(words)) else found
