"""The ground that torture happens on: a strict sandbox in this process, the command as its own process."""

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
FAULTY = 30.0  # where every call fails eight times: on a slow machine a look would take as long as a wait
LAG = 3.0  # simulated seconds for which every service that may shows what was before
PLUG = Path(__file__).parent / "power"
REGION = "ap-northeast-1"
PATIENCE = 240.0  # real seconds for one command
GIVING_UP = 0.1  # real seconds in which a command that was sent SIGINT lets go of its call
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
    """The collector, stubbed as the bots are: an index of nothing, put past all faults."""
    bucket, _slash, folder = environment["NEWS_URL"].removeprefix("s3://").partition("/")
    s3 = get_backend("s3")[Cloud.account_id]["aws"]
    s3.put_object(bucket, f"{folder}/index.json", b'{"files": []}')
    return 0


class Ground:
    """One account that has something of others' in it, one folder with a stack file."""

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
        self.strangers()
        self.before = Counter(count_resources(self.client))
        self.file.write_text(SETTINGS)

    def close(self) -> None:
        """The end of it."""
        self.sandbox.close()

    @property
    def faults(self) -> Faults:
        """What goes wrong in this account."""
        return self.sandbox.cloud.faults

    def client(self, service: str) -> Any:
        """A look into the account that no fault hits and no lag clouds."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    def strangers(self) -> None:
        """Things of others', some of them beside names of ours."""
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
        """The installed command, on this sandbox."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environ = {**kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(self.folder), **more}
        environ["PYTHONPATH"] = os.pathsep.join((str(PLUG), str(ROOT)))
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
        """How the command ended, and what it said."""
        process = self.start(*words, **more)
        said, complained = process.communicate(timeout=PATIENCE)
        self.look_at_file()
        if process.returncode == 0:
            self.damaged += len(list(self.folder.glob(f".*{TEMPORARY_SUFFIX}")))
        return process.returncode, complained + said

    def kill_at(self, moment: str, skip: int, *words: str) -> tuple[int, str]:
        """The command, killed before or after its next changing call but `skip`; -9 where it was."""
        hold = {"kind": "hold", "when": moment, "mutating": True, "after": skip}
        fault = self.faults.add(hold).number
        process = self.start(*words)
        while process.poll() is None and not self._reached(fault):
            pass
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        said, complained = process.communicate(timeout=PATIENCE)
        self.faults.clear()
        self.look_at_file()
        return process.returncode, complained + said

    def interrupt_at(self, moment: str, skip: int, *words: str) -> tuple[int, str]:
        """The command, sent SIGINT before or after its next changing call but `skip`; 130 where it was."""
        hold = {"kind": "hold", "when": moment, "mutating": True, "after": skip}
        fault = self.faults.add(hold).number
        process = self.start(*words)
        while process.poll() is None and not self._reached(fault):
            pass
        return self._interrupted(process)

    def interrupt_wait(self, known: set[str], *words: str) -> tuple[int, str]:
        """The command, sent SIGINT while it waits for something that is not known yet; 130 where it was."""
        process, said = self.start(*words), ""
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            waits = line.partition(" s  … ")[2]
            if waits and waits not in known:
                known.add(waits)
                break
        status, more = self._interrupted(process)
        return status, said + more

    def _interrupted(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(GIVING_UP)
        self.faults.clear()
        said, complained = process.communicate(timeout=PATIENCE)
        self.look_at_file()
        return process.returncode, complained + said

    def _reached(self, fault: int) -> bool:
        return self.faults.reached(fault, 0.1) is not None

    def look_at_file(self) -> None:
        """Whether stack.yaml is whole."""
        try:
            StackFile(self.file)
        except ProvisionError:
            self.damaged += 1

    def surplus(self, wanted: dict[str, int]) -> Counter[str]:
        """What there is more of than there should be, beside what was there before."""
        time.sleep(2 * LAG / self.speed)
        found = Counter(count_resources(self.client)) - self.before - Counter(wanted)
        if found["interface"]:  # AWS keeps it for a while after its task has ended
            time.sleep(2 * self.sandbox.cloud.delays.network_interfaces / self.speed)
            found = Counter(count_resources(self.client)) - self.before - Counter(wanted)
        runs = sum(task.command == tuple(COMMAND) for task in self.tasks.started)
        return found + Counter({"run of the collector": max(0, runs - 1)})

    def missing(self, wanted: dict[str, int]) -> Counter[str]:
        """What there is less of than there should be."""
        return Counter(wanted) + self.before - Counter(count_resources(self.client))

    def touched(self) -> Counter[str]:
        """What there was before and is not there any more."""
        return self.before - Counter(count_resources(self.client))
