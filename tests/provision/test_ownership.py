"""A stack.yaml from elsewhere: recorded resources are changed only if their tags say that they are ours."""

import json
from collections.abc import Callable

import botocore.exceptions
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


def write_stack_file(env: Env, settings: dict[str, str], records: dict[str, Record]) -> None:
    """Write a file as received from somebody, without a backup beside it."""
    for path in (env.path, env.path.with_name(f".{env.path.name}.last")):
        path.unlink(missing_ok=True)
    file = StackFile(env.path)
    for key, value in settings.items():
        file.set(key, value)
    file.made_in = {"account": "123456789012", "region": "ap-northeast-1"}
    for key, record in records.items():
        file.record(key, record)


def zone(env: Env) -> Record:
    """Create an empty hosted zone."""
    made = env.aws_session.client("route53").create_hosted_zone(
        Name="their.example", CallerReference="theirs"
    )
    return Record("HostedZone", "created", {"id": made["HostedZone"]["Id"].rpartition("/")[2]})


def bucket(env: Env) -> Record:
    """Create a bucket with an object where the news would be."""
    s3 = env.aws_session.client("s3")
    s3.create_bucket(Bucket="their-data", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="their-data", Key="news/photo.jpg", Body=b"x")
    return Record("NewsBucket", "created", {"bucket": "their-data"})


def empty_bucket(env: Env) -> Record:
    """Create a bucket without an object."""
    env.aws_session.client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration=HERE)
    return Record("NewsBucket", "created", {"bucket": "theirs"})


def role(env: Env) -> Record:
    """Create a role with a policy."""
    iam = env.aws_session.client("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="theirs", PolicyName="theirs", PolicyDocument=POLICY)
    return Record("Role", "created", {"role_name": "theirs"})


def policy(env: Env) -> Record:
    """Create a role with a policy; return the policy's record."""
    role(env)
    outputs = {"role_name": "theirs", "policy_name": "theirs"}
    return Record("TaskPermissions", "created", outputs)


def repository(env: Env) -> Record:
    """Create a repository."""
    env.aws_session.client("ecr").create_repository(repositoryName="theirs")
    return Record("Repository", "created", {"repository_name": "theirs"})


def log_group(env: Env) -> Record:
    """Create a log group."""
    env.aws_session.client("logs").create_log_group(logGroupName="/their/log")
    return Record("LogGroup", "created", {"log_group_name": "/their/log"})


def parameter(env: Env) -> Record:
    """Create a parameter; return a record as of an unfinished create call."""
    env.aws_session.client("ssm").put_parameter(Name="THEIRS", Value="x", Type="SecureString")
    return Record("Parameter", "creating", {"parameter_name": "THEIRS"})


def vpc(env: Env) -> Record:
    """Create a VPC."""
    made = env.aws_session.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]
    return Record("Vpc", "created", {"id": made["VpcId"]})


def default_network(env: Env) -> Record:
    """Return a record of the default VPC, which provision never creates."""
    made = env.aws_session.client("ec2").describe_vpcs()["Vpcs"][0]
    return Record("ExistingNetwork", "created", {"vpc_id": made["VpcId"]})


def record_set(env: Env) -> Record:
    """Create a record in a foreign zone."""
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


