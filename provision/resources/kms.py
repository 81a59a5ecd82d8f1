"""Customer managed KMS keys of what was there before: which key, and the permission to use it."""

from provision.resources.base import Clients

# Keys that AWS manages: every principal of the account may use them through their service.
AWS_MANAGED = "alias/aws/"


def key_arn(clients: Clients, key: str) -> str:
    """Return the ARN of a customer managed key given by ARN, id or alias; "" for one that AWS manages."""
    if not key or AWS_MANAGED in key:
        return ""
    if ":key/" in key:
        return key
    metadata = clients.aws.kms.describe_key(KeyId=key)["KeyMetadata"]
    return "" if metadata.get("KeyManager") == "AWS" else str(metadata["Arn"])


def use_keys(
    sid: str, service: str, actions: list[str], keys: list[str]
) -> list[dict[str, object]]:
    """Return the statement that allows these actions with keys (ARNs, or "") through a service; [] without.

    The key's own policy must allow it too, as it does by default for the account's IAM policies. Source: KMS
    Developer Guide, kms:ViaService.
    """
    arns = sorted({key for key in keys if key})
    if not arns:
        return []
    services = [f"{service}.{arn.split(':')[3]}.amazonaws.com" for arn in arns]
    return [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": actions,
            "Resource": arns,
            "Condition": {"StringEquals": {"kms:ViaService": sorted(set(services))}},
        }
    ]
