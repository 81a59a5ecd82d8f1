"""Feeds as strangers write them: encodings, characters, markup, times, pictures, links."""

import time
from datetime import datetime

import pytest

from bot.news.articles import Article
from bot.news.dates import epoch_seconds
from bot.news.feeds import BadFeed, canonical, read_feed

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
NAMESPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry>{entry}</entry></feed>'


def rss(items: str) -> str:
    return f'<rss version="2.0" {NAMESPACES}><channel><title>T</title>{items}</channel></rss>'


def feed(text: str) -> list[Article]:
    return read_feed(text.encode(), "application/xml; charset=utf-8", "https://e.com/f", NOW)


def one(fields: str) -> Article:
    """The only article of a feed, by its item's elements."""
    (article,) = feed(rss(f"<item><title>x</title>{fields}</item>"))
    return article


def title(markup: str) -> str:
    """Titles in RSS are read as text or as HTML."""
    (article,) = feed(rss(f"<item><title>{markup}</title></item>"))
    return article.title


JAPANESE = (
    "<rss><channel><title>ニュース</title><item><title>①㈱髙橋、東京都の天気</title></item>"
    "</channel></rss>"
)
# The same in EUC-JP with NEC's row 13 and row 92, and in ISO-2022-JP: Python has no codec for them.
EUC = JAPANESE.encode("euc_jp", "replace").replace(b"???", b"\xad\xa1\xad\xea\xfc\xe2")
JIS = JAPANESE.encode("iso2022_jp", "replace").replace(
    b"???", b"\x1b$B\x2d\x21\x2d\x6a\x7c\x62\x1b(B"
)


def declared(label: str, content: bytes) -> bytes:
    return f'<?xml version="1.0" encoding="{label}"?>'.encode() + content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (declared("Shift_JIS", JAPANESE.encode("cp932")), "application/xml"),
        (declared("x-sjis", JAPANESE.encode("cp932")), "text/xml"),
        (declared("windows-31j", JAPANESE.encode("cp932")), ""),
        (JAPANESE.encode("cp932"), "text/xml; charset=Shift_JIS"),
        (JAPANESE.encode("cp932"), "application/xml"),
        (declared("utf-8", JAPANESE.encode("cp932")), "text/xml"),  # it says so, and is not
        (declared("Shift_JIS", JAPANESE.encode()), "text/xml; charset=utf-8"),
        (declared("EUC-JP", EUC), "application/xml"),
        (declared("x-euc-jp", EUC), "application/xml"),
        (EUC, ""),
        (declared("ISO-2022-JP", JIS), "text/xml"),
        (JIS, "text/xml"),
        (JAPANESE.encode(), "application/rss+xml; charset=undefined"),
        (JAPANESE.encode(), "application/rss+xml; charset=hex"),
        (declared("utf-16", JAPANESE.encode()), ""),  # copied from a template
        (JAPANESE.encode("utf-16"), "text/xml"),
        (JAPANESE.encode("utf-16-be"), ""),
        (JAPANESE.encode("utf-8-sig"), "text/xml; charset=us-ascii"),
        (declared("UTF-8", JAPANESE.encode()), "text/xml; charset=Shift_JIS"),
        (declared("ISO-8859-1", JAPANESE.encode()), "text/xml; charset=ISO-8859-1"),
    ],
)
def test_encodings(content: bytes, kind: str) -> None:
    """Encodings are read as browsers do; undeclared or wrongly declared ones are detected."""
    (article,) = read_feed(content, kind, "https://e.com/f", NOW)
    assert ("①㈱髙橋、東京都の天気", "ニュース") == (article.title, article.source)


@pytest.mark.parametrize("label", ["ISO-8859-1", "windows-1252", "us-ascii"])
@pytest.mark.parametrize("damage", [b"", b"<description>\xe3\x83</description>"])
def test_utf8_with_a_western_label(label: str, damage: bytes) -> None:
    """A server's default charset says nothing: every byte of ニュース is a Western character, too."""
    content = declared("UTF-8", rss("<item><title>ニュース</title>@</item>").encode())
    kind = f"application/xml; charset={label}"
    (article,) = read_feed(content.replace(b"@", damage), kind, "https://e.com/f", NOW)
    assert "ニュース" == article.title


