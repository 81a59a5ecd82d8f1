"""How long a user waits, beside the floor: `python -m benchmarks.setup [--speed N] [--runs N] [--facts]`.

--only setup teardown: only these commands; what they need is set up at once and not measured.
--apart 20: run in parallel, started that many seconds apart; at real time nearly everything is waiting.

The sandbox is the model of AWS: each call takes --latency seconds, and AWS's delays are those of the issue's
model, or with --facts the medians found in other tools' logs. --speed shortens these delays; calls, and the
client's own work, take real time, so at a high speed they weigh more than on AWS. Time for which the
sandbox's clock stops (while bots are being started on the same cores) is not counted. `provision` is its own
process, and its start is included in every figure.

The floor (benchmarks/floor.py) is the longest chain of calls and waits on the same model, plus the start of a
Python that imports boto3 and creates the clients, measured here. From delegated to live: from the registrar's
entry to the end of the setup that was waiting for it.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import TypeVar

from benchmarks import floor
from benchmarks.floor import Model
from benchmarks.harness import format_median, machine
from benchmarks.measurements import (
    COMMANDS,
    Run,
    count_round_trips,
    measure_bot_shutdown,
    measure_commands,
    measure_delegation,
    measure_start_up,
)
from provision.sandbox.delays import Delays

# Certificate, load balancer and interfaces as in sandbox/delays.py; a drain 30 s; a service 60 s, of which
# the last 10, until ECS reports it steady, cannot begin before the load balancer is active.
MODEL = {"task_start": 50.0, "steady": 10.0, "service_drain": 30.0}
# AWS-FACTS.md, "How long things take": medians of other tools' logs.
FACTS = {
    "certificate": 54.0,
    "load_balancer": 158.0,
    "task_start": 100.0,
    "steady": 63.0,
    "network_interfaces": 150.0,
    "service_drain": 245.0,
    "route53_sync": 37.0,
}
T = TypeVar("T")
DELEGATED = "delegated"  # measured besides the commands


def floors(model: Model, start: float) -> dict[str, tuple[float, int]]:
    """Return seconds and calls by command."""
    resources = floor.default_stack().resources
    inspection = (start + floor.inspection_seconds(model), floor.inspection_calls(resources))
    return {
        "setup": (start + floor.setup_seconds(resources, model), floor.setup_calls(resources)),
        "rerun": inspection,
        "status": inspection,
        "plan": inspection,
        "pause": (start + floor.pause_seconds(model), floor.pause_calls(resources)),
        "resume": (start + floor.resume_seconds(resources, model), floor.resume_calls(resources)),
        "teardown": (start + floor.teardown_seconds(model), floor.teardown_calls(resources)),
    }


def table(runs: list[dict[str, Run]], lowest: dict[str, tuple[float, int]]) -> list[str]:
    """Return rows of Markdown."""
    rows = ["| | seconds | floor | ratio | calls | floor | ratio | CPU s | MB |", "|---" * 9 + "|"]
    for verb in runs[0]:
        (seconds, calls), found = lowest[verb], [run[verb] for run in runs]
        took = statistics.median(run.seconds for run in found)
        made = statistics.median(run.calls for run in found)
        rows.append(
            f"| {verb} | {format_median([run.seconds for run in found])} | {seconds:.2f} | "
            f"{took / seconds:.2f} | {made:.0f} | {calls} | {made / calls:.2f} | "
            f"{statistics.median(run.cpu for run in found):.2f} | "
            f"{max(run.memory for run in found):.0f} |"
        )
    return rows


def run_all(run: Callable[[], T], runs: int, apart: float | None) -> list[T]:
    """Return the results of each run."""
    if apart is None:
        return [run() for _run in range(runs)]

    def run_later(number: int) -> T:
        time.sleep(number * apart)
        return run()

    with ThreadPoolExecutor(max(1, runs)) as threads:
        return list(threads.map(run_later, range(runs)))


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=float, default=20, help="1: real time, five minutes a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--apart", type=float, help="seconds; without it one run follows another")
    parser.add_argument("--latency", type=float, default=0.06, help="seconds a call")
    parser.add_argument("--facts", action="store_true", help="AWS-FACTS.md's medians")
    names = [*COMMANDS, DELEGATED]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="VERB")
    given = parser.parse_args()
    changed = {**MODEL, **(FACTS if given.facts else {})}
    delays = {k: v for k, v in {**asdict(Delays()), **changed}.items() if k != "lag"}
    model = Model(given.latency, delays, given.speed, measure_bot_shutdown(given.speed))
    start, on = measure_start_up(), (given.speed, given.latency, delays)
    runs = run_all(partial(measure_commands, *on, given.only), given.runs, given.apart)
    human = run_all(
        partial(measure_delegation, *on), given.runs * (DELEGATED in given.only), given.apart
    )
    chain = count_round_trips()
    again = measure_start_up()
    name = "AWS-FACTS.md's medians" if given.facts else "the issue's model"
    print(
        f"\n{machine()}; {name}, {given.speed:g} times as fast, {given.latency * 1000:g} ms a call; "
        f"median (middle half) of {given.runs} runs. A start with boto3 and its clients takes "
        f"{start:.2f} s, after the runs {again:.2f} s: the noise.\n"
    )
    if runs[0]:
        print("\n".join(table(runs, floors(model, start))))
    print(f"\nStatus is {chain:.1f} round trips long (to be at most 8).")
    if human:
        least = floor.delegated_seconds(model)
        over = statistics.median(human) - model.wait("certificate")
        print(
            f"From delegated to live: {format_median(human)} s, floor {least:.2f} s; {over:.2f} s more "
            "than the certificate takes (to be at most 3, in AWS's time)."
        )


if __name__ == "__main__":
    main()
