"""The bot compared with line-bot-sdk's flask-echo example: `python -m benchmarks.bot [--rounds 5]`.

Both answer through the same LINE, whose reply endpoint uses TLS and takes 50 ms, within the webhook's
request; the bot has all its features and 10,000 articles. `--busy 2` keeps the machine busy with two other
processes meanwhile. Compare ratios within one run on one machine: absolute numbers depend on the machine.
`--other NAME='COMMAND'` measures another server the same way: it finds PORT, ACCESS_TOKEN, CHANNEL_SECRET and
LINE_API_URL in its environment, and serves /healthz and /webhook.
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
from benchmarks.harness import format_median, machine
from benchmarks.load import LoadResult, send_at_rate, send_continuously
from benchmarks.server_process import NoQuota, ServerProcess, limit_cpu

SECRET = "secret"
GUNICORN = "gunicorn --worker-class gthread --threads 64 --keep-alive 75 --bind 127.0.0.1:$PORT"
SERVERS = {
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
    servers = SERVERS | dict(one.split("=", 1) for one in options.other)
    folder = tempfile.TemporaryDirectory()
    with folder as news, run_line(0.05, news) as port, busy_processes(options.busy):
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
            found: dict[str, list[Figures]] = {name: [] for name in servers}
            try:
                for _round in range(options.rounds):  # in turn, so that disturbances affect all
                    for name, command in servers.items():
                        found[name].append(measure(command.split(), environment, options.seconds))
            except NoQuota as error:
                sys.exit(f"No control group can be made here ({error}): nothing was measured.")
            print(f"\n{title}:\n\n| | {' | '.join(columns)} |\n{'|---' * (1 + len(columns))}|")
            for name, rounds in found.items():
                print(f"| {name} | {' | '.join(map(format_values, zip(*rounds, strict=True)))} |")


def format_values(values: Figures) -> str:
    """Format values with useful precision."""
    return format_median(list(values), 2 if max(values) < 10 else 0)


def quarter(command: list[str], environment: dict[str, str], seconds: float) -> Figures:
    """Return the columns of QUARTER: start, memory, throughput, and latency at a low rate."""
    with limit_cpu(0.25) as group:
        server = ServerProcess(command, environment, group)
        try:
            # Warm up, until the news is read.
            asyncio.run(send_continuously(server.port, SECRET, 4, 5))
            quiet = check_success(asyncio.run(send_at_rate(server.port, SECRET, 20, seconds)))
            healthy, memory = server.seconds_to_healthy, server.memory()
            return (healthy, memory, *measure_load(server, 16, seconds)[:2], *percentiles(quiet))
        finally:
            server.close()


def whole(command: list[str], environment: dict[str, str], seconds: float) -> Figures:
    """Return the columns of WHOLE: throughput and latency."""
    with limit_cpu(1.0) as group:
        server = ServerProcess(command, environment, group)
        try:
            asyncio.run(send_continuously(server.port, SECRET, 16, 2))
            return measure_load(server, 64, seconds)
        finally:
            server.close()


def measure_load(server: ServerProcess, connections: int, seconds: float) -> Figures:
    """Return answers per second, milliseconds of CPU each, p50 and p99, with that many connections."""
    before = server.cpu()
    full = check_success(asyncio.run(send_continuously(server.port, SECRET, connections, seconds)))
    each = (server.cpu() - before) / len(full.seconds) * 1000
    return (full.rate, each, *percentiles(full))


def percentiles(measured: LoadResult) -> Figures:
    """Return p50 and p99, in milliseconds."""
    return (measured.percentile(0.5), measured.percentile(0.99))


def check_success(measured: LoadResult) -> LoadResult:
    """Return the same; end the benchmark if a request failed, as fast errors are no answers."""
    if measured.failed:
        raise SystemExit(f"{measured.failed} of {len(measured.seconds)} requests failed")
    return measured


@contextmanager
def busy_processes(processes: int) -> Iterator[None]:
    """Keep so many processes computing without a pause."""
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
def run_line(delay: float, folder: str) -> Iterator[int]:
    """Run LINE as a process, with its certificate authority in `ca.pem`; yield its port."""
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
