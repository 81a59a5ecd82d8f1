"""How soon the sandbox answers its first call, and calls per second compared with plain moto.

`python -m benchmarks.sandbox` prints both. The calls are serialized beforehand and sent over HTTP one after
the other, so that the server is measured. The servers take turns in each round; a second plain moto takes
part too, and its difference from the first is the machine's noise.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "ap-northeast-1"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
Request = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers
Unsigned = tuple[str, AWSRequest]  # the service's signing name
# Starts a process; yields its AWS URL and a key, with the names of `sandbox --json`.
Server = Callable[[], AbstractContextManager[dict[str, str]]]
NOWHERE = "http://127.0.0.1"

# As in a setup: mostly reads, of every service the stack uses; what is created is deleted again.
MIX: list[tuple[str, str, dict[str, Any]]] = [
    ("sts", "get_caller_identity", {}),
    ("ec2", "describe_vpcs", {}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_route_tables", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "describe_network_interfaces", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("elbv2", "describe_target_groups", {}),
    ("acm", "list_certificates", {}),
    ("route53", "list_hosted_zones_by_name", {"DNSName": "example.jp"}),
    ("iam", "create_role", {"RoleName": "bench", "AssumeRolePolicyDocument": TRUST}),
    ("iam", "get_role", {"RoleName": "bench"}),
    ("iam", "list_role_policies", {"RoleName": "bench"}),
    ("iam", "delete_role", {"RoleName": "bench"}),
    ("ssm", "put_parameter", {"Name": "BENCH", "Value": "v", "Type": "SecureString"}),
    ("ssm", "get_parameter", {"Name": "BENCH"}),
    ("ssm", "describe_parameters", {}),
    ("ssm", "delete_parameter", {"Name": "BENCH"}),
    ("logs", "create_log_group", {"logGroupName": "/bench"}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "/bench"}),
    ("logs", "delete_log_group", {"logGroupName": "/bench"}),
    ("ecr", "create_repository", {"repositoryName": "bench"}),
    ("ecr", "describe_repositories", {"repositoryNames": ["bench"]}),
    ("ecr", "delete_repository", {"repositoryName": "bench"}),
    ("ecs", "create_cluster", {"clusterName": "bench"}),
    ("ecs", "describe_clusters", {"clusters": ["bench"]}),
    ("ecs", "list_services", {"cluster": "bench"}),
    ("ecs", "delete_cluster", {"cluster": "bench"}),
    ("scheduler", "list_schedule_groups", {}),
    ("scheduler", "list_schedules", {}),
    ("s3", "list_buckets", {}),
]
# Once per server: required for ECS clusters.
BEFOREHAND = [("iam", "create_service_linked_role", {"AWSServiceName": "ecs.amazonaws.com"})]


def serialize(calls: list[tuple[str, str, dict[str, Any]]]) -> list[Unsigned]:
    """Return the calls as botocore's requests, before signing."""
    requests: list[Unsigned] = []

    def collect(request: AWSRequest, signing_name: str, **_: Any) -> None:
        requests.append((signing_name, request))
        raise InterruptedError

    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    session.events.register("before-sign", collect)
    for service, operation, parameters in calls:
        client = session.client(service, endpoint_url=NOWHERE)
        with contextlib.suppress(InterruptedError):
            getattr(client, operation)(**parameters)
    return requests


def sign(calls: list[Unsigned], server: dict[str, str]) -> list[Request]:
    """Return the calls, signed once with a key that this server knows."""
    credentials = Credentials(server["access_key_id"], server["secret_access_key"])
    requests = []
    for service, call in calls:
        url = call.url.replace(NOWHERE, server["aws"])
        request = AWSRequest(call.method, url, dict(call.headers.items()), call.data, call.params)
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        kind(credentials, service, REGION).add_auth(request)
        sent = request.prepare()
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in sent.headers.items()}
        headers.pop("Content-Length", None)
        body = sent.body or b""
        path = sent.url.removeprefix(server["aws"]) or "/"
        requests.append(
            (sent.method, path, body.encode() if isinstance(body, str) else body, headers)
        )
    return requests


def send(server: dict[str, str], request: Request) -> None:
    """Send one call on its own connection; end the benchmark if it fails."""
    method, path, body, headers = request
    connection = http.client.HTTPConnection(server["aws"].partition("//")[2], timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {content[:300]!r} for {body[:200]!r}")


@contextlib.contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the process, and stop it with SIGTERM at the end."""
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextlib.contextmanager
def run_sandbox() -> Iterator[dict[str, str]]:
    """Start a sandbox in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "provision", "sandbox", "--json"]
        environ = {**os.environ, "XDG_RUNTIME_DIR": folder}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
        with running(process):
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())


@contextlib.contextmanager
def run_moto() -> Iterator[dict[str, str]]:
    """Start moto_server in its own process; it accepts any key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    with running(process):
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.02)
        yield {"aws": f"{NOWHERE}:{port}", "access_key_id": "a", "secret_access_key": "b"}


def first_call(start: Server, call: Unsigned) -> float:
    """Return the seconds from the start of the process to its first answer."""
    began = time.monotonic()
    with start() as server:
        send(server, sign([call], server)[0])
        return time.monotonic() - began


def rate(server: dict[str, str], calls: list[Unsigned]) -> float:
    """Return the calls per second over one round of the mix."""
    requests = sign(calls, server)
    began = time.monotonic()
    for request in requests:
        send(server, request)
    return len(requests) / (time.monotonic() - began)


def rates(calls: list[Unsigned], rounds: int) -> dict[str, list[float]]:
    """Return each server's calls per second by round, without the first rounds, which load backends."""
    servers = {"sandbox": run_sandbox, "moto": run_moto, "moto again": run_moto}
    with contextlib.ExitStack() as running:
        started = {name: running.enter_context(start()) for name, start in servers.items()}
        for server in started.values():
            rate(server, [*serialize(BEFOREHAND), *calls, *calls])
        measured: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(rounds):
            order = list(started) if turn % 2 else list(started)[::-1]
            for name in order:
                measured[name].append(rate(started[name], calls))
    return measured


def ratio(measured: dict[str, list[float]], name: str) -> float:
    """Return the median ratio to plain moto in the same round."""
    pairs = zip(measured[name], measured["moto"], strict=True)
    return statistics.median(one / moto for one, moto in pairs)


def format_median(values: list[float]) -> str:
    """Return the median, and the middle half of the values."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--starts", type=int, default=5, help="starts of the process, per first call"
    )
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the mix, per server")
    given = parser.parse_args()
    calls = serialize(MIX)
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"
    print(f"{date.today()}, {machine}, median (middle half), n = {given.starts} starts")
    for at in (0, 1):
        what, servers = " ".join(MIX[at][:2]), (run_sandbox, run_moto)
        turns = [[first_call(one, calls[at]) for one in servers] for _ in range(given.starts)]
        for server, seconds in zip(("sandbox", "moto"), zip(*turns, strict=True), strict=True):
            print(f"seconds to the first answer, {server}, {what}: {format_median(list(seconds))}")
    measured = rates(calls, given.rounds)
    for name, values in measured.items():
        print(
            f"calls a second, {name}: {format_median(values)}, {given.rounds} rounds of {len(MIX)}"
        )
    print(f"sandbox / moto: {ratio(measured, 'sandbox'):.2f} (to be at least 0.70)")
    print(f"moto again / moto, the noise: {ratio(measured, 'moto again'):.2f}")


if __name__ == "__main__":
    main()
