"""Elastic Load Balancing: checks of listeners."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.actions import check_actions, same_actions
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.elbv2.listener_tls import check_tls
from provision.sandbox.aws.rules import Answer, before


@behaves("elbv2.listener-port-used", "elbv2.listener-same-settings")
@before("elbv2", "CreateListener")
def check_new_listener(cloud: Cloud, call: Call) -> Answer | None:
    """Require a free port, and a certificate for HTTPS alone (API CreateListener)."""
    arn = call.params["LoadBalancerArn"]
    load_balancer = cloud.elbv2.load_balancer(call.region, arn)
    if load_balancer is None:
        return None
    actions = call.params["DefaultActions"]
    for other in load_balancer.listeners.values():
        if int(other.port) == call.params.get("Port"):
            if _has_settings(call.params, other):
                return {"Listeners": [_describe(other)]}
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{arn}'",
            )
    check_tls(cloud, call, call.params.get("Protocol", ""))
    check_actions(cloud, actions, arn)
    return None


def _has_settings(params: dict[str, Any], current: Any) -> bool:
    """Return whether the parameters equal the settings of a listener (moto's)."""
    certificates = [c["CertificateArn"] for c in params.get("Certificates", [])]
    return (
        params.get("Protocol") == current.protocol
        and certificates == current.certificates[:1]
        and params.get("SslPolicy") in (None, current.ssl_policy)
        and same_actions(params["DefaultActions"], current.default_actions)
    )


def _describe(listener: Any) -> dict[str, Any]:
    """Return the listener as the API shows it (API Listener)."""
    shown = {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": int(listener.port),
        "Protocol": listener.protocol,
        "DefaultActions": [action.data for action in listener.default_actions],
    }
    if listener.certificates:
        shown["Certificates"] = [{"CertificateArn": listener.certificates[0]}]
        shown["SslPolicy"] = listener.ssl_policy
    return shown


@behaves("elbv2.modified-port-used")
@before("elbv2", "ModifyListener")
def check_changed_listener(cloud: Cloud, call: Call) -> None:
    """Check as for a new listener; release the old certificate (API ModifyListener)."""
    found = cloud.elbv2.listener(call.region, call.params["ListenerArn"])
    if found is None:
        return
    load_balancer, listener = found
    port = call.params.get("Port")
    others = [other for other in load_balancer.listeners.values() if other is not listener]
    if any(int(other.port) == port for other in others):
        raise validation_error(f"Listener port '{port}' is already in use")
    if "Certificates" in call.params or call.params.get("Protocol") == "HTTP":
        check_tls(cloud, call, call.params.get("Protocol", listener.protocol))
    if "DefaultActions" in call.params:
        check_actions(cloud, call.params["DefaultActions"], load_balancer.arn)
    if "Certificates" in call.params:
        cloud.acm.release(listener.certificates, load_balancer.arn)


@before("elbv2", "DeleteListener")
def release_certificates(cloud: Cloud, call: Call) -> None:
    """Release the listener's certificates, in use for a while longer (API DeleteListener)."""
    found = cloud.elbv2.listener(call.region, call.params["ListenerArn"])
    if found is not None:
        cloud.acm.release(found[1].certificates, found[0].arn)
