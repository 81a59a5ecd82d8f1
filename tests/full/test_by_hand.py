"""The article done by hand: its steps and their removal as calls of AWS's API, without the tool.

The numbers are the article's sections (docs/article.md); the removal is in the order of docs/by-hand.md.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provision.clients.registry import OCI_MANIFEST, Blob, Manifest, Registries, sha256
from provision.environment import enter_name_servers
from provision.image.assembled import CONFIG, BuiltImage
from provision.image.layer import in_memory
from provision.image.push import push
from tests.provision.shell import client, request_json, running_sandbox, send

pytestmark = pytest.mark.full
HOST, NAME, REGION = "example.jp", "news", "ap-northeast-1"
BUCKET = "news-of-example-jp"
MESSAGE = "Meteor lands"
# Codes that AWS answers while something that was deleted is still there, or something new not yet known.
NOT_YET = (
    "DependencyViolation",
    "InvalidParameterValueException",
    "ResourceInUse",
    "ResourceInUseException",
    "ClusterContainsTasksException",
    "UnsupportedCertificate",
    "CertificateNotFound",
)
# The bot: checks the signature, and answers with the news in the bucket.
APP = """
import base64, hashlib, hmac, http.server, json, os, urllib.request
import boto3

region = os.environ["AWS_REGION"]
names = ["ACCESS_TOKEN", "CHANNEL_SECRET"]
found = boto3.client("ssm", region).get_parameters(Names=names, WithDecryption=True)
token, secret = (parameter["Value"] for parameter in found["Parameters"])
s3 = boto3.client("s3", region)


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        if base64.b64encode(digest).decode() != self.headers["X-Line-Signature"]:
            self.send_response(400)
            self.end_headers()
            return
        for event in json.loads(body)["events"]:
            news = s3.get_object(Bucket=os.environ["BUCKET"], Key="news")
            text = news["Body"].read().decode()
            reply = {"replyToken": event["replyToken"], "messages": [{"type": "text", "text": text}]}
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            url = os.environ["LINE_API_URL"] + "/v2/bot/message/reply"
            request = urllib.request.Request(url, json.dumps(reply).encode(), headers)
            urllib.request.urlopen(request).close()
        self.send_response(200)
        self.end_headers()


address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Webhook).serve_forever()
"""
# The article's function: it compares the event's number with the number of tasks.
TOGGLE = """
import os

import boto3

ecs = boto3.client("ecs")


def lambda_handler(event, context):
    service = {"cluster": os.environ["CLUSTER"], "service": os.environ["SERVICE"]}
    found = ecs.list_tasks(cluster=service["cluster"], serviceName=service["service"])
    if len(found["taskArns"]) != event["number"]:
        ecs.update_service(**service, desiredCount=event["number"])
    return {"tasks": len(found["taskArns"]), "wanted": event["number"]}
"""


def until(holds: Callable[[], Any], seconds: float = 240) -> Any:
    """Return the function's first true result. Raise AssertionError after so many real seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s")


def patiently(call: Any, **parameters: Any) -> dict[str, Any]:
    """Repeat a call while AWS answers "not yet"; return its response."""

    def attempt() -> dict[str, Any] | None:
        try:
            return dict(call(**parameters))
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_YET:
                raise
            return None

    return dict(until(attempt))


