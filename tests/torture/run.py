"""`python -m tests.torture [--short]`: prints the report; exit status 1 where anything was lost.

The parts run side by side, each with a sandbox of its own (moto is one account a process).
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.torture import scenarios
from tests.torture.environment import FAULTY, SPEED, Ground
from tests.torture.scenarios import FAULTS, Report

SIDE_BY_SIDE = 3  # parts, of which one or another always waits
SHORT = 2  # hits of a command, where there is no time for all of them
SAMPLE = (
    "killed before a call",
    "killed after a call",
    "killed while writing",
    "Ctrl-C before a call",
    "lost x 1",
)


def every_part(most: int) -> dict[str, Callable[[Ground], Report]]:
    """By name; each begins with an account of its own."""
    named: dict[str, Callable[[Ground], Report]] = {}
    for moment in ("before", "after"):
        step = scenarios.killed(moment)
        named[f"killed {moment} a call"] = lambda g, s=step: scenarios.walk(g, s, most)
    named["killed while writing"] = lambda g: scenarios.walk(g, scenarios.unplugged(), most)
    step = scenarios.interrupted("before")
    named["Ctrl-C before a call"] = lambda g, s=step: scenarios.walk(g, s, most)
    named["Ctrl-C while waiting"] = lambda g: scenarios.walk(
        g, scenarios.interrupted_waiting(), most
    )
    for kind, times, when in FAULTS:
        named[f"{kind} x {times}"] = lambda g, f=(kind, times, when): scenarios.faulty(g, *f)
    named["two at once"] = scenarios.two_at_once
    return named


def one(name: str, most: int) -> tuple[str, Report, float]:
    """One part, in a process of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder), FAULTY if " x " in name else SPEED)
        try:
            report = every_part(most)[name](ground)
        finally:
            ground.close()
    report.stuck = [f"{name}: {line}" for line in report.stuck]
    return name, report, time.monotonic() - began


def main() -> int:
    """Every part, the report, the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a sample, for CI")
    parser.add_argument("parts", nargs="*", help="only these")
    given = parser.parse_args()
    most, total = SHORT if given.short else scenarios.MOST, Report()
    wanted = given.parts or (SAMPLE if given.short else tuple(every_part(most)))
    names, began = [(name, most) for name in every_part(most) if name in wanted], time.monotonic()
    with multiprocessing.get_context("spawn").Pool(SIDE_BY_SIDE, maxtasksperchild=1) as pool:
        for task in [pool.apply_async(one, name) for name in names]:
            name, report, seconds = task.get()
            total.add(report)
            cases = report.boundaries + report.faults
            print(f"{name:24} {cases:5} cases  {seconds:6.1f} s", flush=True)
    print(f"{date.today()}, {os.cpu_count()} cores, {time.monotonic() - began:.0f} s")
    for line in total.stuck:
        print(f"STUCK: {line}")
    print(f"boundaries tried:          {total.boundaries}")
    print(f"faults tried:              {total.faults}")
    print(f"duplicates created:        {total.duplicates}")
    print(f"resources left:            {total.left}")
    print(f"foreign resources touched: {total.foreign}")
    print(f"files damaged:             {total.damaged}")
    return 0 if total.clean else 1
