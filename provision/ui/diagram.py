"""Draw the stack as a picture, with the state of each part: as SVG, or as a Mermaid flowchart."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from provision.i18n import _
from provision.ui.text import columns

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 170, 56, 70, 44, 20  # pixels of a box and between boxes
COLOURS = {"ready": "#1a7f37", "waiting": "#9a6700", "absent": "#8c959f", "unknown": "#8250df"}


@dataclass(frozen=True)
class Part:
    """A box. names: the logical ids of its resources, none for what is not in AWS; place: column and row."""

    key: str
    title: str
    names: tuple[str, ...]
    place: tuple[int, int]


def parts() -> list[Part]:
    """Return the boxes."""
    return [
        Part("user", _("LINE user"), (), (0, 1)),
        Part("line", "LINE", ("webhook", "active_webhook"), (1, 1)),
        Part("registrar", _("Registrar"), ("delegation",), (0, 0)),
        Part("zone", "Route 53", ("zone", "alias", "validation_record"), (1, 0)),
        Part("certificate", "ACM", ("certificate", "issued_certificate"), (2, 0)),
        Part(
            "balancer",
            _("Load balancer"),
            ("load_balancer", "active_load_balancer", "target_group", "https"),
            (2, 1),
        ),
        Part(
            "bot",
            _("Bot (ECS)"),
            ("cluster", "task_definition", "service", "steady_service"),
            (3, 1),
        ),
        Part("image", _("Image (ECR)"), ("repository", "image"), (3, 0)),
        Part("secrets", "Parameter Store", ("access_token", "channel_secret"), (4, 0)),
        Part("logs", "CloudWatch Logs", ("log_group",), (4, 1)),
        Part(
            "schedules",
            "EventBridge Scheduler",
            ("schedule_group", "start_schedule", "stop_schedule", "collector_schedule"),
            (2, 2),
        ),
        Part(
            "collector", _("News collector"), ("collector_definition", "initial_collection"), (3, 2)
        ),
        Part("news", _("News (S3)"), ("news_bucket",), (4, 2)),
    ]


ARROWS = (
    ("user", "line"),
    ("line", "balancer"),
    ("balancer", "bot"),
    ("registrar", "zone"),
    ("zone", "balancer"),
    ("certificate", "balancer"),
    ("image", "bot"),
    ("secrets", "bot"),
    ("bot", "logs"),
    ("schedules", "bot"),
    ("schedules", "collector"),
    ("collector", "news"),
    ("news", "bot"),
)


def state_of(part: Part, document: Mapping[str, Any]) -> str:
    """Return the worst state of a box's resources in `status --json`; "" for none of the stack's."""
    entries = [e for e in document["resources"] if e["key"].partition("/")[0] in part.names]
    if not entries:
        return ""
    if any(entry["ready"] is None for entry in entries):
        return "unknown"
    if all(entry["ready"] for entry in entries):
        return "ready"
    return "waiting" if any(entry["live"] for entry in entries) else "absent"


def labels() -> dict[str, str]:
    """Return what each state is called."""
    return {
        "ready": _("ready"),
        "waiting": _("not ready"),
        "absent": _("not there"),
        "unknown": _("not known"),
        "": "",
    }


def mermaid(document: Mapping[str, Any]) -> str:
    """Return a Mermaid flowchart."""
    words, lines = labels(), ["flowchart LR"]
    for part in parts():
        state = state_of(part, document)
        text = part.title + (f"<br/>{words[state]}" if state else "")
        lines.append(f'    {part.key}["{text}"]' + (f":::{state}" if state else ""))
    lines += [f"    {start} --> {end}" for start, end in ARROWS]
    lines += [f"    classDef {state} stroke:{colour}" for state, colour in COLOURS.items()]
    return "\n".join(lines)


def svg(document: Mapping[str, Any]) -> str:
    """Return an SVG picture, which needs no font or style of its own."""
    words, boxes = labels(), {part.key: part for part in parts()}
    width = MARGIN * 2 + 5 * WIDTH + 4 * GAP_X
    height = MARGIN * 2 + 3 * HEIGHT + 2 * GAP_Y
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="14" role="img">',
        f"<title>{escape(document['url'])}</title>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for start, end in ARROWS:
        (x1, y1), (x2, y2) = _ends(boxes[start].place, boxes[end].place)
        lines.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#57606a" marker-end="url(#tip)"/>'
        )
    for part in boxes.values():
        state = state_of(part, document)
        (x, y), colour = _corner(part.place), COLOURS.get(state, "#57606a")
        middle, size = x + WIDTH // 2, 14 if columns(part.title) <= 20 else 12
        lines += [
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#f6f8fa" '
            f'stroke="{colour}" stroke-width="2"/>',
            f'<text x="{middle}" y="{y + (24 if state else 33)}" text-anchor="middle" '
            f'font-size="{size}" fill="#1f2328">{escape(part.title)}</text>',
        ]
        if state:
            lines.append(
                f'<text x="{middle}" y="{y + 44}" text-anchor="middle" font-size="12" '
                f'fill="{colour}">{escape(words[state])}</text>'
            )
    return "\n".join([*lines, "</svg>"])


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    """Return the upper left corner of a box."""
    return MARGIN + place[0] * (WIDTH + GAP_X), MARGIN + place[1] * (HEIGHT + GAP_Y)


def _ends(start: tuple[int, int], end: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where an arrow begins and ends: at the sides that face each other."""
    (x1, y1), (x2, y2) = _corner(start), _corner(end)
    if start[0] == end[0]:  # one above the other
        down = start[1] < end[1]
        middle = x1 + WIDTH // 2
        return (middle, y1 + HEIGHT * down), (middle, y2 + HEIGHT * (not down))
    right = start[0] < end[0]
    return (
        (x1 + WIDTH * right, y1 + HEIGHT // 2),
        (x2 + WIDTH * (not right), y2 + HEIGHT // 2),
    )
