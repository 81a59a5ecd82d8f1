"""A stack.yaml from elsewhere: what its records name is left as it is, unless its own tags say it is ours."""

import json
from collections.abc import Callable

import pytest

from provision.records import Record
from provision.stackfile import StackFile
from tests.provision.by_hand import POLICY, TRUST
from tests.provision.conftest import ANSWERS, WHOLE, Desk
from tests.provision.theirs import snapshot

OTHER = {
    "name": "shop-bot",
    "host": "shop.example.jp",
    "line.access_token_parameter": "SHOP_TOKEN",
    "line.channel_secret_parameter": "SHOP_SECRET",
}
HERE = {"LocationConstraint": "ap-northeast-1"}


def write(desk: Desk, settings: dict[str, str], records: dict[str, Record]) -> None:
    """A file as it comes with a mail: no copy of it lies beside it."""
    for path in (desk.path, desk.path.with_name(f".{desk.path.name}.last")):
        path.unlink(missing_ok=True)
    file = StackFile(desk.path)
    for key, value in settings.items():
        file.answer(key, value)
    file.made_in = {"account": "123456789012", "region": "ap-northeast-1"}
    for key, record in records.items():
        file.record(key, record)


def zone(desk: Desk) -> Record:
    """An empty hosted zone."""
    made = desk.cable.client("route53").create_hosted_zone(
        Name="their.example", CallerReference="theirs"
    )
    return Record("HostedZone", "created", {"id": made["HostedZone"]["Id"].rpartition("/")[2]})


def bucket(desk: Desk) -> Record:
    """A bucket with an object where the news would be."""
    s3 = desk.cable.client("s3")
    s3.create_bucket(Bucket="their-data", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="their-data", Key="news/photo.jpg", Body=b"x")
    return Record("NewsBucket", "created", {"bucket": "their-data"})


def empty_bucket(desk: Desk) -> Record:
    """A bucket without an object."""
    desk.cable.client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration=HERE)
    return Record("NewsBucket", "created", {"bucket": "theirs"})


def role(desk: Desk) -> Record:
    """A role with a policy."""
    iam = desk.cable.client("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="theirs", PolicyName="theirs", PolicyDocument=POLICY)
    return Record("Role", "created", {"role_name": "theirs"})


def policy(desk: Desk) -> Record:
    """The policy of somebody's role."""
    role(desk)
    outputs = {"role_name": "theirs", "policy_name": "theirs"}
    return Record("TaskPermissions", "created", outputs)


def repository(desk: Desk) -> Record:
    """A repository."""
    desk.cable.client("ecr").create_repository(repositoryName="theirs")
    return Record("Repository", "created", {"repository_name": "theirs"})


def log_group(desk: Desk) -> Record:
    """A log group."""
    desk.cable.client("logs").create_log_group(logGroupName="/their/log")
    return Record("LogGroup", "created", {"log_group_name": "/their/log"})


def parameter(desk: Desk) -> Record:
    """A parameter, as one whose create call was on its way."""
    desk.cable.client("ssm").put_parameter(Name="THEIRS", Value="x", Type="SecureString")
    return Record("Parameter", "creating", {"parameter_name": "THEIRS"})


def vpc(desk: Desk) -> Record:
    """A VPC."""
    made = desk.cable.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]
    return Record("Vpc", "created", {"id": made["VpcId"]})


def default_network(desk: Desk) -> Record:
    """The default VPC, which provision never makes."""
    made = desk.cable.client("ec2").describe_vpcs()["Vpcs"][0]
    return Record("ExistingNetwork", "created", {"vpc_id": made["VpcId"]})


