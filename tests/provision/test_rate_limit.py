"""The limit of requests: a web ACL of AWS WAF in front of the load balancer."""

from typing import Any

import pytest

from provision.errors import ProvisionError
from provision.pricing import prices
from provision.resources.web_acl import WebAcl
from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env
from tests.provision.finished_stack import plan_and_status
from tests.provision.test_external_use import create_load_balancer, outputs
from tests.provision.test_other_clouds import refusal

RULE = {
    "Name": "rate-limit",
    "Priority": 0,
    "Statement": {
        "RateBasedStatement": {
            "Limit": 5000,
            "EvaluationWindowSec": 300,
            "AggregateKeyType": "IP",
        }
    },
    "Action": {"Block": {}},
    "VisibilityConfig": {
        "SampledRequestsEnabled": True,
        "CloudWatchMetricsEnabled": True,
        "MetricName": "rate-limit",
    },
}


def web_acl(env: Env) -> dict[str, Any]:
    """Return the load balancer's web ACL."""
    arn = outputs(env, "load_balancer")["arn"]
    return dict(env.aws_session.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"])


def setup_with_limit(env: Env) -> None:
    """Run setup with a limit."""
    env.set(load_balancer__rate_limit="5000")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def update(env: Env, **changes: Any) -> None:
    """Change the web ACL by hand."""
    wafv2, acl = env.aws_session.client("wafv2"), outputs(env, "web_acl")
    selector = {"Name": acl["acl_name"], "Scope": "REGIONAL", "Id": acl["id"]}
    answer = wafv2.get_web_acl(**selector)
    given = {key: answer["WebACL"][key] for key in ("DefaultAction", "Rules", "VisibilityConfig")}
    wafv2.update_web_acl(**selector, LockToken=answer["LockToken"], **{**given, **changes})


def test_web_acl_is_in_front(env: Env) -> None:
    """One rule that blocks; everything else is allowed; a second setup changes nothing."""
    setup_with_limit(env)
    found = web_acl(env)
    assert ("news-bot", {"Allow": {}}, [RULE]) == (
        found["Name"],
        found["DefaultAction"],
        found["Rules"],
    )
    env.changes()
    env.setup()
    assert [] == env.changes()


def test_changes_by_hand(env: Env) -> None:
    """The rule is shown and put right; a rule that somebody added stays."""
    setup_with_limit(env)
    limit = {"Limit": 10, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"}
    theirs = {**RULE, "Name": "theirs", "Priority": 1}
    changed = {**RULE, "Statement": {"RateBasedStatement": limit}, "Action": {"Count": {}}}
    update(env, Rules=[theirs, changed])
    rule = "Rules[?Name=='rate-limit'] | [0]"
    assert {
        ("web_acl", f"{rule}.Action"),
        ("web_acl", f"{rule}.Statement.RateBasedStatement.Limit"),
        ("web_acl", f"{rule}.Statement.RateBasedStatement.EvaluationWindowSec"),
    } == plan_and_status(env).differences
    env.setup()
    assert [RULE, theirs] == web_acl(env)["Rules"]


def test_association_removed_by_hand(env: Env) -> None:
    """It is made again."""
    setup_with_limit(env)
    arn = outputs(env, "load_balancer")["arn"]
    env.aws_session.client("wafv2").disassociate_web_acl(ResourceArn=arn)
    assert {"web_acl_association": "create"} == plan_and_status(env).actions
    env.setup()
    assert "news-bot" == web_acl(env)["Name"]


def test_web_acl_of_somebody_else(env: Env) -> None:
    """It is not replaced: AssociateWebACL would do so without a word."""
    env.setup()
    wafv2 = env.aws_session.client("wafv2")
    visibility = RULE["VisibilityConfig"]
    theirs = wafv2.create_web_acl(
        Name="theirs", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility
    )["Summary"]["ARN"]
    wafv2.associate_web_acl(WebACLArn=theirs, ResourceArn=outputs(env, "load_balancer")["arn"])
    env.set(load_balancer__rate_limit="5000")
    (error,) = env.setup().errors
    assert isinstance(error, ProvisionError)
    assert f"the load balancer has another web ACL: {theirs}" == error.why
    assert "theirs" == web_acl(env)["Name"]


def test_teardown(env: Env) -> None:
    """Nothing is left."""
    setup_with_limit(env)
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_web_acl_that_others_use(env: Env) -> None:
    """It is kept."""
    setup_with_limit(env)
    theirs = create_load_balancer(env)
    env.aws_session.client("wafv2").associate_web_acl(
        WebACLArn=outputs(env, "web_acl")["arn"], ResourceArn=theirs
    )
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert theirs in result.kept["web_acl/news-bot"]
    assert "web_acl_association/news-bot" in result.deleted


def test_pause_and_resume(env: Env) -> None:
    """A pause deletes the web ACL, which costs by the hour."""
    setup_with_limit(env)
    env.engine().pause()
    assert "web_acl/news-bot" not in StackFile(env.path).records
    assert 0 == env.inventory().get("web ACL", 0)
    env.setup()
    assert "news-bot" == web_acl(env)["Name"]


def test_setting_is_changed_and_taken_back(env: Env) -> None:
    """An update, then no web ACL."""
    setup_with_limit(env)
    env.set(load_balancer__rate_limit="6000")
    env.setup()
    statement = web_acl(env)["Rules"][0]["Statement"]
    assert 6000 == statement["RateBasedStatement"]["Limit"]
    env.set(load_balancer__rate_limit="")
    assert [] == env.setup(refused=["DeleteWebACL"]).errors
    assert WHOLE == env.inventory()


@pytest.mark.parametrize(("code", "status"), [("InvalidAction", 400), ("501", 501)])
def test_endpoint_without_aws_waf(env: Env, code: str, status: int) -> None:
    """There can be no web ACL, so teardown leaves nothing unknown."""
    env.setup()

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "ListWebACLs":
            raise refusal(code, operation, status)

    env.aws_session.request = request
    result = env.teardown()
    env.aws_session.free()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert {} == env.inventory()


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-east-1"])
def test_price(region: str) -> None:
    """The web ACL and its rule."""
    assert 6.0 == WebAcl("a", 5000).costs(prices(region))
