"""From a domain and a LINE channel to a LINE bot on AWS, and back to nothing.

The command is `provision`; a program of your own uses the names of `__all__` (docs/library.md).
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
    """Return a name of the library, which is loaded when the first one is asked for (PEP 562)."""
    if name in __all__:
        return getattr(import_module("provision.library"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
