"""5,000 feeds, each spoilt in a few places: bytes, tags, references, labels, pieces of other feeds.

None raises anything but BadFeed, none takes a second, and memory stays level. As in the collector, a process
reads some hundred feeds and ends: until then libxml2 keeps the names of elements and attributes it has seen.
"""

import gc
import multiprocessing
import random
import time
from collections import Counter

import pytest

from bot.news.feeds import BadFeed, read_feed
from tests.full.test_hostile_webhooks import rss as memory_in_use

pytestmark = pytest.mark.full

BATCHES, COUNT, SEED = 10, 500, 19
ITEM = """<item><title>東京の天気 &amp; more {n}</title><link>https://e.com/{n}?a=1&amp;b=2#c</link>
<guid isPermaLink="false">id-{n}</guid><pubDate>Thu, 14 Jan 2027 15:{n:02}:00 JST</pubDate>
<dc:date>2027-01-14T15:07:41+09:00</dc:date><category>社会</category><source url="https://s/">共同</source>
<description><![CDATA[<p>晴れ<b>時々</b>曇り<img src="https://e.com/{n}.jpg?w=1&#038;h=2" width="640">
</p>]]></description>
<content:encoded>&lt;div&gt;長い&lt;br/&gt;本文&lt;/div&gt;</content:encoded>
<media:group><media:content url="https://e.com/m.jpg" width="320"/></media:group>
<media:thumbnail url="https://e.com/t.png"/><itunes:image href="https://e.com/i.jpg"/>
<georss:where><gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>1 2</gml:pos></gml:Point>
</georss:where>
</item>"""
RSS = (
    '<?xml version="1.0" encoding="{label}"?><!DOCTYPE rss [<!ENTITY e "f">]><rss version="2.0"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:georss="http://www.georss.org/georss" xmlns:gml="http://www.opengis.net/gml">'
    "<channel><title>見本新聞</title>{items}</channel></rss>"
)
ATOM = (
    '<?xml version="1.0" encoding="{label}"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="/b/">'
    "<title>T</title>{items}</feed>"
)
ENTRY = """<entry><id>tag:e.com,{n}</id><title type="html">&lt;b&gt;太い&lt;/b&gt; Vec&lt;T&gt;</title>
<link rel="self" href="s"/><link href="a{n}"/><link rel="enclosure" type="image/png" href="i.png"/>
<published>2027-01-14T15:07:41Z</published><updated>2027年1月14日 午後3時</updated>
<category term="1" label="政治"/><source><title>共同</title></source>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">東<b>京</b><img src="x.jpg"/></div></content>
<summary type="text">5 &lt; 6</summary></entry>"""
RDF = (
    '<?xml version="1.0" encoding="{label}"?><rdf:RDF xmlns="http://purl.org/rss/1.0/"'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel><title>T</title></channel>{items}</rdf:RDF>'
)
RDF_ITEM = "<item rdf:about='u{n}'><title>見出し{n}</title><link>https://e.com/{n}</link></item>"
CODECS = {"utf-8": "utf-8", "Shift_JIS": "cp932", "EUC-JP": "euc_jp", "ISO-2022-JP": "iso2022_jp"}
ODD = [
    *(
        "<",
        ">",
        "&",
        "&#",
        "&#0;",
        "&#55357;&#56832;",
        "&#x110000;",
        "&e;",
        "&&",
        "<![CDATA[",
        "]]>",
        "<!--",
    ),
    *(
        "-->",
        "<?",
        "?>",
        "</",
        "/>",
        "<a",
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<entry>",
        "<rss>",
    ),
    *(
        "\x00",
        "\x0b",
        "\ufffe",
        "\u202e",
        "😀",
        '"',
        "'",
        "=",
        "xmlns=''",
        "xmlns:media='",
        "xml:base='[::'",
    ),
    *(
        "<img src='http://[::1'>",
        "https://[",
        "99999999999999999999",
        "24:61:61",
        "令和0年",
        "1月" * 40,
        " " * 500,
    ),
    *(
        "<script>",
        "<style>",
        "<textarea>",
        "<plaintext>",
        "<svg>",
        "<b>" * 300,
        "a@" + "a." * 900,
        "long " * 6_000,
    ),
]
KINDS = [
    *(
        "",
        "text/xml",
        "application/rss+xml; charset=utf-8",
        "text/xml; charset=undefined",
        "text/html",
    ),
    *(
        "text/xml; charset=idna",
        "text/xml; charset=",
        "text/xml; charset='x",
        "a/b; charset=shift_jis",
        "ü\u3042",
    ),
]


def feed(chosen: random.Random) -> bytes:
    """A feed as it should be."""
    whole, entry = chosen.choice([(RSS, ITEM), (RSS, ITEM), (ATOM, ENTRY), (RDF, RDF_ITEM)])
    label = chosen.choice([*CODECS, "utf-8"])
    items = "".join(entry.format(n=number) for number in range(chosen.choice((1, 3, 20))))
    return whole.format(label=label, items=items).encode(CODECS[label], "replace")


def spoil(chosen: random.Random, content: bytes) -> bytes:
    """Change one place of it."""
    at = chosen.randrange(len(content) + 1)
    end = min(len(content), at + chosen.choice((0, 1, 1, 7, 300)))
    odd = chosen.choice(ODD).encode(chosen.choice(list(CODECS.values())), "replace")
    new = [
        odd,
        b"",
        bytes(chosen.randrange(256) for _ in range(chosen.choice((1, 2, 9)))),
        content[chosen.randrange(len(content) + 1) :][:400],
        feed(chosen)[:500],
        odd * chosen.choice((2, 50)),
    ]
    changed = content[:at] + chosen.choice(new) + content[end:]
    return changed if chosen.random() > 0.03 else changed[:at]


def read_batch(seed: int) -> tuple[Counter[str], float, int]:
    """Read spoilt feeds: what came of them, the slowest's seconds of CPU, by how many bytes memory grew."""
    chosen = random.Random(seed)
    results: Counter[str] = Counter()
    slowest, memory = 0.0, []
    for number in range(COUNT):
        content = feed(chosen)
        for _ in range(chosen.choice((1, 2, 5, 20))):
            content = spoil(chosen, content)
        kind = chosen.choice(KINDS)
        began = time.process_time()
        try:
            results["articles"] += len(read_feed(content, kind, "https://e.com/f#社会", 1.8e9))
        except BadFeed as error:
            results[str(error)] += 1
        slowest = max(slowest, time.process_time() - began)
        if number % 100 == 99:
            gc.collect()
            memory.append(memory_in_use())
    return results, slowest, memory[-1] - memory[0]


def test_mutated_feeds() -> None:
    """Seeded: the same feeds in every run."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        batches = pool.map(read_batch, range(SEED, SEED + BATCHES), chunksize=1)
    results = sum((found for found, _, _ in batches), Counter[str]())
    slowest = max(seconds for _, seconds, _ in batches)
    growth = [grown for _, _, grown in batches]
    print(
        f"\n{dict(results)}, slowest {slowest * 1000:.0f} ms, {[n >> 10 for n in growth]} KB more"
    )
    assert results["articles"] > 10 * results["no feed"]
    assert slowest < 1
    assert max(growth) < 10 << 20
