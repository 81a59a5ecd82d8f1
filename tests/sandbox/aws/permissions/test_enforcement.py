"""Callers' policies are enforced, with AWS's error messages."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import Bot
from tests.sandbox.conftest import REGION, Account

TASKS = "ecs-tasks.amazonaws.com"
MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TRUST = {"Effect": "Allow", "Principal": {"Service": TASKS}, "Action": "sts:AssumeRole"}


def document(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement of an identity-based policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def a_role(account: Account, *statements: dict[str, Any], name: str = "bot") -> str:
    """Create a role for ECS tasks with an inline policy, propagated; return its ARN."""
    iam = account.client("iam")
    trust = document(TRUST)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    account.clock.advance(account.cloud.delays.role)
    return str(arn)


def test_role_is_asked_for_what_it_may(account: Account) -> None:
    """Inline and attached policies count; the message is AWS's."""
    role = a_role(account, allow("ssm:GetParameters", "arn:aws:ssm:*:*:parameter/TOKEN"))
    permissions, logs = account.cloud.permissions, f"arn:aws:logs:{REGION}:123456789012:*"
    token = f"arn:aws:ssm:{REGION}:123456789012:parameter/TOKEN"
    assert permissions.allows(role, "ssm:GetParameters", token)
    assert not permissions.allows(role, "ssm:GetParameters", token + "2")
    assert (
        f"User: {role} is not authorized to perform: logs:CreateLogStream on resource: {logs} "
        "because no identity-based policy allows the logs:CreateLogStream action"
    ) == permissions.denied(role, "logs:CreateLogStream", logs)
    account.client("iam").attach_role_policy(
        RoleName="bot",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    assert "" == permissions.denied(role, "logs:CreateLogStream", logs)
    assert not permissions.allows(role + "2", "logs:CreateLogStream", logs)


def test_boundary_limits(account: Account) -> None:
    """What the permissions boundary does not allow is denied."""
    iam = account.client("iam")
    role = a_role(account, allow("*"))
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("s3:*")))["Policy"]
    iam.put_role_permissions_boundary(RoleName="bot", PermissionsBoundary=boundary["Arn"])
    assert account.cloud.permissions.allows(role, "s3:ListBucket", "arn:aws:s3:::news")
    assert account.cloud.permissions.denied(role, "ssm:GetParameters", "*").endswith(
        "because no permissions boundary allows the ssm:GetParameters action"
    )


Caller = Callable[..., Any]


def a_user(account: Account, *statements: dict[str, Any], name: str = "maria") -> Caller:
    """Create a user with an inline policy; return a function that creates clients for it."""
    iam = account.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    return account.aws_session.caller(iam.create_access_key(UserName=name)["AccessKey"])


def linked(account: Account) -> None:
    """Create ECS's service-linked role, which clusters require."""
    account.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")


def session(account: Account, role: str, **more: Any) -> Caller:
    """Assume the role as a trusted user; return a function that creates the session's clients."""
    maria = a_user(account, allow("sts:AssumeRole"))
    account.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyDocument=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:user/maria"},
                "Action": "sts:AssumeRole",
            }
        ),
    )
    account.clock.advance(account.cloud.delays.role)
    answer = maria("sts").assume_role(RoleArn=role, RoleSessionName="morning", **more)
    return account.aws_session.caller(answer["Credentials"])


USER = "arn:aws:iam::123456789012:user/maria"


@pytest.mark.behaviour("permissions.caller", "permissions.words-json")
def test_user_is_held_to_her_policies(account: Account) -> None:
    """What the user's and groups' policies allow is done, the rest is denied; root may do anything."""
    iam, ecs = account.client("iam"), a_user(account, allow("ecs:DescribeClusters"))("ecs")
    linked(account)
    account.client("ecs").create_cluster(clusterName="news")
    cluster = f"arn:aws:ecs:{REGION}:123456789012:cluster/news"
    assert cluster == ecs.describe_clusters(clusters=["news"])["clusters"][0]["clusterArn"]
    refused = account.refusal(ecs.delete_cluster, cluster="news")
    expected = (
        f"User: {USER} is not authorized to perform: ecs:DeleteCluster on resource: {cluster} "
        "because no identity-based policy allows the ecs:DeleteCluster action"
    )
    assert ("AccessDeniedException", 400, expected) == refused
    iam.create_group(GroupName="operators")
    iam.put_group_policy(
        GroupName="operators", PolicyName="p", PolicyDocument=document(allow("ecs:*", cluster))
    )
    iam.add_user_to_group(GroupName="operators", UserName="maria")
    ecs.delete_cluster(cluster=cluster)


