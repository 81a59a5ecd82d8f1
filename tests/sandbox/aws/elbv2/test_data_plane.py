"""The load balancers' data plane: names, listeners, rules, targets."""

import contextlib
from collections.abc import Iterable
from ssl import SSLCertVerificationError, SSLError, TLSVersion
from typing import Any

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import Client

from provision.sandbox.aws.elbv2.data_plane import DataPlane
from provision.sandbox.aws.elbv2.routing import redirect
from provision.sandbox.tasks.runners import Reply, Request
from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.aws.elbv2.handshakes import shake_hands
from tests.sandbox.conftest import Account


def echo_request(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Return the request as the response; healthy."""
    given = [f"{k}={v}" for k, v in sorted(environ.items()) if k.startswith("HTTP_X_")]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Own", "kept")])
    lines = [environ["REQUEST_METHOD"], environ["PATH_INFO"], *given, ""]
    return ["\n".join(lines).encode(), body]


def get(front: DataPlane, target: str = "/", host: str = "example.jp", port: int = 443) -> Reply:
    return front.forward(host, port, Request("GET", target, [("Host", host)]), "203.0.113.9")


@pytest.fixture
def published(account: Account) -> Bot:
    """Return everything for https://example.jp but the service."""
    made = Bot(account)
    account.clock.step = 20.0
    made.settle()
    made.publish()
    return made


@pytest.fixture
def bot(published: Bot) -> Bot:
    """Return a steady service behind https://example.jp."""
    published.tasks.application = lambda environment: echo_request
    published.create()
    published.clock.step = 5.0
    published.steady()
    return published


def test_request_reaches_the_container(bot: Bot) -> None:
    """Method, path, headers and raw body, with the headers that a load balancer adds."""
    front = DataPlane(bot.account.cloud)
    answer = Client(front.wsgi).post(
        "/webhook?a=1",
        base_url="https://example.jp",
        data=b"\0raw",
        headers={"X-Line-Signature": "abc=", "X-Forwarded-For": "198.51.100.1"},
    )
    assert 200 == answer.status_code
    assert "kept" == answer.headers["X-Own"]
    lines = answer.data.decode().split("\n")
    assert ["POST", "/webhook"] == lines[:2]
    assert "\0raw" == lines[-1]
    assert {
        "HTTP_X_LINE_SIGNATURE=abc=",
        "HTTP_X_FORWARDED_FOR=198.51.100.1, 127.0.0.1",
        "HTTP_X_FORWARDED_PORT=443",
    } < set(lines)
    assert any(line.startswith("HTTP_X_AMZN_TRACE_ID=Root=1-") for line in lines)


def test_unknown_host_name_is_not_served(bot: Bot) -> None:
    """Without a DNS record there is no load balancer and no certificate."""
    front = DataPlane(bot.account.cloud)
    assert front.certificate("example.jp") is not None
    assert front.certificate("other.example.jp") is None
    with pytest.raises(ConnectionError):
        get(front, host="other.example.jp")


def test_certificate_of_another_name(bot: Bot) -> None:
    """AWS does not compare names: the listener presents its certificate, and clients reject it."""
    account = bot.account
    zone = account.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    account.change(zone, "CREATE", "www.example.jp", "CNAME", "example.jp.")
    account.clock.sleep(account.cloud.delays.route53_sync + 1)
    shake_hands(account.cloud, "example.jp")
    with pytest.raises(SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(account.cloud, "www.example.jp")


OLD = "ELBSecurityPolicy-2016-08"
MIDDLE = "ELBSecurityPolicy-TLS-1-1-2017-01"
ARTICLE = "ELBSecurityPolicy-TLS13-1-2-2021-06"
NEW = "ELBSecurityPolicy-TLS13-1-3-2021-06"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_versions_of_a_tls_policy(published: Bot) -> None:
    """The newest common version is used; without one there is no connection.

    User Guide for Application Load Balancers, Security policies, "Protocols by policy".
    """
    expected = {
        (OLD, TLSVersion.TLSv1): "TLSv1",
        (OLD, TLSVersion.TLSv1_2): "TLSv1.2",
        (OLD, None): "TLSv1.2",
        (OLD, TLSVersion.TLSv1_3): "refused",
        (MIDDLE, TLSVersion.TLSv1): "refused",
        (MIDDLE, TLSVersion.TLSv1_1): "TLSv1.1",
        (ARTICLE, TLSVersion.TLSv1_1): "refused",
        (ARTICLE, TLSVersion.TLSv1_2): "TLSv1.2",
        (ARTICLE, None): "TLSv1.3",
        (NEW, TLSVersion.TLSv1_2): "refused",
        (NEW, TLSVersion.TLSv1_3): "TLSv1.3",
    }
    elbv2, seen = published.account.client("elbv2"), {}
    for policy, version in expected:
        elbv2.modify_listener(ListenerArn=published.secure, SslPolicy=policy)
        try:
            seen[policy, version] = shake_hands(published.account.cloud, "example.jp", version)
        except SSLError:
            seen[policy, version] = "refused"
    assert expected == seen


def test_internal_load_balancer(account: Account) -> None:
    """It cannot be reached from the internet by its name."""
    cloud = account.cloud
    names = {}
    for scheme in ("internal", "internet-facing"):
        made = account.load_balancer(scheme, Scheme=scheme)
        account.listener(made["LoadBalancerArn"], account.target_group(scheme))
        for group in made["SecurityGroups"]:
            with contextlib.suppress(ClientError):  # the default group, twice
                open_to_all(account, group, 80)
        names[scheme] = made["DNSName"]
    account.clock.advance(cloud.delays.load_balancer)
    assert names["internal"].startswith("internal-internal-")
    with pytest.raises(ConnectionError):
        get(DataPlane(cloud), host=names["internal"], port=80)
    assert 503 == get(DataPlane(cloud), host=names["internet-facing"], port=80).status


def open_to_all(account: Account, group: str, port: int) -> None:
    """Allow TCP to a port from everywhere."""
    everybody = {"FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account.client("ec2").authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", **everybody}]
    )


