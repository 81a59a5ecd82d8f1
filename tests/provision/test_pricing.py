"""List prices, and estimates."""

import pytest

from provision.pricing import Prices, prices, yen
from provision.settings import Settings
from provision.wizard.questions import hours


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


def test_yen() -> None:
    """At 155 yen to the dollar; from ten yen on to the next ten."""
    assert ["0", "5", "80", "5,910", "155,000"] == [
        yen(usd) for usd in (0.001, 0.03, 0.5, 38.16, 1000)
    ]


def test_fixed_month() -> None:
    """Load balancer, one address a zone, and hosted zone: 730 hours."""
    assert (17.739 + 3 * 3.65 + 0.5) == pytest.approx(Prices().fixed_month(3))
    assert 730 * 12 * 3 * 0.0047 / 1000 == pytest.approx(Prices().log_files_month(3))
    us = prices("us-east-1")
    assert (730 * (0.0225 + 2 * 0.005) + 0.5) == pytest.approx(us.fixed_month(2))
    assert 0.25 * 0.04048 + 0.5 * 0.004445 + 0.005 == pytest.approx(us.task_hour(256, 512, "full"))


def test_hours_are_offered_with_the_plans_total() -> None:
    """The prices include the collection of the news and the load balancer's options, as in the plan."""
    answers = {"domain": "x.jp", "host": "bot.x.jp"}
    limited = {**answers, "load_balancer.rate_limit": "5000"}
    assert [
        "always: about 38.16 USD (5,910 yen) a month",
        "weekends 8:00 to 9:00 (Tokyo): 29.42 USD (4,560 yen)",
        "your own days and hours (two cron expressions)",
    ] == [text for _value, text in hours(Settings(answers))]
    assert "always: about 44.16 USD (6,840 yen) a month" == hours(Settings(limited))[0][1]