@pytest.mark.behaviour("permissions.words-query")
def test_log_of_calls_names_the_principal(account: Account) -> None:
    """Root, a user, and a role's session by ARN, whether allowed or denied."""
    role = a_role(account, allow("ecs:*"))
    account.client("ecs").list_clusters()
    session(account, role)("ecs").list_clusters()
    john = a_user(account, name="john")
    account.refusal(john("ecs").list_clusters)
    calls = [c for c in account.cloud.log if c["operation"] == "ListClusters"]
    root, bot, him = (call["caller"] for call in calls)
    assert "arn:aws:iam::123456789012:root" == root
    assert "arn:aws:sts::123456789012:assumed-role/bot/morning" == bot
    assert "arn:aws:iam::123456789012:user/john" == him


def test_access_denied_message_of_iam_and_route53(account: Account) -> None:
    """AccessDenied with 403, over REST-XML too."""
    maria = a_user(account)
    code, status, message = account.refusal(maria("iam").get_user, UserName="maria")
    assert ("AccessDenied", 403) == (code, status)
    assert message.startswith(
        f"User: {USER} is not authorized to perform: iam:GetUser on resource: {USER} because"
    )
    code, status, message = account.refusal(maria("route53").list_hosted_zones)
    assert ("AccessDenied", 403) == (code, status)
    assert "route53:ListHostedZones on resource: * because" in message


def test_roles_have_their_path(account: Account) -> None:
    """A policy for a path applies to the roles in it."""
    trust = document(
        {"Effect": "Allow", "Principal": {"Service": TASKS}, "Action": "sts:AssumeRole"}
    )
    for path in ("/bots/", "/others/"):
        account.client("iam").create_role(
            RoleName=path.strip("/"), Path=path, AssumeRolePolicyDocument=trust
        )
    maria = a_user(account, allow("iam:GetRole", "arn:aws:iam::123456789012:role/bots/*"))("iam")
    assert "/bots/" == maria.get_role(RoleName="bots")["Role"]["Path"]
    assert "AccessDenied" == account.refusal(maria.get_role, RoleName="others")[0]


@pytest.mark.behaviour("permissions.words-ec2")
def test_access_denied_message_of_ec2(account: Account) -> None:
    """UnauthorizedOperation; for a mutating call with an encoded message."""
    ec2 = a_user(account)("ec2")
    expected = (
        f"You are not authorized to perform this operation. User: {USER} is not authorized to "
        "perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs "
        "action"
    )
    assert ("UnauthorizedOperation", 403, expected) == account.refusal(ec2.describe_vpcs)
    code, _, message = account.refusal(ec2.create_vpc, CidrBlock="10.0.0.0/16")
    assert "UnauthorizedOperation" == code
    assert f"ec2:CreateVpc on resource: arn:aws:ec2:{REGION}:123456789012:vpc/*" in message
    assert ". Encoded authorization failure message: " in message


@pytest.mark.behaviour("sts.decode-message")
def test_encoded_message(account: Account) -> None:
    """DecodeAuthorizationMessage says who may not do what."""
    message = account.refusal(a_user(account)("ec2").create_vpc, CidrBlock="10.0.0.0/16")[2]
    sts = account.client("sts")
    decoded = sts.decode_authorization_message(EncodedMessage=message.split()[-1])
    assert {
        "allowed": False,
        "explicitDeny": False,
        "context": {
            "principal": {"name": "maria", "arn": USER},
            "action": "ec2:CreateVpc",
            "resource": f"arn:aws:ec2:{REGION}:123456789012:vpc/*",
        },
    } == json.loads(decoded["DecodedMessage"])
    code, status, _ = account.refusal(sts.decode_authorization_message, EncodedMessage="x")
    assert ("InvalidAuthorizationMessageException", 400) == (code, status)


