"""Which values each setting accepts and rejects, and which settings conflict."""

import re
from typing import Any

import pytest

from provision.setting_types import FARGATE_MEMORY
from provision.settings import BY_KEY, SETTINGS, Settings

LONG = "a" * 63
IMAGE = ("image.uri", "image.base", "image.files")
ACCEPTED: list[tuple[str, Any, Any]] = [
    ("name", "ab", "ab"),
    ("name", "a" + "0" * 19, "a" + "0" * 19),
    ("region", "ap-northeast-1", "ap-northeast-1"),
    ("region", "us-gov-west-1", "us-gov-west-1"),
    ("domain", "Example.JP.", "example.jp"),
    ("domain", "xn--eckwd4c7c.xn--zckzah", "xn--eckwd4c7c.xn--zckzah"),
    ("host", f"{LONG}.jp", f"{LONG}.jp"),
    ("host", "1.2.3.4.jp", "1.2.3.4.jp"),
    ("network.vpc", "default", "default"),
    ("network.vpc", "vpc-0123456789abcdef0", "vpc-0123456789abcdef0"),
    (
        "network.subnets",
        "subnet-00000000, subnet-11111111,",
        ["subnet-00000000", "subnet-11111111"],
    ),
    ("network.subnets", ["subnet-00000000"], ["subnet-00000000"]),
    ("network.subnets", "", []),
    ("image.uri", f"012345678901.dkr.ecr.a.amazonaws.com/b@sha256:{'0a' * 32}", None),
    ("image.uri", "localhost:5000/a/b:1", None),
    ("image.base", "python:3.13-slim", "python:3.13-slim"),
    ("image.files", "my files/bot", "my files/bot"),
    ("image.platform", "linux/arm64", "linux/arm64"),
    ("service.cpu", "256", 256),
    ("service.cpu", "0256", 256),
    ("service.memory", "0512", 512),
    ("service.count", "100", 100),
    ("service.capacity", "on-demand", "on-demand"),
    ("schedule.timezone", "Asia/Tokyo", "Asia/Tokyo"),
    ("schedule.timezone", "UTC", "UTC"),
    ("schedule.start", "cron(0 8 ? * SAT,SUN *)", "cron(0 8 ? * SAT,SUN *)"),
    ("line.access_token_parameter", "/bot/token.v2", "/bot/token.v2"),
    ("name", "my-sg-bot", "my-sg-bot"),
    ("domain", "test.example", "test.example"),
    ("domain", "local.jp", "local.jp"),
    ("line.access_token_parameter", "/bot/aws/token", "/bot/aws/token"),
    ("line.access_token_parameter", "my-aws-token", "my-aws-token"),
    ("news.bucket", "my.bucket-1", "my.bucket-1"),
    ("news.bucket", "192.168.5.400a", "192.168.5.400a"),
    ("news.feeds", ["https://a.jp/f?b,c"], ["https://a.jp/f?b,c"]),
    ("news.feeds", "[]", []),
]
REJECTED: list[tuple[str, Any]] = [
    ("name", "a"),
    ("name", "a" * 21),
    ("name", "1a"),
    ("name", "a-"),
    ("name", "Ab"),
    ("name", "ab\n"),
    ("name", ["ab"]),
    ("name", "sg-bot"),
    ("name", "news--bot"),
    ("name", "internal-bot"),
    ("name", "sthree-bot"),
    ("name", "amzn-s3-demo-bot"),
    ("name", "default"),  # the schedule group that every account has
    ("region", "tokyo"),
    ("line.access_token_parameter", "aws-line-token"),
    ("line.access_token_parameter", "AWS_TOKEN"),
    ("line.access_token_parameter", "/ssm/token"),
    ("line.channel_secret_parameter", "ssm.secret"),
    ("news.bucket", "our..news"),
    ("news.bucket", "192.168.5.4"),
    ("news.bucket", "xn--news"),
    ("news.bucket", "sthree-news"),
    ("news.bucket", "amzn-s3-demo-news"),
    ("news.bucket", "news-s3alias"),
    ("news.bucket", "news--ol-s3"),
    ("news.bucket", "news--x-s3"),
    ("news.bucket", "news.mrap"),
    ("news.bucket", "news--table-s3"),
    ("domain", "localhost"),
    ("domain", "a..jp"),
    ("domain", "example.jp.."),
    ("domain", "-a.jp"),
    ("domain", "a_b.jp"),
    ("domain", "*.a.jp"),
    ("domain", "例え.jp"),
    ("domain", "ｅｘａｍｐｌｅ.jp"),
    ("domain", "\u212aelvin.jp"),  # its lower case would be an ASCII k
    ("domain", "192.0.2.1"),
    *(("domain", name) for name in ("example.c", "example.c0m", "example.1jp", "example.j-p")),
    ("domain", f"a{LONG}.jp"),
    ("domain", ".".join([LONG] * 4) + ".jp"),
    ("domain", "https://a.jp"),
    ("domain", ["a.jp"]),
    ("host", ""),
    ("network.vpc", "vpc-xyz"),
    ("network.subnets", "subnet-0, subnet-1"),
    ("image.uri", ""),
    ("image.base", "a b"),
    ("image.base", "Docker/Python"),
    ("image.uri", "a b"),
    ("image.uri", "ボット:1"),
    ("image.uri", "https://public.ecr.aws/name/bot:1"),
    ("image.uri", "public.ecr.aws/Name/bot:1"),
    ("image.uri", "public.ecr.aws/name/bot:"),
    ("image.uri", "public.ecr.aws/name/bot@sha256:0a"),
    ("image.uri", "a/b:" + "t" * 129),
    ("image.platform", "windows"),
    ("service.cpu", "300"),
    ("service.cpu", "２５６"),
    ("service.cpu", ["256"]),
    ("service.memory", "300"),
    ("service.memory", "2049"),
    ("service.memory", "2048.0"),
    ("service.memory", "2GB"),
    ("service.count", "0"),
    ("service.count", "101"),
    ("service.count", "-1"),
    ("service.count", "1" * 5000),
    ("service.capacity", "Spot"),
    ("schedule.timezone", "JST"),
    ("schedule.timezone", "Asia"),
    ("schedule.timezone", "localtime"),
    ("schedule.timezone", "right/UTC"),
    ("schedule.timezone", "Factory"),
    ("schedule.timezone", ""),
    ("schedule.timezone", "../Asia/Tokyo"),
    ("schedule.timezone", "Asia/Tokyo\0"),
    ("schedule.start", "18:00"),
    ("line.access_token_parameter", "a b"),
    ("line.access_token_parameter", "a/b"),
    ("line.access_token_parameter", "//a"),
    ("line.access_token_parameter", "/" + "a" * 1011),
    ("news.bucket", "My"),
    ("news.feeds", "ftp://a"),
    ("news.feeds", ["https://a b"]),
    ("news.feeds", ["https://[::1/feed"]),
    ("news.feeds", ["https://a.jp:99999/feed"]),
    ("news.feeds", ["https:///feed"]),
]