def test_protocol_of_a_listener(published: Bot) -> None:
    """Plain HTTP to an HTTPS listener, TLS to an HTTP listener."""
    front, elbv2 = DataPlane(published.account.cloud), published.account.client("elbv2")
    open_to_all(published.account, published.outer, 80)
    elbv2.delete_listener(ListenerArn=published.listener)
    elbv2.modify_listener(ListenerArn=published.secure, Port=80)
    assert 400 == get(front, port=80).status
    published.account.listener(published.load_balancer, published.group, 443)
    assert front.tls("example.jp") is None
    with pytest.raises(ConnectionError):
        get(front)


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ({"UserIdGroupPairs": "outer"}, 200),
        ({"UserIdGroupPairs": "inner"}, 504),
        ({"IpRanges": [{"CidrIp": "172.31.0.0/16"}]}, 200),
        ({"IpRanges": [{"CidrIp": "203.0.113.0/24"}]}, 504),
    ],
)
def test_task_must_admit_the_load_balancer(bot: Bot, source: dict[str, Any], status: int) -> None:
    """By its security group, or by its private address range."""
    ec2 = bot.account.client("ec2")
    (group,) = ec2.describe_security_groups(GroupIds=[bot.inner])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=bot.inner, IpPermissions=group["IpPermissions"])
    if name := source.get("UserIdGroupPairs"):
        source = {"UserIdGroupPairs": [{"GroupId": getattr(bot, name)}]}
    bot.admit(bot.inner, 8080, **source)
    assert status == get(DataPlane(bot.account.cloud)).status


