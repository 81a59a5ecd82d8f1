"""A Chromium for the tests: Debian's or another of this machine's, found by its name."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a headless browser with an empty profile; skip where there is none.

    With CHROMIUM_REQUIRED set, as in CI, the test fails instead.
    """
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        reason = "no Chromium on this machine: apt-get install chromium"
        if os.environ.get("CHROMIUM_REQUIRED"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser: Any, address: str, width: int = 1280, **context: Any) -> Iterator[Any]:
    """Yield a page with nothing in its storage; what it logs as an error fails the test."""
    viewport = {"width": width, "height": 800}
    opened = browser.new_context(viewport=viewport, **context)
    errors: list[str] = []
    try:
        page = opened.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.locator("#tab-stack").wait_for(state="attached")
        yield page
    finally:
        opened.close()
    assert [] == errors


def serious_problems(page: Any) -> list[str]:
    """Return what axe-core finds, as far as it calls it serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]
