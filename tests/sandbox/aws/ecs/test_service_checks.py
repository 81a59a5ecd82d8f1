"""ECS CreateService, UpdateService, DeleteService: what they reject."""

from typing import Any

import pytest

from tests.sandbox.aws.ecs.bot_service import TRUST, Bot

INVALID = ("InvalidParameterException", 400)


@pytest.fixture
def registered(bot: Bot) -> Bot:
    """Return the bot with its task definition registered."""
    bot.definition()
    return bot


def create(bot: Bot, **more: Any) -> tuple[str, int, str]:
    """Return the error for a service with these parameters; None leaves one out."""
    parameters = {
        key: value for key, value in bot.service_parameters(**more).items() if value is not None
    }
    refusal: tuple[str, int, str] = bot.account.refusal(bot.ecs.create_service, **parameters)
    return refusal


def update(bot: Bot, **more: Any) -> tuple[str, int, str]:
    """Return the error for this change."""
    refusal: tuple[str, int, str] = bot.account.refusal(
        bot.ecs.update_service, cluster="news", service="bot", **more
    )
    return refusal


def balancer(bot: Bot, **more: Any) -> dict[str, Any]:
    """Return the parameter loadBalancers with these differences."""
    return {"loadBalancers": [bot.service_parameters()["loadBalancers"][0] | more]}


def network(bot: Bot, **more: Any) -> dict[str, Any]:
    """Return the parameter networkConfiguration with these differences."""
    given = bot.service_parameters()["networkConfiguration"]["awsvpcConfiguration"]
    return {"networkConfiguration": {"awsvpcConfiguration": given | more}}


def strategy(*entries: tuple[str, int, int]) -> dict[str, Any]:
    """Return the parameter capacityProviderStrategy: providers with weight and base."""
    items = [{"capacityProvider": name, "weight": w, "base": b} for name, w, b in entries]
    return {"capacityProviderStrategy": items}


@pytest.mark.behaviour("ecs.service-name")
def test_service_name(registered: Bot) -> None:
    """Characters and length."""
    for name in ("news bot", "ニュース", "b" * 256):
        assert INVALID == create(registered, serviceName=name)[:2]
    registered.ecs.create_service(**registered.service_parameters(serviceName="b" * 255))


@pytest.mark.behaviour("ecs.tags-too-many")
def test_tags_are_fifty(registered: Bot) -> None:
    """The fifty-first is rejected."""
    tags = [{"key": f"key{number}", "value": ""} for number in range(51)]
    assert INVALID == create(registered, tags=tags)[:2]
    registered.ecs.create_service(**registered.service_parameters(tags=tags[:50]))


@pytest.mark.behaviour("ecs.tag-key-reserved")
def test_tags_of_aws_are_its_own(registered: Bot) -> None:
    """Keys may not begin with aws:."""
    assert INVALID == create(registered, tags=[{"key": "aws:mine", "value": "1"}])[:2]


@pytest.mark.behaviour("ecs.tag-alphabet")
def test_tags_have_an_alphabet(registered: Bot) -> None:
    """Letters of any language, but no brackets."""
    code, status, message = create(registered, tags=[{"key": "a<b>", "value": "1"}])
    assert INVALID == (code, status)
    assert message.startswith("Some tags contain invalid characters.")
    tag = {"key": "名前", "value": "ニュース + @:/=._-"}
    registered.ecs.create_service(**registered.service_parameters(tags=[tag]))


@pytest.mark.behaviour("ecs.wrong-container-name")
def test_container_of_another_name(registered: Bot) -> None:
    """The load balancer's container is not in the task definition."""
    expected = (*INVALID, "The container web does not exist in the task definition.")
    assert expected == create(registered, **balancer(registered, containerName="web"))


@pytest.mark.behaviour("ecs.wrong-container-port")
def test_container_port_that_is_not_mapped(registered: Bot) -> None:
    """At creation and at a change."""
    expected = (*INVALID, "The container bot did not have a container port 80 defined.")
    assert expected == create(registered, **balancer(registered, containerPort=80))
    registered.ecs.create_service(**registered.service_parameters())
    moved = registered.container() | {"portMappings": [{"containerPort": 9000}]}
    registered.definition(containerDefinitions=[moved])
    assert (*INVALID, "The container bot did not have a container port 8080 defined.") == update(
        registered, taskDefinition="bot"
    )


@pytest.mark.behaviour("ecs.target-group-unknown")
def test_target_group_that_is_not_there(registered: Bot) -> None:
    """An ARN of nothing."""
    arn = registered.group[:-4] + "0000"
    assert INVALID == create(registered, **balancer(registered, targetGroupArn=arn))[:2]


