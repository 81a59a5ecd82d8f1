"""Limit the requests of each IP address with AWS WAF."""

from typing import Any

from provision.clients.aws_errors import UNSUPPORTED, call_or_none
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import Prices
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    FoundSettings,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.load_balancer import ActiveLoadBalancer, LoadBalancer

WAF = "AWS WAF"
SERVICE = "wafv2"  # the prefix of its actions
ELB = "elasticloadbalancing"
SCOPE = "REGIONAL"
PAGE = 100  # AWS WAF API, Limit
RULE = "rate-limit"
WINDOW = 300  # seconds
# Members of a web ACL that others may set, and UpdateWebACL replaces.
OTHERS = (
    "Description",
    "CustomResponseBodies",
    "CaptchaConfig",
    "ChallengeConfig",
    "TokenDomains",
    "AssociationConfig",
)


@resource
class WebAcl(Resource):
    """A web ACL with one rule, which blocks an IP address with too many requests."""

    name: str
    limit: int  # requests in five minutes
    arn: str = output("ARN", arn_pattern("regional/webacl/"))
    id: str = output("Id")
    acl_name: str = output("Name")
    console = WAF
    deletion = Deletion(on_pause=True)
    errors = Errors(
        not_found=("WAFNonexistentItemException",),
        exists=("WAFDuplicateItemException",),
        retry=(
            "WAFAssociatedItemException",  # the load balancer has released it a moment ago
            "WAFOptimisticLockException",
            "WAFUnavailableEntityException",
        ),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        acl = f"regional/webacl/{identity_in(self.key)}/*"
        return [
            Permission("read", SERVICE, "ListWebACLs"),
            Permission("read", SERVICE, "ListTagsForResource", "regional/webacl/*"),
            Permission("read", SERVICE, "GetWebACL ListResourcesForWebACL", acl),
            Permission("read", ELB, "DescribeWebACLAssociation"),
            Permission("create", SERVICE, "CreateWebACL TagResource UpdateWebACL", acl),
            Permission("delete", SERVICE, "DeleteWebACL", acl),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return web ACLs by name and tags."""
        listed = [each for each in _list(clients) if stack in ("", each["Name"])]
        tags = [_tags(clients, each["ARN"]) for each in listed]
        return [
            (each, _get(clients, acl["Name"], acl["Id"]))
            for each, acl in zip(tags, listed, strict=True)
            if has_stack_tag(each, stack)
        ]

    def find(self, clients: Clients) -> Live | None:
        """Find the web ACL by id, else by name."""
        if self.id:
            return _get(clients, self.acl_name, self.id)
        ids = [listed["Id"] for listed in _list(clients) if listed["Name"] == self.name]
        return _get(clients, self.name, ids[0]) if ids else None

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForResource)."""
        return _tags(clients, live["ARN"])

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the limit."""
        limits = [
            rule["Statement"].get("RateBasedStatement", {}).get("Limit", "")
            for rule in live["Rules"]
            if rule["Name"] == RULE
        ]
        return {"load_balancer.rate_limit": str(limits[0])} if limits else {}

    def create(self, clients: Clients) -> Live | None:
        """Call CreateWebACL, which returns a summary."""
        clients.aws.wafv2.create_web_acl(
            Name=self.name,
            Scope=SCOPE,
            DefaultAction={"Allow": {}},
            Rules=[self._rule()],
            VisibilityConfig=_visibility(self.name),
            Tags=tags_to_list(self.tags),
        )
        return None

    def _rule(self) -> dict[str, Any]:
        """Return the rule."""
        limit = {"Limit": self.limit, "EvaluationWindowSec": WINDOW, "AggregateKeyType": "IP"}
        return {
            "Name": RULE,
            "Priority": 0,
            "Statement": {"RateBasedStatement": limit},
            "Action": {"Block": {}},
            "VisibilityConfig": _visibility(RULE),
        }

    def desired(self) -> dict[str, Any]:
        """Return the action for other requests, and the rule."""
        rule = f"Rules[?Name=='{RULE}'] | [0]"
        return {
            "DefaultAction": {"Allow": {}},
            f"{rule}.Action": {"Block": {}},
            f"{rule}.Statement.RateBasedStatement.Limit": self.limit,
            f"{rule}.Statement.RateBasedStatement.EvaluationWindowSec": WINDOW,
            f"{rule}.Statement.RateBasedStatement.AggregateKeyType": "IP",
        }

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call UpdateWebACL with the rule; keep what others added."""
        rules = [rule for rule in live["Rules"] if rule["Name"] != RULE]
        kept = {name: live[name] for name in OTHERS if live.get(name)}
        clients.aws.wafv2.update_web_acl(
            Name=self.acl_name,
            Scope=SCOPE,
            Id=self.id,
            DefaultAction={"Allow": {}},
            Rules=[self._rule(), *rules],
            VisibilityConfig=live["VisibilityConfig"],
            LockToken=live["LockToken"],
            **kept,
        )

    def costs(self, prices: Prices) -> float:
        """Return the price of the web ACL and its rule, without requests."""
        return prices.web_acl_month + prices.web_acl_rule_month

    def plan_notes(self) -> list[str]:
        """Return the price of requests."""
        return [_("AWS WAF also costs 0.60 USD per million requests.")]

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return other load balancers that use it."""
        answer = clients.aws.wafv2.list_resources_for_web_acl(
            WebACLArn=self.arn, ResourceType="APPLICATION_LOAD_BALANCER"
        )
        return [ExternalUse(arn) for arn in answer["ResourceArns"] if arn not in ours]

    def delete(self, clients: Clients) -> None:
        """Call DeleteWebACL."""
        token = _get(clients, self.acl_name, self.id)["LockToken"]
        clients.aws.wafv2.delete_web_acl(
            Name=self.acl_name, Scope=SCOPE, Id=self.id, LockToken=token
        )


@resource
class WebAclAssociation(Resource):
    """The web ACL is in front of the load balancer."""

    acl: WebAcl
    load_balancer: LoadBalancer
    active: ActiveLoadBalancer
    acl_arn: str = output("ARN", arn_pattern("regional/webacl/"))
    load_balancer_arn: str = output("LoadBalancerArn", arn_pattern("loadbalancer/app/"))
    console = WAF
    errors = Errors(
        not_found=("WAFNonexistentItemException",),
        retry=("WAFUnavailableEntityException",),  # created a moment ago
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions, each for the load balancer and for the web ACL."""
        balancer = f"loadbalancer/app/{identity_in(self.key)}/*"
        both = f"regional/webacl/{self.stack}/* {ELB}::{balancer}"
        return [
            Permission(
                "read", SERVICE, "GetWebACLForResource", f"regional/webacl/* {ELB}::{balancer}"
            ),
            Permission("read", ELB, "GetLoadBalancerWebACL", balancer),
            Permission("create", SERVICE, "AssociateWebACL", both),
            Permission("create", ELB, "CreateWebACLAssociation", balancer),
            Permission("create", ELB, "SetWebAcl"),
            Permission("delete", SERVICE, "DisassociateWebACL", f"{ELB}::{balancer}"),
            Permission("delete", ELB, "DeleteWebACLAssociation", balancer),
            Permission("delete", ELB, "SetWebAcl"),
        ]

    def identity(self) -> str:
        """Return the load balancer's identity."""
        return self.load_balancer.identity()

    def exists_within(self) -> list[Resource]:
        """Return the load balancer and the web ACL."""
        return [self.load_balancer, self.acl]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the web ACL."""
        outputs = {"arn": live["ARN"], "id": live["Id"], "acl_name": live["Name"]}
        return [WebAcl.from_record(self.stack, live["Name"], outputs)]

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if the load balancer has somebody else's web ACL."""
        live = self._live(clients, self.load_balancer.arn) if self.load_balancer.arn else None
        if live and live["ARN"] != self.acl.arn:
            raise ProvisionError(
                _("Could not limit the rate of requests."),
                _("the load balancer has another web ACL: {arn}", arn=live["ARN"]),
                _("Remove it from the load balancer, or set load_balancer.rate_limit to nothing."),
            )

    def find(self, clients: Clients) -> Live | None:
        """Find the web ACL of the load balancer, if it is the stack's."""
        live = self._live(clients, self.load_balancer_arn or self.load_balancer.arn)
        return live if live and live["ARN"] == (self.acl_arn or self.acl.arn) else None

    def _live(self, clients: Clients, arn: str) -> Live | None:
        """Return the load balancer's web ACL with its ARN."""
        acl = clients.aws.wafv2.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
        return {**acl, "LoadBalancerArn": arn} if acl else None

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return both ARNs, which identify the association."""
        return {"acl_arn": self.acl.arn, "load_balancer_arn": self.load_balancer.arn}

    def create(self, clients: Clients) -> Live | None:
        """Call AssociateWebACL, which returns nothing."""
        clients.aws.wafv2.associate_web_acl(
            WebACLArn=self.acl.arn, ResourceArn=self.load_balancer.arn
        )
        return None

    def delete(self, clients: Clients) -> None:
        """Call DisassociateWebACL."""
        clients.aws.wafv2.disassociate_web_acl(ResourceArn=self.load_balancer_arn)


def _list(clients: Clients) -> list[Live]:
    """Return all web ACLs; none where an AWS-compatible endpoint has no AWS WAF."""
    found: list[Live] = []
    marker: dict[str, str] = {}
    while True:
        page = call_or_none(
            UNSUPPORTED, clients.aws.wafv2.list_web_acls, Scope=SCOPE, Limit=PAGE, **marker
        )
        if not page or not page["WebACLs"]:
            return found
        found += page["WebACLs"]
        if not page.get("NextMarker"):
            return found
        marker = {"NextMarker": page["NextMarker"]}


def _get(clients: Clients, name: str, acl_id: str) -> Live:
    answer = clients.aws.wafv2.get_web_acl(Name=name, Scope=SCOPE, Id=acl_id)
    return {**answer["WebACL"], "LockToken": answer["LockToken"]}


def _tags(clients: Clients, arn: str) -> dict[str, str]:
    answer = clients.aws.wafv2.list_tags_for_resource(ResourceARN=arn)
    return tags_to_dict(answer.get("TagInfoForResource", {}).get("TagList", []))


def _visibility(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
