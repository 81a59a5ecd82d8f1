"""A domain in use, a subdomain of a zone managed elsewhere, and several zones of one name."""

from typing import Any

import pytest

from provision.clients.dns import Dns, DnsError, is_registry
from provision.engine.plan import plan
from provision.pricing import prices
from provision.resources.base import Clients
from provision.resources.hosted_zone import HostedZone, SeveralZones
from provision.resources.migrated_records import record_sets
from provision.run import Options, Run
from provision.sandbox.dns.registrar import PARKING
from provision.state.stack_file import StackFile
from provision.ui.progress import Progress
from provision.wizard import domain
from tests.provision.conftest import WHOLE, Env, PowerCut

IN_USE = [
    ("example.jp", "MX", "10 mail.example.jp."),
    ("example.jp", "MX", "20 spare.example.jp."),
    ("example.jp", "A", "192.0.2.1"),
    ("example.jp", "TXT", '"v=spf1 mx -all"'),
    ("www.example.jp", "CNAME", "web.test."),
    ("mail.example.jp", "A", "192.0.2.2"),
]
RECORDS = [" ".join(entry) for entry in IN_USE]


def inspected_run(env: Env) -> Run:
    """Return a run after its inspection."""
    engine, stack = env.engine(), env.stack()
    engine.resources = stack.resources
    run = Run(Options(), StackFile(env.path), stack, engine.clients, env.clock)
    run.observations = engine.inspect()
    return run


def find_zone(resources: list[Any]) -> HostedZone:
    """Return the stack's zone."""
    return next(r for r in resources if isinstance(r, HostedZone))


def put_domain_in_use(env: Env) -> None:
    """Put the domain in use at its old name servers."""
    env.sandbox.cloud.registrar.keep("example.jp", IN_USE)


