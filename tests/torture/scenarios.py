"""The scenarios: setup, pause, resume and teardown, each interrupted and repeated until it completes."""

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.faults.fault import Fault
from provision.sandbox.faults.faults import Faults
from tests.provision.conftest import WHOLE
from tests.torture.environment import TortureEnvironment

VERBS = (("setup",), ("pause",), ("resume",), ("teardown", "--everything"))
MOST = 400  # starts of one command; more means that there is no progress
STOPPED = "Stopped. Nothing is lost"
RESUMED = "nothing is paused"  # the run before was killed after its last write
# A step of writing stack.yaml, and its number in the run; "before 1" would make no progress.
STEPS = ("fsync before 2", "replace before 2", "replace after 2")
FAULTS = (
    ("lost", 1, "after"),
    ("throttle", 8, "before"),
    ("error", 1, "before"),
    ("reset", 1, "before"),
    ("timeout", 1, "after"),
)


@dataclass
class Report:
    """What was tried, and the results."""

    boundaries: int = 0
    faults: int = 0
    duplicates: int = 0
    left: int = 0
    foreign: int = 0
    damaged: int = 0
    stuck: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Add another scenario's report."""
        for name in ("boundaries", "faults", "duplicates", "left", "foreign", "damaged"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.stuck += other.stuck

    def count(self, what: str, found: Counter[str]) -> int:
        """Return the total; note the details below the report."""
        if found:
            self.stuck.append(f"{what}: {dict(found)}")
        return found.total()

    @property
    def clean(self) -> bool:
        """Return whether nothing is duplicated, left, damaged or stuck, and nothing foreign was touched."""
        return not (self.duplicates or self.left or self.foreign or self.damaged or self.stuck)


def run_interrupted(
    environment: TortureEnvironment, verb: tuple[str, ...], report: Report, step: "Step", most: int
) -> None:
    """Run the command repeatedly, interrupted up to `most` times, then without interruption."""
    for place in range(MOST):
        status, output = step(environment, verb, place) if place < most else environment.run(*verb)
        if status == 0 or (place and verb == ("resume",) and RESUMED in output):
            break
        if status != -signal.SIGKILL and not (status == 130 and STOPPED in output):
            report.stuck.append(f"{' '.join(verb)} ended with {status}: {output[-600:]}")
            break
        report.boundaries += 1
    else:
        report.stuck.append(f"{' '.join(verb)} did not end")
    check_result(environment, verb, report)


Step = Callable[[TortureEnvironment, tuple[str, ...], int], tuple[int, str]]


def check_result(environment: TortureEnvironment, verb: tuple[str, ...], report: Report) -> None:
    """Check what exists after a command has ended."""
    if verb[0] in ("setup", "resume"):
        report.duplicates += report.count(f"twice after {verb[0]}", environment.surplus(WHOLE))
        if missing := environment.missing(WHOLE):
            report.stuck.append(f"after {verb[0]} there is no {', '.join(missing)}")
    elif verb[0] == "teardown":
        report.left += report.count("left", environment.surplus({}))
    report.foreign += report.count("touched", environment.touched())


def kill(moment: str) -> Step:
    """Kill at each mutating call in turn; the one before it is let pass."""

    def step(environment: TortureEnvironment, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        skip = 1 if moment == "before" and place else 0
        return environment.kill_at(moment, skip, *verb)

    return step


def interrupt(moment: str) -> Step:
    """Send SIGINT during each mutating call in turn."""

    def step(environment: TortureEnvironment, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return environment.interrupt_at(moment, 1 if place else 0, *verb)

    return step


def interrupt_waits() -> Step:
    """Send SIGINT during each wait."""
    known: set[str] = set()

    def step(environment: TortureEnvironment, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return environment.interrupt_wait(known, *verb)

    return step


def kill_while_writing() -> Step:
    """Kill while stack.yaml is written, at each write in turn and at the next of the STEPS."""

    def step(environment: TortureEnvironment, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return environment.run(*verb, TORTURE_KILL_AT=STEPS[place % len(STEPS)])

    return step


def run_all_commands(environment: TortureEnvironment, step: Step, most: int = MOST) -> Report:
    """Run all four commands, interrupted by `step`."""
    report = Report()
    for verb in VERBS:
        run_interrupted(environment, verb, report, step, most)
    report.damaged = environment.damaged
    if not report.boundaries:
        report.stuck.append("nothing was interrupted")
    return report


class FaultAtEachCall(Faults):
    """Injects a fault at every mutating call, so many times, and then lets it pass."""

    def __init__(self, kind: str, times: int, when: str) -> None:
        super().__init__()
        self.kind, self.times, self.when = kind, times, when
        self.hit: dict[tuple[str, str, str], int] = {}

    def next_for(self, call: Call) -> Fault | None:
        parameters = [(name, given) for name, given in call.params.items() if "Token" not in name]
        # Tokens are left out, because botocore generates new ones.
        key = (call.service, call.operation, repr(sorted(parameters)))
        if not call.mutating or self.hit.get(key, 0) >= self.times:
            return None
        self.hit[key] = self.hit.get(key, 0) + 1
        return Fault(self.kind, when=self.when, seconds=0.2)


def run_with_faults(environment: TortureEnvironment, kind: str, times: int, when: str) -> Report:
    """Run all four commands with this fault at every mutating call."""
    report, faults = Report(), FaultAtEachCall(kind, times, when)
    environment.sandbox.cloud.faults = faults
    for verb in VERBS:
        status, output = environment.run(*verb)
        if status != 0:
            report.stuck.append(f"{verb[0]} with {kind}: {status}: {output[-600:]}")
        check_result(environment, verb, report)
    report.faults, report.damaged = len(faults.hit), environment.damaged
    if not faults.hit:
        report.stuck.append(f"no call met the fault {kind}")
    return report


def run_two_setups(environment: TortureEnvironment) -> Report:
    """Run two setups at the same time: one works, the other reports the lock."""
    report = Report(boundaries=1)
    processes: list[Any] = [environment.start("setup") for _ in range(2)]
    output = [process.communicate(timeout=240) for process in processes]
    ended = sorted(process.returncode for process in processes)
    locked_out = sum("has been using it since" in stderr for _out, stderr in output)
    if (ended, locked_out) != ([0, 1], 1):
        report.stuck.append(f"two setups at once ended with {ended}: {output}")
    check_result(environment, ("setup",), report)
    status, words = environment.run("teardown", "--everything")
    if status != 0:
        report.stuck.append(f"teardown: {status}: {words[-600:]}")
    check_result(environment, ("teardown",), report)
    report.damaged = environment.damaged
    return report
