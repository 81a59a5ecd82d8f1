"""Describe the name servers of a new hosted zone: what to enter at the registrar, and the wait for it."""

from provision.i18n import _
from provision.pricing import HOURS, prices
from provision.resources.hosted_zone import HostedZone
from provision.resources.vpc import ZONES


def warning(zone: HostedZone, signers: list[str]) -> str:
    """Return what to do first about a domain's DS records."""
    return _(
        "{domain} has a DS record (DNSSEC) of its present DNS provider. Remove it where the name "
        "servers are entered, before you change them, and wait a day or the domain will not "
        "resolve: {records}",
        domain=zone.domain,
        records=", ".join(signers),
    )


def entered(zone: HostedZone) -> str:
    """Return that the name servers are entered at the sandbox's registrar."""
    heading = _(
        "provision has entered the name servers of {domain} at the sandbox's registrar, as you will "
        "at yours:",
        domain=zone.domain,
    )
    return "\n".join((heading, *_servers(zone)))


def instruction(zone: HostedZone, parent: str) -> str:
    """Return the instruction to enter the name servers at the registrar, or in the parent zone if any."""
    if parent:
        heading = _(
            "{domain} is a subdomain of {parent}: add these four records where the DNS of "
            "{parent} is managed; nothing else of {parent} changes:",
            domain=zone.domain,
            parent=parent,
        )
        records = (f"    {zone.domain}.  300  IN  NS  {server}." for server in zone.name_servers)
        return "\n".join((heading, *records))
    heading = _(
        "Name servers of {domain}: enter these four at the site where you bought it, in place of "
        "those there now (bought at Route 53 itself: in its console under Registered domains):",
        domain=zone.domain,
    )
    return "\n".join((heading, *_servers(zone)))


def reminder(zone: HostedZone, region: str, page: str) -> str:
    """Return what stays on the screen while the registrar is waited for. page: the sandbox's; "" on AWS."""
    heading = _(
        "Waiting for your registrar: minutes to days. Name servers of {domain} to enter there:",
        domain=zone.domain,
    )
    form = [_("The sandbox's registrar is a form on its page:"), f"    {page}"] if page else []
    meanwhile = _(
        "You may press Ctrl-C: `provision setup` continues later. The load balancer costs about "
        "{usd:.2f} USD a day meanwhile; `provision pause` deletes it for now.",
        usd=24 * prices(region).fixed_month(ZONES) / HOURS,
    )
    return "\n".join((heading, *_servers(zone), *form, meanwhile))


def _servers(zone: HostedZone) -> list[str]:
    return [f"    {server}" for server in zone.name_servers]


def guide() -> str:
    """Return where the name servers are entered at some registrars, in the words of their own menus."""
    return "\n".join(
        (
            _(
                "onamae.com: ネームサーバーの設定 (name servers), ネームサーバーの変更 (change), "
                "その他 (other), その他のネームサーバーを使う (use others)"
            ),
            _(
                "muumuu-domain.com: ドメイン操作 (domains), ネームサーバ設定変更 (name servers), "
                "GMOペパボ以外のネームサーバを使用する (use others)"
            ),
            _("Squarespace: Domains, the domain, DNS, Domain Nameservers, Use Custom Nameservers"),
            _("Route 53: Registered domains, the domain, Actions, Edit name servers"),
            _(
                "Cloudflare keeps its own for domains bought there: use a subdomain, such as bot.example.com"
            ),
        )
    )
