"""ECS task definitions: what Fargate refuses, and which revisions are listed, shown, deleted."""

from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import Answer, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

# ECS Developer Guide, "Task CPU and memory" for Fargate: CPU units -> MiB.
FARGATE = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
# Attributes of moto's TaskDefinition, as the API names them.
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


@before("ecs", "RegisterTaskDefinition")
def fargate_can_run_it(cloud: "Cloud", call: Call) -> None:
    """ECS Developer Guide, "Task definition parameters for Fargate"; ClientException."""
    given = call.params
    if "FARGATE" not in (given.get("requiresCompatibilities") or []):
        return
    for name in ("cpu", "memory"):
        if not given.get(name):
            raise _refused(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = str(given["cpu"]), str(given["memory"])
    if not (cpu.isdigit() and memory.isdigit() and int(memory) in FARGATE.get(int(cpu), ())):
        raise _refused(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See "
            "the Amazon ECS documentation for the valid values."
        )
    if given.get("networkMode") not in (None, "awsvpc"):
        raise _refused("Fargate only supports network mode ‘awsvpc’.")
    if given.get("executionRoleArn"):
        return
    for container in given["containerDefinitions"]:
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            raise _refused(
                "Fargate requires task definition to have execution role ARN to support log "
                "driver awslogs."
            )
        if container.get("secrets"):
            raise _refused(
                "When you are specifying container secrets, you must also specify a value for "
                "'executionRoleArn'."
            )


@before("ecs", "DescribeTaskDefinition")
def latest_active_revision(cloud: "Cloud", call: Call) -> Answer | None:
    """API DescribeTaskDefinition: a family stands for its latest ACTIVE revision."""
    wanted = call.params["taskDefinition"].rpartition("/")[2]
    if ":" in wanted:
        return None
    definition = latest_active(cloud, call.region, wanted)
    asked = "TAGS" in (call.params.get("include") or [])
    return {"taskDefinition": describe(definition), "tags": definition.tags if asked else []}


def latest_active(cloud: "Cloud", region: str, family: str) -> Any:
    """Moto's newest ACTIVE TaskDefinition of the family."""
    revisions = cloud.backend("ecs", region).task_definitions.get(family, {})
    active = [d for d in revisions.values() if d.status == "ACTIVE"]
    if not active:
        raise _refused("Unable to describe task definition.")
    return max(active, key=lambda definition: definition.revision)


@before("ecs", "ListTaskDefinitions")
def listed(cloud: "Cloud", call: Call) -> Answer:
    """API ListTaskDefinitions: status, sort and pages."""
    wanted = call.params.get("familyPrefix")
    status = call.params.get("status") or "ACTIVE"
    found = sorted(
        (definition.family, definition.revision, definition.arn)
        for family, revisions in cloud.backend("ecs", call.region).task_definitions.items()
        for definition in revisions.values()
        if definition.status == status and wanted in (None, family)
    )
    if call.params.get("sort") == "DESC":
        found.reverse()
    return page("taskDefinitionArns", [arn for _, _, arn in found], call)


@before("ecs", "ListTaskDefinitionFamilies")
def families(cloud: "Cloud", call: Call) -> Answer:
    """API ListTaskDefinitionFamilies: ACTIVE ones have an ACTIVE revision."""
    status = call.params.get("status") or "ALL"
    prefix = call.params.get("familyPrefix") or ""
    found = []
    for family, revisions in cloud.backend("ecs", call.region).task_definitions.items():
        statuses = {definition.status for definition in revisions.values()}
        kind = "ACTIVE" if "ACTIVE" in statuses else "INACTIVE"
        if family.startswith(prefix) and status in ("ALL", kind) and statuses:
            found.append(family)
    return page("families", sorted(found), call)


def page(name: str, items: list[str], call: Call) -> Answer:
    """One page of a list, `maxResults` long (100 at most); the token is where it goes on."""
    begin = int(call.params.get("nextToken") or 0)
    end = begin + (call.params.get("maxResults") or 100)
    return {name: items[begin:end]} | ({"nextToken": str(end)} if end < len(items) else {})


@before("ecs", "DeleteTaskDefinitions")
def deleted(cloud: "Cloud", call: Call) -> Answer:
    """API DeleteTaskDefinitions: up to ten, INACTIVE; DELETE_IN_PROGRESS while something uses it."""
    names = call.params["taskDefinitions"]
    if len(names) > 10:
        raise Refusal(
            "InvalidParameterException", "Size of TaskDefinition references list cannot exceed 10"
        )
    done, failures = [], []
    for name in names:
        family, _, revision = name.rpartition("/")[2].partition(":")
        revisions = cloud.backend("ecs", call.region).task_definitions.get(family, {})
        definition = revisions.get(int(revision)) if revision.isdigit() else None
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
            done.append(describe(definition))
            continue
        failures.append({"arn": name, "reason": reason})
    return {"taskDefinitions": done, "failures": failures}


def describe(definition: Any) -> dict[str, Any]:
    """Moto's TaskDefinition as API TaskDefinition."""
    shown = {name: getattr(definition, attribute, None) for name, attribute in _SHOWN.items()}
    return {name: value for name, value in shown.items() if value is not None}


def _refused(message: str) -> Refusal:
    return Refusal("ClientException", message)
