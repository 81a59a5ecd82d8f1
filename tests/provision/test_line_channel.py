"""LINE's two secrets before anything is made: proven, asked for again, adopted only where they work."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from provision.clients.line import Line, LineError
from provision.resources.base import Clients
from provision.run import Run
from provision.wizard import channel
from tests.provision.conftest import Env
from tests.provision.shell import Person, aws_environment, client, runtime_info
from tests.provision.terminal import ENTER, Terminal
from tests.provision.test_domain import looked


def checking_uses(env: Env) -> Run:
    """A run after its look, whose door to LINE has the token that the bot will have."""
    run = looked(env)
    line = Line(lambda: run.value(run.stack.access_token), env.line_url)
    run.clients = Clients(env.aws, run.clients.dns, line)
    return run


def by_hand(env: Env, name: str, value: str) -> None:
    """A parameter that was there first."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name=name, Value=value, Type="SecureString")


def refused(env: Env) -> str:
    """What setup says where nobody can be asked."""
    with pytest.raises(LineError) as refusal:
        channel.complete(checking_uses(env))
    assert [] == env.changes()
    return str(refusal.value)


def test_secrets_of_one_channel(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """The right ones pass, and whose token it is is said."""
    assert not channel.complete(checking_uses(env))
    assert "the access token belongs to News" in capsys.readouterr().err


def test_wrong_token(env: Env) -> None:
    """LINE's 401, before anything is made; the token is not shown."""
    env.secrets = replace(env.secrets, access_token="wrong-token")
    said = refused(env)
    assert "LINE says 401" in said
    assert "wrong-token" not in said


def test_secret_of_another_channel(env: Env) -> None:
    """The token's channel is named, the secret is not."""
    env.secrets = replace(env.secrets, channel_secret="0" * 32)
    said = refused(env)
    assert f"channel {env.sandbox.line.channel_id}'s, and the secret is not" in said
    assert "0" * 32 not in said


def test_adopted_parameter_that_line_refuses(env: Env) -> None:
    """What was there first is what the bot would use: its value is proven, whatever this run was given."""
    by_hand(env, "ACCESS_TOKEN", "old-token")
    env.changes()
    said = refused(env)
    assert "the value in the parameter ACCESS_TOKEN" in said
    assert "old-token" not in said


def test_adopted_secret_of_another_channel(env: Env) -> None:
    """The same for the channel secret."""
    by_hand(env, "CHANNEL_SECRET", "1" * 32)
    env.changes()
    assert "the value in the parameter CHANNEL_SECRET" in refused(env)


def test_new_value_at_a_terminal_replaces_an_adopted_one(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """The person sees why, gives another, and that one is put into their parameter."""
    ssm, known = client(addresses, "ssm"), runtime_info(person)
    ssm.put_parameter(Name="ACCESS_TOKEN", Value="old-token", Type="SecureString")
    sets = ("domain=shop.example", "image.uri=a/b:1", "network.vpc=default")
    words = [word for pair in sets for word in ("--set", pair)]
    more = {**aws_environment(known), "LINE_CHANNEL_SECRET": known["channel_secret"]}
    terminal = terminals("setup", "--wait", "0", *words, **more)
    terminal.until("LINE says 401")
    terminal.until("LINE_CHANNEL_ACCESS_TOKEN")
    terminal.type(known["access_token"] + ENTER)
    terminal.until("Build this?")
    terminal.type("y")
    terminal.until("Everything that can be built by now is built.")
    assert 3 == terminal.wait()
    found = ssm.get_parameter(Name="ACCESS_TOKEN", WithDecryption=True)["Parameter"]["Value"]
    ssm.close()
    assert known["access_token"] == found
