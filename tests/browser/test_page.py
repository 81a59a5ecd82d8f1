"""The sandbox's page and `provision console` in a browser."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import chromium, page_of, serious_problems
from tests.provision.shell import PROVISION, TIMEOUT, control, request_json, running_sandbox, send

pytestmark = pytest.mark.slow(seconds=45)
VIEWS = ("stack", "registrar", "line", "calls", "webhooks", "faults")
JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")


def write(page: Any, text: str) -> None:
    """Write a message and send it with Enter."""
    page.locator("#words").fill(text)
    page.locator("#words").press("Enter")


def last(page: Any, who: str) -> Any:
    """Return the last speech bubble of `me` or the `bot`."""
    return page.locator(f"#talk .row.{who} .say").last


def overflow(page: Any) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def registrar(page: Any, addresses: dict[str, str]) -> None:
    """Four fields; four names pasted into the first are distributed; fewer are not accepted."""
    servers = [f"ns-{number}.example.net" for number in range(1, 5)]
    page.locator("#tab-registrar").click()
    page.locator("#domain").fill("form.example")
    page.locator("#ns1").fill(servers[0])
    page.locator("#view-registrar .main").click()
    page.get_by_text("Fill in all four.").wait_for()
    page.locator("#ns1").evaluate(
        """(field, text) => { const data = new DataTransfer(); data.setData("text", text);
        field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, cancelable: true})); }""",
        "\n".join(servers),
    )
    page.locator("#view-registrar .main").click()
    page.get_by_text(f"Name servers now: {', '.join(servers)}").wait_for()
    entered = request_json(addresses, f"{addresses['registrar']}/domains/form.example")
    assert servers == entered["name_servers"]


def wait_for_news(addresses: dict[str, str]) -> None:
    """Wait until the bot has read the collected news; until then it answers with samples."""
    for _attempt in range(100):
        if "news.example" in json.dumps(send(addresses, "latest")["reply"]):
            return
        signal.sigtimedwait([], 0.5)
    pytest.fail("the bot never read the news")


def chat(page: Any) -> None:
    """Greeting, text, carousel with pictures, quick reply, sticker, group; all of it survives a reload."""
    page.get_by_text("You added the bot as a friend.").wait_for()
    page.locator("#talk .row.bot .say", has_text="Hello!").wait_for()
    write(page, "latest")
    assert "latest" == last(page, "me").text_content()
    page.locator("#talk .bubble").nth(7).wait_for()
    assert 8 == page.locator("#talk .bubble").count()
    picture = page.locator("#talk .bubble img").first
    assert 600 == picture.evaluate(
        "async image => { await image.decode(); return image.naturalWidth; }"
    )
    read = page.locator("#talk .bubble a").first
    with page.context.expect_page() as opened:
        read.click()
    opened.value.get_by_role("heading", level=1).wait_for()
    assert "/news/" in opened.value.url
    opened.value.close()
    page.locator("#quick button", has_text="More").click()
    page.locator("#talk .flex").nth(1).wait_for()
    assert 10 == page.locator("#talk .bubble").count()

    page.locator("#open-stickers").click()
    page.get_by_role("button", name="Sticker with a heart").click()
    page.locator("#talk .row.me svg.sticker").wait_for()
    page.locator("#talk .row.bot .say", has_text="sticker").wait_for()
    page.locator("#words").fill("one\ntwo")
    page.locator("#words").press("Enter")
    page.locator("#talk .row.me .say", has_text="two").wait_for()
    assert "one\ntwo" == last(page, "me").text_content()
    page.locator("#talk .bubble").nth(17).wait_for()
    page.get_by_role("button", name="Block").click()
    page.get_by_text("You blocked the bot.").wait_for()

    page.reload()
    page.locator("#talk .row.me svg.sticker").wait_for()
    assert 18 == page.locator("#talk .bubble").count()
    assert 1 == page.get_by_text("You added the bot as a friend.").count()

    page.locator("#which").select_option(label="A group")
    page.get_by_role("button", name="Invite the bot").click()
    page.get_by_text("You invited the bot to the group.").wait_for()
    page.locator("#talk .row.bot .say", has_text="Hello!").wait_for()
    write(page, "help")
    page.locator("#talk .row.me .say", has_text="@News help").wait_for()
    page.locator("#talk .row.bot .say", has_text="latest").nth(1).wait_for()
    page.locator("#mention").uncheck()
    write(page, "help")
    page.get_by_text("The bot got it and said nothing.").wait_for()


def stack(page: Any) -> None:
    """Each step with its state; a step opens, also by keyboard, and shows its resources by name."""
    page.locator("#tab-stack").click()
    page.get_by_text("All is well.").wait_for()
    assert 10 == page.locator("details.step").count()
    step = page.locator("details.step", has=page.get_by_text("Load balancer", exact=True))
    assert "28.69 USD/month" == step.locator("summary .usd").text_content()
    step.locator("summary").focus()
    page.keyboard.press("Enter")
    step.get_by_text("HTTPS listener", exact=True).wait_for()
    assert "1 of 1 run" == page.locator("dd", has_text="1 of 1").text_content()


def settings_of_line(page: Any) -> None:
    """A switch takes effect: without "Use webhook" the bot hears nothing."""
    page.locator("#which").select_option(label="You and the bot")
    page.locator("#tab-line").click()
    page.get_by_label("Use webhook").uncheck()
    page.get_by_label("Greeting messages").check()
    page.get_by_role("button", name="Add as a friend").click()
    page.get_by_text('"Use webhook" is off, so the bot hears nothing.').wait_for()
    page.get_by_text("LINE sent this: greeting messages are on.").wait_for()
    page.get_by_label("Use webhook").check()
    page.get_by_label("Greeting messages").uncheck()


def traffic(page: Any) -> None:
    """Calls and webhooks, each with request and response; secrets are not among them."""
    page.locator("#tab-calls").click()
    call = page.locator("details.call", has_text="ssm PutParameter").first
    call.locator("summary").click()
    call.get_by_text('"Value": "***"').wait_for()
    call.get_by_role("heading", name="Response").wait_for()
    page.locator("#tab-webhooks").click()
    webhook = page.locator("#view-webhooks details.call", has_text="message").first
    webhook.locator("summary").click()
    webhook.get_by_text('"webhookEventId"').wait_for()


def real_time(page: Any, addresses: dict[str, str]) -> None:
    """The clock's speed is changed; in real time a slow machine does not fail health checks."""
    page.locator("#speed").select_option("1")
    page.wait_for_function("document.getElementById('speed').value === '1'")
    assert 1 == control(addresses, "clock")["speed"]


