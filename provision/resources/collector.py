"""The news collector: its task definition, its permissions, and its first run."""

import secrets
from dataclasses import field
from typing import Any, ClassVar, Literal

from provision.clients.aws_errors import call_or_none
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.awsvpc import awsvpc_configuration, strategy
from provision.resources.base import (
    Clients,
    Errors,
    FoundSettings,
    Live,
    Permission,
    Polling,
    Resource,
    arn_pattern,
    output,
    resource,
    tags_to_list,
)
from provision.resources.bucket import FOLDER, NewsBucket
from provision.resources.cluster import Cluster, list_tasks
from provision.resources.kms import use_keys
from provision.resources.network import Network
from provision.resources.permissions import CollectorExecutionPermissions, list_the_news
from provision.resources.role import RolePolicy, Statement
from provision.resources.security_group import SecurityGroup
from provision.resources.task_definition import Family, TaskDefinition

CPU, MEMORY = 256, 1024  # its task holds 100,000 articles at most in memory
COMMAND = ["python", "-m", "bot.news.collector"]
INDEX = f"{FOLDER}/index.json"  # what the collector writes last
SUFFIX = "-collector"
STARTED_BY = "initial_collection"  # of the task, in ECS's API
ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")  # ECS, "Task lifecycle"
TASK_TIMEOUT = 240  # seconds for a task that exists; the news is optional
NO_FEED = 1  # exit status of bot/news/collector.py if no feed could be read


@resource
class CollectorPermissions(RolePolicy):
    """The collector's permissions: read, write and delete the news."""

    news_bucket: NewsBucket

    def statements(self) -> list[Statement]:
        """Return read, write and delete for the folder's objects, and list."""
        return [
            {
                "Sid": "WriteTheNews",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"{self.news_bucket.arn}/{FOLDER}/*",
            },
            list_the_news(self.news_bucket),
            *use_keys(
                "EncryptTheNews",
                "s3",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                [self.news_bucket.key_arn],
            ),
        ]


