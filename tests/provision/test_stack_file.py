"""stack.yaml on disk: the user's text is kept, our records are read back, errors change nothing."""

import os
import resource
import stat
from pathlib import Path

import pytest

from provision.errors import ProvisionError, UsageError
from provision.state import backup
from provision.state.atomic_file import TEMPORARY_SUFFIX
from provision.state.stack_file import Record, StackFile

RECORDS = {
    "zone/example.jp": Record("HostedZone", "created", {"id": "Z1", "name_servers": ["a.", "b."]}),
    "bucket": Record("Bucket", "creating"),
}
LOWER = "made_in:\n  account: '012345678901'\nresources:\n  a:\n    kind: A\n    state: created\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the file."""
    return tmp_path / "stack.yaml"


def write_and_read(path: Path, content: str | bytes) -> StackFile:
    """Write this content and read the file."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return StackFile(path)


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("name: bot\nname: bat\n", 2, "name"),
        ("network.vpc: new\nnetwork:\n  vpc: new\n", 3, "network.vpc"),
        ("name: bot\ncolour: red\n", 2, "colour"),
        ("image: {}\nfoo: {}\n", 2, "foo"),
        ("name:\n  first: bot\n", 2, "name.first"),
        ("service:\n  cpu: many\n", 2, "service.cpu"),
        ("service:\n  count:\n  - '1'\n", 2, "service.count"),
        ("domain: a.jp\nhost: b.jp\n", 2, "host"),
        ("name: bot\n<<<<<<< HEAD\nregion: a\n", 2, ""),
        ("name: bot\nreg", 2, ""),
        (b"name: bot\n# \x93\xfa\x96{\n", 2, "UTF-8"),
        ("name: bot\n".encode("utf-16"), 1, "UTF-8"),
        ("network:\n\tvpc: new\n", 2, ""),
        (LOWER.replace("state: created", "state: half"), 6, "created, adopted"),
        (LOWER.replace("kind: A", "kind: [A]"), 5, "kind"),
        (LOWER.replace("    state: created\n", ""), 4, "a"),
        ("name: bot\nresources: nothing\n", 2, "resources"),
        ("name: bot\nmade_in: here\n", 2, "made_in"),
        ("name: bot\npaused: no\n", 2, "paused"),
    ],
)
def test_invalid_file(path: Path, content: str | bytes, line: int, reason: str) -> None:
    """A UsageError (exit status 2) with the line and the reason; the file is unchanged."""
    with pytest.raises(UsageError) as refusal:
        write_and_read(path, content)
    assert 2 == refusal.value.exit_status
    assert f"{path}, line {line}." in refusal.value.what
    assert reason in refusal.value.why
    assert (content if isinstance(content, bytes) else content.encode()) == path.read_bytes()


def test_pause_of_a_stopped_bot(path: Path) -> None:
    """The file keeps that the bot was stopped, until the pause ends."""
    file = StackFile(path)
    file.mark_paused(True, stopped=True)
    assert "paused: stopped" == path.read_text().splitlines()[-1]
    again = StackFile(path)
    assert (True, True) == (again.paused, again.stopped)
    again.mark_paused(False)
    again = StackFile(path)
    assert (False, False) == (again.paused, again.stopped)


def test_copy_command_is_quoted(tmp_path: Path) -> None:
    """The advice to restore the backup can be pasted into a shell."""
    path = tmp_path / "my stack.yaml"
    StackFile(path).set("name", "bot")
    StackFile(path).keep()
    with pytest.raises(UsageError) as refusal:
        write_and_read(path, "name: bot\n<<<<<<< HEAD\n")
    assert f"cp '{tmp_path}/.my stack.yaml.last' '{tmp_path}/my stack.yaml'" in refusal.value.then


def test_answer_into_a_flow_mapping_is_rejected(path: Path) -> None:
    """The mapping can be read; the error names its line, and nothing is changed."""
    file = write_and_read(path, "name: bot\nservice: {cpu: 512}\n")
    assert 512 == file.settings["service.cpu"]
    with pytest.raises(UsageError) as refusal:
        file.set("service.memory", "1024")
    assert "line 2." in refusal.value.what
    assert b"name: bot\nservice: {cpu: 512}\n" == path.read_bytes()


def test_invalid_answer(path: Path) -> None:
    """A UsageError; nothing is written."""
    with pytest.raises(UsageError):
        StackFile(path).set("service.cpu", "300")
    assert not path.exists()


def test_empty_answer(path: Path) -> None:
    """`--set schedule.start=` means always on, and is read back."""
    write_and_read(path, "schedule:\n  start: cron(0 8 ? * SAT *)\n").set("schedule.start", "")
    assert "" == StackFile(path).settings["schedule.start"]


def test_headings_whose_settings_are_commented_out(path: Path) -> None:
    """The headings are empty, and an answer goes below them."""
    file = write_and_read(path, "network:\n#  vpc: default\nimage:\n")
    file.set("network.vpc", "new")
    file.set("image.uri", "a/b:1")
    assert "network:\n  vpc: new\n#  vpc: default\nimage:\n  uri: a/b:1\n" == path.read_text()


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("line:\n  access_token_parameter: 0256\n", "line.access_token_parameter", "0256"),
        ("line:\n  access_token_parameter: 18:00\n", "line.access_token_parameter", None),
        ("name: no\n", "name", "no"),
        ("name: on\n", "name", "on"),
        ("image:\n  uri: 012345678901\n", "image.uri", "012345678901"),
    ],
)
def test_strings_stay_strings(path: Path, text: str, key: str, expected: str | None) -> None:
    """As written in the file, or rejected; never a number, a time or a boolean."""
    if expected is None:
        with pytest.raises(UsageError):
            write_and_read(path, text)
    else:
        assert expected == write_and_read(path, text).settings[key]


def test_large_file_is_rejected(path: Path) -> None:
    """Nothing of it is read but the first bytes; a large backup is none."""
    path.write_text("#" * 1_048_576 + "\n")
    with pytest.raises(UsageError, match="it is larger than 1048576 bytes"):
        StackFile(path)
    path.with_name(f".{path.name}.last").write_text(path.read_text())
    path.write_text("name: ab\n" + "#" * 1_000_000 + "\n")
    assert "ab" == StackFile(path).settings["name"]


def test_records_are_read_back_unchanged(path: Path) -> None:
    """An account id keeps its leading zero, outputs their exact text."""
    file = StackFile(path)
    file.made_in = {"account": "012345678901", "region": "ap-northeast-1"}
    outputs = {"id": "0256", "at": "18:00", "on": "no", "empty": "", "long": "x " * 90 + "x"}
    file.record("a", Record("A", "created", outputs))
    again = StackFile(path)
    assert {"account": "012345678901", "region": "ap-northeast-1"} == again.made_in
    assert {"a": Record("A", "created", outputs)} == again.records


def test_file_mode(path: Path) -> None:
    """0600 for a new file, unchanged for an existing one; a link stays a link."""
    StackFile(path).set("name", "bot")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o640)
    link = path.with_name("link.yaml")
    link.symlink_to(path)
    StackFile(link).set("region", "us-east-1")
    assert link.is_symlink()
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)
    assert "name: bot\nregion: us-east-1\n" == path.read_text()


def test_setting_below_the_records_is_kept(path: Path) -> None:
    """It is read like any other setting, and the records are moved below it."""
    file = write_and_read(path, f"name: bot\n{LOWER}# mine\nregion: us-east-1\n")
    assert "us-east-1" == file.settings["region"]
    file.record("b", Record("B", "created"))
    assert path.read_text().startswith("name: bot\n# mine\nregion: us-east-1\n\n# What exists")
    assert ["a", "b"] == list(StackFile(path).records)


def test_heading_without_the_blank_line_before_it(path: Path) -> None:
    """The heading is written once, and no line is joined to another."""
    heading = "# What exists, written by provision. Your settings are above.\n"
    file = write_and_read(path, f"name: bot\n{heading}{LOWER}region: us-east-1\n")
    file.record("b", Record("B", "created"))
    assert path.read_text().startswith(f"name: bot\nregion: us-east-1\n\n{heading}made_in:")
    assert 1 == path.read_text().count(heading)


def test_removed_records_leave_the_settings(path: Path) -> None:
    """After a teardown the file is what the user wrote."""
    file = write_and_read(path, "# mine\r\nname: bot\r\n")
    file.made_in = {"account": "1", "region": "r"}
    file.record("a", Record("A", "created"))
    file.forget("a")
    file.forget("never there")
    assert b"# mine\r\nname: bot\r\n" == path.read_bytes()


def test_an_edit_during_a_run_is_kept(path: Path) -> None:
    """The next record is written below the lines that the user saved meanwhile."""
    file = write_and_read(path, "name: bot\n")
    path.write_text("name: bot\n# a thought\nregion: us-east-1\n")
    file.record("a", Record("A", "created"))
    assert path.read_text().startswith("name: bot\n# a thought\nregion: us-east-1\n\n# What exists")
    assert ["a"] == list(StackFile(path).records)


def test_invalid_edit_during_a_run_is_kept(path: Path) -> None:
    """The next record is rejected with the line of the invalid edit."""
    file = write_and_read(path, "name: bot\n")
    path.write_text("name: bot\nreg")
    with pytest.raises(UsageError) as refusal:
        file.record("a", Record("A", "created"))
    assert "line 2." in refusal.value.what
    assert "name: bot\nreg" == path.read_text()


def test_region_precedence(path: Path) -> None:
    """The setting, then where the stack was made, then the environment's, then the default."""
    file = write_and_read(path, LOWER)
    assert ["ap-northeast-1", "eu-west-1"] == [
        file.region(lambda: ""),
        file.region(lambda: "eu-west-1"),
    ]
    file.made_in["region"] = "us-west-2"
    assert "us-west-2" == file.region(lambda: "eu-west-1")
    file.set("region", "us-east-1", save=False)
    assert "us-east-1" == file.region(lambda: "eu-west-1")


