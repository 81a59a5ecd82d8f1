"""The architecture: all resources, in the order of creation.

Each method of `Stack` is a chapter of the article, which does it by hand in the AWS console. A resource
depends on those passed to its constructor. Teardown uses the reverse order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from provision.i18n import _
from provision.image import inputs
from provision.resources.base import Resource
from provision.resources.bucket import AccessLogBucket, NewsBucket
from provision.resources.certificate import Certificate
from provision.resources.cluster import Cluster
from provision.resources.collector import (
    CPU,
    MEMORY,
    SUFFIX,
    CollectorDefinition,
    CollectorPermissions,
    InitialCollection,
)
from provision.resources.collector_schedule import CollectingPermissions, CollectorSchedule
from provision.resources.delegation import Delegation
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import GivenImage, Image
from provision.resources.internet_gateway import GatewayAttachment, InternetGateway
from provision.resources.issued_certificate import IssuedCertificate
from provision.resources.listener import (
    BootstrapListener,
    BootstrapRule,
    HttpsListener,
    WebhookRule,
)
from provision.resources.load_balancer import ActiveLoadBalancer, LoadBalancer
from provision.resources.log_group import LogGroup
from provision.resources.network import ExistingNetwork, Network, NewNetwork
from provision.resources.parameter import Parameter
from provision.resources.permissions import (
    CollectorExecutionPermissions,
    ExecutionPermissions,
    TaskPermissions,
)
from provision.resources.record_set import Alias, ValidationRecord
from provision.resources.repository import Repository
from provision.resources.role import EcsServiceLinkedRole, Role
from provision.resources.route_table import Route, RouteTable, RouteTableAssociation
from provision.resources.schedule import Schedule, ScheduleGroup, SchedulerPermissions
from provision.resources.security_group import HTTPS_AND_DNS, IngressRule, SecurityGroup
from provision.resources.service import Service
from provision.resources.steady_service import SteadyService
from provision.resources.target_group import TargetGroup
from provision.resources.task_definition import TaskDefinition
from provision.resources.vpc import Subnet, Vpc
from provision.resources.web_acl import WebAcl, WebAclAssociation
from provision.resources.webhook import ActiveWebhook, WebhookEndpoint
from provision.schedules import hours_a_month
from provision.settings import Settings

PORT = 8080  # of the container
WEBHOOK = "/webhook"


@dataclass(frozen=True)
class Secrets:
    """LINE's two secrets as given to this run; "" if not given. They are never printed."""

    access_token: str = field(default="", repr=False)
    channel_secret: str = field(default="", repr=False)


