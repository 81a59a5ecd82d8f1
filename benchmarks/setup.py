"""How long a person waits, beside the floor: `python -m benchmarks.setup [--speed N] [--runs N] [--facts]`.

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
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass

from benchmarks import floor
from benchmarks.floor import Model
from benchmarks.stage import PROVISION, Stage, machine, middle, stage, timed
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
SLOWER = 0.5  # seconds a call, to see how many are made one after the other
CLIENTS = """
import boto3
session = boto3.Session(region_name="ap-northeast-1")
for name in "sts ec2 acm elbv2 route53 iam ecr ecs ssm logs s3 scheduler".split():
    session.client(name)
"""


@dataclass(frozen=True)
class Run:
    """One run of one verb: seconds in which the sandbox's time passed, calls to AWS, CPU seconds, MB."""

    seconds: float
    calls: int
    cpu: float
    memory: float


def measured(on: Stage, *words: str) -> Run:
    """One command, and the calls that it made."""
    before = len(on.calls())
    took = on.provision(*words)
    return Run(took.seconds - took.still, len(on.calls()) - before, took.cpu, took.memory)


def walked(speed: float, latency: float, delays: dict[str, float]) -> dict[str, Run]:
    """Everything once, in an account of its own."""
    with stage(speed) as on:
        set_up(on, latency, delays)
        verbs = {
            "setup": ("setup",),
            "rerun": ("setup",),
            "status": ("status",),
            "plan": ("plan",),
            "pause": ("pause",),
            "resume": ("resume",),
            "teardown": ("teardown", "--everything"),
        }
        return {name: measured(on, *words) for name, words in verbs.items()}


def set_up(on: Stage, latency: float, delays: dict[str, float]) -> None:
    """The model: its delays, and the latency of every call."""
    on.control("delays", delays)
    on.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})


def delegated(speed: float, latency: float, delays: dict[str, float]) -> float:
    """Real seconds from the entry at the registrar until setup says that the bot answers."""
    with stage(speed) as on:
        set_up(on, latency, delays)
        file, told = str(on.folder / "stack.yaml"), on.addresses
        signed_in = {
            **on.environ,
            "AWS_ENDPOINT_URL": told["aws"],
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "LINE_API_URL": told["line"],
            "PROVISION_DNS": told["dns"],
            **on.secrets(),
        }
        words = [
            f"--set={key}={value}"
            for key, value in (
                ("domain", "news-bot.example"),
                ("network.vpc", "default"),
                ("image.uri", "sandbox.local/news-bot:checkout"),
            )
        ]
        command = [*PROVISION, "setup", "--yes", "--stack", file, *words]
        with subprocess.Popen(
            command, env=signed_in, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            servers = on.name_servers()
            time.sleep((delays["load_balancer"] + 40) / speed)  # all but the domain stands
            began = on.now()
            on.enter("news-bot.example", servers)
            if process.wait(600):
                raise SystemExit(f"setup ended with {process.returncode}")
            return (on.now() - began) / speed


def round_trips(speed: float, rounds: int = 5) -> float:
    """How many calls status makes one after the other: how much longer it takes when each takes longer."""
    with stage(speed) as on:
        on.provision("setup")
        seconds = []
        for latency in (0.0, SLOWER):
            on.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})
            seconds.append(
                statistics.median(on.provision("status").seconds for _round in range(rounds))
            )
            urllib.request.urlopen(
                urllib.request.Request(f"{on.addresses['aws']}/_sandbox/faults", method="DELETE")
            ).close()
    return (seconds[1] - seconds[0]) / SLOWER


def start_up(rounds: int = 5) -> float:
    """Seconds for a Python that imports boto3 and builds the clients: nobody starts sooner."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    return statistics.median(
        timed([sys.executable, "-c", CLIENTS], environ).seconds for _round in range(rounds)
    )


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
    for verb, (seconds, calls) in lowest.items():
        found = [run[verb] for run in runs]
        took = statistics.median(run.seconds for run in found)
        made = statistics.median(run.calls for run in found)
        rows.append(
            f"| {verb} | {middle([run.seconds for run in found])} | {seconds:.2f} | "
            f"{took / seconds:.2f} | {made:.0f} | {calls} | {made / calls:.2f} | "
            f"{statistics.median(run.cpu for run in found):.2f} | "
            f"{max(run.memory for run in found):.0f} |"
        )
    return rows


def main() -> None:
    """Measures, and prints a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=float, default=20, help="1: real time, five minutes a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.06, help="seconds a call")
    parser.add_argument("--facts", action="store_true", help="AWS-FACTS.md's medians")
    given = parser.parse_args()
    changed = {**MODEL, **(FACTS if given.facts else {})}
    delays = {k: v for k, v in {**asdict(Delays()), **changed}.items() if k != "lag"}
    model = Model(given.latency, delays, given.speed)
    start = start_up()
    runs = [walked(given.speed, given.latency, delays) for _run in range(given.runs)]
    human = [delegated(given.speed, given.latency, delays) for _run in range(given.runs)]
    chain = round_trips(given.speed)
    again = start_up()
    name = "AWS-FACTS.md's medians" if given.facts else "the issue's model"
    print(
        f"\n{machine()}; {name}, {given.speed:g} times as fast, {given.latency * 1000:g} ms a call; "
        f"median (middle half) of {given.runs} runs. A start with boto3 and its clients takes "
        f"{start:.2f} s, after the runs {again:.2f} s: the noise.\n"
    )
    print("\n".join(table(runs, floors(model, start))))
    least = floor.delegated_seconds(model)
    over = (statistics.median(human) - least) * given.speed
    print(
        f"\nFrom delegated to live: {middle(human)} s, floor {least:.2f} s; "
        f"{over:.1f} s of AWS's time more. "
        f"Status is {chain:.1f} round trips long (to be at most 8)."
    )


if __name__ == "__main__":
    main()
