"""diagram and open: a picture that has every part and its state, and addresses that a browser opens."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from provision.stack import steps
from provision.ui.diagram import ARROWS, mermaid, parts, state_of, svg
from tests.provision.shell import Person

SVG = "{http://www.w3.org/2000/svg}"


def document(**states: tuple[bool | None, bool | None]) -> dict[str, Any]:
    """Return a document of `status --json`: by logical id, whether it is live and ready."""
    entries = [
        {"key": f"{name}/x", "live": live, "ready": ready} for name, (live, ready) in states.items()
    ]
    return {"url": "https://x.jp/webhook", "resources": entries}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (document(zone=(True, True), alias=(True, True)), "ready"),
        (document(zone=(True, True), alias=(False, False)), "waiting"),
        (document(zone=(False, False)), "absent"),
        (document(zone=(True, True), alias=(None, None)), "unknown"),
        (document(cluster=(True, True)), ""),
    ],
)
def test_worst_state_of_a_part(shown: dict[str, Any], expected: str) -> None:
    """One of its resources that is not ready, or not known, decides."""
    (zone,) = [part for part in parts() if part.key == "zone"]
    assert expected == state_of(zone, shown)


def test_parts_are_the_stacks() -> None:
    """Each logical id of a part exists, boxes do not overlap, and each arrow joins two parts."""
    known = {name for members in steps().values() for name in members}
    assert set() == {name for part in parts() for name in part.names} - known
    assert len({part.place for part in parts()}) == len(parts())
    assert {key for arrow in ARROWS for key in arrow} == {part.key for part in parts()}


def test_svg() -> None:
    """Well-formed, with a box and a title per part; what a name contains is escaped."""
    picture = ElementTree.fromstring(svg({**document(zone=(True, False)), "url": "https://a&b<c"}))
    assert "https://a&b<c" == picture.findtext(f"{SVG}title")
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert {part.title for part in parts()} | {"not ready"} == set(texts)


def test_mermaid() -> None:
    """A node per part with its state, and its colour."""
    lines = mermaid(document(zone=(True, True))).splitlines()
    assert "flowchart LR" == lines[0]
    assert '    zone["Route 53<br/>ready"]:::ready' in lines
    assert '    user["LINE user"]' in lines
    assert "    registrar --> zone" in lines


def test_commands(person: Person) -> None:
    """Before setup: a picture on stdout or in a file, and addresses for a browser, which is not opened."""
    sets = ("--set", "domain=x.example", "--set", "network.vpc=default")
    drawn = person.types("--sandbox", "diagram", "--mermaid", *sets)
    assert (0, "flowchart LR") == (drawn.returncode, drawn.stdout.splitlines()[0]), drawn.stderr
    written = person.types("--sandbox", "diagram", "-o", "stack.svg", *sets)
    assert (0, "", "stack.svg is written.\n") == (
        written.returncode,
        written.stdout,
        written.stderr,
    )
    assert (person.folder / "stack.svg").read_text().startswith("<svg ")
    missing = person.types("--sandbox", "diagram", "-o", "no/folder.svg", *sets)
    assert (1, True) == (missing.returncode, "Could not write no/folder.svg." in missing.stderr)
    chat = person.types("--sandbox", "open", *sets)
    assert (0, "http://127.0.0.1") == (chat.returncode, chat.stdout.rpartition(":")[0])
    aws = person.types("--sandbox", "open", "aws", *sets)
    assert (2, True) == (aws.returncode, "the sandbox has none" in aws.stderr)
