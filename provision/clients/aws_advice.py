"""What a person can do about AWS's errors, by code and message."""

import re
from datetime import UTC, datetime

from provision.i18n import _

ACCESS_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "NotAuthorized",
)
BAD_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "MissingAuthenticationToken",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidIdentityToken",
    "IDPRejectedClaim",
)
# Of a message: AWS's clock and this computer's differ; IAM User Guide, "Troubleshoot Signature Version 4".
CLOCK_SKEW = re.compile(
    r"Signature (expired|not yet current)|RequestTimeTooSkewed|difference between"
)
# Of a code or message of an account that may not do this yet.
BLOCKED = re.compile(
    r"account is currently blocked|does not support creating load balancers|account.*(verif|suspend)"
    r"|PendingVerification|AccountProblem|NotSignedUp|SubscriptionRequired|AllAccessDisabled",
    re.IGNORECASE,
)
QUOTA = re.compile(r"Limits?Exceeded|TooMany(?!Requests|Tags|Updates)|Quota(Exceeded|Reached)")
# Of a message: what denies it whatever the caller's permissions are. IAM User Guide, "Troubleshoot access
# denied error messages".
RULES = re.compile(r"(service|resource) control policy|permissions boundary|endpoint policy")
ENCODED = re.compile(r"(Encoded authorization failure message: \S{20})\S+")
NOT_ENABLED = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "OptInRequired",
    "RegionDisabledException",
)


def next_step(name: str, text: str) -> str:
    """Return what to do about an error code and its message."""
    if name == "RequestTimeTooSkewed" or CLOCK_SKEW.search(text):
        return clock_advice()
    if "valid region" in text:
        return _(
            "The region does not exist: set another, for example with --set region=ap-northeast-1 "
            "(or in AWS_REGION), then run the same command again."
        )
    if "MultiFactorAuthentication" in text or "MFA" in text:
        return mfa_advice()
    if name in NOT_ENABLED:
        return _(
            "Sign in to AWS again. If the credentials work elsewhere, the region may not be enabled in this "
            "account: enable it (console, Account, AWS Regions) or set another, then run the same command "
            "again."
        )
    if name in BAD_CREDENTIALS:
        return _("Sign in to AWS again, then run the same command again.")
    if BLOCKED.search(f"{name} {text}"):
        return _(
            "AWS has not unlocked this account for that yet: open a support case (Account and billing), "
            "then run the same command again."
        )
    if QUOTA.search(name) and "Retry" not in text:
        return _(
            "The account's quota is used up: delete what is not needed, or ask for more in the console "
            "(Service Quotas), then run the same command again to continue."
        )
    if name in ACCESS_DENIED:
        if RULES.search(text):
            return _(
                "A rule of the organization or of the account forbids it, whatever your permissions: ask "
                "its administrator, then run the same command again."
            )
        return _(
            "Ask the account's administrator for the permission above, then run the same command "
            "again."
        )
    return _("Fix the problem AWS reported, then run the same command again to continue.")


def profile_advice() -> str:
    """Return the advice for a profile that does not exist or cannot be read."""
    return _(
        "Name an AWS profile that exists (`aws configure list-profiles`) with --profile or AWS_PROFILE, or "
        "correct ~/.aws/config, then run the same command again."
    )


def mfa_advice() -> str:
    """Return the advice where an MFA code is needed and cannot be asked for."""
    return _(
        "Get temporary credentials with a new MFA code first (aws sts get-session-token, or `aws configure "
        "export-credentials --format env`), then run the same command again."
    )


def clock_advice(now: datetime | None = None) -> str:
    """Return the advice for a computer whose clock is wrong. now: the time by that clock."""
    return _(
        "Set this computer's clock (its time is now {now} UTC; on WSL: sudo hwclock -s), then run the "
        "same command again.",
        now=(now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S"),
    )


def check_connection() -> str:
    """Return the advice for an endpoint that does not answer."""
    return _(
        "Check this computer's network, proxy, AWS_ENDPOINT_URL and AWS_CA_BUNDLE, then run "
        "the same command again."
    )


def shorten(text: str) -> str:
    """Return AWS's message with an encoded part cut, which only DecodeAuthorizationMessage reads."""
    return ENCODED.sub(r"\1...", text)
