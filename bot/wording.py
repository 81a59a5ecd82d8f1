"""How people word what they ask for: synonyms of the commands, and the sentence around a word."""

import re

from bot.data import load_json
from bot.text import normalise

# Other ways to say what a command of handlers.py is registered for.
_SYNONYMS = load_json("synonyms.json")
SYNONYMS = {normalise(word): command for command, words in _SYNONYMS.items() for word in words}
_SENTENCES = load_json("sentences.json")
# Sentences that ask to be written to; a search for 通知機能 stays a search.
_SUBSCRIPTION = re.compile("|".join(_SENTENCES["subscription"]))
# What stands around the words, in the order in which it is taken away.
_AROUND = [re.compile("|".join(part), re.IGNORECASE) for part in _SENTENCES["around"]]


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