class ByHand:
    """A person with an account, a domain and a LINE channel; what they make has the name "news"."""

    def __init__(self, addresses: dict[str, str], runtime: dict[str, str]) -> None:
        self.addresses, self.runtime = addresses, runtime
        for service in ("acm", "ec2", "ecr", "ecs", "elbv2", "events", "iam", "logs"):
            setattr(self, service, client(addresses, service))
        self.functions = client(addresses, "lambda")
        self.route53, self.s3 = client(addresses, "route53"), client(addresses, "s3")
        self.ssm = client(addresses, "ssm")

    acm: Any
    ec2: Any
    ecr: Any
    ecs: Any
    elbv2: Any
    events: Any
    iam: Any
    logs: Any

    def inventory(self) -> set[str]:
        """Return the names or ARNs of everything in the account."""
        lists = (
            (self.acm.list_certificates, "CertificateSummaryList", "CertificateArn"),
            (self.ec2.describe_network_interfaces, "NetworkInterfaces", "NetworkInterfaceId"),
            (self.ec2.describe_security_groups, "SecurityGroups", "GroupId"),
            (self.ecr.describe_repositories, "repositories", "repositoryArn"),
            (self.ecs.list_clusters, "clusterArns", ""),
            (self.ecs.list_task_definitions, "taskDefinitionArns", ""),
            (self.elbv2.describe_load_balancers, "LoadBalancers", "LoadBalancerArn"),
            (self.elbv2.describe_target_groups, "TargetGroups", "TargetGroupArn"),
            (self.events.list_rules, "Rules", "Arn"),
            (self.functions.list_functions, "Functions", "FunctionArn"),
            (self.iam.list_roles, "Roles", "Arn"),
            (self.logs.describe_log_groups, "logGroups", "arn"),
            (self.route53.list_hosted_zones, "HostedZones", "Id"),
            (self.s3.list_buckets, "Buckets", "Name"),
            (self.ssm.describe_parameters, "Parameters", "Name"),
        )
        found = {str(one[id] if id else one) for ask, name, id in lists for one in ask()[name]}
        return {name for name in found if "/aws-service-role/" not in name}

    @cached_property
    def vpc(self) -> str:
        default = [{"Name": "isDefault", "Values": ["true"]}]
        return str(self.ec2.describe_vpcs(Filters=default)["Vpcs"][0]["VpcId"])

    @cached_property
    def subnets(self) -> list[str]:
        return [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]][:3]

    def target_group_and_security_group(self) -> None:
        """Sections 2 and 3, and the load balancer."""
        made = self.elbv2.create_target_group(
            Name=NAME, Protocol="HTTP", Port=8080, VpcId=self.vpc, TargetType="ip"
        )
        self.group = made["TargetGroups"][0]["TargetGroupArn"]
        self.outer = self.security_group("load-balancer", 443, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
        (self.balancer,) = self.elbv2.create_load_balancer(
            Name=NAME, Subnets=self.subnets, SecurityGroups=[self.outer]
        )["LoadBalancers"]

    def security_group(self, name: str, port: int, **source: Any) -> str:
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        self.ec2.authorize_security_group_ingress(
            GroupId=made["GroupId"], IpPermissions=[permission]
        )
        return str(made["GroupId"])

    def zone_and_certificate(self) -> None:
        """Sections 5 to 7: zone, name servers at the registrar, alias, certificate."""
        made = self.route53.create_hosted_zone(Name=HOST, CallerReference="by-hand")
        self.zone = made["HostedZone"]["Id"]
        enter_name_servers(self.runtime, HOST, made["DelegationSet"]["NameServers"])
        self.alias = {
            "Name": HOST,
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": self.balancer["CanonicalHostedZoneId"],
                "DNSName": self.balancer["DNSName"],
                "EvaluateTargetHealth": False,
            },
        }
        self.change("CREATE", self.alias)
        requested = self.acm.request_certificate(DomainName=HOST, ValidationMethod="DNS")
        self.certificate = requested["CertificateArn"]
        (record,) = until(self.validation_records)
        self.validation = {
            "Name": record["Name"],
            "Type": record["Type"],
            "TTL": 300,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        self.change("CREATE", self.validation)
        self.acm.get_waiter("certificate_validated").wait(
            CertificateArn=self.certificate, WaiterConfig={"Delay": 1, "MaxAttempts": 240}
        )

    def validation_records(self) -> list[dict[str, Any]]:
        """Return the records that ACM shows by now."""
        found = self.acm.describe_certificate(CertificateArn=self.certificate)["Certificate"]
        options = found.get("DomainValidationOptions", [])
        return [option["ResourceRecord"] for option in options if "ResourceRecord" in option]

    def change(self, action: str, record_set: dict[str, Any]) -> None:
        self.route53.change_resource_record_sets(
            HostedZoneId=self.zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record_set}]},
        )

    def listener(self) -> None:
        """Section 4, which needs the certificate of section 7."""
        patiently(
            self.elbv2.create_listener,
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": self.certificate}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )

    def role(self, name: str, service: str, managed: str, *statements: dict[str, Any]) -> str:
        """Create a role with a managed and an inline policy; return its ARN."""
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": f"{service}.amazonaws.com"},
        }
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        managed_arn = f"arn:aws:iam::aws:policy/service-role/{managed}"
        self.iam.attach_role_policy(RoleName=name, PolicyArn=managed_arn)
        self.iam.put_role_policy(RoleName=name, PolicyName=NAME, PolicyDocument=policy(*statements))
        return str(made["Role"]["Arn"])

    def image(self) -> str:
        """Push the bot's image to ECR; return its URI."""
        made = self.ecr.create_repository(repositoryName=NAME)["repository"]
        (signed_in,) = self.ecr.get_authorization_token()["authorizationData"]
        remote = Registries().private(
            signed_in["proxyEndpoint"], NAME, signed_in["authorizationToken"]
        )
        layer = in_memory([("app/app.py", APP.encode())], "COPY app.py /app/")
        document = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"WorkingDir": "/app", "Cmd": ["python", "app.py"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        }
        text = json.dumps(document).encode()
        config = Blob(sha256(text), len(text), CONFIG, lambda: iter((text,)))
        parts = [
            {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
            for blob in (config, layer.blob)
        ]
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": parts[0]}
        content = json.dumps(manifest | {"layers": parts[1:]}).encode()
        image = BuiltImage(Manifest(OCI_MANIFEST, sha256(content), content), (layer.blob, config))
        push(image, remote, "1", lambda message: None)
        return f"{made['repositoryUri']}:1"

    def parameters_and_news(self) -> None:
        """Section 9: LINE's two secrets, and the bucket with the news."""
        for name in ("ACCESS_TOKEN", "CHANNEL_SECRET"):
            value = self.runtime[name.lower()]
            self.ssm.put_parameter(Name=name, Value=value, Type="SecureString")
        self.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.s3.put_object(Bucket=BUCKET, Key="news", Body=MESSAGE)

    def task_definition(self) -> None:
        """Section 8, with the article's one role for both purposes, and section 9's permissions."""
        role = self.role(
            "ecsTaskExecutionRole",
            "ecs-tasks",
            "AmazonECSTaskExecutionRolePolicy",
            allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"),
            allow("ssm:GetParameters", f"arn:aws:ssm:{REGION}:123456789012:parameter/*"),
        )
        self.logs.create_log_group(logGroupName="/ecs/news")
        logging = {"awslogs-group": "/ecs/news", "awslogs-region": REGION}
        container = {
            "name": NAME,
            "image": self.image(),
            "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "BUCKET", "value": BUCKET}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": logging | {"awslogs-stream-prefix": "ecs"},
            },
        }
        self.definition = self.ecs.register_task_definition(
            family=NAME,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            runtimePlatform={"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
            cpu=".25 vCPU",
            memory="2 GB",
            executionRoleArn=role,
            taskRoleArn=role,
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]

    def service(self) -> None:
        """Section 10: cluster and service on Fargate Spot."""
        self.ecs.create_cluster(clusterName=NAME, capacityProviders=["FARGATE", "FARGATE_SPOT"])
        self.inner = self.security_group("bot", 8080, UserIdGroupPairs=[{"GroupId": self.outer}])
        spot = {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}
        self.ecs.create_service(
            cluster=NAME,
            serviceName=NAME,
            taskDefinition=self.definition,
            desiredCount=1,
            capacityProviderStrategy=[spot],
            loadBalancers=[
                {"targetGroupArn": self.group, "containerName": NAME, "containerPort": 8080}
            ],
            healthCheckGracePeriodSeconds=120,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": self.subnets,
                    "securityGroups": [self.inner],
                    "assignPublicIp": "ENABLED",
                }
            },
        )
        self.until_stable()

    def until_stable(self) -> None:
        self.ecs.get_waiter("services_stable").wait(
            cluster=NAME, services=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 240}
        )

    def counts(self) -> tuple[int, int]:
        """Return the desired and the running number of tasks."""
        (found,) = self.ecs.describe_services(cluster=NAME, services=[NAME])["services"]
        return found["desiredCount"], found["runningCount"]

    def function(self) -> None:
        """Section 11: the function."""
        service = f"arn:aws:ecs:{REGION}:123456789012:service/{NAME}/{NAME}"
        role = self.role(
            "toggle",
            "lambda",
            "AWSLambdaBasicExecutionRole",
            allow("ecs:ListTasks", "*"),
            allow("ecs:UpdateService", service),
        )
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("lambda_function.py", TOGGLE)
        created = patiently(
            self.functions.create_function,
            FunctionName="toggle",
            Runtime="python3.12",
            Handler="lambda_function.lambda_handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
            Timeout=60,
            Environment={"Variables": {"CLUSTER": NAME, "SERVICE": NAME}},
        )
        self.toggle = created["FunctionArn"]
        self.functions.get_waiter("function_active_v2").wait(
            FunctionName="toggle", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def rule(self, name: str, number: int, expression: str) -> None:
        """Section 11: a rule that invokes the function with a number of tasks."""
        made = self.events.put_rule(Name=name, ScheduleExpression=expression)
        self.functions.add_permission(
            FunctionName="toggle",
            StatementId=name,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=made["RuleArn"],
        )
        target = {"Id": "1", "Arn": self.toggle, "Input": json.dumps({"number": number})}
        assert 0 == self.events.put_targets(Rule=name, Targets=[target])["FailedEntryCount"]

    def webhook(self) -> None:
        """Section 1: the URL at LINE."""
        line = {"token": self.runtime["access_token"]}
        url = f"{self.addresses['line']}/v2/bot/channel/webhook/endpoint"
        request_json(line, url, {"endpoint": f"https://{HOST}/webhook"}, "PUT")

    def remove(self) -> None:
        """Remove everything, in the order of docs/by-hand.md."""
        for name in ("start", "stop"):
            self.events.remove_targets(Rule=name, Ids=["1"])
            self.events.delete_rule(Name=name)
        self.functions.delete_function(FunctionName="toggle")
        self.ecs.update_service(cluster=NAME, service=NAME, desiredCount=0)
        until(lambda: self.counts() == (0, 0))
        self.ecs.delete_service(cluster=NAME, service=NAME)
        self.ecs.get_waiter("services_inactive").wait(
            cluster=NAME, services=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 240}
        )
        patiently(self.ecs.delete_cluster, cluster=NAME)
        self.elbv2.delete_load_balancer(LoadBalancerArn=self.balancer["LoadBalancerArn"])
        patiently(self.elbv2.delete_target_group, TargetGroupArn=self.group)
        for record_set in (self.alias, self.validation):
            self.change("DELETE", record_set)
        self.route53.delete_hosted_zone(Id=self.zone)
        patiently(self.acm.delete_certificate, CertificateArn=self.certificate)
        for group in (self.inner, self.outer):
            patiently(self.ec2.delete_security_group, GroupId=group)
        self.ecs.deregister_task_definition(taskDefinition=self.definition)
        self.ecr.delete_repository(repositoryName=NAME, force=True)
        for group in ("/ecs/news", "/aws/lambda/toggle"):
            self.logs.delete_log_group(logGroupName=group)
        for role in ("ecsTaskExecutionRole", "toggle"):
            attached = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
            for one in attached:
                self.iam.detach_role_policy(RoleName=role, PolicyArn=one["PolicyArn"])
            self.iam.delete_role_policy(RoleName=role, PolicyName=NAME)
            self.iam.delete_role(RoleName=role)
        self.ssm.delete_parameters(Names=["ACCESS_TOKEN", "CHANNEL_SECRET"])
        self.s3.delete_object(Bucket=BUCKET, Key="news")
        self.s3.delete_bucket(Bucket=BUCKET)


