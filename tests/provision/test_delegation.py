"""Delegation: DS records, name servers of other names, silent resolvers, slow registrars."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from provision.cli.planning import awaits_registrar
from provision.clients.dns import Dns, DnsError
from provision.console.server import HttpServer
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.ui.progress import Progress
from provision.wizard import domain
from tests.provision.conftest import WHOLE, Env
from tests.provision.test_domain import inspected_run

DS = "12345 13 2 " + "ab" * 32
OWN = [f"ns{number}.example.net" for number in (1, 2, 3, 4)]


def setup_with_dns(env: Env, ask: Callable[[Any, str, int], Any], wait: float) -> Outcome:
    """Run setup with this resolver."""
    engine = env.engine()
    clients = replace(engine.clients, dns=Dns(("192.0.2.53", 5353), ask))
    engine = Engine(engine.resources, engine.file, clients, env.clock, env._tell)
    engine.begin()
    engine.inspect()
    return engine.setup(wait)


def reasons(outcome: Outcome) -> list[str]:
    """Return what is waited for outside."""
    return [pending.reason for pending in outcome.outside]


def listing(env: Env, servers: list[str], ttl: int = 300) -> Callable[[Any, str, int], Any]:
    """Return a resolver whose parent zone lists these name servers, and which else is the sandbox's."""

    def ask(query: Any, address: str, port: int) -> Any:
        question = query.question[0]
        if question.rdtype == dns.rdatatype.NS and question.name.to_text() == "example.jp.":
            answer = dns.message.make_response(query)
            names = [f"{server}." for server in servers]
            answer.answer.append(dns.rrset.from_text("example.jp.", ttl, "IN", "NS", *names))
            return answer
        return env._ask(query, address, port)

    return ask


def test_ds_record_of_the_former_provider(env: Env) -> None:
    """The wait names the DS record and the registrar; when it is removed, the same command finishes."""
    env.sandbox.cloud.registrar.sign("example.jp", [DS])
    outcome = env.setup(wait=300)
    assert [] == outcome.errors
    assert [
        "remove the DS record (DNSSEC) of the former DNS provider at your registrar, first of all: with it "
        "resolvers accept no answer of the new name servers, and ACM issues no certificate "
        f"({DS})"
    ] == reasons(outcome)
    env.sandbox.cloud.registrar.sign("example.jp", [])
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()


def test_ds_record_before_the_switch(env: Env) -> None:
    """While the old name servers are listed, the DS record is named first."""
    env.at_registrar = False
    env.sandbox.cloud.registrar.sign("example.jp", [DS])
    (reason,) = reasons(env.setup(wait=0))
    assert reason.startswith("remove the DS record (DNSSEC) of the former DNS provider")


def test_ds_record_of_the_zone_itself(env: Env) -> None:
    """A zone that is signed in Route 53 with the key of the DS record is delegated."""
    route53 = env.aws_session.client("route53")
    zone = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")
    zone_id = zone["HostedZone"]["Id"]
    route53.create_key_signing_key(
        CallerReference="key",
        HostedZoneId=zone_id,
        KeyManagementServiceArn="arn:aws:kms:us-east-1:123456789012:key/k",
        Name="ksk",
        Status="ACTIVE",
    )
    (key,) = route53.get_dnssec(HostedZoneId=zone_id)["KeySigningKeys"]
    registrar = env.sandbox.cloud.registrar
    registrar.enter("example.jp", zone["DelegationSet"]["NameServers"])
    registrar.sign("example.jp", [key["DSRecord"].upper()])
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def test_white_label_name_servers(env: Env) -> None:
    """Servers of other names that answer with the zone's records are a delegation."""
    outcome = setup_with_dns(env, listing(env, OWN), wait=7200)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()


def test_white_label_name_servers_of_an_adopted_zone(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """Servers of other names with the zone's addresses: delegated at once, no record is at risk."""
    route53 = env.aws_session.client("route53")
    zones = [
        route53.create_hosted_zone(Name="example.jp", CallerReference=name) for name in ("a", "b")
    ]
    delegated = zones[1]
    change: Any = {
        "Action": "CREATE",
        "ResourceRecordSet": {
            "Name": "www.example.jp",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1"}],
        },
    }
    zone_id = delegated["HostedZone"]["Id"]
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [change]})
    env.clock.advance(60)
    env.enter_white_label_servers(delegated["DelegationSet"]["NameServers"])
    run = inspected_run(env)
    zone = run.observations["zone/example.jp"]
    assert ("adopt", zone_id.rpartition("/")[2]) == (zone.verdict, (zone.live or {}).get("Id"))
    assert [] == domain.records_at_risk(run)
    assert not awaits_registrar(run)
    run.engine(Progress(run.stack.resources, env.clock)).report("done", run.stack.zone, "")
    assert "Name servers of" not in capsys.readouterr().err
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def test_foreign_name_servers_are_named_with_their_ttl(env: Env) -> None:
    """Other name servers that do not answer for the zone: what is listed now, and how long it is kept."""
    env.at_registrar = False
    (reason,) = reasons(setup_with_dns(env, listing(env, OWN, 172800), wait=0))
    assert reason.startswith("your registrar doesn't list these name servers yet: ns-")
    assert reason.endswith(
        "; it lists ns1.example.net, ns2.example.net, ns3.example.net, ns4.example.net, which resolvers may "
        "remember for 48 hours"
    )


