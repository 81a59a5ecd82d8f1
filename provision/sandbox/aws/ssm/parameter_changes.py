"""Parameter Store: checks of KMS keys, changes and tags. Source: SSM API Reference, PutParameter."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before

_TAGS = 50


@behaves("ssm.key-unknown")
@before("ssm", "PutParameter")
def check_key(cloud: Cloud, call: Call) -> None:
    """Refuse an unknown KeyId; the default is alias/aws/ssm (API PutParameter, InvalidKeyId)."""
    key = call.params.get("KeyId")
    if key in (None, "alias/aws/ssm"):
        return
    kms = cloud.backend("kms", call.region)
    if kms.get_key_id(key) not in kms.keys and not kms.get_key_id_from_alias(key):
        raise AwsError("InvalidKeyId", f"Invalid keyId {key}", 400)


@behaves("ssm.type-stays", "ssm.too-many-updates")
@before("ssm", "PutParameter")
def check_change(cloud: Cloud, call: Call) -> None:
    """Refuse concurrent updates and a change of type (API PutParameter)."""
    name, wanted = call.params["Name"], call.params.get("Type")
    found = cloud.backend("ssm", call.region)._parameters.get(name)
    if not found or not call.params.get("Overwrite"):
        return
    if wanted and found[-1].parameter_type != wanted:
        raise AwsError(
            "HierarchyTypeMismatchException",
            "Parameter Store does not support changing a parameter type in a hierarchy. For "
            "example, you can't change a parameter from a String type to a SecureString type. You "
            "must create a new, unique parameter.",
            400,
        )
    due = cloud.ssm.updated.get((call.region, name), 0) + cloud.delays.parameter
    if cloud.clock.now() < due:
        message = "There are concurrent updates for a resource that supports one update at a time."
        raise AwsError("TooManyUpdates", message, 400)


@after("ssm", "PutParameter")
def record_update(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Record the time of the write, which takes `delays.parameter`."""
    cloud.ssm.updated[call.region, call.params["Name"]] = cloud.clock.now()


@behaves("ssm.tags")
@before("ssm", "PutParameter")
def check_tags(cloud: Cloud, call: Call) -> None:
    """Refuse more tags than the quota."""
    if len(call.params.get("Tags") or []) > _TAGS:
        message = (
            "The Targets parameter includes too many tags. Remove one or more tags and try again."
        )
        raise AwsError("TooManyTagsError", message, 400)
