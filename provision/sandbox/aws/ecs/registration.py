"""ECS: checks of RegisterTaskDefinition, for Fargate and in general.

Sources: ECS Developer Guide, "Task definition parameters for Fargate"; API ContainerDefinition.
"""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import client_error
from provision.sandbox.aws.rules import Answer, after, before

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
# API RegisterTaskDefinition, cpu ("1 vCPU", "1 vcpu") and memory ("1GB", "1 GB").
_UNITS = re.compile(r"([0-9]*\.?[0-9]+) *(?:vcpu|gb)", re.IGNORECASE)
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/\S+|[\w+=,.@-]{1,64}")
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.")
_LOG_OPTIONS = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
_STOP_TIMEOUT = 120


def _units(value: Any) -> str:
    """Return vCPUs as CPU units and GB as MiB, as ECS converts them; any other value as it is."""
    match = _UNITS.fullmatch(str(value))
    return str(int(float(match[1]) * 1024)) if match else str(value)


@behaves("ecs.units")
@after("ecs", "RegisterTaskDefinition")
def convert_units(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Store CPU and memory of a task as integers (API RegisterTaskDefinition)."""
    shown = answer["taskDefinition"]
    stored = cloud.backend("ecs", call.region).task_definitions[shown["family"]][shown["revision"]]
    for name in {"cpu", "memory"} & shown.keys():
        shown[name] = _units(shown[name])
        setattr(stored, name, shown[name])


@behaves("ecs.fargate-cpu-and-memory", "ecs.fargate-network-mode")
@before("ecs", "RegisterTaskDefinition")
def check_fargate(cloud: Cloud, call: Call) -> None:
    """Check CPU, memory, network mode, roles and containers of a task definition for Fargate."""
    params = call.params
    if "FARGATE" not in (params.get("requiresCompatibilities") or []):
        return
    for name in ("cpu", "memory"):
        if not params.get(name):
            raise client_error(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = (_units(params[name]) for name in ("cpu", "memory"))
    if not (cpu.isdigit() and memory.isdigit() and int(memory) in FARGATE.get(int(cpu), ())):
        raise client_error(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See "
            "the Amazon ECS documentation for the valid values."
        )
    if params.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode ‘awsvpc’.")
    for container in params["containerDefinitions"]:
        _needs_role(params, container)
        _fits_fargate(container)


@behaves("ecs.log-driver-needs-role", "ecs.secrets-need-role", "ecs.ecr-image-needs-role")
def _needs_role(params: dict[str, Any], container: dict[str, Any]) -> None:
    if params.get("executionRoleArn"):
        return
    needing = "Fargate requires task definition to have execution role ARN to support"
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        raise client_error(f"{needing} log driver awslogs.")
    if _ECR.match(container.get("image") or ""):
        raise client_error(f"{needing} ECR images.")
    if container.get("secrets"):
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )


@behaves("ecs.awslogs-options", "ecs.host-port-differs", "ecs.stop-timeout-too-long")
def _fits_fargate(container: dict[str, Any]) -> None:
    log = container.get("logConfiguration") or {}
    missing = [option for option in _LOG_OPTIONS if option not in (log.get("options") or {})]
    if log.get("logDriver") == "awslogs" and missing:
        raise client_error(f"Log driver awslogs requires options: {', '.join(missing)}")
    for mapping in container.get("portMappings") or []:
        if mapping.get("hostPort") not in (None, mapping.get("containerPort")):
            raise client_error(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must "
                "match."
            )
    if (container.get("stopTimeout") or 0) > _STOP_TIMEOUT:
        raise client_error(
            f"Invalid 'stopTimeout' for container {container['name']}: the maximum on Fargate is "
            f"{_STOP_TIMEOUT} seconds."
        )


@behaves("ecs.no-essential-container", "ecs.role-not-an-arn")
@before("ecs", "RegisterTaskDefinition")
def check_definition(cloud: Cloud, call: Call) -> None:
    """Require an essential container and valid roles."""
    params = call.params
    containers = params["containerDefinitions"]
    if containers and not any(container.get("essential", True) for container in containers):
        raise client_error("Invalid setting for containers: no container is marked as essential.")
    for name in ("executionRoleArn", "taskRoleArn"):
        if params.get(name) and _ROLE.fullmatch(params[name]) is None:
            raise client_error("Role is not valid")