def test_answer_that_is_not_saved(path: Path) -> None:
    """It applies to this run and is never written."""
    file = StackFile(path)
    file.set("name", "bot", save=False)
    assert "bot" == file.settings["name"]
    assert not path.exists()


def test_full_disk(path: Path) -> None:
    """The old content is kept, no other file is left, and the error has the reason."""
    file = write_and_read(path, "name: bot\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))  # Python ignores SIGXFSZ: write() fails
    try:
        with pytest.raises(ProvisionError) as refusal:
            file.record("a", Record("A", "created"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.strerror(27) == refusal.value.why
    assert "name: bot\n" == path.read_text()
    assert [path] == list(path.parent.iterdir())


def test_folder_in_place_of_the_file(path: Path) -> None:
    """Reading and writing fail, and nothing is left beside it."""
    file = StackFile(path)
    file.made_in = {"region": "here"}
    path.mkdir()
    for attempt in (file.save, lambda: StackFile(path)):
        with pytest.raises(ProvisionError) as refusal:
            attempt()
        assert "it is a folder, a pipe or a device" == refusal.value.why
    assert [path] == list(path.parent.iterdir())


def test_shipped_file() -> None:
    """It is valid, has the article's hours, and leaves open what only the user knows."""
    shipped = StackFile(Path(__file__).parent.parent.parent / "stack.yaml").settings
    open_ones = {key for key in shipped if shipped[key] is None}
    assert {
        "domain",
        "host",
        "network.vpc",
    } == open_ones  # the host follows the domain
    hours = ("Asia/Tokyo", "cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)")
    assert hours == tuple(shipped[f"schedule.{key}"] for key in ("timezone", "start", "stop"))


def test_temporary_file_of_a_backup_is_removed(path: Path) -> None:
    """A killed run left it behind; the backup itself is kept."""
    path.write_text("name: news-bot\n")
    file = StackFile(path)
    file.keep()
    half = backup.place(path).with_name(f".{backup.place(path).name}.x{TEMPORARY_SUFFIX}")
    half.write_text("")
    with file.locked():
        assert (False, True) == (half.exists(), backup.place(path).exists())


def test_begin_of_several_creates_is_one_write(tmp_path: Path) -> None:
    """The first renews all records of unfinished creates, so the next need no write for a while."""
    path = tmp_path / "stack.yaml"
    file = StackFile(path)
    for key in ("a", "b"):
        file.record(key, Record("LogGroup", "creating", {}, 1000.0))
    file.record("c", Record("LogGroup", "created", {}, 1000.0))
    file.begin("a", Record("LogGroup", "creating", {}, 2000.0))
    inode = path.stat().st_ino
    assert [2000.0, 2000.0, 1000.0] == [r.since for r in StackFile(path).records.values()]
    file.begin("b", Record("LogGroup", "creating", {}, 2029.0))
    assert inode == path.stat().st_ino
    file.begin("b", Record("LogGroup", "creating", {}, 2031.0))
    assert [2031.0, 2031.0, 1000.0] == [r.since for r in StackFile(path).records.values()]


def test_begin_with_changed_outputs_is_written(tmp_path: Path) -> None:
    """Another name, or a clock that was set back, needs a write."""
    path = tmp_path / "stack.yaml"
    file = StackFile(path)
    file.begin("a", Record("NewsBucket", "creating", {"bucket": "one"}, 1000.0))
    file.begin("a", Record("NewsBucket", "creating", {"bucket": "two"}, 1001.0))
    assert {"bucket": "two"} == StackFile(path).records["a"].outputs
    file.begin("a", Record("NewsBucket", "creating", {"bucket": "two"}, 500.0))
    assert 500.0 == StackFile(path).records["a"].since


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for without end."""
    path = tmp_path / "stack.yaml"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(UsageError, match="it is a folder, a pipe or a device"):
        StackFile(path)
