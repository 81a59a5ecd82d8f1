"""The plan: what setup would do, from an inspection."""

import io
from typing import Any

import pytest

from provision.cli.planning import confirm_cost
from provision.engine.inspector import Observation
from provision.engine.plan import Change, plan
from provision.errors import Pending, ProvisionError, UsageError
from provision.pricing import Prices
from provision.resources.base import Live, Milestone, Polling, Resource, resource
from provision.run import Options
from provision.state.records import Record
from provision.ui.reports import show_steps

PRICES = Prices()
LIVE = {"Size": 1}


@resource
class FakeResource(Resource):
    """A resource of 10 USD a month, a hundred seconds and desired size 1."""

    name: str
    need: Resource | None = None
    polling = Polling(expected=100)

    def desired(self) -> dict[str, Any]:
        """Return its size."""
        return {"Size": 1}

    def costs(self, prices: Prices) -> float:
        """Return ten."""
        return 10.004

    def may_adopt(self, live: Live) -> bool:
        """Return whether the live resource says so."""
        return bool(live.get("Adoptable"))


@resource
class FakeMilestone(Milestone):
    """A milestone of thirty seconds, reached if its live resource says so."""

    need: Resource
    polling = Polling(expected=30)

    def pending(self, live: Live) -> Pending | None:
        """Return what the live resource says."""
        return None if live.get("Reached") else Pending("not reached")


def fake_resource(line: str, name: str = "a", need: Resource | None = None) -> FakeResource:
    """Return a resource in a stack."""
    made = FakeResource(name, need)
    made.logical_id, made.stack = line, "bot"
    return made


def fake_milestone(line: str, need: Resource) -> FakeMilestone:
    """Return a milestone in a stack."""
    made = FakeMilestone(need)
    made.logical_id, made.stack = line, "bot"
    return made


def observed(
    made: Resource, state: Any = None, live: Live | None = None, ours: bool = False
) -> Observation:
    """Return an observation of a resource, with its recorded state."""
    record = Record(made.kind, state) if state else None
    observation = Observation(made, record, live, inspected=True, ours=ours)
    observation.compare()
    return observation


def make_plan(*observations: Observation, orphans: tuple[Resource, ...] = ()) -> Any:
    """Return the plan."""
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
    """For every verdict: the action, its monthly cost, and its duration."""
    found = make_plan(observed(fake_resource("a"), state, live, ours))
    assert [action] == [step.action for step in found.steps]
    assert (usd, seconds) == (found.monthly_usd, found.seconds)
    assert [] == found.errors
    assert ([] if action == "keep" else found.steps) == found.changes


def test_differences_are_shown_for_created_and_adopted() -> None:
    """Ours is updated, an adopted one only shown."""
    for state in ("created", "adopted"):
        (step,) = make_plan(observed(fake_resource("a"), state, {"Size": 2})).steps
        assert [{"path": "Size", "have": 2, "want": 1}] == step.to_dict()["differences"]


def test_changed_key_is_a_replacement() -> None:
    """The new one is created beside the old one, which is deleted at the end."""
    old, new, other = fake_resource("a", "old"), fake_resource("a", "new"), fake_resource("b")
    found = make_plan(observed(new), observed(other), orphans=(old, fake_resource("c", "gone")))
    assert [("a/new", "replace"), ("b/a", "create"), ("a/old", "delete"), ("c/gone", "delete")] == [
        (step.key, step.action) for step in found.steps
    ]
    assert 20.008 == pytest.approx(found.monthly_usd)


@pytest.mark.parametrize(
    ("state", "live", "reason"),
    [(None, LIVE, "not this stack"), ("adopted", None, "is gone now")],
)
def test_conflict_and_missing_adopted_resource_are_errors(
    state: Any, live: Live | None, reason: str
) -> None:
    """A foreign resource of that name, and an adopted one that is gone."""
    (refusal,) = make_plan(observed(fake_resource("a"), state, live)).errors
    assert reason in refusal.why


def test_inspection_error_is_in_the_plan() -> None:
    """It is reported once."""
    observation = observed(fake_resource("a"), "created")
    observation.error = ProvisionError("looking", "not allowed", "ask")
    assert [observation.error] == make_plan(observation).errors


