"""Checks of Flex containers and actions.

Source: Messaging API reference, "Flex Message" (bubble 30 KB, carousel 12 bubbles and 50 KB) and
"Action objects" (label 40 in Flex, text and data 300, URI 1,000 and its four schemes).
"""

import json
from typing import Any
from urllib.parse import urlsplit

BUBBLES, BUBBLE_BYTES, CAROUSEL_BYTES = 12, 30_000, 50_000
BLOCKS = ("header", "hero", "body", "footer")
COMPONENTS = ("box", "button", "image", "icon", "separator", "filler", "text", "span", "video")
LAYOUTS = ("horizontal", "vertical", "baseline")
SCHEMES = ("http", "https", "line", "tel")
# The required properties of each type of action, with their maximum lengths.
ACTIONS: dict[str, dict[str, int]] = {
    "message": {"text": 300},
    "uri": {"uri": 1000},
    "postback": {"data": 300},
    "datetimepicker": {"data": 300, "mode": 20},
    "clipboard": {"clipboardText": 1000},
    "camera": {},
    "cameraRoll": {},
    "location": {},
    "richmenuswitch": {"richMenuAliasId": 32, "data": 300},
}


class Findings:
    """Collects problems as the `details` of LINE's error."""

    def __init__(self) -> None:
        self.details: list[dict[str, str]] = []

    def add(self, path: str, message: str) -> None:
        """Add a problem with the property at this path."""
        self.details.append({"message": message, "property": path})

    def present(self, owner: dict[str, Any], name: str, path: str) -> None:
        """Require the property."""
        if owner.get(name) is None:
            self.add(f"{path}.{name}", "May not be empty")

    def text(self, owner: dict[str, Any], name: str, path: str, limit: int) -> None:
        """Require a string of 1 to `limit` UTF-16 code units."""
        value = owner.get(name)
        if not isinstance(value, str) or not value:
            self.add(f"{path}.{name}", "May not be empty")
        elif len(value.encode("utf-16-le", "surrogatepass")) // 2 > limit:
            self.add(f"{path}.{name}", f"Length must be between 0 and {limit}")

    def one_of(self, value: object, choices: tuple[str, ...], path: str) -> bool:
        """Require one of the choices."""
        if value in choices:
            return True
        self.add(path, f"Must be one of the following values: [{', '.join(choices)}]")
        return False


def check_flex(container: Any, path: str, findings: Findings) -> None:
    """Check a Flex container: a bubble or a carousel."""
    kind = container.get("type") if isinstance(container, dict) else None
    if not findings.one_of(kind, ("bubble", "carousel"), f"{path}.type"):
        return
    if kind == "bubble":
        _check_bubble(container, path, findings)
        return
    bubbles = container.get("contents")
    if not isinstance(bubbles, list) or not 1 <= len(bubbles) <= BUBBLES:
        findings.add(f"{path}.contents", f"Size must be between 1 and {BUBBLES}")
        return
    if _bytes(container) > CAROUSEL_BYTES:
        findings.add(path, f"Must be at most {CAROUSEL_BYTES} bytes")
    for index, bubble in enumerate(bubbles):
        _check_bubble(bubble, f"{path}.contents[{index}]", findings)


def _check_bubble(bubble: Any, path: str, findings: Findings) -> None:
    kind = bubble.get("type") if isinstance(bubble, dict) else None
    if not findings.one_of(kind, ("bubble",), f"{path}.type"):
        return
    if _bytes(bubble) > BUBBLE_BYTES:
        findings.add(path, f"Must be at most {BUBBLE_BYTES} bytes")
    if not any(bubble.get(block) for block in BLOCKS):
        findings.add(path, "At least one block must be specified")
    for block in BLOCKS:
        if bubble.get(block) is not None:
            _check_component(bubble[block], f"{path}.{block}", findings)


def _check_component(component: Any, path: str, findings: Findings) -> None:
    kind = component.get("type") if isinstance(component, dict) else None
    if not findings.one_of(kind, COMPONENTS, f"{path}.type"):
        return
    if kind == "box":
        findings.one_of(component.get("layout"), LAYOUTS, f"{path}.layout")
        if not isinstance(component.get("contents"), list):
            findings.add(f"{path}.contents", "May not be empty")
            return
        for index, child in enumerate(component["contents"]):
            _check_component(child, f"{path}.contents[{index}]", findings)
    elif kind == "text" and not component.get("contents"):
        findings.text(component, "text", path, 5000)
    elif kind in ("image", "icon"):
        findings.text(component, "url", path, 2000)
        if not str(component.get("url")).startswith("https://"):
            findings.add(f"{path}.url", "Must be an HTTPS URL")
    if kind == "button" or component.get("action") is not None:
        check_action(component.get("action"), f"{path}.action", findings, label_limit=40)


def check_action(action: Any, path: str, findings: Findings, *, label_limit: int) -> None:
    """Check an action and its label."""
    kind = action.get("type") if isinstance(action, dict) else None
    if not findings.one_of(kind, tuple(ACTIONS), f"{path}.type"):
        return
    findings.text(action, "label", path, label_limit)
    for name, limit in ACTIONS[str(kind)].items():
        findings.text(action, name, path, limit)
    address = action.get("uri")
    if kind == "uri" and isinstance(address, str) and not _is_uri(address):
        findings.add(f"{path}.uri", "Invalid action URI")


def _is_uri(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    web = parts.scheme in ("http", "https")
    return plain and parts.scheme in SCHEMES and (bool(parts.hostname) or not web)


def _bytes(value: object) -> int:
    """Return the size of the value as compact JSON, in bytes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "replace"))
