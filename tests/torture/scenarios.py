"""What is done to a walk: setup, pause, resume, teardown, each carried to its end in spite of it."""

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.faults.fault import Fault
from provision.sandbox.faults.faults import Faults
from tests.provision.conftest import WHOLE
from tests.torture.environment import Ground

VERBS = (("setup",), ("pause",), ("resume",), ("teardown", "--everything"))
MOST = 400  # starts of one command: one that needs more does not move on
STOPPED = "Stopped. Nothing is lost"
# Which step of writing stack.yaml, and the how-maniest of a run: the first "before" would never move on.
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
    """What was tried, and what came of it."""

    boundaries: int = 0
    faults: int = 0
    duplicates: int = 0
    left: int = 0
    foreign: int = 0
    damaged: int = 0
    stuck: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Another part's."""
        for name in ("boundaries", "faults", "duplicates", "left", "foreign", "damaged"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.stuck += other.stuck

    def named(self, what: str, found: Counter[str]) -> int:
        """How many there are; what they are is told below the report's parts."""
        if found:
            self.stuck.append(f"{what}: {dict(found)}")
        return found.total()

    @property
    def clean(self) -> bool:
        """Nothing twice, nothing left, nothing of others' touched, no file damaged, every walk ended."""
        return not (self.duplicates or self.left or self.foreign or self.damaged or self.stuck)


def carried(ground: Ground, verb: tuple[str, ...], report: Report, step: "Step", most: int) -> None:
    """The command again and again, hit each time until `most` times or it ends by itself, then unhit."""
    for place in range(MOST):
        status, said = step(ground, verb, place) if place < most else ground.run(*verb)
        if status == 0:
            break
        if status != -signal.SIGKILL and not (status == 130 and STOPPED in said):
            report.stuck.append(f"{' '.join(verb)} ended with {status}: {said[-600:]}")
            break
        report.boundaries += 1
    else:
        report.stuck.append(f"{' '.join(verb)} did not end")
    judge(ground, verb, report)


Step = Callable[[Ground, tuple[str, ...], int], tuple[int, str]]


def judge(ground: Ground, verb: tuple[str, ...], report: Report) -> None:
    """What is there after a command has ended."""
    if verb[0] in ("setup", "resume"):
        report.duplicates += report.named(f"twice after {verb[0]}", ground.surplus(WHOLE))
        if missing := ground.missing(WHOLE):
            report.stuck.append(f"after {verb[0]} there is no {', '.join(missing)}")
    elif verb[0] == "teardown":
        report.left += report.named("left", ground.surplus({}))
    report.foreign += report.named("touched", ground.touched())


def killed(moment: str) -> Step:
    """SIGKILL before or after each changing call in turn; the one before it is let pass."""

    def step(ground: Ground, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        skip = 1 if moment == "before" and place else 0
        return ground.kill_at(moment, skip, *verb)

    return step


def interrupted(moment: str) -> Step:
    """SIGINT while a changing call is on its way there or back, each in turn."""

    def step(ground: Ground, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return ground.interrupt_at(moment, 1 if place else 0, *verb)

    return step


def interrupted_waiting() -> Step:
    """SIGINT during each wait."""
    known: set[str] = set()

    def step(ground: Ground, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return ground.interrupt_wait(known, *verb)

    return step


def unplugged() -> Step:
    """SIGKILL while stack.yaml is written, each write in turn, each time at the next of the STEPS."""

    def step(ground: Ground, verb: tuple[str, ...], place: int) -> tuple[int, str]:
        return ground.run(*verb, TORTURE_PLUG=STEPS[place % len(STEPS)])

    return step


def walk(ground: Ground, step: Step, most: int = MOST) -> Report:
    """All four commands."""
    report = Report()
    for verb in VERBS:
        carried(ground, verb, report, step, most)
    report.damaged = ground.damaged
    return report


class EachCallOnce(Faults):
    """Hits every changing call, as often as said, and lets it pass then."""

    def __init__(self, kind: str, times: int, when: str) -> None:
        super().__init__()
        self.kind, self.times, self.when = kind, times, when
        self.hit: dict[tuple[str, str, str], int] = {}

    def due(self, call: Call) -> Fault | None:
        told = [(name, given) for name, given in call.params.items() if "Token" not in name]
        key = (call.service, call.operation, repr(sorted(told)))  # botocore makes tokens anew
        if not call.mutating or self.hit.get(key, 0) >= self.times:
            return None
        self.hit[key] = self.hit.get(key, 0) + 1
        return Fault(self.kind, when=self.when, seconds=0.2)


def faulty(ground: Ground, kind: str, times: int, when: str) -> Report:
    """One walk with this fault at every changing call."""
    report, faults = Report(), EachCallOnce(kind, times, when)
    ground.sandbox.cloud.faults = faults
    for verb in VERBS:
        status, said = ground.run(*verb)
        if status != 0:
            report.stuck.append(f"{verb[0]} with {kind}: {status}: {said[-600:]}")
        judge(ground, verb, report)
    report.faults, report.damaged = len(faults.hit), ground.damaged
    return report


def two_at_once(ground: Ground) -> Report:
    """Two setups at the same moment: one works, the other says who does."""
    report = Report(boundaries=1)
    processes: list[Any] = [ground.start("setup") for _ in range(2)]
    said = [process.communicate(timeout=240) for process in processes]
    ended = sorted(process.returncode for process in processes)
    refused = sum("has been using it since" in complained for _out, complained in said)
    if (ended, refused) != ([0, 1], 1):
        report.stuck.append(f"two setups at once ended with {ended}: {said}")
    judge(ground, ("setup",), report)
    status, words = ground.run("teardown", "--everything")
    if status != 0:
        report.stuck.append(f"teardown: {status}: {words[-600:]}")
    judge(ground, ("teardown",), report)
    report.damaged = ground.damaged
    return report