def test_title_without_anything_that_is_seen() -> None:
    """Zero-width characters are no title: the summary's beginning takes its place."""
    item = "<item><title>\u200d\u200b</title><description>本文</description></item>"
    (article,) = read_feed(rss(item).encode(), "text/xml", "https://e.com/f", NOW)
    assert "本文" == article.title


@pytest.mark.parametrize(
    ("label", "codec", "words"),
    [
        ("x-gbk", "gb18030", "中文€"),
        ("X-GBK", "gb18030", "中文€"),
        ("gb2312", "gb18030", "朱镕基"),
        ("Big5", "big5hkscs", "中文字"),
        ("ks_c_5601-1987", "cp949", "한국어 똠"),
        ("ISO-8859-1", "cp1252", "“déjà” – 5 €"),
        ("us-ascii", "cp1252", "café"),
        ("koi8-r", "koi8-r", "Новости"),
    ],
)
def test_foreign_encodings(label: str, codec: str, words: str) -> None:
    content = declared(label, rss(f"<item><title>{words}</title></item>").encode(codec))
    (article,) = read_feed(content, "text/xml", "https://e.com/f", NOW)
    assert words == article.title


def test_half_width_kana_in_iso_2022_jp() -> None:
    """Which its first standard does not have."""
    content = rss("<item><title>東京のｶﾅ</title></item>").encode("iso2022_jp_ext")
    (article,) = read_feed(declared("ISO-2022-JP", content), "text/xml", "https://e.com/f", NOW)
    assert "東京のｶﾅ" == article.title


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "text/xml; charset=utf-8"])
@pytest.mark.parametrize("codec", ["utf-8", "cp932"])
def test_one_bad_byte_costs_one_character(codec: str, kind: str) -> None:
    """Not every title."""
    kind = kind.replace("utf-8", "shift_jis") if codec == "cp932" else kind
    content = JAPANESE.encode(codec).replace(
        b"</item>", b"<description>a\xff b</description></item>"
    )
    (article,) = read_feed(content, kind, "https://e.com/f", NOW)
    assert ("①㈱髙橋、東京都の天気", "a\ufffd b") == (article.title, article.summary)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("Hello &#55357;&#56832;", "Hello 😀"),  # an emoji as two references
        ("Hello &#xD83D;&#xDE00;", "Hello 😀"),
        ("Hello &amp;#55357;&amp;#56832;", "Hello 😀"),
        ("<![CDATA[Hello &#55357;&#56832;]]>", "Hello 😀"),
        ("half &#55357; one", "half \ufffd one"),
        ("no &#x110000; such", "no \ufffd such"),
        ("no &#99999999999; such", "no \ufffd such"),
        ("nul &#0; such", "nul \ufffd such"),
        ("bell \x07 rings", "bell rings"),
        ("noncharacter \ufffe here", "noncharacter here"),
        ("AT&T & more", "AT&T & more"),
        ("&nbsp;a&eacute;b&hearts;", "aéb♥"),
        ("&undefined; &x", "&undefined; &x"),
        ("5 < 6", "5 < 6"),
        ("I <3 cats", "I <3 cats"),
        ("windows &#150; dash", "windows – dash"),
    ],
)
def test_odd_characters_cost_themselves(markup: str, expected: str) -> None:
    """And neither their title nor the feed."""
    assert expected == title(markup)