def test_extra_name_server_beside_an_issued_certificate(env: Env) -> None:
    """One name server too many is waited for until ACM has issued the certificate."""
    zone = env.aws_session.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="theirs"
    )
    servers = [*zone["DelegationSet"]["NameServers"], "ns1.old.example"]
    env.at_registrar = False
    (reason,) = reasons(setup_with_dns(env, listing(env, servers), wait=0))
    assert "remove these extra name servers at your registrar: ns1.old.example" == reason
    env.sandbox.cloud.registrar.enter("example.jp", servers[:4])
    env.clock.advance(600)
    env.aws_session.client("acm").list_certificates()  # time passes for ACM, too
    outcome = setup_with_dns(env, listing(env, servers), wait=600)
    assert ([], []) == (outcome.errors, outcome.outside)


def test_silent_resolver_is_an_error(env: Env) -> None:
    """It is nothing that a person elsewhere can do: exit status 1 after a minute, with the setting's name."""

    def silence(query: Any, address: str, port: int) -> Any:
        raise DnsError(f"{address}:{port} does not answer (timed out)")

    env.at_registrar = False
    began = env.clock.now()
    outcome = setup_with_dns(env, silence, wait=None)
    assert [] == outcome.outside
    (error,) = outcome.errors
    assert (
        "the delegation could not be looked up: 192.0.2.53:5353 does not answer (timed out) (check this "
        "computer's network and PROVISION_DNS)"
    ) in error.why
    assert env.clock.now() - began < 1200


def test_registrar_slower_than_acm(env: Env) -> None:
    """After ACM's 72 hours the same command requests the certificate anew; the old one goes."""
    env.at_registrar = False
    env.setup(wait=0)
    env.clock.step = 3600
    env.clock.advance(4 * 86400)
    env.clock.step = 1.0
    env.enter_name_servers()
    acm = env.aws_session.client("acm")
    (old,) = acm.list_certificates()["CertificateSummaryList"]
    assert "VALIDATION_TIMED_OUT" == old["Status"]
    observations = env.engine().inspect()
    assert "create" == observations["certificate/example.jp"].verdict
    outcome = env.setup(wait=3600)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, "interface": 3} == env.inventory()  # its schedule has stopped the bot
    (new,) = acm.list_certificates()["CertificateSummaryList"]
    assert ("ISSUED", False) == (new["Status"], new["CertificateArn"] == old["CertificateArn"])
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_certificate_given_up_goes_with_the_teardown(env: Env) -> None:
    """A certificate that timed out is deleted, too."""
    env.at_registrar = False
    env.setup(wait=0)
    env.clock.step = 3600
    env.clock.advance(4 * 86400)
    env.clock.step = 1.0
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_caa_record_that_was_added_after_the_request(env: Env) -> None:
    """A second setup names it at once, instead of waiting for ACM."""
    env.set(domain="bot.example.jp")
    env.at_registrar = False
    env.setup(wait=0)
    env.enter_name_servers()
    entry = ("example.jp", "CAA", '128 tbs "unknown"')
    env.sandbox.cloud.registrar.keep("example.jp", [entry])
    (error,) = env.setup(wait=0).errors
    assert "Amazon may not issue a certificate for bot.example.jp." == error.what
    assert '128 tbs "unknown"' in error.why
    env.sandbox.cloud.registrar.keep("example.jp", [])
    assert ([], []) == ((outcome := env.setup()).errors, outcome.outside)


@pytest.mark.parametrize("status", [200, 400])
def test_registrar_takes_ds_records(env: Env, status: int) -> None:
    """PUT /domains/{domain} with ds; anything but a list of strings is refused."""
    import requests

    server = HttpServer(env.sandbox.cloud.registrar)
    body = {"ds": [DS]} if status == 200 else {"ds": DS}
    answer = requests.put(f"{server.url}/domains/example.jp", json=body, timeout=5)
    server.close()
    assert status == answer.status_code
    assert (DS,) * (status == 200) == env.sandbox.cloud.registrar.signers("example.jp")


def test_zone_of_a_reusable_delegation_set(env: Env) -> None:
    """It is adopted with the servers of the set, which other domains have too, and kept at the end."""
    route53 = env.aws_session.client("route53")
    made = route53.create_reusable_delegation_set(CallerReference="ours")["DelegationSet"]
    for name in ("other.example", "example.jp"):
        route53.create_hosted_zone(Name=name, CallerReference=name, DelegationSetId=made["Id"])
    env.sandbox.cloud.registrar.enter("example.jp", made["NameServers"])
    env.at_registrar = False
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert [] == env.teardown().errors
    assert 2 == len(route53.list_hosted_zones()["HostedZones"])
