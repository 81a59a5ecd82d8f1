"""Checks of message objects.

Source: Messaging API reference, "Message objects", "Action objects", "Common properties of
messages"; lengths are UTF-16 code units. LINE's OpenAPI description holds none of these limits.
"""

from typing import Any

from provision.sandbox.line.flex import Findings, check_action, check_flex

# The types of message with their required properties and maximum lengths (None: not a string).
KINDS: dict[str, dict[str, int | None]] = {
    "text": {"text": 5000},
    "textV2": {"text": 5000},
    "sticker": {"packageId": 100, "stickerId": 100},
    "image": {"originalContentUrl": 2000, "previewImageUrl": 2000},
    "video": {"originalContentUrl": 2000, "previewImageUrl": 2000},
    "audio": {"originalContentUrl": 2000, "duration": None},
    "location": {"title": 100, "address": 100, "latitude": None, "longitude": None},
    "imagemap": {"baseUrl": 2000, "altText": 1500, "baseSize": None, "actions": None},
    "template": {"altText": 1500, "template": None},
    "flex": {"altText": 1500, "contents": None},
}
MESSAGES, QUICK_REPLIES, QUICK_REPLY_LABEL = 5, 13, 20


def problems(messages: object) -> list[dict[str, str]]:
    """Return the problems of a request's messages as LINE's `details`."""
    findings = Findings()
    if not isinstance(messages, list) or not messages:
        findings.add("messages", "May not be empty")
    elif len(messages) > MESSAGES:
        findings.add("messages", f"Size must be between 1 and {MESSAGES}")
    else:
        for index, message in enumerate(messages):
            _check_message(message, f"messages[{index}]", findings)
    return findings.details


def _check_message(message: object, path: str, findings: Findings) -> None:
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(message, dict) or kind not in KINDS:
        findings.add(f"{path}.type", f"Must be one of the following values: [{', '.join(KINDS)}]")
        return
    for name, limit in KINDS[kind].items():
        if limit is None:
            findings.present(message, name, path)
        else:
            findings.text(message, name, path, limit)
    if kind == "flex" and message.get("contents") is not None:
        check_flex(message["contents"], f"{path}.contents", findings)
    if message.get("quickReply") is not None:
        _check_quick_reply(message["quickReply"], f"{path}.quickReply", findings)


def _check_quick_reply(quick_reply: Any, path: str, findings: Findings) -> None:
    items = quick_reply.get("items") if isinstance(quick_reply, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= QUICK_REPLIES:
        findings.add(f"{path}.items", f"Size must be between 1 and {QUICK_REPLIES}")
        return
    for index, item in enumerate(items):
        where = f"{path}.items[{index}]"
        if not isinstance(item, dict) or item.get("type", "action") != "action":
            findings.add(f"{where}.type", "Must be one of the following values: [action]")
            continue
        check_action(item.get("action"), f"{where}.action", findings, label_limit=QUICK_REPLY_LABEL)
