"""Register task definitions."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from provision.clients.aws import list_items
from provision.resources.base import (
    Clients,
    Difference,
    Errors,
    FoundSettings,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)
from provision.resources.bucket import FOLDER, NewsBucket
from provision.resources.image import GivenImage, Image, built_tag
from provision.resources.log_group import LogGroup
from provision.resources.parameter import Parameter
from provision.resources.role import Role

CONTAINER = "bot"
USER = "10001:10001"  # not root, whatever the image sets; an id that images do not use
STOP_TIMEOUT = 120  # seconds; the time between Spot's warning and the interruption
KEPT = 10  # newest revisions to keep, to which a deploy can return
VARIABLES = {  # of the container, by the settings that they tell
    "line.channel_id": "CHANNEL_ID",
    "line.access_token_parameter": "ACCESS_TOKEN_PARAMETER",
    "line.channel_secret_parameter": "CHANNEL_SECRET_PARAMETER",
}
ARCHITECTURES = {"linux/amd64": "X86_64", "linux/arm64": "ARM64"}


@resource
class Family(Resource):
    """A task definition family with one Fargate container. A change registers a new revision."""

    name: str
    cpu: int
    memory: int
    execution_role: Role
    task_role: Role
    log_group: LogGroup
    region: str
    arn: str = output("taskDefinitionArn", arn_pattern("task-definition/"))
    family: str = output("family")
    identified_by = "tags"  # each registration creates a revision
    console = "Amazon ECS"
    errors = Errors(
        not_found=(
            "ClientException: Unable to describe task definition",
            "ClientException: The specified task definition does not exist",
            "InvalidParameterException: Unable to describe task definition",
        ),
        retry=("ClientException: Role is not valid",),
    )
    container: ClassVar[str] = ""  # its name, and the prefix of its log streams
    suffix: ClassVar[str] = ""  # the family's name is the stack's name and this suffix

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        family = f"task-definition/{identity_in(self.key)}:*"
        return [
            Permission("read", "ecs", "DescribeTaskDefinition ListTaskDefinitions"),
            Permission("deploy", "ecs", "RegisterTaskDefinition TagResource", family),
            Permission("retire", "ecs", "DeregisterTaskDefinition"),
            Permission("retire", "ecs", "DeleteTaskDefinitions", family),
            Permission("delete", "ecs", "DeregisterTaskDefinition"),
            Permission("delete", "ecs", "DeleteTaskDefinitions", family),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the newest revision of the stack's family that has its tags, as the one entry of the family.

        Read ACTIVE revisions first, then deregistered ones, which ECS lists until they are deleted. There may
        be a thousand, and a call returns the tags of only one.
        """
        family = f"{stack}{cls.suffix}" if stack and cls.container else ""
        for status in ("ACTIVE", "INACTIVE") if family else ():
            for arn in sorted(
                _revisions(clients, family, status), key=_revision_number, reverse=True
            ):
                describe = clients.aws.ecs.describe_task_definition
                answer = describe(taskDefinition=arn, include=["TAGS"])
                if has_stack_tag(tags := tags_to_dict(answer.get("tags", [])), stack):
                    return [(tags, _shape(answer["taskDefinition"]))]
        return []

    @classmethod
    def same(cls, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Return whether both belong to one family, because a newer revision replaces an older one."""
        return bool(one.get("family")) and one["family"] == other.get("family")

    def lookup_needs(self) -> list[Resource]:
        """Return [], because it is found by name."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Find it by ARN, else the newest revision; one that is being deleted counts as not found."""
        answer = clients.aws.ecs.describe_task_definition(
            taskDefinition=self.arn or self.name, include=["TAGS"]
        )
        live = answer["taskDefinition"]
        if live.get("status") == "DELETE_IN_PROGRESS":
            return None
        return _shape({**live, "tags": answer.get("tags", [])})

    def deletion_state(self, live: Live) -> Literal["", "leaving"]:
        """Return `leaving` for a deregistered revision, which ECS lists as INACTIVE until it is deleted."""
        return "leaving" if live.get("status") == "INACTIVE" else ""

    def create(self, clients: Clients) -> Live | None:
        """Call RegisterTaskDefinition."""
        answer = clients.aws.ecs.register_task_definition(
            **self._registration(), tags=tags_to_list(self.tags, "key", "value")
        )
        return _shape(answer["taskDefinition"])

    def _platform(self) -> str:
        """Return linux/amd64 or linux/arm64."""
        raise NotImplementedError(self.kind)

    def _image(self) -> str:
        """Return the image's URI."""
        raise NotImplementedError(self.kind)

    def _environment(self) -> dict[str, str]:
        """Return the container's environment variables."""
        raise NotImplementedError(self.kind)

    def _container_options(self) -> dict[str, Any]:
        """Return additional parameters of the container definition."""
        return {}

    def _registration(self) -> dict[str, Any]:
        return {
            "family": self.name,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "runtimePlatform": {
                "operatingSystemFamily": "LINUX",
                "cpuArchitecture": ARCHITECTURES[self._platform()],
            },
            "cpu": str(self.cpu),
            "memory": str(self.memory),
            "executionRoleArn": self.execution_role.arn,
            "taskRoleArn": self.task_role.arn,
            "containerDefinitions": [self._container()],
        }

    def _container(self) -> dict[str, Any]:
        log = {
            "awslogs-group": self.log_group.name,
            "awslogs-region": self.region,
            "awslogs-stream-prefix": self.container,
            # While CloudWatch Logs cannot be reached, lose lines rather than stop answering. Unset, an
            # account's setting decides (Amazon ECS Developer Guide, defaultLogDriverMode).
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        }
        return {
            "name": self.container,
            "image": self._image(),
            "essential": True,
            "environment": [
                {"name": n, "value": v} for n, v in sorted(self._environment().items())
            ],
            "logConfiguration": {"logDriver": "awslogs", "options": log},
            "user": USER,
            "readonlyRootFilesystem": True,
            # ECS API, KernelCapabilities: Fargate lets any be dropped.
            "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
            "stopTimeout": STOP_TIMEOUT,
            **self._container_options(),
        }

    def desired(self) -> dict[str, Any]:
        """Return the properties that a new revision can change."""
        live = _shape(self._registration())
        paths = ("cpu", "memory", "executionRoleArn", "taskRoleArn", "runtimePlatform")
        container = {f"Container.{part}": value for part, value in live["Container"].items()}
        return {**{path: live[path] for path in paths}, **container}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Register a new revision and switch to it."""
        created = self.create(clients)
        if created:
            self.load_from_api(created)

    def size(self, clients: Clients, arn: str) -> FoundSettings:
        """Return the settings of a revision's size."""
        found = clients.aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return {"service.cpu": str(found["cpu"]), "service.memory": str(found["memory"])}

    def previous(self, clients: Clients) -> str:
        """Return the newest active revision before this one; "" for none."""
        older = [
            a
            for a in _revisions(clients, self.family, "ACTIVE")
            if _revision_number(a) < _revision_number(self.arn)
        ]
        return max(older, key=_revision_number, default="")

    def deregister(self, clients: Clients, arn: str) -> None:
        """Deregister a revision that must not run again, because the newest ACTIVE one is used."""
        clients.aws.ecs.deregister_task_definition(taskDefinition=arn)

    def prune(self, clients: Clients) -> None:
        """Delete all but the newest KEPT revisions."""
        known = sorted(_revisions(clients, self.family, "ACTIVE"), key=_revision_number)
        for arn in known[:-KEPT]:
            self.deregister(clients, arn)
        self._delete_inactive(clients)

    def images(self, clients: Clients) -> set[str]:
        """Return the images of the active revisions."""
        definitions = [
            clients.aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            for arn in _revisions(clients, self.family, "ACTIVE")
        ]
        return {
            container["image"]
            for definition in definitions
            for container in definition["containerDefinitions"]
        }

    def delete(self, clients: Clients) -> None:
        """Deregister every revision of the family, then delete them (ten per call)."""
        ecs = clients.aws.ecs
        for arn in _revisions(clients, self.family, "ACTIVE"):
            ecs.deregister_task_definition(taskDefinition=arn)
        self._delete_inactive(clients)

    def _delete_inactive(self, clients: Clients) -> None:
        inactive = _revisions(clients, self.family, "INACTIVE")
        for start in range(0, len(inactive), 10):
            clients.aws.ecs.delete_task_definitions(taskDefinitions=inactive[start : start + 10])


@resource
class TaskDefinition(Family):
    """The bot's task definition family."""

    image: Image | GivenImage
    platform: str
    port: int
    environment: Mapping[str, str]
    channel_id: str  # for stateless tokens; "": the access token is stored
    access_token: Parameter | None
    channel_secret: Parameter
    news_bucket: NewsBucket
    container = CONTAINER

    def operator_permissions(self) -> list[Permission]:
        """Return those of a family, and those for the image if it is given."""
        given = self.image.operator_permissions() if isinstance(self.image, GivenImage) else []
        return super().operator_permissions() + given

    def _platform(self) -> str:
        return self.platform

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return size, platform, image, and the names of the parameters and the bucket."""
        architecture = live.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
        platforms = {value: key for key, value in ARCHITECTURES.items()}
        container = live["Container"]
        environment, image = container["environment"], str(container["image"])
        bucket = environment.get("NEWS_URL", "").partition("://")[2].partition("/")[0]
        return {
            **({} if built_tag(image, self.stack) else {"image.uri": image}),
            "image.platform": platforms[architecture],
            "service.cpu": str(live["cpu"]),
            "service.memory": str(live["memory"]),
            **({"line.token": "stateless"} if "CHANNEL_ID" in environment else {}),
            **{key: environment[name] for key, name in VARIABLES.items() if name in environment},
            "news.bucket": bucket,
        }

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if the image is for another platform, as far as that can be read."""
        self.image.check_platform(clients, self.platform)

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Register a new revision, unless the image is for another platform."""
        self.image.check_platform(clients, self.platform)
        super().update(clients, live, differences)

    def _image(self) -> str:
        return self.image.uri

    def _environment(self) -> dict[str, str]:
        token = self.access_token
        return {
            **self.environment,
            "PORT": str(self.port),
            **(
                {"ACCESS_TOKEN_PARAMETER": token.name} if token else {"CHANNEL_ID": self.channel_id}
            ),
            "NEWS_URL": f"s3://{self.news_bucket.bucket}/{FOLDER}",
            "CHANNEL_SECRET_PARAMETER": self.channel_secret.name,
        }

    def _container_options(self) -> dict[str, Any]:
        """Return LINE's secrets and the port."""
        secrets = {"ACCESS_TOKEN": self.access_token, "CHANNEL_SECRET": self.channel_secret}
        return {
            "portMappings": [
                {"containerPort": self.port, "protocol": "tcp", "appProtocol": "http"}
            ],
            "secrets": [
                {"name": name, "valueFrom": parameter.arn}
                for name, parameter in secrets.items()
                if parameter
            ],
        }


def _revisions(clients: Clients, family: str, status: str) -> list[str]:
    """Return the family's revisions (familyPrefix also matches longer names)."""
    selector = {"familyPrefix": family, "status": status}
    arns = list_items(clients.aws.ecs, "list_task_definitions", "taskDefinitionArns", **selector)
    return [arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family]


def _revision_number(arn: str) -> int:
    return int(arn.rpartition(":")[2])


def _shape(live: Live) -> Live:
    """Return it with the container properties that provision sets, in a comparable form."""
    container = live["containerDefinitions"][0]
    parts = {
        "name": container["name"],
        "image": container["image"],
        "ports": [port["containerPort"] for port in container.get("portMappings", [])],
        "environment": {i["name"]: i["value"] for i in container.get("environment", [])},
        "secrets": {i["name"]: i["valueFrom"] for i in container.get("secrets", [])},
        "log": container.get("logConfiguration", {}).get("options", {}),
        "command": container.get("command") or [],
        "user": container.get("user"),
        "readonlyRootFilesystem": container.get("readonlyRootFilesystem"),
        "capabilities": {
            change: names
            for change, names in container.get("linuxParameters", {})
            .get("capabilities", {})
            .items()
            if names  # ECS returns an empty list for what was not given
        },
        "stopTimeout": container.get("stopTimeout"),
    }
    return {**live, "Container": parts}