def test_closed_port_does_not_answer(bot: Bot) -> None:
    """There is a listener on 80, but the security group blocks it."""
    front = DataPlane(bot.account.cloud)
    with pytest.raises(ConnectionError):
        get(front, port=80)
    bot.admit(bot.outer, 80, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    assert 200 == get(front, port=80).status


def test_without_targets_503(bot: Bot) -> None:
    """With desired count 0 the load balancer answers itself."""
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.advance(60)
    reply = get(DataPlane(bot.account.cloud))
    assert 503 == reply.status
    assert b"503 Service Temporarily Unavailable" in reply.body


def test_dead_target_502_slow_target_504(bot: Bot) -> None:
    """A container that ended gives 502 until ECS notices; a slow answer gives 504."""

    def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise TimeoutError

    front = DataPlane(bot.account.cloud)
    bot.tasks.started[0].application = slow
    assert 504 == get(front).status
    bot.tasks.started[0].end(1)
    assert 502 == get(front).status


def test_unhealthy_targets_serve_when_all_are(bot: Bot) -> None:
    """User Guide, target groups: with no healthy target the load balancer fails open."""
    ((_, target),) = bot.account.cloud.elbv2.targets[bot.group].items()
    target.state = "unhealthy"
    assert 200 == get(DataPlane(bot.account.cloud)).status


def test_rules_by_priority(bot: Bot) -> None:
    """The lowest priority whose conditions all match; otherwise the default action."""
    elbv2 = bot.account.client("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=bot.load_balancer)["Listeners"]
    (secure,) = [one["ListenerArn"] for one in listeners if one["Port"] == 443]

    def rule(priority: int, words: str, **conditions: str) -> None:
        elbv2.create_rule(
            ListenerArn=secure,
            Priority=priority,
            Conditions=[
                {"Field": field.replace("_", "-"), "Values": [value]}
                for field, value in conditions.items()
            ],
            Actions=[
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {"StatusCode": "418", "MessageBody": words},
                }
            ],
        )

    rule(20, "later", path_pattern="/tea*")
    rule(10, "first", path_pattern="/tea/?")
    rule(5, "elsewhere", path_pattern="/tea*", host_header="other.example.jp")
    front = DataPlane(bot.account.cloud)
    assert b"first" == get(front, "/tea/1?x=2").body
    assert b"later" == get(front, "/tea/12").body
    assert 418 == get(front, "/tea").status
    assert 200 == get(front, "/Tea").status


def test_redirect(bot: Bot) -> None:
    """The default action of the bootstrap listener."""
    bot.admit(bot.outer, 80, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    bot.account.client("elbv2").modify_listener(
        ListenerArn=bot.listener,
        DefaultActions=[
            {
                "Type": "redirect",
                "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
            }
        ],
    )
    reply = get(DataPlane(bot.account.cloud), "/a?b=1", port=80)
    assert (301, "https://example.jp:443/a?b=1") == (reply.status, dict(reply.headers)["Location"])


# API RedirectActionConfig, and its examples: what is left out stays as it was asked for.
@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"Host": "www.#{host}"}, "http://www.example.jp:80/a/b?c=1&d=2"),
        ({"Protocol": "HTTPS"}, "https://example.jp:80/a/b?c=1&d=2"),
        ({"Port": "8080"}, "http://example.jp:8080/a/b?c=1&d=2"),
        ({"Path": "/new/#{path}"}, "http://example.jp:80/new/a/b?c=1&d=2"),
        ({"Path": "/", "Query": "was=#{path}&#{query}"}, "http://example.jp:80/?was=a/b&c=1&d=2"),
        ({"Path": "/x", "Query": "#{protocol}-#{port}"}, "http://example.jp:80/x?http-80"),
    ],
)
def test_placeholders_of_a_redirect(config: dict[str, str], location: str) -> None:
    """Scheme, host, port, path and query; 302 as well as 301."""
    request = Request("GET", "/a/b?c=1&d=2", [("Host", "example.jp")])
    for code, status in (("HTTP_301", 301), ("HTTP_302", 302)):
        reply = redirect({**config, "StatusCode": code}, request, 80)
        assert (status, [("Location", location)]) == (reply.status, reply.headers)
