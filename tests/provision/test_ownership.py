"""A stack.yaml from elsewhere: what its records name is left as it is, unless its own tags say it is ours."""

import json
from collections.abc import Callable

import pytest

from provision.state.records import Record
from provision.state.stack_file import StackFile
from tests.provision.account_snapshot import snapshot
from tests.provision.conftest import ANSWERS, WHOLE, Env
from tests.provision.drift_cases import POLICY, TRUST

OTHER = {
    "name": "shop-bot",
    "host": "shop.example.jp",
    "line.access_token_parameter": "SHOP_TOKEN",
    "line.channel_secret_parameter": "SHOP_SECRET",
}
HERE = {"LocationConstraint": "ap-northeast-1"}


def write(env: Env, settings: dict[str, str], records: dict[str, Record]) -> None:
    """A file as it comes with a mail: no copy of it lies beside it."""
    for path in (env.path, env.path.with_name(f".{env.path.name}.last")):
        path.unlink(missing_ok=True)
    file = StackFile(env.path)
    for key, value in settings.items():
        file.set(key, value)
    file.made_in = {"account": "123456789012", "region": "ap-northeast-1"}
    for key, record in records.items():
        file.record(key, record)


def zone(env: Env) -> Record:
    """An empty hosted zone."""
    made = env.aws_session.client("route53").create_hosted_zone(
        Name="their.example", CallerReference="theirs"
    )
    return Record("HostedZone", "created", {"id": made["HostedZone"]["Id"].rpartition("/")[2]})


def bucket(env: Env) -> Record:
    """A bucket with an object where the news would be."""
    s3 = env.aws_session.client("s3")
    s3.create_bucket(Bucket="their-data", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="their-data", Key="news/photo.jpg", Body=b"x")
    return Record("NewsBucket", "created", {"bucket": "their-data"})


def empty_bucket(env: Env) -> Record:
    """A bucket without an object."""
    env.aws_session.client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration=HERE)
    return Record("NewsBucket", "created", {"bucket": "theirs"})


def role(env: Env) -> Record:
    """A role with a policy."""
    iam = env.aws_session.client("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="theirs", PolicyName="theirs", PolicyDocument=POLICY)
    return Record("Role", "created", {"role_name": "theirs"})


def policy(env: Env) -> Record:
    """The policy of somebody's role."""
    role(env)
    outputs = {"role_name": "theirs", "policy_name": "theirs"}
    return Record("TaskPermissions", "created", outputs)


def repository(env: Env) -> Record:
    """A repository."""
    env.aws_session.client("ecr").create_repository(repositoryName="theirs")
    return Record("Repository", "created", {"repository_name": "theirs"})


def log_group(env: Env) -> Record:
    """A log group."""
    env.aws_session.client("logs").create_log_group(logGroupName="/their/log")
    return Record("LogGroup", "created", {"log_group_name": "/their/log"})


def parameter(env: Env) -> Record:
    """A parameter, as one whose create call was on its way."""
    env.aws_session.client("ssm").put_parameter(Name="THEIRS", Value="x", Type="SecureString")
    return Record("Parameter", "creating", {"parameter_name": "THEIRS"})


def vpc(env: Env) -> Record:
    """A VPC."""
    made = env.aws_session.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]
    return Record("Vpc", "created", {"id": made["VpcId"]})


def default_network(env: Env) -> Record:
    """The default VPC, which provision never makes."""
    made = env.aws_session.client("ec2").describe_vpcs()["Vpcs"][0]
    return Record("ExistingNetwork", "created", {"vpc_id": made["VpcId"]})


