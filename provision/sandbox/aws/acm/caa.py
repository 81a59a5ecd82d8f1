"""CAA records (RFC 8659), as ACM evaluates them."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.dns.resolver import DnsResolver

# ACM User Guide, Configure a CAA record: the issuers that allow ACM.
_AMAZON = {"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}


_PROPERTIES = {"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail"}


@behaves("acm.caa-excludes-amazon", "acm.caa-behind-a-cname", "acm.caa-critical")
def amazon_may_issue(dns: DnsResolver, name: str) -> bool:
    """Return whether the closest CAA record set at or above the name allows Amazon, or there is none."""
    tag = "issuewild" if name.startswith("*.") else "issue"
    labels = name.removeprefix("*.").split(".")
    for cut in range(len(labels) - 1):
        found = dns.resolve(".".join(labels[cut:]), "CAA")
        if found:
            if any(_is_unknown_and_critical(value) for value in found):
                return False
            parsed = [_caa(value) for value in found]
            issuers = [issuer for kind, issuer in parsed if kind == tag]
            if not issuers and tag == "issuewild":
                issuers = [issuer for kind, issuer in parsed if kind == "issue"]
            return not issuers or any(issuer in _AMAZON for issuer in issuers)
    return True


def _is_unknown_and_critical(value: str) -> bool:
    """Return whether no authority may issue because of a property (RFC 8659, 4.1)."""
    flags, tag, _ = value.split(maxsplit=2)
    return bool(int(flags) & 128) and tag.lower() not in _PROPERTIES


def _caa(value: str) -> tuple[str, str]:
    """Return the tag and issuer of a CAA value like `0 issue "amazon.com; ..."`."""
    _, tag, issuer = value.split(maxsplit=2)
    return tag.lower(), issuer.strip('"').partition(";")[0].strip().lower()
