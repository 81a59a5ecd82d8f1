"""After a teardown: what at the registrar and at LINE still leads to what is gone."""

import io

import pytest

from provision.cli.teardown import _print_preview, left_outside
from provision.run import Options, Run
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from tests.provision.conftest import Env


def torn_down(env: Env) -> tuple[Run, list[str]]:
    """Delete everything; return the run, and what was deleted."""
    run = Run(Options(yes=True), StackFile(env.path), env.stack(), env.clients(), env.clock)
    engine = run.engine(Progress(run.stack.resources, env.clock, io.StringIO()))
    engine.begin()
    engine.check_teardown(True)
    return run, engine.teardown(True, set()).deleted


def test_registrar_and_line_still_point_here(env: Env) -> None:
    """Both are named, with what to do."""
    env.setup()
    run, deleted = torn_down(env)
    registrar, line = left_outside(run, deleted)
    assert registrar.startswith(
        "The hosted zone of example.jp is gone, and your registrar still lists"
    )
    assert all(server in registrar for server in run.stack.zone.name_servers)
    assert line.startswith('LINE still calls https://example.jp/webhook: switch "Use webhook" off')


def test_registrar_was_changed_first(env: Env) -> None:
    """Nothing is left to do there."""
    env.setup()
    env.sandbox.cloud.registrar.enter("example.jp", ["ns.other.example"])
    run, deleted = torn_down(env)
    (line,) = left_outside(run, deleted)
    assert "LINE" in line[:4]


def test_earlier_webhook_was_put_back(env: Env) -> None:
    """LINE calls what it called before."""
    env.sandbox.line.endpoint = "https://old.example/webhook"
    env.setup()
    run, deleted = torn_down(env)
    assert ["The hosted zone"] == [text[:15] for text in left_outside(run, deleted)]


def test_zone_is_kept(env: Env) -> None:
    """Nothing to do at the registrar."""
    env.setup()
    run, _deleted = torn_down(env)
    assert [] == left_outside(run, [])


def test_preview_names_the_safe_order(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the stack's name is typed, and only while the registrar lists the zone that goes."""
    env.setup()
    warning = "example.jp is delegated to this hosted zone. Safer: first enter other name servers"
    for everything, servers, expected in (
        (True, [], True),
        (False, [], False),
        (True, ["ns.other.example"], False),
    ):
        if servers:
            env.sandbox.cloud.registrar.enter("example.jp", servers)
        run = Run(Options(), StackFile(env.path), env.stack(), env.clients(), env.clock)
        engine = run.engine(Progress(run.stack.resources, env.clock, io.StringIO()))
        engine.begin()
        engine.check_teardown(everything)
        _print_preview(run, engine.teardown_preview(everything, set()))
        assert expected == (warning in capsys.readouterr().err)
