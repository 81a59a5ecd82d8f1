"""Parameter Store: when parameters were written."""

from dataclasses import dataclass, field

from provision.sandbox.aws.behaviours import behaves


@behaves(
    "ssm.already-exists",
    "ssm.tags-with-overwrite",
    "ssm.get-parameters",
    "ssm.decryption",
    "ssm.ten-names",
)
@dataclass
class Ssm:
    """When each parameter was last written, by region and name."""

    updated: dict[tuple[str, str], float] = field(default_factory=dict)
