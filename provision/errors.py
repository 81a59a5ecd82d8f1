"""A refusal, told as what / why / what next."""

from provision.i18n import _


class ProvisionError(Exception):
    """Something could not be done. Three sentences a person can act on.

    what: what we were doing. why: why it was refused. then: what to do next. answered: the service that was
    called refused it itself, so that the call has changed nothing.
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
    """Return the refusal for a file or folder that cannot be used: read-only, full, somebody else's."""
    return ProvisionError(
        doing,
        error.strerror or str(error),
        _("Mend that, then run the same command again."),
    )


class UsageError(ProvisionError):
    """The command line or stack.yaml cannot be understood, or an answer is missing."""

    exit_status = 2


class WaitingOnExternal(ProvisionError):
    """Nothing is wrong, but something outside is not done yet; the same command goes on."""

    exit_status = 3


class UnknownState(ProvisionError):
    """What was asked is not known: the question was refused, or its answer lacks what is needed."""


class NoResponse(UnknownState):
    """The question was not answered, however often it was asked."""


class Pending(Exception):
    """To appear, to be ready, to be gone, to be allowed: one word for "ask again later".

    reason: what is waited for. outside: a person or another company has to act (a registrar, ACM, a switch
    in LINE's console), so a run may end here with exit status 3. timeout: seconds after which it is given up;
    None: the resource's own. passable: what waits for this line may begin all the same.
    left: seconds until it is likely to be so, where that can be told; sure: not before. refused: AWS
    answered, and did nothing.
    """

    def __init__(
        self,
        reason: str,
        *,
        outside: bool = False,
        timeout: int | None = None,
        passable: bool = False,
        left: float | None = None,
        sure: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.outside, self.timeout, self.passable = reason, outside, timeout, passable
        self.left, self.sure, self.refused = left, sure, refused
