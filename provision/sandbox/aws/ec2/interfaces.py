"""EC2: deletion of network interfaces, and client tokens."""

import json
from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import invalid_value
from provision.sandbox.aws.rules import Answer, after, before

_filter_value = NetworkInterface.get_filter_value


@behaves("ec2.interface-owner-filters")
def filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
    """Return what a filter compares, of an interface that an AWS service owns too."""
    if filter_name == "attachment.instance-owner-id" and self.instance:
        return self.instance.owner_id
    if filter_name == "requester-id":
        return self.requester_id
    return _filter_value(self, filter_name, method_name)


NetworkInterface.get_filter_value = filter_value


@behaves("ec2.interface-in-use-stays")
@before("ec2", "DeleteNetworkInterface")
def check_detached(cloud: Cloud, call: Call) -> None:
    """Refuse to delete an interface in use (API DeleteNetworkInterface)."""
    interface_id = call.params["NetworkInterfaceId"]
    interface = cloud.ec2.backend(call.region).enis.get(interface_id)
    if interface is not None and interface.status == "in-use":
        raise invalid_value(f"Network interface '{interface_id}' is currently in use.")


@behaves("ec2.client-token", "ec2.client-token-mismatch")
@before("ec2", "CreateRouteTable", "CreateNetworkInterface")
def answer_repeated_token(cloud: Cloud, call: Call) -> Answer | None:
    """Return the first response to a repeated client token (Developer Guide, Ensuring idempotency)."""
    token = call.params.get("ClientToken")
    previous = cloud.ec2.client_tokens.get((call.region, call.operation, token or ""))
    if previous is None:
        return None
    parameters, answer = previous
    if parameters != _parameters(call):
        raise AwsError(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).",
        )
    return answer


@after("ec2", "CreateRouteTable", "CreateNetworkInterface")
def remember_token(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Store the response for the client token."""
    if token := call.params.get("ClientToken"):
        key = (call.region, call.operation, token)
        cloud.ec2.client_tokens[key] = (_parameters(call), dict(answer))


def _parameters(call: Call) -> str:
    return json.dumps(call.params, sort_keys=True, default=str)
