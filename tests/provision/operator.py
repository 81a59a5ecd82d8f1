"""Commands run by an IAM user who has the policy that `provision policy` writes, and nothing else."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from provision.clients.aws import Aws
from provision.operator_policy import PURPOSES
from provision.sandbox.aws.in_process import attach
from provision.sandbox.delays import Delays
from tests.golden.command_runner import Session, Shell, open_shell
from tests.golden.drift import change_everything
from tests.golden.recorder import Recorder
from tests.golden.test_requests import ADOPTED, HOURS_AND_FEEDS, NEW_NETWORK, SHIPPED
from tests.provision.conftest import AwsSession, Env, open_env

NAME = "operator"
ARN = f"arn:aws:iam::123456789012:user/{NAME}"
ANSWERS = "--set domain=example.jp --set network.vpc=default"
OPEN_SESSION = boto3.Session  # open_shell replaces it


class UserSession:
    """A boto3 session with an IAM user's access key."""

    def __init__(self, key: dict[str, str], root: AwsSession) -> None:
        self.session = OPEN_SESSION(
            key["AccessKeyId"], key["SecretAccessKey"], region_name="ap-northeast-1"
        )
        attach(self.session, lambda environ, start: root.application(environ, start))


@dataclass
class Operator:
    """The user, and the root user of the account."""

    shell: Shell
    env: Env
    root: Session
    capsys: pytest.CaptureFixture[str]
    # The actions that each command needed, and whether it was allowed.
    commands: dict[str, set[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(set))

    def allow(self, *options: str) -> list[str]:
        """Give the user the policies that `provision policy` writes with these options; return them."""
        iam, folder = self.root.client("iam"), self.env.path.parent / "policies"
        for attached in iam.list_attached_user_policies(UserName=NAME)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=NAME, PolicyArn=attached["PolicyArn"])
            iam.delete_policy(PolicyArn=attached["PolicyArn"])
        names = self.run("policy", "--out", str(folder), *options).split()
        documents = [Path(name).read_text() for name in names]
        for number, text in enumerate(documents):
            policy = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=text)["Policy"]
            iam.attach_user_policy(UserName=NAME, PolicyArn=policy["Arn"])
        return documents

    def checks(self, *, allowed: bool) -> set[str]:
        """Return the actions that the user's calls needed, those allowed or those denied."""
        made = set().union(*self.commands.values())
        return {action for action, answer in made if answer is allowed}

    def run(self, *words: str) -> str:
        """Run a command without questions, assert that it succeeds, and return its stdout."""
        checks = self.env.sandbox.cloud.permissions.checks
        checks.clear()
        self.capsys.readouterr()
        try:
            self.shell.run(*words)
        finally:
            found = {(action, answer) for caller, action, _on, answer in checks if caller == ARN}
            self.commands[words[0]] |= found
        return self.capsys.readouterr().out