@pytest.mark.behaviour("permissions.words-s3")
def test_access_denied_message_of_s3(account: Account) -> None:
    """AccessDenied with the quoted resource; HEAD has no message."""
    s3 = a_user(account)("s3")
    where = {"LocationConstraint": REGION}
    account.client("s3").create_bucket(Bucket="news-1", CreateBucketConfiguration=where)
    expected = (
        f"User: {USER} is not authorized to perform: s3:ListBucket on resource: "
        '"arn:aws:s3:::news-1" because no identity-based policy allows the s3:ListBucket action'
    )
    assert ("AccessDenied", 403, expected) == account.refusal(s3.list_objects_v2, Bucket="news-1")
    assert ("403", 403) == account.refusal(s3.head_bucket, Bucket="news-1")[:2]


@pytest.mark.behaviour("permissions.explicit-deny")
def test_deny_wins(account: Account) -> None:
    """Whatever else is allowed."""
    logs = a_user(account, allow("*"), allow("logs:Delete*", Effect="Deny"))("logs")
    logs.create_log_group(logGroupName="/bot")
    code, status, message = account.refusal(logs.delete_log_group, logGroupName="/bot")
    assert ("AccessDeniedException", 400) == (code, status)
    assert message.endswith(
        "log-group:/bot:log-stream: with an explicit deny in an identity-based policy"
    )


@pytest.mark.behaviour("permissions.boundary")
def test_boundary_of_a_role(account: Account) -> None:
    """Policy and boundary both have to allow."""
    iam, role = account.client("iam"), a_role(account, allow("*"))
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("ssm:*")))["Policy"]
    iam.put_role_permissions_boundary(RoleName="bot", PermissionsBoundary=boundary["Arn"])
    caller = session(account, role)
    assert [] == caller("ssm").describe_parameters()["Parameters"]
    code, _, message = account.refusal(caller("ecr").describe_repositories)
    assert "AccessDeniedException" == code
    assert "because no permissions boundary allows the ecr:DescribeRepositories action" in message


@pytest.mark.behaviour("permissions.boundary-condition")
def test_boundary_is_a_condition(account: Account) -> None:
    """It is the boundary of the request where that has one, otherwise the one that the role has."""
    iam = account.client("iam")
    own, other = (
        iam.create_policy(PolicyName=name, PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
        for name in ("own", "other")
    )
    bounded = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": own}}}
    maria = a_user(account, allow("iam:*", **bounded))("iam")
    role: dict[str, Any] = {"RoleName": "r", "AssumeRolePolicyDocument": document(TRUST)}
    policy = {"RoleName": "r", "PolicyName": "p", "PolicyDocument": document(allow("*"))}
    attached = {"RoleName": "r", "PolicyArn": MANAGED}

    def refused(call: Callable[..., Any], **parameters: Any) -> bool:
        return "AccessDenied" == account.refusal(call, **parameters)[0]

    assert refused(maria.create_role, **role)
    assert refused(maria.create_role, PermissionsBoundary=other, **role)
    maria.create_role(PermissionsBoundary=own, **role)
    maria.put_role_policy(**policy)
    maria.attach_role_policy(**attached)
    assert refused(maria.put_role_permissions_boundary, RoleName="r", PermissionsBoundary=other)
    maria.delete_role_permissions_boundary(RoleName="r")
    for call, parameters in (
        (maria.put_role_policy, policy),
        (maria.attach_role_policy, attached),
        (maria.detach_role_policy, attached),
        (maria.delete_role_policy, {"RoleName": "r", "PolicyName": "p"}),
        (maria.delete_role_permissions_boundary, {"RoleName": "r"}),
    ):
        assert refused(call, **parameters)


def test_boundary_of_a_user(account: Account) -> None:
    """Policy and boundary both have to allow."""
    iam, maria = account.client("iam"), a_user(account, allow("*"))
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("ssm:*")))["Policy"]
    iam.put_user_permissions_boundary(UserName="maria", PermissionsBoundary=boundary["Arn"])
    assert [] == maria("ssm").describe_parameters()["Parameters"]
    code, _, message = account.refusal(maria("ecr").describe_repositories)
    assert "AccessDeniedException" == code
    assert "because no permissions boundary allows the ecr:DescribeRepositories action" in message
    iam.delete_user_permissions_boundary(UserName="maria")
    assert [] == maria("ecr").describe_repositories()["repositories"]


