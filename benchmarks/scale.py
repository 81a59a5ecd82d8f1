"""What an account that has grown costs: `python -m benchmarks.scale [--sizes 0 0.1 0.3 1] [--runs 5]`.

At size 1 the stack's bucket holds 100,000 objects in 200,000 versions, its repository 1,000 images, its zone
10,000 records, its task definition has 1,000 revisions, and 50 other stacks stand in the account. They are
put into moto's models directly (benchmarks/populated_account.py). Then `provision recover` writes a lost
stack.yaml anew, and `provision teardown --everything --contents` deletes everything. Calls, CPU and memory
are the command's own; the seconds are mostly the emulator's: moto sorts a bucket for every page of it.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Stage, Took, environment, machine

NAME = "news-bot"
# What one call lists or takes: S3 1,000 versions, Route 53 300 record sets, ECS 100 revisions.
A_PAGE = {"versions": 1000, "records": 300, "revisions": 100}
FIGURES = ("seconds", "cpu", "memory")
There = dict[str, int]  # how many of each thing
Measured = dict[str, tuple[Took, Counter[str]]]  # by verb


@contextlib.contextmanager
def stage() -> Iterator[tuple[Stage, Callable[[float], There]]]:
    """Start a sandbox that can be filled, with a person's folder."""
    command = [sys.executable, "-m", "benchmarks.populated_account"]
    with tempfile.TemporaryDirectory(prefix="provision-scale-") as name:
        pipe, environ = subprocess.PIPE, environment(Path(name))
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environ) as process:
            told, orders = process.stdout, process.stdin
            assert told is not None
            assert orders is not None

            def fill(size: float) -> There:
                print(size, file=orders, flush=True)
                return dict(json.loads(told.readline()))

            try:
                yield Stage(Path(name), json.loads(told.readline()), 20), fill
            finally:
                orders.close()
                process.wait(60)


def pages(there: There) -> int:
    """Pages in which all of it is listed once."""
    return sum(-(-there[name] // a_page) for name, a_page in A_PAGE.items())


def medians(size: float, runs: int) -> tuple[There, Measured]:
    """Of several runs: seconds, CPU and memory of each verb; what there was and the calls as in the first."""
    (there, first), *more = [run(size) for _run in range(runs)]
    every = [first, *(measured for _there, measured in more)]

    def median(verb: str, figure: str) -> float:
        return statistics.median(getattr(measured[verb][0], figure) for measured in every)

    return there, {
        verb: (replace(took, **{name: median(verb, name) for name in FIGURES}), made)
        for verb, (took, made) in first.items()
    }


def run(size: float) -> tuple[There, Measured]:
    """Return what there was; and recover and teardown, each with its calls by operation."""
    with stage() as (on, fill):
        on.provision("setup")
        there = fill(size)
        (on.folder / "stack.yaml").unlink()
        measured: Measured = {}
        for words in (
            ("recover", "--set", f"name={NAME}"),
            ("teardown", "--everything", "--contents"),
        ):
            before = max((call["number"] for call in on.calls()), default=-1)
            took = on.provision(*words)
            measured[words[0]] = (took, Counter(call["operation"] for call in on.calls(before)))
        return there, measured


def main() -> None:
    """Measures, and prints tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0, 0.1, 0.3, 1])
    parser.add_argument("--runs", type=int, default=5, help="at size 1 each takes five minutes")
    given = parser.parse_args()
    sizes = given.sizes
    print(f"\n{machine()}; medians of {given.runs} runs\n")
    print("| verb | size | pages | stacks | calls | seconds | CPU s | MB |\n" + "|---" * 8 + "|")
    found = []
    for size in sizes:
        there, measured = medians(size, given.runs)
        found.append((there, measured))
        for verb, (took, made) in measured.items():
            print(
                f"| {verb} | {size:g} | {pages(there)} | {there['stacks']} | {made.total()} | "
                f"{took.seconds:.1f} | {took.cpu:.2f} | {took.memory:.0f} |",
                flush=True,
            )
    (least, small), (most, large) = found[0], found[-1]
    grown = max(1, pages(most) - pages(least))
    print(f"\nFrom size {sizes[0]:g} to {sizes[-1]:g}, {grown} pages more:\n")
    for verb, (took, made) in large.items():
        first, calls = small[verb]
        more = made - calls
        told = ", ".join(f"{name} {times}" for name, times in more.most_common(8))
        print(
            f"- {verb}: {more.total() / grown:.2f} calls, "
            f"{1000 * (took.cpu - first.cpu) / grown:.1f} ms of CPU, "
            f"{1024 * (took.memory - first.memory) / grown:.1f} KB a page. More calls: {told}"
        )


if __name__ == "__main__":
    main()
