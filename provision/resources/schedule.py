"""When the bot runs: two schedules that set the service's wanted count, in their own time zone.

The article has a Lambda between EventBridge and ECS; its author notes that EventBridge Scheduler alone
would do. Each schedule states the wanted count instead of toggling it.
"""

import json
from typing import Any, ClassVar

from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Difference,
    ExternalUse,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)
from provision.resources.role import RolePolicy, Statement
from provision.resources.service import Service

UPDATE_SERVICE = "arn:aws:scheduler:::aws-sdk:ecs:updateService"  # Scheduler, universal targets
LATEST = 600  # seconds: a start that comes later than the next stop would run until the next week


@resource
class ScheduleGroup(Resource):
    """The group of the stack's schedules: it carries the tags that a schedule cannot."""

    name: str
    arn: str = output("Arn")
    group_name: str = output("Name")
    console = "EventBridge Scheduler"
    not_found = ("ResourceNotFoundException",)
    exists = ("ConflictException",)
    retry = ("ConflictException",)

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By name and tags; one that is on its way out does not count."""
        which = {"NamePrefix": stack} if stack else {}
        pages = clients.aws.scheduler.get_paginator("list_schedule_groups").paginate(**which)
        groups = [dict(group) for page in pages for group in page["ScheduleGroups"]]
        staying = [group for group in groups if group["State"] != "DELETING"]
        found = run_all(lambda group: (_tags(clients, group), group), staying)
        return [(tags, group) for tags, group in found if marked(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """GetScheduleGroup, by name."""
        return dict(clients.aws.scheduler.get_schedule_group(Name=self.group_name or self.name))

    def create(self, clients: Clients) -> Live | None:
        """CreateScheduleGroup."""
        made = clients.aws.scheduler.create_schedule_group(Name=self.name, Tags=listed(self.tags))
        return {"Name": self.name, "Arn": made["ScheduleGroupArn"]}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """ListTagsForResource."""
        return _tags(clients, live)

    def leaving(self, live: Live) -> bool:
        """Its deletion goes on after the call has been answered."""
        return bool(live.get("State") == "DELETING")

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Schedules that others put into it."""
        pages = clients.aws.scheduler.get_paginator("list_schedules").paginate(
            GroupName=self.group_name
        )
        found = [schedule for page in pages for schedule in page["Schedules"]]
        return [
            ExternalUse(f"{self.group_name}/{schedule['Name']}", content=True)
            for schedule in found
            if schedule["Arn"] not in ours
        ]

    def delete(self, clients: Clients) -> None:
        """DeleteScheduleGroup: whatever is left in it goes too."""
        clients.aws.scheduler.delete_schedule_group(Name=self.group_name)


@resource
class SchedulerPermissions(RolePolicy):
    """What Scheduler may do: change our service, and nothing else."""

    service: Service

    def statements(self) -> list[Statement]:
        """One action on one service."""
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
    """Something that EventBridge Scheduler calls, at the times of an expression."""

    name: str  # within its group: start, stop, collect
    expression: str  # cron(...), rate(...) or at(...)
    timezone: str
    group: ScheduleGroup
    permissions: RolePolicy
    arn: str = output("Arn")
    schedule_name: str = output("Name")
    group_name: str = output("GroupName")
    not_found = ("ResourceNotFoundException",)
    exists = ("ConflictException",)
    at_once = True
    retry = ("ValidationException: assume the role", "ConflictException")
    owned_via: ClassVar[str] = "group"
    through_others: ClassVar[bool] = True

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return the group that it is in."""
        return [ScheduleGroup.named_by(self.stack, group_name=live["GroupName"])]

    def identity(self) -> str:
        """A schedule cannot move to another group."""
        return self.group.name

    def find(self, clients: Clients) -> Live | None:
        """GetSchedule, by group and name."""
        return dict(
            clients.aws.scheduler.get_schedule(
                GroupName=self.group_name or self.group.name, Name=self.schedule_name or self.name
            )
        )

    def create(self, clients: Clients) -> Live | None:
        """CreateSchedule."""
        where, settings = {"GroupName": self.group.name, "Name": self.name}, self._settings()
        answer = clients.aws.scheduler.create_schedule(**where, **settings)
        return {**where, **settings, "Arn": answer["ScheduleArn"]}

    def _target(self) -> dict[str, Any]:
        """What is called, without the role and the retries."""
        raise NotImplementedError(self.kind)

    def _settings(self) -> dict[str, Any]:
        """All of it: UpdateSchedule sets what it is not given back to its default."""
        return {
            "ScheduleExpression": self.expression,
            "ScheduleExpressionTimezone": self.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "RoleArn": self.permissions.role.arn,
                "RetryPolicy": {"MaximumEventAgeInSeconds": LATEST, "MaximumRetryAttempts": 10},
                **self._target(),
            },
        }

    def desired(self) -> dict[str, Any]:
        """Everything that can be set."""
        return self._settings()

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """UpdateSchedule, with everything."""
        clients.aws.scheduler.update_schedule(
            GroupName=self.group_name, Name=self.schedule_name, **self._settings()
        )

    def delete(self, clients: Clients) -> None:
        """DeleteSchedule."""
        clients.aws.scheduler.delete_schedule(GroupName=self.group_name, Name=self.schedule_name)


@resource
class Schedule(Scheduled):
    """One time of the week at which the service is told how many tasks to run."""

    count: int
    service: Service

    def _target(self) -> dict[str, Any]:
        """ecs:UpdateService, a universal target."""
        call = {
            "Cluster": self.service.cluster_arn,
            "Service": self.service.arn,
            "DesiredCount": self.count,
        }
        return {"Arn": UPDATE_SERVICE, "Input": json.dumps(call)}


def _tags(clients: Clients, group: Live) -> dict[str, str]:
    answer = clients.aws.scheduler.list_tags_for_resource(ResourceArn=group["Arn"])
    return flat(answer.get("Tags", []))
