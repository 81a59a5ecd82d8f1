"""Create the load balancer's listeners: the bootstrap listener with its rule, and HTTPS."""

from dataclasses import replace
from typing import Any, ClassVar

from provision.resources.base import (
    Batch,
    Clients,
    Deletion,
    Difference,
    Errors,
    Live,
    Permission,
    Polling,
    Resource,
    arn_pattern,
    identity_in,
    output,
    resource,
    tags_to_list,
)
from provision.resources.issued_certificate import IssuedCertificate
from provision.resources.load_balancer import ELB, SERVICE, LoadBalancer, tags_of
from provision.resources.target_group import TargetGroup

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"  # TLS 1.2 and 1.3; ECDHE with GCM, for LINE
BOOTSTRAP_HOST = "bootstrap.invalid"  # RFC 2606: no real request has this host


@resource
class Listener(Resource):
    """A listener of the load balancer. Others may add listeners, so check the tags of an existing one."""

    load_balancer: LoadBalancer
    arn: str = output("ListenerArn", arn_pattern("listener/app/"))
    batch = Batch("elbv2", "describe_listeners", "ListenerArns", "Listeners", "ListenerArn")
    port: ClassVar[int] = 0
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("ListenerNotFound", "LoadBalancerNotFound"),
        exists=("DuplicateListener",),
    )
    console = ELB

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        balancer = identity_in(self.key)
        return [
            Permission("read", SERVICE, "DescribeListeners"),
            Permission("create", SERVICE, "CreateListener", f"loadbalancer/app/{balancer}/*"),
            Permission("create", SERVICE, "ModifyListener AddTags", f"listener/app/{balancer}/*"),
            Permission("delete", SERVICE, "DeleteListener", f"listener/app/{balancer}/*"),
        ]

    def identity(self) -> str:
        """Return the load balancer's identity."""
        return self.load_balancer.identity()

    def settings(self) -> dict[str, Any]:
        """Return the parameters that CreateListener and ModifyListener share."""
        raise NotImplementedError(self.kind)

    def exists_within(self) -> list[Resource]:
        """Return the load balancer."""
        return [self.load_balancer]

    def find(self, clients: Clients) -> Live | None:
        """Find the listener by ARN, else by port."""
        describe = clients.aws.elbv2.describe_listeners
        if self.arn:
            listeners = describe(ListenerArns=[self.arn])["Listeners"]
        else:
            listeners = describe(LoadBalancerArn=self.load_balancer.arn)["Listeners"]
        mine = (item for item in listeners if self.arn in ("", item["ListenerArn"]))
        return next((dict(item) for item in mine if item["Port"] == self.port), None)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateListener."""
        answer = clients.aws.elbv2.create_listener(
            LoadBalancerArn=self.load_balancer.arn,
            Port=self.port,
            Tags=tags_to_list(self.tags),
            **self.settings(),
        )
        return dict(answer["Listeners"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (DescribeTags)."""
        return tags_of(clients, live["ListenerArn"])

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifyListener."""
        clients.aws.elbv2.modify_listener(ListenerArn=self.arn, **self.settings())

    def delete(self, clients: Clients) -> None:
        """Call DeleteListener."""
        clients.aws.elbv2.delete_listener(ListenerArn=self.arn)


@resource
class BootstrapListener(Listener):
    """HTTP:80, redirecting to HTTPS; the security group does not open the port.

    ECS refuses a service whose target group has no listener, and an HTTPS listener needs a certificate, which
    may take hours because a person must act at a registrar. With this listener's rule the service becomes
    healthy in the meantime, so that a broken image or secret is detected at once.
    """

    port: ClassVar[int] = 80

    def settings(self) -> dict[str, Any]:
        """Return a redirect to HTTPS."""
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        return {
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "redirect", "RedirectConfig": redirect}],
        }

    def desired(self) -> dict[str, Any]:
        """Return the redirect."""
        return {"Protocol": "HTTP", "DefaultActions[0].Type": "redirect"}


@resource
class BootstrapRule(Resource):
    """The rule that attaches the target group to the load balancer; no real request matches it."""

    bootstrap_listener: BootstrapListener
    target_group: TargetGroup
    arn: str = output("RuleArn", arn_pattern("listener-rule/app/"))
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("RuleNotFound", "ListenerNotFound"),
        exists=("PriorityInUse",),
    )
    console = ELB

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        balancer = identity_in(self.key)
        return [
            Permission("read", SERVICE, "DescribeRules"),
            Permission("create", SERVICE, "CreateRule", f"listener/app/{balancer}/*"),
            Permission("create", SERVICE, "ModifyRule AddTags", f"listener-rule/app/{balancer}/*"),
            Permission("delete", SERVICE, "DeleteRule", f"listener-rule/app/{balancer}/*"),
        ]

    def identity(self) -> str:
        """Return the listener's identity."""
        return self.bootstrap_listener.identity()

    def exists_within(self) -> list[Resource]:
        """Return the listener."""
        return [self.bootstrap_listener]

    def find(self, clients: Clients) -> Live | None:
        """Find the rule by ARN, else the one that is not the default."""
        describe = clients.aws.elbv2.describe_rules
        if self.arn:
            rules = describe(RuleArns=[self.arn])["Rules"]
        else:
            rules = describe(ListenerArn=self.bootstrap_listener.arn)["Rules"]
        mine = (rule for rule in rules if self.arn in ("", rule["RuleArn"]))
        return next((dict(rule) for rule in mine if not rule["IsDefault"]), None)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRule."""
        answer = clients.aws.elbv2.create_rule(
            ListenerArn=self.bootstrap_listener.arn,
            Priority=1,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [BOOTSTRAP_HOST]}}],
            Actions=self._actions(),
            Tags=tags_to_list(self.tags),
        )
        return dict(answer["Rules"][0])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (DescribeTags)."""
        return tags_of(clients, live["RuleArn"])

    def _actions(self) -> list[dict[str, Any]]:
        return [{"Type": "forward", "TargetGroupArn": self.target_group.arn}]

    def desired(self) -> dict[str, Any]:
        """Return the target group to which it forwards."""
        return {forwards_to("Actions"): self.target_group.arn}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifyRule."""
        clients.aws.elbv2.modify_rule(RuleArn=self.arn, Actions=self._actions())

    def delete(self, clients: Clients) -> None:
        """Call DeleteRule."""
        clients.aws.elbv2.delete_rule(RuleArn=self.arn)


@resource
class HttpsListener(Listener):
    """HTTPS:443 with the certificate, forwarding to the bot."""

    target_group: TargetGroup
    certificate: IssuedCertificate
    port: ClassVar[int] = 443
    errors = replace(
        Listener.errors,
        retry=("CertificateNotFound", "UnsupportedCertificate"),  # just issued
    )
    polling = Polling(after_propagation=True)

    def settings(self) -> dict[str, Any]:
        """Return certificate, TLS policy and target group."""
        return {
            "Protocol": "HTTPS",
            "SslPolicy": TLS_POLICY,
            "Certificates": [{"CertificateArn": self.certificate.certificate.arn}],
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": self.target_group.arn}],
        }

    def desired(self) -> dict[str, Any]:
        """Return certificate, TLS policy and target group."""
        return {
            "SslPolicy": TLS_POLICY,
            "Certificates[0].CertificateArn": self.certificate.certificate.arn,
            forwards_to("DefaultActions"): self.target_group.arn,
        }


def forwards_to(actions: str) -> str:
    """Return the jmespath of an action's target group, which AWS returns in one of two places."""
    first = f"{actions}[0]"
    return f"{first}.TargetGroupArn || {first}.ForwardConfig.TargetGroups[0].TargetGroupArn"
