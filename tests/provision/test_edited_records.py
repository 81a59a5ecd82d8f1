"""Ids that somebody changed in stack.yaml: proven by the tags, or refused."""

import pytest

from provision.engine.edited_records import prove
from provision.engine.record_validation import check
from provision.state.stack_file import Damaged, StackFile
from tests.provision.conftest import Env


@pytest.fixture
def built(env: Env) -> Env:
    """A stack that stands, beside a stranger's security group."""
    env.setup()
    return env


def edit(env: Env, key: str, old: str, new: str) -> int:
    """One word of one entry changed by hand; the line it stands on."""
    before, entry = env.path.read_text().split(f"  {key}:\n")
    env.path.write_text(before + f"  {key}:\n" + entry.replace(old, new, 1))
    return env.path.read_text()[: -len(entry.partition(old)[2])].count("\n") + 1


def read(env: Env) -> StackFile:
    """The file as the next verb reads it. Raises Damaged."""
    file = StackFile(env.path)
    check(file)
    prove(file, env.clients(), env.clock)
    return file


def test_unchanged_asks_nothing(built: Env) -> None:
    """What provision wrote itself needs no proof."""
    built.aws_session.calls.clear()
    read(built)
    assert [] == built.aws_session.calls


def test_somebody_elses(built: Env) -> None:
    """An id of a stranger's: refused by its line, by every run until it is mended."""
    ec2 = built.aws_session.client("ec2")
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


def test_ours_after_all(built: Env) -> None:
    """The copy may be older than a file that another machine wrote: what carries our tags is taken."""
    copy = built.path.with_name(f".{built.path.name}.last")
    group = StackFile(built.path).records["bot_group/news-bot-bot"].outputs["id"]
    copy.write_text(copy.read_text().replace(group, "sg-00000000000000000"))
    assert group == read(built).records["bot_group/news-bot-bot"].outputs["id"]


def test_adopted_made_ours(env: Env) -> None:
    """Else teardown would delete a zone that was there first."""
    domain = env.stack().zone.domain
    env.aws_session.client("route53").create_hosted_zone(Name=domain, CallerReference="theirs")
    env.setup()
    key = next(key for key in StackFile(env.path).records if key.startswith("zone/"))
    line = edit(env, key, "state: adopted", "state: created")
    with pytest.raises(Damaged, match=f"line {line}"):
        read(env)


def test_endpoint_with_ids_of_its_own(built: Env) -> None:
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
