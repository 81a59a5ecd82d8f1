"""Checks beyond the resources' state: resolvers, TLS, target health, LINE, the age of the news."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from provision.clients import aws_errors
from provision.clients.dns import DnsError
from provision.i18n import _
from provision.resources.bucket import FOLDER
from provision.resources.certificate import caa_error
from provision.resources.collector import INDEX
from provision.resources.image import Image
from provision.resources.parameter import Parameter
from provision.resources.permissions import ECR_IMAGE
from provision.status_report import next_hours
from provision.verify.tree import CheckContext, CheckFunction, Finding, is_ready, ng, ok, skip

UPLOADED = f"{FOLDER}/articles.json"  # the bot reads it if there is no index
MAX_NEWS_AGE = 36  # hours; older news has missed at least one daily collection


def caa(context: CheckContext) -> Finding:
    """Check that the CAA records allow Amazon to issue and renew the certificate."""
    host = context.run.stack.certificate.host
    try:
        name, records = context.run.clients.dns.caa(host)
    except DnsError as error:
        return skip(str(error))
    if conflict := caa_error(host, name, records):
        return ng(conflict.why, conflict.then, outside=True)
    return ok(f"{name}: {', '.join(records)}" if records else "")


def host_resolves(context: CheckContext) -> Finding:
    """Check that the alias exists and that a resolver finds an address."""
    finding = is_ready(context.run.stack.alias)(context)
    if finding.state != "OK":
        return finding
    host = context.run.stack.certificate.host
    try:
        found = context.run.clients.dns.records(host, "A")
    except DnsError as error:
        return skip(str(error))
    if found:
        return ok(", ".join(found))
    return ng(
        _("resolvers find no address for {host} yet", host=host),
        _('Resolvers cache "not found" for a few minutes: run `provision verify` again then.'),
    )


def tls_handshake(context: CheckContext) -> Finding:
    """Make a TLS handshake with the host at the address from DNS."""
    host = context.run.stack.certificate.host
    (address, *_more) = context.run.clients.dns.records(host, "A")
    handshake = context.tls.handshake(host, address)
    return ok(_("{version}, {cipher}, certificate until {until}", **vars(handshake)))


def image(context: CheckContext) -> Finding:
    """Check that an image in ECR exists. Images in other registries are not checked."""
    task_definition = context.run.stack.task_definition
    wanted = task_definition.image
    uri = wanted.uri
    if isinstance(wanted, Image):  # use the deployed image, which may be older than the inputs
        if not context.live(task_definition):
            return is_ready(task_definition)(context)
        uri = context.live(task_definition).get("Container", {}).get("image", uri)
    match = ECR_IMAGE.match(uri)
    if not match:
        return ok(uri.rpartition("/")[2])
    name, _at, digest = uri[match.start(3) :].partition("@")
    repository, _colon, tag = name.partition(":")
    which = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    found = aws_errors.call_or_none(
        "ImageNotFoundException",
        context.run.clients.aws.ecr.describe_images,
        registryId=match[1],
        repositoryName=repository,
        imageIds=[which],
    )
    if found:
        return ok(uri.rpartition("/")[2])
    return ng(
        _("there is no {uri} in the repository", uri=uri),
        _("`provision deploy` builds and pushes one; or: `provision deploy --set image.uri=...`")
        if isinstance(wanted, Image)
        else _("Push it, or deploy another: `provision deploy --set image.uri=...`"),
    )


def tasks_wanted(context: CheckContext) -> Finding:
    """Check that the desired count is not 0, as outside the bot's hours or after `provision stop`."""
    wanted = context.live(context.run.stack.service).get("desiredCount", 0)
    if wanted:
        return ok(str(wanted))
    start = next_hours(context.run.file)["start"]
    reason = _("no task should be running now: stopped, or outside its hours")
    if start:
        reason = _("no task should be running now; the next start is {start}", start=start)
    return skip(reason, _("To try it now: `provision start`."))


