"""The documentation: a page in each language, and a site without broken links."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("index", "page", "by-hand")


def test_each_page_has_both_languages() -> None:
    """With the same headings' levels, the same commands, and as many rows in tables."""
    for page in PAGES:
        english, japanese = (
            (ROOT / "docs" / f"{page}{suffix}.md").read_text(encoding="utf-8").splitlines()
            for suffix in ("", ".ja")
        )
        for marks in ("#", "|"):
            counts = [sum(line.startswith(marks) for line in text) for text in (english, japanese)]
            assert counts[0] == counts[1], (page, marks)
        commands = [
            [line.partition(" #")[0].rstrip() for line in text if line.startswith("$ ")]
            for text in (english, japanese)
        ]
        assert commands[0] == commands[1], page


@pytest.mark.full
def test_site(tmp_path: Path) -> None:
    """It builds without a warning, in both languages."""
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400)
    assert 0 == done.returncode, done.stderr
    for page, heading in (
        ("by-hand", "You built it by hand"),
        ("ja/by-hand", "手作業で作った方へ"),
    ):
        assert f"{heading}</h1>" in (tmp_path / page / "index.html").read_text(encoding="utf-8")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis.com" not in text
