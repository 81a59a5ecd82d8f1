"""Set LINE's webhook endpoint after testing it, and wait for the switch that only LINE's console has."""

from typing import ClassVar, Literal

from provision.clients.line import CONSOLE
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import (
    Clients,
    Live,
    Milestone,
    Polling,
    Resource,
    output,
    resource,
)
from provision.resources.certificate import Certificate, certificates_for, every_certificate
from provision.resources.delegation import Delegation
from provision.resources.listener import HttpsListener
from provision.resources.load_balancer import ActiveLoadBalancer
from provision.resources.parameter import Parameter
from provision.resources.record_set import Alias
from provision.resources.security_group import IngressRule
from provision.resources.steady_service import SteadyService


@resource
class WebhookEndpoint(Resource):
    """The URL that LINE calls. The previous URL is recorded, and restored at teardown."""

    host: str
    path: str
    https: HttpsListener
    ingress: IngressRule
    alias: Alias
    delegation: Delegation
    load_balancer: ActiveLoadBalancer
    service: SteadyService
    access_token: Parameter
    endpoint: str = output("endpoint")
    previous: str = output("previous")
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
        """Return LINE's endpoint where it is the stack's."""
        live = clients.line.endpoint()
        is_own = live.get("endpoint") == (self.endpoint or self.url)
        return live if is_own and not self._deleted else None

    def create(self, clients: Clients) -> Live | None:
        """Let LINE test the URL, then set it: LINE is never given a URL that does not answer.

        A bot that its schedule stopped before the domain was delegated cannot be tested.
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
        """Return the certificates of the host that LINE calls."""
        host = str(live["endpoint"]).partition("://")[2].partition("/")[0]
        acm = clients.aws.acm
        arns = certificates_for(acm, every_certificate(acm)[""], host)
        return [Certificate.from_record(self.stack, arn, {"arn": arn}) for arn in arns]

    def owners(self, live: Live) -> None:
        """Return None: see `tags_of`."""

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the stack's tags: nobody else answers at its URL."""
        return self.tags

    def deletion_state(self, live: Live) -> Literal["survives"]:
        """Return `survives`: LINE keeps the URL where there was none before."""
        return "survives"

    def delete(self, clients: Clients) -> None:
        """Restore the previous URL. Without one the stack's URL stays, because LINE has no delete call."""
        if self.previous and self.previous != self.endpoint:
            clients.line.set_endpoint(self.previous)
        self._deleted = True


@resource
class ActiveWebhook(Milestone):
    """LINE's switch "Use webhook" is on, which only a person can set, in LINE's console."""

    webhook: WebhookEndpoint
    outside: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """Return LINE's endpoint."""
        return clients.line.endpoint()

    def pending(self, live: Live) -> Pending | None:
        """Wait for the switch; return where it is."""
        if live.get("active"):
            return None
        return Pending(
            _(
                '"Use webhook" is off: turn it on at {console} (your channel, tab "Messaging API")',
                console=CONSOLE,
            )
        )
