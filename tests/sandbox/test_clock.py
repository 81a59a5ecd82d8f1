"""The sandbox's clocks."""

import threading
import time

import pytest

from provision.sandbox.clock import ManualClock, RunningClock


def test_manual_clock_stands_still_until_advanced() -> None:
    """now() is constant, and advance moves it exactly as requested."""
    clock = ManualClock(start=100.0)
    assert clock.now() == clock.now() == 100.0
    clock.advance(2.5)
    assert clock.now() == 102.5
    clock.sleep(1)
    assert clock.now() == 103.5


def test_manual_clock_lets_the_world_happen_in_steps() -> None:
    """Callbacks run after each second of an advance, and once for an advance of 0."""
    clock = ManualClock(start=0.0)
    seen: list[float] = []
    clock.on_advance(lambda: seen.append(clock.now()))
    clock.advance(2.5)
    clock.advance(0)
    assert seen == [1.0, 2.0, 2.5, 2.5]


def test_running_clock_runs_at_its_speed() -> None:
    """At speed 1000 a simulated sleep of 20 seconds takes about 20 real milliseconds."""
    clock = RunningClock(speed=1000)
    real, simulated = time.monotonic(), clock.now()
    clock.sleep(20)
    assert clock.now() - simulated >= 20
    assert 0.02 <= time.monotonic() - real < 2


def test_running_clock_stands_still_while_held() -> None:
    """Inside hold(), nested or not, no simulated time passes; afterwards it continues."""
    clock = RunningClock(speed=1_000_000)
    with clock.hold():
        before = clock.now()
        with clock.hold():
            pass
        threading.Event().wait(0.01)
        assert clock.now() == before
    clock.sleep(10)
    assert 10 <= clock.now() - before < 10_000_000


def test_sleepers_wait_for_the_holder() -> None:
    """A sleeping thread does not wake up before the hold ends."""
    clock = RunningClock(speed=1000)
    woke = threading.Event()

    def sleep() -> None:
        clock.sleep(1)
        woke.set()

    with clock.hold():
        sleeper = threading.Thread(target=sleep)
        sleeper.start()
        assert not woke.wait(0.05)
    assert woke.wait(5)
    sleeper.join()


def test_speed_is_above_zero() -> None:
    """A speed of 0 or below is rejected."""
    with pytest.raises(ValueError, match="speed must be above 0"):
        RunningClock(speed=0)


def test_speed_can_be_changed() -> None:
    """From now on: what has passed stays, and who sleeps wakes up by the new speed."""
    clock = RunningClock(speed=0.001)
    before = clock.now()
    woke = threading.Event()

    def sleep() -> None:
        clock.sleep(10)
        woke.set()

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    clock.change_speed(1_000_000)
    assert woke.wait(10)
    sleeper.join()
    assert 1_000_000 == clock.speed
    assert clock.now() - before >= 10
    for wrong in (0, -1, float("inf")):
        with pytest.raises(ValueError, match="speed must be above 0"):
            clock.change_speed(wrong)
