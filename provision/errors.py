"""The exceptions of this package."""

from provision.i18n import _


class ProvisionError(Exception):
    """Base class of errors that are shown to the person.

    what: what could not be done. why: the reason. then: what to do next. answered: whether the error is the
    service's response to the call, so that the call has changed nothing. dependents_may_start: as in Pending.
    """

    exit_status = 1
    answered = False
    dependents_may_start = False

    def __init__(self, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.what, self.why, self.then = what, why, then

    def __str__(self) -> str:
        why = self.why.replace("\n", f"\n{'':8}")  # what continues a reason is below its first word
        return "\n".join((self.what, _("  why:  ") + why, _("  next: {then}", then=self.then)))


def os_error(doing: str, error: OSError) -> ProvisionError:
    """Return the ProvisionError for an OSError (read-only, disk full, not permitted)."""
    return ProvisionError(
        doing,
        error.strerror or str(error),
        _("Fix that, then run the same command again."),
    )


class UsageError(ProvisionError):
    """The command line or stack.yaml is invalid or incomplete."""

    exit_status = 2


class Cancelled(ProvisionError):
    """The command ends early (the person answered no, or pressed Ctrl-C): one sentence."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "", "")

    def __str__(self) -> str:
        return self.what


class WaitingOnExternal(ProvisionError):
    """A person or another company has to act; the same command continues later."""

    exit_status = 3


class UnknownState(ProvisionError):
    """A read failed: it was refused, or its response is incomplete."""


class Denied(UnknownState):
    """The permission for a read is missing."""


class NotChecked(Denied):
    """The permission to read one of LINE's secrets is missing: a command that only reads goes on without."""


class NoResponse(UnknownState):
    """A read got no response, after all retries."""


class Pending(Exception):
    """An operation is not possible yet; try again later.

    reason: what is waited for. outside: a person or another company has to act (a registrar, ACM, LINE's
    console), so a run may end here with exit status 3. timeout: seconds until the wait fails; None: the
    resource's own. dependents_may_start: dependents need not wait for this. remaining: the estimated seconds;
    exact: it will not be ready earlier. refused: AWS answered and changed nothing.
    """

    def __init__(
        self,
        reason: str,
        *,
        outside: bool = False,
        timeout: int | None = None,
        dependents_may_start: bool = False,
        remaining: float | None = None,
        exact: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.outside, self.timeout = reason, outside, timeout
        self.dependents_may_start = dependents_may_start
        self.remaining, self.exact, self.refused = remaining, exact, refused
