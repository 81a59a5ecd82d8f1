"""What benchmarks/setup.py measures: each verb, the registrar's step, a bot's end, round trips, a start."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

from benchmarks.harness import PROVISION, Stage, stage, timed

SLOWER = 0.5  # seconds a call, to see how many are made one after the other

CLIENTS = """
import boto3
session = boto3.Session(region_name="ap-northeast-1")
for name in "sts ec2 acm elbv2 route53 iam ecr ecs ssm logs s3 scheduler".split():
    session.client(name)
"""

VERBS = {  # in this order, in one account
    "setup": ("setup",),
    "rerun": ("setup",),
    "status": ("status",),
    "plan": ("plan",),
    "pause": ("pause",),
    "resume": ("resume",),
    "teardown": ("teardown", "--everything"),
}


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


def walked(
    speed: float, latency: float, delays: dict[str, float], only: Collection[str]
) -> dict[str, Run]:
    """Each verb once, in an account of its own."""
    with stage(speed) as on:
        if "setup" not in only:
            on.control("delays", dict.fromkeys(delays, 0.0))
            on.provision("setup")
        set_up(on, latency, delays)
        return {name: measured(on, *words) for name, words in VERBS.items() if name in only}


def set_up(on: Stage, latency: float, delays: dict[str, float]) -> None:
    """Return the model: its delays, and the latency of every call."""
    on.control("delays", delays)
    on.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})


def delegated(speed: float, latency: float, delays: dict[str, float]) -> float:
    """Real seconds from the entry at the registrar until setup says that the bot answers.

    What does not wait for the domain stands by then, and is there at once.
    """
    with stage(speed) as on:
        set_up(on, latency, {**delays, "load_balancer": 0.0, "task_start": 0.0, "steady": 0.0})
        file, told = str(on.folder / "stack.yaml"), on.addresses
        signed_in = {
            **on.environ,
            "AWS_ENDPOINT_URL": told["aws"],
            "AWS_ACCESS_KEY_ID": told["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": told["secret_access_key"],
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
            time.sleep(max(12, 60 / speed))  # all but the domain stands, every record is in sync
            began = on.now()
            on.enter("news-bot.example", servers)
            if process.wait(600):
                raise SystemExit(f"setup ended with {process.returncode}")
            return (on.now() - began) / speed


def ending(speed: float) -> float:
    """Real seconds from SIGTERM to the end of a bot that has nothing to do."""
    import boto3

    with stage(speed) as on:
        on.control("delays", {"load_balancer": 0, "certificate": 0, "steady": 0, "task_start": 0})
        on.provision("setup")
        keys = on.addresses["access_key_id"], on.addresses["secret_access_key"]
        session = boto3.Session(*keys, region_name="ap-northeast-1")
        ecs = session.client("ecs", endpoint_url=on.addresses["aws"])
        (cluster,) = ecs.list_clusters()["clusterArns"]
        (task,) = ecs.list_tasks(cluster=cluster, serviceName="news-bot")["taskArns"]
        ecs.delete_service(cluster=cluster, service="news-bot", force=True)
        began: dict[str, float] = {}
        while "DEPROVISIONING" not in began:
            (told,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
            began.setdefault(told["lastStatus"], time.monotonic())
        return began["DEPROVISIONING"] - began["STOPPING"]


def round_trips(rounds: int = 5) -> float:
    """How many calls status makes one after the other: how much longer it takes when each takes longer."""
    with stage(20) as on:
        on.provision("setup")
        seconds = []
        for latency in (0.0, SLOWER):
            on.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})
            seconds.append(
                statistics.median(on.provision("status").seconds for _round in range(rounds))
            )
            on.control("faults", method="DELETE")
    return (seconds[1] - seconds[0]) / SLOWER


def start_up(rounds: int = 5) -> float:
    """Seconds for a Python that imports boto3 and builds the clients: nobody starts sooner."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    return statistics.median(
        timed([sys.executable, "-c", CLIENTS], environ).seconds for _round in range(rounds)
    )
