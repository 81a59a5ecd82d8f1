"""What verify asks: a tree of checks, from the domain's delegation to a message that the bot answers.

Nothing here has an opinion of its own about a resource: what `status` sees is asked first (`stands`), and
beyond it only what somebody outside would meet: a resolver, a TLS client, LINE.
"""

from provision.i18n import _
from provision.verify.permissions import role_may
from provision.verify.probes import (
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
from provision.verify.tree import Check, Finding, Scene, ok, stands

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
