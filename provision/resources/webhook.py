"""Test and set LINE's webhook endpoint, and wait until a person turns on "Use webhook" in LINE's console."""

from dataclasses import field
from typing import ClassVar, Literal

from provision.clients.line import WebhookTest
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import Clients, Live, Milestone, Polling, Resource, output, resource
from provision.resources.certificate import Certificate, certificates_for, every_certificate
from provision.resources.delegation import Delegation
from provision.resources.listener import WebhookRule
from provision.resources.load_balancer import ActiveLoadBalancer
from provision.resources.parameter import Parameter
from provision.resources.record_set import Alias
from provision.resources.security_group import IngressRule
from provision.resources.steady_service import SteadyService


@resource
class WebhookEndpoint(Resource):
    """LINE's webhook URL. The previous URL is recorded, and restored at teardown if it answers."""

    host: str
    path: str
    rule: WebhookRule
    ingress: IngressRule
    alias: Alias
    delegation: Delegation
    load_balancer: ActiveLoadBalancer
    service: SteadyService
    credential: Parameter
    endpoint: str = output("endpoint")
    previous: str = output("previous")
    restore: bool | None = field(default=None, init=False)  # the previous URL; None: if it answers
    polling = Polling(expected=3)
    _deleted = False

    def identity(self) -> str:
        """Return the host."""
        return self.host

    @property
    def url(self) -> str:
        """Return the URL that LINE calls."""
        return f"https://{self.host}{self.path}"

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the current endpoint."""
        return {"previous": str(clients.line.endpoint().get("endpoint", ""))}

    def find(self, clients: Clients) -> Live | None:
        """Return LINE's endpoint if it is the stack's URL."""
        live = clients.line.endpoint()
        is_own = live.get("endpoint") == (self.endpoint or self.url)
        return live if is_own and not self._deleted else None

    def create(self, clients: Clients) -> Live | None:
        """Make LINE test the URL, then set it. Raise Pending if the test fails.

        Skip the test if the service is stopped (desired count 0).
        """
        test = clients.line.test(self.url) if self.service.desired_count != 0 else None
        if test and not test.success:
            raise Pending(
                _(
                    "LINE's test of {url}: {reason} {detail}",
                    url=self.url,
                    reason=test.reason,
                    detail=test.detail,
                )
            )
        clients.line.set_endpoint(self.url)
        return {"endpoint": self.url}

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the certificates of the URL's host."""
        host = str(live["endpoint"]).partition("://")[2].partition("/")[0]
        acm = clients.aws.acm
        arns = certificates_for(acm, every_certificate(acm)[""], host)
        return [Certificate.from_record(self.stack, arn, {"arn": arn}) for arn in arns]

    def owners(self, live: Live) -> None:
        """Return None: see `tags_of`."""

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the stack's tags, because only the stack answers at its URL."""
        return self.tags

    def deletion_state(self, live: Live) -> Literal["", "survives"]:
        """Return `survives` unless the previous URL was restored: LINE keeps a URL, without a delete call."""
        return "" if self.restore and self._deleted else "survives"

    def test_previous(self, clients: Clients) -> WebhookTest | None:
        """Make LINE test the previous URL; return None without one."""
        return (
            clients.line.test(self.previous) if self.previous not in ("", self.endpoint) else None
        )

    def delete(self, clients: Clients) -> None:
        """Restore the previous URL. Else the stack's URL remains, because LINE has no delete call."""
        if self.restore is None:
            test = self.test_previous(clients)
            self.restore = bool(test and test.success)
        if self.restore:
            clients.line.set_endpoint(self.previous)
        self._deleted = True


@resource
class ActiveWebhook(Milestone):
    """LINE's "Use webhook" is on. Only a person can set it, in LINE's console."""

    webhook: WebhookEndpoint
    outside: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """Return LINE's endpoint, and where the switch is."""
        live = clients.line.endpoint()
        return live and {**live, "console": clients.line.console}

    def pending(self, live: Live) -> Pending | None:
        """Wait for "Use webhook"."""
        if live.get("active"):
            return None
        return Pending(
            _(
                '"Use webhook" is off: turn it on at {console} (your channel, tab "Messaging API")',
                console=live["console"],
            )
        )
