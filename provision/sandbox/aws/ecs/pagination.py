"""ECS: pagination of List operations."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.rules import Answer


@behaves("ecs.list-token-unknown", "ecs.list-page-size")
def page(name: str, items: list[str], call: Call, default_size: int = 100) -> Answer:
    """Return one page of up to `maxResults` or `default_size` items, and the token of the next page."""
    token, size = call.params.get("nextToken") or "0", call.params.get("maxResults")
    if not (token.isdigit() and int(token) <= len(items)):
        raise invalid_parameter(f"Invalid token: {token}")
    if size is not None and not 1 <= size <= 100:
        raise invalid_parameter("maxResults must be between 1 and 100.")
    begin = int(token)
    end = begin + (size or default_size)
    return {name: items[begin:end]} | ({"nextToken": str(end)} if end < len(items) else {})
