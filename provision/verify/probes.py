"""What verify asks beyond what `status` sees: resolvers, a TLS client, target health, LINE, the news' age."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from provision.clients import aws
from provision.clients.dns import DnsError
from provision.i18n import _
from provision.resources.bucket import FOLDER
from provision.resources.certificate import caa_error
from provision.resources.collector import INDEX
from provision.resources.image import Image
from provision.resources.permissions import ECR_IMAGE
from provision.status_report import next_hours
from provision.verify.tree import Finding, Scene, is_ready, ng, ok, skip

BY_HAND = f"{FOLDER}/articles.json"  # what the bot reads where there is no index
FRESH = 36  # hours: news older than this has missed at least one daily collection


def caa(scene: Scene) -> Finding:
    """Check CAA records: those that name only others prevent the certificate, and later its renewal."""
    host = scene.run.stack.certificate.host
    try:
        name, records = scene.run.clients.dns.caa(host)
    except DnsError as error:
        return skip(str(error))
    if refusal := caa_error(host, name, records):
        return ng(refusal.why, refusal.then, outside=True)
    return ok(f"{name}: {', '.join(records)}" if records else "")


def resolves(scene: Scene) -> Finding:
    """Check that the record is in the zone and a resolver finds an address."""
    finding = is_ready(scene.run.stack.alias)(scene)
    if finding.state != "OK":
        return finding
    host = scene.run.stack.certificate.host
    try:
        found = scene.run.clients.dns.records(host, "A")
    except DnsError as error:
        return skip(str(error))
    if found:
        return ok(", ".join(found))
    return ng(
        _("resolvers find no address for {host} yet", host=host),
        _('Resolvers cache "not found" for a few minutes: run `provision verify` again then.'),
    )


def tls_handshake(scene: Scene) -> Finding:
    """Shake hands by name, at the address that DNS gives."""
    host = scene.run.stack.certificate.host
    (address, *_more) = scene.run.clients.dns.records(host, "A")
    shaken = scene.tls.handshake(host, address)
    return ok(_("{version}, {cipher}, certificate until {until}", **vars(shaken)))


def image(scene: Scene) -> Finding:
    """Look an image up in this account's ECR; of any other only a task can tell."""
    task_definition = scene.run.stack.task_definition
    wanted = task_definition.image
    uri = wanted.uri
    if isinstance(wanted, Image):  # what runs, which may be older than what would be built now
        if not scene.live(task_definition):
            return is_ready(task_definition)(scene)
        uri = scene.live(task_definition).get("Container", {}).get("image", uri)
    match = ECR_IMAGE.match(uri)
    if not match:
        return ok(uri)
    name, _at, digest = uri[match.start(3) :].partition("@")
    repository, _colon, tag = name.partition(":")
    which = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    found = aws.call_or_none(
        "ImageNotFoundException",
        scene.run.clients.aws.ecr.describe_images,
        registryId=match[1],
        repositoryName=repository,
        imageIds=[which],
    )
    if found:
        return ok(uri)
    return ng(
        _("there is no {uri} in the repository", uri=uri),
        _("`provision deploy` builds and pushes one; or: provision deploy --set image.uri=...")
        if isinstance(wanted, Image)
        else _("Push it, or deploy another: provision deploy --set image.uri=..."),
    )


def tasks_wanted(scene: Scene) -> Finding:
    """Check whether any task is to run now: none outside the bot's hours, or after `provision stop`."""
    wanted = scene.live(scene.run.stack.service).get("desiredCount", 0)
    if wanted:
        return ok(str(wanted))
    start = next_hours(scene.run.file)["start"]
    reason = _("no task is wanted now: stopped, or outside its hours")
    if start:
        reason = _("no task is wanted now; the next start is {start}", start=start)
    return skip(reason, _("To try it now: `provision start`."))


def targets(scene: Scene) -> Finding:
    """Check for a healthy target; report what the load balancer says of the others."""
    group = scene.run.stack.target_group
    answer = scene.run.clients.aws.elbv2.describe_target_health(TargetGroupArn=group.arn)
    found = [target["TargetHealth"] for target in answer["TargetHealthDescriptions"]]
    healthy = [health for health in found if health["State"] == "healthy"]
    if healthy:
        return ok(_("{healthy} of {all} healthy", healthy=len(healthy), all=len(found)))
    said = [f"{h['State']}: {h.get('Description') or h.get('Reason', '')}" for h in found]
    return ng(
        "; ".join(dict.fromkeys(said)) or _("no task is registered"),
        _("The bot must answer GET /healthz with 200: `provision logs` has its own words."),
    )


def token(scene: Scene) -> Finding:
    """Call GET /v2/bot/info."""
    scene.bot.update(scene.run.clients.line.info())
    return ok(scene.bot.get("displayName", ""))


def one_channel(scene: Scene) -> Finding:
    """Check that token and secret belong to one channel, as far as LINE tells."""
    channel = scene.run.line_channel()
    return ok(_("channel {channel}", channel=channel)) if channel else skip(_("LINE does not tell"))


def fresh(scene: Scene) -> Finding:
    """Check the age of the collector's index, else of the file written by hand, by S3's own clock."""
    name, head = scene.run.stack.news_bucket.bucket, scene.run.clients.aws.s3.head_object
    looks = ((key, aws.call_or_none("404", head, Bucket=name, Key=key)) for key in (INDEX, BY_HAND))
    key, found = next((look for look in looks if look[1]), ("", None))
    if not found:
        then = _("`provision logs` shows what became of the last collection.")
        collects = scene.run.stack.initial_collection is not None
        told = _("nothing collected yet: the bot answers with its samples")
        return skip(told, then if collects else "")
    told = found["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(told) if told else datetime.now(UTC)
    hours = (now - found["LastModified"]).total_seconds() / 3600
    if hours <= FRESH:
        return ok(_("{hours:.0f} h old", hours=hours))
    return ng(
        _("the news is {hours:.0f} hours old", hours=hours),
        _(
            "Look why s3://{bucket}/{key} is not newer: `provision logs` tells of each collection.",
            bucket=name,
            key=key,
        ),
    )


def webhook(scene: Scene) -> Finding:
    """Check that LINE's URL is ours; report another one."""
    finding = is_ready(scene.run.stack.webhook)(scene)
    told = scene.run.clients.line.endpoint().get("endpoint", "")
    if finding.state == "NG" and told:
        return ng(_("LINE calls {url}", url=told), finding.then)
    return finding


def line_test(scene: Scene) -> Finding:
    """Let LINE send an empty webhook (60 an hour)."""
    tested = scene.run.clients.line.test(scene.run.stack.url)
    if tested.success:
        return ok(str(tested.status))
    return ng(
        f"{tested.reason} {tested.detail}",
        _("`provision logs` shows whether it reached the bot."),
    )
