"""List prices, and estimates."""

import pytest

from provision.pricing import Prices, prices


def test_listed_region_has_exact_prices() -> None:
    """The load balancer's prices are from AWS's own list."""
    assert (0.0243, True) == (
        prices("ap-northeast-1").load_balancer_hour,
        prices("ap-northeast-1").exact,
    )
    assert (0.0225, True) == (prices("us-east-1").load_balancer_hour, prices("us-east-1").exact)


def test_other_region_has_tokyos_prices_as_estimates() -> None:
    """They are marked as not exact."""
    assert prices("eu-west-1") == Prices(exact=False)
    assert prices("ap-northeast-1").exact


def test_task_hour() -> None:
    """A quarter vCPU, 2 GB, a public address; Spot's discount is on the compute only."""
    compute = 0.25 * 0.05056 + 2 * 0.00553
    assert compute + 0.005 == pytest.approx(Prices().task_hour(256, 2048, "on-demand"))
    assert compute * 0.3 + 0.005 == pytest.approx(Prices().task_hour(256, 2048, "spot"))
