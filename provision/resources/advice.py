"""Map ECS's reasons for stopped tasks to next steps.

Source: ECS Developer Guide, "Amazon ECS stopped task error messages".
"""

import re

from provision.i18n import _


def advice(reason: str) -> str:
    """Return the next step for a stop reason."""
    return next(step for pattern, step in _steps() if re.search(pattern, reason, re.IGNORECASE))


def _steps() -> list[tuple[str, str]]:
    """Return patterns and next steps. The first match applies; the last pattern always matches."""
    return [
        (
            "exec format error|matching platform|no matching manifest",
            _(
                "The image is for another CPU architecture: use one for image.platform, or set "
                "image.platform (linux/amd64, linux/arm64) to match the image."
            ),
        ),
        (
            "CannotPullContainer.*(timeout|timed out)|ResourceInitialization.*(timeout|timed out)",
            _("The task has no internet access: its subnets need a route to an internet gateway."),
        ),
        (
            "CannotPullContainer",
            _(
                "Check that the image exists and can be pulled: `provision deploy --set image.uri=...`"
            ),
        ),
        (
            "KMS|customer master key|ciphertext",
            _(
                "The role may not use the KMS key of a parameter: run `provision setup`, which allows "
                "it, and allow it in the key's own policy."
            ),
        ),
        (
            "invalid parameters|ParameterNotFound|unable to pull secrets",
            _("A secret is missing or cannot be read. Run `provision setup` to restore it."),
        ),
        (
            "health check|Target\\.",
            _(
                "The bot has to answer GET /healthz on port 8080 with 200 within a minute of its "
                "start. See `provision logs`."
            ),
        ),
        (
            "capacity",
            _(
                "To run now at the on-demand price: `provision deploy --set service.capacity=on-demand`"
            ),
        ),
        (
            "OutOfMemory|exit code 137",
            _("It needs more memory: `provision deploy --set service.memory=...`"),
        ),
        (
            "",
            _("Fix the cause (see `provision logs`), then run the same command again."),
        ),
    ]