def record_set(env: Env) -> Record:
    """A record in somebody's zone."""
    known = zone(env).outputs
    record = {
        "Name": "www.their.example",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "203.0.113.9"}],
    }
    env.aws_session.client("route53").change_resource_record_sets(
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
def test_without_tags(env: Env, thing: Callable[[Env], Record], verb: str) -> None:
    """A record of somebody's, under a key that no line of stack.py has: refused by its line, untouched."""
    record = thing(env)
    write(env, ANSWERS, {"former/theirs": record})
    lines = env.path.read_text().splitlines()
    line = lines.index("  former/theirs:") + 1
    before = snapshot(env)
    if verb == "setup":
        said = [str(refusal) for refusal in env.setup().errors]
    else:
        gone = env.teardown(everything=True)
        assert ([], []) == (gone.left, [key for key in gone.deleted if "former" in key])
        said = [str(refusal) for refusal in gone.errors]
    expected = [f"(stack.yaml, line {line})"] if thing in REFUSED[verb] else []
    assert expected == [
        f"({each.partition('(')[2].partition(')')[0].rpartition('/')[2]})" for each in said
    ]
    after = snapshot(env)
    assert before == {key: after.get(key) for key in before if key != "webhook"} | {
        "webhook": before["webhook"]
    }


def test_another_stacks(env: Env) -> None:
    """Every record of another stack that stands in the account, but one: teardown takes none of them."""
    write(env, {**ANSWERS, **OTHER}, {})
    assert [] == env.setup().errors
    records = dict(StackFile(env.path).records)
    del records["cluster/shop-bot"]
    assert {"created", "adopted"} == {record.state for record in records.values()}
    before = snapshot(env)
    write(env, ANSWERS, records)
    env.changes()
    gone = env.teardown(everything=True)
    assert ([], []) == (env.changes(), gone.deleted)
    assert before == snapshot(env)
    assert gone.errors


def test_setup_changes_nothing_of_theirs(env: Env) -> None:
    """Somebody's role recorded as ours: neither its trust nor its policies are touched, and setup says so."""
    iam = env.aws_session.client("iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
    key = "task_role/news-bot-task-ap-northeast-1"
    arn = "arn:aws:iam::123456789012:role/admin"
    write(env, ANSWERS, {key: Record("Role", "created", {"role_name": "admin", "arn": arn})})
    before = snapshot(env)[arn]
    said = [str(refusal) for refusal in env.setup(wait=0).errors]
    assert [True] == ["IAM" in each and "admin" in each for each in said]
    assert before == snapshot(env)[arn]


def test_nothing_is_put_into_theirs(env: Env) -> None:
    """Somebody's role that trusts whom we trust has nothing to change: no policy of ours gets into it."""
    env.setup()
    iam = env.aws_session.client("iam")
    key = "task_role/news-bot-task-ap-northeast-1"
    trust = iam.get_role(RoleName="news-bot-task-ap-northeast-1")["Role"]
    made = iam.create_role(
        RoleName="admin",
        AssumeRolePolicyDocument=json.dumps(trust["AssumeRolePolicyDocument"]),
    )
    arn = made["Role"]["Arn"]
    file = StackFile(env.path)
    file.record(key, Record("Role", "created", {"role_name": "admin", "arn": arn}))
    file.forget("task_permissions/news-bot-task-ap-northeast-1")
    before = snapshot(env)[arn]
    assert [True] == ["admin" in str(refusal) for refusal in env.setup(wait=0).errors]
    assert before == snapshot(env)[arn]


def test_the_rest_goes(env: Env) -> None:
    """One record of somebody's among ours: all else is taken away."""
    env.setup()
    theirs = role(env)
    file = StackFile(env.path)
    file.record("task_role/news-bot-task-ap-northeast-1", theirs)
    gone = env.teardown(everything=True)
    assert ["task_role/news-bot-task-ap-northeast-1"] == [k for k in gone.kept if "task_role" in k]
    assert 1 == len(gone.errors)
    ours = "arn:aws:iam::123456789012:role/news-bot-task-ap-northeast-1"
    assert [f"task_role/news-bot-task-ap-northeast-1 ({ours})"] == gone.left
    StackFile(env.path).forget("task_role/news-bot-task-ap-northeast-1")
    assert ([], []) == ((gone := env.teardown()).errors, gone.left)
    assert {"role": 1, "policy": 1} == env.inventory()


def test_ours_in_a_zone_that_was_there(env: Env) -> None:
    """In somebody's zone alias and validation record are ours by what they name."""
    made = env.aws_session.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="theirs"
    )
    env.sandbox.cloud.registrar.enter("example.jp", made["DelegationSet"]["NameServers"])
    assert [] == env.setup().errors
    env.set(name="shop-bot")
    draining = ["DeleteCluster", "DeleteSecurityGroup"]  # tried while the old service drains
    assert [] == env.setup(refused=draining).errors
    assert WHOLE == env.inventory()
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert {"zone": 1} == env.inventory()


def test_untagged_but_ours(env: Env) -> None:
    """Zone and bucket whose tags never came, because the power went off: ours by how they were made."""
    env.setup()
    route53, s3 = env.aws_session.client("route53"), env.aws_session.client("s3")
    records = StackFile(env.path).records
    zone_id = records["zone/example.jp"].outputs["id"]
    told = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    names = [tag["Key"] for tag in told["ResourceTagSet"]["Tags"]]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone_id, RemoveTagKeys=names
    )
    s3.delete_bucket_tagging(Bucket=records["news_bucket"].outputs["bucket"])
    gone = env.teardown(everything=True)
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()
