"""Create boto3 clients."""

import difflib
import os
import threading
from dataclasses import dataclass
from typing import Any

from provision.clients import aws_advice
from provision.clients.aws_errors import (
    UnknownId,
    connection_error,
    error_response,
    reading,
    record_operation,
    response_of,
    transient_reason,
    translate_errors,
    transport_errors,
)
from provision.clients.http import proxy, require_https
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

READ_OPERATIONS = ("Describe", "Get", "List", "Head")  # prefixes of operations that change nothing
ID_SUFFIXES = ("Id", "Ids", "Arn", "Arns", "ARN")  # of the names of parameters that hold ids
# Parameters that may be empty strings in any call.
MAY_BE_EMPTY = ("Prefix", "Delimiter", "KeyMarker", "VersionIdMarker", "Description", "Comment")


@dataclass(frozen=True)
class Identity:
    """The caller, as GetCallerIdentity returns it.

    account, arn: "" if it refused. date: the response's HTTP date. error: its refusal.
    """

    account: str = ""
    arn: str = ""
    date: str = ""
    error: ProvisionError | None = None


class Aws:
    """Provide boto3 clients of one account and region as attributes, created on first use.

    botocore's retries are off, because the engine retries on its own clock and reports it.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._caller = ""
        self._other_regions: dict[str, Aws] = {}
        self._lock = threading.RLock()

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._create_client(service)
            return self._clients[service]

    def _create_client(self, service: str) -> Any:
        import botocore.config
        import botocore.exceptions

        config = botocore.config.Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=16,
            user_agent_extra="provision",
        )
        try:
            client = self._open_session().client(service, region_name=self.region, config=config)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            # ValueError: AWS_ENDPOINT_URL is not a URL.
            raise connection_error(error) from None
        require_https("AWS_ENDPOINT_URL", client.meta.endpoint_url)
        proxy(client.meta.endpoint_url, ignored="all")  # raises for one that no request could use
        client.meta.events.register("before-parameter-build", _check_ids)
        client.meta.events.register(
            "before-call", lambda model, **_: record_operation(service, model.name)
        )
        return client

    def _open_session(self) -> Any:
        if self._session is None:
            self._session = new_session()
        return self._session

    @property
    def profile(self) -> str:
        """Return the name of the AWS profile in use."""
        return str(self._open_session().profile_name)

    @property
    def partition(self) -> str:
        """Return the partition of the region, from boto3's data: aws, aws-cn or aws-us-gov."""
        return str(self._open_session().get_partition_for_region(self.region))

    def in_region(self, region: str) -> "Aws":
        """Return the same account's services in another region, through the same session."""
        if region == self.region:
            return self
        with self._lock:
            if region not in self._other_regions:
                self._other_regions[region] = Aws(region, self._open_session())
                self._other_regions[region]._lock = self._lock
            return self._other_regions[region]

    def regions(self, service: str) -> list[str]:
        """Return the regions of this partition that have a service, from boto3's data. No request is sent."""
        with self._lock:
            session = self._open_session()
            partition = session.get_partition_for_region(self.region)
            return list(session.get_available_regions(service, partition_name=partition))

    def enabled_regions(self, service: str) -> list[str]:
        """Return the regions enabled for the account; all regions if DescribeRegions does not tell them.

        An opt-in region that is not enabled rejects every call as if the credentials were unknown.
        Source: Amazon EC2 API Reference, DescribeRegions.
        """
        try:
            with translate_errors(_("Could not list the regions that the account has enabled.")):
                regions = self.ec2.describe_regions()["Regions"]
        except ProvisionError:  # not allowed, or an endpoint without EC2
            return self.regions(service)
        enabled = [r["RegionName"] for r in regions if r.get("OptInStatus") != "not-opted-in"]
        return enabled or self.regions(service)

    def credentials(self) -> str:
        """Return where boto3 has found credentials ("env", "sso", ...); "" if it found none.

        Raise ProvisionError for a profile that does not exist or is incomplete.
        """
        import botocore.exceptions

        try:
            with self._lock:
                found = self._open_session().get_credentials()
        except botocore.exceptions.BotoCoreError as error:
            raise connection_error(error) from None
        return str(found.method) if found else ""

    def identity(self) -> Identity:
        """Return who calls, or AWS's refusal.

        Raise ProvisionError if AWS cannot be reached, Pending for an error that may pass.
        """
        import botocore.exceptions

        no_connection = (
            botocore.exceptions.EndpointConnectionError,
            botocore.exceptions.ConnectTimeoutError,
            botocore.exceptions.ProxyConnectionError,
        )

        doing = _("Could not find out which AWS account this is.")
        try:
            found = self.sts.get_caller_identity()
        except no_connection as error:
            raise connection_error(error) from None
        except (
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
            *transport_errors(),
        ) as error:
            if reason := transient_reason(error):
                raise Pending(reason) from None
            if response_of(error):
                return Identity(date=_date(response_of(error)), error=error_response(doing, error))
            raise connection_error(error) from None
        return Identity(str(found["Account"]), str(found["Arn"]), _date(found))

    def _unreachable_advice(self) -> str:
        """Return what to do if the endpoint does not answer: the region may be mistyped."""
        known = self.regions("sts")
        if os.environ.get("AWS_ENDPOINT_URL") or self.region in known:
            return aws_advice.check_connection()
        close = difflib.get_close_matches(self.region, known, 3) or known[:3]
        return _(
            "There may be no region {region}: set another with --set region=... (for example {regions}), "
            "then run the same command again.",
            region=self.region,
            regions=", ".join(close),
        )

    def account(self) -> str:
        """Return the account id.

        Raise Pending; ProvisionError for bad credentials or an unreachable endpoint.
        """
        import botocore.exceptions

        doing = _("Could not find out which AWS account this is.")
        with reading(doing):
            try:
                identity = self.sts.get_caller_identity()
                self._caller = str(identity["Arn"])
                return str(identity["Account"])
            except botocore.exceptions.EndpointConnectionError as error:
                why = f"{transient_reason(error)}: {error}"
                raise UnknownState(doing, why, self._unreachable_advice()) from None

    def caller(self) -> str:
        """Return the ARN of the caller, which names partition and account. Raise as `account`."""
        if not self._caller:
            self.account()
        return self._caller


