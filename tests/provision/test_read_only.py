"""plan, status and verify for somebody who may not read LINE's secrets."""

import json
from typing import Any

import pytest

from tests.golden.test_requests import SHIPPED
from tests.provision.operator import ANSWERS, Operator
from tests.provision.operator import operator as operator
from tests.provision.operator import root as root

pytestmark = pytest.mark.slow(seconds=10)
TOKEN = "not checked: you have no permission to read the parameter ACCESS_TOKEN"
SECRET = "not checked: you have no permission to read the parameter CHANNEL_SECRET"


def unchecked(document: dict[str, Any]) -> dict[str, str]:
    """Return the reasons of the resources that were not checked, by their names in stack.py."""
    return {
        entry["key"].partition("/")[0]: entry["reason"]
        for entry in document["resources"]
        if not entry["checked"]
    }


def test_commands_that_only_read(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands check everything but LINE's secrets, and do not fail for that alone."""
    operator.shell.write_stack(SHIPPED)
    operator.allow("--for", "setup", *ANSWERS.split())
    operator.run("setup", *ANSWERS.split())
    operator.allow("--for", "status")
    status = json.loads(operator.run("status", "--json"))  # LINE's token is in the environment
    assert {"access_token": TOKEN, "channel_secret": SECRET} == unchecked(status)

    monkeypatch.delenv("LINE_CHANNEL_ACCESS_TOKEN")
    monkeypatch.delenv("LINE_CHANNEL_SECRET")
    status = json.loads(operator.run("status", "--json"))
    assert {"webhook": TOKEN, "active_webhook": TOKEN} == unchecked(status)
    for entry in status["resources"]:
        known = (True, True, []) if entry["checked"] else (None, None, None)
        assert known == (entry["live"], entry["ready"], entry["drift"]), entry["key"]
    text = operator.run("status")
    assert "What could be checked is well; resources that were not: 2." == text.splitlines()[0]
    assert 2 == text.count(TOKEN)

    steps = json.loads(operator.run("plan", "--json"))["resources"]
    assert [(None, TOKEN)] == [
        (step["action"], step["reason"]) for step in steps if step["action"] != "keep"
    ]
    found = verify(operator)
    assert ["tls"] == [key for key, (state, _why) in found.items() if state in ("NG", None)]
    assert {"token", "channel", "webhook", "active", "test", "message"} == {
        key for key, finding in found.items() if finding == ("SKIP", TOKEN)
    }
    assert ("OK", "") == found["access_token"]


def verify(operator: Operator) -> dict[str, tuple[str | None, str]]:
    """Return state and reason of each check; it fails, because the host has no TLS side here."""
    operator.capsys.readouterr()
    with pytest.raises(AssertionError, match="provision verify"):
        operator.shell.run("verify", "--json")
    checks = json.loads(operator.capsys.readouterr().out)["checks"]
    return {check["key"]: (check["state"], check["reason"]) for check in checks}
