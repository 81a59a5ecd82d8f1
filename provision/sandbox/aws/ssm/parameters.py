"""Parameter Store: checks of names, values, KMS keys, changes and tags.

Sources: SSM API Reference, PutParameter; Systems Manager User Guide, "Requirements and constraints for
parameter names"; AWS General Reference, Systems Manager quotas.
"""

import re

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.rules import Answer, after, before

_ALPHABET = re.compile(r"[A-Za-z0-9_./-]+")
_MAX_SIZE = {"Standard": 4096, "Advanced": 8192}
_MAX_DEPTH, _MAX_NAME = 15, 1011


behaves("ssm.constraints")(constraint_rule)
before("ssm", "*")(constraint_rule("ValidationException"))


@behaves(
    "ssm.name-reserved", "ssm.name-alphabet", "ssm.name-path", "ssm.name-length", "ssm.name-depth"
)
@before("ssm", "PutParameter")
def check_name(cloud: Cloud, call: Call) -> None:
    """Refuse an invalid name (User Guide, names)."""
    name = call.params["Name"]
    if not _ALPHABET.fullmatch(name):
        raise _invalid(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, '
            "it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a "
            "mix of letters, numbers and the following 3 symbols .-_"
        )
    if "/" in name and not name.startswith("/"):
        raise _invalid("Parameter name must be a fully qualified name.")
    if len(name) > _MAX_NAME:
        raise _invalid(f"Parameter name exceeds the maximum length of {_MAX_NAME} characters.")
    if name.count("/") > _MAX_DEPTH:
        raise AwsError(
            "HierarchyLevelLimitExceededException",
            f"A hierarchy can have a maximum of {_MAX_DEPTH} levels.",
            400,
        )


@behaves("ssm.value-size", "ssm.value-nested", "ssm.value-pattern")
@before("ssm", "PutParameter")
def check_value(cloud: Cloud, call: Call) -> None:
    """Check Value and AllowedPattern (API PutParameter)."""
    value, tier = call.params["Value"], call.params.get("Tier") or "Standard"
    pattern = call.params.get("AllowedPattern")
    if len(value.encode()) > _MAX_SIZE.get(tier, _MAX_SIZE["Advanced"]):
        raise _invalid(
            f"{tier} tier parameters support a maximum parameter value of {_MAX_SIZE[tier]} characters. "
            "To create a larger parameter value, upgrade the parameter to use the advanced-parameter "
            "tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/"
            "userguide/parameter-store-advanced-parameters.html"
        )
    if re.search(r"\{\{.*\}\}", value):
        raise _invalid(
            'Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.'
        )
    if pattern and not re.search(pattern, value):
        raise AwsError(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
            400,
        )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message, 400)


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