@pytest.mark.parametrize(
    "feed_",
    [
        r'<!DOCTYPE rss [<!ENTITY path "C:\data">]>' + rss("<item><title>good</title></item>"),
        '<!DOCTYPE rss SYSTEM "http://e.com/x.dtd">' + rss("<item><title>good</title></item>"),
        rss(
            '<item xmlns:georss="http://www.georss.org/georss" xmlns:gml="http://www.opengis.net/gml">'
            '<title>good</title><georss:where><gml:Point srsName="urn:ogc:def:crs:EPSG::abc">'
            "<gml:pos>1 x</gml:pos></gml:Point></georss:where></item>"
        ),
        rss("<item><title>good</title><undeclared:thing/></item>"),
        rss("<item><title>good</title><a b=c d></a></item>"),
        rss("<item><title>good</title><description>a</b></description></item>"),
        rss("<item><title>good</title>"),
        "\n<br />\n<b>Warning</b>: include() in x.php\n" + rss("<item><title>good</title></item>"),
        rss("<item><title>good</title></item>") + "<!-- 0.2 s --><script>junk",
        "<!-- a -- b -->"
        + rss("<!-- <item><title>not</title></item> --><item><title>good</title></item>"),
    ],
)
def test_what_is_wrong_elsewhere_costs_no_article(feed_: str) -> None:
    assert ["good"] == [article.title for article in feed(feed_)]


@pytest.mark.parametrize(
    "content", ["", " ", "<html><body>x</body></html>", "{}", "<rss/>", "<rss", "<feed>"]
)
def test_no_feed(content: str) -> None:
    with pytest.raises(BadFeed, match="no feed"):
        feed(content)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("I &lt;3 cats &amp; dogs > birds", "I <3 cats & dogs > birds"),
        ("5 &lt; 6 and 8 &gt; 7", "5 < 6 and 8 > 7"),
        ("<![CDATA[<b>東京</b>都の<em>天気</em>]]>", "東京都の天気"),
        ("&lt;p&gt;東京&lt;/p&gt;&lt;p&gt;大阪&lt;/p&gt;", "東京 大阪"),
        ("東京&lt;br&gt;大阪", "東京 大阪"),
        ("Vec&lt;T&gt; explained", "Vec<T> explained"),  # HTML has no such element
        ("<![CDATA[Map<String, List<T>>]]>", "Map<String, List<T>>"),
        ("C&lt;br/&gt;D", "C D"),
        ("AT&amp;amp;T", "AT&T"),
        ("&amp;lt;b&amp;gt; is bold", "<b> is bold"),
        ("safe &lt;script&gt;alert(1)&lt;/script&gt; words", "safe words"),
        ("&lt;ruby&gt;東京&lt;rt&gt;とうきょう&lt;/rt&gt;&lt;/ruby&gt;都", "東京都"),
        ("a <b>bold</b> one", "a bold one"),  # not escaped
    ],
)
def test_titles(markup: str, expected: str) -> None:
    """Tags go, and nothing else; those within a line leave no gap."""
    assert expected == title(markup)


