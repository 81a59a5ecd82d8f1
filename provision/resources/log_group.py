"""Create the CloudWatch log group of the bot's log."""

from typing import Any

from provision.clients.aws import list_items
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
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
)

FOLDER = "/ecs/"
RETENTION = 30  # days; AWS's default is forever


@resource
class LogGroup(Resource):
    """The log group of the bot's containers."""

    name: str
    log_group_name: str = output("logGroupName")
    arn: str = output("arn", arn_pattern())
    deletion = Deletion(immediate=True)
    console = "CloudWatch Logs"
    errors = Errors(
        not_found=("ResourceNotFoundException",),
        exists=("ResourceAlreadyExistsException",),
        retry=("OperationAbortedException",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        group = f"log-group:{FOLDER}{identity_in(self.key)}"
        return [
            Permission("read", "logs", "DescribeLogGroups"),
            Permission("read", "logs", "ListTagsForResource", f"log-group:{FOLDER}{self.stack}*"),
            Permission("read", "logs", "FilterLogEvents", f"{group}:*"),
            Permission(
                "create",
                "logs",
                "CreateLogGroup TagResource PutRetentionPolicy",
                f"{group} {group}:*",
            ),
            Permission("delete", "logs", "DeleteLogGroup", f"{group}:*"),
        ]

    def identity(self) -> str:
        """Return the last part of its name."""
        return self.name.rpartition("/")[2]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return log groups by name and tags."""
        prefix = {"logGroupNamePrefix": FOLDER + stack}
        groups = list_items(clients.aws.logs, "describe_log_groups", "logGroups", **prefix)
        tagged = run_all(lambda group: (_tags(clients, group), group), groups)
        return [(tags, group) for tags, group in tagged if has_stack_tag(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """Find the log group by name (DescribeLogGroups matches prefixes)."""
        name = self.log_group_name or self.name
        found = clients.aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((dict(group) for group in found if group["logGroupName"] == name), None)

    def create(self, clients: Clients) -> Live | None:
        """Call CreateLogGroup, which returns nothing; `update` sets the retention."""
        clients.aws.logs.create_log_group(logGroupName=self.name, tags=self.tags)
        return None

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForResource)."""
        return _tags(clients, live)

    def desired(self) -> dict[str, Any]:
        """Return the retention."""
        return {"retentionInDays": RETENTION}

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutRetentionPolicy."""
        clients.aws.logs.put_retention_policy(
            logGroupName=self.log_group_name, retentionInDays=RETENTION
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteLogGroup."""
        clients.aws.logs.delete_log_group(logGroupName=self.log_group_name)


def _tags(clients: Clients, live: Live) -> dict[str, str]:
    """Call ListTagsForResource, which takes the ARN without its final :*."""
    arn = live["arn"].removesuffix(":*")
    return tags_to_dict(clients.aws.logs.list_tags_for_resource(resourceArn=arn).get("tags", {}))