class Stack:
    """One bot. Its attributes are its resources, in the order in which the methods below add them."""

    # Resources that depend on settings.
    access_token: Parameter | None = None
    access_log_bucket: AccessLogBucket | None = None
    web_acl: WebAcl | None = None
    initial_collection: InitialCollection | None = None
    scheduler_permissions: SchedulerPermissions | None = None
    start_schedule: Schedule | None = None
    stop_schedule: Schedule | None = None
    collector_schedule: CollectorSchedule | None = None

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets = Secrets(),
        environment: Mapping[str, str] = MappingProxyType({}),  # variables for the bot
        folder: Path = Path(),  # to which image.files is relative
    ) -> None:
        self.settings, self.name, self.region = settings, settings["name"], settings["region"]
        # Resources that cannot move to another VPC have the VPC's suffix in their names.
        self._vpc_name = self.name + suffix(settings["network.vpc"])
        self._hosted_zone()
        self._certificate()
        self._storage_and_secrets(secrets)
        self._roles()
        self._network()
        self._load_balancer()
        self._service(environment, folder)
        if settings["news.feeds"]:
            self._collector()
        self._schedules()
        self._webhook()
        self._waits()
        required_tags = dict(pair.split("=", 1) for pair in settings["aws.tags"])
        for logical_id, resource in vars(self).items():
            if isinstance(resource, Resource):
                resource.logical_id, resource.stack = logical_id, self.name
                resource.required_tags = required_tags
        self.url = self.webhook.url

    def _hosted_zone(self) -> None:
        """Add the domain's zone; first, because a person has to enter its name servers at the registrar."""
        self.zone = HostedZone(self.settings["domain"], self.region)

    def _certificate(self) -> None:
        """Add the host's certificate; early, because ACM takes time to issue it."""
        self.certificate = Certificate(self.settings["host"])
        self.delegation = Delegation(self.zone, self.certificate)
        self.validation_record = ValidationRecord(self.zone, self.certificate)
        self.issued_certificate = IssuedCertificate(
            self.certificate, self.validation_record, self.delegation
        )

    def _storage_and_secrets(self, secrets: Secrets) -> None:
        """Add the repository, the news bucket, the log group and the parameters with LINE's secrets."""
        self.repository = Repository(self.name)
        self.news_bucket = NewsBucket(self.settings["news.bucket"])
        self.log_group = LogGroup(f"/ecs/{self.name}")
        if self.settings["line.token"] != "stateless":
            self.access_token = Parameter(
                self.settings["line.access_token_parameter"],
                secrets.access_token,
                "LINE_CHANNEL_ACCESS_TOKEN",
            )
        self.channel_secret = Parameter(
            self.settings["line.channel_secret_parameter"],
            secrets.channel_secret,
            "LINE_CHANNEL_SECRET",
        )

    def _roles(self) -> None:
        """Add the roles of ECS, the bot and the collector; early, because roles take seconds to propagate."""
        tasks, boundary = "ecs-tasks.amazonaws.com", self.settings["aws.permissions_boundary"]
        ecs = f"arn:{{partition}}:ecs:{self.region}:{{account}}:*"  # any of its resources
        self.execution_role = Role(
            f"{self.name}-execution-{self.region}",
            tasks,
            "ECS, to start the bot",
            boundary=boundary,
        )
        self.execution_permissions = ExecutionPermissions(
            self.execution_role,
            self.log_group,
            self.repository,
            self.settings["image.uri"],
            access_token=self.access_token,
            channel_secret=self.channel_secret,
        )
        self.task_role = Role(
            f"{self.name}-task-{self.region}", tasks, "The bot itself", ecs, boundary
        )
        self.task_permissions = TaskPermissions(
            self.task_role, self.access_token, self.channel_secret, self.news_bucket
        )
        if self.settings["news.feeds"]:
            self.collector_role = Role(
                f"{self.name}-collector-{self.region}", tasks, "The news collector", ecs, boundary
            )
            self.collector_permissions = CollectorPermissions(self.collector_role, self.news_bucket)
            self.collector_execution_role = Role(
                f"{self.name}-collector-execution-{self.region}",
                tasks,
                "ECS, to start the news collector",
                boundary=boundary,
            )
            self.collector_execution_permissions = CollectorExecutionPermissions(
                self.collector_execution_role,
                self.log_group,
                self.repository,
                self.settings["image.uri"],
            )

    def _network(self) -> None:
        """Add the network and its two security groups."""
        vpc = self.settings["network.vpc"]
        self.network: Network = (
            self._new_network()
            if vpc == "new"
            else ExistingNetwork(vpc, self.settings["network.subnets"])
        )
        self.bot_group = SecurityGroup(
            f"{self._vpc_name}-bot", self.network, "The bot, from the load balancer", HTTPS_AND_DNS
        )
        self.load_balancer_group = SecurityGroup(
            f"{self._vpc_name}-load-balancer",
            self.network,
            "HTTPS from anywhere to the load balancer",
            (f"tcp {PORT}",),
            only_to=self.bot_group,
        )
        self.https_from_anywhere = IngressRule(self.load_balancer_group, 443, "0.0.0.0/0")
        if self.settings["news.feeds"]:
            self.collector_group = SecurityGroup(
                f"{self._vpc_name}-collector",
                self.network,
                "The news collector, to feeds",
                (*HTTPS_AND_DNS, "tcp 80"),
            )
        self.bot_from_load_balancer = IngressRule(self.bot_group, PORT, self.load_balancer_group)

    def _new_network(self) -> NewNetwork:
        """Add a VPC with a public subnet in each of three zones."""
        name = self._vpc_name
        self.vpc = Vpc(name, "10.64.0.0/16")
        self.internet_gateway = InternetGateway(name)
        self.gateway_attachment = GatewayAttachment(self.vpc, self.internet_gateway)
        self.route_table = RouteTable(name, self.vpc)
        self.route = Route(self.route_table, self.gateway_attachment)
        self.subnet_1 = Subnet(name, self.vpc, "10.64.0.0/20", 1)
        self.subnet_2 = Subnet(name, self.vpc, "10.64.16.0/20", 2)
        self.subnet_3 = Subnet(name, self.vpc, "10.64.32.0/20", 3)
        self.association_1 = RouteTableAssociation(self.route_table, self.subnet_1)
        self.association_2 = RouteTableAssociation(self.route_table, self.subnet_2)
        self.association_3 = RouteTableAssociation(self.route_table, self.subnet_3)
        return NewNetwork(self.route, self.association_1, self.association_2, self.association_3)

    def _load_balancer(self) -> None:
        """Add the load balancer. Its alias comes next, because resolvers cache negative answers."""
        if self.settings["load_balancer.access_logs"] == "on":
            self.access_log_bucket = AccessLogBucket()
        self.load_balancer = LoadBalancer(
            self._vpc_name,
            self.network,
            self.load_balancer_group,
            self.settings["load_balancer.deletion_protection"] == "on",
            self.access_log_bucket,
        )
        if self.settings["load_balancer.rate_limit"]:
            self.web_acl = WebAcl(self.name, self.settings["load_balancer.rate_limit"])
        self.alias = Alias(self.zone, self.settings["host"], self.load_balancer)
        self.target_group = TargetGroup(self._vpc_name, self.network, PORT)
        self.bootstrap_listener = BootstrapListener(self.load_balancer)
        self.bootstrap_rule = BootstrapRule(self.bootstrap_listener, self.target_group)
        self.https = HttpsListener(self.load_balancer, self.issued_certificate)
        self.webhook_rule = WebhookRule(
            self.https, self.target_group, self.settings["host"], WEBHOOK
        )

    def _service(self, environment: Mapping[str, str], folder: Path) -> None:
        """Add the cluster, the image, the task definition and the service that runs it."""
        settings = self.settings
        self.service_linked_role = EcsServiceLinkedRole()
        self.cluster = Cluster(self.name, self.service_linked_role)
        self.image = self._image(folder)
        self.task_definition = TaskDefinition(
            name=self.name,
            image=self.image,
            platform=settings["image.platform"],
            cpu=settings["service.cpu"],
            memory=settings["service.memory"],
            port=PORT,
            environment=environment,
            channel_id="" if self.access_token else self.settings["line.channel_id"],
            access_token=self.access_token,
            channel_secret=self.channel_secret,
            news_bucket=self.news_bucket,
            execution_role=self.execution_role,
            task_role=self.task_role,
            log_group=self.log_group,
            region=self.region,
        )
        self.service = Service(
            name=self._vpc_name,
            cluster=self.cluster,
            task_definition=self.task_definition,
            count=settings["service.count"],
            capacity=settings["service.capacity"],
            network=self.network,
            security_group=self.bot_group,
            ingress=self.bot_from_load_balancer,
            target_group=self.target_group,
            bootstrap_rule=self.bootstrap_rule,
            execution_permissions=self.execution_permissions,
            task_permissions=self.task_permissions,
            hours=hours_a_month(settings["schedule.start"], settings["schedule.stop"]),
        )
        self.steady_service = SteadyService(self.service)
        self.active_load_balancer = ActiveLoadBalancer(self.load_balancer)
        if self.web_acl:
            self.web_acl_association = WebAclAssociation(
                self.web_acl, self.load_balancer, self.active_load_balancer
            )

    def _image(self, folder: Path) -> Image | GivenImage:
        """Return the image of image.uri, or the one to build."""
        settings = self.settings
        if settings["image.uri"]:
            return GivenImage(settings["image.uri"])
        read = partial(
            inputs.read_inputs,
            settings["image.base"],
            settings["image.platform"],
            folder,
            settings["image.files"],
        )
        return Image(self.repository, read)

    def _collector(self) -> None:
        """Add the collector's task definition and its first run."""
        self.collector_definition = CollectorDefinition(
            name=self.name + SUFFIX,
            cpu=CPU,
            memory=MEMORY,
            execution_role=self.collector_execution_role,
            task_role=self.collector_role,
            log_group=self.log_group,
            region=self.region,
            bot=self.task_definition,
            news_bucket=self.news_bucket,
            feeds=self.settings["news.feeds"],
        )
        self.initial_collection = InitialCollection(
            definition=self.collector_definition,
            bucket=self.news_bucket,
            cluster=self.cluster,
            network=self.network,
            security_group=self.collector_group,
            permissions=self.collector_permissions,
            execution_permissions=self.collector_execution_permissions,
            capacity=self.settings["service.capacity"],
        )

    def _schedules(self) -> None:
        """Add the schedules of the bot and the collector, with the role that Scheduler assumes."""
        hours = self.settings["schedule.start"] and self.settings["schedule.stop"]
        feeds = self.settings["news.feeds"]
        if hours or feeds:
            self.scheduler_role = Role(
                f"{self.name}-scheduler-{self.region}",
                "scheduler.amazonaws.com",
                "Scheduler, to start, to stop and to collect",
                f"arn:{{partition}}:scheduler:{self.region}:{{account}}:schedule-group/{self.name}",
                self.settings["aws.permissions_boundary"],
            )
            self.schedule_group = ScheduleGroup(self.name)
        if hours:
            self._hours()
        if feeds:
            self._collecting()

    def _hours(self) -> None:
        """Add the schedules that start and stop the bot, and their permissions."""
        settings = self.settings
        self.scheduler_permissions = SchedulerPermissions(self.scheduler_role, self.service)
        common = (settings["schedule.timezone"], self.schedule_group, self.scheduler_permissions)
        self.start_schedule = Schedule(
            "start", settings["schedule.start"], *common, settings["service.count"], self.service
        )
        self.stop_schedule = Schedule("stop", settings["schedule.stop"], *common, 0, self.service)

    def _collecting(self) -> None:
        """Add the collector's schedule and its permissions."""
        self.collecting_permissions = CollectingPermissions(
            self.scheduler_role,
            self.collector_definition,
            self.cluster,
            self.collector_execution_role,
            self.collector_role,
        )
        self.collector_schedule = CollectorSchedule(
            name="collect",
            expression=self.settings["news.schedule"],
            timezone=self.settings["schedule.timezone"],
            group=self.schedule_group,
            permissions=self.collecting_permissions,
            definition=self.collector_definition,
            cluster=self.cluster,
            network=self.network,
            security_group=self.collector_group,
            collector_permissions=self.collector_permissions,
            capacity=self.settings["service.capacity"],
        )

    def _webhook(self) -> None:
        """Add LINE's webhook endpoint, and the milestone for "Use webhook" in LINE's console."""
        self.webhook = WebhookEndpoint(
            host=self.settings["host"],
            path=WEBHOOK,
            rule=self.webhook_rule,
            ingress=self.https_from_anywhere,
            alias=self.alias,
            delegation=self.delegation,
            load_balancer=self.active_load_balancer,
            service=self.steady_service,
            credential=self.line_credential,
        )
        self.active_webhook = ActiveWebhook(self.webhook)

    def _waits(self) -> None:
        """Set waits for resources that are not dependencies."""
        # A target becomes healthy only after the load balancer is active.
        self.steady_service.ready_after = (self.active_load_balancer,)
        # If the load balancer is replaced, the old one serves until the new one is ready.
        self.alias.switch_after = (
            self.webhook_rule,
            self.steady_service,
            self.active_load_balancer,
        )

    @property
    def line_secrets(self) -> list[Parameter]:
        """Return the parameters with LINE's secrets."""
        return [*filter(None, [self.access_token]), self.channel_secret]

    @property
    def line_credential(self) -> Parameter:
        """Return the parameter that calls to LINE need: the token's, or the secret's if tokens are issued."""
        return self.line_secrets[0]

    @property
    def image_users(self) -> list[Resource]:
        """Return the other resources that use the image: the collector's, if any."""
        collector = (CollectorDefinition, CollectorSchedule)
        return [resource for resource in self.resources if isinstance(resource, collector)]

    @property
    def resources(self) -> list[Resource]:
        """Return the resources in order."""
        return [value for value in vars(self).values() if isinstance(value, Resource)]


