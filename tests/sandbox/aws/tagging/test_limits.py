"""Tag limits, with each service's error message."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account


def tags(count: int, prefix: str = "key") -> list[dict[str, str]]:
    return [{"Key": f"{prefix}{number}", "Value": "v"} for number in range(count)]


def add(account: Account, arn: str, *tags: dict[str, str]) -> Any:
    return account.client("elbv2").add_tags(ResourceArns=[arn], Tags=list(tags))


@pytest.mark.behaviour("elbv2.too-many-tags")
def test_fifty_tags_and_no_more(account: Account) -> None:
    """50 in two calls are accepted, one more is not, an existing one again is."""
    group = account.target_group()
    for part in (tags(30), tags(20, "more")):
        add(account, group, *part)
    expected = ("TooManyTags", 400)
    assert expected == account.refusal(lambda: add(account, group, *tags(1, "last")))[:2]
    add(account, group, {"Key": "key0", "Value": "changed"})
    found = account.client("elbv2").describe_tags(ResourceArns=[group])["TagDescriptions"][0]
    assert 50 == len(found["Tags"])
    assert {"Key": "key0", "Value": "changed"} in found["Tags"]
    missing = group[:-4] + "0000"
    refused = account.refusal(lambda: add(account, missing, *tags(1)))
    assert "TargetGroupNotFound" == refused[0]


@pytest.mark.behaviour("elbv2.duplicate-tag-key")
def test_a_key_comes_once(account: Account) -> None:
    """The same key twice in a call is rejected."""
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    refused = account.refusal(account.target_group, Tags=twice)
    assert ("DuplicateTagKeys", 400) == refused[:2]


@pytest.mark.behaviour("elbv2.reserved-tag-key")
def test_load_balancers_have_no_aws_tags(account: Account) -> None:
    """Keys may not begin with aws:, at creation and later."""
    mine = {"Key": "aws:mine", "Value": "1"}
    assert "ValidationError" == account.refusal(account.target_group, Tags=[mine])[0]
    group = account.target_group()
    assert "ValidationError" == account.refusal(lambda: add(account, group, mine))[0]


@pytest.mark.behaviour("elbv2.tag-length")
@pytest.mark.parametrize(
    "tag", [{"Key": "k" * 129, "Value": ""}, {"Key": "k", "Value": "v" * 257}, {"Key": "a#b"}]
)
def test_tags_of_load_balancers_are_short(account: Account, tag: dict[str, str]) -> None:
    """128 characters a key, 256 a value, of letters, digits and some signs; Japanese is accepted."""
    group = account.target_group(Tags=[{"Key": "名前", "Value": "ニュース ボット"}])
    code, status, message = account.refusal(lambda: add(account, group, tag))
    assert ("ValidationError", 400) == (code, status)
    assert message.startswith("1 validation error detected: Value '")


@pytest.mark.behaviour("ec2.reserved-tag-key")
def test_networks_have_no_aws_tags(account: Account) -> None:
    """Keys may not begin with aws:."""
    refused = account.refusal(
        account.client("ec2").create_tags,
        Resources=[account.vpc()],
        Tags=[{"Key": "aws:mine", "Value": "1"}],
    )
    expected = "Tag keys starting with 'aws:' are reserved for internal use"
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.tag-length")
def test_tags_of_networks_are_short(account: Account) -> None:
    """128 letters a key, 256 a value."""
    create, vpc = account.client("ec2").create_tags, account.vpc()
    for tag, words in (
        ({"Key": "k" * 129, "Value": ""}, "Tag key exceeds the maximum length of 128 characters"),
        ({"Key": "k", "Value": "v" * 257}, "Tag value exceeds the maximum length of 256"),
    ):
        refused = account.refusal(create, Resources=[vpc], Tags=[tag])
        assert "InvalidParameterValue" == refused[0]
        assert refused[2].startswith(words)
    create(Resources=[vpc], Tags=[{"Key": "k" * 128, "Value": "v" * 256}])


@pytest.mark.behaviour("ec2.too-many-tags")
def test_networks_have_fifty_tags(account: Account) -> None:
    """51 are too many."""
    create, vpc = account.client("ec2").create_tags, account.vpc()
    create(Resources=[vpc], Tags=tags(50))
    refused = account.refusal(create, Resources=[vpc], Tags=tags(1, "last"))
    assert ("TagLimitExceeded", 400) == refused[:2]


@pytest.mark.behaviour("ec2.tags-of-another-type")
def test_a_creating_call_tags_what_it_creates(account: Account) -> None:
    """Another type's specification, or a key twice, is rejected."""
    create = account.client("ec2").create_vpc
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    for sort, given, words in (
        ("subnet", tags(1), "'subnet' is not a valid taggable resource type for this operation."),
        ("vpc", twice, "Duplicate tag key 'a' specified."),
    ):
        refused = account.refusal(
            create,
            CidrBlock="10.0.0.0/16",
            TagSpecifications=[{"ResourceType": sort, "Tags": given}],
        )
        assert ("InvalidParameterValue", 400, words) == refused


@pytest.mark.behaviour("route53.too-many-tags")
def test_zones_have_ten_tags(account: Account) -> None:
    """Ten, in any number of calls; a removed one makes room."""
    zone = account.hosted_zone()["HostedZone"]["Id"].rpartition("/")[2]
    change = account.client("route53").change_tags_for_resource
    which = {"ResourceType": "hostedzone", "ResourceId": zone}
    change(**which, AddTags=tags(10))
    assert ("InvalidInput", 400) == account.refusal(change, **which, AddTags=tags(1, "last"))[:2]
    assert "InvalidInput" == account.refusal(change, **which, AddTags=tags(11))[0]
    assert "InvalidInput" == account.refusal(change, **which, AddTags=tags(1, "aws:"))[0]
    change(**which, AddTags=tags(1, "last"), RemoveTagKeys=["key0"])
