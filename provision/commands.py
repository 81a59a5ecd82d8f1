"""The verbs, as typed: options in, one function each, imported when it runs."""

from collections.abc import Callable
from typing import Any

import click

from provision.options import Option, as_json, contents, merged, waiting
from provision.words import _

Naming = Callable[[str, str, str], Option]  # name, help, example: what a verb is told with


def making(verb: Naming) -> None:
    """Verbs that bring the stack to be."""

    @verb(
        "setup",
        _("Ask for missing settings, show the plan, and build everything."),
        "provision setup",
    )
    @waiting()
    def setup(context: click.Context, wait: float | None, **given: Any) -> int:
        from provision import verbs

        return verbs.setup(merged(context, given), wait)

    @verb(
        "deploy",
        _("Roll out a new image or new settings, watch it, and go back where it fails."),
        "provision deploy --set image.uri=public.ecr.aws/name/bot:2",
    )
    @click.option("--rollback", is_flag=True, help=_("return to the version before"))
    def deploy(context: click.Context, rollback: bool, **given: Any) -> int:
        from provision import deploy as deploying

        return deploying.deploy(merged(context, given), back=rollback)

    @verb(
        "recover",
        _("Write a lost stack.yaml anew, from what stands in the account."),
        "provision recover --set name=news-bot",
    )
    def recover(context: click.Context, **given: Any) -> int:
        from provision import verbs

        return verbs.recover(merged(context, given))


def looking(verb: Naming) -> None:
    """Verbs that change nothing."""

    @verb(
        "plan",
        _("What setup would do, what it costs a month, how long it takes. Changes nothing."),
        "provision plan --json",
    )
    @as_json()
    def plan(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import verbs

        return verbs.plan(merged(context, given), as_json)

    @verb(
        "status", _("Each resource: recorded, there, ready or why not."), "provision status --json"
    )
    @as_json()
    def status(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import status as looking

        return looking.status(merged(context, given), as_json)

    @verb(
        "verify",
        _("Check everything from DNS to LINE: OK, NG or SKIP, why, and the next step."),
        "provision verify --json",
    )
    @as_json()
    def verify(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import verify as checking

        return checking.verify(merged(context, given), as_json)

    @verb("logs", _("The bot's own words, from CloudWatch Logs."), "provision logs -f --since 10m")
    @click.option("-f", "--follow", is_flag=True, help=_("go on until Ctrl-C"))
    @click.option(
        "--since",
        default="10m",
        show_default=True,
        metavar="10m",
        help=_("how far back: s, m, h, d"),
    )
    @click.option(
        "--level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="debug",
        help=_("only lines of this level or a graver one"),
    )
    @click.option("--json", "as_json", is_flag=True, help=_("the lines as the bot wrote them"))
    def logs(
        context: click.Context,
        follow: bool,
        since: str,
        level: str,
        as_json: bool,
        **given: Any,
    ) -> int:
        from provision import daily

        return daily.logs(merged(context, given), follow, since, level, as_json)

    @verb(
        "cost",
        _("What each resource costs a month, and what would lower it."),
        "provision cost --json",
    )
    @as_json()
    def cost(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import daily

        return daily.cost(merged(context, given), as_json)


def daily(verb: Naming) -> None:
    """Verbs of every day, once it stands."""

    @verb("start", _("Start the bot now: service.count tasks."), "provision start")
    def start(context: click.Context, **given: Any) -> int:
        from provision import daily

        return daily.scale(merged(context, given), start=True)

    @verb("stop", _("Stop the bot now: no task. The load balancer stays."), "provision stop")
    def stop(context: click.Context, **given: Any) -> int:
        from provision import daily

        return daily.scale(merged(context, given), start=False)

    @verb(
        "pause",
        _("Take away what is paid by the hour (load balancer, service); keep the rest."),
        "provision pause",
    )
    @contents()
    def pause(context: click.Context, contents: bool, **given: Any) -> int:
        from provision import daily

        return daily.pause(merged(context, given), contents)

    @verb("resume", _("Put back what pause took away, after asking."), "provision resume")
    @waiting()
    def resume(context: click.Context, wait: float | None, **given: Any) -> int:
        from provision import daily

        return daily.resume(merged(context, given), wait)


def ending(verb: Naming) -> None:
    """Taking it away, and a place to try."""

    @verb(
        "teardown",
        _(
            "Take away everything of ours but the hosted zone and the news; keep what was there before."
        ),
        "provision teardown --yes --everything",
    )
    @click.option(
        "--everything",
        is_flag=True,
        help=_("take away the hosted zone and the news bucket that setup created, too"),
    )
    @contents()
    @as_json()
    def teardown(
        context: click.Context, everything: bool, contents: bool, as_json: bool, **given: Any
    ) -> int:
        from provision import teardown as taking_away

        return taking_away.teardown(merged(context, given), everything, contents, as_json)

    @verb(
        "sandbox",
        _("An AWS, a DNS, a registrar and a LINE of our own on this machine. Serves until Ctrl-C."),
        "provision sandbox --speed 20",
    )
    @click.option(
        "--speed",
        type=click.FloatRange(min=0.1, max=1000),
        default=20.0,
        show_default=True,
        help=_("how much faster its time runs than ours"),
    )
    @click.option(
        "--json", "as_json", is_flag=True, help=_("its addresses as one JSON line before it serves")
    )
    def sandbox(context: click.Context, speed: float, as_json: bool, **given: Any) -> int:
        from provision import verbs

        return verbs.sandbox(speed, as_json)
