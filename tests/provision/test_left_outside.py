"""After a teardown: what at the registrar and at LINE still leads to what is gone."""

import io

import pytest

from provision import i18n
from provision.cli.teardown import _print_preview, confirm_restore, left_outside
from provision.engine.engine import Engine
from provision.run import Options, Run
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from tests.provision.conftest import Env


def prepared(env: Env) -> tuple[Run, Engine]:
    """Return a run that may delete everything, and its engine."""
    run = Run(Options(yes=True), StackFile(env.path), env.stack(), env.clients(), env.clock)
    engine = run.engine(Progress(run.stack.resources, env.clock, io.StringIO()))
    engine.begin()
    engine.check_teardown(True)
    return run, engine


def torn_down(env: Env) -> tuple[Run, list[str]]:
    """Delete everything; return the run, and what was deleted."""
    run, engine = prepared(env)
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


def test_registrar_lists_white_label_name_servers(env: Env) -> None:
    """They have the addresses of the deleted zone's."""
    env.setup()
    zone = StackFile(env.path).records["zone/example.jp"]
    env.enter_white_label_servers(zone.outputs["name_servers"])
    run, deleted = torn_down(env)
    registrar, _line = left_outside(run, deleted)
    assert registrar.startswith(
        "The hosted zone of example.jp is gone, and your registrar still lists"
    )


def test_earlier_webhook_was_put_back(env: Env) -> None:
    """LINE calls what it called before."""
    env.sandbox.line.endpoint = "https://old.example/webhook"
    env.sandbox.line.other_servers.add("old.example")
    env.setup()
    run, deleted = torn_down(env)
    assert ["The hosted zone"] == [text[:15] for text in left_outside(run, deleted)]
    assert "https://old.example/webhook" == env.sandbox.line.endpoint


def test_earlier_webhook_does_not_answer(env: Env) -> None:
    """It is not put back: LINE goes on calling the stack's, which is said."""
    env.sandbox.line.endpoint = "https://old.example/webhook"
    env.setup()
    run, deleted = torn_down(env)
    _registrar, line = left_outside(run, deleted)
    assert line.startswith("LINE still calls https://example.jp/webhook: switch")
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint


def test_use_webhook_is_off(env: Env) -> None:
    """Nothing is left to do at LINE."""
    env.setup()
    env.sandbox.line.active = False
    run, deleted = torn_down(env)
    assert ["The hosted zone"] == [text[:15] for text in left_outside(run, deleted)]


def test_host_was_changed_before_teardown(env: Env) -> None:
    """The recorded webhook's URL is named, not that of stack.yaml."""
    env.setup()
    env.set(host="bot.example.jp")
    run, deleted = torn_down(env)
    _registrar, line = left_outside(run, deleted)
    assert line.startswith("LINE still calls https://example.jp/webhook: switch")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "LINE's former webhook URL https://old.example/webhook does not answer LINE's test: "
            "COULD_NOT_CONNECT LINE says 400: Invalid webhook endpoint URL\n"
            "It will not be set again.\n",
        ),
        (
            "ja",
            "LINEに以前設定されていたWebhook URL https://old.example/webhook は、LINEの検証に応答しません: "
            "COULD_NOT_CONNECT LINEの応答: 400 Invalid webhook endpoint URL\n"
            "このURLには戻しません。\n",
        ),
    ],
)
def test_silent_earlier_webhook_is_named_before_teardown(
    env: Env,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    said: str,
) -> None:
    """Without a terminal it is not put back, even if it answers a moment later."""
    monkeypatch.setenv("COLUMNS", "300")
    env.sandbox.line.endpoint = "https://old.example/webhook"
    env.setup()
    run, engine = prepared(env)
    before = i18n.language()
    i18n.use(language)
    confirm_restore(run, engine.teardown_preview(True))
    i18n.use(before)
    assert said == capsys.readouterr().err
    env.sandbox.line.other_servers.add("old.example")
    engine.teardown(True)
    assert "https://example.jp/webhook" == env.sandbox.line.endpoint


@pytest.mark.parametrize("earlier", ["", "https://old.example/webhook"])
def test_nothing_is_said_of_an_earlier_webhook_that_answers(
    env: Env, capsys: pytest.CaptureFixture[str], earlier: str
) -> None:
    """Nor without one."""
    env.sandbox.line.endpoint = earlier
    env.sandbox.line.other_servers.add("old.example")
    env.setup()
    run, engine = prepared(env)
    confirm_restore(run, engine.teardown_preview(True))
    assert "" == capsys.readouterr().err
    engine.teardown(True)
    assert (earlier or "https://example.jp/webhook") == env.sandbox.line.endpoint


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


@pytest.mark.parametrize(
    ("previous", "event"), [("", "survives"), ("https://old.example/", "gone")]
)
def test_webhook_url_that_stays_is_not_called_gone(env: Env, previous: str, event: str) -> None:
    """LINE has no call to delete it; only a former one replaces it. Nothing else survives."""
    if previous:
        env.sandbox.line.endpoint = previous
    env.setup()
    engine = env.engine()
    engine.check_teardown(True)
    webhook = next(each for each in engine.resources if each.logical_id == "webhook")
    webhook.restore = bool(previous)  # type: ignore[attr-defined]
    engine.teardown(True)
    ends = {key: e for e, key, _detail in env.events if e in ("gone", "survives")}
    assert event == ends.pop("webhook/example.jp")
    assert {"gone"} == set(ends.values())
    assert "initial_collection" in ends
