"""Store LINE's two secrets in Parameter Store."""

from dataclasses import field
from typing import Any

from provision.errors import ProvisionError
from provision.i18n import _
from provision.parallel import run_all
from provision.resources import kms
from provision.resources.base import (
    Batch,
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
    plain: bool = field(default=False, init=False)  # a String: found, but not encrypted
    created: bool = field(default=False, init=False)  # by this process, without a key of its own
    deletion = Deletion(immediate=True)
    batch = Batch("ssm", "get_parameters", "Names", "Parameters", "Name", by_name=True)
    errors = Errors(
        not_found=("ParameterNotFound",),
        exists=("ParameterAlreadyExists",),
        retry=("TooManyUpdates",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        parameter = f"parameter/{identity_in(self.key).removeprefix('/')}"
        return [
            Permission("read", "ssm", "DescribeParameters"),
            Permission("read", "ssm", "GetParameters GetParameter ListTagsForResource", parameter),
            Permission("create", "ssm", "PutParameter AddTagsToResource", parameter),
            Permission("delete", "ssm", "DeleteParameter", parameter),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return parameters by tag, with the filter of DescribeParameters."""
        ssm = clients.aws.ssm
        selector = {"Key": "tag:provision:stack", **({"Values": [stack]} if stack else {})}
        pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=[selector])
        names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
        return run_all(
            lambda name: (_tags(clients, name), dict(ssm.get_parameter(Name=name)["Parameter"])),
            names,
        )

    def find(self, clients: Clients) -> Live | None:
        """Find the parameter by name; decrypt its value only to compare it with this run's."""
        name = self.parameter_name or self.name
        secret = self.secret
        answer = clients.aws.ssm.get_parameters(Names=[name], WithDecryption=bool(secret))
        if not answer["Parameters"]:
            return None
        live = dict(answer["Parameters"][0])
        value = live.pop("Value", "")
        self.plain = live.get("Type") == "String"
        key = self.key_arn if self.arn or self.created else self._key(clients, name)
        return {**live, "UpToDate": not secret or value == secret, "KeyArn": key}

    def _key(self, clients: Clients, name: str) -> str:
        """Return the ARN of the customer managed key with which it is encrypted; "" without one."""
        selector = {"Key": "Name", "Option": "Equals", "Values": [name]}
        pages = clients.aws.ssm.get_paginator("describe_parameters").paginate(
            ParameterFilters=[selector]
        )
        found = [parameter for page in pages for parameter in page["Parameters"]]
        keys = [str(item.get("KeyId", "")) for item in found if item["Name"] == name]
        return kms.key_arn(clients, keys[0]) if keys else ""

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return its name."""
        return {f"line.{self.logical_id}_parameter": str(live["Name"])}

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
        """Adopt an existing parameter, because the article creates it by hand."""
        return True

    def desired(self) -> dict[str, Any]:
        """Return that the value equals this run's."""
        return {"UpToDate": True}

    def plan_notes(self) -> list[str]:
        """Return that it is not encrypted."""
        if not self.plain:
            return []
        return [_("{name} is not encrypted: `provision secrets rotate` does that", name=self.name)]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutParameter with Overwrite (which takes no tags), under the same key.

        Raise ProvisionError for a String, which it cannot make a SecureString of.
        """
        if live.get("Type") == "String":
            raise ProvisionError(
                _("Could not encrypt the parameter {name}.", name=self.name),
                _("it is a String, and AWS changes no parameter's type"),
                _("Run `provision secrets rotate`: it stores the parameter anew."),
            )
        key = {"KeyId": self.key_arn} if self.key_arn else {}
        clients.aws.ssm.put_parameter(
            Name=self.name, Value=self.secret, Type="SecureString", Overwrite=True, **key
        )

    def delete(self, clients: Clients) -> None:
        """Call DeleteParameter."""
        clients.aws.ssm.delete_parameter(Name=self.parameter_name)


def _tags(clients: Clients, name: str) -> dict[str, str]:
    answer = clients.aws.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return tags_to_dict(answer.get("TagList", []))
