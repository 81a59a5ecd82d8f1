"""The environment of the torture tests: a strict sandbox in this process, the command in its own process."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
from moto.backends import get_backend

from provision.errors import ProvisionError
from provision.resources.collector import COMMAND
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.in_process import attach
from provision.sandbox.clock import RunningClock
from provision.sandbox.delays import Delays
from provision.sandbox.faults.faults import Faults
from provision.sandbox.runtime import write_runtime
from provision.sandbox.sandbox import Sandbox
from provision.sandbox.tasks.runners import InlineTasks
from provision.state.atomic_file import TEMPORARY_SUFFIX
from provision.state.stack_file import StackFile
from tests.provision.conftest import count_resources
from tests.provision.shell import ROOT
from tests.provision.test_existing_accounts import TRUST

SPEED = 60.0  # simulated seconds in a real one
FAULTY = 30.0  # with throttling, where every call fails eight times: slower, for slow machines
LAG = 3.0  # simulated seconds for which services answer with stale data
KILL_HOOK = Path(__file__).parent / "power"
REGION = "ap-northeast-1"
TIMEOUT = 240.0  # real seconds for one command
INTERRUPT_SECONDS = 0.1  # real seconds in which a command that got SIGINT abandons its call
SETTINGS = """\
domain: torture.example
network:
  vpc: default
image:
  uri: example.jp/bot:1
schedule:  # once a year, so that it does not fire while the clock runs ahead
  timezone: Asia/Tokyo
  start: cron(0 8 1 1 ? *)
  stop: cron(0 9 1 1 ? *)
news:
  schedule: cron(0 7 1 1 ? *)
"""


def collect(environment: dict[str, str]) -> int:
    """Stand in for the collector: write an empty index, past all faults."""
    bucket, _slash, folder = environment["NEWS_URL"].removeprefix("s3://").partition("/")
    s3 = get_backend("s3")[Cloud.account_id]["aws"]
    s3.put_object(bucket, f"{folder}/index.json", b'{"articles": [], "feeds": {}}')
    return 0


class TortureEnvironment:
    """An account with some foreign resources, and a folder with a stack file."""

    def __init__(self, folder: Path, speed: float = SPEED) -> None:
        self.folder, self.file = folder, folder / "stack.sandbox.yaml"
        self.speed = speed
        self.tasks = InlineTasks(programs={tuple(COMMAND): collect})
        self.sandbox = Sandbox(RunningClock(speed), Delays(lag=LAG), self.tasks)
        addresses = self.sandbox.serve(REGION)
        line = self.sandbox.line
        known = {"access_token": line.access_token, "channel_secret": line.channel_secret}
        write_runtime(
            {**addresses, **known, "pid": os.getpid(), "id": "torture"},
            folder / "provision" / "sandbox.json",
        )
        self._session = boto3.Session("access", "secret", region_name=REGION)
        self._clients: dict[str, Any] = {}
        attach(self._session, self.sandbox.aws)
        self.damaged = 0
        self.create_foreign_resources()
        self.before = Counter(count_resources(self.client))
        self.file.write_text(SETTINGS)

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()

    @property
    def faults(self) -> Faults:
        """Return the account's injected faults."""
        return self.sandbox.cloud.faults

    def client(self, service: str) -> Any:
        """Return a client that is not subject to faults or lag."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    def create_foreign_resources(self) -> None:
        """Create foreign resources, some with names similar to ours."""
        client = self.client
        client("route53").create_hosted_zone(Name="other.example", CallerReference="theirs")
        client("ec2").create_security_group(
            GroupName="news-bot-2", Description="theirs", VpcId=self._vpc()
        )
        client("logs").create_log_group(logGroupName="/ecs/news-bot-2")
        client("iam").create_role(RoleName="news-bot-2", AssumeRolePolicyDocument=TRUST)
        client("ecr").create_repository(repositoryName="news-bot-2")
        client("ssm").put_parameter(Name="ACCESS_TOKEN_2", Value="theirs", Type="SecureString")
        where = {"LocationConstraint": REGION}
        client("s3").create_bucket(Bucket="news-bot-news-theirs", CreateBucketConfiguration=where)
        time.sleep(2 * LAG / self.speed)

    def _vpc(self) -> str:
        return str(self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])

    def start(self, *words: str, **more: str) -> "subprocess.Popen[str]":
        """Start the installed command on this sandbox."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environ = {**kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(self.folder), **more}
        environ["PYTHONPATH"] = os.pathsep.join((str(KILL_HOOK), str(ROOT)))
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("provision")), "--sandbox", "--yes", *words],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **more: str) -> tuple[int, str]:
        """Run the command; return its exit status and output."""
        process = self.start(*words, **more)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        self.check_file()
        if process.returncode == 0:
            self.damaged += len(list(self.folder.glob(f".*{TEMPORARY_SUFFIX}")))
        return process.returncode, stderr + stdout

    def kill_at(self, moment: str, skip: int, *words: str) -> tuple[int, str]:
        """Kill the command before or after its next mutating call but `skip`; return -9 if it was killed."""
        hold = {"kind": "hold", "when": moment, "mutating": True, "after": skip}
        fault = self.faults.add(hold).number
        process = self.start(*words)
        while process.poll() is None and not self._reached(fault):
            pass
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        self.faults.clear()
        self.check_file()
        return process.returncode, stderr + stdout

    def interrupt_at(self, moment: str, skip: int, *words: str) -> tuple[int, str]:
        """Send SIGINT before or after the next mutating call but `skip`; return 130 if it was interrupted."""
        hold = {"kind": "hold", "when": moment, "mutating": True, "after": skip}
        fault = self.faults.add(hold).number
        process = self.start(*words)
        while process.poll() is None and not self._reached(fault):
            pass
        return self._interrupt(process)

    def interrupt_wait(self, known: set[str], *words: str) -> tuple[int, str]:
        """Send SIGINT during the first wait that is not in `known`; return 130 if it was interrupted."""
        process, output = self.start(*words), ""
        assert process.stderr is not None
        for line in process.stderr:
            output += line
            waits = line.partition(" s  > ")[2]
            if waits and waits not in known:
                known.add(waits)
                break
        status, more = self._interrupt(process)
        return status, output + more

    def _interrupt(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(INTERRUPT_SECONDS)
        self.faults.clear()
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        self.check_file()
        return process.returncode, stderr + stdout

    def _reached(self, fault: int) -> bool:
        return self.faults.reached(fault, 0.1) is not None

    def check_file(self) -> None:
        """Count stack.yaml as damaged if it cannot be read."""
        try:
            StackFile(self.file)
        except ProvisionError:
            self.damaged += 1

    def surplus(self, wanted: dict[str, int]) -> Counter[str]:
        """Return what exists beyond what is wanted and what existed before."""
        time.sleep(2 * LAG / self.speed)
        found = Counter(count_resources(self.client)) - self.before - Counter(wanted)
        if found["interface"]:  # kept by AWS for a while after its task has ended
            time.sleep(2 * self.sandbox.cloud.delays.network_interfaces / self.speed)
            found = Counter(count_resources(self.client)) - self.before - Counter(wanted)
        runs = sum(task.command == tuple(COMMAND) for task in self.tasks.started)
        return found + Counter({"run of the collector": max(0, runs - 1)})

    def missing(self, wanted: dict[str, int]) -> Counter[str]:
        """Return what is wanted and does not exist."""
        return Counter(wanted) + self.before - Counter(count_resources(self.client))

    def touched(self) -> Counter[str]:
        """Return what existed before and does not any more."""
        return self.before - Counter(count_resources(self.client))
