"""Deletion protection of the load balancer: the setting's is followed, a person's is left alone."""

from provision.state.stack_file import StackFile
from tests.provision.conftest import Env
from tests.provision.finished_stack import plan_and_status
from tests.provision.test_external_use import deletion_protection_by_hand, outputs

PATH = 'Attributes."deletion_protection.enabled"'


def is_protected(env: Env) -> bool:
    """Return whether AWS refuses to delete the load balancer."""
    found = env.aws_session.client("elbv2").describe_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"]
    )
    attributes = {each["Key"]: each["Value"] for each in found["Attributes"]}
    return "true" == attributes["deletion_protection.enabled"]


def test_setting_is_followed_and_taken_back(env: Env) -> None:
    """On, on again after somebody switched it off, and off."""
    env.set(load_balancer__deletion_protection="on")
    assert [] == env.setup().errors
    assert is_protected(env)
    env.aws_session.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=outputs(env, "load_balancer")["arn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
    )
    assert {("load_balancer", PATH)} == plan_and_status(env).differences
    env.setup()
    assert is_protected(env)
    env.set(load_balancer__deletion_protection="off")
    assert {("load_balancer", PATH)} == plan_and_status(env).differences
    env.setup()
    assert not is_protected(env)


def test_teardown_switches_off_what_the_setting_switched_on(env: Env) -> None:
    """The teardown has been confirmed."""
    env.set(load_balancer__deletion_protection="on")
    env.setup()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_teardown_after_the_setting_was_taken_out(env: Env) -> None:
    """stack.yaml says whose protection it is, also without another setup."""
    env.set(load_balancer__deletion_protection="on")
    env.setup()
    env.set(load_balancer__deletion_protection="off")
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


def test_pause_and_resume(env: Env) -> None:
    """A pause deletes the load balancer; the next one is protected again."""
    env.set(load_balancer__deletion_protection="on")
    env.setup()
    assert {} == env.engine().pause().kept
    assert 0 == env.inventory().get("load balancer", 0)
    env.setup()
    assert is_protected(env)


def test_replaced_load_balancer(env: Env) -> None:
    """The one in the former VPC is deleted."""
    env.set(load_balancer__deletion_protection="on")
    env.setup()
    env.set(network__vpc="new")
    assert [] == env.setup().errors
    assert 1 == env.inventory()["load balancer"]
    assert is_protected(env)


def test_setup_leaves_protection_by_hand(env: Env) -> None:
    """Neither plan nor setup changes it; it stays that person's, also when the setting is on."""
    env.setup()
    deletion_protection_by_hand(env)
    assert set() == plan_and_status(env).differences
    env.changes()
    assert [] == env.setup().errors
    assert [] == env.changes()
    assert is_protected(env)
    env.set(load_balancer__deletion_protection="on")
    env.setup()
    assert "others" == outputs(env, "load_balancer")["protected_by"]
    assert "load_balancer/news-bot" in env.teardown().kept
    assert is_protected(env)


def test_pause_keeps_a_load_balancer_protected_by_hand(env: Env) -> None:
    """Its reason names the protection and the option."""
    env.setup()
    deletion_protection_by_hand(env)
    expected = (
        "it has what provision did not create: deletion protection; --contents deletes that too"
    )
    assert expected == env.engine().pause().kept["load_balancer/news-bot"]
    assert is_protected(env)
    assert "load_balancer/news-bot" in StackFile(env.path).records
