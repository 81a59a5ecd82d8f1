"""Articles for benchmarks: as long as real ones, with words as frequent as in real ones."""

import random
import time
from pathlib import Path

from bot.news.articles import Article
from bot.news.collector import publish
from bot.news.store import Folder

PARTS = (
    *(
        "ロケット",
        "打ち上げ",
        "宇宙",
        "月",
        "探査",
        "科学",
        "技術",
        "研究",
        "開発",
        "発表",
        "新しい",
    ),
    *(
        "東京",
        "大阪",
        "経済",
        "株価",
        "上昇",
        "下落",
        "政府",
        "会議",
        "首相",
        "地震",
        "台風",
        "天気",
    ),
    *(
        "予報",
        "選手",
        "試合",
        "優勝",
        "世界",
        "記録",
        "映画",
        "音楽",
        "公開",
        "人気",
        "企業",
        "開始",
    ),
    *("サービス", "料金", "値上げ", "クラウド", "データ", "人工知能", "学習", "半導体", "工場"),
    *(
        "自動車",
        "電気",
        "環境",
        "温暖化",
        "対策",
        "医療",
        "病院",
        "ワクチン",
        "大学",
        "学生",
        "教育",
    ),
    *("記事", "について", "による", "として", "ため", "から", "まで", "という", "ことが", "した"),
)
CATEGORIES = (
    "科学",
    "テクノロジー",
    "経済",
    "スポーツ",
    "国際",
    "社会",
    "文化",
    "Science",
    "World",
)


def generate(count: int, now: float, seed: int = 0) -> list[Article]:
    """Return so many articles of the last thirty days."""
    chosen = random.Random(seed)

    def words(least: int) -> str:
        text = ""
        while len(text) < least:
            text += chosen.choice(PARTS)
            if chosen.random() < 0.1:  # rare words, like names and numbers
                text += "".join(chr(chosen.randrange(0x4E00, 0x9FA0)) for _ in range(2))
        return text

    return [
        Article(
            title=words(30),
            url=f"https://news.example.com/articles/2026/{number:08d}.html",
            category=chosen.choice(CATEGORIES),
            summary=words(120),
            source=f"サンプル新聞{chosen.randrange(10)}",
            published=now - chosen.random() * 29 * 86400,
            image=f"https://news.example.com/images/{number:08d}.jpg",
        )
        for number in range(count)
    ]


def write(folder: Path, count: int) -> None:
    """Write articles as the collector does."""
    publish(Folder(str(folder)), generate(count, time.time()), {})
