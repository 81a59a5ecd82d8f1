"""The checks of `provision verify`, from the domain's delegation to a message to the bot.

The state of resources is taken from the same inspection as `status` (`is_ready`). The other checks test what
a client sees: resolvers, TLS, LINE.
"""

from provision.i18n import _
from provision.stack import Stack
from provision.verify.permissions import role_has_permissions
from provision.verify.probes import (
    caa,
    host_resolves,
    image,
    is_stored,
    line_test,
    news_is_fresh,
    secrets_match,
    targets,
    tasks_wanted,
    tls_handshake,
    token,
    webhook,
)
from provision.verify.tree import Check, CheckContext, Finding, is_ready, ok


def checks(stack: Stack) -> list[Check[CheckContext]]:
    """Return all checks of a stack; each comes after those that it needs."""
    domain, https, bot = _("Domain"), "HTTPS", _("Bot")
    permissions, secrets, news = _("Permissions"), _("Secrets"), _("News")
    hours, line = _("Hours"), "LINE"
    credential = stack.line_credential.logical_id  # is a check's key, too
    collection, schedule = stack.initial_collection, stack.collector_schedule
    return [
        Check(domain, "zone", _("hosted zone"), is_ready(stack.zone)),
        Check(domain, "delegation", _("delegation"), is_ready(stack.delegation), ("zone",)),
        Check(domain, "caa", _("CAA allows Amazon"), caa),
        Check(
            domain,
            "certificate",
            _("certificate"),
            is_ready(stack.certificate, stack.validation_record, stack.issued_certificate),
            ("delegation",),
        ),
        Check(
            https,
            "load_balancer",
            _("load balancer"),
            is_ready(stack.load_balancer, stack.active_load_balancer),
        ),
        Check(domain, "alias", _("alias"), host_resolves, ("delegation", "load_balancer")),
        Check(
            https,
            "listener",
            _("listener"),
            is_ready(stack.https, stack.webhook_rule),
            ("certificate", "load_balancer"),
        ),
        Check(https, "tls", _("TLS as LINE does it"), tls_handshake, ("alias", "listener")),
        Check(bot, "image", _("image"), image),
        Check(
            bot,
            "service",
            _("service"),
            is_ready(stack.cluster, stack.task_definition, stack.service),
        ),
        Check(bot, "awake", _("bot should be running"), tasks_wanted, ("service",)),
        Check(bot, "task", _("task"), is_ready(stack.steady_service), ("service", "awake")),
        Check(bot, "target", _("target health"), targets, ("service", "awake", "load_balancer")),
        Check(
            permissions,
            "execution_role",
            _("ECS, to start the bot"),
            role_has_permissions(stack.execution_permissions),
        ),
        Check(
            permissions,
            "task_role",
            _("the bot itself"),
            role_has_permissions(stack.task_permissions),
        ),
        Check(
            permissions,
            "collector_role",
            _("the news collector"),
            role_has_permissions(collection.permissions if collection else None),
        ),
        Check(secrets, "access_token", _("access token"), is_stored(stack.access_token)),
        Check(secrets, "channel_secret", _("channel secret"), is_stored(stack.channel_secret)),
        Check(secrets, "token", _("token accepted by LINE"), token, (credential,)),
        Check(
            secrets,
            "channel",
            _("token and secret match"),
            secrets_match,
            ("token", "channel_secret"),
        ),
        Check(news, "bucket", _("bucket"), is_ready(stack.news_bucket)),
        Check(news, "articles", _("news up to date"), news_is_fresh, ("bucket",)),
        Check(
            news,
            "collecting",
            _("collected on a schedule"),
            is_ready(schedule and schedule.definition, schedule and schedule.permissions, schedule),
        ),
        Check(
            hours, "start", _("start"), is_ready(stack.scheduler_permissions, stack.start_schedule)
        ),
        Check(hours, "stop", _("stop"), is_ready(stack.scheduler_permissions, stack.stop_schedule)),
        Check(line, "webhook", _("webhook endpoint"), webhook, ("token", "listener")),
        Check(line, "active", _('"Use webhook"'), is_ready(stack.active_webhook), ("webhook",)),
        Check(line, "test", _("LINE's own test"), line_test, ("webhook", "tls", "target")),
        Check(line, "message", _("send a message now"), _message, ("active", "test")),
    ]


def _message(context: CheckContext) -> Finding:
    """Return where a person sends the bot a message, which no check can do."""
    return ok(context.run.chat_link(context.bot.get("basicId", "")))
