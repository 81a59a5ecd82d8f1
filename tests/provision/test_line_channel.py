"""LINE's two secrets are checked before anything is created, asked for again, and adopted only if valid."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from provision.clients.line import LineError
from provision.resources.base import Clients
from provision.run import Run
from provision.wizard import channel
from tests.provision.conftest import Env, line_of
from tests.provision.shell import Person, aws_environment, client, runtime_info
from tests.provision.terminal import ENTER, Terminal
from tests.provision.test_domain import inspected_run


def inspected_run_with_line(env: Env) -> Run:
    """Return a run after its inspection, whose LINE client has the bot's token."""
    run = inspected_run(env)
    run.clients = Clients(env.aws, run.clients.dns, line_of(env, run))
    return run


def create_parameter(env: Env, name: str, value: str) -> None:
    """Create a parameter before setup."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name=name, Value=value, Type="SecureString")


def error_without_terminal(env: Env) -> str:
    """Return setup's error without a terminal."""
    with pytest.raises(LineError) as refusal:
        channel.complete_secrets(inspected_run_with_line(env))
    assert [] == env.changes()
    return str(refusal.value)


def test_secrets_of_one_channel(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """Valid ones are accepted, with a message about whose token it is."""
    assert not channel.complete_secrets(inspected_run_with_line(env))
    assert "the access token belongs to News" in capsys.readouterr().err


def test_wrong_token(env: Env) -> None:
    """LINE's 401 is reported before anything is created, without the token."""
    env.secrets = replace(env.secrets, access_token="wrong-token")
    error = error_without_terminal(env)
    assert "LINE says 401" in error
    assert "wrong-token" not in error


def test_secret_of_another_channel(env: Env) -> None:
    """The error contains the token's channel, not the secret."""
    env.secrets = replace(env.secrets, channel_secret="0" * 32)
    error = error_without_terminal(env)
    assert f"channel {env.sandbox.line.channel_id}'s, and the secret is not" in error
    assert "0" * 32 not in error


def test_invalid_token_in_an_adopted_parameter(env: Env) -> None:
    """The bot would use the existing parameter, so its value is checked, whatever this run was given."""
    create_parameter(env, "ACCESS_TOKEN", "old-token")
    env.changes()
    error = error_without_terminal(env)
    assert "the value in the parameter ACCESS_TOKEN" in error
    assert "old-token" not in error


def test_adopted_secret_of_another_channel(env: Env) -> None:
    """The same for the channel secret."""
    create_parameter(env, "CHANNEL_SECRET", "1" * 32)
    env.changes()
    assert "the value in the parameter CHANNEL_SECRET" in error_without_terminal(env)


def test_new_value_at_a_terminal_replaces_an_adopted_one(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """The user sees the reason, enters another value, and it is written to the parameter."""
    ssm, known = client(addresses, "ssm"), runtime_info(person)
    ssm.put_parameter(Name="ACCESS_TOKEN", Value="old-token", Type="SecureString")
    sets = ("domain=shop.example", "image.uri=a/b:1", "network.vpc=default")
    words = [word for pair in sets for word in ("--set", pair)]
    more = {**aws_environment(known), "LINE_CHANNEL_SECRET": known["channel_secret"]}
    terminal = terminals("setup", "--wait", "0", *words, **more)
    terminal.until("LINE says 401")
    terminal.until("It is shown as asterisks")
    terminal.type(known["access_token"] + ENTER)
    terminal.until("Build this?")
    terminal.type("y")
    terminal.until("Everything that can be built by now is built.")
    assert 3 == terminal.wait()
    found = ssm.get_parameter(Name="ACCESS_TOKEN", WithDecryption=True)["Parameter"]["Value"]
    ssm.close()
    assert known["access_token"] == found
