"""Elastic Load Balancing: rules, their priorities, conditions and actions."""

from typing import Any

import pytest

from tests.sandbox.aws.elbv2.test_listeners import REDIRECT
from tests.sandbox.conftest import Account

HERE = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}


class Rules:
    """A listener that forwards, and rules created on it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.elbv2 = account.client("elbv2")
        group = account.target_group()
        self.forward = {"Type": "forward", "TargetGroupArn": group}
        balancer = account.load_balancer()["LoadBalancerArn"]
        self.listener = account.listener(balancer, group)

    def create(self, priority: int = 1, path: str = "/warm", **more: Any) -> str:
        given = {
            "Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [self.forward],
        } | more
        answer = self.elbv2.create_rule(ListenerArn=self.listener, Priority=priority, **given)
        return str(answer["Rules"][0]["RuleArn"])

    def refusal(self, **given: Any) -> tuple[str, int, str]:
        return self.account.refusal(self.create, **given)

    def shown(self) -> dict[str, str]:
        """Return priorities by ARN."""
        found = self.elbv2.describe_rules(ListenerArn=self.listener)["Rules"]
        return {rule["RuleArn"]: rule["Priority"] for rule in found}


@pytest.fixture
def rules(account: Account) -> Rules:
    return Rules(account)


@pytest.mark.behaviour("elbv2.priority-in-use")
def test_priority_in_use(rules: Rules) -> None:
    """Priorities are unique."""
    rules.create(7)
    expected = "Priority '7' is currently in use"
    assert ("PriorityInUse", 400, expected) == rules.refusal(priority=7, path="/other")


@pytest.mark.behaviour("elbv2.default-rule-stays")
def test_default_rule_stays(rules: Rules) -> None:
    """It is deleted with its listener only."""
    (default,) = rules.shown()
    refused = rules.account.refusal(rules.elbv2.delete_rule, RuleArn=default)
    expected = f"Default rule '{default}' cannot be deleted"
    assert ("OperationNotPermitted", 400, expected) == refused


@pytest.mark.behaviour("elbv2.rule-without-condition")
def test_rule_without_condition(rules: Rules) -> None:
    """Only the default rule has no condition."""
    refused = rules.refusal(Conditions=[])
    assert ("ValidationError", 400, "A condition must be specified") == refused


@pytest.mark.behaviour("elbv2.condition-values")
def test_five_condition_values(rules: Rules) -> None:
    """Five over all conditions are accepted, six are not."""
    paths = {
        "Field": "path-pattern",
        "PathPatternConfig": {"Values": [f"/{number}" for number in range(5)]},
    }
    host = {"Field": "host-header", "Values": ["example.jp"]}
    refused = rules.refusal(Conditions=[paths, host])
    assert ("ValidationError", 400, "A rule can only have '5' condition values") == refused
    rules.create(Conditions=[paths])


@pytest.mark.behaviour("elbv2.condition-alphabet")
@pytest.mark.parametrize(
    ("field", "value"),
    [("path-pattern", "/ニュース"), ("path-pattern", "/a b"), ("host-header", "my bot.example.jp")],
)
def test_conditions_have_an_alphabet(rules: Rules, field: str, value: str) -> None:
    """Host names and path patterns contain no spaces or Japanese."""
    refused = rules.refusal(Conditions=[{"Field": field, "Values": [value]}])
    assert ("ValidationError", 400) == refused[:2]
    rules.create(path="/callback/*?_-.$/~")


@pytest.mark.behaviour("elbv2.one-routing-action")
def test_one_routing_action(rules: Rules) -> None:
    """None or two are rejected; so is a listener without any."""
    for actions in ([rules.forward, REDIRECT], [rules.forward, rules.forward]):
        refused = rules.refusal(Actions=actions)
        assert ("ValidationError", 400) == refused[:2]
        assert refused[2].startswith("You must specify exactly one of the following actions:")
    balancer = rules.listener.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    refused = rules.account.refusal(
        rules.elbv2.create_listener,
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=81,
        DefaultActions=[],
    )
    assert "ValidationError" == refused[0]


@pytest.mark.behaviour("elbv2.redirect-loop")
def test_redirect_to_the_same_place(rules: Rules) -> None:
    """Something in the URL has to change."""
    refused = rules.refusal(Actions=[HERE])
    expected = "The redirect configuration is not valid because it creates a loop."
    assert ("InvalidLoadBalancerAction", 400, expected) == refused
    rules.create(Actions=[REDIRECT])