def targets(context: CheckContext) -> Finding:
    """Check that a target is healthy; otherwise return the load balancer's reasons."""
    group = context.run.stack.target_group
    answer = context.run.clients.aws.elbv2.describe_target_health(TargetGroupArn=group.arn)
    found = [target["TargetHealth"] for target in answer["TargetHealthDescriptions"]]
    healthy = [health for health in found if health["State"] == "healthy"]
    if healthy:
        return ok(_("{healthy} of {all} healthy", healthy=len(healthy), all=len(found)))
    reasons = [f"{h['State']}: {h.get('Description') or h.get('Reason', '')}" for h in found]
    return ng(
        "; ".join(dict.fromkeys(reasons)) or _("no task is registered"),
        _("The bot must answer GET /healthz with 200. See `provision logs`."),
    )


def is_stored(parameter: Parameter | None) -> CheckFunction:
    """Return a check that the parameter exists; its finding says so if it is not encrypted, or half."""

    def check(context: CheckContext) -> Finding:
        if not parameter:
            return skip(_("not stored: line.token is stateless"))
        if parameter in context.run.half_rotated():
            return ng(
                _("`provision secrets rotate` was interrupted while it encrypted it"),
                _("Run `provision secrets rotate` again: it finishes that."),
            )
        finding = is_ready(parameter)(context)
        return finding if finding.state != "OK" else ok(" ".join(parameter.plan_notes()))

    return check


def token(context: CheckContext) -> Finding:
    """Call GET /v2/bot/info."""
    context.bot.update(context.run.clients.line.info())
    return ok(context.bot.get("displayName", ""))


def secrets_match(context: CheckContext) -> Finding:
    """Check that token and secret belong to one channel, if LINE returns it."""
    channel = context.run.line_channel()
    return (
        ok(_("channel {channel}", channel=channel))
        if channel
        else skip(_("LINE does not return the channel"))
    )


def news_is_fresh(context: CheckContext) -> Finding:
    """Check the age of the index, else of the uploaded file, by S3's clock."""
    name, head = context.run.stack.news_bucket.bucket, context.run.clients.aws.s3.head_object
    heads = (
        (key, aws_errors.call_or_none("404", head, Bucket=name, Key=key))
        for key in (INDEX, UPLOADED)
    )
    key, found = next((head for head in heads if head[1]), ("", None))
    if not found:
        then = _("`provision logs` shows the result of the last collection.")
        collects = context.run.stack.initial_collection is not None
        reason = _("nothing collected yet: the bot answers with its samples")
        return skip(reason, then if collects else "")
    date = found["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date) if date else datetime.now(UTC)
    hours = (now - found["LastModified"]).total_seconds() / 3600
    if hours <= MAX_NEWS_AGE:
        age = _("{hours:.0f} hours old", hours=hours)
        return ok(age if hours >= 1 else _("less than an hour old"))
    return ng(
        _("the news is {hours:.0f} hours old", hours=hours),
        _(
            "Find out why s3://{bucket}/{key} is not newer: `provision logs` shows each collection.",
            bucket=name,
            key=key,
        ),
    )


def webhook(context: CheckContext) -> Finding:
    """Check that LINE's webhook URL is the stack's; otherwise return the URL."""
    finding = is_ready(context.run.stack.webhook)(context)
    current = context.run.clients.line.endpoint().get("endpoint", "")
    if finding.state == "NG" and current:
        return ng(_("LINE calls {url}", url=current), finding.then)
    return finding


def line_test(context: CheckContext) -> Finding:
    """Make LINE send an empty webhook (60 calls an hour)."""
    test = context.run.clients.line.test(context.run.stack.url)
    if test.success:
        return ok(str(test.status))
    return ng(
        f"{test.reason} {test.detail}",
        _("`provision logs` shows whether it reached the bot."),
    )
