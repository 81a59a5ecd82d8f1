"""LINE's side: the webhook endpoint, tested before it is set, and the switch only the console has."""

from typing import ClassVar

from provision.clients.line import CONSOLE
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import Clients, Live, Milestone, Resource, output, resource
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
    """The URL that LINE calls. The one found before ours is recorded, and put back at teardown."""

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
    expected: ClassVar[int] = 3
    _withdrawn = False

    def identity(self) -> str:
        """Another host is another endpoint."""
        return self.host

    @property
    def url(self) -> str:
        """What LINE calls."""
        return f"https://{self.host}{self.path}"

    def before_create(self, clients: Clients) -> dict[str, str]:
        """The endpoint that is there now."""
        return {"previous": str(clients.line.endpoint().get("endpoint", ""))}

    def find(self, clients: Clients) -> Live | None:
        """LINE's endpoint, where it is ours."""
        told = clients.line.endpoint()
        ours = told.get("endpoint") == (self.endpoint or self.url)
        return told if ours and not self._withdrawn else None

    def create(self, clients: Clients) -> Live | None:
        """LINE's test first, so that LINE is never sent to a door that does not open; then the PUT.

        A bot that its schedule has sent to sleep before the domain was delegated cannot be tested.
        """
        tested = clients.line.test(self.url) if self.service.desired_count != 0 else None
        if tested and not tested.success:
            raise Pending(
                _(
                    "LINE's test of {url}: {reason} {detail}",
                    url=self.url,
                    reason=tested.reason,
                    detail=tested.detail,
                )
            )
        clients.line.set_endpoint(self.url)
        return {"endpoint": self.url}

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the certificates of the host that LINE calls."""
        host = str(live["endpoint"]).partition("://")[2].partition("/")[0]
        acm = clients.aws.acm
        arns = certificates_for(acm, every_certificate(acm)[""], host)
        return [Certificate.named_by(self.stack, arn=arn) for arn in arns]

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """An endpoint that is our URL is ours; nobody else answers there."""
        return self.tags

    def survives_delete(self, live: Live) -> bool:
        """LINE keeps it, where there was none before."""
        return True

    def delete(self, clients: Clients) -> None:
        """LINE has no delete: the former endpoint is put back; where there was none, ours stays there."""
        if self.previous and self.previous != self.endpoint:
            clients.line.set_endpoint(self.previous)
        self._withdrawn = True


@resource
class ActiveWebhook(Milestone):
    """ "Use webhook" is on: a switch in LINE's console that no API can set."""

    webhook: WebhookEndpoint
    outside: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """LINE's endpoint."""
        return clients.line.endpoint()

    def pending(self, live: Live) -> str:
        """Names the switch and where it is."""
        if live.get("active"):
            return ""
        return _(
            '"Use webhook" is off: switch it on at {console}, your channel, tab "Messaging API"',
            console=CONSOLE,
        )
