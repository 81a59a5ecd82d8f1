"""A server of one RSS feed, new every hour, with its articles and pictures, without internet access.

RSS 2.0 (rssboard.org/rss-specification), pictures as enclosures. The articles are about the sandbox, so that
nobody takes them for news. Their addresses are on SITE, where the page of the sandbox finds them.
"""

import html
import json
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any
from xml.etree import ElementTree

from werkzeug.wrappers import Request, Response

PATH = "/news.xml"
SITE = "https://news.example/"
BROKEN = "/_sandbox/broken"
HOUR = 3600
TITLE = "サンドボックス新報"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'"
}
# Category, headline, summary. Every hour one is published, from the last to the first and again.
REPORTS = (
    (
        "サンドボックス",
        "ロードバランサーは今日も健康",
        "ヘルスチェックは5秒ごとに200を受け取っています。",
    ),
    ("天気", "クラウドは快晴", "東京リージョンの午後は、すべてのゾーンで穏やかな見込みです。"),
    ("技術", "証明書が1分で発行される", "CNAMEレコードが見つかれば、あとは待つだけです。"),
    (
        "サンドボックス",
        "スポットタスクが戻される",
        "2分の猶予のあいだに、次のタスクが立ち上がりました。",
    ),
    (
        "経済",
        "一時停止で月28ドルの節約",
        "ロードバランサーとアドレスが、時間あたりの料金のほとんどです。",
    ),
    (
        "技術",
        "ネームサーバー4台、委任を待つ",
        "レジストラのサイトで入力すれば、DNSが動きだします。",
    ),
    (
        "技術",
        "署名のないWebhookは受け取らない",
        "LINEから届いたものかどうかは、チャネルシークレットで確かめます。",
    ),
    (
        "天気",
        "メンテナンス日和が続く",
        "週末はサーバーも休みます。月曜の朝には、いつもの時刻に起動するでしょう。",
    ),
    (
        "English",
        "A bot answers within a second",
        "It reads the news from a bucket, through a cache.",
    ),
    (
        "English",
        "Nothing is left behind",
        "Teardown looks in each service's own lists, and finds none.",
    ),
)


class FeedServer:
    """The feed, its articles and their pictures, as a WSGI application; `clock` returns epoch seconds.

    POST /_sandbox/broken {"broken": true} makes it return what is no feed.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.broken = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the feed of the current hour, an article, or a picture."""
        request = Request(environ)
        response = Response("Not Found", status=404)
        found = re.fullmatch(r"/(\d{1,12})/(\d{1,2})(\.png)?", request.path)
        if request.path == PATH:
            response = self._feed(request)
        elif request.path == BROKEN:
            response = self._switch(request)
        elif found and int(found[2]) < len(REPORTS):
            number = int(found[2])
            response = Response(article(number), headers=HEADERS, mimetype="text/html")
            if found[3]:
                response = Response(picture(number), mimetype="image/png")
        return response(environ, start_response)

    def _feed(self, request: Request) -> Response:
        if self.broken:
            return Response("<h1>It works!</h1>", mimetype="text/html")
        hour = int(self._clock() // HOUR) * HOUR
        response = Response(feed(hour), mimetype="application/rss+xml")
        response.set_etag(str(hour))
        return response.make_conditional(request)

    def _switch(self, request: Request) -> Response:
        if request.method == "POST":
            body = request.get_json(force=True, silent=True)
            if not isinstance(body, dict) or not isinstance(body.get("broken"), bool):
                error = json.dumps({"error": "broken is true or false"})
                return Response(error, 400, mimetype="application/json")
            self.broken = body["broken"]
        return Response(json.dumps({"broken": self.broken}), mimetype="application/json")


def feed(hour: int) -> bytes:
    """Return the feed of this hour: each report once, the newest first. hour: its beginning."""
    rss = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(rss, "channel")
    ElementTree.SubElement(channel, "title").text = TITLE
    ElementTree.SubElement(channel, "link").text = SITE
    for age in range(len(REPORTS)):
        published = hour - age * HOUR
        number = -published // HOUR % len(REPORTS)
        category, headline, summary = REPORTS[number]
        item = ElementTree.SubElement(channel, "item")
        elements = {
            "title": headline,
            "link": f"{SITE}{published}/{number}",
            "description": summary,
            "category": category,
            "pubDate": formatdate(published, usegmt=True),
        }
        for name, text in elements.items():
            ElementTree.SubElement(item, name).text = text
        picture_of = {"url": f"{SITE}{published}/{number}.png", "type": "image/png", "length": "0"}
        ElementTree.SubElement(item, "enclosure", picture_of)
    return bytes(ElementTree.tostring(rss, encoding="utf-8", xml_declaration=True))


def article(number: int) -> str:
    """Return the page behind an article's link."""
    category, headline, summary = map(html.escape, REPORTS[number])
    language = "en" if category == "English" else "ja"
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{headline}</title>'
        "<style>body{max-width:38rem;margin:0 auto;padding:1.5rem;font:1rem/1.8 system-ui,sans-serif}"
        "img{width:100%;border-radius:.5rem}small{color:#555}</style>"
        f"<main><small>{TITLE} · {category}</small><h1>{headline}</h1>"
        f'<img src="{number}.png" alt=""><p>{summary}</p></main></html>'
    )


def picture(number: int) -> bytes:
    """Return a PNG: a sky with a sun, in colours of the article's own."""
    width, height = 600, 390
    hue = (number * 67 + 20) % 256
    centre, radius = (120 + number * 67 % 360, 130 + number * 37 % 90), 60
    rows = bytearray()
    for y in range(height):
        sky = bytes(
            (hue * (height - y) // height, 90 + 120 * y // height, 200 - hue * y // height // 2)
        )
        half = max(0, radius**2 - (y - centre[1]) ** 2) ** 0.5
        left, right = int(centre[0] - half), int(centre[0] + half)
        sun = b"\xff\xe9\xb0" * (right - left)
        rows += b"\0" + sky * left + sun + sky * (width - right)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
