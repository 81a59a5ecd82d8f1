"""Set up a LINE bot on AWS from a domain and a LINE channel, and tear it down.

The command is `provision`; the library is the names in `__all__` (docs/library.md).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provision.library import (
        DeletionResult,
        Outcome,
        Plan,
        Progress,
        ProvisionError,
        Secrets,
        Settings,
        Stack,
        UsageError,
        WaitingOnExternal,
        plan,
        read_settings,
        setup,
        status,
        teardown,
    )

__version__ = "0.1.0"
__all__ = [
    "DeletionResult",
    "Outcome",
    "Plan",
    "Progress",
    "ProvisionError",
    "Secrets",
    "Settings",
    "Stack",
    "UsageError",
    "WaitingOnExternal",
    "plan",
    "read_settings",
    "setup",
    "status",
    "teardown",
]


def __getattr__(name: str) -> Any:
    """Return a name of the library, which is imported on first use (PEP 562)."""
    if name in __all__:
        return getattr(import_module("provision.library"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