def answer(person: ByHand) -> str:
    """Send the bot a message; return its reply, or LINE's reason why there is none."""
    sent = send(person.addresses, "latest")
    return str(sent["reply"][0]["text"] if sent["reply"] else sent["reason"])


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.fixture
def person(tmp_path: Path) -> Iterator[ByHand]:
    """Return a person with a sandbox of their own."""
    with running_sandbox(tmp_path, speed=50) as (addresses, _environ):
        runtime = json.loads((tmp_path / "provision/sandbox.json").read_text())
        yield ByHand(addresses, runtime)


def test_article_by_hand(person: ByHand) -> None:
    """The bot answers; a rule stops and another starts it; then nothing is left."""
    before = person.inventory()
    person.target_group_and_security_group()
    person.zone_and_certificate()
    person.listener()
    person.parameters_and_news()
    person.task_definition()
    person.service()
    person.webhook()
    assert MESSAGE == answer(person)
    person.function()
    invoked = person.functions.invoke(FunctionName="toggle", Payload='{"number": 1}')
    assert {"tasks": 1, "wanted": 1} == json.loads(invoked["Payload"].read())
    # The article's are cron(0 0 ? * SAT,SUN *) and cron(0 23 ? * FRI,SAT *), in UTC: too far away here.
    person.rule("stop", 0, "cron(0/5 * ? * * *)")
    until(lambda: person.counts() == (0, 0))
    assert "ERROR_STATUS_CODE" == answer(person)
    person.events.disable_rule(Name="stop")
    person.rule("start", 1, "cron(0/5 * ? * * *)")
    until(lambda: person.counts() == (1, 1))
    person.until_stable()
    assert MESSAGE == answer(person)
    person.remove()
    until(lambda: person.inventory() <= before, 60)
    assert before == person.inventory()