@resource
class CollectorDefinition(Family):
    """The collector's task definitions: the bot's image with another command, without LINE's secrets."""

    bot: TaskDefinition
    news_bucket: NewsBucket
    feeds: list[str]
    container: ClassVar[str] = "collector"
    suffix: ClassVar[str] = SUFFIX

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the feeds."""
        return {"news.feeds": str(live["Container"]["environment"].get("NEWS_FEEDS", "")).split()}

    def _platform(self) -> str:
        return self.bot.platform

    def _image(self) -> str:
        return self.bot.image.uri

    def _environment(self) -> dict[str, str]:
        return {
            "NEWS_URL": f"s3://{self.news_bucket.bucket}/{FOLDER}",
            "NEWS_FEEDS": " ".join(self.feeds),
        }

    def _container_options(self) -> dict[str, Any]:
        return {"command": COMMAND}


@resource
class InitialCollection(Resource):
    """The collector's first run, so that the bot has news from the start.

    It exists if the bucket has an index, or while its task runs. In later processes a failed run counts as
    not found, so the next setup runs it again.
    """

    definition: CollectorDefinition
    bucket: NewsBucket
    cluster: Cluster
    network: Network
    security_group: SecurityGroup
    permissions: CollectorPermissions
    execution_permissions: CollectorExecutionPermissions
    capacity: str
    cluster_arn: str = output("clusterArn", arn_pattern("cluster/"))
    bucket_name: str = output("Bucket")
    task: str = output("taskArn", arn_pattern())
    token: str = output("Token")  # RunTask's clientToken: the same token returns the same task
    errors = Errors(
        not_found=(
            "ClusterNotFoundException",
            "NoSuchBucket",
            "InvalidParameterException: task was not found",
        ),
        retry=(
            "ClientException: unable to assume the role",
            "ClientException: Role is not valid",
            "ClientException: Cluster was not ACTIVE",
            "ClientException: Unable to describe task definition",
        ),
        fatal=False,
    )
    polling = Polling(
        after_propagation=True,
        expected=45,
        interval=8.0,
        timeout=120,  # until the task exists
    )
    started: bool = field(default=False, init=False)  # by this process
    deleted: bool = field(default=False, init=False)  # by this process

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        inside = {"ArnLike": {"ecs:cluster": f"arn:*:ecs:*:*:cluster/{self.stack}"}}
        return [
            Permission(
                "create",
                "ecs",
                "RunTask",
                f"task-definition/{self.stack}{SUFFIX}:*",
                condition=inside,
            ),
            Permission("create", "ecs", "TagResource", f"task/{self.stack}/*"),
            Permission("delete", "ecs", "StopTask", f"task/{self.stack}/*"),
        ]

    def identity(self) -> str:
        """Return the bucket, because another bucket has no news."""
        return self.bucket.identity()

    def exists_within(self) -> list[Resource]:
        """Return the bucket."""
        return [self.bucket]

    def owners(self, live: Live) -> list[Resource]:
        """Return the task definition."""
        return [self.definition]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the cluster in which its task runs."""
        arn = live["clusterArn"]
        return [Cluster.from_record(self.stack, arn, {"arn": arn})]

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return RunTask's client token."""
        return {"token": secrets.token_hex(16)}

    def find(self, clients: Clients) -> Live | None:
        """Find the index, else the task."""
        if self.deleted:
            return None
        ids = {
            "Bucket": self.bucket_name or self.bucket.bucket,
            "clusterArn": self.cluster_arn or self.cluster.arn,
        }
        task = self._find_task(clients, ids["clusterArn"]) if self.started else None
        if task and task["lastStatus"] not in ENDING:  # it has not written an index yet
            return {**task, **ids}
        if self._has_index(clients, ids["Bucket"]):
            return {**ids, "Index": True}
        if self.started:
            return {**task, **ids} if task else None
        task = self._find_task(clients, ids["clusterArn"])
        if task and task["lastStatus"] == "STOPPED":
            return {**ids, "Index": True} if self._has_index(clients, ids["Bucket"]) else None
        return {**task, **ids} if task else None

    def _has_index(self, clients: Clients, bucket: str) -> bool:
        """Return whether the bucket has an index.

        403 counts as not found: S3 returns it for a missing object to callers without ListBucket.
        """
        not_found = ("403", "404", "NoSuchKey")
        answer = call_or_none(not_found, clients.aws.s3.head_object, Bucket=bucket, Key=INDEX)
        return answer is not None

    def _find_task(self, clients: Clients, cluster: str) -> Live | None:
        """Return the recorded task, else one whose RunTask response was lost."""
        if self.task:
            found = clients.aws.ecs.describe_tasks(cluster=cluster, tasks=[self.task])["tasks"]
        else:
            found = list_tasks(clients, cluster, startedBy=STARTED_BY)
        own = [task for task in found if task.get("startedBy", STARTED_BY) == STARTED_BY]
        return dict(own[0]) if own else None

    def create(self, clients: Clients) -> Live | None:
        """Call RunTask. If it starts no task (no capacity), return a stopped one with the reason."""
        answer = clients.aws.ecs.run_task(
            cluster=self.cluster.arn,
            taskDefinition=self.definition.arn,
            count=1,
            capacityProviderStrategy=strategy(self.capacity),
            networkConfiguration={
                "awsvpcConfiguration": awsvpc_configuration(self.network, self.security_group)
            },
            startedBy=STARTED_BY,
            clientToken=self.token,
            tags=tags_to_list(self.tags, "key", "value"),
        )
        self.started = True
        ids = {"Bucket": self.bucket.bucket, "clusterArn": self.cluster.arn}
        for task in answer["tasks"]:
            return {**task, **ids}
        failures = [failure.get("reason", "") for failure in answer.get("failures", [])]
        return {**ids, "lastStatus": "STOPPED", "stoppedReason": "; ".join(failures)}

    def load_from_api(self, live: Live) -> None:
        """Set the outputs; clear the task once the bucket has an index."""
        super().load_from_api(live)
        if live.get("Index"):
            self.task = self.token = ""

    def pending(self, live: Live) -> Pending | None:
        """Wait while its task runs. Raise ProvisionError if it failed."""
        if live.get("Index"):
            return None
        if live["lastStatus"] != "STOPPED":
            why = _("the first news is being collected ({state})", state=live["lastStatus"])
            return Pending(why, timeout=TASK_TIMEOUT)
        code = next((c.get("exitCode") for c in live.get("containers", [])), None)
        if code == 0:
            return None  # the feeds were read and are empty
        why = str(live.get("stoppedReason") or "")
        raise ProvisionError(
            _("Could not collect the first news."),
            _("none of the feeds could be read") if code == NO_FEED else why,
            _(
                "The bot answers with sample articles until the schedule collects news. See "
                "`provision logs` for the cause."
            ),
        )

    def deletion_state(self, live: Live) -> Literal["", "survives"]:
        """Return `survives` before its deletion if the bucket has an index, which the bucket takes along."""
        return "survives" if live.get("Index") and not self.deleted else ""

    def delete(self, clients: Clients) -> None:
        """Stop running collector tasks."""
        self.deleted = True
        ecs, cluster = clients.aws.ecs, self.cluster_arn
        family = f"{self.stack}{SUFFIX}"
        for task in list_tasks(clients, cluster, family=family):
            if f"/{family}:" in task["taskDefinitionArn"]:  # some endpoints ignore `family`
                ecs.stop_task(cluster=cluster, task=task["taskArn"], reason="provision teardown")
