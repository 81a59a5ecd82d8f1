"""Damaged records in stack.yaml are reported by line, with what to do, and never overwritten."""

import stat
from pathlib import Path

import pytest

from provision.engine.record_validation import check
from provision.errors import ProvisionError, UsageError
from provision.state.stack_file import Record, StackFile
from tests.provision.conftest import Env
from tests.provision.shell import Person

GOOD = """\
name: news-bot
made_in:
  account: '123456789012'
  region: ap-northeast-1
resources:
  zone/example.jp:
    kind: HostedZone
    state: created
    id: /hostedzone/Z0123456789ABCDEFGHIJ
    name_servers:
    - ns-1.awsdns-01.org
  certificate/example.jp:
    kind: Certificate
    state: created
    arn: arn:aws:acm:ap-northeast-1:123456789012:certificate/01234567-89ab
  task_role/news-bot-task-ap-northeast-1:
    kind: Role
    state: created
    arn: arn:aws:iam::123456789012:role/news-bot-task-ap-northeast-1
  gone_group/news-bot:
    kind: SecurityGroup
    state: deleting
    id: sg-0123456789abcdef0
"""
GROUP_ID = "    id: sg-0123456789abcdef0\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the file."""
    return tmp_path / "stack.yaml"


def test_valid_records_are_accepted(path: Path) -> None:
    """An unknown key is accepted too: what it created has to be deleted. `creating` has no id yet."""
    path.write_text(GOOD)
    check(StackFile(path))
    path.write_text(GOOD.replace("deleting\n" + GROUP_ID, "creating\n"))
    check(StackFile(path))


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("kind: Certificate", "kind: Certificat", 13, "Certificat"),
        ("kind: Certificate", "kind: IssuedCertificate", 13, "IssuedCertificate"),
        ("kind: Certificate", "kind: [Certificate]", 13, "kind"),
        ("state: deleting", "state: deleted", 22, "creating, created, adopted, deleting"),
        ("    state: deleting\n", "", 20, "gone_group/news-bot"),
        (GROUP_ID, GROUP_ID + "    colour: red\n", 24, "a SecurityGroup has no colour; it has: id"),
        (GROUP_ID, GROUP_ID + GROUP_ID, 24, "id appears twice"),
        (GROUP_ID, "    id: [sg-0123456789abcdef0]\n", 23, "id must be a single string"),
        ("    name_servers:\n    - ns", "    name_servers: ns", 10, "a list of texts"),
        ("sg-0123456789abcdef0", "sgr-0123456789abcdef0", 23, "GroupId"),
        ("sg-0123456789abcdef0", "sg-0123456789abcdefg", 23, "GroupId"),
        ("/hostedzone/Z0123", "/hostedzone/z-0123", 9, "Id"),
        ("certificate/0123", "listener/0123", 15, "CertificateArn"),
        ("arn:aws:acm", "arn:acm", 15, "CertificateArn"),
        ("acm:ap-northeast-1", "acm:us-east-1", 15, "123456789012 us-east-1"),
        ("acm:ap-northeast-1:1234", "acm:ap-northeast-1:9934", 15, "993456789012 ap"),
        ("iam::1234", "iam::9934", 19, "993456789012 ap-northeast-1"),
        ("account: '1234", "account: '9934", 15, "this is in 123456789012"),
        ("region: ap-northeast-1", "region: us-east-1", 15, "made in 123456789012 us-east-1"),
        ("account: '123456789012'", "account: here", 2, "12 digits"),
        ("  region: ap-northeast-1\n", "", 2, "the region"),
        ("  region:", "  owner: me\n  region:", 2, "made_in"),
        ("    arn: arn:aws:acm", "<<<<<<< HEAD\n    arn: arn:aws:acm", 15, "merge conflict"),
        ("- ns-1.awsdns-01.org", "- {a: b}", 10, "a list of texts"),
    ],
)
def test_damaged_record_is_rejected_with_its_line(
    path: Path, old: str, new: str, line: int, reason: str
) -> None:
    """Exit status 2 with the line, why, and what to do; the file is unchanged."""
    text = GOOD.replace(old, new, 1)
    path.write_text(text)
    with pytest.raises(UsageError) as refusal:
        check(StackFile(path))
    assert (2, f"Could not read {path}, line {line}.") == (
        refusal.value.exit_status,
        refusal.value.what,
    )
    assert reason in refusal.value.why
    assert "provision recover" in refusal.value.then
    assert text == path.read_text()