@pytest.mark.parametrize(
    ("kind", "markup", "expected"),
    [
        ("text", "Vec&lt;T&gt; &lt;b&gt;explained&lt;/b&gt;", "Vec<T> <b>explained</b>"),
        ("", "a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("html", "&lt;b&gt;Bold&lt;/b&gt; &amp;amp; more", "Bold & more"),
        ("xhtml", '<div xmlns="http://www.w3.org/1999/xhtml">東<b>京</b>都</div>', "東京都"),
        (
            "xhtml",
            '<x:div xmlns:x="http://www.w3.org/1999/xhtml">東<x:b>京</x:b><x:br/>都</x:div>',
            "東京 都",
        ),
    ],
)
def test_titles_of_atom(kind: str, markup: str, expected: str) -> None:
    """Text is not HTML."""
    attribute = f'type="{kind}"' if kind else ""
    (article,) = feed(ATOM.format(entry=f"<title {attribute}>{markup}</title>"))
    assert expected == article.title


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a<!-- x > y -->b", "ab"),
        ("a<!-- never closed", "a"),
        ('words<p><img src="https://pic.example/a.jpg" class="x" alt="WHt...', "words"),  # cut off
        ('<img src="data:image/png;base64,' + "A" * 3000 + '">words', "words"),
        ('<img src="data:image/png;base64,' + "A" * 300_000 + '">words', "words"),
        ("<style>p { color: red }</style><p>words</p><script>if (a < b) x()</script>", "words"),
        ('<a title="5 > 4">words</a>', "words"),
        ("<table><tr><td>a</td><td>b</td></tr></table><ul><li>c<li>d</ul>", "a b c d"),
        ("a<g-emoji alias='x'>😀</g-emoji>b", "a😀b"),
        ("<![CDATA[twice wrapped]]>", "twice wrapped"),
        ("x" * 19_990 + '<img src="https://e.com/cut-by-us.jpg">', "x" * 300),
    ],
)
def test_summaries(html: str, expected: str) -> None:
    """The text is that which a browser would show."""
    escaped = html.replace("&", "&amp;").replace("<", "&lt;")
    assert expected == one(f"<description>{escaped}</description>").summary


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            "<description><![CDATA[<img src='https://i0.wp.com/e.com/a.jpg?resize=640%2C360&#038;ssl=1'>]]>"
            "</description>",
            "https://i0.wp.com/e.com/a.jpg?resize=640%2C360&ssl=1",
        ),
        (
            "<description><![CDATA[<img src='https://e.com/a.jpg?a=1&b=2'>]]></description>",
            "https://e.com/a.jpg?a=1&b=2",
        ),
        ("<media:content width='140' url='https://e.com/img.jpg'/>", "https://e.com/img.jpg"),
        ("<media:content url='https://e.com/film.mp4'/>", ""),
        ("<media:content url='https://e.com/film' medium='video'/>", ""),
        (
            "<media:group><media:content url='https://e.com/i' type='image/png'/></media:group>",
            "https://e.com/i",
        ),
        ("<enclosure url='https://e.com/e.JPG?w=1'/>", "https://e.com/e.JPG?w=1"),
        ("<enclosure url='https://e.com/e.mp3'/>", ""),
        ("<itunes:image href='https://e.com/i'/>", "https://e.com/i"),
        ("<image><url>https://e.com/u.png</url></image>", "https://e.com/u.png"),
        (
            "<content:encoded><![CDATA[<img src=https://e.com/c.jpg>]]></content:encoded>",
            "https://e.com/c.jpg",
        ),
        (
            "<description>&lt;img src='http://e.com/1.jpg'>&lt;img src='https://e.com/2.jpg'></description>",
            "https://e.com/2.jpg",
        ),
        ("<description>&lt;img src='/relative.jpg'></description>", "https://e.com/relative.jpg"),
        (
            "<description>&lt;img src='//cdn.example/i.jpg'></description>",
            "https://cdn.example/i.jpg",
        ),
        (
            "<description>&lt;img src='data:image/gif;base64,R0' data-src='https://e.com/late.jpg'></description>",
            "https://e.com/late.jpg",
        ),
        (
            "<description>&lt;img src='https://e.com/p' width='1' height='1'>"
            "&lt;img src='https://s.w.org/images/core/emoji/72x72/1f600.png'>"
            "&lt;img src='https://e.com/real.jpg' width='640'></description>",
            "https://e.com/real.jpg",
        ),
        (
            "<media:thumbnail url='https://e.com/75.jpg' width='75'/>"
            "<media:content url='https://e.com/640.jpg' width='640' medium='image'/>"
            "<media:content url='https://e.com/4000.jpg' width='4000' medium='image'/>",
            "https://e.com/640.jpg",
        ),
        (
            "<media:content url='https://e.com/a.webp'/><enclosure url='https://e.com/a.jpg'/>",
            "https://e.com/a.jpg",  # LINE's documents promise JPEG and PNG
        ),
        ("<media:thumbnail url='https://e.com/logo.svg'/>", ""),
        (
            "<description>&lt;img srcset='https://e.com/a.jpg, https://e.com/b.jpg 2x'></description>",
            "https://e.com/a.jpg",
        ),
        (
            "<description>&lt;noscript>&lt;img src='https://e.com/n.jpg'>&lt;/noscript></description>",
            "https://e.com/n.jpg",
        ),
    ],
)
def test_pictures(fields: str, expected: str) -> None:
    """The one that a person would choose, by the address that a browser would take."""
    assert expected == one(fields).image