@pytest.mark.behaviour("ecs.target-type-not-ip")
def test_target_group_of_instances(registered: Bot) -> None:
    """awsvpc requires type ip."""
    group = registered.account.target_group("instances", TargetType="instance")
    registered.account.listener(registered.load_balancer, group, 81)
    code, status, message = create(registered, **balancer(registered, targetGroupArn=group))
    assert INVALID == (code, status)
    assert f"The provided target group {group} has target type instance" in message


@pytest.mark.behaviour("ecs.target-group-without-listener")
def test_target_group_on_no_load_balancer(registered: Bot) -> None:
    """A rule that forwards to it is enough."""
    lonely = registered.account.target_group("lonely")
    assert (
        *INVALID,
        f"The target group with targetGroupArn {lonely} does not have an associated load balancer.",
    ) == create(registered, **balancer(registered, targetGroupArn=lonely))
    registered.account.client("elbv2").create_rule(
        ListenerArn=registered.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/warm"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": lonely}],
    )
    registered.ecs.create_service(
        **registered.service_parameters(**balancer(registered, targetGroupArn=lonely))
    )


@pytest.mark.behaviour("ecs.too-many-load-balancers")
def test_six_load_balancers(registered: Bot) -> None:
    """Five at most."""
    six = registered.service_parameters()["loadBalancers"] * 6
    expected = (*INVALID, "load balancers can have at most 5 items.")
    assert expected == create(registered, loadBalancers=six)


@pytest.mark.behaviour("ecs.grace-period-without-load-balancer")
def test_grace_period_without_load_balancer(registered: Bot) -> None:
    """It requires a load balancer."""
    assert (
        *INVALID,
        "Health check grace period is only valid for services configured to use load balancers",
    ) == create(registered, loadBalancers=[])


@pytest.mark.behaviour("ecs.network-configuration-missing")
def test_no_network(registered: Bot) -> None:
    """awsvpc requires subnets."""
    assert (
        *INVALID,
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ) == create(registered, networkConfiguration=None)


@pytest.mark.behaviour("ecs.too-many-subnets")
def test_seventeen_subnets(registered: Bot) -> None:
    """Sixteen at most."""
    subnets = [f"subnet-{number:017x}" for number in range(17)]
    expected = (*INVALID, "subnets can have at most 16 items.")
    assert expected == create(registered, **network(registered, subnets=subnets))


@pytest.mark.behaviour("ecs.too-many-security-groups")
def test_six_security_groups(registered: Bot) -> None:
    """Five at most."""
    groups = [registered.inner] * 6
    code, status, message = create(registered, **network(registered, securityGroups=groups))
    assert INVALID == (code, status)
    assert "at most 5 items" in message


@pytest.mark.behaviour("ecs.subnet-unknown")
def test_subnet_that_is_not_there(registered: Bot) -> None:
    """The error contains EC2's message."""
    code, status, message = create(registered, **network(registered, subnets=["subnet-0"]))
    assert INVALID == (code, status)
    assert "The subnet ID 'subnet-0' does not exist" in message


@pytest.mark.behaviour("ecs.subnets-of-two-vpcs")
def test_subnets_of_two_networks(registered: Bot) -> None:
    """All have to be in one VPC."""
    ec2 = registered.account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    subnets = [
        registered.service_parameters()["networkConfiguration"]["awsvpcConfiguration"]["subnets"][0]
    ]
    assert INVALID == create(registered, **network(registered, subnets=[*subnets, other]))[:2]


@pytest.mark.behaviour("ecs.security-group-unknown")
def test_security_group_that_is_not_there(registered: Bot) -> None:
    """The error contains EC2's message."""
    code, status, message = create(registered, **network(registered, securityGroups=["sg-0"]))
    assert INVALID == (code, status)
    assert "The security group 'sg-0' does not exist" in message


@pytest.mark.behaviour("ecs.security-group-of-another-vpc")
def test_security_group_of_another_network(registered: Bot) -> None:
    """It has to be in the subnets' VPC."""
    ec2 = registered.account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="far", Description="far", VpcId=vpc)["GroupId"]
    assert INVALID == create(registered, **network(registered, securityGroups=[group]))[:2]


@pytest.mark.behaviour("ecs.platform-version-unknown")
def test_platform_version(registered: Bot) -> None:
    """1.3.0, 1.4.0 or LATEST."""
    code, status, _ = create(registered, platformVersion="2.0.0")
    assert ("PlatformUnknownException", 400) == (code, status)


@pytest.mark.behaviour("ecs.strategy-with-launch-type")
def test_launch_type_beside_a_strategy(registered: Bot) -> None:
    """Only one of them is allowed."""
    code, status, message = create(registered, launchType="FARGATE")
    assert INVALID == (code, status)
    assert message.startswith("Specifying both a launch type and capacity provider strategy")


