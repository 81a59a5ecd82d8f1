"""The list of AWS's behaviours: each has a rule, a row in docs/parity.md, and a test."""

from provision.sandbox.aws import registry
from provision.sandbox.aws.behaviours import BEHAVIOURS

from .parity import PAGE, holders, page, rows

assert registry  # importing it registers every behaviour


def test_every_behaviour_has_a_row_and_a_test() -> None:
    """A rule without a test is a claim; a row or mark without a rule is a misspelling."""
    assert sorted(BEHAVIOURS) == sorted(rows()) == sorted(holders())


def test_page_names_the_tests() -> None:
    """docs/parity.md is as `make parity` writes it."""
    assert page() == PAGE.read_text()