def test_picture_that_atom_encloses() -> None:
    entry = (
        '<title>x</title><link rel="enclosure" type="image/png" href="/i.png"/><link href="/page"/>'
    )
    (article,) = feed(ATOM.format(entry=entry))
    assert ("https://e.com/i.png", "https://e.com/page") == (article.image, article.url)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 14 Jan 2027 15:00:00 JST", "2027-01-14T15:00:00+09:00"),
        ("Thu, 14 Jan 2027 15:00:00 KST", "2027-01-14T15:00:00+09:00"),
        ("Thu Jan 14 15:00:00 JST 2027", "2027-01-14T15:00:00+09:00"),
        ("2027-01-14 15:07:41 JST", "2027-01-14T15:07:41+09:00"),
        ("Thu, 14 Jan 2027 15:00:00 UTC+0900", "2027-01-14T15:00:00+09:00"),
        ("Thu, 14 Jan 2027 15:00:00 GMT+9", "2027-01-14T15:00:00+09:00"),
        ("Thu, 14 Jan 2027 15:00:00 GMT+0900 (JST)", "2027-01-14T15:00:00+09:00"),
        ("Thu, 14 Jan 2027 15:00:00 EST", "2027-01-14T15:00:00-05:00"),
        ("Thu, 14 Jan 27 15:00 PDT", "2027-01-14T15:00:00-07:00"),
        ("Thu, 14 Jan 2027 15:00:00 -0000", "2027-01-14T15:00:00+00:00"),
        ("2027-01-14T15:07:41.123Z", "2027-01-14T15:07:41.123+00:00"),
        ("20270114T150741Z", "2027-01-14T15:07:41+00:00"),
        ("2027-01-14T15:07:60Z", "2027-01-14T15:07:59+00:00"),
        ("1799900000", "2027-01-14T04:13:20+00:00"),
        ("1799900000000", "2027-01-14T04:13:20+00:00"),
        # Without a zone: Japan's time.
        ("2027/01/14 15:07:41", "2027-01-14T15:07:41+09:00"),
        ("2027-01-14 15:07", "2027-01-14T15:07:00+09:00"),
        ("2027.1.4", "2027-01-04T00:00:00+09:00"),
        ("January 14, 2027", "2027-01-14T00:00:00+09:00"),
        ("2027年1月14日", "2027-01-14T00:00:00+09:00"),
        ("2027年01月14日(木) 15時07分", "2027-01-14T15:07:00+09:00"),
        ("２０２７年１月１４日　午後３時７分", "2027-01-14T15:07:00+09:00"),
        ("令和9年1月14日 午前9:05", "2027-01-14T09:05:00+09:00"),
        ("令和元年5月1日", "2019-05-01T00:00:00+09:00"),
        ("平成31年4月30日", "2019-04-30T00:00:00+09:00"),
        ("2027/01/14(木) 15:07", "2027-01-14T15:07:00+09:00"),
        ("木, 14 1月 2027 15:00:00 +0900", "2027-01-14T15:00:00+09:00"),
        ("木, 5 1月 2027 15:00:00 +0900", "2027-01-05T15:00:00+09:00"),
        ("Seg, 24 Set 2018 10:00:00 -0300", "2018-09-24T10:00:00-03:00"),
        ("Wes, 18 Aug 2021 10:00:00 +0000", "2021-08-18T10:00:00+00:00"),
        ("mar., 14 janv. 2027 15:00:00 +0100", "2027-01-14T15:00:00+01:00"),
        ("14. März 2027 15:00", "2027-03-14T15:00:00+09:00"),
    ],
)
def test_times(text: str, expected: str) -> None:
    """In the forms that are seen in feeds."""
    assert datetime.fromisoformat(expected).timestamp() == epoch_seconds(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "soon",
            "たった今",
            "Thursday",
            "5",
            "1月14日",
            "-",
            "0",
            "9" * 90,
            "2027-02-30",
        ),
        *("Mon, 01 Jan 0001 00:00:00 +0000", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00"),
        *(
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "1899-12-30",
            "昭和63年1月1日",
            "Thu, 32 Jan 2027 15:00:00 GMT",
        ),
    ],
)
def test_no_time(text: str) -> None:
    """Times that cannot be read, or are implausible, are unknown."""
    assert 0 == epoch_seconds(text)


