"""The table of records: recorded states against what AWS shows."""

from pathlib import Path
from typing import Any

import pytest

from provision.engine.inspector import verdict
from provision.engine.plan import plan
from provision.errors import ProvisionError
from provision.pricing import prices
from provision.state.stack_file import Record, StackFile
from tests.provision.conftest import WHOLE, Env

LIVE = {"Name": "x"}


@pytest.mark.parametrize(
    ("state", "live", "ours", "may_adopt", "expected"),
    [
        (None, None, False, False, "create"),
        (None, LIVE, True, False, "claim"),
        (None, LIVE, False, True, "adopt"),
        (None, LIVE, False, False, "stranger"),
        ("creating", LIVE, True, False, "claim"),
        ("creating", None, False, False, "create"),
        ("created", LIVE, False, False, "keep"),
        ("created", None, False, False, "create"),
        ("adopted", LIVE, False, True, "keep"),
        ("adopted", None, False, True, "vanished"),
        ("deleting", LIVE, False, False, "finish"),
        ("deleting", None, False, False, "finish"),
    ],
)
def test_verdict(state: Any, live: Any, ours: bool, may_adopt: bool, expected: str) -> None:
    """Every cell of the table."""
    record = Record("Kind", state) if state else None
    assert expected == verdict(record, live, ours, may_adopt)


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (59, True), (60, False), (-30, True)])
def test_fresh(tmp_path: Path, seconds: int, fresh: bool) -> None:
    """For a minute; also if the clock was set back meanwhile, and as read from the file."""
    file = StackFile(tmp_path / "stack.yaml")
    file.record("vpc", Record("Vpc", "creating", {}, 1_800_000_000.0))
    assert "since: '2027-01-15T08:00:00Z'" in file.path.read_text()
    record = StackFile(file.path).records["vpc"]
    assert fresh == record.fresh(1_800_000_000.0 + seconds)


def test_deleted_service_linked_role_is_created_again(env: Env) -> None:
    """It belongs to the account, and may have been deleted with the last cluster: no reason to stop."""
    env.setup()
    env.aws_session.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForECS")
    env.changes()
    outcome = env.setup()
    assert ([], ["CreateServiceLinkedRole"]) == (outcome.errors, env.changes())


def test_existing_zone_is_adopted_and_kept(env: Env) -> None:
    """Its tags are unchanged, and teardown --everything keeps it, without our records."""
    route53 = env.aws_session.client("route53")
    zone = route53.create_hosted_zone(Name="example.jp", CallerReference="theirs")["HostedZone"][
        "Id"
    ]
    env.setup()
    assert "adopted" == StackFile(env.path).records["zone/example.jp"].state
    result = env.teardown(everything=True)
    assert "zone/example.jp" in result.kept
    tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone.split("/")[-1])
    assert [] == tags["ResourceTagSet"].get("Tags", [])
    assert {"zone": 1} == env.inventory()


def test_existing_parameter_is_adopted(env: Env) -> None:
    """Value and tags are unchanged, and teardown keeps it."""
    ssm = env.aws_session.client("ssm")
    ssm.put_parameter(Name="CHANNEL_SECRET", Value=env.secrets.channel_secret, Type="SecureString")
    env.secrets = type(env.secrets)(env.secrets.access_token, "")
    env.setup()
    assert "adopted" == StackFile(env.path).records["channel_secret/CHANNEL_SECRET"].state
    env.teardown()
    assert {"parameter": 1} == env.inventory()
    assert 1 == ssm.get_parameter(Name="CHANNEL_SECRET")["Parameter"]["Version"]


def test_name_conflict_is_an_error_of_the_plan(env: Env) -> None:
    """A load balancer with our name, without our tags."""
    subnets = env.aws_session.client("ec2").describe_subnets()["Subnets"][:2]
    env.aws_session.client("elbv2").create_load_balancer(
        Name="news-bot", Subnets=[subnet["SubnetId"] for subnet in subnets]
    )
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    assert ["Could not create load_balancer/news-bot."] == [
        refusal.what for refusal in found.errors
    ]


def test_lost_records_are_found_again(env: Env) -> None:
    """Without records, setup finds everything by tags and parents, and creates nothing."""
    env.setup()
    records = StackFile(env.path).records
    file = StackFile(env.path)
    file.records.clear()
    file.save()
    env.changes()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert [] == env.changes()
    found = StackFile(env.path).records
    assert {k: r.state for k, r in records.items()} == {k: r.state for k, r in found.items()}


