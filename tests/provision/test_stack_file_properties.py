"""Whatever settings, answers and records there are: untouched lines stay the same byte for byte."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provision.settings import BY_KEY
from provision.state.stack_file import Record, StackFile
from provision.state.yaml_edit import insert
from provision.state.yaml_text import compose, dump, leaves

QUICK = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
VALUES = {
    "name": st.sampled_from(["bot", "no", "on", "a-1"]),
    "region": st.sampled_from(["us-east-1", "ap-northeast-1"]),
    "domain": st.sampled_from(["example.jp", "xn--eckwd4c7c.jp"]),
    "network.vpc": st.sampled_from(["default", "vpc-0123456789abcdef0"]),
    "network.subnets": st.sampled_from([["subnet-00000000", "subnet-11111111"], []]),
    "image.uri": st.sampled_from(["012345678901", "a.b/c:0256", "public.ecr.aws/n/bot:1"]),
    "service.count": st.integers(1, 100).map(str),
    "schedule.timezone": st.sampled_from(["Asia/Tokyo", "UTC"]),
    "news.feeds": st.lists(st.sampled_from(["https://a.jp/f?x=1#y", "http://b/日本"]), max_size=3),
}
COMMENTS = st.sampled_from(
    ["# note", "#", "", "   ", "# 日本語 ' \" : {", "  # far", "#\tx", "# \U0001f600"]
)
WORDS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff"), max_size=20
)
NAMES = st.text("abz/.*-_09", min_size=1, max_size=150)
OUTPUTS = st.dictionaries(
    st.sampled_from(["arn", "id", "dns_name", "name_servers"]),
    WORDS
    | st.sampled_from(["18:00", "0256", "no", "~", "a: b", "# c"])
    | st.lists(WORDS, max_size=3),
)
RECORDS = st.dictionaries(
    NAMES,
    st.builds(Record, WORDS, st.sampled_from(["creating", "created", "adopted"]), OUTPUTS),
    max_size=4,
)


@st.composite
def settings_texts(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """Generate valid settings, in any order and style; return the text and the values."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    root, inner = " " * draw(st.sampled_from([0, 0, 0, 3])), " " * draw(st.integers(1, 7))
    chosen = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    heads = draw(st.permutations(sorted({key.partition(".")[0] for key in chosen})))
    lines, values = draw(st.lists(COMMENTS, max_size=2)), {}
    for head in heads:
        for key in [key for key in chosen if key.partition(".")[0] == head]:
            _head, dot, tail = key.partition(".")
            if dot and root + head + ":" not in lines:
                lines.append(f"{root}{head}:")
            value = draw(VALUES[key])
            if draw(st.booleans()):
                value = ""
            else:
                values[key] = value
            lines += [
                root + (inner if dot else "") + line for line in _entry(draw, tail or head, value)
            ]
            lines += draw(st.lists(COMMENTS, max_size=2))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + end.join(lines) + draw(st.sampled_from(["", end] if lines else [""])), values


def _entry(draw: st.DrawFn, name: str, value: object) -> list[str]:
    """Return one entry's lines, in the styles people use."""
    note = draw(st.sampled_from(["", "", "  # note", "   "]))
    if isinstance(value, list):
        if draw(st.booleans()):
            return [f"{name}: [{', '.join(repr(item) for item in value)}]{note}"]
        return [f"{name}:{note}", *(f"-  {item}" for item in value)] if value else [f"{name}: []"]
    if value == "":
        return [
            name + draw(st.sampled_from([":", ": ", ": ~", ": ''", ":\t"])) + (note and f" {note}")
        ]
    quote = draw(st.sampled_from(["", "'", '"']))
    return [f"{name}:{draw(st.sampled_from([' ', '   ', chr(9)]))}{quote}{value}{quote}{note}"]


def _parsed(values: dict[str, object]) -> dict[str, object]:
    return {key: BY_KEY[key].parse(value) for key, value in values.items()}  # type: ignore[arg-type]


def _fields(file: StackFile) -> dict[str, object]:
    return {key: file.settings[key] for key in VALUES}


def _expected(values: dict[str, object]) -> dict[str, object]:
    return {key: BY_KEY[key].default for key in VALUES} | _parsed(values)


@QUICK
@given(settings_texts(), RECORDS)
def test_records_do_not_change_the_settings(
    half: tuple[str, dict[str, object]], records: dict[str, Record]
) -> None:
    """Records are read back below the settings; saving without changes writes the same bytes."""
    text, values = half
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.yaml"
        path.write_bytes(text.encode())
        file = StackFile(path)
        assert _expected(values) == _fields(file)
        file.save()
        assert text.encode() == path.read_bytes()
        for key, record in records.items():
            file.record(key, record)
        again = StackFile(path)
        assert records == again.records
        assert list(records) == list(again.records)
        assert _expected(values) == _fields(again)
        assert path.read_bytes().startswith(text.encode())
        before = path.read_bytes()
        again.save()
        assert before == path.read_bytes()
        for key in records:
            again.forget(key)
        end = "\r\n" if "\r\n" in text else "\n"
        ended = "" if not records or text.endswith("\n") or text in ("", "\ufeff") else end
        assert (text + ended).encode() == path.read_bytes()


@QUICK
@given(settings_texts(), st.sampled_from(sorted(VALUES)), st.data())
def test_answer_changes_only_its_own_lines(
    half: tuple[str, dict[str, object]], key: str, data: st.DataObject
) -> None:
    """It is read back; every other line is kept in order, with the records below."""
    text, values = half
    value = data.draw(VALUES[key])
    record = Record("A", "created", {"id": "1"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.yaml"
        path.write_bytes(text.encode())
        StackFile(path).record("a", record)
        StackFile(path).set(key, value)  # type: ignore[arg-type]
        again = StackFile(path)
        assert _expected({**values, key: value}) == _fields(again)
        assert {"a": record} == again.records
        after = iter(path.read_bytes().decode().splitlines())
        if key not in values:
            name = key.rpartition(".")[2]
            waiting = [line for line in text.splitlines() if line.strip().startswith(f"{name}:")]
            others = [line for line in text.splitlines() if line not in waiting]
            assert [] == [line for line in others if line not in after]  # consumed in order


@QUICK
@given(
    st.dictionaries(st.sampled_from("abcde"), WORDS.filter(bool), min_size=1), WORDS.filter(bool)
)
def test_insert_keeps_any_text(entries: dict[str, str], value: str) -> None:
    """Any printable value is inserted and read back, beside any others."""
    text = dump(entries)
    changed = insert(text, "x.y", value)
    node = compose(changed)
    assert node is not None
    assert {**entries, "x.y": value} == {leaf.key: leaf.value for leaf in leaves(node)}
    assert changed.startswith(text)
