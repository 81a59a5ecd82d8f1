"""Store LINE's two secrets in Parameter Store."""

from dataclasses import field
from typing import Any

from provision.clients import aws, aws_errors
from provision.clients.aws_advice import ACCESS_DENIED
from provision.errors import NotChecked, ProvisionError
from provision.i18n import _
from provision.parallel import run_all
from provision.resources import kms
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    FoundSettings,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)

COPY = ".provision-copy"  # the end of a copy's name


@resource
class Parameter(Resource):
    """A SecureString parameter: created from this run's secret, or adopted if it exists.

    secret: this run's value; "" without one. It is never recorded or printed.
    """

    name: str
    secret: str
    variable: str  # the environment variable that holds it
    arn: str = output("ARN", arn_pattern())
    parameter_name: str = output("Name")
    key_arn: str = output("KeyArn")  # the customer managed key of an adopted one
    plain: bool = field(
        default=False, init=False
    )  # a String or StringList: found, but not encrypted
    created: bool = field(default=False, init=False)  # by this process, without a key of its own
    unreadable: bool = field(default=False, init=False)  # this user may not read it
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("ParameterNotFound",),
        exists=("ParameterAlreadyExists",),
        retry=("TooManyUpdates",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions, also for its copy."""
        parameter = f"parameter/{identity_in(self.key).removeprefix('/').removesuffix(COPY)}"
        parameter = f"{parameter} {parameter}{COPY}"
        return [
            Permission("read", "ssm", "DescribeParameters"),
            Permission("read", "ssm", "ListTagsForResource", parameter),
            Permission("secret", "ssm", "GetParameter", parameter),
            Permission("create", "ssm", "PutParameter AddTagsToResource", parameter),
            Permission("delete", "ssm", "DeleteParameter", parameter),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return parameters by tag, with the filter of DescribeParameters."""
        ssm = clients.aws.ssm
        selector = {"Key": "tag:provision:stack", **({"Values": [stack]} if stack else {})}
        found = _describe(ssm, selector)
        return run_all(lambda each: (_tags(clients, each["Name"]), _with_arn(clients, each)), found)

    def find(self, clients: Clients) -> Live | None:
        """Find the parameter by name; read its value only to compare it with this run's.

        GetParameters would do, but a permission for it is one to decrypt: there is no condition key for
        WithDecryption, and everybody in the account may use the key aws/ssm through Parameter Store.
        """
        name = self.parameter_name or self.name
        selector = {"Key": "Name", "Option": "Equals", "Values": [name]}
        found = _describe(clients.aws.ssm, selector)
        live = next((each for each in found if each["Name"] == name), None)
        if live is None:
            self.arn = self.arn or _arn(clients, name)  # as it will be: policies name it
            return None
        self.plain = live.get("Type", "SecureString") != "SecureString"
        key = self.key_arn
        if not (self.parameter_name or self.created):
            key = kms.key_arn(clients, str(live.get("KeyId", "")))
        up_to_date = self._is_up_to_date(clients, name)
        return {**_with_arn(clients, live), "UpToDate": up_to_date, "KeyArn": key}

    def _is_up_to_date(self, clients: Clients, name: str) -> bool:
        """Return whether the value is this run's; set `unreadable` if it may not be read."""
        if not self.secret:
            return True
        value = _value(clients.aws, name)
        self.unreadable = value is None
        return value == self.secret

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return its name; nothing for a copy."""
        if str(live["Name"]).endswith(COPY):
            return {}
        return {f"line.{self.logical_id}_parameter": str(live["Name"])}

    def copy(self) -> "Parameter":
        """Return the parameter in which its value is kept while this one, a String, is made anew."""
        copy = Parameter(self.name + COPY, self.secret, self.variable)
        copy.logical_id, copy.stack = self.logical_id, self.stack
        copy.required_tags = self.required_tags
        return copy

    def create(self, clients: Clients) -> Live | None:
        """Call PutParameter without Overwrite."""
        if not self.secret:
            raise ProvisionError(
                _("Could not create the parameter {name}.", name=self.name),
                _("this account has no such parameter yet, and its value was not given"),
                _(
                    "Set {variable} in the environment, then run the same command again.",
                    variable=self.variable,
                ),
            )
        clients.aws.ssm.put_parameter(
            Name=self.name, Value=self.secret, Type="SecureString", Tags=tags_to_list(self.tags)
        )
        self.created = True
        return None

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForResource)."""
        return _tags(clients, live["Name"])

    def may_adopt(self, live: Live) -> bool:
        """Adopt an existing parameter, because the article creates it by hand; not as a copy."""
        return not self.key.endswith(COPY)

    def desired(self) -> dict[str, Any]:
        """Return that the value equals this run's. Raise NotChecked if it may not be read."""
        if self.unreadable:
            raise not_checked(self.parameter_name)
        return {"UpToDate": True}

    def plan_notes(self) -> list[str]:
        """Return that it is not encrypted."""
        if not self.plain:
            return []
        return [_("{name} is not encrypted: `provision secrets rotate` does that", name=self.name)]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutParameter with Overwrite (which takes no tags), under the same key.

        Raise ProvisionError for a String or StringList, which it cannot make a SecureString of.
        """
        if self.plain:
            raise ProvisionError(
                _("Could not encrypt the parameter {name}.", name=self.name),
                _("it is no SecureString, and AWS changes no parameter's type"),
                _("Run `provision secrets rotate`: it stores the parameter anew."),
            )
        key = {"KeyId": self.key_arn} if self.key_arn else {}
        clients.aws.ssm.put_parameter(
            Name=self.name, Value=self.secret, Type="SecureString", Overwrite=True, **key
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteParameter."""
        clients.aws.ssm.delete_parameter(Name=self.parameter_name)


def read_secret(client: aws.Aws, name: str) -> str:
    """Return the decrypted value of a parameter. Raise NotChecked, ProvisionError or Pending."""
    with aws_errors.reading(_("Could not read the parameter {name}.", name=name)):
        value = _value(client, name)
    if value is None:
        raise not_checked(name)
    return value


def _value(client: aws.Aws, name: str) -> str | None:
    """Return the decrypted value of a parameter; None if the permission to read it is missing."""
    get = client.ssm.get_parameter
    answer = aws_errors.call_or_none(ACCESS_DENIED, get, Name=name, WithDecryption=True)
    return None if answer is None else str(answer["Parameter"]["Value"])


def not_checked(name: str) -> NotChecked:
    """Return the error for a parameter whose value may not be read."""
    return NotChecked(
        _("Could not read the parameter {name}.", name=name),
        _("not checked: you have no permission to read the parameter {name}", name=name),
        _(
            "If you need that, ask the account's administrator for ssm:GetParameter on the parameter, and "
            "for kms:Decrypt if it has a KMS key of your own."
        ),
    )


def _with_arn(clients: Clients, parameter: Live) -> Live:
    """Return the answer of DescribeParameters with the ARN."""
    return {**parameter, "ARN": _arn(clients, str(parameter["Name"]))}


def _arn(clients: Clients, name: str) -> str:
    """Return the ARN of a parameter. Source: Service Authorization Reference, SSM."""
    _prefix, partition, _service, _region, account, _caller = clients.aws.caller().split(":", 5)
    path = name.removeprefix("/")
    return f"arn:{partition}:ssm:{clients.aws.region}:{account}:parameter/{path}"


def _describe(ssm: Any, selector: dict[str, Any]) -> list[Live]:
    """Return the parameters that match a filter of DescribeParameters."""
    return aws.list_items(ssm, "describe_parameters", "Parameters", ParameterFilters=[selector])


def _tags(clients: Clients, name: str) -> dict[str, str]:
    answer = clients.aws.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return tags_to_dict(answer.get("TagList", []))
