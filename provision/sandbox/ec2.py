"""EC2's network: a default VPC that is public, interfaces that others leave behind, and what
may not be deleted because of them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@dataclass
class Ec2:
    """Network interfaces that AWS services attach and let go, and regions made ready."""

    cloud: "Cloud"
    _opened: set[str] = field(default_factory=set)
    _leaving: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.on_tick(self._remove_released)

    def backend(self, region: str) -> Any:
        """Moto's backend, with the default VPC's subnets public as they are on AWS.

        User Guide, default VPCs: an internet gateway, and a route to it in the main route table.
        """
        backend = self.cloud.backend("ec2", region)
        if region not in self._opened:
            self._opened.add(region)
            vpc = backend.get_default_vpc()
            gateway = backend.create_internet_gateway()
            backend.attach_internet_gateway(gateway.id, vpc.id)
            main = _main_route_table(backend, vpc.id)
            backend.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)
        return backend

    def is_public(self, region: str, subnet: Any) -> bool:
        """Whether the subnet's route table (its own, else the VPC's main one) leaves by a gateway.

        `subnet` is moto's Subnet.
        """
        backend = self.backend(region)
        tables = [t for t in backend.route_tables.values() if t.vpc_id == subnet.vpc_id]
        own = [t for t in tables if subnet.id in _subnets_of(t)]
        table = own[0] if own else _main_route_table(backend, subnet.vpc_id)
        return any(
            route.gateway is not None and route.gateway.id.startswith("igw-")
            for route in table.routes
        )

    def attach(
        self, region: str, subnet_id: str, security_groups: list[str], description: str
    ) -> Any:
        """A network interface (moto's) managed by an AWS service, as tasks and ALBs have them."""
        backend = self.backend(region)
        interface = backend.create_network_interface(
            subnet_id, "", group_ids=list(security_groups), description=description
        )
        interface.requester_managed = True
        interface.status = "in-use"
        return interface

    def release(self, region: str, interface_id: str) -> None:
        """The service lets go: the interface is gone `delays.network_interfaces` later."""
        due = self.cloud.clock.now() + self.cloud.delays.network_interfaces
        self._leaving[region, interface_id] = due

    def _remove_released(self) -> None:
        with self.cloud.lock:
            now = self.cloud.clock.now()
            for (region, interface_id), due in list(self._leaving.items()):
                if due <= now:
                    del self._leaving[region, interface_id]
                    self.backend(region).enis.pop(interface_id, None)


@before("ec2", "*")
def region_is_ready(cloud: "Cloud", call: Call) -> None:
    """The first call in a region finds a public default VPC."""
    cloud.ec2.backend(call.region)


@before("ec2", "DeleteSecurityGroup")
def group_is_free(cloud: "Cloud", call: Call) -> None:
    """API DeleteSecurityGroup: not while an interface or another group's rule uses it."""
    backend = cloud.ec2.backend(call.region)
    group_id = call.params.get("GroupId", "")
    group = backend.get_security_group_from_id(group_id)
    if group is None:
        return
    if group.is_default:
        raise Refusal(
            "CannotDelete",
            f'the specified group: "{group_id}" name: "default" cannot be deleted by a user',
        )
    used = any(
        group_id in (member.id for member in interface.group_set)
        for interface in backend.enis.values()
    )
    if used or any(_refers(other, group_id) for other in _groups(backend) if other is not group):
        raise Refusal("DependencyViolation", f"resource {group_id} has a dependent object")


@before("ec2", "DeleteSubnet")
def subnet_is_free(cloud: "Cloud", call: Call) -> None:
    """API DeleteSubnet: not while interfaces are in it."""
    subnet_id = call.params["SubnetId"]
    interfaces = cloud.ec2.backend(call.region).enis.values()
    if any(interface.subnet.id == subnet_id for interface in interfaces):
        raise Refusal(
            "DependencyViolation",
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted.",
        )


@before("ec2", "DetachInternetGateway")
def no_public_address_is_mapped(cloud: "Cloud", call: Call) -> None:
    """API DetachInternetGateway: not while the VPC has running things with public addresses."""
    vpc_id = call.params["VpcId"]
    if _interfaces_in(cloud.ec2.backend(call.region), vpc_id):
        raise Refusal(
            "DependencyViolation",
            f"Network {vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway.",
        )


@before("ec2", "DeleteVpc")
def vpc_is_free(cloud: "Cloud", call: Call) -> None:
    """API DeleteVpc: its gateways, interfaces and own security groups go first."""
    vpc_id, backend = call.params["VpcId"], cloud.ec2.backend(call.region)
    gateways = [gateway.vpc for gateway in backend.internet_gateways.values() if gateway.vpc]
    groups = [group for group in backend.groups.get(vpc_id, {}).values() if not group.is_default]
    if groups or _interfaces_in(backend, vpc_id) or vpc_id in [vpc.id for vpc in gateways]:
        raise Refusal(
            "DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
        )


def _interfaces_in(backend: Any, vpc_id: str) -> list[Any]:
    return [i for i in backend.enis.values() if i.subnet.vpc_id == vpc_id]


def _groups(backend: Any) -> list[Any]:
    return [group for groups in backend.groups.values() for group in groups.values()]


def _refers(group: Any, group_id: str) -> bool:
    rules = [*group.ingress_rules, *group.egress_rules]
    return any(rule.source_group and rule.source_group["GroupId"] == group_id for rule in rules)


def _main_route_table(backend: Any, vpc_id: str) -> Any:
    tables = backend.route_tables.values()
    return next(table for table in tables if table.vpc_id == vpc_id and table.main_association_id)


def _subnets_of(table: Any) -> set[str]:
    return {association.get("SubnetId", "") for association in table.associations}
