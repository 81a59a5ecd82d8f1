"""The sentences of the page, in the current language, by the names that the page uses.

The page fills their placeholders.
"""

from provision.i18n import _


def words() -> dict[str, str]:
    """Return the sentences."""
    return {
        **_general(),
        **_chat(),
        **_stack(),
        **_registrar(),
        **_line(),
        **_traffic(),
        **_faults(),
    }


def _general() -> dict[str, str]:
    return {
        "views": _("Views"),
        "chat": _("Chat"),
        "stack": _("Stack"),
        "registrar": _("Registrar"),
        "line": _("LINE settings"),
        "calls": _("AWS calls"),
        "webhooks": _("Webhooks"),
        "faults": _("Faults"),
        "speed": _("Speed of time"),
        "lost": _("No answer. Is it still running?"),
        "no_token": _("Open the whole address, with what follows the #."),
        "refused": _("That was refused: {why}", why="{why}"),
    }


def _chat() -> dict[str, str]:
    return {
        "about": _("a LINE on this computer"),
        "with_bot": _("You and the bot"),
        "in_group": _("A group"),
        "which_chat": _("Which chat"),
        "conversation": _("Conversation"),
        "write": _("Message"),
        "send": _("Send"),
        "mention": _("Mention the bot"),
        "stickers": _("Stickers"),
        "sticker": _("Sticker"),
        "happy": _("Happy sticker"),
        "sad": _("Sad sticker"),
        "surprised": _("Surprised sticker"),
        "love": _("Sticker with a heart"),
        "follow": _("Add as a friend"),
        "unfollow": _("Block"),
        "join": _("Invite the bot"),
        "leave": _("Remove the bot"),
        "told_follow": _("You added the bot as a friend."),
        "told_unfollow": _("You blocked the bot."),
        "told_join": _("You invited the bot to the group."),
        "told_leave": _("You removed the bot from the group."),
        "pressed": _("You pressed a button."),
        "replies": _("Quick replies"),
        "writing": _("The bot is writing"),
        "you": _("You"),
        "bot": _("Bot"),
        "NO_WEBHOOK_ENDPOINT": _(
            "No webhook URL is set yet, so the bot hears nothing. Run `provision --sandbox setup` first."
        ),
        "WEBHOOK_OFF": _('"Use webhook" is off, so the bot hears nothing.'),
        "COULD_NOT_CONNECT": _(
            "The bot's server could not be reached. Is it paused? `provision --sandbox resume`"
        ),
        "REQUEST_TIMEOUT": _("The bot's server did not answer in time."),
        "ERROR_STATUS_CODE": _(
            "The bot's server answered with an error ({status}). "
            "Is it stopped? `provision --sandbox start`",
            status="{status}",
        ),
        "OK": _("The bot got it and said nothing."),
    }


def _stack() -> dict[str, str]:
    return {
        "loading": _("Looking…"),
        "no_stack": _("There is no stack yet. In another terminal: `provision --sandbox setup`"),
        "name_servers_of": _(
            "Name servers of {domain}, to be entered at the registrar:", domain="{domain}"
        ),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "region": _("Region"),
        "tasks": _("Tasks"),
        "tasks_run": _("{running} of {wanted} run", running="{running}", wanted="{wanted}"),
        "url": _("Webhook URL"),
        "cost": _("Cost"),
        "next": _("Next start and stop"),
        "usd_month": _("{usd} USD/month", usd="{usd}"),
        "resources": _("Resources of {step}", step="{step}"),
    }


def _registrar() -> dict[str, str]:
    return {
        "registrar_about": _(
            "The site where you bought the domain. Enter the four name servers that setup printed, "
            "as you will on the real site; that hands the domain's DNS to Route 53."
        ),
        "domain": _("Domain"),
        "server": _("Name server {number}", number="{number}"),
        "save": _("Save"),
        "saved": _(
            "Saved. DNS answers with them at once here; in reality it takes minutes to days."
        ),
        "now": _("Name servers now: {servers}", servers="{servers}"),
        "paste": _("All four pasted into the first field are distributed."),
        "four": _("Fill in all four."),
    }


def _line() -> dict[str, str]:
    return {
        "line_about": _(
            "Switches that only exist in LINE's consoles: no program can set them for you."
        ),
        "active": _("Use webhook"),
        "active_about": _("On: without it the bot hears nothing."),
        "redelivery": _("Webhook redelivery"),
        "redelivery_about": _("On: what the bot did not acknowledge is sent again."),
        "auto_reply": _("Auto-reply messages"),
        "auto_reply_about": _("Off: otherwise LINE answers too. A new channel has it on."),
        "greeting": _("Greeting messages"),
        "greeting_about": _("Off: the bot greets by itself. A new channel has it on."),
        "endpoint": _("Webhook URL"),
        "none": _("none"),
        "basic_id": _("Bot basic ID"),
    }


def _traffic() -> dict[str, str]:
    return {
        "only_changes": _("Only calls that change something"),
        "no_calls": _("No calls yet."),
        "no_webhooks": _("No webhooks yet: write to the bot."),
        "request": _("Request"),
        "response": _("Response"),
        "verification": _("verification (no events)"),
        "seconds": _("{seconds} s", seconds="{seconds}"),
        "dropped": _("dropped"),
    }


def _faults() -> dict[str, str]:
    return {
        "faults_about": _(
            "What goes wrong now and then on AWS. Watch what the tool and the bot do."
        ),
        "interrupt": _("Spot interruption"),
        "interrupt_about": _(
            "AWS takes the bot's tasks back: two minutes' notice, then they stop."
        ),
        "interrupt_now": _("Interrupt now"),
        "interrupted": _("Tasks that got the notice: {count}", count="{count}"),
        "no_spot": _("No Spot capacity"),
        "no_spot_about": _("New tasks do not start until there is capacity again."),
        "slow_dns": _("Slow DNS"),
        "slow_dns_about": _("Changes in Route 53 take ten minutes to be in effect."),
        "throttle": _("Throttling"),
        "throttle_about": _("A third of all calls is refused: too many requests."),
        "s3_down": _("S3 is down"),
        "s3_down_about": _("Every call to S3 fails, the bot's as well."),
        "broken_feed": _("Broken feed"),
        "broken_feed_about": _("The news server returns something that is not a feed."),
    }
