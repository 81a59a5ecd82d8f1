"""The news, collected: a task of the bot's image with a role of its own, which writes what the bot reads."""

import secrets
from collections.abc import Collection
from dataclasses import field
from typing import Any, ClassVar

from provision.aws import unless
from provision.errors import Refusal
from provision.resource import Doors, Live, Resource, listed, output, resource
from provision.resources.bucket import FOLDER, NewsBucket
from provision.resources.cluster import Cluster
from provision.resources.network import Network
from provision.resources.permissions import ExecutionPermissions, list_the_news
from provision.resources.placement import placed, strategy
from provision.resources.role import RolePolicy, Statement
from provision.resources.security_group import SecurityGroup
from provision.resources.task_definition import Family, TaskDefinition
from provision.words import _

CPU, MEMORY = 256, 1024  # of its task: 100,000 articles at most are in memory at once
COMMAND = ["python", "-m", "bot.news.collector"]
INDEX = f"{FOLDER}/index.json"  # what the collector writes last
SUFFIX = "-collector"
FIRST = "first_news"  # who started the task, as ECS shows it
ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")  # ECS, "Task lifecycle"
NO_FEED = 1  # bot/news/collector.py's exit status where no feed could be read


@resource
class CollectorPermissions(RolePolicy):
    """What the collector may do: read, write and prune the news. It knows no secret."""

    news_bucket: NewsBucket

    def statements(self) -> list[Statement]:
        """One folder's objects and their list."""
        return [
            {
                "Sid": "WriteTheNews",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": f"{self.news_bucket.arn}/{FOLDER}/*",
            },
            list_the_news(self.news_bucket),
        ]


@resource
class CollectorDefinition(Family):
    """The collector's family: the bot's image with another command, without LINE's secrets."""

    bot: TaskDefinition
    news_bucket: NewsBucket
    feeds: list[str]
    container: ClassVar[str] = "collector"
    suffix: ClassVar[str] = SUFFIX

    def _platform(self) -> str:
        return self.bot.platform

    def _image(self) -> str:
        return self.bot.image.uri

    def _environment(self) -> dict[str, str]:
        return {
            "NEWS_URL": f"s3://{self.news_bucket.bucket}/{FOLDER}",
            "NEWS_FEEDS": " ".join(self.feeds),
        }

    def _more(self) -> dict[str, Any]:
        return {"command": COMMAND}


@resource
class FirstNews(Resource):
    """The collector's first run, so that the bot has news from its first minute.

    It is there once the news has an index, whoever brought that about; until then, while its task is under
    way. A run that failed counts as none, except to those who began it: the next setup tries again.
    """

    definition: CollectorDefinition
    bucket: NewsBucket
    cluster: Cluster
    network: Network
    security_group: SecurityGroup
    permissions: CollectorPermissions
    execution_permissions: ExecutionPermissions
    capacity: str
    task: str = output("taskArn")
    token: str = output("Token")  # RunTask's clientToken: the same again is the same task
    cluster_arn: str = output("clusterArn")
    bucket_name: str = output("Bucket")
    absent = (
        "ClusterNotFoundException",
        "NoSuchBucket",
        "InvalidParameterException: task was not found",
    )
    patient = (
        "ClientException: unable to assume the role",
        "ClientException: Role is not valid",
        "ClientException: Cluster was not ACTIVE",
        "ClientException: Unable to describe task definition",
    )
    within: ClassVar[str] = "definition"
    optional: ClassVar[bool] = True
    through_others: ClassVar[bool] = True
    typical: ClassVar[int] = 45
    pace: ClassVar[float] = 8.0
    bound: ClassVar[int] = 120  # until there is a task: nothing waits for the news that long
    begun: bool = field(default=False, init=False)  # by this process
    over: bool = field(default=False, init=False)  # taken away by this process

    def identity(self) -> str:
        """Another bucket has no news yet."""
        return self.bucket.identity()

    def cannot_be(self, made: Collection[str]) -> bool:
        """In a bucket that was there there may be news, whatever became of the rest."""
        return self.bucket.key in made

    def holders(self, doors: Doors, live: Live) -> list[Resource]:
        """Return the cluster that its task runs in."""
        return [Cluster.named_by(self.stack, arn=live["clusterArn"])]

    def intent(self, doors: Doors) -> dict[str, str]:
        """The token, on disk before the call."""
        return {"token": secrets.token_hex(16)}

    def find(self, doors: Doors) -> Live | None:
        """The index; else the task, as long as it says something."""
        if self.over:
            return None
        where = {
            "Bucket": self.bucket_name or self.bucket.bucket,
            "clusterArn": self.cluster_arn or self.cluster.arn,
        }
        task = self._task(doors, where["clusterArn"]) if self.begun else None
        if task and task["lastStatus"] not in ENDING:  # nor is there an index yet
            return {**task, **where}
        if self._index(doors, where["Bucket"]):
            return {**where, "Index": True}
        if self.begun:
            return {**task, **where} if task else None
        task = self._task(doors, where["clusterArn"])
        if task and task["lastStatus"] == "STOPPED":
            return {**where, "Index": True} if self._index(doors, where["Bucket"]) else None
        return {**task, **where} if task else None

    def _index(self, doors: Doors, bucket: str) -> bool:
        """403 is no proof that there is one: S3 says so of an absent object to who may not list."""
        absent = ("403", "404", "NoSuchKey")
        found = unless(absent, doors.aws.s3.head_object, Bucket=bucket, Key=INDEX)
        return found is not None

    def _task(self, doors: Doors, cluster: str) -> Live | None:
        """The one that is recorded, else one whose RunTask was not answered."""
        ecs = doors.aws.ecs
        arns = [self.task] if self.task else []
        if not arns:
            arns = ecs.list_tasks(cluster=cluster, startedBy=FIRST)["taskArns"][:1]
        found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return dict(found[0]) if found else None

    def create(self, doors: Doors) -> Live | None:
        """RunTask. Without capacity there is no task, and its reason is what is told."""
        answer = doors.aws.ecs.run_task(
            cluster=self.cluster.arn,
            taskDefinition=self.definition.arn,
            count=1,
            capacityProviderStrategy=strategy(self.capacity),
            networkConfiguration={"awsvpcConfiguration": placed(self.network, self.security_group)},
            startedBy=FIRST,
            clientToken=self.token,
            tags=listed(self.tags, "key", "value"),
        )
        self.begun = True
        where = {"Bucket": self.bucket.bucket, "clusterArn": self.cluster.arn}
        for task in answer["tasks"]:
            return {**task, **where}
        failures = [failure.get("reason", "") for failure in answer.get("failures", [])]
        return {**where, "lastStatus": "STOPPED", "stoppedReason": "; ".join(failures)}

    def learn(self, live: Live) -> None:
        """Once there is news, it does not matter whose task has brought it."""
        super().learn(live)
        if live.get("Index"):
            self.task = self.token = ""

    def patience(self, live: Live) -> int:
        """Of a task that there is; Spot may let it wait."""
        return super().bound

    def pending(self, live: Live) -> str:
        """While its task runs. Raises Refusal where that came to nothing."""
        if live.get("Index"):
            return ""
        if live["lastStatus"] != "STOPPED":
            return _("the first news is being collected ({state})", state=live["lastStatus"])
        code = next((c.get("exitCode") for c in live.get("containers", [])), None)
        if code == 0:
            return ""  # the feeds were read, and there was nothing in them
        why = str(live.get("stoppedReason") or "")
        raise Refusal(
            _("Collecting the first news."),
            _("none of the feeds could be read") if code == NO_FEED else why,
            _(
                "The bot answers with its samples until the schedule has collected some; "
                "`provision logs` shows why."
            ),
        )

    def lasts(self, live: Live) -> bool:
        """The news does; a task does not."""
        return bool(live.get("Index"))

    def delete(self, doors: Doors) -> None:
        """Stops what still collects; the news belongs to the bucket."""
        self.over = True
        ecs, where = doors.aws.ecs, self.cluster_arn
        for arn in ecs.list_tasks(cluster=where, family=f"{self.stack}{SUFFIX}")["taskArns"]:
            ecs.stop_task(cluster=where, task=arn, reason="provision teardown")