@pytest.mark.behaviour("ecs.strategy-provider-not-in-cluster")
def test_provider_that_the_cluster_does_not_have(registered: Bot) -> None:
    """A cluster created without capacity providers has none."""
    registered.ecs.create_cluster(clusterName="bare")
    code, status, message = create(registered, cluster="bare")
    assert INVALID == (code, status)
    assert "is not associated with the cluster" in message


@pytest.mark.behaviour("ecs.strategy-one-base")
def test_two_bases(registered: Bot) -> None:
    """Only one provider may have a base."""
    entries = strategy(("FARGATE", 1, 1), ("FARGATE_SPOT", 1, 1))
    assert INVALID == create(registered, **entries)[:2]


@pytest.mark.behaviour("ecs.strategy-all-weights-zero")
def test_no_weight(registered: Bot) -> None:
    """At least one provider needs a weight."""
    entries = strategy(("FARGATE", 0, 0), ("FARGATE_SPOT", 0, 0))
    assert INVALID == create(registered, **entries)[:2]


@pytest.mark.behaviour("ecs.strategy-limits")
def test_weight_over_the_limit(registered: Bot) -> None:
    """A thousand at most."""
    assert INVALID == create(registered, **strategy(("FARGATE", 1001, 0)))[:2]


@pytest.mark.behaviour("ecs.strategy-change-needs-new-deployment")
def test_strategy_that_changes(registered: Bot) -> None:
    """It requires forceNewDeployment; base and weight then place the tasks."""
    registered.ecs.create_service(**registered.service_parameters())
    code, status, message = update(registered, **strategy(("FARGATE", 1, 0)))
    assert INVALID == (code, status)
    assert message.endswith("you must force a new deployment.")
    registered.ecs.update_service(
        cluster="news",
        service="bot",
        desiredCount=4,
        forceNewDeployment=True,
        **strategy(("FARGATE", 1, 1), ("FARGATE_SPOT", 2, 0)),
    )
    registered.clock.advance(3)
    providers = sorted(task["capacityProviderName"] for task in registered.shown())
    assert ["FARGATE", "FARGATE"] == providers[:2]
    assert {"FARGATE_SPOT"} == set(providers[2:])


@pytest.mark.behaviour("ecs.launch-type-incompatible")
def test_definition_that_is_not_for_fargate(registered: Bot) -> None:
    """Registered without requiresCompatibilities FARGATE, with a size that is invalid for it."""
    container = registered.container() | {"memory": 256}
    registered.definition(
        requiresCompatibilities=["EC2"], cpu=None, memory=None, containerDefinitions=[container]
    )
    expected = (*INVALID, "Task definition does not support launch_type FARGATE.")
    assert expected == create(registered)


@pytest.mark.behaviour("ecs.definition-unknown")
def test_definition_that_is_not_there(registered: Bot) -> None:
    """An unknown family or revision."""
    for name in ("other", "bot:7"):
        refusal = create(registered, taskDefinition=name)
        assert ("ClientException", 400, "TaskDefinition not found.") == refusal


@pytest.mark.behaviour("ecs.definition-inactive")
def test_definition_that_was_deregistered(registered: Bot) -> None:
    """Existing services keep running it, new ones cannot use it."""
    registered.ecs.create_service(**registered.service_parameters())
    registered.ecs.deregister_task_definition(taskDefinition="bot:1")
    refusal = create(registered, serviceName="second", taskDefinition="bot:1")
    assert ("ClientException", 400, "TaskDefinition is inactive") == refusal
    registered.ecs.update_service(cluster="news", service="bot", desiredCount=2)
    registered.clock.advance(3)
    assert 2 == len(registered.shown())


@pytest.mark.behaviour("ecs.service-without-count")
def test_no_desired_count(registered: Bot) -> None:
    """REPLICA is the default, and requires it."""
    assert INVALID == create(registered, desiredCount=None)[:2]


@pytest.mark.behaviour("ecs.service-count-negative")
def test_negative_count(registered: Bot) -> None:
    """At creation and at a change."""
    assert INVALID == create(registered, desiredCount=-1)[:2]
    registered.ecs.create_service(**registered.service_parameters())
    assert INVALID == update(registered, desiredCount=-1)[:2]


@pytest.mark.behaviour("ecs.percents-that-block")
def test_both_percentages_at_100(registered: Bot) -> None:
    """With both at 100 no deployment could ever progress."""
    percents = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    code, status, message = create(registered, deploymentConfiguration=percents)
    assert INVALID == (code, status)
    assert "cannot be 100 as this will block deployments" in message


@pytest.mark.behaviour("ecs.percents-out-of-range")
def test_percents_out_of_range(registered: Bot) -> None:
    """A minimum above 100, a maximum below 100."""
    for percents in ({"minimumHealthyPercent": 101}, {"maximumPercent": 50}):
        assert INVALID == create(registered, deploymentConfiguration=percents)[:2]


