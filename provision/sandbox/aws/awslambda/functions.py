"""Lambda: checks of functions, which moto stores.

Sources: API Reference (CreateFunction, AddPermission), Developer Guide "Using Lambda environment variables",
"Lambda quotas". Messages that no source documents, and those about what the sandbox lacks, are our own.
"""

import io
import tempfile
import zipfile
import zlib
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.s3.exceptions import S3ClientError

from provision.sandbox.aws.awslambda.state import PRINCIPAL
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.constraints import constraint_rule
from provision.sandbox.aws.malformed import unsupported
from provision.sandbox.aws.rules import Answer, after, before

_UNZIPPED = 262_144_000  # bytes
_MAX_TIMEOUT = 900  # seconds
_RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
_CHANGES = ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration")

behaves("lambda.constraints")(constraint_rule)
before("lambda", "*")(constraint_rule("ValidationException"))


@before(
    "lambda",
    "CreateEventSourceMapping",
    "CreateFunctionUrlConfig",
    "InvokeAsync",
    "InvokeWithResponseStream",
    "PublishLayerVersion",
)
def refuse(cloud: Cloud, call: Call) -> None:
    """Refuse what moto stores or simulates, but nothing here would carry out."""
    raise unsupported(call)


@before("lambda", *_CHANGES)
def check_supported(cloud: Cloud, call: Call) -> None:
    """Refuse functions that the sandbox cannot run."""
    params = call.params
    runtime = params.get("Runtime")
    reasons = {
        f"the runtime {runtime}": runtime and not str(runtime).startswith("python3."),
        "container images": params.get("PackageType") == "Image"
        or "ImageUri" in (params.get("Code") or params),
        "layers": params.get("Layers"),
        "functions in a VPC": (params.get("VpcConfig") or {}).get("SubnetIds"),
        "file systems": params.get("FileSystemConfigs"),
    }
    for name, given in reasons.items():
        if given:
            raise _invalid(f"The sandbox runs Python functions from zip files; it lacks {name}.")


@behaves("lambda.runtime-and-handler")
@before("lambda", "CreateFunction")
def check_runtime(cloud: Cloud, call: Call) -> None:
    """Require runtime and handler of a zip file (API CreateFunction)."""
    if not (call.params.get("Runtime") and call.params.get("Handler")):
        raise _invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def check_timeout(cloud: Cloud, call: Call) -> None:
    """Refuse more than 15 minutes (Developer Guide, "Lambda quotas"), which are not in the model."""
    timeout = int(call.params.get("Timeout") or 0)
    if timeout > _MAX_TIMEOUT:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{timeout}' at 'timeout' failed to satisfy "
            f"constraint: Member must have value less than or equal to {_MAX_TIMEOUT}",
            400,
        )


@behaves("lambda.role", "lambda.role-fresh")
@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def check_role(cloud: Cloud, call: Call) -> None:
    """Require an execution role that Lambda can assume (Developer Guide, "Lambda execution role")."""
    role = call.params.get("Role")
    if role and not cloud.iam.can_be_assumed(role, PRINCIPAL):
        raise _invalid("The role defined for the function cannot be assumed by Lambda.")


@behaves("lambda.reserved-variables")
@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def check_environment(cloud: Cloud, call: Call) -> None:
    """Refuse environment variables that Lambda sets itself (API Environment)."""
    variables = (call.params.get("Environment") or {}).get("Variables") or {}
    if reserved := sorted(_RESERVED & set(variables)):
        raise _invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )


@behaves("lambda.zip-file")
@before("lambda", "CreateFunction", "UpdateFunctionCode")
def check_code(cloud: Cloud, call: Call) -> None:
    """Refuse code that is no zip file, or too large (Developer Guide, "Lambda quotas")."""
    code = _code(cloud, call.params.get("Code") or call.params)
    if code is None:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as file, tempfile.TemporaryDirectory() as folder:
            if sum(entry.file_size for entry in file.infolist()) > _UNZIPPED:
                raise _invalid(f"Unzipped size must be smaller than {_UNZIPPED} bytes")
            file.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, ValueError):
        raise _invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None


def _code(cloud: Cloud, given: dict[str, Any]) -> bytes | None:
    """Return the zip file in the request or in S3; None if there is none, which moto refuses."""
    if "ZipFile" in given:
        return bytes(given["ZipFile"])
    try:
        found = cloud.backend("s3").get_object(given.get("S3Bucket"), given.get("S3Key"))
    except S3ClientError:
        return None
    return None if found is None else bytes(found.value)


@behaves("lambda.pending")
@after("lambda", "CreateFunction")
def start_function(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Create the function as Pending (Developer Guide, "Lambda function states")."""
    if cloud.delays.function:
        function = find_function(cloud, call.region, call.params["FunctionName"])
        function.state = answer["State"] = "Pending"
        due = cloud.clock.now() + cloud.delays.function
        cloud.awslambda.pending.append((due, function))


@behaves("lambda.statement-exists")
@before("lambda", "AddPermission")
def check_statement(cloud: Cloud, call: Call) -> None:
    """Refuse a second statement of one id (API AddPermission)."""
    name, statement_id = call.params["FunctionName"], call.params["StatementId"]
    function = find_function(cloud, call.region, name, call.params.get("Qualifier"))
    if any(statement["Sid"] == statement_id for statement in function.policy.statements):
        raise AwsError(
            "ResourceConflictException",
            f"The statement id ({statement_id}) provided already exists. Please provide a new "
            "statement id, or remove the existing statement.",
            409,
        )


def find_function(cloud: Cloud, region: str, name: str, qualifier: str | None = None) -> Any:
    """Return moto's function by its name or ARN. Raises AwsError if there is none."""
    try:
        backend = cloud.backend("lambda", region)
        return backend.get_function(name.rpartition("function:")[2], qualifier)
    except LambdaClientError as error:
        raise AwsError("ResourceNotFoundException", str(error.message), 404) from None


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, 400)
