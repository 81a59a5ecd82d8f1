"""Download the bot's wheels with pip, and cache them for this user."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from provision.clients.http import permanent_error
from provision.errors import ProvisionError
from provision.i18n import _

# Platform tags that a slim Debian image supports (glibc 2.36 and later), newest first. pip matches exactly.
MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
# Variables that pip needs: paths, locale, pip's own settings, proxies and certificate authorities.
PIP_VARIABLES = re.compile(
    r"PATH|HOME|USERPROFILE|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LC_[A-Z]+|PIP_\w+|XDG_(CONFIG|CACHE)_HOME"
    r"|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE"
)
TIMEOUT = 600  # seconds for pip
SMALL_PACKAGE = "itsdangerous"  # one of the bot's, 16 KB


def cache_folder() -> Path:
    """Return this user's cache folder."""
    import platformdirs

    return platformdirs.user_cache_path("provision")


class PackageIndex:
    """Download wheels for another machine, and cache them.

    folder: returns the cache folder. python: the interpreter that runs pip.
    """

    def __init__(
        self, folder: Callable[[], Path] = cache_folder, python: str = sys.executable
    ) -> None:
        self.folder, self.python = folder, python

    def wheels(self, lock: bytes, python: str, platform: str) -> list[Path]:
        """Return every wheel of the lock for that Python ("3.12") and platform. Raise ProvisionError.

        Compare the hashes of cached wheels with the lock every time; download again if they differ. pip
        evaluates markers for this machine and matches tags exactly, so the lock must be complete: nothing is
        resolved or built.
        """
        cache = self.folder() / "wheels" / key(lock, python, platform)
        for folder in (self.folder(), cache.parent):
            _make_private(folder)
        if not _is_complete(cache, lock):
            shutil.rmtree(cache, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=cache.parent) as temporary:
                self._download(Path(temporary), lock, python, platform)
                try:
                    (Path(temporary) / "wheels").rename(cache)
                except OSError:
                    if not cache.is_dir():  # else another process created it
                        raise
            if not _is_complete(cache, lock):
                doing = _("Could not verify the bot's Python packages in {folder}.", folder=cache)
                raise _refused(doing, _("they do not match the lock file"))
        return sorted(cache.glob("*.whl"))

    def check(self) -> bool:
        """Return whether there are wheels in the cache; otherwise download a small package.

        Raise ProvisionError if pip is missing or cannot reach its index.
        """
        if any(self.folder().glob("wheels/*/*.whl")):
            return True
        with tempfile.TemporaryDirectory() as folder:
            words = ["download", "--quiet", "--no-input", "--no-deps", "--retries", "1"]
            self._run_pip(
                [*words, "--timeout", "10", "--dest", folder, SMALL_PACKAGE],
                _("Could not download from Python's package index."),
            )
        return False

    def _download(self, folder: Path, lock: bytes, python: str, platform: str) -> None:
        (folder / "requirements.txt").write_bytes(lock)
        machine = MACHINES[platform]
        command = [
            *("download", "--quiet", "--no-input"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:"),
            *(word for tag in MANYLINUX for word in ("--platform", f"{tag}_{machine}")),
            *("--python-version", python, "--implementation", "cp"),
            *("--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"),
            *("--dest", str(folder / "wheels"), "-r", str(folder / "requirements.txt")),
        ]
        doing = _(
            "Could not download the bot's Python packages for {platform} with pip.",
            platform=platform,
        )
        self._run_pip(command, doing)

    def _run_pip(self, words: list[str], doing: str) -> None:
        """Run pip. doing: for the error. Raise ProvisionError."""
        try:
            result = subprocess.run(
                [self.python, "-m", "pip", *words],
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                env=environment(os.environ),
            )
        except subprocess.TimeoutExpired:
            raise _refused(doing, _("timed out after {seconds} s", seconds=TIMEOUT)) from None
        if result.returncode:
            # pip names a proxy's refusal in a warning, when it retries.
            if permanent := permanent_error(doing, Exception(result.stderr)):
                raise permanent
            errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
            raise _refused(doing, " ".join(errors or result.stderr.splitlines()[-1:]))


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that pip needs, because the others may be secrets."""
    return {name: value for name, value in variables.items() if PIP_VARIABLES.fullmatch(name)}


def _make_private(folder: Path) -> None:
    """Create a folder that only this user can access."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)


def _is_complete(folder: Path, lock: bytes) -> bool:
    """Return whether a folder has exactly one wheel for each package of the lock, by hash."""
    paths = list(folder.glob("*"))
    if not all(path.is_file() and path.suffix == ".whl" for path in paths):
        return False
    actual = {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    packages = _hashes(lock)
    return (
        bool(actual)
        and actual <= set().union(*packages)
        and all(actual & hashes for hashes in packages)
    )


def _hashes(lock: bytes) -> list[set[str]]:
    """Return the hashes of each package in a requirements file; a backslash continues a line."""
    lines = lock.decode().replace("\\\n", " ").splitlines()
    packages = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    return [set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)) for line in packages]


def key(lock: bytes, python: str, platform: str) -> str:
    """Return the name of the cache folder for a lock, a Python and a platform."""
    content = b"\n".join((lock, python.encode(), platform.encode()))
    return hashlib.sha256(content).hexdigest()[:32]


def _refused(doing: str, why: str) -> ProvisionError:
    return ProvisionError(
        doing,
        why,
        _(
            "Check that this computer can reach its package index (`python -m pip config list`), "
            "then run the same command again, or use your own image: --set image.uri=..."
        ),
    )
