"""Ctrl-C and a closed terminal (SIGHUP) where a command asks or waits: nothing is changed or lost."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.provision.shell import Person, client, control, runtime_info, set_endpoint
from tests.provision.terminal import DOWN, ENTER, Terminal
from tests.provision.test_domain_terminal import put_domain_in_use

STOPPED = "Stopped. Nothing is lost. Run the same command to continue."
SETS = ("--set", "domain=stop.example", "--set", "network.vpc=default", "--set", "image.uri=a/b:1")


def answer(terminal: Terminal, *questions: str) -> None:
    """Press Enter at these questions."""
    for words in questions:
        terminal.until(words)
        terminal.type(ENTER)


@pytest.mark.slow(seconds=60)
def test_setup_is_stopped_and_goes_on(person: Person, terminals: Callable[..., Terminal]) -> None:
    """At its last question, and while it waits for the registrar; what is created is created once."""
    secrets = ("channel access token (", "channel secret (")
    last = "Should provision enter the name servers"
    file = person.folder / "stack.sandbox.yaml"
    set_endpoint(person, "https://stop.example/webhook")  # its own: teardown does not ask about it
    for sent, status in ((signal.SIGINT, 130), (signal.SIGHUP, -signal.SIGHUP)):
        terminal = terminals("--sandbox", "setup", *SETS)
        answer(terminal, *secrets, "Build this?")
        terminal.until(last)
        terminal.process.send_signal(sent)
        assert status == terminal.wait()
        assert (sent == signal.SIGINT) == (STOPPED in terminal.output)
        assert not file.exists() or "resources:" not in file.read_text()
    terminal = terminals("--sandbox", "setup", *SETS)
    answer(terminal, *secrets, "Build this?")
    terminal.until(last)
    terminal.type("n")
    terminal.until("You may press Ctrl-C")
    terminal.process.send_signal(signal.SIGHUP)
    assert -signal.SIGHUP == terminal.wait()
    terminal = terminals("--sandbox", "setup", "--yes")
    assert 0 == terminal.wait(), terminal.output
    status_document = json.loads(person.types("--sandbox", "status", "--json").stdout)
    assert [] == [each for each in status_document["resources"] if not each["ready"]]
    terminal = terminals("--sandbox", "setup", "--set", "service.memory=1024")
    answer(terminal, "Build this?")
    terminal.until(
        "The bot answers at"
    )  # the domain is delegated already: there is nothing to enter
    assert last not in terminal.output
    terminal.stop()
    result = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert [] == json.loads(result.stdout)["left"]


COPY = ("--set", "domain=mail.example", "--set", "image.uri=a/b:1", "--set", "network.vpc=new")
SEVERAL = ("--set", "domain=two.example", "--set", "image.uri=a/b:1", "--set", "network.vpc=new")
OWN_HOURS = ("--set", "domain=own.example", "--set", "host=own.example")
# What is typed, the questions before with the key that answers each, and the question where it ends.
BEFORE_SETUP = (
    (("setup", *OWN_HOURS), ("When should the bot run?", DOWN + DOWN + ENTER), "Start at?"),
    (
        ("setup", *OWN_HOURS),
        ("When should the bot run?", DOWN + DOWN + ENTER),
        ("Start at?", "cron(0 8 * * ? *)" + ENTER),
        "Stop at?",
    ),
    (
        ("setup", *OWN_HOURS),
        ("When should the bot run?", DOWN + DOWN + ENTER),
        ("Start at?", "cron(0 8 * * ? *)" + ENTER),
        ("Stop at?", "cron(0 9 * * ? *)" + ENTER),
        "In which time zone",
    ),
    (("setup", *SEVERAL), "There are several hosted zones of two.example"),
    (
        ("setup", *COPY),
        ("channel access token (", ENTER),
        ("channel secret (", ENTER),
        "Copy the 1 records",
    ),
)
OF_A_STACK = (
    (("setup", "--set", "service.count=2"), "Build this?"),
    (("deploy", "--set", "service.count=2"), "a month more)?"),
    (("start", "--set", "service.count=2"), "a month more. Go on?"),
    (("secrets", "rotate"), "channel access token ("),
    (("secrets", "rotate"), ("channel access token (", "TOKEN" + ENTER), "channel secret ("),
    (("pause",), "Delete load balancer with all of that?"),
    (("pause",), ("Delete load balancer with all of that?", "n"), "for now?"),
    (("teardown",), ("Delete load balancer with all", "n"), "Set it again all the same?"),
    (
        ("teardown",),
        ("Delete load balancer with all", "n"),
        ("Set it again all the same?", "n"),
        "to delete it:",
    ),
)


def changes(addresses: dict[str, str]) -> list[str]:
    """Return the changing calls that people's commands have made; the bot's tasks make calls, too."""
    calls = control(addresses, "calls?mutating=1")
    return [call["operation"] for call in calls if "assumed-role" not in call["caller"]]


def stop_at(terminal: Terminal, *steps: Any) -> None:
    """Answer the questions, then press Ctrl-C at the last: one sentence, and exit 130."""
    for words, keys in steps[:-1]:
        terminal.until(words)
        terminal.type(keys)
    terminal.until(steps[-1])
    assert 130 == terminal.interrupt()
    assert [STOPPED] == [line for line in terminal.output.splitlines() if "Stopped" in line]
    assert "Traceback" not in terminal.output


@pytest.mark.slow(seconds=30)
def test_ctrl_c_at_the_questions_before_setup(
    person: Person, addresses: dict[str, str], terminals: Callable[..., Terminal]
) -> None:
    """Nothing is created, and no file is written: the answers are only parts of one."""
    put_domain_in_use(addresses, "mail.example")
    route53 = client(addresses, "route53")
    for reference in ("one", "two"):
        route53.create_hosted_zone(Name="two.example", CallerReference=reference)
    route53.close()
    before = changes(addresses)
    for words, *steps in BEFORE_SETUP:
        stop_at(terminals("--sandbox", *words), *steps)
    assert before == changes(addresses)
    assert not (person.folder / "stack.sandbox.yaml").exists()


@pytest.mark.slow(seconds=90)
def test_ctrl_c_at_the_questions_about_a_stack(
    person: Person, addresses: dict[str, str], terminals: Callable[..., Terminal]
) -> None:
    """Nothing is changed, neither in AWS nor in stack.yaml."""
    set_endpoint(person, "https://old.example/webhook")
    assert 0 == person.types("--sandbox", "setup", "--yes", *SETS).returncode
    ssm, elbv2 = client(addresses, "ssm"), client(addresses, "elbv2")
    ssm.put_parameter(Name="ACCESS_TOKEN", Value="former", Overwrite=True)
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )
    file = person.folder / "stack.sandbox.yaml"

    def stop_everywhere(*cases: Any) -> None:
        before = (file.read_bytes(), changes(addresses))
        for words, *steps in cases:
            stop_at(terminals("--sandbox", *words), *steps)
            assert before == (file.read_bytes(), changes(addresses)), words

    # This one records that somebody else switched the protection on.
    stop_at(terminals("--sandbox", "teardown"), "Delete load balancer with all of that?")
    token = runtime_info(person)["access_token"]
    new_token = (("channel access token (", token + ENTER), ("channel secret (", ENTER))
    stop_everywhere(*OF_A_STACK, (("secrets", "rotate"), *new_token, "Store ACCESS_TOKEN"))
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
    )
    control(addresses, "spot", {"available": False})
    deploy = terminals("--sandbox", "deploy", "--set", "service.memory=1024")
    stop_at(deploy, "There is no Spot capacity.")  # the new version goes on waiting, as it says
    assert "memory: 1024" not in file.read_text()
    control(addresses, "spot", {"available": True})
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode
    stop_everywhere((("resume",), "Create the resources listed above"))
    file.write_text("resources: [\n")
    stop_everywhere((("recover",), "Keep it as"))
    file.unlink()
    ecs = client(addresses, "ecs")
    ecs.create_cluster(clusterName="other", tags=[{"key": "provision:stack", "value": "other"}])
    for each in (ssm, elbv2, ecs):
        each.close()
    stop_at(terminals("--sandbox", "recover"), "Which stack should be recovered?")
    assert not file.exists()
    recovered = person.types("--sandbox", "recover", "--set", "name=news-bot")
    assert 0 == recovered.returncode, recovered.stderr
    result = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert [] == json.loads(result.stdout)["left"]
