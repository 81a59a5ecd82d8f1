"""The verbs, as typed: options in, one function of verbs.py each, imported when it runs."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from provision import words
from provision.errors import NotYet, Refusal, Unfinished
from provision.words import _

Verb = Callable[..., int | None]


def common(verb: Verb) -> Verb:
    """The options that every verb takes, before it or after it."""
    options = [
        click.option("--stack", metavar="FILE", help=_("the stack's file (default: stack.yaml)")),
        click.option(
            "--sandbox",
            is_flag=True,
            help=_("use the sandbox that runs on this machine, and stack.sandbox.yaml"),
        ),
        click.option("--yes", is_flag=True, help=_("ask nothing")),
        click.option(
            "--lang", type=click.Choice(words.LANGUAGES), help=_("language (default: the locale's)")
        ),
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="KEY=VALUE",
            help=_("a setting, dotted; repeatable"),
        ),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


def merged(context: click.Context, given: dict[str, Any]) -> Any:
    """What was given before the verb and after it, as one."""
    from provision.run import Options

    above = context.parent.params if context.parent else {}
    return Options(
        stack=given["stack"] or above.get("stack") or "",
        sandbox=given["sandbox"] or above.get("sandbox", False),
        yes=given["yes"] or above.get("yes", False),
        sets=(*above.get("sets", ()), *given["sets"]),
    )


def build() -> click.Group:
    """The command, in the language that `_()` speaks now."""

    @click.group(
        help=_("From a domain and a LINE channel to a LINE bot on AWS, and back to nothing.")
    )
    @common
    @click.version_option(package_name="provision", prog_name="provision")
    def provision(**given: Any) -> None:
        pass

    def verb(name: str, text: str, example: str) -> Callable[[Verb], Verb]:
        def wrap(function: Verb) -> Verb:
            epilog = _("Example: {example}", example=example)
            command = click.command(name, help=text, epilog=epilog)(
                common(click.pass_context(function))
            )
            provision.add_command(command)
            return function

        return wrap

    waiting = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help=_("how long to wait for the registrar and ACM (0: not at all, exit 3 if unfinished)"),
    )
    contents = click.option(
        "--contents", is_flag=True, help=_("take away what others put into ours, too")
    )
    as_json = click.option("--json", "as_json", is_flag=True, help=_("one JSON document on stdout"))

    @verb(
        "setup",
        _("Ask for missing settings, show the plan, and build everything."),
        "provision setup",
    )
    @waiting
    def setup(context: click.Context, wait: float | None, **given: Any) -> int:
        from provision import verbs

        return verbs.setup(merged(context, given), wait)

    @verb(
        "plan",
        _("What setup would do, what it costs a month, how long it takes. Changes nothing."),
        "provision plan --json",
    )
    @as_json
    def plan(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import verbs

        return verbs.plan(merged(context, given), as_json)

    @verb(
        "status", _("Each resource: recorded, there, ready or why not."), "provision status --json"
    )
    @as_json
    def status(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import status as looking

        return looking.status(merged(context, given), as_json)

    @verb(
        "verify",
        _("Check everything from DNS to LINE: OK, NG or SKIP, why, and the next step."),
        "provision verify --json",
    )
    @as_json
    def verify(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import verify as checking

        return checking.verify(merged(context, given), as_json)

    @verb(
        "teardown",
        _("Take away everything of ours; keep what was there before, and the hosted zone."),
        "provision teardown --yes --everything",
    )
    @click.option(
        "--everything", is_flag=True, help=_("take away the hosted zone that setup created, too")
    )
    @contents
    @as_json
    def teardown(
        context: click.Context, everything: bool, contents: bool, as_json: bool, **given: Any
    ) -> int:
        from provision import teardown as taking_away

        return taking_away.teardown(merged(context, given), everything, contents, as_json)

    @verb(
        "recover",
        _("Write a lost stack.yaml anew, from what stands in the account."),
        "provision recover --set name=news-bot",
    )
    def recover(context: click.Context, **given: Any) -> int:
        from provision import verbs

        return verbs.recover(merged(context, given))

    @verb(
        "deploy",
        _("Roll out a new image or new settings, watch it, and go back where it fails."),
        "provision deploy --set image.uri=public.ecr.aws/name/bot:2",
    )
    @click.option("--rollback", is_flag=True, help=_("return to the version before"))
    def deploy(context: click.Context, rollback: bool, **given: Any) -> int:
        from provision import deploy as deploying

        return deploying.deploy(merged(context, given), back=rollback)

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
    @contents
    def pause(context: click.Context, contents: bool, **given: Any) -> int:
        from provision import daily

        return daily.pause(merged(context, given), contents)

    @verb("resume", _("Put back what pause took away."), "provision resume")
    @waiting
    def resume(context: click.Context, wait: float | None, **given: Any) -> int:
        from provision import daily

        return daily.resume(merged(context, given), wait)

    @verb("logs", _("The bot's own words, from CloudWatch Logs."), "provision logs -f --since 10m")
    @click.option("-f", "--follow", is_flag=True, help=_("go on until Ctrl-C"))
    @click.option(
        "--since",
        default="10m",
        show_default=True,
        metavar="10m",
        help=_("how far back: s, m, h, d"),
    )
    def logs(context: click.Context, follow: bool, since: str, **given: Any) -> int:
        from provision import daily

        return daily.logs(merged(context, given), follow, since)

    @verb(
        "cost",
        _("What each resource costs a month, and what would lower it."),
        "provision cost --json",
    )
    @as_json
    def cost(context: click.Context, as_json: bool, **given: Any) -> int:
        from provision import daily

        return daily.cost(merged(context, given), as_json)

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

    return provision


def main() -> None:
    """The `provision` command."""
    words.use(words.from_arguments(sys.argv[1:], os.environ))
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One invocation; returns the exit status."""
    try:
        return int(build().main(arguments, prog_name="provision", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return 2 if isinstance(error, click.UsageError) else 1
    except Unfinished as unfinished:
        print(unfinished, file=sys.stderr)
        return unfinished.exit_status
    except NotYet as why:
        print(
            _("Not now: {reason}. Run the same command again.", reason=why.reason), file=sys.stderr
        )
        return 1
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_status
    except (KeyboardInterrupt, click.Abort):
        print(_("Stopped. Nothing is lost: the same command goes on from here."), file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stdout = None
        return 1


if __name__ == "__main__":
    main()
