"""Route 53: key-signing keys, which keep their hosted zone from being deleted."""

from functools import partial

import pytest

from tests.sandbox.conftest import Account

ARN = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"


def with_key(account: Account, name: str = "ksk", status: str = "ACTIVE") -> str:
    """A zone with one key; its id."""
    zone = str(account.hosted_zone(reference=name)["HostedZone"]["Id"])
    add(account, zone, name, status)
    return zone


def add(account: Account, zone: str, name: str, status: str = "ACTIVE") -> None:
    account.client("route53").create_key_signing_key(
        CallerReference=name,
        HostedZoneId=zone,
        KeyManagementServiceArn=ARN,
        Name=name,
        Status=status,
    )


@pytest.mark.behaviour("route53.zone-with-signing-keys")
@pytest.mark.behaviour("route53.key-signing-key-active")
def test_zone_with_keys_is_not_deleted(account: Account) -> None:
    """Refused while a key stands, active or not; an active key is not deleted."""
    route53, zone = account.client("route53"), with_key(account)
    words = "The specified hosted zone contains DNSSEC Key Signing Keys and so cannot be deleted."
    refused = ("HostedZoneNotEmpty", 400, words)
    assert refused == account.refusal(route53.delete_hosted_zone, Id=zone)
    which = {"HostedZoneId": zone, "Name": "ksk"}
    words = (
        "Key Signing Key with name ksk cannot be deleted because current status is not INACTIVE."
    )
    active = ("InvalidKeySigningKeyStatus", 400, words)
    assert active == account.refusal(route53.delete_key_signing_key, **which)
    route53.deactivate_key_signing_key(**which)
    assert refused == account.refusal(route53.delete_hosted_zone, Id=zone)
    route53.delete_key_signing_key(**which)
    route53.delete_hosted_zone(Id=zone)


@pytest.mark.behaviour("route53.key-signing-keys")
def test_two_keys_of_different_names(account: Account) -> None:
    """A third one, and a second of the same name, are refused; GetDNSSEC shows the two."""
    route53, zone = account.client("route53"), with_key(account, "one")

    def why(name: str) -> tuple[str, int]:
        code, status, _words = account.refusal(partial(add, account, zone), name=name)
        return code, status

    assert ("KeySigningKeyAlreadyExists", 409) == why("one")
    add(account, zone, "two", "INACTIVE")
    assert ("TooManyKeySigningKeys", 400) == why("three")
    shown = route53.get_dnssec(HostedZoneId=zone)
    assert {"ServeSignature": "NOT_SIGNING"} == shown["Status"]
    assert [("one", "ACTIVE", ARN), ("two", "INACTIVE", ARN)] == [
        (key["Name"], key["Status"], key["KmsArn"]) for key in shown["KeySigningKeys"]
    ]


@pytest.mark.behaviour("route53.signing-needs-a-key")
def test_signing_needs_an_active_key(account: Account) -> None:
    """Refused without one; once the zone is signed its last key stays active."""
    route53, zone = account.client("route53"), with_key(account, status="INACTIVE")
    which = {"HostedZoneId": zone, "Name": "ksk"}
    code, status, _words = account.refusal(route53.enable_hosted_zone_dnssec, HostedZoneId=zone)
    assert ("KeySigningKeyWithActiveStatusNotFound", 400) == (code, status)
    route53.activate_key_signing_key(**which)
    route53.enable_hosted_zone_dnssec(HostedZoneId=zone)
    assert "SIGNING" == route53.get_dnssec(HostedZoneId=zone)["Status"]["ServeSignature"]
    code, status, _words = account.refusal(route53.deactivate_key_signing_key, **which)
    assert ("KeySigningKeyInUse", 400) == (code, status)
    route53.disable_hosted_zone_dnssec(HostedZoneId=zone)
    route53.deactivate_key_signing_key(**which)