@pytest.mark.behaviour("permissions.session-policy")
def test_session_policy(account: Account) -> None:
    """A session may do what both role and session policy allow."""
    role = a_role(account, allow("ssm:*"))
    reading = document(allow("ssm:Describe*"))
    ssm = session(account, role, Policy=reading)("ssm")
    assert [] == ssm.describe_parameters()["Parameters"]
    code, _, message = account.refusal(ssm.put_parameter, Name="A", Value="b", Type="String")
    assert "AccessDeniedException" == code
    assert message.startswith("User: arn:aws:sts::123456789012:assumed-role/bot/morning is not")
    assert "because no session policy allows the ssm:PutParameter action" in message


@pytest.mark.behaviour("permissions.conditions")
def test_conditions(account: Account) -> None:
    """Another region or tag is denied."""
    here = allow("ssm:*", Condition={"StringEquals": {"aws:RequestedRegion": REGION}})
    tagged = allow("ecs:*Cluster", Condition={"StringEquals": {"aws:ResourceTag/stack": "news"}})
    requested = allow("logs:*", Condition={"StringEquals": {"aws:RequestTag/stack": "news"}})
    maria = a_user(account, here, tagged, requested)
    assert [] == maria("ssm").describe_parameters()["Parameters"]
    elsewhere = maria("ssm", region_name="eu-west-1")
    assert "AccessDeniedException" == account.refusal(elsewhere.describe_parameters)[0]
    linked(account)
    for name in ("news", "other"):
        tags = [{"key": "stack", "value": name}]
        account.client("ecs").create_cluster(clusterName=name, tags=tags)
    ecs, logs = maria("ecs"), maria("logs")
    ecs.delete_cluster(cluster="news")
    assert "AccessDeniedException" == account.refusal(ecs.delete_cluster, cluster="other")[0]
    logs.create_log_group(logGroupName="/bot", tags={"stack": "news"})
    refused = account.refusal(logs.create_log_group, logGroupName="/b", tags={"stack": "old"})
    assert "AccessDeniedException" == refused[0]


@pytest.mark.behaviour("permissions.pass-role", "permissions.passed-to-service")
def test_roles_are_passed_with_permission(account: Account) -> None:
    """Registering a task definition passes its roles to ECS tasks."""
    role = a_role(account)
    tasks = {"StringEquals": {"iam:PassedToService": TASKS}}
    maria = a_user(account, allow("ecs:*"))("ecs")
    given = {
        "family": "bot",
        "containerDefinitions": [{"name": "bot", "image": "bot", "memory": 128}],
        "taskRoleArn": role,
    }
    code, status, message = account.refusal(maria.register_task_definition, **given)
    assert ("AccessDeniedException", 400) == (code, status)
    assert f"is not authorized to perform: iam:PassRole on resource: {role} because" in message
    john = a_user(account, allow("ecs:*"), allow("iam:PassRole", role, Condition=tasks), name="j")
    john("ecs").register_task_definition(**given)
    other = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    jane = a_user(account, allow("ecs:*"), allow("iam:PassRole", role, Condition=other), name="k")
    assert "iam:PassRole" in account.refusal(jane("ecs").register_task_definition, **given)[2]


