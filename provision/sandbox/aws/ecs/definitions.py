"""ECS task definitions: revisions, lists and deletion."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import client_error, invalid_parameter
from provision.sandbox.aws.ecs.pagination import page
from provision.sandbox.aws.rules import Answer, before

# Members of the API's TaskDefinition and the attributes of moto's that hold them.
_SHOWN = {
    "taskDefinitionArn": "arn",
    "containerDefinitions": "container_definitions",
    "family": "family",
    "taskRoleArn": "task_role_arn",
    "executionRoleArn": "execution_role_arn",
    "networkMode": "network_mode",
    "revision": "revision",
    "volumes": "volumes",
    "status": "status",
    "placementConstraints": "placement_constraints",
    "compatibilities": "compatibilities",
    "runtimePlatform": "runtime_platform",
    "requiresCompatibilities": "requires_compatibilities",
    "cpu": "cpu",
    "memory": "memory",
}


@behaves("ecs.family-is-its-latest-active-revision")
@before("ecs", "DescribeTaskDefinition")
def describe_definition(cloud: Cloud, call: Call) -> Answer | None:
    """Resolve a family to its latest ACTIVE revision (API DescribeTaskDefinition)."""
    name = call.params["taskDefinition"].rpartition("/")[2]
    if ":" in name:
        return None
    definition = latest_active(cloud, call.region, name)
    with_tags = "TAGS" in (call.params.get("include") or [])
    return {"taskDefinition": describe(definition), "tags": definition.tags if with_tags else []}


def latest_active(cloud: Cloud, region: str, family: str) -> Any:
    """Return moto's newest ACTIVE TaskDefinition of the family."""
    revisions = cloud.backend("ecs", region).task_definitions.get(family, {})
    active = [d for d in revisions.values() if d.status == "ACTIVE"]
    if not active:
        raise client_error("Unable to describe task definition.")
    return max(active, key=lambda definition: definition.revision)


@behaves("ecs.definition-unknown", "ecs.definition-inactive")
def find_active_definition(cloud: Cloud, region: str, name: str) -> Any:
    """Return moto's ACTIVE TaskDefinition: the revision if the name has one, else the family's newest."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    if not revision:
        try:
            return latest_active(cloud, region, family)
        except AwsError:
            raise client_error("TaskDefinition not found.") from None
    definition = find_revision(cloud, region, name)
    if definition is None:
        raise client_error("TaskDefinition not found.")
    if definition.status != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    return definition


def find_revision(cloud: Cloud, region: str, name: str) -> Any | None:
    """Return moto's TaskDefinition for family:revision or an ARN, or None."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    revisions = cloud.backend("ecs", region).task_definitions.get(family, {})
    return revisions.get(int(revision)) if revision.isdigit() else None


@behaves("ecs.list-definitions-sorted")
@before("ecs", "ListTaskDefinitions")
def list_definitions(cloud: Cloud, call: Call) -> Answer:
    """List by status, sort and page (API ListTaskDefinitions)."""
    prefix = call.params.get("familyPrefix")
    status = call.params.get("status") or "ACTIVE"
    found = sorted(
        (definition.family, definition.revision, definition.arn)
        for family, revisions in cloud.backend("ecs", call.region).task_definitions.items()
        for definition in revisions.values()
        if definition.status == status and prefix in (None, family)
    )
    if call.params.get("sort") == "DESC":
        found.reverse()
    return page("taskDefinitionArns", [arn for _, _, arn in found], call)


@before("ecs", "ListTaskDefinitionFamilies")
def list_families(cloud: Cloud, call: Call) -> Answer:
    """List families; an ACTIVE one has an ACTIVE revision (API ListTaskDefinitionFamilies)."""
    status = call.params.get("status") or "ALL"
    prefix = call.params.get("familyPrefix") or ""
    found = []
    for family, revisions in cloud.backend("ecs", call.region).task_definitions.items():
        statuses = {definition.status for definition in revisions.values()}
        kind = "ACTIVE" if "ACTIVE" in statuses else "INACTIVE"
        if family.startswith(prefix) and status in ("ALL", kind) and statuses:
            found.append(family)
    return page("families", sorted(found), call)


@behaves("ecs.delete-definition-still-active", "ecs.delete-definitions-ten")
@before("ecs", "DeleteTaskDefinitions")
def delete_definitions(cloud: Cloud, call: Call) -> Answer:
    """Delete up to ten INACTIVE revisions, DELETE_IN_PROGRESS while in use (API DeleteTaskDefinitions)."""
    names = call.params["taskDefinitions"]
    if len(names) > 10:
        raise invalid_parameter("Size of TaskDefinition references list cannot exceed 10")
    deleted, failures = [], []
    for name in names:
        definition = find_revision(cloud, call.region, name)
        if definition is None:
            reason = (
                "The specified task definition does not exist. Specify a valid account, family, "
                "revision and try again."
            )
        elif definition.status == "ACTIVE":
            reason = (
                "The specified task definition is still in ACTIVE status. Please deregister the "
                "target and try again."
            )
        else:
            definition.status = "DELETE_IN_PROGRESS"
            deleted.append(describe(definition))
            continue
        failures.append({"arn": name, "reason": reason})
    return {"taskDefinitions": deleted, "failures": failures}


def describe(definition: Any) -> dict[str, Any]:
    """Return moto's TaskDefinition in the form of the API."""
    shown = {name: getattr(definition, attribute, None) for name, attribute in _SHOWN.items()}
    return {name: value for name, value in shown.items() if value is not None}
