"""Define the exceptions of this package."""

from provision.i18n import _


class ProvisionError(Exception):
    """Something could not be done.

    what: what was attempted. why: the reason. then: what the person can do next. answered: whether the
    service that was called refused it, so that the call has changed nothing.
    """

    exit_status = 1
    answered = False

    def __init__(self, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.what, self.why, self.then = what, why, then

    def __str__(self) -> str:
        return "\n".join(
            (
                self.what,
                _("  why:  {why}", why=self.why),
                _("  next: {then}", then=self.then),
            )
        )


def os_error(doing: str, error: OSError) -> ProvisionError:
    """Return the ProvisionError for a file or folder that cannot be used (read-only, full, not permitted)."""
    return ProvisionError(
        doing,
        error.strerror or str(error),
        _("Fix that, then run the same command again."),
    )


class UsageError(ProvisionError):
    """The command line or stack.yaml is invalid, or an answer is missing."""

    exit_status = 2


class WaitingOnExternal(ProvisionError):
    """Something outside is not finished; the same command continues later."""

    exit_status = 3


class UnknownState(ProvisionError):
    """The state is not known: a read was refused, or its answer lacks something."""


class NoResponse(UnknownState):
    """A read was not answered, after all retries."""


class Pending(Exception):
    """Something is not there yet, or not ready, gone or allowed yet: try again later.

    reason: what is waited for. outside: a person or another company has to act (a registrar, ACM, a switch in
    LINE's console), so a run may end here with exit status 3. timeout: seconds after which to give up; None:
    the resource's own. passable: dependents may start all the same. left: the expected seconds, where they
    can be estimated; sure: not earlier. refused: AWS answered and changed nothing.
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
        self.reason, self.outside, self.timeout, self.dependents_may_start = (
            reason,
            outside,
            timeout,
            dependents_may_start,
        )
        self.remaining, self.exact, self.refused = remaining, exact, refused
