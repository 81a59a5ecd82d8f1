"""The list of AWS behaviours: each has a test, and docs/parity.md is up to date."""

from provision.sandbox.aws.behaviours import BEHAVIOURS

from .parity import PAGE, holders, page


def test_every_behaviour_has_a_test_and_every_mark_a_behaviour() -> None:
    """Neither an untested behaviour nor a misspelt mark."""
    assert sorted(BEHAVIOURS) == sorted(holders())


def test_page_is_what_the_rules_say() -> None:
    """docs/parity.md is as `make parity` writes it."""
    assert page() == PAGE.read_text()
