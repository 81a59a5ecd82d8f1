"""A wheel of this project, installed as a person installs it, in an environment of its own."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.provision.shell import ROOT, TIMEOUT, environment


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without this checkout in its path; return its stdout."""
    environ = environment(cwd)
    del environ["PYTHONPATH"]
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of what git has, or would have."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT)
    for name in listed.split():
        if name.startswith(("provision/", "bot/")) or name in ("setup.py", "pyproject.toml"):
            copy = folder / "source" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps"]
    subprocess.run([*pip, "-w", str(folder), str(folder / "source")], check=True, timeout=TIMEOUT)
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.slow(seconds=60)
def test_everything_is_in_the_wheel(wheel: Path) -> None:
    """Not only the code: translations, the page, the bot's Dockerfile, samples and requirements."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    listed = run("git", "ls-files", "-co", "--exclude-standard", "provision", "bot", cwd=ROOT)
    sources = {"messages.po"}  # of which the .mo is compiled
    wanted = {name for name in listed.split() if Path(name).name not in sources}
    assert set() == wanted - packed
    assert {
        "provision/i18n/ja.yaml",
        "provision/i18n/ja/LC_MESSAGES/messages.mo",
        "provision/console/files/console.html",
        "provision/console/files/console.js",
        "bot/Dockerfile",
        "bot/requirements.txt",
        "bot/samples/articles.json",
    } <= packed


@pytest.mark.full
def test_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    """In a new virtual environment, away from the checkout: help in both languages, and the demo."""
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    install = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]
    subprocess.run([*install, f"{wheel}[sandbox]"], check=True, timeout=TIMEOUT)
    provision = tmp_path / "venv/bin/provision"
    assert "Remove it:           provision teardown\n" in run(provision, cwd=tmp_path)
    assert "provision setup" in run(provision, "setup", "--help", cwd=tmp_path)
    help_in_japanese = run(provision, "--lang", "ja", "--help", cwd=tmp_path)
    assert "片付け:" in help_in_japanese
    demo = run(python, "-m", "provision.sandbox.demo", cwd=tmp_path)
    assert "left: 0" in demo
