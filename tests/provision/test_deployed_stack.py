"""A complete stack checked from outside against literal values: by clients, on the sandbox's clock.

Nothing here is compared with what the tool itself declares.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from ssl import SSLError, TLSVersion
from typing import Any

import pytest

from provision.sandbox.aws.elbv2.data_plane import DataPlane
from provision.sandbox.tasks.runners import InlineTasks, Reply, Request
from tests.provision.conftest import Env
from tests.provision.finished_stack import FinishedStack
from tests.sandbox.aws.elbv2.handshakes import shake_hands


@pytest.fixture
def env(finished_stack: FinishedStack) -> Iterator[Env]:
    """Yield a complete stack, which every test here leaves unchanged."""
    with finished_stack.on("default") as env:
        yield env


def get(env: Env, target: str, port: int = 443) -> Reply:
    """Return what a client on the internet gets."""
    request = Request("GET", target, [("Host", "example.jp")])
    return DataPlane(env.sandbox.cloud).forward("example.jp", port, request, "203.0.113.9")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_versions(env: Env) -> None:
    """TLS 1.2 and 1.3, as LINE requires, and no older version."""
    cloud = env.sandbox.cloud
    assert "TLSv1.3" == shake_hands(cloud, "example.jp")
    assert "TLSv1.2" == shake_hands(cloud, "example.jp", TLSVersion.TLSv1_2)
    for old in (TLSVersion.TLSv1, TLSVersion.TLSv1_1):
        with pytest.raises(SSLError):
            shake_hands(cloud, "example.jp", old)


def test_only_port_443_is_open(env: Env) -> None:
    """If port 80 were opened, it would redirect to HTTPS."""
    assert 404 == get(env, "/a?b=1").status
    for port in (80, 8080):
        with pytest.raises(ConnectionRefusedError):
            get(env, "/a?b=1", port)
    ec2 = env.aws_session.client("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    (outer,) = [g["GroupId"] for g in groups if g["GroupName"] == "news-bot-load-balancer"]
    everybody = {"FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    permission = {"GroupId": outer, "IpPermissions": [{"IpProtocol": "tcp", **everybody}]}
    ec2.authorize_security_group_ingress(**permission)
    reply = get(env, "/a?b=1", 80)
    ec2.revoke_security_group_ingress(**permission)
    assert (301, "https://example.jp:443/a?b=1") == (reply.status, dict(reply.headers)["Location"])


def test_security_group_rules(env: Env) -> None:
    """Everybody may reach the load balancer's 443, only the load balancer the bot's 8080."""
    ec2 = env.aws_session.client("ec2")
    found = ec2.describe_security_groups()["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in found}
    rules = {
        (
            names[rule["GroupId"]],
            rule["IpProtocol"],
            rule["FromPort"],
            rule["ToPort"],
            rule.get("CidrIpv4") or names[rule["ReferencedGroupInfo"]["GroupId"]],
        )
        for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]
        if not rule["IsEgress"] and names[rule["GroupId"]] != "default"
    }
    assert {
        ("news-bot-load-balancer", "tcp", 443, 443, "0.0.0.0/0"),
        ("news-bot-bot", "tcp", 8080, 8080, "news-bot-load-balancer"),
    } == rules


def test_health_check_and_alias_settings(env: Env) -> None:
    """The alias does not evaluate target health; the health check times out after 4 s of 5."""
    (group,) = env.aws_session.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (4, "/healthz") == (group["HealthCheckTimeoutSeconds"], group["HealthCheckPath"])
    route53 = env.aws_session.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (alias,) = [record for record in records if record["Type"] == "A"]
    target = alias["AliasTarget"]
    assert ("example.jp.", False) == (alias["Name"], target["EvaluateTargetHealth"])
    assert "Z14GRHDCWA56QT" == target["HostedZoneId"]  # of load balancers in ap-northeast-1


class HealthControl:
    """Controls the health of tasks started from now on, and watches their targets second by second."""

    def __init__(self, env: Env) -> None:
        self.env, self.status, self.checked_at = env, "200 OK", list[float]()
        assert isinstance(env.sandbox.tasks, InlineTasks)
        self._original = env.sandbox.tasks.application
        env.sandbox.tasks.application = self._bot

    def _bot(self, environment: dict[str, str]) -> Any:
        bot = self._original(environment)

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"] != "/healthz":
                return bot(environ, start_response)
            self.checked_at.append(self.env.clock.now())
            start_response(self.status, [])
            return [b""]

        return answer

    def deploy(self) -> None:
        """Replace the running task by a new one."""
        ecs = self.env.aws_session.client("ecs")
        ecs.update_service(cluster="news-bot", service="news-bot", forceNewDeployment=True)

    def watch(self, seconds: int) -> list[tuple[str, int]]:
        """Return the targets' states in words, and for how many seconds each lasted."""
        elbv2, seen = self.env.aws_session.client("elbv2"), []
        (group,) = elbv2.describe_target_groups()["TargetGroups"]
        for _second in range(seconds):
            self.env.clock.advance(1)
            found = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            health = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
            seen.append(" ".join(sorted(health)))
        return [(state, len(list(run))) for state, run in groupby(seen)]

    def close(self) -> None:
        """Make all tasks healthy again, and wait until only the newest runs."""
        self.status = "200 OK"
        assert isinstance(self.env.sandbox.tasks, InlineTasks)
        self.env.sandbox.tasks.application = self._original
        self.env.clock.advance(120)


@pytest.fixture
def health_control(env: Env) -> Iterator[HealthControl]:
    """Yield control over the health of new tasks."""
    health_control = HealthControl(env)
    yield health_control
    health_control.close()


def test_target_registration_and_draining(health_control: HealthControl) -> None:
    """Healthy after one good check; unhealthy after two bad ones, 5 s apart; drained in 20 s."""
    health_control.deploy()
    assert [
        ("healthy initial", 1),
        ("draining healthy", 20),
        ("healthy", 49),
    ] == health_control.watch(70)
    assert {5.0} == {after - before for before, after in pairwise(health_control.checked_at)}
    health_control.status = "500 Internal Server Error"  # 4 s before a check
    expected = [("healthy", 6), ("draining", 1), ("draining initial", 5), ("draining unhealthy", 4)]
    assert expected == health_control.watch(16)
    health_control.status = "200 OK"  # a second before a check
    expected = [("draining unhealthy", 6), ("draining healthy", 4), ("healthy", 2)]
    assert expected == health_control.watch(12)


def test_failed_task_is_replaced_after_grace_period(health_control: HealthControl) -> None:
    """A task that is unhealthy from the start gets 60 s; meanwhile the previous one serves."""
    health_control.status = "500 Internal Server Error"
    health_control.deploy()
    expected = [("healthy initial", 6), ("healthy unhealthy", 54), ("draining healthy", 1)]
    assert expected == health_control.watch(61)
