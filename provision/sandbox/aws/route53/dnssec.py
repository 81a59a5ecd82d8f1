"""Route 53: key-signing keys, which block the deletion of a hosted zone. Responses are not signed."""

import hashlib
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.task import timestamp
from provision.sandbox.aws.rules import Answer, before

_KSK = {"Flag": 257, "SigningAlgorithmMnemonic": "ECDSAP256SHA256", "SigningAlgorithmType": 13}


def _zone_id(call: Call) -> str:
    return str(call.params["HostedZoneId"]).rpartition("/")[2]


def _zone(cloud: Cloud, call: Call) -> Any:
    zone = cloud.backend("route53").zones.get(_zone_id(call))
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {_zone_id(call)}")
    return zone


@before("route53", "CreateKeySigningKey")
def create_key(cloud: Cloud, call: Call) -> Answer:
    """Create a key-signing key. Source: API CreateKeySigningKey."""
    zone, params, now = _zone(cloud, call), call.params, timestamp(cloud.clock.now())
    key = {
        "Name": params["Name"],
        "Status": params["Status"],
        "KmsArn": params["KeyManagementServiceArn"],
        "CreatedDate": now,
        "LastModifiedDate": now,
        **_KSK,
        "DSRecord": f"12345 13 2 {hashlib.sha256(params['Name'].encode()).hexdigest()}",
    }
    cloud.route53.signing_keys.setdefault(_zone_id(call), {})[params["Name"]] = key
    location = f"https://route53.amazonaws.com/2013-04-01/keysigningkey/{_zone_id(call)}/"
    return {
        "ChangeInfo": cloud.route53.add_change(zone),
        "KeySigningKey": dict(key),
        "Location": f"{location}{params['Name']}",
    }


@before("route53", "GetDNSSEC")
def show_keys(cloud: Cloud, call: Call) -> Answer:
    """Return the zone's key-signing keys. Source: API GetDNSSEC."""
    _zone(cloud, call)
    keys = cloud.route53.signing_keys.get(_zone_id(call), {})
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": list(keys.values())}


@behaves("route53.zone-with-signing-keys")
@before("route53", "DeleteHostedZone")
def check_no_keys(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a zone that has keys."""
    if cloud.route53.signing_keys.get(call.params["Id"].rpartition("/")[2]):
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains DNSSEC Key Signing Keys and so cannot be deleted.",
        )