def record_set(desk: Desk) -> Record:
    """A record in somebody's zone."""
    known = zone(desk).outputs
    record = {
        "Name": "www.their.example",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "203.0.113.9"}],
    }
    desk.cable.client("route53").change_resource_record_sets(
        HostedZoneId=known["id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    outputs = {"zone_id": known["id"], "name": "www.their.example", "type": "A"}
    return Record("Alias", "created", outputs)


THINGS = [
    zone,
    bucket,
    empty_bucket,
    role,
    policy,
    repository,
    log_group,
    parameter,
    vpc,
    default_network,
    record_set,
]


# The others stay for another reason: no tags of ours name it; it holds news; provision never makes one.
REFUSED = {
    "setup": [t for t in THINGS if t not in (parameter, bucket, default_network)],
    "teardown": [t for t in THINGS if t not in (parameter, default_network)],
}


@pytest.mark.parametrize("verb", ["setup", "teardown"])
@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__name__)
def test_without_tags(desk: Desk, thing: Callable[[Desk], Record], verb: str) -> None:
    """A record of somebody's, under a key that no line of stack.py has: refused by its line, untouched."""
    record = thing(desk)
    write(desk, ANSWERS, {"former/theirs": record})
    lines = desk.path.read_text().splitlines()
    line = lines.index("  former/theirs:") + 1
    before = snapshot(desk)
    if verb == "setup":
        said = [str(refusal) for refusal in desk.setup().refusals]
    else:
        gone = desk.teardown(everything=True)
        assert ([], []) == (gone.left, [key for key in gone.deleted if "former" in key])
        said = [str(refusal) for refusal in gone.refusals]
    expected = [f"(stack.yaml, line {line})"] if thing in REFUSED[verb] else []
    assert expected == [
        f"({each.partition('(')[2].partition(')')[0].rpartition('/')[2]})" for each in said
    ]
    after = snapshot(desk)
    assert before == {key: after.get(key) for key in before if key != "webhook"} | {
        "webhook": before["webhook"]
    }


def test_another_stacks(desk: Desk) -> None:
    """Every record of another stack that stands in the account, but one: teardown takes none of them."""
    write(desk, {**ANSWERS, **OTHER}, {})
    assert [] == desk.setup().refusals
    records = dict(StackFile(desk.path).records)
    del records["cluster/shop-bot"]
    assert {"created", "adopted"} == {record.state for record in records.values()}
    before = snapshot(desk)
    write(desk, ANSWERS, records)
    desk.changes()
    gone = desk.teardown(everything=True)
    assert ([], []) == (desk.changes(), gone.deleted)
    assert before == snapshot(desk)
    assert gone.refusals


def test_setup_changes_nothing_of_theirs(desk: Desk) -> None:
    """Somebody's role recorded as ours: neither its trust nor its policies are touched, and setup says so."""
    iam = desk.cable.client("iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
    key = "task_role/news-bot-task-ap-northeast-1"
    arn = "arn:aws:iam::123456789012:role/admin"
    write(desk, ANSWERS, {key: Record("Role", "created", {"role_name": "admin", "arn": arn})})
    before = snapshot(desk)[arn]
    said = [str(refusal) for refusal in desk.setup(wait=0).refusals]
    assert [True] == ["IAM" in each and "admin" in each for each in said]
    assert before == snapshot(desk)[arn]


def test_nothing_is_put_into_theirs(desk: Desk) -> None:
    """Somebody's role that trusts whom we trust has nothing to change: no policy of ours gets into it."""
    desk.setup()
    iam = desk.cable.client("iam")
    key = "task_role/news-bot-task-ap-northeast-1"
    trust = iam.get_role(RoleName="news-bot-task-ap-northeast-1")["Role"]
    made = iam.create_role(
        RoleName="admin",
        AssumeRolePolicyDocument=json.dumps(trust["AssumeRolePolicyDocument"]),
    )
    arn = made["Role"]["Arn"]
    file = StackFile(desk.path)
    file.record(key, Record("Role", "created", {"role_name": "admin", "arn": arn}))
    file.forget("task_permissions/news-bot-task-ap-northeast-1")
    before = snapshot(desk)[arn]
    assert [True] == ["admin" in str(refusal) for refusal in desk.setup(wait=0).refusals]
    assert before == snapshot(desk)[arn]


def test_the_rest_goes(desk: Desk) -> None:
    """One record of somebody's among ours: all else is taken away."""
    desk.setup()
    theirs = role(desk)
    file = StackFile(desk.path)
    file.record("task_role/news-bot-task-ap-northeast-1", theirs)
    gone = desk.teardown(everything=True)
    assert ["task_role/news-bot-task-ap-northeast-1"] == [k for k in gone.kept if "task_role" in k]
    assert 1 == len(gone.refusals)
    ours = "arn:aws:iam::123456789012:role/news-bot-task-ap-northeast-1"
    assert [f"task_role/news-bot-task-ap-northeast-1 ({ours})"] == gone.left
    StackFile(desk.path).forget("task_role/news-bot-task-ap-northeast-1")
    assert ([], []) == ((gone := desk.teardown()).refusals, gone.left)
    assert {"role": 1, "policy": 1} == desk.inventory()


def test_ours_in_a_zone_that_was_there(desk: Desk) -> None:
    """In somebody's zone alias and validation record are ours by what they name."""
    made = desk.cable.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="theirs"
    )
    desk.sandbox.cloud.registrar.enter("example.jp", made["DelegationSet"]["NameServers"])
    assert [] == desk.setup().refusals
    desk.set(name="shop-bot")
    draining = ["DeleteCluster", "DeleteSecurityGroup"]  # tried while the old service drains
    assert [] == desk.setup(refused=draining).refusals
    assert WHOLE == desk.inventory()
    gone = desk.teardown(everything=True)
    assert ([], []) == (gone.refusals, gone.left)
    assert {"zone": 1} == desk.inventory()


def test_untagged_but_ours(desk: Desk) -> None:
    """Zone and bucket whose tags never came, because the power went off: ours by how they were made."""
    desk.setup()
    route53, s3 = desk.cable.client("route53"), desk.cable.client("s3")
    records = StackFile(desk.path).records
    zone_id = records["zone/example.jp"].outputs["id"]
    told = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    names = [tag["Key"] for tag in told["ResourceTagSet"]["Tags"]]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone_id, RemoveTagKeys=names
    )
    s3.delete_bucket_tagging(Bucket=records["news_bucket"].outputs["bucket"])
    gone = desk.teardown(everything=True)
    assert ([], []) == (gone.refusals, gone.left)
    assert {} == desk.inventory()
