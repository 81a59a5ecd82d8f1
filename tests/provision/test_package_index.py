"""The package index client: pip itself, with a folder of wheels."""

import hashlib
from pathlib import Path

import pytest

from provision.clients.package_index import PackageIndex
from provision.errors import ProvisionError
from tests.provision.test_image import make_wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageIndex:
    """Return an index whose pip sees one folder with one wheel, and no network."""
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return PackageIndex(lambda: tmp_path / "cache")


def lock(digest: str) -> bytes:
    return f"thing==1.0 --hash=sha256:{digest}\n".encode()


def test_wheels_are_fetched_once(index: PackageIndex, tmp_path: Path) -> None:
    """The second call returns the same path without pip: the source is deleted by then."""
    source = tmp_path / "wheels/thing-1.0-py3-none-any.whl"
    wanted = lock(hashlib.sha256(source.read_bytes()).hexdigest())
    (found,) = index.wheels(wanted, "3.12", "linux/arm64")
    assert source.read_bytes() == found.read_bytes()
    source.unlink()
    assert [found] == index.wheels(wanted, "3.12", "linux/arm64")


def test_wheel_with_another_hash_is_rejected(index: PackageIndex, tmp_path: Path) -> None:
    """The error has pip's message, and nothing is cached."""
    with pytest.raises(ProvisionError) as caught:
        index.wheels(lock("0" * 64), "3.12", "linux/amd64")
    assert "HASHES" in caught.value.why
    assert "image.uri" in caught.value.then
    assert [] == list((tmp_path / "cache/wheels").iterdir())


@pytest.mark.parametrize("change", ["other", "more", "folder", "less", "renamed"])
def test_changed_cache_is_fetched_again(index: PackageIndex, tmp_path: Path, change: str) -> None:
    """The cache is compared with the lock each time."""
    source = tmp_path / "wheels/thing-1.0-py3-none-any.whl"
    content = source.read_bytes()
    wanted = lock(hashlib.sha256(content).hexdigest())
    (found,) = index.wheels(wanted, "3.12", "linux/amd64")
    match change:
        case "other":
            found.write_bytes(content + b"\0")
        case "more":
            (found.parent / "more-1.0-py3-none-any.whl").write_bytes(b"x")
        case "folder":
            (found.parent / "more.whl").mkdir()
        case "less":
            found.unlink()
        case "renamed":
            found.rename(found.with_suffix(".zip"))
    assert [found] == index.wheels(wanted, "3.12", "linux/amd64")
    assert content == found.read_bytes()


def test_every_package_of_the_lock_is_checked(index: PackageIndex, tmp_path: Path) -> None:
    """A valid wheel in another's place is not enough."""
    make_wheel(tmp_path / "wheels", "other")
    sources = sorted((tmp_path / "wheels").glob("*.whl"))
    hashes = [hashlib.sha256(source.read_bytes()).hexdigest() for source in sources]
    both = "".join(
        f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{digest}\n    # via me\n"
        for name, digest in zip(("other", "thing"), hashes, strict=True)
    ).encode()
    other, thing = index.wheels(both, "3.12", "linux/amd64")
    thing.write_bytes(other.read_bytes())
    assert [other, thing] == index.wheels(both, "3.12", "linux/amd64")
    assert sources[1].read_bytes() == thing.read_bytes()


def test_cache_folders_are_private(index: PackageIndex, tmp_path: Path) -> None:
    """Mode 0700, even if they were open before."""
    cache = tmp_path / "cache"
    (cache / "wheels").mkdir(parents=True, mode=0o755)
    source = tmp_path / "wheels/thing-1.0-py3-none-any.whl"
    index.wheels(lock(hashlib.sha256(source.read_bytes()).hexdigest()), "3.12", "linux/amd64")
    assert [0o700, 0o700] == [path.stat().st_mode & 0o777 for path in (cache, cache / "wheels")]


def seen_by_pip(tmp_path: Path, command: str, platform: str) -> list[str]:
    """Return the lines that a shell command prints in place of pip, which then fails."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{command} > {tmp_path}/seen\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(ProvisionError):
        PackageIndex(lambda: tmp_path / "cache", str(python)).wheels(b"", "3.12", platform)
    return (tmp_path / "seen").read_text().splitlines()


def test_environment_of_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip gets what it needs, and none of this process's secrets."""
    secrets = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "LINE_CHANNEL_ACCESS_TOKEN": "token",
        "LINE_CHANNEL_SECRET": "secret",
        "GITHUB_TOKEN": "token",
    }
    passed = {
        "PIP_INDEX_URL": "https://pypi.example/simple",
        "HTTPS_PROXY": "http://proxy.example:8080",
        "no_proxy": "localhost",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "REQUESTS_CA_BUNDLE": "/etc/ca.pem",
        "LANG": "C.UTF-8",
        "TMPDIR": str(tmp_path),
    }
    for name, value in (secrets | passed).items():
        monkeypatch.setenv(name, value)
    lines = seen_by_pip(tmp_path, "env", "linux/amd64")
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert {} == {name: value for name, value in variables.items() if name in secrets}
    assert passed == {name: value for name, value in variables.items() if name in passed}
    assert {"PATH", "HOME"} <= variables.keys()
    assert [] == [name for name in variables if "TOKEN" in name or "SECRET" in name]


def test_how_pip_is_called(tmp_path: Path) -> None:
    """Complete and with hashes: pip resolves and builds nothing, whatever the lock holds."""
    words = seen_by_pip(tmp_path, 'printf "%s\\n" "$@"', "linux/arm64")
    tags = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
    assert [
        *("-m", "pip", "download", "--quiet", "--no-input"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:"),
        *(word for tag in tags for word in ("--platform", f"{tag}_aarch64")),
        *("--python-version", "3.12", "--implementation", "cp"),
        *("--abi", "cp312", "--abi", "abi3", "--abi", "none", "--dest"),
    ] == words[:-3]
    assert (["wheels", "requirements.txt"], "-r") == (
        [Path(words[-3]).name, Path(words[-1]).name],
        words[-2],
    )


def test_missing_package(index: PackageIndex, tmp_path: Path) -> None:
    """The advice says where to look."""
    missing = b"other==1.0 --hash=sha256:" + b"0" * 64
    with pytest.raises(ProvisionError, match="pip config list") as caught:
        index.wheels(missing, "3.12", "linux/amd64")
    assert "other==1.0" in caught.value.why
