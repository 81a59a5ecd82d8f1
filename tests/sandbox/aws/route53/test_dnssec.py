"""Route 53: key-signing keys prevent the deletion of their hosted zone."""

import pytest

from tests.sandbox.conftest import Account

ARN = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.behaviour("route53.zone-with-signing-keys")
def test_zone_with_keys_is_not_deleted(account: Account) -> None:
    """GetDNSSEC shows the key."""
    route53, zone = account.client("route53"), str(account.hosted_zone()["HostedZone"]["Id"])
    route53.create_key_signing_key(
        CallerReference="ksk",
        HostedZoneId=zone,
        KeyManagementServiceArn=ARN,
        Name="ksk",
        Status="ACTIVE",
    )
    words = "The specified hosted zone contains DNSSEC Key Signing Keys and so cannot be deleted."
    refused = ("HostedZoneNotEmpty", 400, words)
    assert refused == account.refusal(route53.delete_hosted_zone, Id=zone)
    shown = route53.get_dnssec(HostedZoneId=zone)
    assert {"ServeSignature": "NOT_SIGNING"} == shown["Status"]
    assert [("ksk", "ACTIVE", ARN)] == [
        (key["Name"], key["Status"], key["KmsArn"]) for key in shown["KeySigningKeys"]
    ]
