"""What commands send, by value: every mutating call to AWS, and requests to LINE and the registry.

One file per stack, with what each command sends. `make golden` rewrites the files.
"""

from typing import Any

from tests.golden.command_runner import ROOT, Shell
from tests.golden.drift import change_everything
from tests.golden.golden_files import compare

SHIPPED = (ROOT / "stack.yaml").read_text()
NEW_NETWORK = """
name: other
domain: example.jp
host: bot.example.jp
network: {vpc: new}
load_balancer:
  deletion_protection: on
  access_logs: on
  rate_limit: 5000
image: {uri: "example.jp/bot:1", platform: linux/arm64}
service: {cpu: 512, memory: 1024, count: 2, capacity: on-demand}
schedule: {start: "", stop: ""}
line: {access_token_parameter: /bot/token, channel_secret_parameter: /bot/secret}
news: {feeds: []}
"""
HOURS_AND_FEEDS = """
name: other
domain: example.jp
network: {vpc: new}
image: {uri: "example.jp/bot:1"}
schedule: {start: cron(0 8 * * ? *), stop: cron(0 9 * * ? *)}
line: {access_token_parameter: /bot/token, channel_secret_parameter: /bot/secret}
news: {feeds: ["https://news.example/feed"]}
"""
ADOPTED = """
domain: example.jp
network: {vpc: default}
image: {uri: "example.jp/bot:1"}
schedule: {start: "", stop: ""}
news: {bucket: my-news, feeds: []}
"""
# Calls that end before another begins; the rest may be parallel.
ORDER = {
    "setup": [
        ("elbv2 CreateRule", "ecs CreateService"),  # ECS requires a listener on the target group
        ("registry PUT /v2/news-bot/manifests", "ecs RegisterTaskDefinition"),
        ("s3 PutPublicAccessBlock", "ecs RunTask"),  # the task writes into the bucket
        ("ecs CreateCluster", "ecs RunTask"),
        ("elbv2 CreateListener", "LINE PUT"),  # LINE calls immediately
        ("ec2 AuthorizeSecurityGroupIngress", "LINE PUT"),
        ("ecs CreateService", "LINE PUT"),
        ("route53 ChangeResourceRecordSets", "LINE PUT"),
    ],
    "deploy": [
        ("ecs UpdateService", "ecs DeregisterTaskDefinition"),
        ("ecs UpdateService", "scheduler UpdateSchedule"),  # the collector gets what works
    ],
    "teardown": [
        ("ecs DeleteService", "elbv2 DeleteTargetGroup"),
        ("ecs DeleteService", "ecs DeleteCluster"),
        ("ec2 DeleteSecurityGroup", "ec2 DeleteVpc"),
        ("ec2 DetachInternetGateway", "ec2 DeleteInternetGateway"),
        ("route53 ChangeResourceRecordSets", "route53 DeleteHostedZone"),
    ],
}


def out_of_order(verb: str, order: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of ORDER that these calls violate."""

    def places(name: str) -> list[int]:
        return [
            at for at, call in enumerate(order) if f"{call} ".startswith((f"{name} ", f"{name}/"))
        ]

    found = [(pair, places(pair[0]), places(pair[1])) for pair in ORDER.get(verb, [])]
    return [pair for pair, first, then in found if first and then and max(first) > min(then)]


def record_commands(shell: Shell, *commands: str) -> dict[str, Any]:
    """Return what each command sends, one after the other."""
    found = {}
    for command in commands:
        words = command.split()
        shell.run(*words)
        assert [] == out_of_order(words[0], shell.sent.order), command
        found[command] = shell.sent.take()
    return found


def test_stack_as_shipped(shell: Shell, update: bool) -> None:
    """Default VPC, hours, feeds and a built image, from setup to an empty account."""
    shell.write_stack(SHIPPED)
    found = record_commands(
        shell,
        "setup --set domain=example.jp --set network.vpc=default",
        "setup",
        "stop",
        "start",
        "pause",
        "resume",
        "teardown",
        "teardown --everything",
    )
    compare("shipped", found, update)


def test_deploy(shell: Shell, update: bool) -> None:
    """A new image and a rollback; the built image contains a user file."""
    (shell.folder / "own").mkdir()
    (shell.folder / "own/words.txt").write_text("mine")
    shell.write_stack(SHIPPED)
    shell.run("setup", "--set", "domain=example.jp", "--set", "network.vpc=default")
    shell.sent.take()
    found = record_commands(
        shell,
        "deploy --set image.files=own",
        "deploy --rollback",
        "deploy --set image.uri=example.jp/bot:2 --set service.memory=512",
    )
    compare("deploy", found, update)


def test_new_network(shell: Shell, update: bool) -> None:
    """A new VPC, always on, no feeds, on-demand capacity, ARM."""
    shell.write_stack(NEW_NETWORK)
    compare("new_network", record_commands(shell, "setup", "teardown --everything"), update)


def test_documents_and_questions(shell: Shell, update: bool) -> None:
    """Compare the documents of --json, and the questions before something costs money or is deleted."""
    written = NEW_NETWORK.replace("{vpc: new}", "{vpc: default}")
    shell.write_stack(
        written.replace(
            'image: {uri: "example.jp/bot:1", platform: linux/arm64}',
            "image:\n  uri: example.jp/bot:1\n  platform: linux/arm64",
        )
    )
    found: dict[str, Any] = {}

    def ask(*commands: str) -> None:
        found.update({f"{command}?": shell.question(*command.split()) for command in commands})

    def show(when: str, *commands: str) -> None:
        documents = {command: shell.document(*command.split()) for command in commands}
        for document in documents.values():
            document.pop("next", None)  # the times of the next start and stop
        found.update({f"{when}: {command}": shown for command, shown in documents.items()})
        shell.sent.take()

    ask("setup")
    show("empty", "plan", "cost", "setup")
    show("built", "setup", "plan", "cost", "status", "stop", "start")
    show("built", "deploy", "deploy --set image.uri=example.jp/bot:2", "secrets rotate")
    found["built: verify"] = without_tls(shell.document("verify", expected=1))
    ask("deploy --set service.count=3", "pause", "teardown --everything")
    show("paused", "pause", "cost", "status")
    ask("resume")
    show("resumed", "resume", "teardown --everything", "teardown")
    compare("documents", found, update)


def without_tls(verified: dict[str, Any]) -> dict[str, Any]:
    """Return what verify found, but for what port 443 of this machine answers or needs its answer."""
    checks = [each for each in verified["checks"] if "tls" not in (each["key"], *each["needs"])]
    return {**verified, "checks": checks}


def test_adopted_resources(shell: Shell, update: bool) -> None:
    """Existing resources are used, neither changed nor deleted; LINE's former URL is restored."""
    shell.create_existing_resources()
    shell.write_stack(ADOPTED)
    compare("adopted", record_commands(shell, "setup", "teardown --everything"), update)


def test_changed_by_hand(shell: Shell, update: bool) -> None:
    """What setup sends to revert changes made by hand."""
    shell.write_stack(HOURS_AND_FEEDS)
    shell.run("setup")
    change_everything(shell.aws)
    shell.sent.take()
    compare("changed_by_hand", record_commands(shell, "setup"), update)
    assert {"setup": {}} == record_commands(shell, "setup")
