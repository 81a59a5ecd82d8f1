"""The verb verify: a tree of checks, from the domain's delegation to a message that the bot answers.

Nothing here has an opinion of its own about a resource: what `status` sees is asked first (`stands`), and
beyond it only what somebody outside would meet: a resolver, a TLS client, LINE.
"""

import os
import sys
from typing import Any

from provision.checks import Check, Finding, Scene, examine, ok, stands
from provision.console import Progress, show_json
from provision.probes import (
    addressed,
    awake,
    caa,
    fresh,
    image,
    line_test,
    one_channel,
    shakes_hands,
    targets,
    token,
    webhook,
)
from provision.qr import drawn
from provision.rights import role_may
from provision.run import Options, Run, prepared
from provision.tls import Tls
from provision.words import _, can_show

FRIEND = "https://line.me/R/ti/p/{bot}"


def checks() -> list[Check]:
    """All of them, from the outermost in; each after those that it needs."""
    domain, https, bot = _("Domain"), "HTTPS", _("Bot")
    rights, secrets, news = _("Rights"), _("Secrets"), _("News")
    hours, line = _("Hours"), "LINE"
    return [
        Check(domain, "zone", _("hosted zone"), stands("zone")),
        Check(domain, "delegation", _("delegation"), stands("delegation"), ("zone",)),
        Check(domain, "caa", _("CAA lets Amazon issue"), caa),
        Check(
            domain,
            "certificate",
            _("certificate"),
            stands("certificate", "validation_record", "issued_certificate"),
            ("delegation",),
        ),
        Check(
            https,
            "load_balancer",
            _("load balancer"),
            stands("load_balancer", "active_load_balancer"),
        ),
        Check(domain, "alias", _("alias"), addressed, ("delegation", "load_balancer")),
        Check(https, "listener", _("listener"), stands("https"), ("certificate", "load_balancer")),
        Check(https, "tls", _("TLS as LINE does it"), shakes_hands, ("alias", "listener")),
        Check(bot, "image", _("image"), image),
        Check(bot, "service", _("service"), stands("cluster", "task_definition", "service")),
        Check(bot, "awake", _("a task is wanted"), awake, ("service",)),
        Check(bot, "task", _("task"), stands("steady_service"), ("service", "awake")),
        Check(bot, "target", _("target health"), targets, ("service", "awake", "load_balancer")),
        Check(
            rights,
            "execution_role",
            _("ECS, to start the bot"),
            role_may("execution_role", "execution_permissions"),
        ),
        Check(rights, "task_role", _("the bot itself"), role_may("task_role", "task_permissions")),
        Check(
            rights,
            "collector_role",
            _("the news collector"),
            role_may("collector_role", "collector_permissions"),
        ),
        Check(secrets, "access_token", _("access token"), stands("access_token")),
        Check(secrets, "channel_secret", _("channel secret"), stands("channel_secret")),
        Check(secrets, "token", _("LINE takes the token"), token, ("access_token",)),
        Check(
            secrets, "channel", _("both of one channel"), one_channel, ("token", "channel_secret")
        ),
        Check(news, "bucket", _("bucket"), stands("news_bucket")),
        Check(news, "articles", _("present and fresh"), fresh, ("bucket",)),
        Check(
            news,
            "collecting",
            _("collected on a schedule"),
            stands("collector_definition", "collecting_permissions", "collector_schedule"),
        ),
        Check(hours, "start", _("start"), stands("scheduler_permissions", "start_schedule")),
        Check(hours, "stop", _("stop"), stands("scheduler_permissions", "stop_schedule")),
        Check(line, "webhook", _("webhook endpoint"), webhook, ("token", "listener")),
        Check(line, "active", _('"Use webhook"'), stands("active_webhook"), ("webhook",)),
        Check(line, "test", _("LINE's own test"), line_test, ("webhook", "tls", "target")),
        Check(line, "message", _("send a message now"), _message, ("active", "test")),
    ]


def _message(scene: Scene) -> Finding:
    """Only a person can: where to."""
    return ok(FRIEND.format(bot=scene.bot.get("basicId", "")))


def verify(options: Options, as_json: bool) -> int:
    """Looks, asks, changes nothing.

    0: nothing is wrong; 1: something is, or could not be looked at; 3: what is outside is missing.
    """
    run = prepared(options, save=False, looks=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    run.sights = engine.look()
    scene = Scene(run, run.sights, Tls.from_environment())
    every = checks()
    findings = examine(every, scene)
    if as_json:
        show_json(document(every, findings, run))
    else:
        _show(every, findings)
    wrong = [finding for finding in findings.values() if finding.state in ("NG", None)]
    return 0 if not wrong else 3 if all(finding.outside for finding in wrong) else 1


def document(every: list[Check], findings: dict[str, Finding], run: Run) -> dict[str, Any]:
    """What --json prints."""
    states = [finding.state for finding in findings.values()]
    return {
        "url": run.stack.url,
        "checks": [
            {
                "key": check.key,
                "group": check.group,
                "title": check.title,
                "state": findings[check.key].state,
                "reason": findings[check.key].reason,
                "next": findings[check.key].then,
                "outside": findings[check.key].outside,
                "needs": list(check.needs),
            }
            for check in every
        ],
        **{state.lower(): states.count(state) for state in ("OK", "NG", "SKIP")},
        "unknown": states.count(None),
    }


def _show(every: list[Check], findings: dict[str, Finding]) -> None:
    """The tree: a heading a group, a line a check, the next step under what is not OK."""
    for group in dict.fromkeys(check.group for check in every):
        print(group)
        for check in (check for check in every if check.group == group):
            finding = findings[check.key]
            reason = f": {finding.reason}" if finding.reason else ""
            print(f"  {finding.state or '?':4}  {check.title}{reason}")
            if finding.then:
                print(f"        -> {finding.then}")
    last = findings["message"]
    if last.state == "OK" and sys.stdout.isatty():
        code = drawn(last.reason, colours="NO_COLOR" not in os.environ)
        if can_show(code, sys.stdout):
            print(code)
