"""If AWS rejects a create call nothing exists, so no record says that something might."""

from botocore.exceptions import ClientError

from provision.state.stack_file import StackFile
from tests.provision.conftest import READING, Env
from tests.provision.finished_stack import WHOLES, created_resources

ANSWER = {
    "Error": {"Code": "AccessDeniedException", "Message": "not authorized"},
    "ResponseMetadata": {"HTTPStatusCode": 403},
}


def test_every_create_call_is_rejected_once(env: Env) -> None:
    """Each run records nothing of what was rejected, and the next run creates it."""
    env.set(network__vpc="new")  # everything that the default network has, and a VPC
    refused: list[str] = []

    def refuse(operation: str) -> None:
        event, line = env.now
        if event == "creating" and not operation.startswith(READING) and line not in refused:
            refused.append(line)
            raise ClientError(ANSWER, operation)

    env.aws_session.before = refuse
    for _run in range(30):
        known = len(refused)
        outcome = env.setup()
        recorded = {key.partition("/")[0] for key in StackFile(env.path).records}
        assert set() == recorded.intersection(refused[known:])
        if known == len(refused):
            break
    assert ([], []) == (outcome.errors, outcome.outside)
    assert sorted(
        one.logical_id for one in created_resources("new") if one.logical_id != "network"
    ) == sorted(refused)
    assert WHOLES["new"] == env.inventory()


def test_name_taken_between_inspection_and_create(env: Env) -> None:
    """The foreign resource is neither recorded nor deleted."""
    logs, theirs = env.aws_session.client("logs"), list[str]()

    def take(operation: str) -> None:
        if operation == "CreateLogGroup" and not theirs:
            theirs.append("/ecs/news-bot")
            logs.create_log_group(logGroupName="/ecs/news-bot")

    env.aws_session.before = take
    outcome = env.setup(refused=["CreateLogGroup"])
    assert ["Could not create log_group/news-bot."] == [one.what for one in outcome.errors]
    assert "log_group/news-bot" not in StackFile(env.path).records
    env.aws_session.free()
    env.teardown()
    assert theirs == [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
