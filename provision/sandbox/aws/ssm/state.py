"""Parameter Store: when parameters were written."""

from dataclasses import dataclass, field

from provision.sandbox.aws.behaviours import behaves


@behaves(
    "ssm.already-exists",
    "without Overwrite a parameter that is there is not written",
    "ParameterAlreadyExists 400",
    "SSM API Reference, PutParameter, Errors",
    moto="moto refuses it as well",
)
@behaves(
    "ssm.tags-with-overwrite",
    "tags and Overwrite exclude each other",
    "ValidationException 400",
    "SSM API Reference, PutParameter, Tags",
    moto="moto refuses it as well",
)
@behaves(
    "ssm.get-parameters",
    "names that are not there are listed as InvalidParameters, not refused",
    "InvalidParameters in a 200",
    "SSM API Reference, GetParameters and DeleteParameters",
    moto="moto does so as well",
)
@behaves(
    "ssm.decryption",
    "a SecureString is readable with WithDecryption only",
    "an encrypted value",
    "SSM API Reference, GetParameters, WithDecryption",
    moto="moto does so as well",
)
@behaves(
    "ssm.ten-names",
    "GetParameters and DeleteParameters take ten names",
    "ValidationException 400",
    "SSM API Reference, GetParameters, Names",
    moto="moto refuses it as well",
)
@dataclass
class Ssm:
    """When each parameter was last written, by region and name."""

    updated: dict[tuple[str, str], float] = field(default_factory=dict)
