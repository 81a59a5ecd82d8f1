"""The bot beside line-bot-sdk's flask-echo example: `python -m benchmarks.bot [--seconds N]`.

Both answer through the same LINE, whose reply endpoint takes 50 ms, within the webhook's request; the
bot has its whole conversation and 10,000 articles. Ratios of one run on one machine: absolute numbers
are this machine's at this hour. `--other NAME='COMMAND'` measures another server the same way: it finds
PORT, ACCESS_TOKEN, CHANNEL_SECRET and LINE_API_URL in its environment, and answers /healthz and /webhook.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import articles
from benchmarks.load import Measured, closed, paced
from benchmarks.subject import NoQuota, Subject, share

SECRET = "secret"
GUNICORN = "gunicorn --worker-class gthread --threads 64 --keep-alive 75 --bind 127.0.0.1:$PORT"
SUBJECTS = {
    "flask-echo": f"{sys.executable} -m {GUNICORN} benchmarks.flask_echo:app",
    "bot": f"{sys.executable} -m bot",
}
HEAD = "| | healthy after | memory | 16 connections | CPU each | 20 a second: p50 / p99 |"
WHOLE = "| | 64 connections | CPU each | p50 / p99 |"


def main() -> None:
    """Measure, and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    subjects = SUBJECTS | dict(one.split("=", 1) for one in options.other)
    with tempfile.TemporaryDirectory() as news, line(0.05) as port:
        articles.write(Path(news), 10_000)
        environment = {
            "ACCESS_TOKEN": "t" * 172,
            "CHANNEL_SECRET": SECRET,
            "LINE_API_URL": f"http://127.0.0.1:{port}",
            "NEWS_URL": news,
        }
        try:
            print(f"\nA quarter of a CPU:\n\n{HEAD}\n{'|---' * 6}|")
            for name, command in subjects.items():
                quarter(name, command.split(), environment, options.seconds)
            print(f"\nA whole CPU:\n\n{WHOLE}\n{'|---' * 4}|")
            for name, command in subjects.items():
                whole(name, command.split(), environment, options.seconds)
        except NoQuota as error:
            sys.exit(f"No control group can be made here ({error}): nothing was measured.")


def quarter(name: str, command: list[str], environment: dict[str, str], seconds: float) -> None:
    """Cold start, memory, throughput, and the answers at a quiet pace."""
    with share(0.25) as group:
        subject = Subject(command, environment, group)
        try:
            asyncio.run(closed(subject.port, SECRET, 4, 5))  # warm, and the news is read
            pace = asyncio.run(paced(subject.port, SECRET, 20, seconds))
            before = subject.cpu()
            full = asyncio.run(closed(subject.port, SECRET, 16, seconds))
            each = (subject.cpu() - before) / len(full.seconds) * 1000
            print(
                f"| {name} | {subject.seconds_to_healthy:.2f} s | {subject.memory():.0f} MB | "
                f"{full.rate:.0f}/s{failures(full)} | {each:.2f} ms | "
                f"{pace.percentile(0.5):.0f} / {pace.percentile(0.99):.0f} ms{failures(pace)} |",
                flush=True,
            )
        finally:
            subject.close()


def whole(name: str, command: list[str], environment: dict[str, str], seconds: float) -> None:
    """Throughput."""
    with share(1.0) as group:
        subject = Subject(command, environment, group)
        try:
            asyncio.run(closed(subject.port, SECRET, 16, 2))
            before = subject.cpu()
            full = asyncio.run(closed(subject.port, SECRET, 64, seconds))
            each = (subject.cpu() - before) / len(full.seconds) * 1000
            print(
                f"| {name} | {full.rate:.0f}/s{failures(full)} | {each:.2f} ms | "
                f"{full.percentile(0.5):.0f} / {full.percentile(0.99):.0f} ms |",
                flush=True,
            )
        finally:
            subject.close()


def failures(measured: Measured) -> str:
    """Said only where there are some."""
    return f" ({measured.failed} failed)" if measured.failed else ""


@contextmanager
def line(delay: float) -> Iterator[int]:
    """A LINE as a process of its own; its port."""
    command = [sys.executable, "-m", "benchmarks.line_stub", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    main()
