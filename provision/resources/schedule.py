"""Schedule the bot's hours with two schedules that set the service's desired count.

The article uses a Lambda function between EventBridge and ECS; its author notes that EventBridge Scheduler
alone is enough. Each schedule sets the count instead of toggling it.
"""

import json
from typing import Any, Literal

from provision.clients.aws import list_items
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    ExternalUse,
    FoundSettings,
    Live,
    Permission,
    Polling,
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
from provision.resources.role import RolePolicy, Statement
from provision.resources.service import Service

UPDATE_SERVICE = "arn:aws:scheduler:::aws-sdk:ecs:updateService"  # Scheduler, universal targets
MAX_AGE = 600  # seconds; a start delivered after the next stop would run the bot for a week


@resource
class ScheduleGroup(Resource):
    """The group of the stack's schedules. It has tags; schedules cannot have any."""

    name: str
    arn: str = output("Arn", arn_pattern())
    group_name: str = output("Name")
    console = "EventBridge Scheduler"
    errors = Errors(
        not_found=("ResourceNotFoundException",),
        exists=("ConflictException",),
        retry=("ConflictException",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        name = identity_in(self.key)
        group = f"schedule-group/{name}"
        return [
            Permission("read", "scheduler", "ListScheduleGroups ListSchedules"),
            Permission(
                "read",
                "scheduler",
                "GetScheduleGroup ListTagsForResource",
                f"schedule-group/{self.stack}*",
            ),
            Permission("create", "scheduler", "CreateScheduleGroup TagResource", group),
            Permission("delete", "scheduler", "DeleteScheduleGroup", group),
            Permission("delete", "scheduler", "DeleteSchedule", f"schedule/{name}/*"),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return groups by name and tags, without those being deleted."""
        prefix = {"NamePrefix": stack} if stack else {}
        scheduler = clients.aws.scheduler
        groups = list_items(scheduler, "list_schedule_groups", "ScheduleGroups", **prefix)
        active = [dict(group) for group in groups if group["State"] != "DELETING"]
        tagged = run_all(lambda group: (_tags(clients, group), group), active)
        return [(tags, group) for tags, group in tagged if has_stack_tag(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """Call GetScheduleGroup."""
        return dict(clients.aws.scheduler.get_schedule_group(Name=self.group_name or self.name))

    def create(self, clients: Clients) -> Live | None:
        """Call CreateScheduleGroup."""
        answer = clients.aws.scheduler.create_schedule_group(
            Name=self.name, Tags=tags_to_list(self.tags)
        )
        return {"Name": self.name, "Arn": answer["ScheduleGroupArn"]}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForResource)."""
        return _tags(clients, live)

    def deletion_state(self, live: Live) -> Literal["", "leaving"]:
        """Return `leaving` while it is being deleted, which takes longer than the call."""
        return "leaving" if live.get("State") == "DELETING" else ""

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return schedules that others added to it."""
        scheduler, group = clients.aws.scheduler, self.group_name
        found = list_items(scheduler, "list_schedules", "Schedules", GroupName=group)
        return [
            ExternalUse(f"{self.group_name}/{schedule['Name']}", content=True)
            for schedule in found
            if schedule["Arn"] not in ours
        ]

    def delete(self, clients: Clients) -> None:
        """Call DeleteScheduleGroup, which also deletes its schedules."""
        clients.aws.scheduler.delete_schedule_group(Name=self.group_name)


@resource
class SchedulerPermissions(RolePolicy):
    """Scheduler's permissions: update the stack's service."""

    service: Service

    def statements(self) -> list[Statement]:
        """Return UpdateService on the service."""
        return [
            {
                "Sid": "StartAndStopTheBot",
                "Effect": "Allow",
                "Action": "ecs:UpdateService",
                "Resource": self.service.arn,
            }
        ]


@resource
class Scheduled(Resource):
    """An EventBridge schedule."""

    name: str  # within its group: start, stop, collect
    expression: str  # cron(...), rate(...) or at(...)
    timezone: str
    group: ScheduleGroup
    permissions: RolePolicy
    arn: str = output("Arn", arn_pattern())
    schedule_name: str = output("Name")
    group_name: str = output("GroupName")
    errors = Errors(
        not_found=("ResourceNotFoundException",),
        exists=("ConflictException",),
        retry=("ValidationException: assume the role", "ConflictException"),
    )
    deletion = Deletion(immediate=True)
    polling = Polling(after_propagation=True)

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        schedules = f"schedule/{identity_in(self.key)}/*"
        return [
            Permission("read", "scheduler", "GetSchedule", f"schedule/{self.stack}/*"),
            Permission("deploy", "scheduler", "UpdateSchedule", schedules),
            Permission("create", "scheduler", "CreateSchedule", schedules),
            Permission("delete", "scheduler", "DeleteSchedule", schedules),
        ]

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return its group."""
        name = live["GroupName"]
        return [ScheduleGroup.from_record(self.stack, name, {"group_name": name})]

    def identity(self) -> str:
        """Return the group's name, because a schedule cannot move to another group."""
        return self.group.name

    def exists_within(self) -> list[Resource]:
        """Return the schedule group."""
        return [self.group]

    def find(self, clients: Clients) -> Live | None:
        """Call GetSchedule."""
        return dict(
            clients.aws.scheduler.get_schedule(
                GroupName=self.group_name or self.group.name, Name=self.schedule_name or self.name
            )
        )

    def create(self, clients: Clients) -> Live | None:
        """Call CreateSchedule."""
        names, settings = {"GroupName": self.group.name, "Name": self.name}, self._settings()
        answer = clients.aws.scheduler.create_schedule(**names, **settings)
        return {**names, **settings, "Arn": answer["ScheduleArn"]}

    def _target(self) -> dict[str, Any]:
        """Return the target without role and retry policy."""
        raise NotImplementedError(self.kind)

    def _settings(self) -> dict[str, Any]:
        """Return all settings, because UpdateSchedule resets those that are missing."""
        return {
            "ScheduleExpression": self.expression,
            "ScheduleExpressionTimezone": self.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "RoleArn": self.permissions.role.arn,
                "RetryPolicy": {"MaximumEventAgeInSeconds": MAX_AGE, "MaximumRetryAttempts": 10},
                **self._target(),
            },
        }

    def desired(self) -> dict[str, Any]:
        """Return all settings."""
        return self._settings()

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call UpdateSchedule with all settings."""
        clients.aws.scheduler.update_schedule(
            GroupName=self.group_name, Name=self.schedule_name, **self._settings()
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteSchedule."""
        clients.aws.scheduler.delete_schedule(GroupName=self.group_name, Name=self.schedule_name)


@resource
class Schedule(Scheduled):
    """A schedule that sets the number of the service's tasks."""

    count: int
    service: Service

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return its time, and the number of tasks that it starts."""
        count = json.loads(live["Target"]["Input"])["DesiredCount"]
        return {
            f"schedule.{live['Name']}": str(live["ScheduleExpression"]),
            "schedule.timezone": str(live["ScheduleExpressionTimezone"]),
            **({"service.count": str(count)} if count else {}),
        }

    def _target(self) -> dict[str, Any]:
        """Return ecs:UpdateService, a universal target."""
        call = {
            "Cluster": self.service.cluster_arn,
            "Service": self.service.arn,
            "DesiredCount": self.count,
        }
        return {"Arn": UPDATE_SERVICE, "Input": json.dumps(call)}


def _tags(clients: Clients, group: Live) -> dict[str, str]:
    answer = clients.aws.scheduler.list_tags_for_resource(ResourceArn=group["Arn"])
    return tags_to_dict(answer.get("Tags", []))
