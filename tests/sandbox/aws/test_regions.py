"""Regions that are enabled for an account, and those that are not."""

import pytest

from tests.sandbox.conftest import Account


@pytest.mark.behaviour("ec2.regions-that-are-enabled")
def test_regions_of_the_account(account: Account) -> None:
    """Seventeen by default; an enabled one is added; all with AllRegions."""
    ec2 = account.client("ec2")
    usual = [r["RegionName"] for r in ec2.describe_regions()["Regions"]]
    assert 17 == len(usual)
    assert {"ap-northeast-1", "us-east-1"} < set(usual)
    account.cloud.opted_in.add("ap-southeast-3")
    regions = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions()["Regions"]}
    assert {"ap-southeast-3"} == set(regions) - set(usual)
    assert "opted-in" == regions["ap-southeast-3"]
    every = ec2.describe_regions(AllRegions=True)["Regions"]
    assert "not-opted-in" in {r["OptInStatus"] for r in every}
    assert [] == [r["RegionName"] for r in every if r["RegionName"].startswith(("cn-", "us-gov"))]


@pytest.mark.behaviour("iam.region-not-enabled")
@pytest.mark.parametrize(
    ("service", "operation", "refusal"),
    [
        ("acm", "list_certificates", ("UnrecognizedClientException", 400)),
        ("ec2", "describe_vpcs", ("AuthFailure", 401)),
        ("sts", "get_caller_identity", ("InvalidClientTokenId", 403)),
    ],
)
def test_region_not_enabled(
    account: Account, service: str, operation: str, refusal: tuple[str, int]
) -> None:
    """Each protocol has its own error code; once enabled, it answers."""
    client = account.aws_session.session.client(service, region_name="ap-southeast-3")
    assert refusal == account.refusal(getattr(client, operation))[:2]
    account.cloud.opted_in.add("ap-southeast-3")
    assert 200 == getattr(client, operation)()["ResponseMetadata"]["HTTPStatusCode"]
