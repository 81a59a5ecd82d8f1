"""The power fails at every mutating call in turn, and the same command is run again at once.

With a lag, every service answers for LAG seconds (of the clock that only the engine's waiting moves) as it
did before: the next run does not see what was created just before the power failed. test_power_cut.py tries
each resource separately (`make full`).
"""

from collections.abc import Callable

import pytest

from provision.sandbox.delays import Delays
from tests.provision.conftest import READING, WHOLE, Env, PowerCut

FORMER = "https://former.example/webhook"
LAG = 20.0
START = 5.0  # seconds until the next run's first call
NETWORK = {"association": 3, "internet gateway": 1, "route table": 2, "subnet": 3, "vpc": 1}
MOST = 250  # runs; more would mean that nothing moves on


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
    env.set(network__vpc="new")  # its parts have neither name nor token


def cut(env: Env, moment: str, past: int) -> None:
    """Off `before` or `after` the next changing call but `past`."""
    left = past

    def counted(operation: str) -> None:
        nonlocal left
        if not operation.startswith(READING):
            left -= 1
            if left < 0:
                env.aws_session.cut(f"{moment} {operation}")

    setattr(env.aws_session, moment, counted)


def carried(env: Env, run: Callable[[], object], moment: str) -> int:
    """Cut and run again until it ends by itself; how often it was cut."""
    for cuts in range(MOST):
        cut(env, moment, 1 if moment == "before" else 0)  # before: one call of each run passes
        try:
            run()
        except PowerCut:
            env.aws_session.free()
            env.clock.advance(START)
            continue
        env.aws_session.free()
        env.clock.advance(LAG)
        return cuts
    raise AssertionError("nothing moves on")


@CUTS
def test_at_every_call_of_setup(env: Env, moment: str) -> None:
    """One of everything; a further setup changes nothing."""
    assert carried(env, lambda: _well(env), moment) > 40
    assert {**WHOLE, **NETWORK} == env.inventory()
    env.changes()
    _well(env)
    assert [] == env.changes()


def _well(env: Env) -> None:
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


@CUTS
def test_at_every_call_of_teardown(env: Env, moment: str) -> None:
    """Nothing is left, in the account and in the file; LINE has its former endpoint."""
    env.sandbox.line.endpoint = FORMER
    env.setup()

    def away() -> None:
        gone = env.teardown()
        assert ([], []) == (gone.errors, gone.left)

    assert carried(env, away, moment) > 25
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
    assert FORMER == env.sandbox.line.endpoint


@pytest.mark.parametrize("line", ["vpc", "zone", "certificate", "alias"])
def test_teardown_at_once(env: Env, line: str) -> None:
    """What was made just before the power went, and is not shown yet, goes all the same."""
    env.cut_power("creating", line, "after")
    with pytest.raises(PowerCut):
        env.setup()
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    env.clock.advance(LAG)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
