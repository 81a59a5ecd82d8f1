"""What setup would do, from what was seen."""

from typing import Any

import pytest

from provision.engine.inspector import Observation
from provision.engine.plan import Change, plan
from provision.errors import Pending, ProvisionError
from provision.pricing import Prices
from provision.resources.base import Live, Milestone, Polling, Resource, resource
from provision.state.records import Record

PRICES = Prices()
LIVE = {"Size": 1}


@resource
class Thing(Resource):
    """Costs ten a month, takes a hundred seconds, should be of size 1."""

    name: str
    need: Resource | None = None
    polling = Polling(expected=100)

    def desired(self) -> dict[str, Any]:
        """Its size."""
        return {"Size": 1}

    def costs(self, prices: Prices) -> float:
        """Ten a month."""
        return 10.004

    def may_adopt(self, live: Live) -> bool:
        """Where it says so."""
        return bool(live.get("Adoptable"))


@resource
class Event(Milestone):
    """Reached once what it looks at says so; takes thirty seconds."""

    need: Resource
    polling = Polling(expected=30)

    def pending(self, live: Live) -> Pending | None:
        """What it says."""
        return None if live.get("Reached") else Pending("not reached")


def thing(line: str, name: str = "a", need: Resource | None = None) -> Thing:
    """One, placed in a stack."""
    made = Thing(name, need)
    made.logical_id, made.stack = line, "bot"
    return made


def event(line: str, need: Resource) -> Event:
    """One, placed in a stack."""
    made = Event(need)
    made.logical_id, made.stack = line, "bot"
    return made


def inspected(
    made: Resource, state: Any = None, live: Live | None = None, ours: bool = False
) -> Observation:
    """What was seen of it, beside what is recorded."""
    record = Record(made.kind, state) if state else None
    observation = Observation(made, record, live, inspected=True, ours=ours)
    observation.compare()
    return observation


def planned(*observations: Observation, orphans: tuple[Resource, ...] = ()) -> Any:
    """The plan."""
    return plan(
        {observation.resource.key: observation for observation in observations},
        list(orphans),
        PRICES,
    )


@pytest.mark.parametrize(
    ("state", "live", "ours", "action", "usd", "seconds"),
    [
        (None, None, False, "create", 10.004, 100),
        ("creating", None, False, "create", 10.004, 100),
        ("created", None, False, "create", 10.004, 100),
        ("deleting", LIVE, False, "create", 10.004, 100),
        ("deleting", None, False, "create", 10.004, 100),
        ("creating", LIVE, True, "keep", 10.004, 0),
        (None, LIVE, True, "keep", 10.004, 0),
        ("created", LIVE, False, "keep", 10.004, 0),
        ("created", {"Size": 2}, False, "update", 10.004, 0),
        (None, {"Size": 2}, True, "update", 10.004, 0),
        ("adopted", LIVE, False, "keep", 0.0, 0),
        ("adopted", {"Size": 2}, False, "keep", 0.0, 0),
        (None, {"Adoptable": True}, False, "adopt", 0.0, 0),
    ],
)
def test_action(
    state: Any, live: Live | None, ours: bool, action: str, usd: float, seconds: int
) -> None:
    """For every verdict: what is done, what it costs a month more than before, how long it takes."""
    found = planned(inspected(thing("a"), state, live, ours))
    assert [action] == [step.action for step in found.steps]
    assert (usd, seconds) == (found.monthly_usd, found.seconds)
    assert [] == found.errors
    assert ([] if action == "keep" else found.steps) == found.changes


def test_differences_are_shown_also_where_they_are_not_cured() -> None:
    """What is ours is updated, what was adopted is only told."""
    for state in ("created", "adopted"):
        (step,) = planned(inspected(thing("a"), state, {"Size": 2})).steps
        assert [{"path": "Size", "have": 2, "want": 1}] == step.to_dict()["differences"]


def test_another_key_on_the_same_line_is_a_replacement() -> None:
    """Made beside the old one, which is deleted after the walk."""
    old, new, other = thing("a", "old"), thing("a", "new"), thing("b")
    found = planned(inspected(new), inspected(other), orphans=(old, thing("c", "gone")))
    assert [("a/new", "replace"), ("b/a", "create"), ("a/old", "delete"), ("c/gone", "delete")] == [
        (step.key, step.action) for step in found.steps
    ]
    assert 20.008 == pytest.approx(found.monthly_usd)


@pytest.mark.parametrize(
    ("state", "live", "said"),
    [(None, LIVE, "not this stack"), ("adopted", None, "is gone now")],
)
def test_what_stands_in_the_way(state: Any, live: Live | None, said: str) -> None:
    """Somebody else's of that name, and an adopted one that vanished."""
    (refusal,) = planned(inspected(thing("a"), state, live)).errors
    assert said in refusal.why


def test_a_look_that_was_refused() -> None:
    """The refusal of the look itself is told, once."""
    observation = inspected(thing("a"), "created")
    observation.error = ProvisionError("looking", "not allowed", "ask")
    assert [observation.error] == planned(observation).errors


def test_seconds_are_the_longest_chain() -> None:
    """Side by side costs nothing; one behind the other adds up; what stands takes no time."""
    first, stands = thing("first"), thing("stands")
    second = thing("second", need=first)
    waits, after = event("waits", second), thing("after", need=stands)
    third = thing("third", need=waits)
    found = planned(
        inspected(first),
        inspected(stands, "created", LIVE),
        inspected(second),
        inspected(waits),
        inspected(after),
        inspected(third),
    )
    assert 100 + 100 + 30 + 100 == found.seconds
    assert ["first/a", "stands/a", "second/a", "after/a", "third/a"] == [s.key for s in found.steps]


def test_milestone_that_is_reached_takes_no_time() -> None:
    """And is no step of a plan."""
    stands = thing("stands")
    reached = event("reached", stands)
    found = planned(inspected(stands, "created", LIVE), inspected(reached, live={"Reached": True}))
    assert (0, ["stands/a"]) == (found.seconds, [step.key for step in found.steps])


def test_shown_as_json_prints_it() -> None:
    """What `plan --json` prints; cents, not more."""
    assert {
        "resources": [
            {
                "key": "a/a",
                "kind": "Thing",
                "action": "create",
                "differences": [],
                "monthly_usd": 10.0,
            }
        ],
        "monthly_usd": 10.0,
        "seconds": 100,
    } == planned(inspected(thing("a"))).to_dict()
    assert Change("a", "Thing", "delete").to_dict()["monthly_usd"] == 0.0


def test_empty_plan() -> None:
    """Nothing there, nothing to do."""
    found = planned()
    assert ([], 0.0, 0) == (found.steps, found.monthly_usd, found.seconds)
