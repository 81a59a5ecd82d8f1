"""`python -m tests.torture [--short]`: print the report; exit status 1 if anything was lost.

The scenarios run in parallel, each with its own sandbox (moto has one account per process).
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
from tests.torture.environment import FAULTY, SPEED, TortureEnvironment
from tests.torture.scenarios import FAULTS, Report

PARALLEL = 3  # scenarios; some of them are always waiting
SHORT = 2  # interruptions per command in a short run
SAMPLE = (
    "killed before a call",
    "killed after a call",
    "killed while writing",
    "Ctrl-C before a call",
    "lost x 1",
)


def all_scenarios(most: int) -> dict[str, Callable[[TortureEnvironment], Report]]:
    """Return the scenarios by name; each begins with its own account."""
    named: dict[str, Callable[[TortureEnvironment], Report]] = {}
    for moment in ("before", "after"):
        step = scenarios.kill(moment)
        named[f"killed {moment} a call"] = lambda g, s=step: scenarios.run_all_commands(g, s, most)
    named["killed while writing"] = lambda g: scenarios.run_all_commands(
        g, scenarios.kill_while_writing(), most
    )
    step = scenarios.interrupt("before")
    named["Ctrl-C before a call"] = lambda g, s=step: scenarios.run_all_commands(g, s, most)
    named["Ctrl-C while waiting"] = lambda g: scenarios.run_all_commands(
        g, scenarios.interrupt_waits(), most
    )
    for kind, times, when in FAULTS:
        named[f"{kind} x {times}"] = lambda g, f=(kind, times, when): scenarios.run_with_faults(
            g, *f
        )
    named["two at once"] = scenarios.run_two_setups
    return named


def run_scenario(name: str, most: int) -> tuple[str, Report, float]:
    """Run one scenario in its own process."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        environment = TortureEnvironment(Path(folder), FAULTY if " x " in name else SPEED)
        try:
            report = all_scenarios(most)[name](environment)
        finally:
            environment.close()
    report.stuck = [f"{name}: {line}" for line in report.stuck]
    return name, report, time.monotonic() - began


def main() -> int:
    """Run the scenarios, print the report, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a sample, for CI")
    parser.add_argument("parts", nargs="*", help="only these")
    given = parser.parse_args()
    most, total = SHORT if given.short else scenarios.MOST, Report()
    wanted = given.parts or (SAMPLE if given.short else tuple(all_scenarios(most)))
    names, began = (
        [(name, most) for name in all_scenarios(most) if name in wanted],
        time.monotonic(),
    )
    with multiprocessing.get_context("spawn").Pool(PARALLEL, maxtasksperchild=1) as pool:
        for task in [pool.apply_async(run_scenario, name) for name in names]:
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
