"""A server of one RSS feed, new every hour, for the news collector without internet access.

RSS 2.0 (rssboard.org/rss-specification). The articles are about the sandbox, so that nobody takes them for
news.
"""

import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any
from xml.etree import ElementTree

from werkzeug.wrappers import Request, Response

PATH = "/news.xml"
HOUR = 3600
# Category, headline, summary; the first is the newest, each of the others two hours older.
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
        "登録事業者のサイトで入力すれば、DNSが動きだします。",
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
    """The feed, as a WSGI application; `clock` returns epoch seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the feed of the current hour."""
        request = Request(environ)
        if request.path != PATH:
            return Response("Not Found", status=404)(environ, start_response)
        hour = int(self._clock() // HOUR) * HOUR
        response = Response(feed(hour), mimetype="application/rss+xml")
        response.set_etag(str(hour))
        return response.make_conditional(request)(environ, start_response)


def feed(hour: int) -> bytes:
    """Return the feed of this hour."""
    rss = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(rss, "channel")
    ElementTree.SubElement(channel, "title").text = "サンドボックス新報"
    ElementTree.SubElement(channel, "link").text = "https://news.example/"
    for number, (category, headline, summary) in enumerate(REPORTS):
        item = ElementTree.SubElement(channel, "item")
        elements = {
            "title": headline,
            "link": f"https://news.example/{hour}/{number}",
            "description": summary,
            "category": category,
            "pubDate": formatdate(hour - number * 2 * HOUR, usegmt=True),
        }
        for name, text in elements.items():
            ElementTree.SubElement(item, name).text = text
    return bytes(ElementTree.tostring(rss, encoding="utf-8", xml_declaration=True))
