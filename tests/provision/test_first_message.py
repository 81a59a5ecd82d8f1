"""The wait for the bot's first answer, where the log cannot be read."""

import os
import sys

import pytest

from provision.cli.first_message import wait_for_first_message
from provision.run import Options, Run
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env
from tests.provision.test_unanswered_requests import deny


def test_log_that_may_not_be_read(
    env: Env, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not said that no message has been answered, which nobody knows."""
    env.aws_session.before = deny("FilterLogEvents")
    run = Run(Options(), StackFile(env.path), env.stack(), env.clients(), env.clock, {})
    controller, terminal = os.openpty()
    with open(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        wait_for_first_message(run)
    os.close(controller)
    assert (
        "Whether the bot has answered is not known: AccessDenied: not authorized: FilterLogEvents"
        == capsys.readouterr().err.strip()
    )
