"""The only door to the package index: wheels by pip, kept in this user's cache folder."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from provision.errors import ProvisionError
from provision.i18n import _

# Tags that a slim Debian image runs (glibc 2.36 and later), the newest first. pip matches exactly.
MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
# Of the environment: where programs and files are, pip's own, proxies, and whom to trust.
PASSED = re.compile(
    r"PATH|HOME|USERPROFILE|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LC_[A-Z]+|PIP_\w+|XDG_(CONFIG|CACHE)_HOME"
    r"|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE"
)
BOUND = 600  # seconds for pip


def cache_folder() -> Path:
    """Where this user's programs keep what can be had again."""
    import platformdirs

    return platformdirs.user_cache_path("provision")


class PackageIndex:
    """Wheels for another machine. folder: where they are kept, by the lock that they are of.

    python: the interpreter that runs pip.
    """

    def __init__(
        self, folder: Callable[[], Path] = cache_folder, python: str = sys.executable
    ) -> None:
        self.folder, self.python = folder, python

    def wheels(self, lock: bytes, python: str, platform: str) -> list[Path]:
        """Return every wheel of the lock for that Python ("3.12") and platform. Raises ProvisionError.

        Each one's hash is compared with the lock's every time; what is kept and differs is fetched anew. pip
        evaluates markers for this machine and matches tags exactly: so the lock is complete, nothing is
        resolved, and nothing is built.
        """
        place = self.folder() / "wheels" / key(lock, python, platform)
        for folder in (self.folder(), place.parent):
            _private(folder)
        if not _complete(place, lock):
            shutil.rmtree(place, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as draft:
                self._download(Path(draft), lock, python, platform)
                self._keep(Path(draft) / "wheels", place)
            if not _complete(place, lock):
                doing = _("Checking the bot's Python packages in {folder}.", folder=place)
                raise _refused(doing, _("they are not those of the lock"))
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
            *(self.python, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:"),
            *(word for tag in MANYLINUX for word in ("--platform", f"{tag}_{machine}")),
            *("--python-version", python, "--implementation", "cp"),
            *("--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"),
            *("--dest", str(folder / "wheels"), "-r", str(folder / "requirements.txt")),
        ]
        doing = _("Fetching the bot's Python packages for {platform} with pip.", platform=platform)
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=BOUND,
                env=environment(os.environ),
            )
        except subprocess.TimeoutExpired:
            raise _refused(doing, _("no end after {seconds} s", seconds=BOUND)) from None
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise _refused(doing, " ".join(said or done.stderr.splitlines()[-1:]))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return what pip is given of this process's environment, which also holds secrets."""
    return {name: value for name, value in given.items() if PASSED.fullmatch(name)}


def _private(folder: Path) -> None:
    """Make a folder that only this user enters."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)


def _complete(place: Path, lock: bytes) -> bool:
    """Return whether a folder has one wheel for each package of the lock, by hash, and nothing else."""
    paths = list(place.glob("*"))
    if not all(path.is_file() and path.suffix == ".whl" for path in paths):
        return False
    found = {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    wanted = _hashes(lock)
    return bool(found) and found <= set().union(*wanted) and all(found & each for each in wanted)


def _hashes(lock: bytes) -> list[set[str]]:
    """Return each package's hashes. pip's requirements file format: a line goes on behind a backslash."""
    lines = lock.decode().replace("\\\n", " ").splitlines()
    packages = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    return [set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)) for line in packages]


def key(lock: bytes, python: str, platform: str) -> str:
    """The name under which the wheels of a lock are kept."""
    of = b"\n".join((lock, python.encode(), platform.encode()))
    return hashlib.sha256(of).hexdigest()[:32]


def _refused(doing: str, why: str) -> ProvisionError:
    return ProvisionError(
        doing,
        why,
        _(
            "Look whether this machine reaches its package index (`python -m pip config list`), then run "
            "the same command again; or bring an image of your own: --set image.uri=..."
        ),
    )