def faults(page: Any, addresses: dict[str, str]) -> None:
    """Each is switched on and off; a Spot interruption reaches the bot's task."""
    page.locator("#tab-faults").click()
    for name, is_on in (
        ("No Spot capacity", lambda: not control(addresses, "spot")["available"]),
        ("Slow DNS", lambda: control(addresses, "delays")["route53_sync"] == 600),
        ("Throttling", lambda: [f["kind"] for f in control(addresses, "faults")] == ["throttle"]),
        ("S3 is down", lambda: [f["service"] for f in control(addresses, "faults")] == ["s3"]),
        (
            "Broken feed",
            lambda: request_json(addresses, f"{addresses['line']}/_sandbox/feed/broken")["broken"],
        ),
    ):
        switch = page.get_by_role("switch", name=name)
        for wanted in (True, False):
            with page.expect_response(lambda response: response.request.method != "GET"):
                switch.click()
            assert wanted == is_on(), name
    page.get_by_role("button", name="Interrupt now").click()
    page.get_by_text("Tasks that got the notice: 1").wait_for()


def keyboard(page: Any) -> None:
    """The arrow keys go from tab to tab."""
    page.locator("#tab-stack").click()
    page.keyboard.press("ArrowRight")
    assert "tab-registrar" == page.evaluate("document.activeElement.id")
    assert page.locator("#view-registrar").is_visible()
    page.keyboard.press("End")
    assert page.locator("#view-faults").is_visible()
    page.keyboard.press("Home")
    assert page.locator("#view-stack").is_visible()


