"""EC2: the default VPC's internet gateway, and network interfaces of AWS services."""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.ec2.utils import random_public_ip

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError


@dataclass(frozen=True)
class Attacher:
    """The owner of a requester-managed interface, in place of moto's instance."""

    owner_id: str
    id: None = None
    security_groups: tuple[Any, ...] = ()


@dataclass
class Ec2:
    """Network interfaces of AWS services, client tokens, and the regions with a default VPC."""

    account: Account
    _prepared: set[str] = field(default_factory=set)
    client_tokens: dict[tuple[str, str, str], tuple[str, dict[str, Any]]] = field(
        default_factory=dict
    )
    _released: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account.on_tick(self._remove_released)

    @behaves("ec2.default-vpc-is-public")
    def backend(self, region: str) -> Any:
        """Return moto's backend, with the default VPC's subnets public as on AWS.

        VPC User Guide, Default VPCs: an internet gateway, and a route to it in the main route table.
        """
        backend = self.account.backend("ec2", region)
        if region not in self._prepared:
            self._prepared.add(region)
            vpc = backend.get_default_vpc()
            gateway = backend.create_internet_gateway()
            backend.attach_internet_gateway(gateway.id, vpc.id)
            main = _main_route_table(backend, vpc.id)
            backend.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)
        return backend

    def is_public(self, region: str, subnet: Any) -> bool:
        """Return whether the subnet's route table (its own, else the VPC's main one) has an internet gateway.

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
        self,
        region: str,
        subnet_id: str,
        security_groups: list[str],
        description: str,
        public: bool = True,
        owner: str = "amazon-aws",
    ) -> Any:
        """Create and return an interface (moto's) that an AWS service manages, as for a task."""
        backend = self.backend(region)
        interface = backend.create_network_interface(
            subnet_id,
            _free_address(backend, subnet_id),
            group_ids=list(security_groups),
            description=description,
        )
        interface.requester_managed = True
        interface.requester_id = owner
        interface.status = "in-use"
        interface.public_ip = random_public_ip() if public else None
        interface.instance = Attacher(owner)
        interface.attachment_id = "ela-attach-" + interface.id.removeprefix("eni-")
        interface.attach_time = datetime.fromtimestamp(self.account.clock.now(), UTC)
        return interface

    def release(self, region: str, interface_id: str) -> None:
        """Remove the interface after `delays.network_interfaces`."""
        due = self.account.clock.now() + self.account.delays.network_interfaces
        self._released[region, interface_id] = due

    def _remove_released(self) -> None:
        with self.account.lock:
            now = self.account.clock.now()
            for (region, interface_id), due in list(self._released.items()):
                if due <= now:
                    del self._released[region, interface_id]
                    self.backend(region).enis.pop(interface_id, None)


@behaves("ec2.address-used-once")
def _free_address(backend: Any, subnet_id: str) -> str:
    """Return an address that no interface in the subnet has; moto takes any at random.

    AWS keeps the first four addresses of a subnet and the last (VPC User Guide, "Subnet sizing").
    """
    block = ipaddress.ip_network(backend.get_subnet(subnet_id).cidr_block)
    used = {
        address["PrivateIpAddress"]
        for interface in backend.enis.values()
        if interface.subnet.id == subnet_id
        for address in interface.private_ip_addresses
    }
    for number in range(4, block.num_addresses - 1):
        address = str(block[number])
        if address not in used:
            return address
    raise AwsError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested "
        "number of instances.",
    )


def _main_route_table(backend: Any, vpc_id: str) -> Any:
    tables = backend.route_tables.values()
    return next(table for table in tables if table.vpc_id == vpc_id and table.main_association_id)


def _subnets_of(table: Any) -> set[str]:
    return {association.get("SubnetId", "") for association in table.associations}
