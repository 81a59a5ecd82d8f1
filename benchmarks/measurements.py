"""What benchmarks/setup.py measures: each command, delegation, a bot's shutdown, round trips, start-up."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

from benchmarks.harness import PROVISION, Harness, harness, run_command

SLOW_CALL = 0.5  # seconds per call, to count sequential calls

CLIENTS = """
import boto3
session = boto3.Session(region_name="ap-northeast-1")
for name in "sts ec2 acm elbv2 route53 iam ecr ecs ssm logs s3 scheduler".split():
    session.client(name)
"""

COMMANDS = {  # in this order, in one account
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
    """One run of one command: seconds in which the sandbox's time passed, AWS calls, CPU seconds, MB."""

    seconds: float
    calls: int
    cpu: float
    memory: float


def measure(bench: Harness, *words: str) -> Run:
    """Run one command, and count its calls."""
    before = len(bench.calls())
    run = bench.provision(*words)
    return Run(run.seconds - run.still, len(bench.calls()) - before, run.cpu, run.memory)


def measure_commands(
    speed: float, latency: float, delays: dict[str, float], only: Collection[str]
) -> dict[str, Run]:
    """Run each command once, in its own account."""
    with harness(speed) as bench:
        if "setup" not in only:
            bench.control("delays", dict.fromkeys(delays, 0.0))
            bench.provision("setup")
        configure_model(bench, latency, delays)
        return {name: measure(bench, *words) for name, words in COMMANDS.items() if name in only}


def configure_model(bench: Harness, latency: float, delays: dict[str, float]) -> None:
    """Configure the model: its delays, and the latency of every call."""
    bench.control("delays", delays)
    bench.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})


def measure_delegation(speed: float, latency: float, delays: dict[str, float]) -> float:
    """Return the real seconds from the entry at the registrar until setup reports success.

    Everything that does not wait for the domain exists by then, without delays.
    """
    with harness(speed) as bench:
        configure_model(
            bench, latency, {**delays, "load_balancer": 0.0, "task_start": 0.0, "steady": 0.0}
        )
        file, addresses = str(bench.folder / "stack.yaml"), bench.addresses
        signed_in = {
            **bench.environ,
            "AWS_ENDPOINT_URL": addresses["aws"],
            "AWS_ACCESS_KEY_ID": addresses["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": addresses["secret_access_key"],
            "LINE_API_URL": addresses["line"],
            "PROVISION_DNS": addresses["dns"],
            **bench.secrets(),
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
            servers = bench.name_servers()
            time.sleep(
                max(12, 60 / speed)
            )  # everything but the domain is ready, every record is in sync
            began = bench.now()
            bench.enter_name_servers("news-bot.example", servers)
            if process.wait(600):
                raise SystemExit(f"setup ended with {process.returncode}")
            return (bench.now() - began) / speed


def measure_bot_shutdown(speed: float) -> float:
    """Return the real seconds from SIGTERM to the end of an idle bot."""
    import boto3

    with harness(speed) as bench:
        bench.control(
            "delays", {"load_balancer": 0, "certificate": 0, "steady": 0, "task_start": 0}
        )
        bench.provision("setup")
        keys = bench.addresses["access_key_id"], bench.addresses["secret_access_key"]
        session = boto3.Session(*keys, region_name="ap-northeast-1")
        ecs = session.client("ecs", endpoint_url=bench.addresses["aws"])
        (cluster,) = ecs.list_clusters()["clusterArns"]
        (task,) = ecs.list_tasks(cluster=cluster, serviceName="news-bot")["taskArns"]
        ecs.delete_service(cluster=cluster, service="news-bot", force=True)
        began: dict[str, float] = {}
        while "DEPROVISIONING" not in began:
            (addresses,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
            began.setdefault(addresses["lastStatus"], time.monotonic())
        return began["DEPROVISIONING"] - began["STOPPING"]


def count_round_trips(rounds: int = 5) -> float:
    """Return how many calls status makes sequentially: how much longer it takes with slower calls."""
    with harness(20) as bench:
        bench.provision("setup")
        seconds = []
        for latency in (0.0, SLOW_CALL):
            bench.control("faults", {"kind": "latency", "seconds": latency, "times": 10**9})
            seconds.append(
                statistics.median(bench.provision("status").seconds for _round in range(rounds))
            )
            bench.control("faults", method="DELETE")
    return (seconds[1] - seconds[0]) / SLOW_CALL


def measure_start_up(rounds: int = 5) -> float:
    """Return the seconds for a Python that imports boto3 and creates the clients."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    return statistics.median(
        run_command([sys.executable, "-c", CLIENTS], environ).seconds for _round in range(rounds)
    )
