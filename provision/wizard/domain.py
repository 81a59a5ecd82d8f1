"""Check a domain before its name servers change: records in use, records to copy, and which zone to use."""

import secrets
import sys
from concurrent.futures import ThreadPoolExecutor

from provision.clients.dns import Dns, DnsError
from provision.i18n import _
from provision.resources.hosted_zone import SeveralZones
from provision.run import Run
from provision.ui.text import show
from provision.wizard import prompts

# A zone cannot be listed over DNS, so query the usual names of websites, mail (with the DKIM selectors of
# Google Workspace, Microsoft 365 and others), shops and blogs.
NAMES = (
    *("", "www.", "mail.", "smtp.", "imap.", "pop.", "webmail.", "autodiscover.", "ftp."),
    *("blog.", "shop.", "api.", "app.", "m.", "_dmarc.", "_mta-sts.", "mta-sts."),
    "_acme-challenge.",
    *(f"{name}._domainkey." for name in ("default", "google", "selector1", "selector2", "k1")),
)
MAX_PARALLEL = 8  # names queried at once
KINDS = ("MX", "A", "AAAA", "TXT")


def records_in_use(dns: Dns, domain: str) -> list[str]:
    """Return the domain's current records, as lines of `name type value`. Raise DnsError."""
    _records(dns, domain)  # raises DnsError before twenty more queries
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        wildcard = pool.submit(_records, dns, f"{secrets.token_hex(8)}.{domain}")
        names = [prefix + domain for prefix in NAMES]
        found = list(pool.map(lambda name: _records(dns, name), names))
    wildcard_records = wildcard.result()  # equal records are a wildcard's
    return [
        f"{name} {record}"
        for name, records in zip(names, found, strict=True)
        for record in records
        if name == domain or records != wildcard_records
    ]


def _records(dns: Dns, name: str) -> list[str]:
    """Return the records of one name, as lines of `type value`. Raise DnsError."""
    alias = dns.records(name, "CNAME")
    if alias:
        return [f"CNAME {value}" for value in alias]
    return [f"{kind} {value}" for kind in KINDS for value in dns.records(name, kind)]


def records_at_risk(run: Run) -> list[str]:
    """Return the records that a change of name servers would disable; [] if the domain is not in use."""
    zone, observation = run.stack.zone, run.observations[run.stack.zone.key]
    if observation.error or observation.verdict not in ("create", "adopt"):
        return []
    try:
        servers = observation.live["NameServers"] if observation.live else []
        dns = run.clients.dns
        if servers and dns.all_match(dns.delegated_to(zone.domain), servers):
            return []
        return records_in_use(dns, zone.domain)
    except DnsError as error:
        show(
            _(
                "Could not check whether {domain} is in use ({why}). If it has mail or a website, they "
                "will stop working when its name servers change.",
                domain=zone.domain,
                why=error,
            ),
            sys.stderr,
        )
        return []


def warn(run: Run) -> list[str]:
    """Print a warning with the records that would be disabled. Return them."""
    records = records_at_risk(run)
    if records:
        domain = run.stack.zone.domain
        try:
            servers = ", ".join(sorted(run.clients.dns.delegated_to(domain))) or "?"
        except DnsError:
            servers = "?"
        heading = _(
            "{domain} is in use. Its servers ({servers}) answer, among others:",
            domain=domain,
            servers=servers,
        )
        show("\n".join((heading, *(f"    {record}" for record in records))), sys.stderr)
        show(
            _(
                "When its name servers change, everything that is not in the new zone stops working: "
                "mail, website, proofs of ownership. A subdomain for the bot avoids that: "
                "--set domain=bot.{domain}",
                domain=domain,
            ),
            sys.stderr,
        )
    return records


def offer_to_copy(run: Run, records: list[str]) -> None:
    """Ask whether to copy the former servers' records into the new zone; with --yes copy nothing."""
    zone = run.stack.zone
    candidates = copyable(records, run.file.settings["host"])
    observation = run.observations[zone.key]
    already_chosen = observation.record and observation.record.outputs.get(
        "copied"
    )  # in an interrupted run
    will_be_created = observation.verdict == "create" and not already_chosen
    if will_be_created and candidates and not run.options.yes and prompts.on_terminal():
        question = _("Copy the {count} records that can be copied into it?", count=len(candidates))
        if prompts.confirm(question):
            zone.to_copy = candidates


def copyable(records: list[str], host: str) -> list[str]:
    """Return all records except those of the host's address, which setup creates."""
    own_records = tuple(f"{host} {kind} " for kind in ("A", "AAAA", "CNAME"))
    return [record for record in records if not record.startswith(own_records)]


def choose_zone(run: Run) -> bool:
    """Ask which of several zones of the domain to use. Return whether one was selected."""
    zone, error = run.stack.zone, run.observations[run.stack.zone.key].error
    if not isinstance(error, SeveralZones) or run.options.yes or not prompts.on_terminal():
        return False
    zone.id = prompts.select(
        _("There are several hosted zones of {domain}. Which one?", domain=zone.domain),
        [(zone_id, f"{zone_id}  {text}") for zone_id, text in error.zones.items()],
    )
    return True
