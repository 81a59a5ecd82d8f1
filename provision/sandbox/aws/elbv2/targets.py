"""Elastic Load Balancing: registration, health and draining of targets."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.elbv2.health import Target, record_result

# (ip, port, path) -> HTTP status of GET http://ip:port/path, None after a timeout. Raises ConnectionError.
Check = Callable[[str, int, str], int | None]


@dataclass
class Targets(ABC):
    """The targets of all target groups, and their health checks on the sandbox's clock."""

    account: Account
    check: Check = field(default=lambda ip, port, path: None)
    targets: dict[str, dict[tuple[str, int], Target]] = field(default_factory=dict)

    def register(self, target_group_arn: str, ip: str, port: int) -> Target:
        """Register one target, or a draining one again (API RegisterTargets)."""
        now = self.account.clock.now()
        group = self.targets.setdefault(target_group_arn, {})
        known = group.get((ip, port))
        if known is None or known.state == "draining":
            group[ip, port] = Target(ip, port, next_check=now)
        return group[ip, port]

    @behaves("elbv2.target-drains")
    def deregister(self, target_group_arn: str, ip: str, port: int) -> bool:
        """Start draining one target; return whether it is registered (API DeregisterTargets)."""
        target = self.targets.get(target_group_arn, {}).get((ip, port))
        if target is None:
            return False
        if target.state != "draining":
            group = self.target_group(target_group_arn)
            delay = float(group.attributes["deregistration_delay.timeout_seconds"]) if group else 0
            if not self.load_balancers_of(target_group_arn):
                delay = 0
            target.drained_at = self.account.clock.now() + delay
            target.state, target.reason = "draining", "Target.DeregistrationInProgress"
            target.description = "Target deregistration is in progress"
        return True

    def healthy(self, target_group_arn: str) -> list[Target]:
        """Return the healthy targets."""
        return [t for t in self.targets.get(target_group_arn, {}).values() if t.state == "healthy"]

    def target_group(self, arn: str) -> Any | None:
        """Return moto's target group, or None."""
        return self.account.backend("elbv2", arn.split(":")[3]).target_groups.get(arn)

    def load_balancer(self, region: str, arn: str) -> Any | None:
        """Return moto's load balancer, or None."""
        return self.account.backend("elbv2", region).load_balancers.get(arn)

    def listener(self, region: str, arn: str) -> tuple[Any, Any] | None:
        """Return moto's load balancer and listener for a listener's ARN, or None."""
        load_balancer_arn = arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
        load_balancer = self.load_balancer(region, load_balancer_arn)
        listener = load_balancer and load_balancer.listeners.get(arn)
        return (load_balancer, listener) if listener else None

    def load_balancers_of(self, target_group_arn: str) -> list[Any]:
        """Return moto's load balancers with a listener or rule that forwards to this target group."""
        backend = self.account.backend("elbv2", target_group_arn.split(":")[3])
        return [
            load_balancer
            for load_balancer in backend.load_balancers.values()
            if any(
                target_group_arn in backend._get_target_group_arns_from(action.data)
                for listener in load_balancer.listeners.values()
                for rule in listener.rules.values()
                for action in rule.actions
            )
        ]

    @abstractmethod
    def is_active(self, load_balancer_arn: str) -> bool:
        """Return whether the load balancer is past provisioning."""

    @behaves("elbv2.target-unused", "elbv2.target-behind-a-provisioning-load-balancer")
    def health(self, target_group_arn: str, target: Target) -> dict[str, str]:
        """Return the TargetHealth of one target (API DescribeTargetHealth)."""
        if target.state != "draining":
            load_balancers = self.load_balancers_of(target_group_arn)
            if not load_balancers:
                return {
                    "State": "unused",
                    "Reason": "Target.NotInUse",
                    "Description": "Target group is not configured to receive traffic from the "
                    "load balancer",
                }
            if target.state == "initial" and not any(
                self.is_active(load_balancer.arn) for load_balancer in load_balancers
            ):
                return {
                    "State": "initial",
                    "Reason": "Elb.RegistrationInProgress",
                    "Description": "Target registration is in progress",
                }
        shown = {"State": target.state, "Reason": target.reason, "Description": target.description}
        return {name: value for name, value in shown.items() if value}

    def tick_targets(self) -> None:
        """Run the health checks that are due, without the lock, and remove drained targets."""
        with self.account.lock:
            due = self._due()
        for group, target in due:
            port = group.health_check_port
            answer: int | str | None
            try:
                answer = self.check(
                    target.id,
                    target.port if port == "traffic-port" else int(port),
                    group.health_check_path or "/",
                )
            except ConnectionError:
                answer = "refused"
            with self.account.lock:
                record_result(group, target, answer)

    def _due(self) -> list[tuple[Any, Target]]:
        now = self.account.clock.now()
        due = []
        for arn, members in list(self.targets.items()):
            group = self.target_group(arn)
            if group is None:
                del self.targets[arn]
                continue
            for key, target in list(members.items()):
                if target.drained_at is not None and now >= target.drained_at:
                    del members[key]
            if any(self.is_active(lb.arn) for lb in self.load_balancers_of(arn)):
                for target in members.values():
                    if target.state != "draining" and now >= target.next_check:
                        target.next_check = now + float(group.health_check_interval_seconds)
                        due.append((group, target))
        return due
