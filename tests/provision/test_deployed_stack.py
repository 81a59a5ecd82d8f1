"""A finished stack, judged by literal values and from outside: by clients, and on the sandbox's clock.

Nothing here is compared with what the tool itself says it wants.
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
    """A finished stack, which every test here leaves as it was."""
    with finished_stack.on("default") as env:
        yield env


def get(env: Env, target: str, port: int = 443) -> Reply:
    """What somebody on the internet gets."""
    request = Request("GET", target, [("Host", "example.jp")])
    return DataPlane(env.sandbox.cloud).forward("example.jp", port, request, "203.0.113.9")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_versions(env: Env) -> None:
    """TLS 1.2 and 1.3, as LINE asks; no older one."""
    cloud = env.sandbox.cloud
    assert "TLSv1.3" == shake_hands(cloud, "example.jp")
    assert "TLSv1.2" == shake_hands(cloud, "example.jp", TLSVersion.TLSv1_2)
    for old in (TLSVersion.TLSv1, TLSVersion.TLSv1_1):
        with pytest.raises(SSLError):
            shake_hands(cloud, "example.jp", old)


def test_ports(env: Env) -> None:
    """443 is open and nothing else; behind 80, were it opened, stands a redirect to https."""
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


def test_what_is_open_to_whom(env: Env) -> None:
    """Everybody to the load balancer's 443, the load balancer alone to the bot's 8080."""
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


def test_what_shows_in_no_answer(env: Env) -> None:
    """The alias answers whatever the targets do; a health check has 4 s, less than the 5 between two."""
    (group,) = env.aws_session.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (4, "/healthz") == (group["HealthCheckTimeoutSeconds"], group["HealthCheckPath"])
    route53 = env.aws_session.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (alias,) = [record for record in records if record["Type"] == "A"]
    target = alias["AliasTarget"]
    assert ("example.jp.", False) == (alias["Name"], target["EvaluateTargetHealth"])
    assert "Z14GRHDCWA56QT" == target["HostedZoneId"]  # of load balancers in ap-northeast-1


class Sickbed:
    """Bots of the tasks that start from now on, well or not; their targets, second by second."""

    def __init__(self, env: Env) -> None:
        self.env, self.status, self.asked = env, "200 OK", list[float]()
        assert isinstance(env.sandbox.tasks, InlineTasks)
        self._usual = env.sandbox.tasks.application
        env.sandbox.tasks.application = self._bot

    def _bot(self, environment: dict[str, str]) -> Any:
        bot = self._usual(environment)

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"] != "/healthz":
                return bot(environ, start_response)
            self.asked.append(self.env.clock.now())
            start_response(self.status, [])
            return [b""]

        return answer

    def deploy(self) -> None:
        """A new task takes the place of the one that runs."""
        ecs = self.env.aws_session.client("ecs")
        ecs.update_service(cluster="news-bot", service="news-bot", forceNewDeployment=True)

    def watch(self, seconds: int) -> list[tuple[str, int]]:
        """What the targets are, one by one in words, and for how many seconds on end."""
        elbv2, seen = self.env.aws_session.client("elbv2"), []
        (group,) = elbv2.describe_target_groups()["TargetGroups"]
        for _second in range(seconds):
            self.env.clock.advance(1)
            found = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            health = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
            seen.append(" ".join(sorted(health)))
        return [(state, len(list(run))) for state, run in groupby(seen)]

    def close(self) -> None:
        """Everybody is well again, and the newest task runs alone."""
        self.status = "200 OK"
        assert isinstance(self.env.sandbox.tasks, InlineTasks)
        self.env.sandbox.tasks.application = self._usual
        self.env.clock.advance(120)


@pytest.fixture
def sickbed(env: Env) -> Iterator[Sickbed]:
    """New tasks' health is in the test's hands."""
    sickbed = Sickbed(env)
    yield sickbed
    sickbed.close()


def test_targets_come_and_go(sickbed: Sickbed) -> None:
    """In after one good check, out after two bad ones 5 s apart, in after two good ones; drained in 20 s."""
    sickbed.deploy()
    assert [("healthy initial", 1), ("draining healthy", 20), ("healthy", 49)] == sickbed.watch(70)
    assert {5.0} == {after - before for before, after in pairwise(sickbed.asked)}
    sickbed.status = "500 Internal Server Error"  # 4 s before a check
    expected = [("healthy", 6), ("draining", 1), ("draining initial", 5), ("draining unhealthy", 4)]
    assert expected == sickbed.watch(16)
    sickbed.status = "200 OK"  # a second before a check
    expected = [("draining unhealthy", 6), ("draining healthy", 4), ("healthy", 2)]
    assert expected == sickbed.watch(12)


def test_grace_period(sickbed: Sickbed) -> None:
    """A task that is not well from the start is given 60 s; meanwhile the one before it serves."""
    sickbed.status = "500 Internal Server Error"
    sickbed.deploy()
    expected = [("healthy initial", 6), ("healthy unhealthy", 54), ("draining healthy", 1)]
    assert expected == sickbed.watch(61)
