"""List prices, known and reckoned."""

import pytest

from provision.pricing import Prices, prices


def test_prices_of_a_region_that_is_listed_are_exact() -> None:
    """Tokyo's load balancer, from AWS's own list."""
    assert (0.0243, True) == (
        prices("ap-northeast-1").load_balancer_hour,
        prices("ap-northeast-1").exact,
    )
    assert (0.0225, True) == (prices("us-east-1").load_balancer_hour, prices("us-east-1").exact)


def test_prices_of_another_region_are_tokyos_and_said_to_be() -> None:
    """Reckoned, not known."""
    assert prices("eu-west-1") == Prices(exact=False)
    assert prices("ap-northeast-1").exact


def test_a_tasks_hour() -> None:
    """A quarter vCPU, 2 GB, a public address; Spot's share is of the compute only."""
    compute = 0.25 * 0.05056 + 2 * 0.00553
    assert compute + 0.005 == pytest.approx(Prices().task_hour(256, 2048, "on-demand"))
    assert compute * 0.3 + 0.005 == pytest.approx(Prices().task_hour(256, 2048, "spot"))