def test_warning_lists_records_that_would_stop_working(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a zone is created: every record found, its servers, and the advice to use a subdomain."""
    put_domain_in_use(env)
    assert RECORDS == sorted(domain.warn(inspected_run(env)), key=RECORDS.index)
    output = capsys.readouterr().err
    assert all(line in output for line in RECORDS)
    assert all(server in output for server in PARKING)
    assert "--set domain=bot.example.jp" in output
    assert [] == env.changes()


def test_no_warning_if_nothing_would_stop_working(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """A parked domain, one whose zone is already created, and one delegated to a foreign zone."""
    assert [] == domain.warn(inspected_run(env))
    put_domain_in_use(env)
    env.at_registrar = False
    env.setup(wait=0)
    assert [] == domain.warn(inspected_run(env))
    env.teardown()
    route53 = env.aws_session.client("route53")
    foreign = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")
    assert RECORDS == sorted(domain.warn(inspected_run(env)), key=RECORDS.index)
    servers = foreign["DelegationSet"]["NameServers"]
    env.sandbox.cloud.registrar.enter("example.jp", servers)
    capsys.readouterr()
    assert [] == domain.warn(inspected_run(env))
    assert "" == capsys.readouterr().err


def test_unreachable_dns_is_reported_and_does_not_stop(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """No records are found, and the reason is printed."""

    def silence(query: Any, address: str, port: int) -> Any:
        raise DnsError("192.0.2.53 is silent")

    run = inspected_run(env)
    run.clients = Clients(env.aws, Dns(("192.0.2.53", 53), silence), run.clients.line)
    assert [] == domain.warn(run)
    assert "192.0.2.53 is silent" in capsys.readouterr().err


def test_nothing_is_copied_without_a_terminal(env: Env) -> None:
    """With --yes, or without a terminal, the new zone stays empty."""
    put_domain_in_use(env)
    run = inspected_run(env)
    domain.offer_to_copy(run, RECORDS)
    run.options.yes = True
    domain.offer_to_copy(run, RECORDS)
    assert [] == run.stack.zone.to_copy


def test_addresses_of_the_host_are_not_copied() -> None:
    """The host's address records will be the bot's; everything else can be copied."""
    assert [line for line in RECORDS if line != "example.jp A 192.0.2.1"] == domain.copyable(
        RECORDS, "example.jp"
    )
    assert RECORDS == domain.copyable(RECORDS, "bot.example.jp")


def test_record_sets() -> None:
    """Records of one name and type become one record set."""
    found = record_sets(RECORDS)
    assert [("example.jp.", "MX", 2), ("example.jp.", "A", 1)] == [
        (r["Name"], r["Type"], len(r["ResourceRecords"])) for r in found[:2]
    ]
    assert '"v=spf1 mx -all"' == found[2]["ResourceRecords"][0]["Value"]


def setup_with_copy(env: Env) -> Any:
    """Run `provision setup`, answering the question about copying with yes."""
    engine = env.engine()
    find_zone(engine.resources).to_copy = domain.copyable(RECORDS, "example.jp")
    engine.inspect()
    return engine.setup(600)


@pytest.mark.parametrize("cut", ["", "before", "after"])
def test_copied_records_are_deleted_with_the_zone(env: Env, cut: str) -> None:
    """Mail works with the new servers; teardown deletes all records. A power cut changes nothing."""
    put_domain_in_use(env)
    if cut:
        env.cut_power("creating", "zone", cut)
        with pytest.raises(PowerCut):
            setup_with_copy(env)
        outcome = env.setup()
    else:
        outcome = setup_with_copy(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, "record": WHOLE["record"] + 4} == env.inventory()
    resolve = env.sandbox.cloud.dns.resolve
    assert ["10 mail.example.jp.", "20 spare.example.jp."] == resolve("example.jp", "MX")
    assert ["web.test."] == resolve("www.example.jp", "CNAME")
    assert ["127.0.0.1"] == resolve("example.jp", "A")[:1]
    env.changes()
    env.setup()
    assert [] == env.changes()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_changed_copied_record_keeps_the_zone(env: Env) -> None:
    """A copied record that somebody changed is theirs: the zone is kept with it."""
    put_domain_in_use(env)
    setup_with_copy(env)
    route53 = env.aws_session.client("route53")
    zone_id = StackFile(env.path).records["zone/example.jp"].outputs["id"]
    changed = {"Name": "example.jp.", "Type": "MX", "TTL": 60}
    changed["ResourceRecords"] = [{"Value": "10 new.example.jp."}]
    route53.change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": changed}]},
    )
    result = env.teardown()
    assert ([], True) == (result.left, "zone/example.jp" in result.kept)
    assert "example.jp" in result.kept["zone/example.jp"]
    # With the other copied records, so that its mail still works.
    assert {"record": 4, "zone": 1} == env.inventory()


def test_several_zones_of_one_name(env: Env) -> None:
    """If neither is delegated, the error says how many there are; the chosen one is adopted."""
    route53 = env.aws_session.client("route53")
    for reference in ("one", "two"):
        route53.create_hosted_zone(Name="example.jp", CallerReference=reference)
    env.changes()
    run = inspected_run(env)
    refusal = run.observations["zone/example.jp"].error
    assert isinstance(refusal, SeveralZones)
    assert 2 == len(refusal.zones)
    assert not domain.choose_zone(run)
    engine = env.engine()
    chosen = sorted(refusal.zones)[1]
    find_zone(engine.resources).id = chosen
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    assert ("adopt", []) == (found.steps[0].action, found.errors)
    engine.setup(600)
    assert chosen == StackFile(env.path).records["zone/example.jp"].outputs["id"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bot.example.jp", "example.jp"),
        ("a.bot.example.co.jp", "example.co.jp"),
        ("example.jp", ""),
        ("example.co.jp", ""),
        ("example.com", ""),
    ],
)
def test_zone_above(env: Env, name: str, expected: str) -> None:
    """The zone above a subdomain belongs to somebody; above a bought domain it is the registry's."""
    assert expected == env.engine().clients.dns.zone_above(name)


@pytest.mark.parametrize(
    ("name", "expected"), [("jp", True), ("co.jp", True), ("example.jp", False)]
)
def test_is_registry(name: str, expected: bool) -> None:
    """Domains are bought below a registry."""
    assert expected == is_registry(name)


def delegation_instruction(env: Env, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what setup prints once the zone is created."""
    run = inspected_run(env)
    engine = run.engine(Progress(run.stack.resources, env.clock))
    engine.begin()
    engine.inspect()
    engine.setup(0)
    return capsys.readouterr().err


def test_instruction_for_a_subdomain(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """The four NS records, to paste into the zone above; no registrar is mentioned."""
    env.set(domain="bot.example.jp")
    output = delegation_instruction(env, capsys)
    servers = StackFile(env.path).records["zone/bot.example.jp"].outputs["name_servers"]
    assert all(f"bot.example.jp.  300  IN  NS  {server}.\n" in output for server in servers)
    assert "where the DNS of example.jp is managed" in output
    assert "bought" not in output
    env.enter_name_servers()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def test_instruction_for_a_bought_domain(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """The four servers; for a domain registered at Route 53, where to enter them."""
    output = delegation_instruction(env, capsys)
    servers = StackFile(env.path).records["zone/example.jp"].outputs["name_servers"]
    assert all(f"    {server}" in output for server in servers)
    assert "Registered domains" in output
