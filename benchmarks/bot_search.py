"""Searching 10,000 articles: `python -m benchmarks.bot_search [--articles N]`.

Words of one to four letters cut out of the articles, words that are nowhere, and two at a time; each as
the conversation asks, for the first page. Then whole answers to the questions that cost most: nothing is
found, and mistyped words are looked for. Milliseconds of CPU and of the clock, which other programs on the
machine lengthen.
"""

import argparse
import random
import time

from benchmarks.articles import made
from bot.events import read_event
from bot.handlers import answer
from bot.messages import SHOWN
from bot.news.articles import Article, ArticleFile, ArticleIndex, page

DAY = 86400
WORST = [
    "zebra",
    "シマウマ",
    "load balencer",
    "の に は を が と も で 鑞",
    "the of in to for with zz",
    "a" * 200,
    "あ" * 200,
    " ".join(f"鑞{number}" for number in range(60)),
    " ".join(chr(0x3042 + number) + "月" for number in range(60)),
    "HI " * 60,
]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=2000)
    options = parser.parse_args()
    found = made(options.articles, time.time())
    began = time.process_time()
    index = by_day(found)
    print(f"{options.articles} articles normalised in {time.process_time() - began:.1f} s of CPU")
    chosen = random.Random(1)
    wall, cpu, hits = [], [], 0
    for _ in range(options.questions):
        words = question(chosen, found)
        began, began_cpu = time.perf_counter(), time.process_time()
        articles, _more = page(index.search(words), 0, SHOWN)
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
        hits += bool(articles)
    print(f"{options.questions} questions, {hits} with an answer")
    for name, exists in (("clock", wall), ("CPU", cpu)):
        exists.sort()
        shares = [exists[int(share * len(exists))] for share in (0.5, 0.9, 0.99)]
        print(f"{name}: p50 {shares[0]:.2f}  p90 {shares[1]:.2f}  p99 {shares[2]:.2f} ms")
    slowest = max((answer_ms(words, index), words) for words in WORST)
    print(f"whole answers, CPU: at most {slowest[0]:.2f} ms, to {slowest[1][:20]!r}")


def answer_ms(words: str, index: ArticleIndex) -> float:
    """Return the milliseconds of CPU that the answer takes, the median of nine."""
    event = read_event(
        {"type": "message", "replyToken": "r", "message": {"type": "text", "text": words}}
    )
    times = []
    for _ in range(9):
        began = time.process_time()
        answer(event, index, time.time())
        times.append((time.process_time() - began) * 1000)
    return sorted(times)[4]


def by_day(articles: list[Article]) -> ArticleIndex:
    """As the collector packs them and the bot reads them."""
    days: dict[int, list[Article]] = {}
    for article in articles:
        days.setdefault(int(article.published // DAY), []).append(article)
    return ArticleIndex(ArticleFile(day) for day in days.values())


def question(chosen: random.Random, articles: list[Article]) -> str:
    """Return what somebody may ask."""
    text = chosen.choice(articles).summary
    at, length = chosen.randrange(len(text) - 4), chosen.choice((1, 2, 2, 3, 4))
    words = text[at : at + length]
    if chosen.random() < 0.3:
        words = "".join(chr(chosen.randrange(0x4E00, 0x9FA0)) for _ in range(2))
    if chosen.random() < 0.3:
        other = chosen.choice(articles).title
        words += f" {other[:3]}"
    return words


if __name__ == "__main__":
    main()
