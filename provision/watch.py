"""Watching a deployment until it is steady, or until it is clear that it never will be."""

from provision import aws, look
from provision.console import Progress
from provision.engine import Engine
from provision.errors import Refusal
from provision.resource import Resource
from provision.resources.advice import advice
from provision.resources.rollout import Rollout
from provision.resources.task_definition import CONTAINER
from provision.run import Run
from provision.walk import Line, Outcome, walk
from provision.words import _

LAST_WORDS = 3  # lines of a failed task's log that are shown


def watch(run: Run, engine: Engine, progress: Progress) -> Outcome:
    """Until every wanted task of the new revision is healthy, or it is clear that none will be."""
    steady = run.stack.steady_service

    def step(resource: Resource) -> str:
        live = look.find(steady, run.doors)
        if live and live["desiredCount"] and "Tasks" in live:
            rollout = Rollout(live)
            progress.below(rollout.lines(), steady.typical)
            if why := rollout.hopeless():
                words = _last_words(run, rollout.failed_task())
                raise Refusal(
                    _("Deploying {revision}.", revision=short(run.stack.task_definition.arn)),
                    "\n        ".join([why, *words]),
                    advice(" ".join([why, *words])),
                )
        return engine.reach(steady, live)

    def tell(event: str, resource: Resource, detail: str) -> None:
        """Why it waits stands below, whole."""
        engine.tell(event, resource, "" if event == "waiting" else detail)

    return walk([Line(steady, [])], step, run.clock, tell)


def _last_words(run: Run, task: str) -> list[str]:
    """The last lines that a failed task wrote; none where it never came so far."""
    if not task:
        return []
    stream = f"{CONTAINER}/{CONTAINER}/{task}"  # prefix/container/task: ECS, awslogs-stream-prefix
    try:
        with aws.reading(_("Reading the log."), absent=("ResourceNotFoundException",)):
            answer = run.doors.aws.logs.get_log_events(
                logGroupName=run.stack.log_group.name,
                logStreamName=stream,
                limit=LAST_WORDS,
                startFromHead=False,
            )
            return [str(event["message"]).rstrip() for event in answer["events"][-LAST_WORDS:]]
    except aws.Absent:
        return []
    except Refusal as refusal:
        return [_("its log could not be read: {why}", why=refusal.why)]


def short(arn: str) -> str:
    """family:revision."""
    return arn.rpartition("/")[2]
