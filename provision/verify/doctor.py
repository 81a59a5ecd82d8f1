"""The checks of `provision doctor`: what setup needs of this computer, its network and the AWS account.

Nothing is changed. They need no stack: a stack file's settings are used where there is one.
"""

import os
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from provision import retries
from provision.clients import aws_errors
from provision.clients.aws import Identity
from provision.clients.aws_advice import clock_advice
from provision.clients.dns import DnsError
from provision.clients.http import Http, permanent_error, proxy, root_cause
from provision.clock import Clock
from provision.errors import NoResponse, Pending, ProvisionError
from provision.i18n import _
from provision.image import base as base_image
from provision.resources.base import Clients
from provision.settings import Settings
from provision.stack import Stack
from provision.ui.text import account_number
from provision.verify.permissions import TRIES, simulate
from provision.verify.tree import Check, Finding, ng, ok, skip

OLDEST_PYTHON = (3, 11)
# Seconds between this clock and AWS's; signatures are valid that long (IAM User Guide).
MAX_SKEW = 300
LINE_URL = "https://api.line.me"


@dataclass
class DoctorContext:
    """The settings and clients of the checks, and the results that later checks need."""

    settings: Settings
    clients: Clients
    clock: Clock
    line_url: str = ""
    python: tuple[int, ...] = tuple(sys.version_info[:3])
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    # After the check `endpoint`: AWS's answer, and this computer's time then.
    identity: Identity = field(default_factory=Identity)
    answered_at: datetime = datetime.min
    region_enabled: bool = True  # after the check `enabled`


# What must be OK before setup asks anything; of the rest setup only tells.
REQUIRED = ("python", "credentials", "region", "endpoint", "enabled", "account", "clock")


def checks() -> list[Check[DoctorContext]]:
    """Return all checks; each comes after those that it needs."""
    computer, network, account = _("This computer"), _("Network"), _("AWS account")
    return [
        Check(computer, "python", "Python", _python),
        Check(computer, "pip", _("pip and its package index"), _pip),
        Check(network, "proxy", _("proxy"), _proxy),
        Check(network, "base", _("registry of the base image"), _base_image),
        Check(network, "line", "LINE", _line),
        Check(network, "dns", "DNS", _dns),
        Check(account, "credentials", _("credentials"), _credentials),
        Check(account, "region", _("region"), _region),
        Check(account, "enabled", _("region is enabled"), _enabled, ("credentials", "region")),
        Check(account, "endpoint", _("AWS answers"), _endpoint, ("credentials", "region")),
        Check(account, "clock", _("clock"), _clock, ("endpoint",)),
        Check(account, "account", _("account"), _account, ("endpoint",)),
        Check(account, "permissions", _("permissions"), _permissions, ("account",)),
    ]


def not_checked(why: str) -> Finding:
    """Return the finding of a check that was not made."""
    return skip(_("not checked: {why}", why=why))


def _python(context: DoctorContext) -> Finding:
    """Check the version of Python."""
    version = ".".join(map(str, context.python))
    if context.python >= OLDEST_PYTHON:
        return ok(version)
    return ng(
        _("this is {version}", version=version), _("Install provision with Python 3.11 or newer.")
    )


def _pip(context: DoctorContext) -> Finding:
    """Check that pip can download the bot's packages."""
    if context.settings["image.uri"]:
        return not_checked(_("image.uri is given, so no image is built"))
    return ok(_("downloaded before") if context.clients.index.check() else "")


def _proxy(context: DoctorContext) -> Finding:
    """Name the proxy that AWS is asked through, without its password."""
    url = os.environ.get("AWS_ENDPOINT_URL") or f"https://sts.{context.settings['region']}.aws"
    address = urllib.parse.urlsplit(proxy(url)).netloc.rpartition("@")[2]
    return ok(address or _("none"))


def _base_image(context: DoctorContext) -> Finding:
    """Check that the base image can be read from its registry."""
    settings = context.settings
    if settings["image.uri"]:
        return not_checked(_("image.uri is given, so no image is built"))
    reference = settings["image.base"] or base_image.DEFAULT
    try:
        base_image.read(context.clients.registries, reference, settings["image.platform"])
    except Pending as why:
        return ng(why.reason, _("Check this computer's network and proxy."))
    return ok(reference.partition("/")[0])


def _line(context: DoctorContext) -> Finding:
    """Check that LINE's API answers. A request without a token gets an error in LINE's form.

    Anything else is the page of a proxy or of a network that wants a login.
    """
    url = context.line_url or LINE_URL
    advice = _("Check this computer's network, proxy and LINE_API_URL.")
    try:
        response = Http().request("GET", f"{url.rstrip('/')}/v2/bot/info", timeout=10)
        is_line = isinstance(response.json(), dict) and "message" in response.json()
    except ValueError:  # requests' JSONDecodeError is an OSError, too
        is_line = False
    except OSError as error:  # requests' other errors
        if permanent := permanent_error("", error):
            raise permanent from None
        return ng(_("{url} does not answer ({error})", url=url, error=root_cause(error)), advice)
    if not is_line:
        status = response.status_code
        return ng(_("{url} is not LINE: HTTP {status}", url=url, status=status), advice)
    return ok(urllib.parse.urlsplit(url).netloc)


def _dns(context: DoctorContext) -> Finding:
    """Check that the name servers above the domain can be asked, as setup does until it is delegated."""
    domain = context.settings["domain"]
    if not domain:
        return not_checked(_("no domain is chosen yet"))
    try:
        context.clients.dns.delegated_to(domain)
    except DnsError as error:
        return ng(
            str(error),
            _("Allow DNS queries (port 53) to the internet, or set PROVISION_DNS=HOST:PORT."),
        )
    return ok(domain)


