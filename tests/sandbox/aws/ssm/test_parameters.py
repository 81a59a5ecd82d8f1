"""Parameter Store: what it rejects."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account

TOKEN = {"Name": "ACCESS_TOKEN", "Value": "v", "Type": "SecureString"}


def put_error(account: Account, **more: Any) -> tuple[str, int, str]:
    """Return the error of PutParameter for a new parameter."""
    found = account.refusal(account.client("ssm").put_parameter, **(TOKEN | more))
    assert [] == account.client("ssm").describe_parameters()["Parameters"]
    return found


@pytest.mark.behaviour("ssm.already-exists")
def test_parameter_exists(account: Account) -> None:
    """Without Overwrite a second PutParameter is rejected; with it the version increases."""
    ssm = account.client("ssm")
    assert 1 == ssm.put_parameter(**TOKEN)["Version"]
    code, status, message = account.refusal(ssm.put_parameter, **TOKEN)
    assert ("ParameterAlreadyExists", 400) == (code, status)
    assert message.startswith("The parameter already exists.")
    assert 2 == ssm.put_parameter(**TOKEN, Overwrite=True)["Version"]


@pytest.mark.behaviour("ssm.tags-with-overwrite")
def test_tags_and_overwrite_exclude_each_other(account: Account) -> None:
    """Tags are set by the first PutParameter or AddTagsToResource, never with Overwrite."""
    tags = [{"Key": "provision:stack", "Value": "news-bot"}]
    code, status, message = put_error(account, Tags=tags, Overwrite=True)
    assert ("ValidationException", 400) == (code, status)
    assert "tags and overwrite can't be used together" in message
    ssm = account.client("ssm")
    ssm.put_parameter(**TOKEN, Tags=tags)
    found = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="ACCESS_TOKEN")
    assert tags == found["TagList"]


@pytest.mark.behaviour("ssm.name-reserved")
@pytest.mark.parametrize("name", ["aws-token", "SSM_TOKEN", "/ssm/token"])
def test_reserved_names(account: Account, name: str) -> None:
    """In upper or lower case."""
    code, status, message = put_error(account, Name=name)
    assert ("ValidationException", 400) == (code, status)
    assert message.startswith("Parameter name: can't be prefixed with")


@pytest.mark.behaviour("ssm.name-alphabet")
@pytest.mark.parametrize("name", ["TOKEN 1", "トークン", "a+b"])
def test_alphabet(account: Account, name: str) -> None:
    """Letters, digits, .-_ and the slash."""
    code, status, message = put_error(account, Name=name)
    assert ("ValidationException", 400, True) == (code, status, message.endswith("symbols .-_"))


@pytest.mark.behaviour("ssm.name-path")
def test_path_begins_with_a_slash(account: Account) -> None:
    """bot/TOKEN is invalid."""
    expected = "Parameter name must be a fully qualified name."
    assert ("ValidationException", 400, expected) == put_error(account, Name="bot/TOKEN")


@pytest.mark.behaviour("ssm.name-length")
def test_long_name(account: Account) -> None:
    """1,011 characters."""
    assert ("ValidationException", 400) == put_error(account, Name="a" * 1012)[:2]


@pytest.mark.behaviour("ssm.name-depth")
def test_deep_path(account: Account) -> None:
    """15 levels."""
    expected = ("HierarchyLevelLimitExceededException", 400)
    assert expected == put_error(account, Name="/a" * 16)[:2]
    account.client("ssm").put_parameter(**(TOKEN | {"Name": "/a" * 15}))


@pytest.mark.behaviour("ssm.value-size")
def test_long_value(account: Account) -> None:
    """4,096 bytes; 8,192 for an advanced parameter."""
    code, status, message = put_error(account, Value="v" * 4097)
    assert ("ValidationException", 400) == (code, status)
    assert message.startswith("Standard tier parameters support a maximum parameter value of 4096")
    account.client("ssm").put_parameter(**(TOKEN | {"Value": "v" * 4097, "Tier": "Advanced"}))


@pytest.mark.behaviour("ssm.value-nested")
def test_value_in_braces(account: Account) -> None:
    """{{...}} would refer to another parameter."""
    code, status, message = put_error(account, Value="{{ssm:other}}")
    assert ("ValidationException", 400, True) == (code, status, "can't nest" in message)


@pytest.mark.behaviour("ssm.value-pattern")
def test_allowed_pattern(account: Account) -> None:
    """The value does not match the pattern."""
    code, status, message = put_error(account, AllowedPattern="^[0-9]+$")
    assert ("ParameterPatternMismatchException", 400) == (code, status)
    assert message.endswith("allowedPattern: ^[0-9]+$")


@pytest.mark.behaviour("ssm.key-unknown")
def test_unknown_key(account: Account) -> None:
    """AWS's own key for SSM exists, and the account's keys."""
    assert "InvalidKeyId" == put_error(account, KeyId="alias/mine")[0]
    key = account.client("kms").create_key()["KeyMetadata"]["KeyId"]
    for name, known in (("A", "alias/aws/ssm"), ("B", key)):
        account.client("ssm").put_parameter(**(TOKEN | {"Name": name, "KeyId": known}))


@pytest.mark.behaviour("ssm.type-stays")
def test_type_stays(account: Account) -> None:
    """A String cannot become a SecureString."""
    ssm = account.client("ssm")
    ssm.put_parameter(**(TOKEN | {"Type": "String"}))
    found = account.refusal(ssm.put_parameter, **TOKEN, Overwrite=True)
    assert ("HierarchyTypeMismatchException", 400) == found[:2]
    assert "String" == ssm.get_parameter(Name="ACCESS_TOKEN")["Parameter"]["Type"]


@pytest.mark.behaviour("ssm.too-many-updates")
def test_concurrent_updates(account: Account) -> None:
    """While one update is in progress another one is rejected."""
    account.cloud.delays.parameter = 2
    ssm = account.client("ssm")
    ssm.put_parameter(**TOKEN)
    found = account.refusal(ssm.put_parameter, **TOKEN, Overwrite=True)
    assert ("TooManyUpdates", 400) == found[:2]
    account.clock.advance(2)
    ssm.put_parameter(**TOKEN, Overwrite=True)


@pytest.mark.behaviour("ssm.tags")
def test_too_many_tags(account: Account) -> None:
    """A parameter has up to 50."""
    ssm = account.client("ssm")
    tags = [{"Key": str(number), "Value": ""} for number in range(51)]
    assert "TooManyTagsError" == put_error(account, Tags=tags)[0]
    ssm.put_parameter(**TOKEN, Tags=tags[:50])


@pytest.mark.behaviour("ssm.constraints")
def test_long_description(account: Account) -> None:
    """1,024 characters."""
    code, status, message = put_error(account, Description="d" * 1025)
    assert ("ValidationException", 400) == (code, status)
    assert "at 'description' failed to satisfy constraint: Member must have length" in message


@pytest.mark.behaviour("ssm.ten-names")
def test_eleven_names(account: Account) -> None:
    """GetParameters takes ten."""
    code, status, message = account.refusal(
        account.client("ssm").get_parameters, Names=[f"P{number}" for number in range(11)]
    )
    assert ("ValidationException", 400) == (code, status)
    assert "at 'names' failed to satisfy constraint: Member must have length less" in message


@pytest.mark.behaviour("ssm.get-parameters", "ssm.decryption")
def test_what_is_read(account: Account) -> None:
    """Missing names are returned separately; secrets are encrypted unless decryption is requested."""
    ssm = account.client("ssm")
    ssm.put_parameter(**TOKEN)
    found = ssm.get_parameters(Names=["ACCESS_TOKEN", "OTHER"])
    assert ["OTHER"] == found["InvalidParameters"]
    assert "v" != found["Parameters"][0]["Value"]
    found = ssm.get_parameters(Names=["ACCESS_TOKEN"], WithDecryption=True)
    assert "v" == found["Parameters"][0]["Value"]
    assert "ParameterNotFound" == account.refusal(ssm.get_parameter, Name="OTHER")[0]
    gone = ssm.delete_parameters(Names=["ACCESS_TOKEN", "OTHER"])
    assert ["ACCESS_TOKEN"] == gone["DeletedParameters"]
    assert ["OTHER"] == gone["InvalidParameters"]