def suffix(vpc: str) -> str:
    """Return the suffix of names in a VPC, short because names have at most 32 characters."""
    return "" if vpc == "default" else "-" + vpc.removeprefix("vpc-")[-8:]


def steps() -> dict[str, dict[str, str]]:
    """Return the steps in order, each with what people call its resources, by their attribute of Stack."""
    return {
        _("Domain"): {
            "zone": _("hosted zone"),
            "delegation": _("name servers at the registrar"),
        },
        _("Certificate"): {
            "certificate": _("certificate"),
            "validation_record": _("validation record"),
            "issued_certificate": _("issue of the certificate"),
        },
        _("Storage and secrets"): {
            "repository": _("image repository"),
            "news_bucket": _("news bucket"),
            "log_group": _("log group"),
            "access_token": _("channel access token"),
            "channel_secret": _("channel secret"),
        },
        _("Roles"): {
            "execution_role": _("execution role"),
            "execution_permissions": _("execution role's permissions"),
            "task_role": _("bot's role"),
            "task_permissions": _("bot's permissions"),
            "collector_role": _("collector's role"),
            "collector_permissions": _("collector's permissions"),
            "collector_execution_role": _("collector's execution role"),
            "collector_execution_permissions": _("collector's execution role's permissions"),
        },
        _("Network"): {
            "vpc": "VPC",
            "internet_gateway": _("internet gateway"),
            "gateway_attachment": _("internet gateway's attachment"),
            "route_table": _("route table"),
            "route": _("route to the internet"),
            "subnet_1": _("first subnet"),
            "subnet_2": _("second subnet"),
            "subnet_3": _("third subnet"),
            "association_1": _("first subnet's route table"),
            "association_2": _("second subnet's route table"),
            "association_3": _("third subnet's route table"),
            "network": _("network"),
            "load_balancer_group": _("load balancer's security group"),
            "https_from_anywhere": _("HTTPS from anywhere"),
            "bot_group": _("bot's security group"),
            "collector_group": _("collector's security group"),
            "bot_from_load_balancer": _("access from the load balancer to the bot"),
        },
        _("Load balancer"): {
            "access_log_bucket": _("access log bucket"),
            "load_balancer": _("load balancer"),
            "web_acl": _("web ACL"),
            "web_acl_association": _("web ACL's association"),
            "active_load_balancer": _("start of the load balancer"),
            "alias": _("alias record"),
            "target_group": _("target group"),
            "bootstrap_listener": _("HTTP listener"),
            "bootstrap_rule": _("HTTP listener's rule"),
            "https": _("HTTPS listener"),
            "webhook_rule": _("HTTPS listener's rule"),
        },
        _("Bot"): {
            "service_linked_role": _("service-linked role of ECS"),
            "cluster": _("cluster"),
            "image": _("image"),
            "task_definition": _("task definition"),
            "service": _("service"),
            "steady_service": _("start of the bot"),
        },
        _("News"): {
            "collector_definition": _("collector's task definition"),
            "initial_collection": _("first collection"),
            "collector_schedule": _("collector's schedule"),
            "collecting_permissions": _("permission to run the collector"),
        },
        _("Schedules"): {
            "scheduler_role": _("scheduler's role"),
            "schedule_group": _("schedule group"),
            "scheduler_permissions": _("scheduler's permissions"),
            "start_schedule": _("start schedule"),
            "stop_schedule": _("stop schedule"),
        },
        "LINE": {
            "webhook": _("webhook URL"),
            "active_webhook": _('"Use webhook"'),
        },
    }