def accessible(page: Any, *views: str) -> None:
    """axe-core finds nothing serious in any view, and none is wider than the window."""
    for view in views:
        page.locator(f"#tab-{view}").click()
        page.locator(f"#view-{view}").wait_for()
        assert [] == serious_problems(page), view
        assert 0 == overflow(page), view


def test_page(tmp_path: Path) -> None:
    """A sandbox from its start to a fault: the page first, then a setup, then the bot."""
    with (
        running_sandbox(tmp_path / "runtime", speed=100) as (addresses, environ),
        chromium() as browser,
        page_of(browser, addresses["page"]) as page,
    ):
        page.get_by_text("No webhook URL is set yet").wait_for()
        page.get_by_text("There is no stack yet.").wait_for()
        command = [*PROVISION, "--sandbox", "setup", "--yes"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
        ) as setup:
            try:
                registrar(page, addresses)
                page.locator("#tab-stack").click()
                page.locator("details.step").first.wait_for()
            finally:
                _stdout, stderr = setup.communicate(timeout=TIMEOUT)
        assert 0 == setup.returncode, stderr
        wait_for_news(addresses)
        real_time(page, addresses)
        with page_of(browser, addresses["page"].replace("/#", "/?view=registrar#")) as form:
            form.locator("#view-registrar").wait_for()
            form.get_by_text("Name servers now: ns-").wait_for()
            assert "news-bot.example" == form.locator("#domain").input_value()
        chat(page)
        stack(page)
        settings_of_line(page)
        traffic(page)
        keyboard(page)
        accessible(page, *VIEWS)
        with page_of(browser, addresses["page"], width=390, color_scheme="dark") as narrow:
            narrow.locator("#talk .row.bot .say", has_text="Hello!").wait_for()
            write(narrow, "latest")
            narrow.locator("#talk .bubble").first.wait_for()
            background = narrow.evaluate("getComputedStyle(document.body).backgroundColor")
            assert "rgb(20, 23, 28)" == background
            accessible(narrow, "chat", *VIEWS)
        faults(page, addresses)
        console = subprocess.Popen(
            [*PROVISION, "--sandbox", "console", "--json"],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert console.stdout is not None
        try:
            address = json.loads(console.stdout.readline())["page"]
            with page_of(browser, address) as shown:
                shown.locator("details.step").nth(9).wait_for()
                assert 0 == shown.locator("#view-chat:visible, #clock:visible").count()
                assert [] == serious_problems(shown)
        finally:
            console.terminate()
            console.communicate(timeout=TIMEOUT)
        assert 0 == console.returncode


def test_japanese_page(tmp_path: Path) -> None:
    """In the tool's language, whatever the browser's; without the token it says what is missing."""
    with (
        running_sandbox(tmp_path / "runtime", speed=100, LANG="ja_JP.UTF-8") as (addresses, _),
        chromium() as browser,
        page_of(browser, addresses["page"], locale="en-US") as page,
    ):
        assert "ja" == page.locator("html").get_attribute("lang")
        tabs = page.locator("#tabs button").all_text_contents()
        assert [
            "トーク",
            "スタック",
            "レジストラ",
            "LINEの設定",
            "AWSの呼び出し",
            "Webhook",
            "障害",
        ] == tabs
        page.get_by_text("Webhook URLがまだ設定されていないため").wait_for()
        for view in VIEWS:
            page.locator(f"#tab-{view}").click()
            for text in page.locator(f"#view-{view} :is(p, label, h2, button)").all_text_contents():
                assert JAPANESE.search(text) or text in ("Webhook", "Webhook URL", ""), text