def test_one_error_of_several_resources_is_in_the_plan_once() -> None:
    """Each of them has read image.files, and says the same about it."""
    observations = [observed(fake_resource(name), "created") for name in ("a", "b")]
    for observation in observations:
        observation.error = ProvisionError("reading", "a private key", "remove it")
    assert [observations[0].error] == make_plan(*observations).errors


def test_seconds_are_the_longest_chain() -> None:
    """Parallel steps take no additional time, dependent steps add up, existing resources take none."""
    first, existing = fake_resource("first"), fake_resource("existing")
    second = fake_resource("second", need=first)
    waits, after = fake_milestone("waits", second), fake_resource("after", need=existing)
    third = fake_resource("third", need=waits)
    found = make_plan(
        observed(first),
        observed(existing, "created", LIVE),
        observed(second),
        observed(waits),
        observed(after),
        observed(third),
    )
    assert 100 + 100 + 30 + 100 == found.seconds
    assert ["first/a", "existing/a", "second/a", "after/a", "third/a"] == [
        s.key for s in found.steps
    ]


def test_reached_milestone_takes_no_time() -> None:
    """It is not a step of the plan either."""
    existing = fake_resource("existing")
    reached = fake_milestone("reached", existing)
    found = make_plan(
        observed(existing, "created", LIVE), observed(reached, live={"Reached": True})
    )
    assert (0, ["existing/a"]) == (found.seconds, [step.key for step in found.steps])


def test_json_output() -> None:
    """The output of `plan --json`, rounded to cents."""
    assert {
        "resources": [
            {
                "key": "a/a",
                "kind": "FakeResource",
                "action": "create",
                "differences": [],
                "monthly_usd": 10.0,
            }
        ],
        "monthly_usd": 10.0,
        "seconds": 100,
    } == make_plan(observed(fake_resource("a"))).to_dict()
    assert Change("a", "FakeResource", "delete").to_dict()["monthly_usd"] == 0.0


def test_empty_plan() -> None:
    """Nothing to create, nothing to do."""
    found = make_plan()
    assert ([], 0.0, 0) == (found.steps, found.monthly_usd, found.seconds)


@pytest.mark.parametrize(
    ("action", "rise", "question"),
    [
        ("create", 0.0, "Create the resources listed above (about 5.00 USD, 780 yen, a month)?"),
        ("replace", 0.0, "Create the resources listed above (about 5.00 USD, 780 yen, a month)?"),
        (
            "create",
            1.0,
            "Change the resources listed above (about 6.00 USD, 930 yen, a month more)?",
        ),
        (
            "update",
            1.0,
            "Change the resources listed above (about 1.00 USD, 160 yen, a month more)?",
        ),
        ("", 1.0, "This costs about 1.00 USD (160 yen) a month more. Go on?"),
        ("", 0.01, "This costs about 0.01 USD (2 yen) a month more. Go on?"),
        ("update", 0.0, ""),
        ("keep", 0.0, ""),
        ("delete", 0.0, ""),
        ("", 0.009, ""),
    ],
)
def test_what_costs_money_is_asked(action: str, rise: float, question: str) -> None:
    """A question names the price of creations, replacements and dearer tasks, from a cent a month on."""
    steps = [Change("a", "Kind", action, monthly_usd=5.0)] if action else []
    if not question:
        confirm_cost(steps, Options(), rise)
        return
    confirm_cost(steps, Options(yes=True), rise)
    with pytest.raises(UsageError) as refused:
        confirm_cost(steps, Options(), rise)
    assert f"Could not ask: {question}" == refused.value.what


def test_deleted_resources_are_named_among_others() -> None:
    """A changed setting deletes few, which must not be overlooked; a teardown deletes nearly all."""
    keep = Change("channel_secret/CHANNEL_SECRET", "Parameter", "keep")
    delete = Change("access_token/ACCESS_TOKEN", "Parameter", "delete")
    shown = io.StringIO()
    show_steps([keep, delete], shown)
    assert [
        "  - Storage and secrets           keep 1, delete 1",
        "    - channel access token: delete",
    ] == shown.getvalue().splitlines()
    shown = io.StringIO()
    show_steps([delete], shown)
    assert ["  - Storage and secrets           delete 1"] == shown.getvalue().splitlines()
