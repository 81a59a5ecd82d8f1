"""A service in the sandbox with all that it needs, created through the API; shared by several tests."""

from collections.abc import Callable
from typing import Any

from provision.sandbox.tasks.runners import InlineTasks
from tests.sandbox.conftest import Account

# What the role, which is the task's and ECS's own for it, may do.
ALLOWED = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": '
    '["s3:GetObject", "s3:ListBucket", "ssm:GetParameter*", "logs:*", "ecr:*"]}]}'
)
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)


def is_steady(service: dict[str, Any]) -> bool:
    """Return whether the service is steady, as the engine decides it."""
    deployments = service["deployments"]
    return (
        len(deployments) == 1
        and deployments[0]["rolloutState"] == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
    )


class Bot:
    """What a service needs, and the service itself, created through the API."""

    secure: str  # the HTTPS listener's ARN, once published

    def __init__(self, account: Account) -> None:
        self.account = account
        self.clock = account.clock
        self.ecs = account.client("ecs")
        account.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
        role = account.client("iam").create_role(RoleName="bot", AssumeRolePolicyDocument=TRUST)
        self.role = role["Role"]["Arn"]
        account.client("iam").put_role_policy(
            RoleName="bot", PolicyName="bot", PolicyDocument=ALLOWED
        )
        account.client("logs").create_log_group(logGroupName="/bot")
        for name in ("ACCESS_TOKEN", "CHANNEL_SECRET"):
            account.client("ssm").put_parameter(Name=name, Value=f"the {name}", Type="SecureString")
        ec2 = account.client("ec2")
        self.outer = ec2.create_security_group(
            GroupName="lb", Description="lb", VpcId=account.vpc()
        )["GroupId"]
        self.inner = ec2.create_security_group(
            GroupName="bot", Description="bot", VpcId=account.vpc()
        )["GroupId"]
        self.admit(self.outer, 443, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
        self.admit(self.inner, 8080, UserIdGroupPairs=[{"GroupId": self.outer}])
        balancer = account.load_balancer(SecurityGroups=[self.outer])
        self.load_balancer = balancer["LoadBalancerArn"]
        self.group = account.target_group(
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )
        account.client("elbv2").modify_target_group_attributes(
            TargetGroupArn=self.group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        )
        self.listener = account.listener(self.load_balancer, self.group)
        self.ecs.create_cluster(clusterName="news", capacityProviders=["FARGATE", "FARGATE_SPOT"])

    @property
    def tasks(self) -> InlineTasks:
        """Return the containers that were started."""
        assert isinstance(self.account.cloud.tasks, InlineTasks)
        return self.account.cloud.tasks

    def admit(self, group: str, port: int, **source: Any) -> None:
        """Allow TCP to a port."""
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        self.account.client("ec2").authorize_security_group_ingress(
            GroupId=group, IpPermissions=[permission]
        )

    def container(self) -> dict[str, Any]:
        """Return the bot's container definition."""
        return {
            "name": "bot",
            "image": "example/bot",
            "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "NEWS_URL", "value": "s3://news"}],
            "secrets": [
                {"name": "ACCESS_TOKEN", "valueFrom": "ACCESS_TOKEN"},
                {"name": "CHANNEL_SECRET", "valueFrom": "CHANNEL_SECRET"},
            ],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/bot",
                    "awslogs-region": "ap-northeast-1",
                    "awslogs-stream-prefix": "bot",
                },
            },
        }

    def definition(self, **more: Any) -> str:
        """Register a revision of the family `bot`; return its ARN."""
        given = {
            "family": "bot",
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "2048",
            "executionRoleArn": self.role,
            "taskRoleArn": self.role,
            "containerDefinitions": [self.container()],
        } | more
        given = {key: value for key, value in given.items() if value is not None}
        answer = self.ecs.register_task_definition(**given)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def service_parameters(self, **more: Any) -> dict[str, Any]:
        """Return the parameters of CreateService."""
        return {
            "cluster": "news",
            "serviceName": "bot",
            "taskDefinition": "bot",
            "desiredCount": 1,
            "capacityProviderStrategy": [
                {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}
            ],
            "loadBalancers": [
                {"targetGroupArn": self.group, "containerName": "bot", "containerPort": 8080}
            ],
            "healthCheckGracePeriodSeconds": 20,
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": True, "rollback": True}
            },
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": self.account.subnets(),
                    "securityGroups": [self.inner],
                    "assignPublicIp": "ENABLED",
                }
            },
        } | more

    def create(self, **more: Any) -> None:
        """Create the task definition and the service."""
        self.definition()
        self.ecs.create_service(**self.service_parameters(**more))

    def service(self) -> dict[str, Any]:
        answer = self.ecs.describe_services(cluster="news", services=["bot"])
        return dict(answer["services"][0])

    def until(self, holds: Callable[[dict[str, Any]], bool], within: float = 400) -> float:
        """Advance the clock until the condition holds; return the simulated seconds."""
        began = self.clock.now()
        while not holds(self.service()):
            assert self.clock.now() - began < within, self.service()
            self.clock.sleep(1)
        return self.clock.now() - began

    def steady(self) -> float:
        return self.until(is_steady)

    def until_deployment(self, rollout_state: str) -> dict[str, Any]:
        """Return the newest deployment, once it has this rollout state."""
        self.until(lambda service: service["deployments"][0]["rolloutState"] == rollout_state)
        return dict(self.service()["deployments"][0])

    def shown(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        """Return the tasks with this desired status."""
        arns = self.ecs.list_tasks(cluster="news", serviceName="bot", desiredStatus=status)
        if not arns["taskArns"]:
            return []
        return list(self.ecs.describe_tasks(cluster="news", tasks=arns["taskArns"])["tasks"])

    def stopped(self) -> dict[str, Any]:
        """Return a task that stopped."""
        found = self.shown("STOPPED")
        assert found, "no task has stopped"
        return found[0]

    def messages(self) -> list[str]:
        """Return the service events, oldest first."""
        return [event["message"] for event in reversed(self.service()["events"])]

    def settle(self) -> None:
        """Advance the clock until the load balancer is active and the role has propagated."""
        delays = self.account.cloud.delays
        self.clock.sleep(max(delays.load_balancer, delays.role) + 1)

    def publish(self, host: str = "example.jp") -> str:
        """Create certificate, HTTPS listener and alias for a name; return the listener's ARN."""
        certificate = self.account.certificate(host)
        elbv2 = self.account.client("elbv2")
        (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[self.load_balancer])[
            "LoadBalancers"
        ]
        answer = elbv2.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )
        route53 = self.account.client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        record_set = {
            "Name": host,
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": balancer["CanonicalHostedZoneId"],
                "DNSName": balancer["DNSName"],
                "EvaluateTargetHealth": False,
            },
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record_set}]},
        )
        self.clock.sleep(self.account.cloud.delays.route53_sync + 1)
        self.secure = str(answer["Listeners"][0]["ListenerArn"])
        return self.secure