@pytest.mark.parametrize(("key", "raw", "expected"), ACCEPTED)
def test_accepted_value(key: str, raw: Any, expected: Any) -> None:
    """It is parsed to the setting's type."""
    assert (raw if expected is None else expected) == BY_KEY[key].parse(raw)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("例え.jp", "a domain name such as example.jp; for 例え.jp: xn--r8jz45g.jp"),
        (
            "https://Example.jp/news",
            "a domain name such as example.jp; for https://Example.jp/news: example.jp",
        ),
        ("example.jp:443", "a domain name such as example.jp; for example.jp:443: example.jp"),
        (" example.jp ", "a domain name such as example.jp; for  example.jp : example.jp"),
        ("-a.jp", "a domain name such as example.jp (an international one in its xn-- form)"),
        ("http://[", "a domain name such as example.jp (an international one in its xn-- form)"),
        (
            "ｅｘａｍｐｌｅ.jp",
            "a domain name such as example.jp; for ｅｘａｍｐｌｅ.jp: example.jp",
        ),
        ("a b.jp", "a domain name such as example.jp (an international one in its xn-- form)"),
    ],
)
def test_rejected_domain_says_which_one_is_meant(given: str, expected: str) -> None:
    """The xn-- form of an international name is shown."""
    with pytest.raises(ValueError, match=re.escape(expected)):
        BY_KEY["domain"].parse(given)


def test_rejected_memory_says_what_fits() -> None:
    """Not a range of numbers of which Fargate offers a few."""
    expected = "what Fargate offers for service.cpu (512, 1024 and 2048 for 256)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        BY_KEY["service.memory"].parse("300")


