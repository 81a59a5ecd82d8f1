"""Route 53: key-signing keys and DNSSEC signing of a hosted zone, as far as they stand in a deletion's way.

Names are not signed: resolvers get the same answers as before. Sources: Route 53 API Reference, the actions'
"Errors"; where neither it nor another source has AWS's own words, ours stand.
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.task import moment
from provision.sandbox.aws.rules import Answer, before

_MOST = 2  # Route 53 Developer Guide, Quotas: key-signing keys per hosted zone
_KSK = {"Flag": 257, "SigningAlgorithmMnemonic": "ECDSAP256SHA256", "SigningAlgorithmType": 13}


def _zone_id(call: Call) -> str:
    return str(call.params["HostedZoneId"]).rpartition("/")[2]


def _zone(cloud: Cloud, call: Call) -> Any:
    zone = cloud.backend("route53").zones.get(_zone_id(call))
    if zone is None:
        raise Refusal("NoSuchHostedZone", f"No hosted zone found with ID: {_zone_id(call)}")
    return zone


def _keys(cloud: Cloud, call: Call) -> dict[str, dict[str, Any]]:
    return cloud.route53.signing_keys.setdefault(_zone_id(call), {})


def _key(cloud: Cloud, call: Call) -> dict[str, Any]:
    key = _keys(cloud, call).get(call.params["Name"])
    if key is None:
        raise Refusal("NoSuchKeySigningKey", f"There is no key-signing key {call.params['Name']}.")
    return key


@behaves(
    "route53.key-signing-keys",
    "a hosted zone has at most two key-signing keys, each of another name",
    "KeySigningKeyAlreadyExists 409, TooManyKeySigningKeys 400",
    "Route 53 API Reference, CreateKeySigningKey, Errors",
)
@before("route53", "CreateKeySigningKey")
def create_key(cloud: Cloud, call: Call) -> Answer:
    """API CreateKeySigningKey."""
    zone, keys, given = _zone(cloud, call), _keys(cloud, call), call.params
    if given["Name"] in keys:
        raise Refusal("KeySigningKeyAlreadyExists", f"There is a key {given['Name']} already.")
    if len(keys) >= _MOST:
        raise Refusal("TooManyKeySigningKeys", f"The zone has {_MOST} key-signing keys already.")
    now = moment(cloud.clock.now())
    kept = ("Name", "Status")
    key = {name: given[name] for name in kept} | {"KmsArn": given["KeyManagementServiceArn"]}
    keys[given["Name"]] = key | _KSK | {"CreatedDate": now, "LastModifiedDate": now}
    return {
        "ChangeInfo": cloud.route53.changed(zone),
        "KeySigningKey": dict(keys[given["Name"]]),
        "Location": f"https://route53.amazonaws.com/2013-04-01/keysigningkey/{_zone_id(call)}/"
        f"{given['Name']}",
    }


@before("route53", "GetDNSSEC")
def show(cloud: Cloud, call: Call) -> Answer:
    """API GetDNSSEC."""
    _zone(cloud, call)
    signing = _zone_id(call) in cloud.route53.signed
    status = {"ServeSignature": "SIGNING" if signing else "NOT_SIGNING"}
    return {"Status": status, "KeySigningKeys": list(_keys(cloud, call).values())}


@before("route53", "ActivateKeySigningKey", "DeactivateKeySigningKey")
def switch_key(cloud: Cloud, call: Call) -> Answer:
    """API DeactivateKeySigningKey: the last active key of a zone that is signed stays."""
    zone, key = _zone(cloud, call), _key(cloud, call)
    active = [k for k in _keys(cloud, call).values() if k["Status"] == "ACTIVE"]
    on = call.operation.startswith("Activate")
    if not on and active == [key] and _zone_id(call) in cloud.route53.signed:
        raise Refusal("KeySigningKeyInUse", f"The zone is signed with {key['Name']} alone.")
    key["Status"] = "ACTIVE" if on else "INACTIVE"
    return {"ChangeInfo": cloud.route53.changed(zone)}


@behaves(
    "route53.key-signing-key-active",
    "a key-signing key is deleted only once it is INACTIVE",
    "InvalidKeySigningKeyStatus 400, 'Key Signing Key with name ... cannot be deleted because ...'",
    "hashicorp/terraform-provider-aws#21368",
)
@before("route53", "DeleteKeySigningKey")
def delete_key(cloud: Cloud, call: Call) -> Answer:
    """API DeleteKeySigningKey."""
    zone, key = _zone(cloud, call), _key(cloud, call)
    if key["Status"] != "INACTIVE":
        raise Refusal(
            "InvalidKeySigningKeyStatus",
            f"Key Signing Key with name {key['Name']} cannot be deleted because current status is "
            "not INACTIVE.",
        )
    del _keys(cloud, call)[key["Name"]]
    return {"ChangeInfo": cloud.route53.changed(zone)}


@behaves(
    "route53.signing-needs-a-key",
    "a hosted zone is signed only where it has an ACTIVE key-signing key",
    "KeySigningKeyWithActiveStatusNotFound 400",
    "Route 53 API Reference, EnableHostedZoneDNSSEC, Errors",
)
@before("route53", "EnableHostedZoneDNSSEC", "DisableHostedZoneDNSSEC")
def sign(cloud: Cloud, call: Call) -> Answer:
    """API EnableHostedZoneDNSSEC, DisableHostedZoneDNSSEC."""
    zone, keys = _zone(cloud, call), _keys(cloud, call).values()
    if call.operation.startswith("Disable"):
        cloud.route53.signed.discard(_zone_id(call))
    elif not any(key["Status"] == "ACTIVE" for key in keys):
        raise Refusal("KeySigningKeyWithActiveStatusNotFound", "The zone has no active key.")
    else:
        cloud.route53.signed.add(_zone_id(call))
    return {"ChangeInfo": cloud.route53.changed(zone)}


@behaves(
    "route53.zone-with-signing-keys",
    "a hosted zone that has key-signing keys is not deleted",
    "HostedZoneNotEmpty 400, '... contains DNSSEC Key Signing Keys and so cannot be deleted.'",
    "hashicorp/terraform-provider-aws#21368",
)
@before("route53", "DeleteHostedZone")
def zone_has_no_keys(cloud: Cloud, call: Call) -> None:
    """Keys first."""
    if cloud.route53.signing_keys.get(call.params["Id"].rpartition("/")[2]):
        raise Refusal(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains DNSSEC Key Signing Keys and so cannot be deleted.",
        )
