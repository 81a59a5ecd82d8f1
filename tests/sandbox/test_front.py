"""The load balancers' data plane: names, listeners, rules, targets."""

import contextlib
from collections.abc import Iterable
from ssl import (
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    MemoryBIO,
    SSLCertVerificationError,
    SSLContext,
    SSLWantReadError,
)
from typing import Any

import pytest
from werkzeug.test import Client

from provision.sandbox.front import Front
from provision.sandbox.tasks import Reply, Request
from tests.sandbox.conftest import Account
from tests.sandbox.newsbot import Bot


def mirror(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers with what it got; healthy."""
    given = [f"{k}={v}" for k, v in sorted(environ.items()) if k.startswith("HTTP_X_")]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Own", "kept")])
    lines = [environ["REQUEST_METHOD"], environ["PATH_INFO"], *given, ""]
    return ["\n".join(lines).encode(), body]


def get(front: Front, target: str = "/", host: str = "example.jp", port: int = 443) -> Reply:
    return front.forward(host, port, Request("GET", target, [("Host", host)]), "203.0.113.9")


@pytest.fixture
def bot(account: Account) -> Bot:
    """A steady service behind https://example.jp."""
    made = Bot(account)
    made.tasks.application = lambda environment: mirror
    account.clock.step = 20.0
    made.settle()
    made.publish()
    made.create()
    account.clock.step = 5.0
    made.steady()
    return made


def test_request_reaches_the_container(bot: Bot) -> None:
    """Method, path, headers and raw body; with the headers that a load balancer adds."""
    front = Front(bot.account.cloud)
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


def test_nobody_answers_for_other_names(bot: Bot) -> None:
    """No DNS record, no load balancer; and no certificate to show."""
    front = Front(bot.account.cloud)
    assert front.certificate("example.jp") is not None
    assert front.certificate("other.example.jp") is None
    with pytest.raises(ConnectionError):
        get(front, host="other.example.jp")


def shake_hands(account: Account, name: str) -> None:
    """What a client that trusts the sandbox's authority does with the certificate of a name."""
    client, server = SSLContext(PROTOCOL_TLS_CLIENT), SSLContext(PROTOCOL_TLS_SERVER)
    account.cloud.authority.trust(client)
    leaf = Front(account.cloud).certificate(name)
    assert leaf is not None
    leaf.configure_cert(server)
    to_client, to_server = MemoryBIO(), MemoryBIO()
    caller = client.wrap_bio(to_client, to_server, server_hostname=name)
    answerer = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (caller, answerer, caller):
        with contextlib.suppress(SSLWantReadError):
            side.do_handshake()
    assert caller.getpeercert()


def test_certificate_of_another_name(bot: Bot) -> None:
    """AWS compares no names: the listener shows the certificate it has, and clients refuse it."""
    account = bot.account
    zone = account.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    account.change(zone, "CREATE", "www.example.jp", "CNAME", "example.jp.")
    account.clock.sleep(account.cloud.delays.route53_sync + 1)
    shake_hands(account, "example.jp")
    with pytest.raises(SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(account, "www.example.jp")


def test_closed_port_does_not_answer(bot: Bot) -> None:
    """The listener on 80 is there, the security group keeps it shut."""
    front = Front(bot.account.cloud)
    with pytest.raises(ConnectionError):
        get(front, port=80)
    bot.admit(bot.outer, 80, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    assert 200 == get(front, port=80).status


def test_without_targets_503(bot: Bot) -> None:
    """Desired 0: the load balancer answers by itself."""
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.advance(60)
    reply = get(Front(bot.account.cloud))
    assert 503 == reply.status
    assert b"503 Service Temporarily Unavailable" in reply.body


def test_dead_target_502_slow_target_504(bot: Bot) -> None:
    """Between a container's end and ECS's notice people see 502; a slow answer is 504."""

    def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise TimeoutError

    front = Front(bot.account.cloud)
    bot.tasks.started[0].application = slow
    assert 504 == get(front).status
    bot.tasks.started[0].end(1)
    assert 502 == get(front).status


def test_unhealthy_targets_serve_when_all_are(bot: Bot) -> None:
    """User Guide, target groups: with no healthy target the load balancer fails open."""
    ((_, target),) = bot.account.cloud.elbv2.targets[bot.group].items()
    target.state = "unhealthy"
    assert 200 == get(Front(bot.account.cloud)).status


def test_rules_by_priority(bot: Bot) -> None:
    """The lowest number whose conditions all hold; else the default action."""
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
    front = Front(bot.account.cloud)
    assert b"first" == get(front, "/tea/1?x=2").body
    assert b"later" == get(front, "/tea/12").body
    assert 418 == get(front, "/tea").status
    assert 200 == get(front, "/Tea").status


def test_redirect(bot: Bot) -> None:
    """The default action of the warm door's listener."""
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
    reply = get(Front(bot.account.cloud), "/a?b=1", port=80)
    assert (301, "https://example.jp:443/a?b=1") == (reply.status, dict(reply.headers)["Location"])
