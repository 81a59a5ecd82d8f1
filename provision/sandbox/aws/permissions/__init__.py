"""Who may do what in the emulated account: IAM's policies, held against the calls."""

from provision.sandbox.aws.permissions.principals import Permissions, Principal

__all__ = ["Permissions", "Principal"]
