"""Ids that somebody changed in stack.yaml: proven by the tags, or refused."""

import pytest

from provision.checked import check
from provision.edited import prove
from provision.stackfile import Damaged, StackFile
from tests.provision.conftest import Desk


@pytest.fixture
def built(desk: Desk) -> Desk:
    """A stack that stands, beside a stranger's security group."""
    desk.setup()
    return desk


def edit(desk: Desk, key: str, old: str, new: str) -> int:
    """One word of one entry changed by hand; the line it stands on."""
    before, entry = desk.path.read_text().split(f"  {key}:\n")
    desk.path.write_text(before + f"  {key}:\n" + entry.replace(old, new, 1))
    return desk.path.read_text()[: -len(entry.partition(old)[2])].count("\n") + 1


def read(desk: Desk) -> StackFile:
    """The file as the next verb reads it. Raises Damaged."""
    file = StackFile(desk.path)
    check(file)
    prove(file, desk.doors(), desk.clock)
    return file


def test_unchanged_asks_nothing(built: Desk) -> None:
    """What provision wrote itself needs no proof."""
    built.cable.calls.clear()
    read(built)
    assert [] == built.cable.calls


def test_somebody_elses(built: Desk) -> None:
    """An id of a stranger's: refused by its line, by every run until it is mended."""
    ec2 = built.cable.client("ec2")
    group = StackFile(built.path).records["bot_group/news-bot-bot"].outputs["id"]
    vpc = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"]
    theirs = ec2.create_security_group(GroupName="x", Description="x", VpcId=vpc)["GroupId"]
    line = edit(built, "bot_group/news-bot-bot", group, theirs)
    for _again in range(2):
        with pytest.raises(Damaged) as refusal:
            read(built).keep()
        assert refusal.value.what.endswith(f"line {line}.")
        assert theirs in built.path.read_text()
    edit(built, "bot_group/news-bot-bot", theirs, group)
    read(built)


def test_ours_after_all(built: Desk) -> None:
    """The copy may be older than a file that another machine wrote: what carries our tags is taken."""
    copy = built.path.with_name(f".{built.path.name}.last")
    group = StackFile(built.path).records["bot_group/news-bot-bot"].outputs["id"]
    copy.write_text(copy.read_text().replace(group, "sg-00000000000000000"))
    assert group == read(built).records["bot_group/news-bot-bot"].outputs["id"]


def test_adopted_made_ours(desk: Desk) -> None:
    """Else teardown would delete a zone that was there first."""
    domain = desk.stack().zone.domain
    desk.cable.client("route53").create_hosted_zone(Name=domain, CallerReference="theirs")
    desk.setup()
    key = next(key for key in StackFile(desk.path).records if key.startswith("zone/"))
    line = edit(desk, key, "state: adopted", "state: created")
    with pytest.raises(Damaged, match=f"line {line}"):
        read(desk)


def test_endpoint_with_ids_of_its_own(built: Desk) -> None:
    """An AWS-compatible endpoint may number things in its own way: what provision wrote is not doubted."""
    file = StackFile(built.path)
    key = next(key for key in file.records if key.startswith("load_balancer/"))
    record = file.records[key]
    record.outputs["arn"] = "urn:cloud:balancer/1"
    file.record(key, record)
    assert "urn:cloud:balancer/1" == read(built).records[key].outputs["arn"]
    edit(built, key, "urn:cloud:balancer/1", "urn:cloud:balancer/2")
    with pytest.raises(Damaged):
        read(built)
