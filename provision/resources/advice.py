"""Advise on stopped tasks, by the reason that ECS gives.

Source: ECS Developer Guide, "Amazon ECS stopped task error messages", and what the reasons mean here.
"""

import re

from provision.i18n import _


def advice(reason: str) -> str:
    """Return the next step, in a sentence."""
    return next(step for pattern, step in _steps() if re.search(pattern, reason, re.IGNORECASE))


def _steps() -> list[tuple[str, str]]:
    """Return patterns and next steps; the first match applies, and the last pattern always matches."""
    return [
        (
            "exec format error|matching platform|no matching manifest",
            _(
                "The image is for another processor: give one for image.platform, or set image.platform "
                "(linux/amd64, linux/arm64) to the image's."
            ),
        ),
        (
            "CannotPullContainer.*(timeout|timed out)|ResourceInitialization.*(timeout|timed out)",
            _("The task finds no way out: its subnets need a route to an internet gateway."),
        ),
        (
            "CannotPullContainer",
            _(
                "Look whether the image is there and may be read: provision deploy --set image.uri=..."
            ),
        ),
        (
            "invalid parameters|ParameterNotFound|unable to pull secrets",
            _("A secret is missing or may not be read: `provision setup` puts it back."),
        ),
        (
            "health check|Target\\.",
            _(
                "Within a minute of its start the bot has to answer GET /healthz at port 8080 with 200: "
                "`provision logs` has its own words."
            ),
        ),
        (
            "capacity",
            _("To run now at the full price: provision deploy --set service.capacity=on-demand"),
        ),
        (
            "OutOfMemory|exit code 137",
            _("It needs more memory: provision deploy --set service.memory=..."),
        ),
        (
            "",
            _(
                "Mend it (`provision logs` has the bot's own words), then run the same command again."
            ),
        ),
    ]
