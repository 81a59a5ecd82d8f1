"""Search in 10,000 articles: `python -m benchmarks.bot_search [--articles N]`.

Queries are words of one to four letters from the articles, words that occur nowhere, and two words; each as a
user asks, for the first page. Then whole answers to the most expensive questions: nothing is found, and
mistyped words are looked for. Milliseconds of CPU and of wall time, which other programs on the machine
affect.
"""

import argparse
import random
import time

from benchmarks.articles import generate
from bot.events import read_event
from bot.handlers import answer
from bot.messages import SHOWN
from bot.news.articles import Article, ArticleIndex, page

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
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=2000)
    options = parser.parse_args()
    found = generate(options.articles, time.time())
    began = time.process_time()
    index = ArticleIndex(found)
    print(f"{options.articles} articles normalised in {time.process_time() - began:.1f} s of CPU")
    chosen = random.Random(1)
    wall, cpu, hits = [], [], 0
    for _ in range(options.questions):
        words = make_query(chosen, found)
        began, began_cpu = time.perf_counter(), time.process_time()
        articles, _more = page(index.search(words), 0, SHOWN)
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
        hits += bool(articles)
    print(f"{options.questions} questions, {hits} with an answer")
    for name, times in (("clock", wall), ("CPU", cpu)):
        times.sort()
        shares = [times[int(share * len(times))] for share in (0.5, 0.9, 0.99)]
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


def make_query(chosen: random.Random, articles: list[Article]) -> str:
    """Return a query that a user may send."""
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