@pytest.mark.behaviour("permissions.tags-at-creation")
@pytest.mark.parametrize(
    ("service", "operation", "given", "action"),
    [
        ("ecs", "create_cluster", {"tags": [{"key": "a", "value": "b"}]}, "ecs:TagResource"),
        (
            "ec2",
            "create_vpc",
            {
                "CidrBlock": "10.0.0.0/16",
                "TagSpecifications": [
                    {"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}
                ],
            },
            "ec2:CreateTags",
        ),
        (
            "ssm",
            "put_parameter",
            {"Name": "A", "Value": "b", "Type": "String", "Tags": [{"Key": "a", "Value": "b"}]},
            "ssm:AddTagsToResource",
        ),
    ],
)
def test_tags_need_permission(
    account: Account, service: str, operation: str, given: dict[str, Any], action: str
) -> None:
    """All of the service's actions except tagging are not enough."""
    linked(account)
    denied = allow(action, Effect="Deny")
    client = a_user(account, allow(f"{service}:*"), denied)(service)
    code, _, message = account.refusal(getattr(client, operation), **given)
    assert code in ("AccessDeniedException", "UnauthorizedOperation")
    assert f"is not authorized to perform: {action} on resource" in message
    untagged = {name: value for name, value in given.items() if "ags" not in name[:4]}
    untagged.pop("TagSpecifications", None)
    getattr(client, operation)(**untagged)


@pytest.mark.behaviour("permissions.hosted-zone")
def test_create_hosted_zone_needs_describe_vpcs(account: Account) -> None:
    """route53:* alone is not enough to create a zone."""
    given = {"Name": "example.jp", "CallerReference": "1"}
    client = a_user(account, allow("route53:*"))("route53")
    code, status, message = account.refusal(client.create_hosted_zone, **given)
    assert ("AccessDenied", 403, True) == (code, status, "ec2:DescribeVpcs" in message)
    more = a_user(account, allow(["route53:*", "ec2:DescribeVpcs"]), name="john")("route53")
    more.create_hosted_zone(**given)


@pytest.mark.behaviour("permissions.bucket-ownership")
def test_object_ownership_needs_permission(account: Account) -> None:
    """s3:CreateBucket alone creates no bucket with ObjectOwnership, s3:PutBucketOwnershipControls too."""
    where = {"LocationConstraint": REGION}
    given = {"Bucket": "news-1", "CreateBucketConfiguration": where}
    owned = given | {"ObjectOwnership": "BucketOwnerEnforced"}
    maria = a_user(account, allow("s3:CreateBucket"))("s3")
    code, _, message = account.refusal(maria.create_bucket, **owned)
    assert ("AccessDenied", True) == (code, "s3:PutBucketOwnershipControls" in message)
    more = a_user(
        account, allow(["s3:CreateBucket", "s3:PutBucketOwnershipControls"]), name="john"
    )("s3")
    more.create_bucket(**owned)
    maria.create_bucket(**given | {"Bucket": "news-2"})


@pytest.mark.behaviour("permissions.load-balancer-linked-role")
def test_first_load_balancer_needs_linked_role(account: Account) -> None:
    """The first target group or load balancer makes ELB's service-linked role, which needs a permission."""
    (vpc,) = account.client("ec2").describe_vpcs()["Vpcs"]
    given = {"Name": "bot", "Protocol": "HTTP", "Port": 80, "VpcId": vpc["VpcId"]}
    maria = a_user(account, allow("elasticloadbalancing:*"))("elbv2")
    code, _, message = account.refusal(maria.create_target_group, **given)
    arn = "arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"
    assert "AccessDenied" == code
    assert f"iam:CreateServiceLinkedRole on resource: {arn} because" in message
    account.client("elbv2").create_target_group(**given)
    made = account.client("iam").get_role(RoleName="AWSServiceRoleForElasticLoadBalancing")["Role"]
    assert "/aws-service-role/elasticloadbalancing.amazonaws.com/" == made["Path"]
    maria.create_target_group(**given | {"Name": "other"})


@pytest.mark.behaviour("permissions.record-names")
def test_record_names_are_a_condition(account: Account) -> None:
    """A policy can limit ChangeResourceRecordSets to names, in lower case and without the final dot."""
    zone = account.client("route53").create_hosted_zone(Name="example.jp", CallerReference="1")
    key = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    below = {"ForAllValues:StringLike": {key: ["bot.example.jp", "*.bot.example.jp"]}}
    maria = a_user(account, allow("route53:ChangeResourceRecordSets", Condition=below))("route53")

    def batch(*names: str) -> dict[str, Any]:
        values = [{"Value": "192.0.2.1"}]
        records = [
            {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": values} for name in names
        ]
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
        zone_id = zone["HostedZone"]["Id"]
        return {"HostedZoneId": zone_id, "ChangeBatch": {"Changes": changes}}

    maria.change_resource_record_sets(**batch("Bot.example.jp.", "www.bot.example.jp"))
    for names in (("example.jp",), ("bot.example.jp", "www.example.jp")):
        refused = account.refusal(maria.change_resource_record_sets, **batch(*names))
        assert "AccessDenied" == refused[0]


def test_recorded_checks(account: Account) -> None:
    """Each permission that a user's call needed is recorded, with the answer."""
    maria = a_user(account, allow("ssm:DescribeParameters"))("ssm")
    maria.describe_parameters()
    account.refusal(maria.get_parameter, Name="TOKEN")
    token = f"arn:aws:ssm:{REGION}:123456789012:parameter/TOKEN"
    assert {
        (USER, "ssm:DescribeParameters", "*", True),
        (USER, "ssm:GetParameter", token, False),
    } == account.cloud.permissions.checks


@pytest.mark.parametrize(
    ("service", "operation", "given", "action", "resource"),
    [
        (
            "ec2",
            "modify_security_group_rules",
            {
                "GroupId": "sg-12345678",
                "SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-12345678"}],
            },
            "ec2:ModifySecurityGroupRules",
            f"arn:aws:ec2:{REGION}:123456789012:security-group/sg-12345678",
        ),
        (
            "iam",
            "simulate_principal_policy",
            {"PolicySourceArn": USER, "ActionNames": ["s3:GetObject"]},
            "iam:SimulatePrincipalPolicy",
            USER,
        ),
        (
            "route53",
            "list_tags_for_resources",
            {"ResourceType": "hostedzone", "ResourceIds": ["Z12345678"]},
            "route53:ListTagsForResources",
            "arn:aws:route53:::hostedzone/Z12345678",
        ),
        (
            "ecs",
            "run_task",
            {
                "cluster": "news",
                "taskDefinition": "bot:1",
                "tags": [{"key": "a", "value": "b"}],
            },
            "ecs:TagResource",
            f"arn:aws:ecs:{REGION}:123456789012:task/news/*",
        ),
        (
            "elbv2",
            "create_rule",
            {
                "ListenerArn": f"arn:aws:elasticloadbalancing:{REGION}:123456789012:listener/app/a/1/2",
                "Conditions": [],
                "Priority": 1,
                "Actions": [],
                "Tags": [{"Key": "a", "Value": "b"}],
            },
            "elasticloadbalancing:AddTags",
            f"arn:aws:elasticloadbalancing:{REGION}:123456789012:listener-rule/app/a/1/2/*",
        ),
    ],
)
def test_resources_in_messages(
    account: Account,
    service: str,
    operation: str,
    given: dict[str, Any],
    action: str,
    resource: str,
) -> None:
    """The resource for which a permission is needed (Service Authorization Reference)."""
    client = a_user(account, allow("*"), allow(action, Effect="Deny"))(service)
    assert (
        f"{action} on resource: {resource} "
        in account.refusal(getattr(client, operation), **given)[2]
    )