@pytest.mark.parametrize(("key", "raw"), REJECTED)
def test_rejected_value(key: str, raw: Any) -> None:
    """The error says in words what would be accepted."""
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        BY_KEY[key].parse(raw)


def test_empty_value_only_where_the_default_is_empty() -> None:
    """`host`, `schedule.start` and the like may be empty; a domain may not."""
    empty = [setting.key for setting in SETTINGS if setting.default == ""]
    others = {"host", "schedule.start", "schedule.stop", "news.bucket", "aws.permissions_boundary"}
    others |= {"load_balancer.rate_limit", "line.channel_id"}
    assert {*others, *IMAGE} == set(empty)
    assert [""] * 10 == [BY_KEY[key].read("") for key in empty]
    with pytest.raises(ValueError, match=r"example\.jp"):
        BY_KEY["domain"].read("")


def test_defaults_are_valid() -> None:
    """Settings without a default are asked for."""
    settings = Settings({})
    assert ["domain", "host", "network.vpc"] == [k for k in settings if settings[k] is None]
    assert settings.conflict() is None
    for setting in SETTINGS:
        if setting.default:
            raw = setting.default if isinstance(setting.default, list) else str(setting.default)
            assert setting.default == setting.parse(raw)


def test_host_defaults_to_the_domain() -> None:
    """It is the name that LINE calls."""
    assert "a.jp" == Settings({"domain": "a.jp"})["host"]
    assert "b.a.jp" == Settings({"domain": "a.jp", "host": "b.a.jp"})["host"]
    assert set(BY_KEY) == set(Settings({}))
    assert len(BY_KEY) == len(Settings({}))


SATURDAYS, WEEKENDS = "cron(0 8 ? * SAT *)", "cron(0 8 ? * SAT,SUN *)"  # meet once a week


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"domain": "a.jp", "host": "b.a.jp"}, None),
        ({"domain": "a.jp", "host": "a.jp"}, None),
        ({"host": "b.a.jp"}, None),
        ({"domain": "a.jp", "host": "ba.jp"}, "host"),
        ({"domain": "a.jp", "host": "jp"}, "host"),
        ({"domain": f"{'a' * 61}.jp"}, None),
        ({"domain": f"{'a' * 62}.jp"}, "host"),
        ({"service.cpu": 4096}, "service.memory"),
        ({"service.cpu": 256, "service.memory": 4096}, "service.memory"),
        ({"network.subnets": ["subnet-00000000"]}, "network.subnets"),
        ({"network.subnets": ["subnet-00000000"] * 2}, "network.subnets"),
        ({"network.subnets": ["subnet-00000000", "subnet-11111111"]}, None),
        ({"line.channel_secret_parameter": "ACCESS_TOKEN"}, "line.channel_secret_parameter"),
        ({"schedule.start": SATURDAYS, "schedule.stop": WEEKENDS}, "schedule.stop"),
        ({"aws.tags": ["Cost=1", "Team=1"]}, None),
        ({"aws.tags": ["Cost=1", "Cost=2"]}, "aws.tags"),
        ({"aws.tags": ["Cost=1", "cost=1"]}, "aws.tags"),
        ({"aws.tags": [f"Key{number}=1" for number in range(7)]}, None),
        ({"aws.tags": [f"Key{number}=1" for number in range(8)]}, "aws.tags"),
    ],
)
def test_conflict(given: dict[str, Any], expected: str | None) -> None:
    """The conflict names the setting that does not fit the other."""
    conflict = Settings(given).conflict()
    assert expected == (conflict[0] if conflict else None)


@pytest.mark.parametrize(
    ("cpu", "few", "many", "count"),
    [
        (256, 512, 2048, 3),
        (512, 1024, 4096, 4),
        (1024, 2048, 8192, 7),
        (2048, 4096, 16384, 13),
        (4096, 8192, 30720, 23),
        (8192, 16384, 61440, 12),
        (16384, 32768, 122880, 12),
    ],
)
def test_fargate_pairs(cpu: int, few: int, many: int, count: int) -> None:
    """Every size in the ECS Developer Guide's table is accepted; one MiB more is rejected."""
    sizes = FARGATE_MEMORY[cpu]
    assert (few, many, count) == (min(sizes), max(sizes), len(sizes))
    for memory in sizes:
        assert Settings({"service.cpu": cpu, "service.memory": memory}).conflict() is None
        beside = Settings({"service.cpu": cpu, "service.memory": memory + 1}).conflict()
        assert beside is not None
        assert str(few) in beside[1]
