"""Listeners of the load balancer: the warm door with its rule, and HTTPS."""

from typing import Any, ClassVar

from provision.resources.base import (
    Batch,
    Clients,
    Difference,
    Live,
    Resource,
    listed,
    output,
    resource,
)
from provision.resources.certificate import IssuedCertificate
from provision.resources.load_balancer import ELB, LoadBalancer, tags_of
from provision.resources.target_group import TargetGroup

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"  # TLS 1.2 and 1.3; ECDHE with GCM, as LINE asks
NOBODY = "warm-door.invalid"  # RFC 2606: no real request carries this host


@resource
class Listener(Resource):
    """One port of the load balancer. On ours it may be somebody else's, so it is known by its tags."""

    load_balancer: LoadBalancer
    arn: str = output("ListenerArn")
    batch = Batch("elbv2", "describe_listeners", "ListenerArns", "Listeners", "ListenerArn")
    port: ClassVar[int] = 0
    at_once = True
    not_found = ("ListenerNotFound", "LoadBalancerNotFound")
    exists = ("DuplicateListener",)
    console = ELB
    exists_within: ClassVar[str] = "load_balancer"

    def identity(self) -> str:
        """A listener belongs to its load balancer."""
        return self.load_balancer.identity()

    def settings(self) -> dict[str, Any]:
        """What CreateListener and ModifyListener take alike."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else by port."""
        which = (
            {"ListenerArns": [self.arn]}
            if self.arn
            else {"LoadBalancerArn": self.load_balancer.arn}
        )
        found = clients.aws.elbv2.describe_listeners(**which)["Listeners"]
        return next((dict(item) for item in found if item["Port"] == self.port), None)

    def create(self, clients: Clients) -> Live | None:
        """CreateListener."""
        answer = clients.aws.elbv2.create_listener(
            LoadBalancerArn=self.load_balancer.arn,
            Port=self.port,
            Tags=listed(self.tags),
            **self.settings(),
        )
        return dict(answer["Listeners"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """DescribeTags."""
        return tags_of(clients, live["ListenerArn"])

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """ModifyListener."""
        clients.aws.elbv2.modify_listener(ListenerArn=self.arn, **self.settings())

    def delete(self, clients: Clients) -> None:
        """DeleteListener."""
        clients.aws.elbv2.delete_listener(ListenerArn=self.arn)


@resource
class BootstrapListener(Listener):
    """HTTP:80, closed in the security group, redirecting to HTTPS.

    ECS refuses a service whose target group hangs on no listener, and an HTTPS listener needs a certificate
    that a person at a registrar may keep waiting for hours. Through this door's rule the service starts and
    turns healthy meanwhile, so a broken image or secret shows now.
    """

    port: ClassVar[int] = 80

    def settings(self) -> dict[str, Any]:
        """Everything goes to HTTPS."""
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        return {
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "redirect", "RedirectConfig": redirect}],
        }

    def desired(self) -> dict[str, Any]:
        """It only ever redirects."""
        return {"Protocol": "HTTP", "DefaultActions[0].Type": "redirect"}


@resource
class BootstrapRule(Resource):
    """The rule that hangs the target group on the load balancer, though no real request matches it."""

    bootstrap_listener: BootstrapListener
    target_group: TargetGroup
    arn: str = output("RuleArn")
    at_once = True
    not_found = ("RuleNotFound", "ListenerNotFound")
    exists = ("PriorityInUse",)
    console = ELB
    exists_within: ClassVar[str] = "bootstrap_listener"

    def identity(self) -> str:
        """A rule belongs to its listener."""
        return self.bootstrap_listener.identity()

    def find(self, clients: Clients) -> Live | None:
        """By ARN, else the one that is not the default."""
        which = (
            {"RuleArns": [self.arn]} if self.arn else {"ListenerArn": self.bootstrap_listener.arn}
        )
        found = clients.aws.elbv2.describe_rules(**which)["Rules"]
        return next((dict(rule) for rule in found if not rule["IsDefault"]), None)

    def create(self, clients: Clients) -> Live | None:
        """CreateRule."""
        answer = clients.aws.elbv2.create_rule(
            ListenerArn=self.bootstrap_listener.arn,
            Priority=1,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [NOBODY]}}],
            Actions=self._actions(),
            Tags=listed(self.tags),
        )
        return dict(answer["Rules"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """DescribeTags."""
        return tags_of(clients, live["RuleArn"])

    def _actions(self) -> list[dict[str, Any]]:
        return [{"Type": "forward", "TargetGroupArn": self.target_group.arn}]

    def desired(self) -> dict[str, Any]:
        """The target group it forwards to."""
        return {forwards_to("Actions"): self.target_group.arn}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """ModifyRule."""
        clients.aws.elbv2.modify_rule(RuleArn=self.arn, Actions=self._actions())

    def delete(self, clients: Clients) -> None:
        """DeleteRule."""
        clients.aws.elbv2.delete_rule(RuleArn=self.arn)


@resource
class HttpsListener(Listener):
    """HTTPS:443 with the certificate, forwarding to the bot: once it stands, LINE gets through."""

    target_group: TargetGroup
    certificate: IssuedCertificate
    port: ClassVar[int] = 443
    retry = ("CertificateNotFound", "UnsupportedCertificate")  # issued a moment ago
    through_others: ClassVar[bool] = True

    def settings(self) -> dict[str, Any]:
        """Certificate, policy and where to."""
        return {
            "Protocol": "HTTPS",
            "SslPolicy": TLS_POLICY,
            "Certificates": [{"CertificateArn": self.certificate.certificate.arn}],
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": self.target_group.arn}],
        }

    def desired(self) -> dict[str, Any]:
        """All of it can be set afterwards."""
        return {
            "SslPolicy": TLS_POLICY,
            "Certificates[0].CertificateArn": self.certificate.certificate.arn,
            forwards_to("DefaultActions"): self.target_group.arn,
        }


def forwards_to(actions: str) -> str:
    """The jmespath of an action's target group: AWS shows it in one of two places."""
    first = f"{actions}[0]"
    return f"{first}.TargetGroupArn || {first}.ForwardConfig.TargetGroups[0].TargetGroupArn"
