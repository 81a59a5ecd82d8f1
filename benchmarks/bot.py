"""The bot beside line-bot-sdk's flask-echo example: `python -m benchmarks.bot [--rounds 5]`.

Both answer through the same LINE, whose reply endpoint speaks TLS and takes 50 ms, within the webhook's
request; the bot has its whole conversation and 10,000 articles. `--busy 2` keeps the machine busy with two
other processes meanwhile. Ratios of one run on one machine: absolute numbers
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

import trustme

from benchmarks import articles
from benchmarks.harness import machine, middle
from benchmarks.load import Measured, closed, paced
from benchmarks.server_process import NoQuota, Subject, share

SECRET = "secret"
GUNICORN = "gunicorn --worker-class gthread --threads 64 --keep-alive 75 --bind 127.0.0.1:$PORT"
SUBJECTS = {
    "flask-echo": f"{sys.executable} -m {GUNICORN} benchmarks.flask_echo:app",
    "bot": f"{sys.executable} -m bot",
}
QUARTER = (
    "healthy after, s",
    "memory, MB",
    "16 connections, /s",
    "CPU each, ms",
    "p50, ms",
    "p99, ms",
)
WHOLE = ("64 connections, /s", "CPU each, ms", "p50, ms", "p99, ms")
Figures = tuple[float, ...]


def main() -> None:
    """Measure, and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--only", choices=("quarter", "whole"))
    parser.add_argument("--other", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    subjects = SUBJECTS | dict(one.split("=", 1) for one in options.other)
    folder = tempfile.TemporaryDirectory()
    with folder as news, line(0.05, news) as port, busy(options.busy):
        articles.write(Path(news), 10_000)
        environment = {
            "ACCESS_TOKEN": "t" * 172,
            "CHANNEL_SECRET": SECRET,
            "LINE_API_URL": f"https://localhost:{port}",
            "SSL_CERT_FILE": f"{news}/ca.pem",
            "NODE_EXTRA_CA_CERTS": f"{news}/ca.pem",
            "NEWS_URL": news,
        }
        print(f"\n{machine()}; median (middle half) of {options.rounds} rounds")
        for title, columns, measure in (
            ("A quarter of a CPU; p50 and p99 at 20 a second", QUARTER, quarter),
            ("A whole CPU", WHOLE, whole),
        ):
            if options.only not in (None, measure.__name__):
                continue
            found: dict[str, list[Figures]] = {name: [] for name in subjects}
            try:
                for _round in range(options.rounds):  # in turn: what disturbs one disturbs all
                    for name, command in subjects.items():
                        found[name].append(measure(command.split(), environment, options.seconds))
            except NoQuota as error:
                sys.exit(f"No control group can be made here ({error}): nothing was measured.")
            print(f"\n{title}:\n\n| | {' | '.join(columns)} |\n{'|---' * (1 + len(columns))}|")
            for name, rounds in found.items():
                print(f"| {name} | {' | '.join(map(shown, zip(*rounds, strict=True)))} |")


def shown(values: Figures) -> str:
    """As precise as is of use."""
    return middle(list(values), 2 if max(values) < 10 else 0)


def quarter(command: list[str], environment: dict[str, str], seconds: float) -> Figures:
    """Cold start, memory, throughput, and the answers at a quiet pace: as QUARTER has it."""
    with share(0.25) as group:
        subject = Subject(command, environment, group)
        try:
            asyncio.run(closed(subject.port, SECRET, 4, 5))  # warm, and the news is read
            poll_interval = well(asyncio.run(paced(subject.port, SECRET, 20, seconds)))
            healthy, memory = subject.seconds_to_healthy, subject.memory()
            return (healthy, memory, *loaded(subject, 16, seconds)[:2], *tail(poll_interval))
        finally:
            subject.close()


def whole(command: list[str], environment: dict[str, str], seconds: float) -> Figures:
    """Throughput: as WHOLE has it."""
    with share(1.0) as group:
        subject = Subject(command, environment, group)
        try:
            asyncio.run(closed(subject.port, SECRET, 16, 2))
            return loaded(subject, 64, seconds)
        finally:
            subject.close()


def loaded(subject: Subject, connections: int, seconds: float) -> Figures:
    """Answers a second, milliseconds of CPU for each, p50 and p99, with as many at a time."""
    before = subject.cpu()
    full = well(asyncio.run(closed(subject.port, SECRET, connections, seconds)))
    each = (subject.cpu() - before) / len(full.seconds) * 1000
    return (full.rate, each, *tail(full))


def tail(measured: Measured) -> Figures:
    """p50 and p99, in milliseconds."""
    return (measured.percentile(0.5), measured.percentile(0.99))


def well(measured: Measured) -> Measured:
    """Do the same, and end the benchmark where a request failed: fast refusals are no answers."""
    if measured.failed:
        raise SystemExit(f"{measured.failed} of {len(measured.seconds)} requests failed")
    return measured


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Meanwhile so many processes compute without a pause."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextmanager
def line(delay: float, folder: str) -> Iterator[int]:
    """Start LINE as a process of its own, its authority in `ca.pem`. Return its port."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(f"{folder}/ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        f"{folder}/line.pem"
    )
    command = [sys.executable, "-m", "benchmarks.line_stub", str(delay), f"{folder}/line.pem"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    main()
