"""The benchmarks' floor is derived from stack.py and the model of AWS."""

import re
import subprocess
import sys

import pytest

from benchmarks import floor
from benchmarks.floor import KINDS, Model
from provision.resources.base import kinds
from provision.sandbox.delays import Delays

LATENCY = 0.06


def model(**delays: float) -> Model:
    """Return a model of AWS with only these delays."""
    return Model(LATENCY, {**vars(Delays.none()), **delays})


def test_every_cost_belongs_to_a_kind() -> None:
    """Kinds of resources without a cost of their own cost one call."""
    assert set() == set(KINDS) - set(kinds())


def test_waits_overlap() -> None:
    """The longest wait decides; the calls before it are few."""
    resources = floor.default_stack().resources
    alone = floor.setup_seconds(resources, model(load_balancer=150))
    assert 150 < alone < 151
    together = model(load_balancer=150, certificate=60, task_start=60)
    assert alone == floor.setup_seconds(resources, together)
    steady = model(load_balancer=150, certificate=60, task_start=60, steady=10)
    assert alone + 10 == pytest.approx(floor.setup_seconds(resources, steady), abs=0.2)
    assert alone < floor.setup_seconds(resources, model(certificate=160))


def test_speed_shortens_waits_and_not_calls() -> None:
    """The speed shortens AWS's delays, and leaves the duration of calls unchanged."""
    resources = floor.default_stack().resources
    slow = floor.setup_seconds(resources, model(load_balancer=150))
    fast = Model(LATENCY, {**vars(Delays.none()), "load_balancer": 150}, speed=20)
    assert 150 - 150 / 20 == pytest.approx(slow - floor.setup_seconds(resources, fast))


def test_teardown_is_as_long_as_its_longer_chain() -> None:
    """The ending task, or what the load balancer leaves behind."""
    assert 21 > floor.teardown_seconds(model()) > model().ending
    long = floor.teardown_seconds(model(certificate_in_use=300))
    assert 300 < long < 301


@pytest.mark.full
@pytest.mark.parametrize(
    ("command", "rows"),
    [(["benchmarks.startup", "--rounds", "2"], 10), (["benchmarks.setup", "--runs", "1"], 7)],
)
def test_benchmark_runs(command: list[str], rows: int) -> None:
    """It measures and prints its table; the results are not tested."""
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, timeout=300
    )
    assert ("", 0) == (done.stderr, done.returncode)
    assert rows == len(re.findall(r"^\| [a-z].*\d \|$", done.stdout, re.M))
