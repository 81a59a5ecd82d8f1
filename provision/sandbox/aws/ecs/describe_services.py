"""ECS: DescribeServices and ListServices."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.clusters import find_cluster
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.limits import check_items
from provision.sandbox.aws.ecs.pagination import page
from provision.sandbox.aws.ecs.services import find_service
from provision.sandbox.aws.rules import Answer, before


@behaves("ecs.describe-services-ten", "ecs.describe-service-missing")
@before("ecs", "DescribeServices")
def describe_services(cloud: Cloud, call: Call) -> Answer:
    """Describe up to ten services, INACTIVE ones too; report others as MISSING (API DescribeServices)."""
    names = call.params["services"]
    if not names:
        raise invalid_parameter("Services cannot be empty.")
    check_items("service names", names, 10)
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    found, failures = [], []
    for name in names:
        service = find_service(cloud, call, name)
        if service is None:
            prefix = f"arn:aws:ecs:{call.region}:{cloud.account_id}:service/{cluster.name}"
            arn = name if name.startswith("arn:") else f"{prefix}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        shown = service.describe()
        if "TAGS" in (call.params.get("include") or []):
            backend = cloud.backend("ecs", call.region)
            shown["tags"] = backend.list_tags_for_resource(service.arn)
        found.append(shown)
    return {"services": found, "failures": failures}


@behaves("ecs.list-services-ten")
@before("ecs", "ListServices")
def list_services(cloud: Cloud, call: Call) -> Answer:
    """List the services that are not INACTIVE (API ListServices)."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    services = cloud.ecs.services_in(call.region, cluster.name)
    return page("serviceArns", sorted(service.arn for service in services), call, 10)