def test_records_without_made_in_are_rejected(path: Path) -> None:
    """Otherwise another account's resources would be taken for this one's."""
    path.write_text(GOOD[: GOOD.index("made_in")] + GOOD[GOOD.index("resources") :])
    with pytest.raises(UsageError, match="line 3"):
        check(StackFile(path))


def test_file_truncated_at_any_byte(path: Path) -> None:
    """It is rejected, or read as a file that lacks complete lines and nothing else."""
    file = StackFile(path)
    path.write_text(GOOD)
    file = StackFile(path)
    file.keep()
    whole, refused = file.records, 0
    for end in range(GOOD.index("resources:\n") + 11, len(GOOD) - 1):
        path.write_text(GOOD[:end])
        try:
            short = StackFile(path)
            check(short)
        except UsageError:
            refused += 1
            assert GOOD[:end] == path.read_text()
            continue
        assert GOOD[end - 1] == "\n" or GOOD[end] == "\n"
        for key, record in short.records.items():
            assert (record.kind, record.state) == (whole[key].kind, whole[key].state)
            assert record.outputs.items() <= whole[key].outputs.items()
    assert refused > 500


def test_emptied_file_names_its_backup(path: Path) -> None:
    """After a full disk or a crash the backup is named, and restoring it repairs the file."""
    path.write_text(GOOD)
    StackFile(path).keep()
    path.write_text("")
    with pytest.raises(ProvisionError) as refusal:
        StackFile(path)
    assert f"cp {path.with_name('.stack.yaml.last')} {path}" in refusal.value.then
    path.write_bytes(path.with_name(".stack.yaml.last").read_bytes())
    assert 4 == len(StackFile(path).records)


def test_backup_follows_every_write_and_read(path: Path) -> None:
    """The backup is private, and a read-only command does not update it."""
    copy = path.with_name(".stack.yaml.last")
    file = StackFile(path)
    file.set("name", "news-bot")
    file.record("bucket", Record("NewsBucket", "creating"))
    assert path.read_text() == copy.read_text()
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    path.chmod(0o644)
    path.write_text(path.read_text() + "# mine\n")
    again = StackFile(path)
    again.read_only = True
    again.keep()
    assert path.read_text() != copy.read_text()
    again.read_only = False
    again.keep()
    assert path.read_text() == copy.read_text()
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert {path, copy} == set(path.parent.iterdir())


def test_backup_that_cannot_be_written_is_ignored(path: Path) -> None:
    """The file itself is written."""
    path.with_name(".stack.yaml.last").mkdir()
    StackFile(path).set("name", "news-bot")
    assert "name: news-bot\n" == path.read_text()


@pytest.mark.parametrize("vpc", ["default", "new"])
def test_records_of_setup_are_valid(env: Env, vpc: str) -> None:
    """Every kind of resource, as recorded."""
    env.set(network__vpc=vpc)
    env.setup()
    check(StackFile(env.path))


def test_every_command_rejects_damaged_records(person: Person) -> None:
    """No command overwrites the file; recover moves it aside and says where."""
    path = person.folder / "stack.sandbox.yaml"
    damaged = GOOD.replace("acm:ap-northeast-1:1234", "acm:ap-northeast-1:9934")
    path.write_text(GOOD.replace("'123456789012'", "'999999999999'"))
    before = path.read_bytes()
    for verb in (["setup"], ["plan"], ["status"], ["teardown"], ["pause"], ["deploy"], ["stop"]):
        ended = person.types("--sandbox", "--yes", *verb)
        assert (2, "") == (ended.returncode, ended.stdout), ended.stderr
        assert "line 15" in ended.stderr
        assert before == path.read_bytes()
    path.write_text(damaged)
    ended = person.types("--sandbox", "--yes", "recover")
    assert (1, "") == (ended.returncode, ended.stdout)  # this account has no stack
    assert "line 15" in ended.stderr
    assert damaged == path.with_name(f"{path.name}.damaged-1").read_text()
