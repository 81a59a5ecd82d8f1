"""The door to the package index: pip itself, on a folder of wheels."""

import hashlib
from pathlib import Path

import pytest

from provision.errors import Refusal
from provision.index import PackageIndex
from tests.provision.test_image import wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageIndex:
    """pip sees one folder with one wheel and no index."""
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return PackageIndex(lambda: tmp_path / "cache")


def lock(digest: str) -> bytes:
    return f"thing==1.0 --hash=sha256:{digest}\n".encode()


def test_wheels_by_hash_fetched_once(index: PackageIndex, tmp_path: Path) -> None:
    """The same path again without pip: the source is gone by then."""
    source = tmp_path / "wheels/thing-1.0-py3-none-any.whl"
    wanted = lock(hashlib.sha256(source.read_bytes()).hexdigest())
    (found,) = index.wheels(wanted, "3.12", "linux/arm64")
    assert source.read_bytes() == found.read_bytes()
    source.unlink()
    assert [found] == index.wheels(wanted, "3.12", "linux/arm64")


def test_wheel_of_another_hash(index: PackageIndex, tmp_path: Path) -> None:
    """Refused in pip's words, and nothing is kept."""
    with pytest.raises(Refusal) as caught:
        index.wheels(lock("0" * 64), "3.12", "linux/amd64")
    assert "HASHES" in caught.value.why
    assert "image.uri" in caught.value.then
    assert [] == list((tmp_path / "cache/wheels").iterdir())


def test_no_index(index: PackageIndex, tmp_path: Path) -> None:
    """Refused; the next step says where to look."""
    missing = b"other==1.0 --hash=sha256:" + b"0" * 64
    with pytest.raises(Refusal, match="pip config list") as caught:
        index.wheels(missing, "3.12", "linux/amd64")
    assert "other==1.0" in caught.value.why
