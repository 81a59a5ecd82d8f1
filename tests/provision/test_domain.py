"""A domain that is in use, one cut out of a zone kept elsewhere, and several zones of one name."""

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
LINES = [" ".join(entry) for entry in IN_USE]


def looked(env: Env) -> Run:
    """A run after its look."""
    engine, stack = env.engine(), env.stack()
    engine.resources = stack.resources
    run = Run(Options(), StackFile(env.path), stack, engine.clients, env.clock)
    run.observations = engine.inspect()
    return run


def zone_of(resources: list[Any]) -> HostedZone:
    """The stack's zone."""
    return next(r for r in resources if isinstance(r, HostedZone))


def entered(env: Env) -> None:
    """The domain is in use at its old servers."""
    env.sandbox.cloud.registrar.keep("example.jp", IN_USE)


def test_what_would_stop_is_shown(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """Before a zone is made: every record that can be looked up, the servers, and the sub-domain instead."""
    entered(env)
    assert LINES == sorted(domain.warn(looked(env)), key=LINES.index)
    said = capsys.readouterr().err
    assert all(line in said for line in LINES)
    assert all(server in said for server in PARKING)
    assert "--set domain=bot.example.jp" in said
    assert [] == env.changes()


def test_nothing_is_at_stake(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """A parked domain; one whose zone is made already; a zone of theirs that the domain is delegated to."""
    assert [] == domain.warn(looked(env))
    entered(env)
    env.at_registrar = False
    env.setup(wait=0)
    assert [] == domain.warn(looked(env))
    env.teardown()
    route53 = env.aws_session.client("route53")
    theirs = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")
    assert LINES == sorted(domain.warn(looked(env)), key=LINES.index)
    servers = theirs["DelegationSet"]["NameServers"]
    env.sandbox.cloud.registrar.enter("example.jp", servers)
    capsys.readouterr()
    assert [] == domain.warn(looked(env))
    assert "" == capsys.readouterr().err


def test_nobody_answers(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """That nobody could be asked is said; it is no reason to stop."""

    def silence(query: Any, address: str, port: int) -> Any:
        raise DnsError("192.0.2.53 is silent")

    run = looked(env)
    run.clients = Clients(env.aws, Dns(("192.0.2.53", 53), silence), run.clients.line)
    assert [] == domain.warn(run)
    assert "192.0.2.53 is silent" in capsys.readouterr().err


def test_nothing_is_copied_without_a_terminal(env: Env) -> None:
    """With --yes, or where nobody can be asked, the new zone stays empty."""
    entered(env)
    run = looked(env)
    domain.offer_to_copy(run, LINES)
    run.options.yes = True
    domain.offer_to_copy(run, LINES)
    assert [] == run.stack.zone.to_copy


def test_addresses_of_the_host_are_not_copied() -> None:
    """They will be the bot's; everything else can be."""
    assert [line for line in LINES if line != "example.jp A 192.0.2.1"] == domain.copyable(
        LINES, "example.jp"
    )
    assert LINES == domain.copyable(LINES, "bot.example.jp")


def test_record_sets() -> None:
    """Lines of one name and type are one record set."""
    found = record_sets(LINES)
    assert [("example.jp.", "MX", 2), ("example.jp.", "A", 1)] == [
        (r["Name"], r["Type"], len(r["ResourceRecords"])) for r in found[:2]
    ]
    assert '"v=spf1 mx -all"' == found[2]["ResourceRecords"][0]["Value"]


def copying(env: Env) -> Any:
    """`provision setup`, the question answered with yes."""
    engine = env.engine()
    zone_of(engine.resources).to_copy = domain.copyable(LINES, "example.jp")
    engine.inspect()
    return engine.setup(600)


@pytest.mark.parametrize("cut", ["", "before", "after"])
def test_records_are_copied_and_go_with_the_zone(env: Env, cut: str) -> None:
    """Mail goes on with the new servers; all of it goes with the zone. A power cut changes nothing."""
    entered(env)
    if cut:
        env.cut_power("creating", "zone", cut)
        with pytest.raises(PowerCut):
            copying(env)
        outcome = env.setup()
    else:
        outcome = copying(env)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, "record": WHOLE["record"] + 4} == env.inventory()
    resolve = env.sandbox.cloud.dns.resolve
    assert ["10 mail.example.jp.", "20 spare.example.jp."] == resolve("example.jp", "MX")
    assert ["web.test."] == resolve("www.example.jp", "CNAME")
    assert ["127.0.0.1"] == resolve("example.jp", "A")[:1]
    env.changes()
    env.setup()
    assert [] == env.changes()
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


def test_a_copied_record_that_was_changed_is_theirs(env: Env) -> None:
    """The zone is not emptied of it: it stays, with the reason, and the record stands."""
    entered(env)
    copying(env)
    route53 = env.aws_session.client("route53")
    zone_id = StackFile(env.path).records["zone/example.jp"].outputs["id"]
    changed = {"Name": "example.jp.", "Type": "MX", "TTL": 60}
    changed["ResourceRecords"] = [{"Value": "10 new.example.jp."}]
    route53.change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": changed}]},
    )
    gone = env.teardown()
    assert ([], True) == (gone.left, "zone/example.jp" in gone.kept)
    assert "example.jp" in gone.kept["zone/example.jp"]
    # With the other copied ones: its mail goes on.
    assert {"record": 4, "zone": 1} == env.inventory()


def test_several_zones_of_one_name(env: Env) -> None:
    """Delegated to neither: a refusal that says how many; the one that was chosen is adopted."""
    route53 = env.aws_session.client("route53")
    for reference in ("one", "two"):
        route53.create_hosted_zone(Name="example.jp", CallerReference=reference)
    env.changes()
    run = looked(env)
    refusal = run.observations["zone/example.jp"].error
    assert isinstance(refusal, SeveralZones)
    assert 2 == len(refusal.zones)
    assert not domain.choose_zone(run)
    engine = env.engine()
    chosen = sorted(refusal.zones)[1]
    zone_of(engine.resources).id = chosen
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
    """A sub-domain's zone above is one that somebody has; a bought domain's is the registry's."""
    assert expected == env.engine().clients.dns.zone_above(name)


@pytest.mark.parametrize(
    ("name", "expected"), [("jp", True), ("co.jp", True), ("example.jp", False)]
)
def test_is_registry(name: str, expected: bool) -> None:
    """Where people buy."""
    assert expected == is_registry(name)


def instruction(env: Env, capsys: pytest.CaptureFixture[str]) -> str:
    """What setup prints when the zone is there."""
    run = looked(env)
    engine = run.engine(Progress(run.stack.resources, env.clock))
    engine.begin()
    engine.inspect()
    engine.setup(0)
    return capsys.readouterr().err


def test_sub_domain_is_delegated_in_the_zone_above(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """The four NS records, ready to paste into the zone that is kept elsewhere; no registrar is named."""
    env.set(domain="bot.example.jp")
    said = instruction(env, capsys)
    servers = StackFile(env.path).records["zone/bot.example.jp"].outputs["name_servers"]
    assert all(f"bot.example.jp.  300  IN  NS  {server}.\n" in said for server in servers)
    assert "where the DNS of example.jp is managed" in said
    assert "bought" not in said
    env.enter_name_servers()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def test_bought_domain_is_entered_at_the_registrar(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    """The four servers; for a domain of Route 53's own, where that is."""
    said = instruction(env, capsys)
    servers = StackFile(env.path).records["zone/example.jp"].outputs["name_servers"]
    assert all(f"    {server}" in said for server in servers)
    assert "Registered domains" in said