@pytest.mark.behaviour("permissions.free")
def test_get_caller_identity_is_always_allowed(account: Account) -> None:
    """GetCallerIdentity works even with a deny of everything."""
    sts = a_user(account, allow("*", Effect="Deny"))("sts")
    assert USER == sts.get_caller_identity()["Arn"]


@pytest.mark.behaviour("permissions.task-role")
def test_task_calls_as_its_role(account: Account) -> None:
    """Each task has its own session with the role's permissions."""
    bot = Bot(account)
    account.clock.step = 5.0
    bot.settle()
    bot.create()
    bot.steady()
    environment = bot.tasks.started[0].environment
    caller = account.aws_session.caller(
        {
            "AccessKeyId": environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": environment["AWS_SESSION_TOKEN"],
        }
    )
    task = account.client("ecs").list_tasks(cluster="news")["taskArns"][0].rpartition("/")[2]
    who = f"arn:aws:sts::123456789012:assumed-role/bot/{task}"
    assert who == caller("sts").get_caller_identity()["Arn"]
    found = caller("ssm").get_parameters(Names=["ACCESS_TOKEN"], WithDecryption=True)
    assert "the ACCESS_TOKEN" == found["Parameters"][0]["Value"]
    code, _, message = account.refusal(caller("ssm").delete_parameter, Name="ACCESS_TOKEN")
    assert "AccessDeniedException" == code
    assert message.startswith(f"User: {who} is not authorized")