@contextmanager
def open_operator(
    root: Session, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
    """Yield a user without permissions, with an empty account and folder; commands run as that user."""
    aws = Aws("ap-northeast-1", root.aws_session.session)
    with (
        open_env(root.aws_session, aws, Delays.none(), folder) as env,
        open_shell(env, root, monkeypatch) as shell,
    ):
        iam = root.client("iam")
        iam.create_user(UserName=NAME)
        key = iam.create_access_key(UserName=NAME)["AccessKey"]
        session = Session(UserSession(key, root.aws_session), Recorder())  # type: ignore[arg-type]
        monkeypatch.setattr(boto3, "Session", lambda **_: session)
        yield Operator(shell, env, root, capsys)


@pytest.fixture(scope="session")
def root() -> Session:
    """Return the root user's session; creating its clients takes long."""
    return Session(AwsSession(), Recorder())


@pytest.fixture
def operator(
    root: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Operator]:
    """Yield a user without permissions."""
    with open_operator(root, tmp_path, monkeypatch, capsys) as operator:
        yield operator


def verify(operator: Operator) -> None:
    """Run `provision verify`; here the host has no TLS side, so its last checks cannot succeed."""
    with pytest.raises(AssertionError, match="provision verify"):
        operator.run("verify", "--json")
    found = json.loads(operator.capsys.readouterr().out)["checks"]
    assert {"tls", "test", "message"} == {check["key"] for check in found if check["state"] != "OK"}


def by_hand(operator: Operator) -> None:
    """Change everything by hand."""
    aws = operator.root.client
    change_everything(aws)
    aws("ecs").put_cluster_capacity_providers(
        cluster="other", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    aws("ecr").put_image_tag_mutability(repositoryName="other", imageTagMutability="MUTABLE")
    _reroute(aws("ec2"))
    _redirect(aws("elbv2"), aws("ec2"))


def _reroute(ec2: Any) -> None:
    """Route the stack's table to another gateway, and associate its subnets with the main table."""
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    tables = ec2.describe_route_tables()["RouteTables"]
    (own,) = (table for table in tables if table["Tags"])
    main = next(
        table["RouteTableId"] for table in tables if table["VpcId"] == own["VpcId"] and table != own
    )
    ec2.replace_route(
        RouteTableId=own["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )
    for association in own["Associations"]:
        ec2.replace_route_table_association(
            AssociationId=association["RouteTableAssociationId"], RouteTableId=main
        )


def _redirect(elbv2: Any, ec2: Any) -> None:
    """Give the load balancer another security group and its rules another action."""
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    groups = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [balancer["VpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[groups[0]["GroupId"]])
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    for listener in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=nothing)


def protect(operator: Operator) -> None:
    """Attach a policy to a role and protect the load balancer, as somebody else may have done."""
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    name = "other-execution-ap-northeast-1"
    operator.root.client("iam").attach_role_policy(RoleName=name, PolicyArn=policy)
    elbv2 = operator.root.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )


def rotate(operator: Operator) -> None:
    """Replace LINE's access token, as its console does."""
    token = "n" * 172
    operator.env.sandbox.line.access_token = token
    os.environ["LINE_CHANNEL_ACCESS_TOKEN"] = token


def lose(operator: Operator) -> None:
    """Delete stack.yaml."""
    for path in operator.shell.folder.glob("*stack.yaml*"):
        path.unlink()


def existing(operator: Operator) -> None:
    """Create what the stack would create."""
    operator.shell.create_existing_resources()


Step = str | Callable[[Operator], Any]
SCENARIOS: dict[str, tuple[str, list[Step]]] = {
    "shipped": (
        SHIPPED,
        [
            f"policy {ANSWERS}",
            f"plan {ANSWERS}",
            f"setup {ANSWERS}",
            "plan",
            "status --json",
            verify,
            "logs",
            "stop",
            "start",
            "pause",
            "resume",
            "deploy --set image.files=own",
            "deploy --rollback",
            rotate,
            "setup",
            lose,
            "recover",
            "setup --set service.memory=1024",
            "plan --set schedule.start= --set schedule.stop= --set news.feeds= --set domain=example.com",
            "teardown",
            "teardown --everything",
        ],
    ),
    "new network": (
        NEW_NETWORK.replace("news: {", "news: {bucket: own-news, "),
        [
            "plan",
            "setup",
            "plan --set news.bucket= --set load_balancer.rate_limit=",
            "status --json",
            "setup --set load_balancer.rate_limit=6000",
            lose,
            "recover",
            "teardown --everything",
        ],
    ),
    "adopted": (ADOPTED, [existing, "plan", "setup", "status --json", "teardown --everything"]),
    "changed by hand": (
        HOURS_AND_FEEDS,
        ["setup", by_hand, "setup", protect, "teardown --everything --contents"],
    ),
}


def play(operator: Operator, name: str) -> dict[str, list[Any]]:
    """Run the steps of a scenario with the policy for it; each command succeeds.

    Return the statements of that policy and of those for one command.
    """
    text, steps = SCENARIOS[name]
    (operator.shell.folder / "own").mkdir(exist_ok=True)
    (operator.shell.folder / "own/words.txt").write_text("mine")
    operator.shell.write_stack(text)
    given = ANSWERS.split() if name == "shipped" else []
    operator.allow(*given)
    policies = {
        verb: json.loads(operator.run("policy", *given, *(("--for", verb) if verb else ())))[
            "Statement"
        ]
        for verb in PURPOSES
    }
    for step in steps:
        if callable(step):
            step(operator)
        else:
            operator.run(*step.split())
    return policies