def _credentials(context: DoctorContext) -> Finding:
    """Check that boto3 finds credentials."""
    if method := context.clients.aws.credentials():
        if method == "env":
            return ok(_("from the environment"))
        return ok(_("profile {profile}", profile=context.clients.aws.profile))
    return ng(
        _("there are none, neither in a profile nor in the environment"),
        _("Sign in: `aws configure`, `aws configure sso`, or --profile NAME."),
    )


def _region(context: DoctorContext) -> Finding:
    """Check that the region exists, as far as boto3 knows. Another cloud has regions of its own."""
    region = context.clients.aws.region
    if os.environ.get("AWS_ENDPOINT_URL") or region in context.clients.aws.regions("ecs"):
        return ok(region)
    return ng(
        _("AWS has no region {region}, or none with Amazon ECS", region=region),
        _("Choose another: --set region=ap-northeast-1 (Tokyo)."),
    )


def _endpoint(context: DoctorContext) -> Finding:
    """Check that AWS responds; the status of the response does not matter."""
    context.identity = context.clients.aws.identity()
    context.answered_at = context.now()
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return ok(urllib.parse.urlsplit(endpoint).netloc)


def _clock(context: DoctorContext) -> Finding:
    """Compare this computer's clock with the date of AWS's answer."""
    try:
        skew = (context.answered_at - parsedate_to_datetime(context.identity.date)).total_seconds()
    except (TypeError, ValueError):
        return not_checked(_("the answer had no date"))
    if abs(skew) <= MAX_SKEW:
        return ok()
    minutes = round(abs(skew) / 60)
    why = (
        _("it is {minutes} minutes ahead of AWS's", minutes=minutes)
        if skew > 0
        else _("it is {minutes} minutes behind AWS's", minutes=minutes)
    )
    return ng(why, clock_advice(context.answered_at))


def _enabled(context: DoctorContext) -> Finding:
    """Check that the account has enabled the region, which regions opened since 2019 need.

    One that it has not enabled refuses every call, so us-east-1 is asked.
    """
    region = context.clients.aws.region
    asked = "us-east-1" if "us-east-1" in context.clients.aws.regions("ec2") else region
    try:
        with aws_errors.translate_errors(
            _("Could not list the regions that the account has enabled.")
        ):
            ec2 = context.clients.aws.in_region(asked).ec2
            found = ec2.describe_regions(RegionNames=[region], AllRegions=True)["Regions"]
    except ProvisionError as error:
        return not_checked(error.why)
    if not found:
        return not_checked(_("AWS did not name the region"))
    context.region_enabled = all(each.get("OptInStatus") != "not-opted-in" for each in found)
    if context.region_enabled:
        return ok()
    return ng(
        _("the account has not enabled {region}", region=region),
        _(
            "Enable it in the AWS console (Account, AWS Regions; it takes minutes), or choose another."
        ),
    )


def _account(context: DoctorContext) -> Finding:
    """Name the account and who calls; or AWS's reason to refuse these credentials."""
    identity = context.identity
    if not context.region_enabled:
        return skip(_("needs: {title}", title=_("region is enabled")))
    if identity.error:
        return ng(identity.error.why, identity.error.then)
    return ok(f"{account_number(identity.account)}, {identity.arn.rpartition(':')[2]}")


def _permissions(context: DoctorContext) -> Finding:
    """Ask IAM's policy simulator whether the caller may do all that setup changes, on any resource."""
    if context.identity.arn.endswith(":root"):
        return ok(_("the root user may do everything"))
    doing = _("Could not ask IAM what {role} may do.", role=context.identity.arn)

    def ask() -> list[dict[str, Any]]:
        return simulate(context.clients, _principal(context), _changes(context.settings))

    try:
        results = retries.call(ask, context.clock, doing, TRIES)
    except NoResponse:
        raise
    except ProvisionError as error:
        return not_checked(error.why)
    denied = [r["EvalActionName"] for r in results if r["EvalDecision"] != "allowed"]
    if not denied:
        return ok(_("simulated by IAM"))
    return ng(
        _("not allowed on every resource: {actions}", actions=", ".join(denied)),
        _(
            "Ask the account's administrator: `provision policy` prints what is needed. Permissions that are "
            "limited to this stack's names are enough, too."
        ),
    )


def _changes(settings: Settings) -> list[str]:
    """Return the actions with which setup changes something; what is not chosen yet is an example."""
    example = {"domain": "example.com", "network.vpc": "new"}
    chosen = {key: value for key, value in settings.items() if value is not None}
    found = {
        f"{permission.service}:{action}"
        for resource in Stack(Settings({**example, **chosen})).resources
        for permission in resource.operator_permissions()
        if permission.purpose in ("deploy", "create")
        for action in permission.actions.split()
    }
    return sorted(found)


def _principal(context: DoctorContext) -> str:
    """Return the ARN of the user or role whose policies apply. Raise Pending or ProvisionError.

    A session's ARN has the role's name without its path, so the role is asked for.
    """
    arn = context.identity.arn
    kind, _slash, name = arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return arn
    with aws_errors.reading(_("Could not ask IAM what {role} may do.", role=arn)):
        role = context.clients.aws.iam.get_role(RoleName=name.partition("/")[0])
        return str(role["Role"]["Arn"])