FOREIGN_RESOURCES = [
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


# The others are kept for other reasons: not found by our tags, contains news, never created by provision.
REJECTED = {
    "setup": [t for t in FOREIGN_RESOURCES if t not in (parameter, bucket, default_network)],
    "teardown": [t for t in FOREIGN_RESOURCES if t not in (parameter, default_network)],
}


@pytest.mark.sample(8)
@pytest.mark.parametrize("verb", ["setup", "teardown"])
@pytest.mark.parametrize("create", FOREIGN_RESOURCES, ids=lambda create: create.__name__)
def test_foreign_resource_without_our_tags_is_not_changed(
    env: Env, create: Callable[[Env], Record], verb: str
) -> None:
    """It is recorded under an unknown key: rejected with its line, and unchanged."""
    record = create(env)
    write_stack_file(env, ANSWERS, {"former/theirs": record})
    lines = env.path.read_text().splitlines()
    line = lines.index("  former/theirs:") + 1
    before = snapshot(env)
    if verb == "setup":
        errors = [str(refusal) for refusal in env.setup().errors]
    else:
        result = env.teardown(everything=True)
        assert ([], []) == (result.left, [key for key in result.deleted if "former" in key])
        errors = [str(refusal) for refusal in result.errors]
    expected = [f"(stack.yaml, line {line})"] if create in REJECTED[verb] else []
    assert expected == [
        f"({each.partition('(')[2].partition(')')[0].rpartition('/')[2]})" for each in errors
    ]
    after = snapshot(env)
    assert before == {key: after.get(key) for key in before if key != "webhook"} | {
        "webhook": before["webhook"]
    }


def test_resources_of_another_stack_are_not_deleted(env: Env) -> None:
    """All records of another stack but one: teardown deletes none of them."""
    write_stack_file(env, {**ANSWERS, **OTHER}, {})
    assert [] == env.setup().errors
    records = dict(StackFile(env.path).records)
    del records["cluster/shop-bot"]
    assert {"created", "adopted"} == {record.state for record in records.values()}
    before = snapshot(env)
    write_stack_file(env, ANSWERS, records)
    env.changes()
    result = env.teardown(everything=True)
    assert ([], []) == (env.changes(), result.deleted)
    assert before == snapshot(env)
    assert result.errors


@pytest.mark.parametrize("listing", ["DescribeListeners", "List", "DescribeClusters"])
def test_another_stack_whose_resources_cannot_be_listed(env: Env, listing: str) -> None:
    """Teardown deletes nothing while it is unknown whether the tag is this stack's former name."""
    write_stack_file(env, {**ANSWERS, **OTHER}, {})
    assert [] == env.setup().errors
    records = dict(StackFile(env.path).records)
    del records["cluster/shop-bot"]
    before = snapshot(env)
    write_stack_file(env, ANSWERS, records)
    env.changes()

    def deny(operation: str) -> None:
        if operation.startswith(listing):
            answer = {"Error": {"Code": "AccessDenied", "Message": "no"}}
            raise botocore.exceptions.ClientError(answer, operation)

    env.aws_session.before = deny
    result = env.teardown(everything=True)
    assert ([], []) == (env.changes(), result.deleted)
    env.aws_session.free()
    assert before == snapshot(env)


def test_setup_does_not_change_a_foreign_role(env: Env) -> None:
    """Setup reports a foreign role recorded as ours, and changes neither its trust nor its policies."""
    iam = env.aws_session.client("iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
    key = "task_role/news-bot-task-ap-northeast-1"
    arn = "arn:aws:iam::123456789012:role/admin"
    write_stack_file(
        env, ANSWERS, {key: Record("Role", "created", {"role_name": "admin", "arn": arn})}
    )
    before = snapshot(env)[arn]
    errors = [str(refusal) for refusal in env.setup(wait=0).errors]
    assert [True] == ["IAM" in each and "admin" in each for each in errors]
    assert before == snapshot(env)[arn]


def test_setup_adds_no_policy_to_a_foreign_role(env: Env) -> None:
    """A foreign role with our trust policy needs no change: no policy of ours is added to it."""
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


def test_teardown_deletes_everything_else(env: Env) -> None:
    """One foreign resource among our records: everything else is deleted."""
    env.setup()
    foreign = role(env)
    file = StackFile(env.path)
    file.record("task_role/news-bot-task-ap-northeast-1", foreign)
    result = env.teardown(everything=True)
    assert ["task_role/news-bot-task-ap-northeast-1"] == [
        k for k in result.kept if "task_role" in k
    ]
    assert 1 == len(result.errors)
    ours = "arn:aws:iam::123456789012:role/provision/news-bot-task-ap-northeast-1"
    assert [f"task_role/news-bot-task-ap-northeast-1 ({ours})"] == result.left
    StackFile(env.path).forget("task_role/news-bot-task-ap-northeast-1")
    assert ([], []) == ((result := env.teardown()).errors, result.left)
    assert {"role": 1, "policy": 1} == env.inventory()


def test_our_records_in_an_adopted_zone(env: Env) -> None:
    """Alias and validation record in an adopted zone are ours because of what they point at."""
    made = env.aws_session.client("route53").create_hosted_zone(
        Name="example.jp", CallerReference="theirs"
    )
    env.sandbox.cloud.registrar.enter("example.jp", made["DelegationSet"]["NameServers"])
    assert [] == env.setup().errors
    env.set(name="shop-bot")
    draining = ["DeleteCluster", "DeleteSecurityGroup"]  # while the old service drains
    assert [] == env.setup(refused=draining).errors
    assert WHOLE == env.inventory()
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert {"zone": 1} == env.inventory()


def test_untagged_resources_of_an_interrupted_create_are_ours(env: Env) -> None:
    """Zone and bucket without tags, after a power cut: ours because of how they were created."""
    env.setup()
    route53, s3 = env.aws_session.client("route53"), env.aws_session.client("s3")
    records = StackFile(env.path).records
    zone_id = records["zone/example.jp"].outputs["id"]
    tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    names = [tag["Key"] for tag in tags["ResourceTagSet"]["Tags"]]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone_id, RemoveTagKeys=names
    )
    s3.delete_bucket_tagging(Bucket=records["news_bucket"].outputs["bucket"])
    result = env.teardown(everything=True)
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()