DELETED_BY_HAND = [
    ("https", lambda d, r: d.client("elbv2").delete_listener(ListenerArn=r["arn"])),
    ("bootstrap_rule", lambda d, r: d.client("elbv2").delete_rule(RuleArn=r["arn"])),
    (
        "bot_from_load_balancer",
        lambda d, r: d.client("ec2").revoke_security_group_ingress(
            GroupId=r["group_id"], SecurityGroupRuleIds=[r["id"]]
        ),
    ),
    ("log_group", lambda d, r: d.client("logs").delete_log_group(logGroupName=r["log_group_name"])),
    ("access_token", lambda d, r: d.client("ssm").delete_parameter(Name=r["parameter_name"])),
    (
        "task_permissions",
        lambda d, r: d.client("iam").delete_role_policy(
            RoleName=r["role_name"], PolicyName=r["policy_name"]
        ),
    ),
    (
        "service",
        lambda d, r: d.client("ecs").delete_service(
            cluster=r["cluster_arn"], service=r["arn"], force=True
        ),
    ),
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(("line", "by_hand"), DELETED_BY_HAND, ids=[d[0] for d in DELETED_BY_HAND])
def test_deleted_resource_is_recreated(env: Env, line: str, by_hand: Any) -> None:
    """The plan says create, and setup completes the stack."""
    env.setup()
    records = StackFile(env.path).records
    key = next(key for key in records if key.partition("/")[0] == line)
    by_hand(env.aws_session, records[key].outputs)
    env.clock.advance(1)
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    assert "create" == next(step.action for step in found.steps if step.key == key)
    draining = ["CreateService"] if line == "service" else []  # its name is in use for a while
    outcome = env.setup(refused=draining)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()


def test_changed_retention_is_reverted(env: Env) -> None:
    """The plan shows the difference, and setup reverts it."""
    env.setup()
    logs = env.aws_session.client("logs")
    logs.put_retention_policy(logGroupName="/ecs/news-bot", retentionInDays=1)
    engine = env.engine()
    found = plan(engine.inspect(), engine.orphans(), prices("ap-northeast-1"))
    changes = [(step.key, step.action, step.differences[0].to_dict()) for step in found.changes]
    difference = {"path": "retentionInDays", "have": 1, "want": 30}
    assert [("log_group/news-bot", "update", difference)] == changes
    env.setup()
    assert 30 == logs.describe_log_groups()["logGroups"][0]["retentionInDays"]


def test_changed_host_is_replaced(env: Env) -> None:
    """Certificate, record and endpoint are new; the old ones are deleted once the new ones exist."""
    env.setup()
    env.set(host="bot.example.jp")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()
    assert "https://bot.example.jp/webhook" == env.sandbox.line.endpoint
    certificates = env.aws_session.client("acm").list_certificates()["CertificateSummaryList"]
    assert ["bot.example.jp"] == [certificate["DomainName"] for certificate in certificates]


def test_changed_size_is_a_new_revision(env: Env) -> None:
    """Another memory size: a new revision, which the service runs."""
    env.setup()
    env.set(service__memory="1024")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    ecs = env.aws_session.client("ecs")
    service = ecs.describe_services(cluster="news-bot", services=["news-bot"])["services"][0]
    assert "news-bot:2" == service["taskDefinition"].rpartition("/")[2]
    definition = ecs.describe_task_definition(taskDefinition="news-bot:2")["taskDefinition"]
    assert "1024" == definition["memory"]
    env.teardown()
    assert {} == env.inventory()


def test_file_of_another_account_is_rejected(env: Env) -> None:
    """A file made in one account is not used in another."""
    env.setup()
    file = StackFile(env.path)
    file.made_in["account"] = "999999999999"
    file.save()
    with pytest.raises(ProvisionError, match="made in 999999999999"):
        env.engine()


def test_teardown_without_everything_keeps_zone_and_bucket(env: Env) -> None:
    """The zone's name servers cannot be had again; its record stays for a later --everything."""
    env.setup()
    result = env.teardown(everything=False)
    assert {"zone/example.jp", "news_bucket", "network/default", "service_linked_role"} == set(
        result.kept
    )
    assert {"bucket": 1, "zone": 1} == env.inventory()
    assert ["zone/example.jp", "news_bucket"] == list(StackFile(env.path).records)
    env.teardown(everything=True)
    assert {} == env.inventory()


def test_crashing_bot_fails_setup_with_ecs_reason(env: Env) -> None:
    """Everything else is created."""
    env.sandbox.tasks.__init__(lambda environment: 1 / 0)  # type: ignore[misc]
    outcome = env.setup(wait=0)
    assert ["The service did not become stable."] == [r.what for r in outcome.errors]
    assert "Essential container" in outcome.errors[0].why
