"""CAA records are checked before anything is created: RFC 8659's tree climbing, and what excludes Amazon."""

from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from provision.clients.dns import Dns, DnsError
from provision.engine.plan import plan
from provision.pricing import prices
from provision.resources.certificate import excludes_amazon, never_certified
from tests.provision.conftest import WHOLE, Env

OTHERS = '0 issue "letsencrypt.org"'


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], False),
        ([OTHERS], True),
        ([OTHERS, '0 issue "amazon.com"'], False),
        (['0 ISSUE "Amazon.com; validationmethods=dns-01"'], False),
        (['0 issue "amazontrust.com"'], False),
        (['0 issue ";"'], True),
        (['0 iodef "mailto:a@example.jp"'], False),
        (['0 issuewild ";"'], False),
        (['0 issue "notamazon.com"'], True),
        (['128 tbs "unknown"'], True),
        (['128 tbs "unknown"', '0 issue "amazon.com"'], True),
        (['0 tbs "unknown"'], False),
        (['128 issuewild ";"', '128 iodef "mailto:a@example.jp"'], False),
    ],
)
def test_excludes_amazon(records: list[str], expected: bool) -> None:
    """Only `issue` properties count for a host; any of Amazon's names allows it."""
    assert expected == excludes_amazon(records)


class FakeResolver:
    """A resolver with these record sets: (name, type) -> value."""

    def __init__(self, known: dict[tuple[str, str], str]) -> None:
        self.known = known
        self.queried: list[str] = []

    def __call__(self, query: Any, address: str, port: int) -> Any:
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.queried.append(name)
        answer = dns.message.make_response(query)
        for kind in ("CAA", "CNAME"):
            if value := self.known.get((name, kind)):
                answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, value))
                return answer
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def caa(known: dict[tuple[str, str], str], host: str = "bot.example.jp") -> Any:
    """Return the result of the tree climbing."""
    return Dns(("192.0.2.53", 53), FakeResolver(known)).caa(host)


def test_climb() -> None:
    """The closest name with CAA records decides, and names above it are not queried."""
    assert ("", []) == caa({})
    assert ("jp", [OTHERS]) == caa({("jp", "CAA"): OTHERS})
    resolver = FakeResolver({("example.jp", "CAA"): OTHERS, ("jp", "CAA"): '0 issue "amazon.com"'})
    assert ("example.jp", [OTHERS]) == Dns(("192.0.2.53", 53), resolver).caa("bot.example.jp")
    assert ["bot.example.jp", "example.jp"] == resolver.queried


def test_climb_follows_a_cname() -> None:
    """The CNAME target's own records count, not those above it; a cycle ends."""
    known = {("bot.example.jp", "CNAME"): "host.other.example."}
    assert ("bot.example.jp", [OTHERS]) == caa({**known, ("host.other.example", "CAA"): OTHERS})
    assert ("", []) == caa({**known, ("other.example", "CAA"): OTHERS})
    resolver = FakeResolver({("a", "CNAME"): "a."})
    assert [] == Dns(("192.0.2.53", 53), resolver).records("a", "CAA")
    assert 8 == len(resolver.queried)


def test_plan_rejects_excluding_caa_record(env: Env) -> None:
    """The parent zone allows only another authority: it is quoted, with the record that would help."""
    env.set(domain="bot.example.jp")
    env.sandbox.cloud.registrar.keep("example.jp", [("example.jp", "CAA", OTHERS)])
    engine = env.engine()
    errors = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1")).errors
    assert 1 == len(errors)
    assert OTHERS in errors[0].why
    assert "example.jp" in errors[0].why
    assert '0 issue "amazon.com"' in errors[0].then
    assert [] == env.changes()
    both = [("example.jp", "CAA", OTHERS), ("example.jp", "CAA", '0 issue "amazon.com"')]
    env.sandbox.cloud.registrar.keep("example.jp", both)
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()


@pytest.mark.parametrize(
    "domain", ["shop.test", "shop.corp.internal", "shop.local", "shop.lan", "shop.home.arpa"]
)
def test_plan_rejects_a_domain_that_nobody_can_register(env: Env, domain: str) -> None:
    """ACM fails for it, but only after everything else is built; teardown is not stopped."""
    env.set(domain=domain)
    engine = env.engine()
    (error,) = plan(engine.inspect(), [], prices("ap-northeast-1")).errors
    ending = domain.rpartition(".")[2]
    assert f"ACM issues no certificates for .{ending}, which nobody can register" == error.why
    assert [] == env.changes()
    assert [] == env.teardown().left


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("amazonaws.com", "for names in amazonaws.com"),
        ("b-1.ap-northeast-1.elb.amazonaws.com", "for names in amazonaws.com"),
        ("d1.cloudfront.net", "for names in cloudfront.net"),
        ("ab--cd.jp", "with ab--cd: it is not Punycode"),
        ("bot.xn--zz-zz.jp", "with xn--zz-zz: it is not Punycode"),
        ("xn--abc-.jp", "with xn--abc-: it is not Punycode"),
    ],
)
def test_names_that_are_never_certified(host: str, why: str) -> None:
    """Amazon's own domains, and labels that look like international ones and are none."""
    assert f"ACM issues no certificates {why}" == never_certified(host)


def test_names_that_may_be_certified() -> None:
    """International names, and those that only resemble the others."""
    names = ("xn--r8jz45g.jp", "bot.example.jp", "myamazonaws.com", "a--b.jp", "news-test.jp")
    assert [""] * 5 == [never_certified(name) for name in names]


def test_unreachable_dns_does_not_stop_setup(env: Env) -> None:
    """The plan goes on; ACM will report a problem."""

    def silence(query: Any, address: str, port: int) -> Any:
        raise DnsError("192.0.2.53 is silent")

    engine = env.engine()
    engine.clients = type(engine.clients)(
        engine.clients.aws, Dns(("192.0.2.53", 53), silence), engine.clients.line
    )
    assert [] == plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1")).errors
    with pytest.raises(DnsError):
        engine.clients.dns.caa("example.jp")


def test_caa_record_does_not_stop_teardown(env: Env) -> None:
    """A CAA record that was added later does not matter."""
    env.set(domain="bot.example.jp")
    env.setup()
    env.sandbox.cloud.registrar.keep("example.jp", [("example.jp", "CAA", OTHERS)])
    env.setup()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()
