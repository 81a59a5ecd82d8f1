"""Request the ACM certificate of the bot's host."""

import secrets
from collections.abc import Collection
from dataclasses import field
from typing import Any, Literal

from provision.clients.aws import list_items
from provision.clients.aws_errors import call_or_none
from provision.clients.dns import DnsError
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Deletion,
    Errors,
    ExternalUse,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.load_balancer import foreign_users
from provision.setting_types import is_punycode

# Each of these in a CAA record lets ACM issue. ACM User Guide, "Configuring a CAA record".
AMAZON = {"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}
# Top-level domains that nobody can register. Sources: IANA, "Special-Use Domain Names" (RFC 6761, 6762, 8375,
# 9476), ICANN's .internal; .example is the sandbox's.
PRIVATE_ENDINGS = (
    *("alt", "arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local"),
    *("localdomain", "localhost", "mail", "onion", "private", "test"),
)
# Amazon's own domains, for which ACM issues to nobody else. Source: ACM User Guide, "Request a public
# certificate".
AMAZON_DOMAINS = ("amazonaws.com", "cloudfront.net", "elasticbeanstalk.com")


# Properties of CAA records that a certificate authority knows (IANA, "Certification Authority Restriction
# Properties"), and the flag of those that it must know.
KNOWN_PROPERTIES = ("issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail")
CRITICAL = 128
# Final statuses of a certificate that was not issued. ACM API, CertificateDetail.
FINAL = ("FAILED", "VALIDATION_TIMED_OUT", "EXPIRED", "REVOKED", "INACTIVE")


def never_certified(host: str) -> str:
    """Return why ACM never issues a certificate for a name; "" if it may."""
    ending = host.rpartition(".")[2]
    if ending in PRIVATE_ENDINGS:
        return _(
            "ACM issues no certificates for .{ending}, which nobody can register", ending=ending
        )
    for domain in AMAZON_DOMAINS:
        if f".{host}".endswith(f".{domain}"):
            return _("ACM issues no certificates for names in {domain}", domain=domain)
    for label in host.split("."):
        if label[2:4] == "--" and not is_punycode(label):
            return _("ACM issues no certificates with {label}: it is not Punycode", label=label)
    return ""


@resource
class Certificate(Resource):
    """A public ACM certificate for the host, validated through DNS."""

    host: str
    arn: str = output("CertificateArn", arn_pattern("certificate/"))
    idempotency_token: str = output("IdempotencyToken")
    record_name: str = output("DomainValidationOptions[0].ResourceRecord.Name")
    record_value: str = output("DomainValidationOptions[0].ResourceRecord.Value")
    # ARNs of this stack's certificates that ACM gave up, found by `find`; `create` deletes them.
    given_up: list[str] = field(default_factory=list, init=False)
    deletion = Deletion(
        immediate=True,
        release_delay=30,  # ACM reports it as in use for a while
    )
    errors = Errors(
        not_found=("ResourceNotFoundException",),
        retry=("ResourceInUseException",),  # for a while after its listener was deleted
    )
    identified_by = "tags"  # ACM's idempotency token is valid for an hour only
    polling = Polling(expected=10)

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        reads = "ListCertificates DescribeCertificate ListTagsForCertificate"
        return [
            Permission("read", "acm", reads, any_region=True),  # see ValidationRecord.external_uses
            Permission("create", "acm", "RequestCertificate", tag="RequestTag"),
            Permission("create", "acm", "AddTagsToCertificate", "certificate/*", "RequestTag"),
            Permission("delete", "acm", "DeleteCertificate", "certificate/*", "ResourceTag"),
            Permission("read", "ec2", "DescribeRegions"),
        ]

    def identity(self) -> str:
        """Return the host, because a certificate's name cannot change."""
        return self.host

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if ACM would fail: with INVALID_PUBLIC_DOMAIN, or because of CAA records.

        DNS failures are ignored.
        """
        if why := never_certified(self.host):
            raise ProvisionError(
                _("Could not request the certificate of {host}.", host=self.host),
                why,
                _("Use a domain that you have bought: `provision setup --set domain=...`"),
            )
        try:
            name, records = clients.dns.caa(self.host)
        except DnsError:
            return
        if error := caa_error(self.host, name, records):
            raise error

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return ACM's idempotency token, which is valid for an hour."""
        return {"idempotency_token": secrets.token_hex(16)}

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return certificates by tags, read one by one, because ACM has no tag filter and no batch call."""
        acm = clients.aws.acm
        summaries = list_items(acm, "list_certificates", "CertificateSummaryList")
        arns = [summary["CertificateArn"] for summary in summaries]

        def tags_of(arn: str) -> dict[str, str]:
            return tags_to_dict(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])

        return [
            (tags, dict(acm.describe_certificate(CertificateArn=arn)["Certificate"]))
            for tags, arn in zip(run_all(tags_of, arns), arns, strict=True)
            if has_stack_tag(tags, stack)
        ]

    def find(self, clients: Clients) -> Live | None:
        """Find the certificate by ARN, else by host and tags (names are not unique in ACM)."""
        acm = clients.aws.acm
        if self.arn:
            live = dict(acm.describe_certificate(CertificateArn=self.arn)["Certificate"])
            self.given_up = [self.arn] if self.deletion_state(live) else []
            return live
        self.given_up = []
        for page in acm.get_paginator("list_certificates").paginate():
            for summary in page["CertificateSummaryList"]:
                arn = summary["CertificateArn"]
                if summary.get("DomainName") != self.host or not self._is_ours(clients, arn):
                    continue
                live = dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])
                if not self.deletion_state(live):
                    return live
                self.given_up.append(arn)
        return None

    def deletion_state(self, live: Live) -> Literal["", "leaving"]:
        """Return `leaving` for a certificate that ACM gave up and nothing uses: another is requested."""
        return "leaving" if live.get("Status") in FINAL and not live.get("InUseBy") else ""

    def _is_ours(self, clients: Clients, arn: str) -> bool:
        tags = tags_to_dict(clients.aws.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
        return tags.get("provision:stack") == self.stack

    def create(self, clients: Clients) -> Live | None:
        """Delete those that ACM gave up, then call RequestCertificate."""
        for arn in self.given_up:
            codes = ("ResourceNotFoundException", "ResourceInUseException")
            call_or_none(codes, clients.aws.acm.delete_certificate, CertificateArn=arn)
        response = clients.aws.acm.request_certificate(
            DomainName=self.host,
            ValidationMethod="DNS",
            IdempotencyToken=self.idempotency_token,
            Tags=tags_to_list(self.tags),
        )
        return {"CertificateArn": response["CertificateArn"], "Status": "PENDING_VALIDATION"}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForCertificate)."""
        return tags_to_dict(
            clients.aws.acm.list_tags_for_certificate(CertificateArn=live["CertificateArn"])["Tags"]
        )

    def pending(self, live: Live) -> Pending | None:
        """Wait for the validation record, which ACM provides after some seconds."""
        options = live.get("DomainValidationOptions") or [{}]
        if live["Status"] == "PENDING_VALIDATION" and not options[0].get("ResourceRecord"):
            return Pending(_("waiting for ACM to provide the validation record"))
        return None

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return other load balancers, distributions and APIs that use it."""
        certificate = clients.aws.acm.describe_certificate(CertificateArn=self.arn)["Certificate"]
        return foreign_users(clients, certificate.get("InUseBy", []), ours)

    def delete(self, clients: Clients) -> None:
        """Call DeleteCertificate."""
        clients.aws.acm.delete_certificate(CertificateArn=self.arn)


def caa_error(host: str, name: str, records: list[str]) -> ProvisionError | None:
    """Return the ProvisionError for CAA records of `name` that prevent Amazon from issuing for `host`."""
    if not excludes_amazon(records):
        return None
    return ProvisionError(
        _("Amazon may not issue a certificate for {host}.", host=host),
        _(
            "the CAA records of {name} do not allow Amazon to issue: {records}",
            name=name,
            records=", ".join(records),
        ),
        _(
            'Add the CAA record `0 issue "amazon.com"` for {name} at its DNS provider (and remove critical '
            "ones, with 128, that are unknown), then run the same command again.",
            name=name,
        ),
    )


def validated_by(
    acm: Any, filters: dict[str, Any], host: str, record_name: str, ours: Collection[str]
) -> list[str]:
    """Return the ARNs of one region's certificates, except `ours`, that the host's record validates.

    ACM requires one record per name and account for all regions; a wildcard uses its parent's record.
    Source: ACM User Guide, DNS validation. filters: of ListCertificates. ours: ARNs.
    """
    arns = certificates_for(acm, filters, host)
    return [arn for arn in arns if arn not in ours and record_name in _record_names(acm, arn)]


def certificates_for(acm: Any, filters: dict[str, Any], host: str) -> list[str]:
    """Return the ARNs of one region's certificates for the host or its wildcard.

    Include those that the list does not show with all their names (ACM API, CertificateSummary).
    """
    summaries = list_items(acm, "list_certificates", "CertificateSummaryList", **filters)
    return [
        summary["CertificateArn"]
        for summary in summaries
        if _names(summary) & {host, f"*.{host}"}
        or summary.get("HasAdditionalSubjectAlternativeNames")
    ]


def _names(summary: Live) -> set[str]:
    names = [summary.get("DomainName", ""), *summary.get("SubjectAlternativeNameSummaries", [])]
    return {name.lower() for name in names}


def _record_names(acm: Any, arn: str) -> list[str]:
    """Return the names of the records that validate a certificate; [] for an imported one."""
    certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    options = certificate.get("DomainValidationOptions", [])
    names = [option.get("ResourceRecord", {}).get("Name", "") for option in options]
    return [name.rstrip(".").lower() for name in names]


def every_certificate(acm: Any) -> dict[str, dict[str, Any]]:
    """Return the filters of the ListCertificates calls that are needed to list all certificates, by label.

    Without filters the call omits most key types, and certificates of ACME and of the N2 roots. Filters that
    the installed botocore does not know are left out.
    """
    known = acm.meta.service_model.operation_model("ListCertificates").input_shape.members
    filters = {"Includes": {"keyTypes": known["Includes"].members["keyTypes"].member.enum}}
    if origins := known.get("CertificateKeyPairOrigins"):
        filters["CertificateKeyPairOrigins"] = origins.member.enum
    roots = known.get("RootHierarchyTypes")
    if not roots:
        return {"": filters}
    return {"": filters, " (N2 roots)": {**filters, "RootHierarchyTypes": roots.member.enum}}


def excludes_amazon(records: list[str]) -> bool:
    """Return whether CAA records (`0 issue "ca.example; key=value"`) allow other issuers, but not Amazon.

    RFC 8659, 4.2: without an `issue` property there is no restriction; an empty issuer allows nobody. 4.1: a
    critical property that is not known allows nobody.
    """
    issuers = []
    for record in records:
        flags, tag, value = record.split(maxsplit=2)
        if int(flags) & CRITICAL and tag.lower() not in KNOWN_PROPERTIES:
            return True
        if tag.lower() == "issue":
            issuers.append(value.strip().strip('"').partition(";")[0].strip().lower())
    return bool(issuers) and not AMAZON.intersection(issuers)
