"""How long a person waits, beside the floor: `python -m benchmarks.setup [--speed N] [--runs N] [--facts]`.

--only setup teardown, say: these verbs alone; what has to stand for them is set up at once, not measured.
--apart 20: runs side by side, begun so many seconds after one another; at real time nearly all is waiting.

The sandbox is the model of AWS: each call takes --latency seconds, and what AWS takes its time for takes the
seconds of the issue's model, or with --facts the medians that other tools' logs gave. --speed lets those
seconds pass faster; calls, and the client's own work, keep their real time, so at a high speed they weigh
more than they do on AWS. What the sandbox's time stands still for (bots that are being started, on the same
cores) is not counted. `provision` is a process of its own, and its start is in every figure.

The floor (benchmarks/floor.py) is the longest chain of calls and waits on the same model, and the start of
a Python that imports boto3 and builds the clients, measured here. From delegated to live: from the
registrar's entry to the end of the setup that was waiting for it.
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
from benchmarks.harness import machine, middle
from benchmarks.measurements import VERBS, Run, delegated, ending, round_trips, start_up, walked
from provision.sandbox.delays import Delays

# certificate, load balancer, interfaces as sandbox/delays.py has them; a drain 30 s; a service 60 s, of which
# the last 10, in which ECS sees that it is steady, cannot begin before the load balancer is active.
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
DELEGATED = "delegated"  # beside the verbs


def floors(model: Model, start: float) -> dict[str, tuple[float, int]]:
    """Seconds and calls, by verb."""
    resources = floor.stack().resources
    look = (start + floor.look_seconds(model), floor.look_calls(resources))
    return {
        "setup": (start + floor.setup_seconds(resources, model), floor.setup_calls(resources)),
        "rerun": look,
        "status": look,
        "plan": look,
        "pause": (start + floor.pause_seconds(model), floor.pause_calls(resources)),
        "resume": (start + floor.resume_seconds(resources, model), floor.resume_calls(resources)),
        "teardown": (start + floor.teardown_seconds(model), floor.teardown_calls(resources)),
    }


def table(runs: list[dict[str, Run]], lowest: dict[str, tuple[float, int]]) -> list[str]:
    """Rows of Markdown."""
    rows = ["| | seconds | floor | ratio | calls | floor | ratio | CPU s | MB |", "|---" * 9 + "|"]
    for verb in runs[0]:
        (seconds, calls), found = lowest[verb], [run[verb] for run in runs]
        took = statistics.median(run.seconds for run in found)
        made = statistics.median(run.calls for run in found)
        rows.append(
            f"| {verb} | {middle([run.seconds for run in found])} | {seconds:.2f} | "
            f"{took / seconds:.2f} | {made:.0f} | {calls} | {made / calls:.2f} | "
            f"{statistics.median(run.cpu for run in found):.2f} | "
            f"{max(run.memory for run in found):.0f} |"
        )
    return rows


def every(run: Callable[[], T], runs: int, apart: float | None) -> list[T]:
    """Return the results of each run."""
    if apart is None:
        return [run() for _run in range(runs)]

    def begun(number: int) -> T:
        time.sleep(number * apart)
        return run()

    with ThreadPoolExecutor(max(1, runs)) as threads:
        return list(threads.map(begun, range(runs)))


def main() -> None:
    """Measures, and prints a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=float, default=20, help="1: real time, five minutes a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--apart", type=float, help="seconds; without it one run follows another")
    parser.add_argument("--latency", type=float, default=0.06, help="seconds a call")
    parser.add_argument("--facts", action="store_true", help="AWS-FACTS.md's medians")
    names = [*VERBS, DELEGATED]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="VERB")
    given = parser.parse_args()
    changed = {**MODEL, **(FACTS if given.facts else {})}
    delays = {k: v for k, v in {**asdict(Delays()), **changed}.items() if k != "lag"}
    model = Model(given.latency, delays, given.speed, ending(given.speed))
    start, on = start_up(), (given.speed, given.latency, delays)
    runs = every(partial(walked, *on, given.only), given.runs, given.apart)
    human = every(partial(delegated, *on), given.runs * (DELEGATED in given.only), given.apart)
    chain = round_trips()
    again = start_up()
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
            f"From delegated to live: {middle(human)} s, floor {least:.2f} s; {over:.2f} s more than the "
            "certificate takes (to be at most 3, in AWS's time)."
        )


if __name__ == "__main__":
    main()
