"""stack.yaml: with pieces missing, doubled or of something else, and any value of any setting."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provision.engine import record_validation
from provision.engine.deleter import from_record
from provision.run import set_all
from provision.settings import BY_KEY
from provision.stack import Secrets, Stack
from provision.state.stack_file import StackFile
from tests.fuzz.inputs import ODD, TEXTS, call, damaged, damaged_bytes, fuzz

pytestmark = pytest.mark.full

WHOLE = {
    "name": "news-bot",
    "region": "ap-northeast-1",
    "domain": "example.jp",
    "network": {"vpc": "new", "subnets": []},
    "image": {"uri": "example.jp/bot:1"},
    "schedule": {"start": "cron(0 8 ? * SAT,SUN *)", "timezone": "Asia/Tokyo"},
    "news": {"feeds": ["https://a.jp/feed", "https://b.jp/feed"]},
    "aws": {"tags": ["team=a"]},
    "made_in": {"account": "123456789012", "region": "ap-northeast-1"},
    "sandbox": "a1",
    "paused": "true",
    "resources": {
        "zone/example.jp": {
            "kind": "HostedZone",
            "state": "created",
            "since": "2026-11-30T00:00:00Z",
            "zone_id": "Z0123456789ABCDEFGHIJ",
            "name_servers": ["ns-1.awsdns.com", "ns-2.awsdns.org"],
        },
        "cluster/news-bot": {
            "kind": "Cluster",
            "state": "adopted",
            "arn": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news-bot",
        },
        "vpc": {"kind": "Vpc", "state": "creating"},
        "old/x": {"kind": "LogGroup", "state": "deleting", "arn": "arn:aws:logs:::x"},
    },
}
TEXT = yaml.safe_dump(WHOLE, sort_keys=False)
PIECES = [
    *(
        "- ",
        ": ",
        "? ",
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "{",
        "}",
        "[",
        "]",
        "|\n",
        ">-\n",
    ),
    *(
        "#",
        "---\n",
        "...\n",
        "%YAML 9.9\n",
        "<<: ",
        "\t",
        "\r",
        "\n",
        "\n\n",
        "'",
        '"',
        "\\",
        "\x85",
    ),
    *(f"{key}: " for key in BY_KEY),
    *(
        "made_in:\n",
        "resources:\n",
        "paused: ",
        "kind: ",
        "state: created\n",
        "<<<<<<< HEAD\n",
        "~",
    ),
    *(text for text in TEXTS if len(text) < 1000),
]
# What YAML can hold.
VALUES = [value for value in ODD if not isinstance(value, list | dict) or len(value) < 10]


def dump(document: Any) -> bytes:
    """Return YAML."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode("utf-8", "replace")


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Generate copies of a whole file with pieces of YAML put into it."""
    text = TEXT
    for _piece in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + draw(st.sampled_from(PIECES))
            + text[at + draw(st.sampled_from([0, 1, 9])) :]
        )
    return text.encode("utf-8", "replace")


FILES = st.one_of(
    damaged(WHOLE, VALUES).map(dump),
    spoilt(),
    damaged_bytes(TEXT.encode()),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join).map(lambda text: text.encode()),
    st.binary(max_size=100),
    st.sampled_from(
        [b"[" * 3000, b"a: {" * 3000, b"- " * 3000, b"? " * 3000, b"a:\n" + b" a:\n" * 3000]
    ),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the file is."""
    return tmp_path_factory.mktemp("fuzz") / "stack.yaml"


def use(path: Path, change: Callable[[StackFile], object] = lambda file: None) -> None:
    """Do what every command does with the file, and write it."""
    file = StackFile(path)
    record_validation.check(file)
    change(file)
    for key, answer in (("domain", "example.jp"), ("network.vpc", "default")):
        if file.settings[key] is None:  # asked for in the wizard, else an error
            file.set(key, answer, save=False)
    stack = Stack(file.settings, Secrets(), {}, path.parent)
    assert all(resource.key for resource in stack.resources)
    for resource in stack.resources:
        if record := file.records.get(resource.key):
            resource.load_from_record(record.outputs)
    for key, record in file.records.items():
        from_record(key, record, "news-bot")
    file.save()
    StackFile(path)


@fuzz(10)
@given(FILES, st.booleans())
def test_file(path: Path, content: bytes, has_copy: bool) -> None:
    """It is read, or refused with the line, the reason and what to do."""
    (path.parent / f".{path.name}.last").unlink(missing_ok=True)
    if has_copy:
        (path.parent / f".{path.name}.last").write_bytes(content)
    path.write_bytes(content)
    call(lambda: use(path))


@fuzz(6)
@given(
    st.sampled_from(sorted(BY_KEY)), st.sampled_from(TEXTS) | st.text(max_size=40), st.booleans()
)
def test_setting(path: Path, key: str, value: str, save: bool) -> None:
    """Any value of a setting, from `--set` or the wizard."""
    path.unlink(missing_ok=True)
    path.write_text("name: news-bot\ndomain: example.jp\n")
    call(lambda: use(path, lambda file: set_all(file, (f"{key}={value}",), save=save)))
