"""XML and HTML as strangers write them, read by libxml2 in a time that their length bounds."""

import re
from html import escape, unescape
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from lxml.html import defs  # type: ignore[import-untyped]

from bot.text import clean

MAX_HTML_CHARACTERS = 20_000  # of an HTML text
_ROOT_TAG = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# One half of a surrogate pair as a character reference (JavaScript's \\ud83d and \\ude00).
_SURROGATE_REFERENCE = re.compile("&#(?:x(d[89a-f][0-9a-f]{2})|(5[5-7][0-9]{3}));", re.IGNORECASE)
# CDATA or a comment; a reference; what begins no tag, begins no reference, and ends no CDATA.
_BROKEN_MARKUP = re.compile(
    r"(<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))|&(#?\w{1,40};)"
    r"|(?:<(?![A-Za-z_/!?][^<>]*>)|&(?!#?\w{1,40};)|\]\]>)+",
    re.DOTALL | re.ASCII,
)
_BARE_TAG = re.compile(r"<(?=/?([a-zA-Z][a-zA-Z0-9]*)(?:/?>|[^\w\s/>:-]))")
_HTML_TAGS = defs.tags | {"bdi", "dialog", "main", "nobr", "picture", "template"}
_INLINE_DATA = re.compile("(?<=;base64,)[A-Za-z0-9+/=]+")  # of a picture within the text
_INLINE_TAGS = defs.phrase_tags | defs.font_style_tags | defs.special_inline_tags
_INLINE_TAGS |= {"bdi", "body", "html", "label", "mark", "nobr", "ruby", "time", "wbr"}
# Where an image's address is; the others where it is loaded later.
_IMAGE_ATTRIBUTES = ("data-src", "data-lazy-src", "data-original", "src")
_HIDDEN_TAGS = ("iframe", "noscript", "object", "rp", "rt", "script", "style", "template")


def parse_feed(text: str, url: str) -> Any:
    """Return the root element of a feed, whose addresses are relative to `url`; None if there is none.

    What precedes it goes, and with it the document type: its entities are nobody's here.
    """
    root = _ROOT_TAG.search(text)
    if not root:
        return None
    text = _NOT_XML.sub("", _join_surrogates(text[root.start() :]))
    text = _BROKEN_MARKUP.sub(_repaired, text)
    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, remove_pis=True
    )
    return etree.fromstring(text.encode(), parser, base_url=url)


def _repaired(found: re.Match[str]) -> str:
    """Return CDATA and XML's own references as they are, comments as nothing, all else as text."""
    kept, reference = found.groups()
    if kept:
        return kept if kept[2] == "[" else ""
    if reference in ("amp;", "lt;", "gt;", "quot;", "apos;"):
        return found[0]
    shown = unescape(found[0]) if reference else found[0]
    return escape(_NOT_XML.sub("", shown))


def _join_surrogates(text: str) -> str:
    """Return the text with halves of emoji put together; U+FFFD for one that is alone."""
    text = _SURROGATE_REFERENCE.sub(lambda half: chr(int(half[1] or hex(int(half[2])), 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def html_of(element: Any) -> str:
    """Return what is in an element of a feed as HTML: RSS has nothing else, Atom says what it has."""
    atom = "tom" in str(element.tag).partition("}")[0]
    if not len(element):
        plain = atom and element.get("type", "text") in ("text", "text/plain")
        return escape(element.text or "") if plain else element.text or ""
    inner = (etree.tostring(one, encoding="unicode") for one in element)
    return (element.text or "") + re.sub(r"(</?)[\w.-]+:(?=\w)", r"\1", "".join(inner))


def parse_html(text: str) -> Any:
    """Return the element of an HTML text.

    A name that HTML does not have and that has no attributes was meant as it is written: Vec<T>.
    """
    text = _INLINE_DATA.sub("", text)[:MAX_HTML_CHARACTERS]
    text = re.sub(r"<!\[CDATA\[|\]\]>|\0", "", _join_surrogates(text))
    text = _BARE_TAG.sub(lambda tag: "<" if tag[1].lower() in _HTML_TAGS else "&lt;", text)
    parser = etree.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    return etree.fromstring(f"<body>{text}", parser)


def visible_text(html: Any, hidden: tuple[str, ...] = _HIDDEN_TAGS) -> str:
    """Return the words that a browser would show, in one line; `hidden` elements are left out."""
    etree.strip_elements(html, *hidden, with_tail=False)
    for element in html.iter("br", *(_HTML_TAGS - _INLINE_TAGS)):
        element.text, element.tail = f" {element.text or ''}", f" {element.tail or ''}"
    return clean("".join(html.itertext()))


def pictures(html: Any) -> list[str]:
    """Return the addresses of the pictures in an HTML text, without pixels and emoji."""
    found = []
    for image in html.iter("img"):
        sizes = (image.get("width", ""), image.get("height", ""))
        if not any(re.fullmatch("[0-9]|[1-3][0-9]", size.removesuffix("px")) for size in sizes):
            srcset = image.get("srcset", "").split()
            found += [image.get(name, "") for name in _IMAGE_ATTRIBUTES]
            found += [address.rstrip(",") for address in srcset[:1]]
    return found
