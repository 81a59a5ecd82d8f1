"""The text of a feed, read as browsers read it (encoding.spec.whatwg.org)."""

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

SAMPLE = 50_000  # bytes that are looked at
_JAPANESE = ("cp932", "euc_jp", "iso2022_jp")
_JIS = re.compile(rb"\x1b(\$[@B]|\([BJI])([^\x1b]*)")  # an escape sequence, and what it is for
_X = re.compile(rb"(?<=[\"'=])x-", re.IGNORECASE)  # x-sjis, x-gbk


def decode(content: bytes, content_type: str) -> str:
    """Return the text: by its first bytes, the header's charset, its XML declaration, or its look.

    What the encoding does not have becomes U+FFFD, and costs nothing else.
    """
    codec, mark = read_bom(content)
    if codec or b"\0" in content[:2]:
        codec = codec or ("utf-16-le" if content[0] else "utf-16-be")
        return content[len(mark or b"") :].decode(codec, "replace")
    header, start = (_X.sub(b"", one) for one in (content_type.encode(), content[:1000]))
    labels = (http_content_type_encoding(header.decode()), html_body_declared_encoding(start))
    named = [codec for codec in labels if codec and _is_ascii(codec)]
    for codec in named:
        try:
            return _text(content, codec, "strict")
        except ValueError:
            continue
    others = dict.fromkeys((*named, "utf-8", *_JAPANESE, "cp1252"))
    return _text(content, max(others, key=lambda codec: _likelihood(content[:SAMPLE], codec)))


def _is_ascii(codec: str) -> bool:
    """Return whether ASCII is itself in the encoding: else its name could not have been read."""
    try:
        return b"a\xff".decode(codec, "replace").startswith("a")
    except (LookupError, ValueError):
        return False


def _text(content: bytes, codec: str, errors: str = "") -> str:
    if codec == "iso2022_jp":
        content, codec = _JIS.sub(_euc, content), "euc_jp"
    text = content.decode(codec, errors or ("cp932" if codec == "euc_jp" else "replace"))
    return re.sub("[\uf8f0-\uf8f3]", "\ufffd", text)  # what Python makes of bytes that cp932 lacks


def _euc(part: re.Match[bytes]) -> bytes:
    """Return a part of ISO-2022-JP as EUC-JP."""
    if part[1] in (b"(B", b"(J"):
        return part[2]
    shown = [byte | 0x80 if byte > 0x20 else byte for byte in part[2]]
    return bytes(shown) if part[1] != b"(I" else b"".join(b"\x8e%c" % byte for byte in shown)


def _as_cp932(error: UnicodeError) -> tuple[str, int]:
    """Return a character of EUC-JP that Python's codec lacks and browsers have (①, ㈱, 髙)."""
    assert isinstance(error, UnicodeDecodeError)
    row, cell = (*(byte - 0xA0 for byte in error.object[error.start : error.start + 2]), 0)[:2]
    if not (0 < row < 95 and 0 < cell < 95):
        return "\ufffd", error.start + 1
    lead = (row + 1) // 2 + (0x80 if row < 63 else 0xC0)
    trail = cell + (0x3F + (cell > 63) if row % 2 else 0x9E)
    return bytes((lead, trail)).decode("cp932", "replace"), error.start + 2


codecs.register_error("cp932", _as_cp932)


def _likelihood(content: bytes, codec: str) -> int:
    """Return how many characters speak for an encoding: kana for a Japanese one, few for a Western."""
    text = _text(content, codec)
    letters = "[\u3041-\u30fe]" if codec in _JAPANESE else "[^\0-\x7f\ufffd]"
    good = 0 if codec == "cp1252" else len(re.findall(letters, text))
    return good - len(re.findall("[\ufffd\uff61-\uff9f]", text))
