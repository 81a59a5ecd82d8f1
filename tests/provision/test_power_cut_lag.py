"""A power cut at every mutating call in turn, after which the same command is run again at once.

With a lag, every service answers with stale data for LAG seconds of the clock (which only the engine's waits
advance): the next run does not see what was created just before. test_power_cut.py tries each resource
separately (`make full`).
"""

from collections.abc import Callable

import pytest

from provision.sandbox.delays import Delays
from tests.provision.conftest import READING, WHOLE, Env, PowerCut

FORMER = "https://former.example/webhook"
LAG = 20.0
START = 5.0  # seconds until the next run's first call
NETWORK = {"association": 3, "internet gateway": 1, "route table": 2, "subnet": 3, "vpc": 1}
MOST = 250  # runs; more would mean that there is no progress


CUTS = pytest.mark.parametrize(
    ("moment", "lag"),
    [
        ("after", 0.0),
        pytest.param("before", 0.0, marks=pytest.mark.full),
        pytest.param("after", LAG, marks=pytest.mark.full),
        pytest.param("before", LAG, marks=pytest.mark.full),
    ],
)


@pytest.fixture
def lag() -> float:
    """Return the lag in seconds."""
    return LAG


@pytest.fixture
def delays(lag: float) -> Delays:
    """Return no delay but the lag."""
    delays = Delays.none()
    delays.lag = lag
    return delays


@pytest.fixture(autouse=True)
def _new_network(env: Env) -> None:
    env.set(network__vpc="new")  # its parts have neither a unique name nor a token


def cut_at_next_call(env: Env, moment: str, past: int) -> None:
    """Cut the power `before` or `after` the next mutating call except the first `past`."""
    left = past

    def counted(operation: str) -> None:
        nonlocal left
        if not operation.startswith(READING):
            left -= 1
            if left < 0:
                env.aws_session.cut(f"{moment} {operation}")

    setattr(env.aws_session, moment, counted)


def run_until_done(env: Env, run: Callable[[], object], moment: str) -> int:
    """Cut and run again until the run completes; return the number of cuts."""
    for cuts in range(MOST):
        # Cut before a call: let one call of each run pass.
        cut_at_next_call(env, moment, 1 if moment == "before" else 0)
        try:
            run()
        except PowerCut:
            env.aws_session.free()
            env.clock.advance(START)
            continue
        env.aws_session.free()
        env.clock.advance(LAG)
        return cuts
    raise AssertionError("no progress")


@CUTS
def test_power_cut_at_every_call_of_setup(env: Env, moment: str) -> None:
    """The stack is complete; a further setup changes nothing."""
    assert run_until_done(env, lambda: _setup(env), moment) > 40
    assert {**WHOLE, **NETWORK} == env.inventory()
    env.changes()
    _setup(env)
    assert [] == env.changes()


def _setup(env: Env) -> None:
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


@pytest.mark.full
@CUTS
def test_power_cut_at_every_call_of_teardown(env: Env, moment: str) -> None:
    """Nothing is left, in the account and in the file; LINE's former endpoint is restored."""
    env.sandbox.line.endpoint = FORMER
    env.sandbox.line.other_servers.add("former.example")
    env.setup()

    def teardown() -> None:
        result = env.teardown()
        assert ([], []) == (result.errors, result.left)

    assert run_until_done(env, teardown, moment) > 25
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
    assert FORMER == env.sandbox.line.endpoint


def test_teardown_while_lists_lag(env: Env) -> None:
    """What a list still shows, although it is gone, is listed again until it is gone there too."""
    env.setup()
    result = env.teardown()
    assert ({}, [], []) == (result.unlisted, result.errors, result.left)


@pytest.mark.parametrize("line", ["vpc", "zone", "certificate", "alias"])
def test_teardown_right_after_power_cut(env: Env, line: str) -> None:
    """What was created just before the power cut, and is not shown yet, is deleted too."""
    env.cut_power("creating", line, "after")
    with pytest.raises(PowerCut):
        env.setup()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    env.clock.advance(LAG)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
