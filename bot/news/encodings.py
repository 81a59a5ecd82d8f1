"""The text of a feed, read as browsers read it (encoding.spec.whatwg.org)."""

import codecs
import re
from contextlib import suppress

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

SAMPLE_BYTES = 50_000  # of a feed whose encoding has to be guessed
JAPANESE = ("cp932", "euc_jp", "iso2022_jp_ext")
WESTERN = "cp1252"  # which reads nearly all bytes, and is what a server says without knowing


def decode(content: bytes, content_type: str) -> str:
    """Return the text: by byte order mark, as UTF-8, by the charset of header or declaration, or a guess.

    Text of another encoding is hardly ever valid UTF-8, but servers label UTF-8 as another charset (Apache's
    AddDefaultCharset). What the encoding does not have becomes U+FFFD, and costs nothing else.
    """
    bom_codec, bom = read_bom(content)
    if bom_codec and bom:
        return content[len(bom) :].decode(bom_codec, "replace")
    if b"\0" in content[:2]:
        return content.decode("utf-16-le" if content[0] else "utf-16-be", "replace")
    with suppress(UnicodeDecodeError):
        if not (text := content.decode()).isascii():
            return text
    labels = (
        http_content_type_encoding(re.sub(r"(?i)=\W*x-", "=", content_type)),
        html_body_declared_encoding(re.sub(rb"(?i)=\W*x-", b"=", content[:1000])),
    )
    declared = [label for label in labels if label and _contains_ascii(label)]
    for codec in declared:
        if codec != WESTERN and "\ufffd" not in (text := _decode(content, codec)):
            return text
    candidates = dict.fromkeys((*declared, "utf-8", *JAPANESE, WESTERN))
    return _decode(content, max(candidates, key=lambda codec: _score(content, codec)))


def _contains_ascii(codec: str) -> bool:
    """Return whether ASCII is itself in the encoding: else its name could not have been read."""
    try:
        return b"a\xff".decode(codec, "replace").startswith("a")
    except (LookupError, ValueError):
        return False


def _decode(content: bytes, codec: str) -> str:
    codec = "iso2022_jp_ext" if codec == "iso2022_jp" else codec  # has half-width kana, too
    text = content.decode(codec, "browser")
    return re.sub("[\uf8f0-\uf8f3]", "\ufffd", text)  # what Python makes of bytes that cp932 lacks


def _browser_character(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return a character of EUC-JP or ISO-2022-JP that Python lacks and browsers have (①, ㈱, 髙)."""
    assert isinstance(error, UnicodeDecodeError)
    pair = [(byte & 0x7F) - 0x20 for byte in error.object[error.start : error.start + 2]]
    if error.encoding not in JAPANESE[1:] or len(pair) < 2 or not all(0 < n < 95 for n in pair):
        return codecs.replace_errors(error)
    row, cell = pair
    lead = (row + 1) // 2 + (0x80 if row < 63 else 0xC0)
    trail = cell + (0x3F + (cell > 63) if row % 2 else 0x9E)
    return bytes((lead, trail)).decode("cp932", "replace"), error.start + 2


codecs.register_error("browser", _browser_character)


def _score(content: bytes, codec: str) -> int:
    """Return how many characters speak for an encoding: kana for a Japanese one, few for a Western."""
    text = _decode(content[:SAMPLE_BYTES], codec)
    letters = "[\u3041-\u30fe]" if codec in JAPANESE else "[^\0-\x7f\ufffd]"
    good = 0 if codec == WESTERN else len(re.findall(letters, text))
    return good - len(re.findall("[\ufffd\uff61-\uff9f]", text))
