"""A domain before its name servers change: what would stop, what can be copied, which zone is meant."""

import secrets
import sys
from concurrent.futures import ThreadPoolExecutor

from provision.clients.dns import Dns, DnsError
from provision.i18n import _
from provision.resources.hosted_zone import SeveralZones
from provision.run import Run
from provision.wizard import prompts

# Nobody can list what there is below a domain, so the usual names are asked for: the website's, the mail's
# (with the selectors of DKIM that Google Workspace, Microsoft 365 and others use), the shop's and the blog's.
NAMES = (
    *("", "www.", "mail.", "smtp.", "imap.", "pop.", "webmail.", "autodiscover.", "ftp."),
    *("blog.", "shop.", "api.", "app.", "m.", "_dmarc.", "_mta-sts.", "mta-sts."),
    *(f"{name}._domainkey." for name in ("default", "google", "selector1", "selector2", "k1")),
)
SIDE_BY_SIDE = 8  # names asked for at once
KINDS = ("MX", "A", "AAAA", "TXT")


def records_in_use(dns: Dns, domain: str) -> list[str]:
    """Return what the domain's present servers answer, as lines of `name type value`. Raise DnsError."""
    _records(dns, domain)  # where nobody answers, this says so before twenty more are asked
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        nobodys = pool.submit(_records, dns, f"{secrets.token_hex(8)}.{domain}")
        names = [prefix + domain for prefix in NAMES]
        found = list(pool.map(lambda name: _records(dns, name), names))
    any_name = nobodys.result()  # a wildcard's answers: the name itself is not there
    return [
        f"{name} {record}"
        for name, records in zip(names, found, strict=True)
        for record in records
        if name == domain or records != any_name
    ]


def _records(dns: Dns, name: str) -> list[str]:
    """Return the records of one name, as `type value`. Raise DnsError."""
    alias = dns.records(name, "CNAME")
    if alias:
        return [f"CNAME {value}" for value in alias]
    return [f"{kind} {value}" for kind in KINDS for value in dns.records(name, kind)]


def at_stake(run: Run) -> list[str]:
    """Return the records that a change of name servers would stop; [] where the domain is not in use."""
    zone, observation = run.stack.zone, run.observations[run.stack.zone.key]
    if observation.error or observation.verdict not in ("create", "adopt"):
        return []
    try:
        if observation.live and run.clients.dns.delegated_to(zone.domain) == set(
            observation.live["NameServers"]
        ):
            return []
        return records_in_use(run.clients.dns, zone.domain)
    except DnsError as error:
        print(
            _(
                "Nobody can be asked whether {domain} is in use ({why}). If it has mail or a website, they "
                "stop when its name servers change.",
                domain=zone.domain,
                why=error,
            ),
            file=sys.stderr,
        )
        return []


def warn(run: Run) -> list[str]:
    """Print which records would stop, and what to do about it. Return them."""
    records = at_stake(run)
    if records:
        domain = run.stack.zone.domain
        try:
            servers = ", ".join(sorted(run.clients.dns.delegated_to(domain)))
        except DnsError:
            servers = "?"
        print(
            _(
                "{domain} is in use. Its servers ({servers}) answer, among others:\n{records}\n"
                "When its name servers change, all that is not in the new zone stops: mail, website, "
                "proofs of ownership. A sub-domain of its own leaves them alone: --set domain=bot.{domain}",
                domain=domain,
                servers=servers,
                records="\n".join(f"    {record}" for record in records),
            ),
            file=sys.stderr,
        )
    return records


def offer_to_copy(run: Run, records: list[str]) -> None:
    """Ask whether the new zone gets the former servers' records; with --yes nothing is copied."""
    zone = run.stack.zone
    useful = copyable(records, run.file.settings["host"])
    observation = run.observations[zone.key]
    answered = observation.record and observation.record.outputs.get(
        "copied"
    )  # before the power went off
    made = observation.verdict == "create" and not answered
    if made and useful and not run.options.yes and prompts.on_terminal():
        question = _("Copy the {count} records that can be copied into it?", count=len(useful))
        if prompts.confirmed(question):
            zone.to_copy = useful


def copyable(records: list[str], host: str) -> list[str]:
    """Return all records except the addresses of the host, which will be the bot's."""
    bots = tuple(f"{host} {kind} " for kind in ("A", "AAAA", "CNAME"))
    return [record for record in records if not record.startswith(bots)]


def choose_zone(run: Run) -> bool:
    """Ask which of several zones of the domain's name to use. Return whether one was chosen."""
    zone, refusal = run.stack.zone, run.observations[run.stack.zone.key].error
    if not isinstance(refusal, SeveralZones) or run.options.yes or not prompts.on_terminal():
        return False
    zone.id = prompts.chosen(
        _("There are several hosted zones of {domain}. Which one?", domain=zone.domain),
        list(refusal.zones.items()),
    )
    return True
