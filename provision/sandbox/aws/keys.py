"""The secrets of one run of the sandbox: root's access key, and the control token."""

import secrets
from dataclasses import dataclass, field

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # of access key IDs


def _access_key_id() -> str:
    return "AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))


@dataclass(frozen=True)
class Keys:
    """Random keys, new in each run.

    `token` is the bearer token of the control paths (guard.py).
    """

    access_key_id: str = field(default_factory=_access_key_id)
    secret_access_key: str = field(default_factory=lambda: secrets.token_urlsafe(30), repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
