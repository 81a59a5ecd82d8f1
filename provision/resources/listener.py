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
    Tagged,
    arn_pattern,
    identity_in,
    output,
    resource,
    tags_to_list,
)
from provision.resources.issued_certificate import IssuedCertificate
from provision.resources.load_balancer import (
    ELB,
    SERVICE,
    LoadBalancer,
    listeners_of,
    rules_of,
    tags_of,
    with_stack_tags,
)
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
        if self.arn:
            answer = clients.aws.elbv2.describe_listeners(ListenerArns=[self.arn])
            listeners = answer["Listeners"]
        else:
            listeners = listeners_of(clients, self.load_balancer.arn)
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
class Rule(Resource):
    """A rule that forwards some of a listener's requests to the target group."""

    listener: Listener
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
        balancer = self.arn.split("/")[2] if self.arn else "*"
        if self.listener:
            balancer = self.listener.identity()
        return [
            Permission("read", SERVICE, "DescribeRules"),
            Permission("create", SERVICE, "CreateRule", f"listener/app/{balancer}/*"),
            Permission("create", SERVICE, "ModifyRule AddTags", f"listener-rule/app/{balancer}/*"),
            Permission("delete", SERVICE, "DeleteRule", f"listener-rule/app/{balancer}/*"),
        ]

    def identity(self) -> str:
        """Return the listener's identity."""
        return self.listener.identity()

    def exists_within(self) -> list[Resource]:
        """Return the listener."""
        return [self.listener]

    def conditions(self) -> list[dict[str, Any]]:
        """Return the conditions that a request has to meet."""
        raise NotImplementedError(self.kind)

    def find(self, clients: Clients) -> Live | None:
        """Find the rule by ARN, else by its conditions."""
        if self.arn:
            rules = clients.aws.elbv2.describe_rules(RuleArns=[self.arn])["Rules"]
            return next((_shape_rule(rule) for rule in rules if rule["RuleArn"] == self.arn), None)
        rules = rules_of(clients, self.listener.arn)
        shapes = [_shape_rule(rule) for rule in rules if not rule["IsDefault"]]
        own = _values(self.conditions())
        return next((live for live in shapes if live["ConditionValues"] == own), None)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRule."""
        answer = clients.aws.elbv2.create_rule(
            ListenerArn=self.listener.arn,
            Priority=self._priority(clients),
            Conditions=self.conditions(),
            Actions=self._actions(),
            Tags=tags_to_list(self.tags),
        )
        return _shape_rule(answer["Rules"][0])

    def _priority(self, clients: Clients) -> int:
        """Return the rule's priority."""
        return 1

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (DescribeTags)."""
        return tags_of(clients, live["RuleArn"])

    def _actions(self) -> list[dict[str, Any]]:
        return [{"Type": "forward", "TargetGroupArn": self.target_group.arn}]

    def desired(self) -> dict[str, Any]:
        """Return the conditions, and the target group to which it forwards."""
        return {
            "ConditionValues": _values(self.conditions()),
            forwards_to("Actions"): self.target_group.arn,
        }

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call ModifyRule."""
        clients.aws.elbv2.modify_rule(
            RuleArn=self.arn, Conditions=self.conditions(), Actions=self._actions()
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteRule."""
        clients.aws.elbv2.delete_rule(RuleArn=self.arn)


@resource
class BootstrapRule(Rule):
    """The rule that attaches the target group to the load balancer; no real request matches it."""

    def conditions(self) -> list[dict[str, Any]]:
        """Return a host that does not exist."""
        return [{"Field": "host-header", "HostHeaderConfig": {"Values": [BOOTSTRAP_HOST]}}]


@resource
class WebhookRule(Rule):
    """The one rule of the HTTPS listener: LINE's webhooks reach the bot, and nothing else does."""

    host: str
    path: str
    identified_by = "tags"  # a second call would take the next priority

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the rules of the HTTPS listeners by tags: that of a former host may have no record."""
        rules: list[Live] = []
        for _tags, balancer in LoadBalancer.list_tagged(clients, stack):
            arn = balancer["LoadBalancerArn"]
            for listener in listeners_of(clients, arn):
                if listener["Port"] == HttpsListener.port:
                    rules += rules_of(clients, listener["ListenerArn"])
        return with_stack_tags(clients, stack, list(map(_shape_rule, rules)), "RuleArn")

    def identity(self) -> str:
        """Return load balancer and host; the rule of a former one stays until LINE calls the new one."""
        return f"{self.listener.identity()}/{self.host}"

    def _priority(self, clients: Clients) -> int:
        """Return the lowest priority that no other rule of the listener has."""
        taken = {rule["Priority"] for rule in rules_of(clients, self.listener.arn)}
        return next(number for number in range(1, 1000) if str(number) not in taken)

    def conditions(self) -> list[dict[str, Any]]:
        """Return the host, POST, and the path."""
        return [
            {"Field": "host-header", "HostHeaderConfig": {"Values": [self.host]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": [self.path]}},
        ]


@resource
class HttpsListener(Listener):
    """HTTPS:443 with the certificate. It answers 404 to what no rule forwards."""

    certificate: IssuedCertificate
    port: ClassVar[int] = 443
    errors = replace(
        Listener.errors,
        retry=("CertificateNotFound", "UnsupportedCertificate"),  # just issued
    )
    polling = Polling(after_propagation=True)

    def settings(self) -> dict[str, Any]:
        """Return certificate, TLS policy and the answer 404."""
        return {
            "Protocol": "HTTPS",
            "SslPolicy": TLS_POLICY,
            "Certificates": [{"CertificateArn": self.certificate.certificate.arn}],
            "DefaultActions": [
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            ],
        }

    def desired(self) -> dict[str, Any]:
        """Return certificate, TLS policy and the answer 404."""
        return {
            "SslPolicy": TLS_POLICY,
            "Certificates[0].CertificateArn": self.certificate.certificate.arn,
            "DefaultActions[0].FixedResponseConfig.StatusCode": "404",
        }


def _values(conditions: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the values of a rule's conditions by field, which ELB returns in one of two places."""
    found = {}
    for condition in conditions:
        config: dict[str, Any] = next((v for k, v in condition.items() if k.endswith("Config")), {})
        found[condition["Field"]] = sorted(config.get("Values") or condition.get("Values") or [])
    return found


def _shape_rule(live: Live) -> Live:
    return {**live, "ConditionValues": _values(live.get("Conditions", []))}


def forwards_to(actions: str) -> str:
    """Return the jmespath of an action's target group, which AWS returns in one of two places."""
    first = f"{actions}[0]"
    return f"{first}.TargetGroupArn || {first}.ForwardConfig.TargetGroups[0].TargetGroupArn"
