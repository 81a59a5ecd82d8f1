"""A call held before or after it is carried out, so that a test can kill its client at that point."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.sandbox.conftest import Account
from tests.sandbox.control_client import control
from tests.sandbox.faults.test_faults import names, put


class Client:
    """A client in its own thread that puts a parameter."""

    def __init__(self, account: Account) -> None:
        self.error: BaseException | None = None
        self._account = account
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            put(self._account)
        except ConnectionClosedError as error:
            self.error = error

    def result(self) -> BaseException | None:
        """Return how it ended."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.error


@pytest.mark.parametrize(("when", "made"), [("before", []), ("after", ["A"])])
def test_a_held_call_is_dropped(account: Account, when: str, made: list[str]) -> None:
    """A waiting request returns the call and the side on which it is held; once released, it is dropped."""
    fault = {"kind": "hold", "mutating": True, "when": when}
    number = control(account, "POST", "faults", fault)["number"]
    client = Client(account)
    held = control(account, "GET", f"faults/{number}/reached?seconds=10")["call"]
    assert ("ssm", "PutParameter") == (held["service"], held["operation"])
    assert made == names(account)
    assert {} == control(account, "POST", f"faults/{number}/release", {})
    assert isinstance(client.result(), ConnectionClosedError)
    assert made == names(account)
    assert [] == control(account, "GET", "faults")


def test_a_held_call_may_carry_on(account: Account) -> None:
    """Released with carry_on, it completes normally."""
    number = control(account, "POST", "faults", {"kind": "hold", "mutating": True})["number"]
    client = Client(account)
    assert control(account, "GET", f"faults/{number}/reached?seconds=10")["call"]
    assert {} == control(account, "POST", f"faults/{number}/release", {"carry_on": True})
    assert client.result() is None
    assert ["A"] == names(account)


def test_a_refused_call_is_held_too(account: Account) -> None:
    """A rejected call is held like any other."""
    put(account)
    fault = {"kind": "hold", "operation": "PutParameter", "when": "after"}
    number = control(account, "POST", "faults", fault)["number"]
    client = Client(account)
    assert control(account, "GET", f"faults/{number}/reached?seconds=10")["call"]
    control(account, "DELETE", f"faults/{number}")
    assert isinstance(client.result(), ConnectionClosedError)


def test_waiting_for_a_hold_ends_with_it(account: Account) -> None:
    """Without a held call: null after the requested time or if the fault is removed; then 404."""
    number = control(account, "POST", "faults", {"kind": "hold"})["number"]
    assert {"call": None} == control(account, "GET", f"faults/{number}/reached?seconds=0")
    assert 400 == control(account, "POST", f"faults/{number}/release", {})
    responses: list[Any] = []
    waiter = threading.Thread(
        target=lambda: responses.append(control(account, "GET", f"faults/{number}/reached"))
    )
    waiter.start()
    control(account, "DELETE", "faults")
    waiter.join(10)
    assert responses in ([{"call": None}], [404])  # 404: taken back before it was asked
    assert 404 == control(account, "GET", f"faults/{number}/reached")
