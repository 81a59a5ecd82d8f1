"""How costs grow with the account: `python -m benchmarks.scale [--sizes 0 0.1 0.3 1] [--runs 5]`.

At size 1 the stack's bucket has 100,000 objects in 200,000 versions, its repository 1,000 images, its zone
10,000 records, its task definition 1,000 revisions, and there are 50 other stacks in the account. They are
put into moto's models directly (benchmarks/populated_account.py). Then `provision recover` recovers a lost
stack.yaml, and `provision teardown --everything --contents` deletes everything. Calls, CPU and memory are
the command's own; the seconds are mostly the emulator's: moto sorts a bucket for every page of it.
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

from benchmarks.harness import CommandRun, Harness, environment, machine

NAME = "news-bot"
# Page sizes: S3 1,000 versions, Route 53 300 record sets, ECS 100 revisions.
A_PAGE = {"versions": 1000, "records": 300, "revisions": 100}
FIGURES = ("seconds", "cpu", "memory")
Counts = dict[str, int]  # the number of each kind of item
Measured = dict[str, tuple[CommandRun, Counter[str]]]  # by verb


@contextlib.contextmanager
def populated_harness() -> Iterator[tuple[Harness, Callable[[float], Counts]]]:
    """Start a sandbox that can be filled, with a user's folder."""
    command = [sys.executable, "-m", "benchmarks.populated_account"]
    with tempfile.TemporaryDirectory(prefix="provision-scale-") as name:
        pipe, environ = subprocess.PIPE, environment(Path(name))
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environ) as process:
            output, sizes = process.stdout, process.stdin
            assert output is not None
            assert sizes is not None

            def fill(size: float) -> Counts:
                print(size, file=sizes, flush=True)
                return dict(json.loads(output.readline()))

            try:
                yield Harness(Path(name), json.loads(output.readline()), 20), fill
            finally:
                sizes.close()
                process.wait(60)


def pages(counts: Counts) -> int:
    """Return the number of pages on which all items are listed once."""
    return sum(-(-counts[name] // a_page) for name, a_page in A_PAGE.items())


def medians(size: float, runs: int) -> tuple[Counts, Measured]:
    """Return medians of several runs: seconds, CPU and memory; counts and calls are the first run's."""
    (counts, first), *more = [run_once(size) for _run in range(runs)]
    every = [first, *(measured for _there, measured in more)]

    def median(verb: str, figure: str) -> float:
        return statistics.median(getattr(measured[verb][0], figure) for measured in every)

    return counts, {
        verb: (replace(took, **{name: median(verb, name) for name in FIGURES}), made)
        for verb, (took, made) in first.items()
    }


def run_once(size: float) -> tuple[Counts, Measured]:
    """Return the counts, and recover and teardown with their calls by operation."""
    with populated_harness() as (bench, fill):
        bench.provision("setup")
        counts = fill(size)
        (bench.folder / "stack.yaml").unlink()
        measured: Measured = {}
        for words in (
            ("recover", "--set", f"name={NAME}"),
            ("teardown", "--everything", "--contents"),
        ):
            before = max((call["number"] for call in bench.calls()), default=-1)
            took = bench.provision(*words)
            measured[words[0]] = (took, Counter(call["operation"] for call in bench.calls(before)))
        return counts, measured


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0, 0.1, 0.3, 1])
    parser.add_argument("--runs", type=int, default=5, help="at size 1 each takes five minutes")
    given = parser.parse_args()
    sizes = given.sizes
    print(f"\n{machine()}; medians of {given.runs} runs\n")
    print("| verb | size | pages | stacks | calls | seconds | CPU s | MB |\n" + "|---" * 8 + "|")
    found = []
    for size in sizes:
        counts, measured = medians(size, given.runs)
        found.append((counts, measured))
        for verb, (took, made) in measured.items():
            print(
                f"| {verb} | {size:g} | {pages(counts)} | {counts['stacks']} | {made.total()} | "
                f"{took.seconds:.1f} | {took.cpu:.2f} | {took.memory:.0f} |",
                flush=True,
            )
    (least, small), (most, large) = found[0], found[-1]
    grown = max(1, pages(most) - pages(least))
    print(f"\nFrom size {sizes[0]:g} to {sizes[-1]:g}, {grown} pages more:\n")
    for verb, (took, made) in large.items():
        first, calls = small[verb]
        more = made - calls
        output = ", ".join(f"{name} {times}" for name, times in more.most_common(8))
        print(
            f"- {verb}: {more.total() / grown:.2f} calls, "
            f"{1000 * (took.cpu - first.cpu) / grown:.1f} ms of CPU, "
            f"{1024 * (took.memory - first.memory) / grown:.1f} KB a page. More calls: {output}"
        )


if __name__ == "__main__":
    main()