def test_time_to_come() -> None:
    """An article of tomorrow is not above the news until then."""
    assert NOW == one("<pubDate>Sat, 16 Jan 2027 08:00:00 GMT</pubDate>").published


def test_first_time_that_can_be_read() -> None:
    fields = "<pubDate>soon</pubDate><dc:date>2027-01-14T15:07:41+09:00</dc:date>"
    assert 1_799_906_861 == one(fields).published


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("<link> https://e.com/a\n</link>", "https://e.com/a"),
        ("<link>/a?b=1&c=2</link>", "https://e.com/a?b=1&c=2"),
        ("<guid>https://e.com/g</guid>", "https://e.com/g"),
        ("<guid isPermaLink='false'>https://e.com/g</guid>", ""),
        ("<guid>ep-1</guid>", ""),
        ("<enclosure url='https://e.com/e.mp3'/>", "https://e.com/e.mp3"),
        ("<link>javascript:alert(1)</link><guid>https://e.com/g</guid>", "https://e.com/g"),
        ("<link>http://[::1</link>", ""),
        ("<link>https://e.com/" + "a" * 3000 + "</link>", ""),
    ],
)
def test_links(fields: str, expected: str) -> None:
    """The page, else what there is."""
    assert expected == one(fields).url


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('<link rel="self" href="/s"/><link rel="alternate" href="/a"/>', "https://e.com/a"),
        ('<link rel="self" href="/s"/>', "https://e.com/s"),
        ('<link href="a" xml:base="https://other.example/dir/"/>', "https://other.example/dir/a"),
    ],
)
def test_links_of_atom(entry: str, expected: str) -> None:
    (article,) = feed(ATOM.format(entry=f"<title>x</title>{entry}"))
    assert expected == article.url


def test_names_for_people() -> None:
    """A category's label, and whom an entry is from."""
    entry = (
        '<title>x</title><category term="123" label="政治"/>'
        "<source><title>共同</title><id>7</id></source>"
    )
    (article,) = feed(ATOM.format(entry=entry))
    assert ("政治", "共同") == (article.category, article.source)
    assert "共同" == one('<source url="https://e.com/">共同</source>').source


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.com/a?id=1&utm_source=x&gclid=2#top", "https://e.com/a?id=1"),
        ("https://e.com/a?rss=3", "https://e.com/a?rss=3"),  # which may be the article
        ("https://e.com/a?ref=42", "https://e.com/a?ref=42"),
    ],
)
def test_parameters_of_campaigns(url: str, expected: str) -> None:
    assert expected == canonical(url)


def long(piece: str) -> str:
    return piece * (400_000 // len(piece))


@pytest.mark.parametrize(
    "items",
    [
        "<item><title>ok</title><author>a@" + "a." * 32_000 + "!</author></item>",
        f"<item><title>ok</title><description><![CDATA[{long('<!--')}]]></description></item>",
        "<item><title>ok</title><x " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/></item>",
        *(
            f"<item><title>ok</title></item>{long(piece)}"
            for piece in ("<a", "<a>", "<a/>", "</a>", "<!--")
        ),
        *(
            f"<item><title>ok</title></item>{long(piece)}"
            for piece in ("&", "<", "<![CDATA[", "<?a ", "&a;")
        ),
        f"<item><title>ok</title>{long('<pubDate>soon</pubDate>')}</item>",
        f"<item><title>ok</title><link>https://e.com/?{long('a=1&amp;')}</link></item>",
        long("<!-- -->") + "<item><title>ok</title></item>",
    ],
    ids=lambda items: items[:60] + items[-60:],
)
def test_reading_is_linear(items: str) -> None:
    """400 KB of what was quadratic, or worse; half a second on a busy machine."""
    began = time.process_time()
    assert ["ok"] == [article.title for article in feed(rss(items))]
    assert time.process_time() - began < 3


def test_most_entries() -> None:
    """Of 20,000 the first 500 are looked at."""
    articles = feed(
        rss("".join(f"<item><title>{number}</title></item>" for number in range(20_000)))
    )
    assert [str(number) for number in range(500)] == [article.title for article in articles]
