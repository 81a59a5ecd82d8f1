"""Secrets are found nowhere but in Parameter Store and at LINE, whatever verb ran and however it ended."""

import base64
import shutil
import signal
import subprocess
import urllib.parse

import pytest

from tests.provision.shell import PROVISION, Person, aws_environment, client, control, runtime_info

WRONG_TOKEN, WRONG_SECRET = "canary-token-" + "t" * 40, "c0ffee" * 5 + "00"
SESSION, PROXY_PASSWORD = "canary-session-" + "s" * 40, "canary-proxy-password"
IMAGE = ("--set", "image.uri=a/b:1")
VERBS: list[tuple[int, tuple[str, ...]]] = [
    (0, ("setup", "--yes", *IMAGE)),
    (0, ("doctor",)),
    (0, ("plan", "--json")),
    (0, ("status", "-v")),
    (0, ("status", "--json")),
    (0, ("verify", "--json")),
    (0, ("logs", "--since", "1d", "--json")),
    (0, ("deploy", "--yes", "--set", "service.memory=1024")),
    (0, ("secrets", "rotate", "--yes", "--json")),
    (0, ("stop", "--yes")),
    (0, ("start", "--yes")),
    (0, ("pause", "--yes")),
    (0, ("resume", "--yes")),
    (0, ("cost", "-v")),
    (0, ("diagram",)),
    (0, ("policy",)),
    (0, ("teardown", "--yes", "--everything")),
]


def forms(secret: str) -> set[str]:
    """Return the secret as it is, in a URL, and in base64 (at each of the three offsets)."""
    encoded = [base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)]
    return {secret, urllib.parse.quote(secret, safe=""), *encoded}


class Searched:
    """Everything that the commands have produced, by where it was."""

    def __init__(self, person: Person, secrets: dict[str, str]) -> None:
        self.person, self.secrets = person, secrets
        self.found: list[tuple[str, str]] = []  # the name of a secret, and where it is

    def text(self, where: str, text: str) -> None:
        """Search one text."""
        for name, secret in self.secrets.items():
            if any(form in text for form in forms(secret)):
                self.found.append((name, where))

    def run(self, status: int, *words: str, **more: str) -> str:
        """Run a command, which ends with this status; return what it said."""
        done = self.person.types(*words, **more)
        assert status == done.returncode, (words, done.stderr)
        self.text(" ".join(words), done.stdout + done.stderr)
        return done.stdout + done.stderr

    def files(self) -> int:
        """Search every file, the home and the temporary folder included; return how many there were."""
        files = [path for path in self.person.folder.rglob("*") if path.is_file()]
        for path in files:
            self.text(str(path), path.read_bytes().decode("latin-1"))
        return len(files)


@pytest.mark.full
def test_secrets_stay_where_they_belong(person: Person, addresses: dict[str, str]) -> None:
    """Seventeen verbs, one of them interrupted first, and four failures."""
    known = runtime_info(person)
    for name in ("home", "tmp", "other"):
        (person.folder / name).mkdir()
    person.environ |= {
        "HOME": str(person.folder / "home"),
        "TMPDIR": str(person.folder / "tmp"),
        "XDG_CACHE_HOME": str(person.folder / "home/.cache"),
        "AWS_SESSION_TOKEN": SESSION,
        "HTTPS_PROXY": f"http://me:{PROXY_PASSWORD}@127.0.0.1:9",
    }
    searched = Searched(
        person,
        {
            "access token": known["access_token"],
            "channel secret": known["channel_secret"],
            "AWS key": known["secret_access_key"],
            "wrong token": WRONG_TOKEN,
            "wrong secret": WRONG_SECRET,
            "session": SESSION,
            "proxy": PROXY_PASSWORD,
        },
    )
    _fail(searched, aws_environment(known), known)
    _interrupt(searched, person)
    for status, words in VERBS[:-1]:
        searched.run(status, "--sandbox", *words)
    ssm = client(addresses, "ssm")
    names = {"ACCESS_TOKEN": known["access_token"], "CHANNEL_SECRET": known["channel_secret"]}
    for name, value in names.items():
        stored = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        assert (value, "SecureString") == (stored["Value"], stored["Type"])
    _search_aws(searched, addresses)
    shutil.move(person.folder / "stack.sandbox.yaml", person.folder / "lost.yaml")
    searched.run(0, "--sandbox", "recover")
    searched.run(*VERBS[-1][:1], "--sandbox", *VERBS[-1][1])
    calls = control(addresses, "calls")
    searched.text("the log of calls", str(calls))
    for call in calls[-400:]:  # of which request and response are kept
        number = call["number"]
        searched.text(f"call {number}", str(control(addresses, f"calls/{number}")))
    assert searched.files() > 3
    assert [] == searched.found
    searched.text("", str(known))  # the search does find what is there
    assert {"access token", "channel secret", "AWS key"} == {
        name for name, _where in searched.found
    }


def _fail(searched: Searched, aws: dict[str, str], known: dict[str, str]) -> None:
    """Run setups that LINE or AWS refuses, with wrong and right secrets in the environment."""
    stack = ("--stack", str(searched.person.folder / "other/stack.yaml"))
    sets = ("domain=shop.example", "network.vpc=default", "image.uri=a/b:1", "name=other")
    words = ("setup", "--yes", "--wait", "0", *stack, *(w for s in sets for w in ("--set", s)))
    right = {
        "LINE_CHANNEL_ACCESS_TOKEN": known["access_token"],
        "LINE_CHANNEL_SECRET": known["channel_secret"],
        "AWS_SESSION_TOKEN": "",
    }
    for wrong in (
        {"LINE_CHANNEL_ACCESS_TOKEN": WRONG_TOKEN},
        {"LINE_CHANNEL_SECRET": WRONG_SECRET},
        {"LINE_API_URL": "http://127.0.0.1:9"},
        {"AWS_SECRET_ACCESS_KEY": WRONG_SECRET},
    ):
        searched.run(1, *words, **{**aws, **right, **wrong})


def _interrupt(searched: Searched, person: Person) -> None:
    """Press Ctrl-C while setup creates something."""
    with subprocess.Popen(
        [*PROVISION, "--sandbox", *VERBS[0][1]],
        cwd=person.folder,
        env=person.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "creating" in line and len(lines) > 5:
                process.send_signal(signal.SIGINT)
    assert 130 == process.returncode, lines
    searched.text("interrupted setup", "".join(lines))


def _search_aws(searched: Searched, addresses: dict[str, str]) -> None:
    """Search what a user with read permissions sees in AWS: task definitions and logs."""
    ecs, logs = client(addresses, "ecs"), client(addresses, "logs")
    for arn in ecs.list_task_definitions()["taskDefinitionArns"]:
        searched.text(arn, str(ecs.describe_task_definition(taskDefinition=arn)))
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        searched.text(group["logGroupName"], str(events))
    ecs.close()
    logs.close()