@pytest.mark.behaviour("ecs.exec-needs-task-role")
def test_exec_without_a_task_role(registered: Bot) -> None:
    """The agent requires a role."""
    registered.definition(taskRoleArn=None)
    code, status, message = create(registered, enableExecuteCommand=True)
    assert INVALID == (code, status)
    assert "a valid taskRoleArn is not being used" in message


@pytest.mark.behaviour("ecs.service-name-used")
def test_name_in_use(registered: Bot) -> None:
    """Without a token even the same parameters are rejected."""
    registered.ecs.create_service(**registered.service_parameters())
    expected = (*INVALID, "Creation of service was not idempotent.")
    assert expected == create(registered)


@pytest.mark.behaviour("ecs.service-token-repeated")
def test_client_token_with_same_parameters(registered: Bot) -> None:
    """The same token and parameters return the same service."""
    first = registered.ecs.create_service(**registered.service_parameters(clientToken="once"))[
        "service"
    ]
    again = registered.ecs.create_service(**registered.service_parameters(clientToken="once"))[
        "service"
    ]
    assert first["serviceArn"] == again["serviceArn"]
    assert first["deployments"][0]["id"] == again["deployments"][0]["id"]


@pytest.mark.behaviour("ecs.service-token-conflict")
def test_client_token_with_other_parameters(registered: Bot) -> None:
    """The same token with another count is an error."""
    registered.ecs.create_service(**registered.service_parameters(clientToken="once"))
    expected = (*INVALID, "Creation of service was not idempotent.")
    assert expected == create(registered, clientToken="once", desiredCount=2)


@pytest.mark.behaviour("ecs.service-unknown")
def test_service_that_is_not_there(registered: Bot) -> None:
    """It can be neither changed nor deleted."""
    expected = ("ServiceNotFoundException", 400, "Service not found.")
    assert expected == update(registered, desiredCount=2)
    delete = registered.ecs.delete_service
    assert expected == registered.account.refusal(delete, cluster="news", service="bot")


@pytest.mark.behaviour("ecs.service-not-active")
def test_draining_service_cannot_be_changed(registered: Bot) -> None:
    """DRAINING: no change, and no second deletion."""
    registered.ecs.create_service(**registered.service_parameters())
    registered.ecs.delete_service(cluster="news", service="bot", force=True)
    expected = ("ServiceNotActiveException", 400, "Service was not ACTIVE.")
    assert expected == update(registered, desiredCount=2)
    delete = registered.ecs.delete_service
    assert expected == registered.account.refusal(delete, cluster="news", service="bot")


@pytest.mark.behaviour("ecs.service-scaled-above-zero")
def test_service_with_tasks_goes_by_force(registered: Bot) -> None:
    """Or after scaling to 0."""
    registered.ecs.create_service(**registered.service_parameters())
    delete = registered.ecs.delete_service
    assert (
        *INVALID,
        "The service cannot be stopped while it is scaled above 0.",
    ) == registered.account.refusal(delete, cluster="news", service="bot")
    registered.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    delete(cluster="news", service="bot")


@pytest.mark.behaviour("ecs.service-drains")
def test_deleted_service_drains(registered: Bot) -> None:
    """DRAINING for minutes, then INACTIVE: described, not listed."""
    registered.ecs.create_service(**registered.service_parameters())
    registered.steady()
    registered.ecs.delete_service(cluster="news", service="bot", force=True)
    assert "DRAINING" == registered.service()["status"]
    registered.clock.advance(60)
    assert "DRAINING" == registered.service()["status"]
    registered.until(lambda service: service["status"] == "INACTIVE")
    assert [] == registered.ecs.list_services(cluster="news")["serviceArns"]


@pytest.mark.behaviour("ecs.service-name-draining")
def test_name_of_a_draining_service(registered: Bot) -> None:
    """It is taken while draining, and free once INACTIVE."""
    registered.ecs.create_service(**registered.service_parameters())
    registered.ecs.delete_service(cluster="news", service="bot", force=True)
    expected = (*INVALID, "Unable to Start a service that is still Draining.")
    assert expected == create(registered)
    registered.until(lambda service: service["status"] == "INACTIVE")
    registered.ecs.create_service(**registered.service_parameters())
    registered.steady()


def test_role_that_is_trusted_by_nobody(registered: Bot) -> None:
    """ECS cannot assume it: no error, but an event."""
    trust = TRUST.replace("ecs-tasks", "scheduler")
    role = registered.account.client("iam").create_role(
        RoleName="other", AssumeRolePolicyDocument=trust
    )
    registered.definition(taskRoleArn=role["Role"]["Arn"])
    registered.ecs.create_service(**registered.service_parameters())
    registered.clock.advance(60)
    assert "ECS was unable to assume the role" in "\n".join(registered.messages())
