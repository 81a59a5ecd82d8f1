"""ECS tasks that fail to start or to keep running, with AWS's messages."""

import hashlib
import json
from typing import Any, cast

import pytest

from provision.sandbox.aws.ecr.image_store import CannotPullError
from provision.sandbox.tasks.runners import TaskRunner
from tests.sandbox.aws.ecs.bot_service import TRUST, Bot
from tests.sandbox.control_client import control

REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def upload(bot: Bot, blob: bytes) -> str:
    """Upload a layer to the repository `bot`; return its digest."""
    ecr = bot.account.client("ecr")
    begun = ecr.initiate_layer_upload(repositoryName="bot")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="bot",
        uploadId=begun,
        partFirstByte=0,
        partLastByte=len(blob) - 1,
        layerPartBlob=blob,
    )
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    ecr.complete_layer_upload(repositoryName="bot", uploadId=begun, layerDigests=[digest])
    return digest


def push(bot: Bot, tag: str, architecture: str) -> str:
    """Push a single image for Linux on this architecture; return its digest."""
    config = json.dumps({"os": "linux", "architecture": architecture, "tag": tag}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"digest": upload(bot, config), "size": len(config)},
        "layers": [{"digest": upload(bot, tag.encode()), "size": len(tag)}],
    }
    answer = bot.account.client("ecr").put_image(
        repositoryName="bot", imageManifest=json.dumps(manifest), imageTag=tag
    )
    return str(answer["image"]["imageId"]["imageDigest"])


def create(bot: Bot, image: str, **more: Any) -> None:
    """Create the service with this image."""
    bot.definition(containerDefinitions=[bot.container() | {"image": image}], **more)
    bot.ecs.create_service(**bot.service_parameters())


@pytest.mark.behaviour("ecs.task-image-damaged")
def test_image_that_cannot_be_unpacked(bot: Bot) -> None:
    """Its task stops with the reason, and the next one is started."""

    class Tasks:
        """A host on which no layer can be unpacked."""

        def start(self, *_: Any) -> Any:
            raise CannotPullError("failed to register layer: unexpected EOF")

    bot.account.cloud.tasks = cast(TaskRunner, Tasks())
    bot.create()
    bot.clock.advance(35)
    task = bot.stopped()
    reason = "CannotPullContainerError: failed to register layer: unexpected EOF"
    assert (reason, "TaskFailedToStart") == (task["stoppedReason"], task["stopCode"])
    assert reason == task["containers"][0]["reason"]