def list_items(client: Any, operation: str, member: str, **parameters: Any) -> list[Any]:
    """Return the items on all pages of a List or Describe operation. member: their key in the response."""
    pages = client.get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page[member]]


def new_session(**options: str) -> Any:
    """Return a boto3 session of the environment. options: boto3's.

    Set AWS_CA_BUNDLE from `ca_bundle` of the AWS profile, or from SSL_CERT_FILE, so that all clients trust
    the same authorities.
    """
    import boto3
    import botocore.exceptions
    import botocore.session

    from provision.clients.aws_parser import ParserFactory

    core = botocore.session.get_session()
    core.register_component("response_parser_factory", ParserFactory())
    try:
        bundle = core.get_config_variable("ca_bundle")
    except botocore.exceptions.BotoCoreError:  # no such profile: told at the first call
        bundle = None
    if bundle := bundle or os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("AWS_CA_BUNDLE", str(bundle))
    return boto3.Session(botocore_session=core, **options)


def configured_region() -> str:
    """Return the region of AWS_REGION, AWS_DEFAULT_REGION or the AWS profile; "" for none."""
    import botocore.exceptions
    import botocore.session

    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        return region
    try:
        return str(botocore.session.get_session().get_config_variable("region") or "")
    except botocore.exceptions.BotoCoreError:  # no such profile: told at the first call
        return ""


def _date(response: Any) -> str:
    """Return the HTTP date of a response."""
    return str(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))


def _check_ids(params: Any, model: Any, **_event: Any) -> None:
    """Raise UnknownId for an empty id. Handler of boto3's event before-parameter-build.

    In a read call check nearly all strings: a filter with an empty value finds nothing, which would be taken
    for "does not exist".
    """
    if name := _find_empty(params, check_all=model.name.startswith(READ_OPERATIONS), top=True):
        what = f"{model.name}: {name}"
        raise UnknownId(_("an id is not known yet ({what})", what=what), refused=True)


def _find_empty(value: Any, *, check_all: bool, top: bool = False) -> str:
    """Return the path of the first parameter that must not be empty and is; "" if there is none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            checked = check_all or top or name.endswith(ID_SUFFIXES)
            members = inner if isinstance(inner, list) else [inner]
            if checked and "" in members and name not in MAY_BE_EMPTY:
                return str(name)
            if path := _find_empty(inner, check_all=check_all):
                return f"{name}.{path}"
    if isinstance(value, list):
        paths = (_find_empty(item, check_all=check_all) for item in value)
        return next(filter(None, paths), "")
    return ""
