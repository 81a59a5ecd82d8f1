"""The questions about network and domain, at a pseudo-terminal with the command as a process."""

from collections.abc import Callable

import pytest
import yaml

from tests.provision.shell import Person, client, request_json
from tests.provision.terminal import DOWN, ENTER, Terminal


def put_domain_in_use(addresses: dict[str, str], domain: str) -> None:
    """Give the domain an MX record at its old name servers."""
    record = {"name": domain, "type": "MX", "value": f"10 mail.{domain}."}
    request_json(
        addresses, f"{addresses['registrar']}/domains/{domain}", {"records": [record]}, "PUT"
    )


SETS = ("--set", "image.uri=a/b:1", "--set", "network.vpc=default")


def enter_secrets(terminal: Terminal) -> None:
    """Take the sandbox's own secrets, which are filled in."""
    for name in ("channel access token", "channel secret"):
        terminal.until(f"LINE's {name} (")
        terminal.type(ENTER)


@pytest.mark.parametrize(("answer", "copied"), [("y", ["mail.example"]), ("n", [])])
def test_copy_is_offered(
    person: Person,
    terminals: Callable[..., Terminal],
    addresses: dict[str, str],
    answer: str,
    copied: list[str],
) -> None:
    """Yes: the new zone has the records before its servers are shown; no: it has none.

    While the registrar is awaited, the address of the sandbox's form for it is shown.
    """
    domain = f"{answer}-shop.example"
    put_domain_in_use(addresses, domain)
    terminal = terminals("--sandbox", "setup", "--set", f"domain={domain}", *SETS)
    enter_secrets(terminal)
    terminal.until(f"10 mail.{domain}.")
    terminal.until("Copy the 1 records")
    terminal.type(answer)
    terminal.until("Build this?")
    terminal.type("y")
    terminal.until("Should provision enter the name servers")
    terminal.type("n")
    terminal.until("enter these four")
    terminal.until("The sandbox's registrar is a form on its page:")
    terminal.until(addresses["page"].replace("/#", "/?view=registrar#"))
    assert 130 == terminal.stop()
    records = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())["resources"]
    zone = records[f"zone/{domain}"]
    assert ([f"{domain} MX 10 mail.{domain}."] if copied else None) == zone.get("copied")
    route53 = client(addresses, "route53")
    found = route53.list_resource_record_sets(HostedZoneId=zone["id"])["ResourceRecordSets"]
    route53.close()
    assert len(copied) == len([record for record in found if record["Type"] == "MX"])


def test_network_and_zone_are_chosen(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """The account's VPCs are offered with their names; with two zones of one name, one is asked for."""
    route53, ec2 = client(addresses, "route53"), client(addresses, "ec2")
    for reference in ("one", "two"):
        route53.create_hosted_zone(Name="two.example", CallerReference=reference)
    vpc = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    route53.close()
    ec2.close()
    terminal = terminals(
        "--sandbox", "setup", "--set", "domain=two.example", "--set", "image.uri=a/b:1"
    )
    terminal.until("Which host name")
    terminal.type(ENTER)
    terminal.until("When should the bot run?")
    terminal.type(ENTER)
    terminal.until("Keep the defaults")
    terminal.type("y")
    terminal.until("Which network")
    terminal.until(f"{vpc} 172.20.0.0/16")
    terminal.type(DOWN + DOWN + ENTER)
    terminal.until("There are several hosted zones of two.example")
    terminal.type(ENTER)
    enter_secrets(terminal)
    output = terminal.until("Build this?")
    assert "    = hosted zone: adopt (yours stays as it is)" in output.splitlines()
    terminal.type("n")
    terminal.until("Cancelled. Nothing was changed.")
    terminal.stop()
    settings = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())
    assert "new" == settings["network"]["vpc"]