@pytest.mark.behaviour("ecs.task-secret-missing")
def test_missing_secret_is_named(bot: Bot) -> None:
    """The task stops before its container starts; the reason contains the parameter."""
    bot.account.client("ssm").delete_parameter(Name="CHANNEL_SECRET")
    bot.create()
    bot.clock.advance(35)
    reason = bot.stopped()["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert reason.endswith("invalid parameters: CHANNEL_SECRET")
    assert [] == bot.tasks.started


@pytest.mark.behaviour("ecs.task-log-group-missing")
def test_missing_log_group_is_named(bot: Bot) -> None:
    """awslogs requires its group before the container starts."""
    bot.account.client("logs").delete_log_group(logGroupName="/bot")
    bot.create()
    bot.clock.advance(35)
    assert "The specified log group does not exist" in bot.stopped()["stoppedReason"]


@pytest.mark.behaviour("ecs.task-without-a-way-out")
def test_private_task_in_public_subnet_reaches_nothing(bot: Bot) -> None:
    """Without a public address a task in a public subnet has no internet route."""
    network = bot.service_parameters()["networkConfiguration"]
    network["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED"
    bot.create(networkConfiguration=network)
    bot.clock.advance(35)
    assert "i/o timeout" in bot.stopped()["stoppedReason"]


def close(bot: Bot, group: str) -> None:
    """Take away the rule that allows all outbound traffic, which every new group has."""
    bot.account.client("ec2").revoke_security_group_egress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )


@pytest.mark.behaviour("ecs.task-without-egress")
def test_task_needs_outbound_https(bot: Bot) -> None:
    """A group without outbound rules lets no task start; HTTPS is enough."""
    close(bot, bot.inner)
    bot.create()
    bot.clock.advance(35)
    assert "i/o timeout" in bot.stopped()["stoppedReason"]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    bot.account.client("ec2").authorize_security_group_egress(
        GroupId=bot.inner, IpPermissions=[{**https, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    bot.account.clock.step = 5.0
    bot.steady()


def test_load_balancer_needs_an_outbound_rule(bot: Bot) -> None:
    """Without one to the bot's port its targets are unhealthy; one to the bot's group is enough."""
    close(bot, bot.outer)
    bot.create()
    bot.clock.advance(60)
    health = bot.account.client("elbv2").describe_target_health
    states = [
        t["TargetHealth"]["State"]
        for t in health(TargetGroupArn=bot.group)["TargetHealthDescriptions"]
    ]
    assert "healthy" not in states
    to_bot = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080}
    bot.account.client("ec2").authorize_security_group_egress(
        GroupId=bot.outer, IpPermissions=[{**to_bot, "UserIdGroupPairs": [{"GroupId": bot.inner}]}]
    )
    bot.account.clock.step = 5.0
    bot.steady()


@pytest.mark.behaviour("ecs.fresh-role-costs-half-a-minute")
def test_fresh_role_costs_half_a_minute(bot: Bot) -> None:
    """A role that has not propagated: an event, no task; 30 seconds later it works."""
    fresh = bot.account.client("iam").create_role(RoleName="new", AssumeRolePolicyDocument=TRUST)
    bot.definition(executionRoleArn=fresh["Role"]["Arn"])
    bot.ecs.create_service(**bot.service_parameters())
    bot.clock.advance(20)
    assert [] == bot.shown()
    assert "ECS was unable to assume the role" in "\n".join(bot.messages())
    bot.clock.advance(15)
    assert 1 == len(bot.shown())


@pytest.mark.behaviour("ecs.task-image-missing")
def test_image_that_is_not_in_its_repository(bot: Bot) -> None:
    """A missing repository or tag: the task stops, and its container has the reason."""
    ecr = bot.account.client("ecr")
    create(bot, f"{REGISTRY}/bot:1")
    bot.clock.advance(35)
    stopped = bot.stopped()
    assert (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        f"resolve ref {REGISTRY}/bot:1: {REGISTRY}/bot:1: not found"
    ) == stopped["stoppedReason"]
    assert "TaskFailedToStart" == stopped["stopCode"]
    assert [stopped["stoppedReason"]] == [c["reason"] for c in stopped["containers"]]
    ecr.create_repository(repositoryName="bot")
    push(bot, "2", "amd64")
    bot.clock.advance(35)
    assert [] == bot.tasks.started, "another tag does not help"
    push(bot, "1", "amd64")
    bot.clock.advance(70)
    assert 1 == len(bot.tasks.started)


@pytest.mark.behaviour("ecs.task-image-of-no-matching-platform")
def test_index_without_this_platform(bot: Bot) -> None:
    """An arm64 index cannot be pulled for linux/amd64, and can for ARM64."""
    ecr = bot.account.client("ecr")
    ecr.create_repository(repositoryName="bot")
    arm = push(bot, "arm", "arm64")
    entry = {"digest": arm, "platform": {"os": "linux", "architecture": "arm64"}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    ecr.put_image(repositoryName="bot", imageManifest=json.dumps(index), imageTag="1")
    create(bot, f"{REGISTRY}/bot:1")
    bot.clock.advance(35)
    assert (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest "
        "does not contain descriptor matching platform 'linux/amd64'"
    ) == bot.stopped()["stoppedReason"]
    fitting = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    image = {"image": f"{REGISTRY}/bot:1"}
    bot.definition(
        containerDefinitions=[bot.container() | image],
        runtimePlatform=fitting,
    )
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    bot.clock.advance(35)
    assert 1 == len(bot.tasks.started)


@pytest.mark.behaviour("ecs.task-image-of-another-processor")
def test_image_of_another_processor(bot: Bot) -> None:
    """It is pulled, and its first process cannot be executed."""
    bot.account.client("ecr").create_repository(repositoryName="bot")
    digest = push(bot, "1", "arm64")
    create(bot, f"{REGISTRY}/bot@{digest}")
    bot.clock.advance(70)
    stopped = bot.stopped()
    assert "Essential container in task exited" == stopped["stoppedReason"]
    assert [1] == [container["exitCode"] for container in stopped["containers"]]
    events = bot.account.client("logs").filter_log_events(logGroupName="/bot")["events"]
    assert events[0]["message"].endswith("exec format error")


def may(bot: Bot, *actions: str) -> None:
    """Allow the role only this."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bot.account.client("iam").put_role_policy(
        RoleName="bot", PolicyName="bot", PolicyDocument=policy
    )


@pytest.mark.behaviour("ecs.secret-permission-missing")
def test_execution_role_that_may_not_read_secrets(bot: Bot) -> None:
    """IAM's message, with the role's session."""
    may(bot, "logs:*")
    bot.create()
    bot.clock.advance(35)
    stopped = bot.stopped()
    short = stopped["taskArn"].rpartition("/")[2]
    assert (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 "
        "time(s): AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/bot/"
        f"{short} is not authorized to perform: ssm:GetParameters on resource: "
        "arn:aws:ssm:ap-northeast-1:123456789012:parameter/ACCESS_TOKEN because no identity-based "
        "policy allows the ssm:GetParameters action"
    ) == stopped["stoppedReason"]


@pytest.mark.behaviour("ecs.log-permission-missing")
def test_execution_role_that_may_not_write_logs(bot: Bot) -> None:
    """The log stream is opened before the container starts."""
    may(bot, "ssm:GetParameters")
    bot.create()
    bot.clock.advance(35)
    reason = bot.stopped()["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: failed to validate logger args")
    assert "is not authorized to perform: logs:CreateLogStream" in reason


@pytest.mark.behaviour("ecs.image-permission-missing")
def test_execution_role_that_may_not_pull(bot: Bot) -> None:
    """A token alone is not enough; without one there is another message."""
    bot.account.client("ecr").create_repository(repositoryName="bot")
    push(bot, "1", "amd64")
    may(bot, "ssm:GetParameters", "logs:*", "ecr:GetAuthorizationToken")
    create(bot, f"{REGISTRY}/bot:1")
    bot.clock.advance(35)
    assert bot.stopped()["stoppedReason"].endswith(
        f"pulling from host {REGISTRY} failed with status code [manifests 1]: 403 Forbidden"
    )
    may(bot, "ssm:GetParameters", "logs:*")
    bot.clock.advance(70)
    reasons = "\n".join(task["stoppedReason"] for task in bot.shown("STOPPED"))
    assert "unable to retrieve ecr registry auth" in reasons
    may(bot, "ssm:GetParameters", "logs:*", "ecr:*")
    bot.ecs.update_service(cluster="news", service="bot", forceNewDeployment=True)
    bot.clock.advance(35)
    assert 1 == len(bot.tasks.started)


def test_public_image_that_was_entered(bot: Bot) -> None:
    """Public images exist, unless the sandbox is configured otherwise."""
    bot.account.cloud.ecr.images.public |= {"example/gone": (), "example/arm": ("linux/arm64",)}
    create(bot, "example/gone")
    bot.clock.advance(35)
    assert "failed to resolve ref example/gone" in bot.stopped()["stoppedReason"]
    create_second = {"containerDefinitions": [bot.container() | {"image": "example/arm"}]}
    bot.definition(**create_second)
    bot.ecs.update_service(cluster="news", service="bot", taskDefinition="bot")
    bot.clock.advance(35)
    reasons = [task["stoppedReason"] for task in bot.shown("STOPPED")]
    assert any("does not contain descriptor matching platform" in reason for reason in reasons)


@pytest.mark.behaviour("ecs.no-spot-capacity")
def test_spot_shortage_is_an_event(bot: Bot) -> None:
    """No API error and no on-demand task; tasks start once there is capacity."""
    bot.account.cloud.ecs.spot_available = False
    bot.create()
    bot.clock.advance(10)
    assert (
        "(service bot) was unable to place a task. Reason: Capacity is unavailable at this time. "
        "Please try again later or in a different availability zone."
    ) in "\n".join(bot.messages())
    assert [] == bot.shown()
    bot.account.cloud.ecs.spot_available = True
    bot.clock.advance(30)
    assert 1 == len(bot.shown())


@pytest.mark.behaviour("ecs.service-on-ec2-without-instances")
def test_service_without_launch_type_waits_for_instances(bot: Bot) -> None:
    """Without strategy and launch type EC2 is used, and the cluster has no instances."""
    bot.definition()
    parameters = bot.service_parameters()
    del parameters["capacityProviderStrategy"]
    bot.ecs.create_service(**parameters)
    bot.clock.advance(60)
    assert "No Container Instances were found in your cluster." in "\n".join(bot.messages())
    assert [] == bot.shown()


@pytest.mark.behaviour("ecs.spot-interruption")
def test_spot_interruption(bot: Bot) -> None:
    """SIGTERM at once, up to stopTimeout to end, and a replacement meanwhile."""
    bot.definition(containerDefinitions=[bot.container() | {"stopTimeout": 120}])
    bot.ecs.create_service(**bot.service_parameters())
    bot.steady()
    terminated_at: list[float] = []
    bot.tasks.started[0].on_terminate = lambda: terminated_at.append(bot.clock.now())
    (task,) = bot.shown()
    taken = bot.account.cloud.ecs.interrupt("ap-northeast-1", "news", "bot")
    assert [task["taskArn"]] == taken
    began = bot.clock.now()
    bot.clock.advance(3)
    assert began + 2 >= terminated_at[0]
    bot.clock.advance(100)
    assert None is bot.tasks.started[0].exit_code
    assert 1 == len(bot.shown()), "the replacement"
    bot.clock.advance(60)
    (stopped,) = bot.shown("STOPPED")
    assert ("SpotInterruption", "Your Spot Task was interrupted.") == (
        stopped["stopCode"],
        stopped["stoppedReason"],
    )
    assert [137] == [container["exitCode"] for container in stopped["containers"]]


@pytest.mark.behaviour("ecs.spot-target-stays-registered")
def test_interrupted_task_still_gets_requests(bot: Bot) -> None:
    """It is deregistered only a while after its SIGTERM."""
    bot.create()
    bot.steady()
    bot.tasks.started[0].on_terminate = lambda: None
    (task,) = bot.shown()
    (name,) = [d["value"] for d in task["attachments"][0]["details"] if "IPv4" in d["name"]]
    bot.account.cloud.ecs.interrupt("ap-northeast-1", "news")

    def state() -> str:
        health = bot.account.client("elbv2").describe_target_health(TargetGroupArn=bot.group)
        found = health["TargetHealthDescriptions"]
        return next(t["TargetHealth"]["State"] for t in found if t["Target"]["Id"] == name)

    bot.clock.advance(15)
    assert "healthy" == state()
    bot.clock.advance(10)
    assert "draining" == state()


@pytest.mark.behaviour("ecs.stopped-task-an-hour")
def test_stopped_task_is_remembered_for_an_hour(bot: Bot) -> None:
    """Then DescribeTasks does not return it any more."""
    bot.create()
    bot.steady()
    (task,) = bot.shown()
    bot.ecs.stop_task(cluster="news", task=task["taskArn"])
    bot.ecs.update_service(cluster="news", service="bot", desiredCount=0)
    bot.clock.step = 20.0
    bot.clock.advance(3000)
    described = bot.ecs.describe_tasks(cluster="news", tasks=[task["taskArn"]])
    assert ["STOPPED"] == [found["lastStatus"] for found in described["tasks"]]
    bot.clock.advance(900)
    described = bot.ecs.describe_tasks(cluster="news", tasks=[task["taskArn"]])
    assert ["MISSING"] == [failure["reason"] for failure in described["failures"]]


def test_control_endpoint_simulates_spot(bot: Bot) -> None:
    """Interruptions and shortages on request, as the demo uses them."""
    bot.create()
    bot.steady()
    (task,) = bot.shown()

    def ask(what: str, **given: Any) -> Any:
        return control(bot.account, "POST", what, given)

    assert {"available": False} == ask("spot", available=False)
    assert {"tasks": [task["taskArn"]]} == ask("interrupt", cluster="news", service="bot")
    bot.clock.advance(5)
    assert [] == bot.shown()
    ask("spot", available=True)
    bot.clock.advance(30)
    assert 1 == len(bot.shown())
    assert 404 == ask("interrupt", cluster="other")
    assert 400 == ask("spot", available="no")
