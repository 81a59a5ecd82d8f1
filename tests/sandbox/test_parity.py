"""The list of AWS's behaviours: each has a test, and the page in docs says just that."""

from provision.sandbox.aws.behaviours import BEHAVIOURS

from .parity import PAGE, holders, page


def test_every_behaviour_has_a_test_and_every_mark_a_behaviour() -> None:
    """A rule without a test is a claim; a mark without a rule is a misspelling."""
    assert sorted(BEHAVIOURS) == sorted(holders())


def test_page_is_what_the_rules_say() -> None:
    """docs/parity.md is as `make parity` writes it."""
    assert page() == PAGE.read_text()
