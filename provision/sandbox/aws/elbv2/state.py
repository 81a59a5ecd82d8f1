"""Elastic Load Balancing: provisioning, DNS names and network interfaces of load balancers."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ec2.state import Ec2
from provision.sandbox.aws.elbv2.targets import Targets

# General Reference, Elastic Load Balancing endpoints: hosted zones of ALBs; moto uses one for all regions.
_HOSTED_ZONES = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-3": "Z5LXEXXYW11ES",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-west-2": "Z1H1FL5HABSF5",
    "eu-west-1": "Z32O12XQLNTSW2",
}


LINKED_ROLE = "elasticloadbalancing.amazonaws.com"  # who assumes the service-linked role


@dataclass
class Elbv2(Targets):
    """Load balancers with their creation times and network interfaces; and their targets."""

    ec2: Ec2 = field(kw_only=True)
    _created_at: dict[str, float] = field(default_factory=dict)
    _interfaces: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account.on_tick(self.tick_targets)

    def load_balancers(self) -> list[Any]:
        """Return moto's load balancers of every region."""
        regions = self.account.regions("elbv2")
        backends = [self.account.backend("elbv2", region) for region in regions]
        return [lb for backend in backends for lb in backend.load_balancers.values()]

    def by_dns_name(self, name: str) -> Any | None:
        """Return moto's load balancer with this DNS name (lower case, no final dot), or None."""
        wanted = name.lower().rstrip(".").removeprefix("dualstack.")
        return next((lb for lb in self.load_balancers() if lb.dns_name.lower() == wanted), None)

    def addresses(self, load_balancer_arn: str) -> list[str]:
        """Return the private addresses of the load balancer's nodes, one per subnet."""
        interfaces = self._interfaces.get(load_balancer_arn, [])
        return [interface.private_ip_address for interface in interfaces]

    def is_active(self, load_balancer_arn: str) -> bool:
        """Return whether the load balancer is past provisioning."""
        since = self._created_at.get(load_balancer_arn)
        return since is not None and (
            self.account.clock.now() >= since + self.account.delays.load_balancer
        )

    @behaves("elbv2.hosted-zone-of-aliases", "elbv2.interfaces")
    def add(self, region: str, load_balancer: Any) -> None:
        """Set up a new load balancer: DNS name, hosted zone, and an interface in each subnet."""
        load_balancer.scheme = load_balancer.scheme or "internet-facing"
        unique = f"{load_balancer.name}-{secrets.randbelow(9 * 10**9) + 10**9}"
        if load_balancer.scheme == "internal":
            unique = f"internal-{unique}"
        load_balancer.dns_name = f"{unique}.{region}.elb.amazonaws.com"
        load_balancer.canonical_hosted_zone_id = _HOSTED_ZONES.get(
            region, load_balancer.canonical_hosted_zone_id
        )
        if not load_balancer.security_groups:
            default = self.ec2.backend(region).get_default_security_group(load_balancer.vpc_id)
            load_balancer.security_groups = [default.id]
        self._created_at[load_balancer.arn] = self.account.clock.now()
        self._interfaces[load_balancer.arn] = []
        self.update_subnets(region, load_balancer)

    def update_subnets(self, region: str, load_balancer: Any) -> None:
        """Create and release interfaces so that there is one in each of the load balancer's subnets."""
        interfaces = self._interfaces[load_balancer.arn]
        subnet_ids = {subnet.id for subnet in load_balancer.subnets}
        for interface in [i for i in interfaces if i.subnet.id not in subnet_ids]:
            interfaces.remove(interface)
            self.ec2.release(region, interface.id)
        description = "ELB " + load_balancer.arn.partition(":loadbalancer/")[2]
        public = load_balancer.scheme == "internet-facing"
        for subnet_id in sorted(subnet_ids - {interface.subnet.id for interface in interfaces}):
            groups = load_balancer.security_groups
            interfaces.append(
                self.ec2.attach(region, subnet_id, groups, description, public, "amazon-elb")
            )

    @behaves("elbv2.interfaces-outlive")
    def remove(self, region: str, load_balancer_arn: str) -> None:
        """Release the interfaces, which outlive the load balancer."""
        self._created_at.pop(load_balancer_arn, None)
        for interface in self._interfaces.pop(load_balancer_arn, []):
            self.ec2.release(region, interface.id)

    @behaves("elbv2.interfaces-follow-groups")
    def update_security_groups(self, load_balancer: Any) -> None:
        """Set the interfaces' security groups to the load balancer's."""
        for interface in self._interfaces.get(load_balancer.arn, []):
            groups = map(
                interface.ec2_backend.get_security_group_from_id, load_balancer.security_groups
            )
            interface._group_set = [group for group in groups if group is not None]

    def describe(self, load_balancer: Any) -> dict[str, Any]:
        """Return the load balancer as the API shows it (API LoadBalancer)."""
        created = datetime.fromtimestamp(self._created_at[load_balancer.arn], UTC)
        return {
            "LoadBalancerArn": load_balancer.arn,
            "DNSName": load_balancer.dns_name,
            "CanonicalHostedZoneId": load_balancer.canonical_hosted_zone_id,
            "CreatedTime": created,
            "LoadBalancerName": load_balancer.name,
            "Scheme": load_balancer.scheme,
            "VpcId": load_balancer.vpc_id,
            "State": self.state(load_balancer.arn),
            "Type": load_balancer.type,
            "AvailabilityZones": [
                {"ZoneName": subnet.availability_zone, "SubnetId": subnet.id}
                for subnet in load_balancer.subnets
            ],
            "SecurityGroups": load_balancer.security_groups,
            "IpAddressType": load_balancer.ip_address_type,
        }

    def state(self, load_balancer_arn: str) -> dict[str, str]:
        """Return the load balancer's state (API LoadBalancerState)."""
        return {"Code": "active" if self.is_active(load_balancer_arn) else "provisioning"}
