"""`make pictures`: pictures for the documentation, of stacks that are set up for them in a sandbox.

The sandbox's page in Chromium, and what a terminal shows while the wizard runs.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from pyte.screens import Screen

from tests.browser.chromium import chromium, page_of
from tests.browser.terminal_picture import svg
from tests.provision.shell import ROOT, Person, request_json, running_sandbox, send
from tests.provision.terminal import ENTER, Terminal

# Suffix of the file's name, locale, and what is written to the bot.
LANGUAGES = (("", "en_US.UTF-8", "latest"), (".ja", "ja_JP.UTF-8", "最新"))
DOMAIN = "news-bot.example"  # the one that is filled in at the sandbox

# In each language: words that the wizard shows, the caption of the picture of that moment if there is one,
# and the key that is pressed.
WIZARD = {
    "": (
        ("Which domain should", "", ENTER),
        ("Which host name should", "", ENTER),
        ("When should the bot run", "A question: each answer shows its cost", ENTER),
        ("Keep the defaults", "", ENTER),
        ("Which network should", "", ENTER),
        ("channel access token (", "", ENTER),
        ("channel secret (", "", ENTER),
        ("Build this?", "Before anything is created: the plan and its cost", ENTER),
        ("Should provision enter", "", "n"),
        ("✓  News", "The wait for the registrar, with the name servers to enter there", ""),
        ("Write something to", "", ""),
        ("It works", "The end: the bot has answered", ""),
    ),
    ".ja": (
        ("ボットに使うドメイン名", "", ENTER),
        ("LINEがアクセスするホスト名", "", ENTER),
        ("ボットを動かす時間帯", "質問: 選択肢ごとに料金が表示されます", ENTER),
        ("ほかはすべて既定値", "", ENTER),
        ("どのネットワークに", "", ENTER),
        ("チャネルアクセストークン（", "", ENTER),
        ("チャネルシークレット（", "", ENTER),
        ("この内容で作りますか", "作成前の確認: 計画と料金", ENTER),
        ("サンドボックスのレジストラ", "", "n"),
        ("✓  ニュース", "レジストラの反映待ち: 登録するネームサーバー", ""),
        ("ボットに何か", "", ""),
        ("LINEからAWSまで", "完了: ボットが返信しました", ""),
    ),
}


@contextmanager
def sandbox(locale: str, speed: int) -> Iterator[tuple[dict[str, str], Person]]:
    """Run a sandbox; yield its addresses, and a user in an empty folder."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder) / "runtime", speed=speed, LANG=locale) as (addresses, environ),
    ):
        yield addresses, Person(Path(folder), environ)


def page(folder: Path, suffix: str, locale: str, words: str) -> None:
    """Build a stack, write to the bot, and take the picture of the sandbox's page."""
    with sandbox(locale, 100) as (addresses, person), chromium() as browser:
        assert 0 == person.types("--sandbox", "setup", "--yes").returncode
        with page_of(browser, addresses["page"]) as shown:
            shown.locator("details.step").nth(9).wait_for()
            shown.locator("#talk .row.bot").wait_for()
            pictures = shown.locator("#talk .bubble img")
            while not pictures.count():  # until the bot has read the collected news
                shown.locator("#words").fill(words)
                shown.locator("#words").press("Enter")
                shown.locator("#talk .bubble").last.wait_for()
                shown.wait_for_timeout(1000)
            shown.locator(".step summary").nth(5).click()
            shown.wait_for_timeout(1000)
            shown.screenshot(path=folder / f"page{suffix}.png")


def wizard(folder: Path, suffix: str, locale: str, words: str) -> None:
    """Run setup at a terminal, press Enter at its questions, and draw what it shows.

    Only the offer to enter the name servers is declined: they are entered at the registrar by hand.
    """
    screens: list[tuple[str, Screen]] = []
    with sandbox(locale, 20) as (addresses, person):
        terminal = Terminal(person, "--sandbox", "setup")
        for shown, caption, key in WIZARD[suffix]:
            if shown == WIZARD[suffix][-2][0]:
                enter_name_servers(addresses, person)
            elif shown == WIZARD[suffix][-1][0]:
                send(addresses, words)
            terminal.until(shown)
            screen = terminal.screen()
            if caption:
                screens.append((caption, screen))
            terminal.type(key)
        assert 0 == terminal.wait()
    for name, pair in (("questions", screens[:2]), ("build", screens[2:])):
        picture = svg("provision --sandbox setup", pair)
        picture = picture.replace(addresses["token"], "x" * len(addresses["token"]))
        (folder / f"{name}{suffix}.svg").write_text(picture, "utf-8")


def enter_name_servers(addresses: dict[str, str], person: Person) -> None:
    """Enter the hosted zone's name servers at the registrar, as the person does on its page."""
    zone = yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())["resources"]
    names = {"name_servers": zone[f"zone/{DOMAIN}"]["name_servers"]}
    request_json(addresses, f"{addresses['registrar']}/domains/{DOMAIN}", names, "PUT")


if __name__ == "__main__":
    os.environ["CHROMIUM_REQUIRED"] = "1"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    target.mkdir(exist_ok=True)
    for language in LANGUAGES:
        page(target, *language)
        wizard(target, *language)
