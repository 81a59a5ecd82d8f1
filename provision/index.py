"""The only door to the package index: wheels by pip, kept in this user's cache folder."""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from provision.errors import Refusal
from provision.words import _

# Tags that a slim Debian image runs (glibc 2.36 and later), the newest first. pip matches exactly.
MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
BOUND = 600  # seconds for pip


def cache_folder() -> Path:
    """Where this user's programs keep what can be had again."""
    import platformdirs

    return platformdirs.user_cache_path("provision")


class PackageIndex:
    """Wheels for another machine. folder: where they are kept, by the lock that they are of."""

    def __init__(self, folder: Callable[[], Path] = cache_folder) -> None:
        self.folder = folder

    def wheels(self, lock: bytes, python: str, platform: str) -> list[Path]:
        """Every wheel of the lock for that Python ("3.12") and platform, hashes checked by pip.

        pip evaluates markers for this machine and matches tags exactly: so the lock is complete, nothing
        is resolved, and nothing is built. Raises Refusal.
        """
        place = self.folder() / "wheels" / key(lock, python, platform)
        if not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                self._download(Path(folder), lock, python, platform)
                self._keep(Path(folder) / "wheels", place)
        return sorted(place.glob("*.whl"))

    def _keep(self, found: Path, place: Path) -> None:
        try:
            found.rename(place)
        except OSError:
            if not place.is_dir():  # else another run was faster
                raise

    def _download(self, folder: Path, lock: bytes, python: str, platform: str) -> None:
        (folder / "requirements.txt").write_bytes(lock)
        machine = MACHINES[platform]
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:"),
            *(word for tag in MANYLINUX for word in ("--platform", f"{tag}_{machine}")),
            *("--python-version", python, "--implementation", "cp"),
            *("--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"),
            *("--dest", str(folder / "wheels"), "-r", str(folder / "requirements.txt")),
        ]
        doing = _("Fetching the bot's Python packages for {platform} with pip.", platform=platform)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND)
        except subprocess.TimeoutExpired:
            raise _refused(doing, _("no end after {seconds} s", seconds=BOUND)) from None
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise _refused(doing, " ".join(said or done.stderr.splitlines()[-1:]))


def key(lock: bytes, python: str, platform: str) -> str:
    """The name under which the wheels of a lock are kept."""
    of = b"\n".join((lock, python.encode(), platform.encode()))
    return hashlib.sha256(of).hexdigest()[:32]


def _refused(doing: str, why: str) -> Refusal:
    return Refusal(
        doing,
        why,
        _(
            "Look whether this machine reaches its package index (`python -m pip config list`), then run "
            "the same command again; or bring an image of your own: --set image.uri=..."
        ),
    )
