"""Ids that somebody changed in stack.yaml are proven by tags, or rejected."""

import pytest

from provision.engine.edited_records import verify
from provision.engine.record_validation import check
from provision.state.stack_file import Damaged, StackFile
from tests.provision.conftest import Env


@pytest.fixture
def complete_stack(env: Env) -> Env:
    """Return an environment with a complete stack."""
    env.setup()
    return env


def edit(env: Env, key: str, old: str, new: str) -> int:
    """Change one word of one entry by hand; return its line number."""
    before, entry = env.path.read_text().split(f"  {key}:\n")
    env.path.write_text(before + f"  {key}:\n" + entry.replace(old, new, 1))
    return env.path.read_text()[: -len(entry.partition(old)[2])].count("\n") + 1


def read(env: Env) -> StackFile:
    """Read the file as the next command does. Raise Damaged."""
    file = StackFile(env.path)
    check(file)
    verify(file, env.clients(), env.clock)
    return file


def test_unchanged_file_needs_no_calls(complete_stack: Env) -> None:
    """What provision wrote itself needs no proof."""
    complete_stack.aws_session.calls.clear()
    read(complete_stack)
    assert [] == complete_stack.aws_session.calls


def test_foreign_id_is_rejected(complete_stack: Env) -> None:
    """Every run rejects it by its line until it is corrected."""
    ec2 = complete_stack.aws_session.client("ec2")
    group = StackFile(complete_stack.path).records["bot_group/news-bot-bot"].outputs["id"]
    vpc = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"]
    foreign = ec2.create_security_group(GroupName="x", Description="x", VpcId=vpc)["GroupId"]
    line = edit(complete_stack, "bot_group/news-bot-bot", group, foreign)
    for _again in range(2):
        with pytest.raises(Damaged) as refusal:
            read(complete_stack).keep()
        assert refusal.value.what.endswith(f"line {line}.")
        assert foreign in complete_stack.path.read_text()
    edit(complete_stack, "bot_group/news-bot-bot", foreign, group)
    read(complete_stack)


def test_id_with_our_tags_is_accepted(complete_stack: Env) -> None:
    """The backup may be older than a file from another machine: what carries our tags is accepted."""
    copy = complete_stack.path.with_name(f".{complete_stack.path.name}.last")
    group = StackFile(complete_stack.path).records["bot_group/news-bot-bot"].outputs["id"]
    copy.write_text(copy.read_text().replace(group, "sg-00000000000000000"))
    assert group == read(complete_stack).records["bot_group/news-bot-bot"].outputs["id"]


def test_adopted_changed_to_created_is_rejected(env: Env) -> None:
    """Otherwise teardown would delete a zone that existed before."""
    domain = env.stack().zone.domain
    env.aws_session.client("route53").create_hosted_zone(Name=domain, CallerReference="theirs")
    env.setup()
    key = next(key for key in StackFile(env.path).records if key.startswith("zone/"))
    line = edit(env, key, "state: adopted", "state: created")
    with pytest.raises(Damaged, match=f"line {line}"):
        read(env)


def test_unusual_ids_of_an_aws_compatible_endpoint(complete_stack: Env) -> None:
    """What provision wrote is accepted in any format; only edited ids need proof."""
    file = StackFile(complete_stack.path)
    key = next(key for key in file.records if key.startswith("load_balancer/"))
    record = file.records[key]
    record.outputs["arn"] = "urn:cloud:balancer/1"
    file.record(key, record)
    assert "urn:cloud:balancer/1" == read(complete_stack).records[key].outputs["arn"]
    edit(complete_stack, key, "urn:cloud:balancer/1", "urn:cloud:balancer/2")
    with pytest.raises(Damaged):
        read(complete_stack)


@pytest.mark.parametrize("state", ["created", "adopted", "deleting"])
def test_without_what_names_it(env: Env, state: str) -> None:
    """A record that lost its lines, under a key that no line of stack.py has: refused by its line."""
    records = (
        "made_in:\n  account: '123456789012'\n  region: ap-northeast-1\nresources:\n"
        f"  alias/former.example.jp:\n    kind: Alias\n    state: {state}\n"
    )
    env.path.write_text(env.path.read_text() + records)
    with pytest.raises(Damaged) as refusal:
        check(StackFile(env.path))
    line = env.path.read_text().splitlines().index("  alias/former.example.jp:") + 1
    assert refusal.value.what.endswith(f"line {line}.")
    assert "the record lacks zone_id" == refusal.value.why
