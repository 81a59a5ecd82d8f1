"""Operations and services that the sandbox does not have: an error in the service's own protocol.

Its status is none of those that botocore retries: 429, 500, 502, 503 and 504.
"""

from typing import Any

import pytest

from tests.sandbox.conftest import Account


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"),
    [
        ("ec2", "describe_bundle_tasks", {}, "InvalidAction", 400),
        ("iam", "list_organizations_features", {}, "InvalidAction", 400),
        ("route53", "get_checker_ip_ranges", {}, "InvalidAction", 400),
        ("route53", "list_traffic_policies", {}, "InvalidAction", 400),
        ("ecs", "list_services_by_namespace", {"namespace": "a"}, "UnknownOperationException", 400),
        ("ssm", "list_nodes", {}, "UnknownOperationException", 400),
        ("lambda", "list_code_signing_configs", {}, "UnknownOperationException", 404),
        ("account", "list_regions", {}, "UnknownOperationException", 404),
        ("cloudfront", "list_field_level_encryption_configs", {}, "InvalidAction", 400),
        # A service without a model of that name, and one whose packages are not installed.
        ("apigatewayv2", "get_apis", {}, "UnknownOperationException", 404),
        ("accessanalyzer", "list_analyzers", {}, "UnknownOperationException", 404),
        ("rum", "list_app_monitors", {}, "UnknownOperationException", 404),
        ("pricing", "describe_services", {}, "UnknownOperationException", 400),
        ("cloudformation", "list_stacks", {}, "InvalidAction", 400),
        ("eventbridgev2", "list_event_buses", {}, "UnknownOperationException", 400),  # in CBOR
        ("xray", "get_groups", {}, "UnknownOperationException", 404),
    ],
)
def test_unsupported(
    account: Account,
    capsys: pytest.CaptureFixture[str],
    service: str,
    operation: str,
    parameters: dict[str, Any],
    code: str,
    status: int,
) -> None:
    """The error names the operation; there is no HTML."""
    client = account.client(service)
    given, answered, message = account.refusal(getattr(client, operation), **parameters)
    assert (code, status) == (given, answered)
    assert "<" not in message
    assert "sandbox does not have" in message
    assert ("", "") == capsys.readouterr()


def test_alarms_and_quotas(account: Account) -> None:
    """CloudWatch and Service Quotas sign with other names than botocore's."""
    alarm = {
        "AlarmName": "5xx",
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Statistic": "Sum",
    }
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(**alarm)
    found = cloudwatch.describe_alarms()["MetricAlarms"]
    assert [("5xx", "HTTPCode_Target_5XX_Count")] == [
        (each["AlarmName"], each["MetricName"]) for each in found
    ]
    quotas = account.client("service-quotas")
    code, _status, _message = account.refusal(
        quotas.get_service_quota, ServiceCode="fargate", QuotaCode="L-36FBB829"
    )
    assert "NoSuchResourceException" == code
