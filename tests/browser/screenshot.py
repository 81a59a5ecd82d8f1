"""`make pictures`: the pictures of the sandbox's page in the READMEs, of a stack that is set up for them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import chromium, page_of
from tests.provision.shell import PROVISION, ROOT, running_sandbox

# File, language, and what is written to the bot.
PICTURES = (("page.png", "en_US.UTF-8", "latest"), ("page.ja.png", "ja_JP.UTF-8", "最新"))


def take(picture: Path, locale: str, words: str) -> None:
    """Build a stack in a sandbox, write to the bot, and take the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder) / "runtime", speed=100, LANG=locale) as (addresses, environ),
        chromium() as browser,
    ):
        setup = [*PROVISION, "--sandbox", "setup", "--yes"]
        subprocess.run(setup, cwd=folder, env=environ, check=True, stderr=subprocess.DEVNULL)
        with page_of(browser, addresses["page"]) as page:
            page.locator("details.step").nth(9).wait_for()
            page.locator("#talk .row.bot").wait_for()
            pictures = page.locator("#talk .bubble img")
            while not pictures.count():  # until the bot has read the collected news
                page.locator("#words").fill(words)
                page.locator("#words").press("Enter")
                page.locator("#talk .bubble").last.wait_for()
                page.wait_for_timeout(1000)
            page.locator(".step summary").nth(5).click()
            page.wait_for_timeout(1000)
            page.screenshot(path=picture)


if __name__ == "__main__":
    os.environ["CHROMIUM_REQUIRED"] = "1"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    target.mkdir(exist_ok=True)
    for name, locale, words in PICTURES:
        take(target / name, locale, words)
