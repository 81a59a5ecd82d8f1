"""`make soak`: bots that are stopped and killed under load, and a LINE that delivers again.

Two bots behind a load balancer that learns late; every so often one gets SIGTERM, then one kill -9, and
another takes its place. LINE is the sandbox's, with redelivery on, and troublesome: some replies take
longer than a webhook may, some fail, some are taken and the answer is lost. At the end: messages sent,
answered, lost (acknowledged or given up, and never answered), answered twice. Exit status 1 unless the
last two are 0.
"""

import argparse
import http.client
import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from benchmarks.subject import ROOT, free_port
from provision.sandbox.clock import RunningClock
from provision.sandbox.line import LinePlatform
from provision.sandbox.serving import HttpServer

SPEED = 5.0  # of LINE's clock: a redelivery after ten seconds comes after two
SENDERS = 12
OUTAGE_EVERY, OUTAGE_SECONDS = 15.0, 3.0  # longer than a bot tries
DEREGISTERED_SECONDS = (
    4.0  # how long the load balancer sends on to a bot that has been told to stop
)
WORDS = ("latest", "最新", "月", "Science", "zebra", "help")


class Trouble:
    """LINE's API, as it is on a bad day; counts the replies that it took by their token."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self._wsgi = wsgi
        self.taken: Counter[str] = Counter()
        self.refused = 0  # second tries, stopped by the token
        self._chosen = random.Random(1)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/v2/bot/message/reply":
            return self._wsgi(environ, start_response)
        with self._lock:
            dice = self._chosen.random()
        if dice < 0.02 or time.monotonic() % OUTAGE_EVERY < OUTAGE_SECONDS:
            return _error(start_response)
        if dice < 0.04:
            time.sleep(2.5)  # longer than a webhook may take
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[str] = []

        def note(status: str, headers: Any, *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, headers, *more) if dice > 0.06 else None

        answer = b"".join(self._wsgi(environ, note))
        with self._lock:
            if statuses[0].startswith("200"):
                self.taken[json.loads(body)["replyToken"]] += 1
            elif b"Invalid reply token" in answer:
                self.refused += 1
        return [answer] if dice > 0.06 else _error(start_response)


def _error(start_response: Any) -> Iterable[bytes]:
    start_response("500 Internal Server Error", [("Content-Length", "0")])
    return [b""]


class Bots:
    """The service: two bots, and the load balancer in front of them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._targets: list[tuple[int, subprocess.Popen[bytes]]] = []
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._turns = itertools.count()
        for _ in range(2):
            self.start()

    def start(self) -> None:
        """One more; a target once it is healthy."""
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot"],
            env={**self._environment, "PORT": str(port)},
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while self._ask(port, "GET", "/healthz", b"", {}, 5) != 200:
            time.sleep(0.02)
        self._targets.append((port, process))

    def deliver(
        self, url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """LINE's webhook, to one of the targets; as the load balancer, 502 where it is not there."""
        targets = list(self._targets)
        port, _process = targets[next(self._turns) % len(targets)]
        status = self._ask(port, "POST", urlsplit(url).path, body, headers, timeout)
        if status < 0:
            raise TimeoutError
        return status or 502, b""

    def _ask(
        self,
        port: int,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        timeout: float,
    ) -> int:
        """The status; 0 where nobody answers, -1 where nobody answers in time."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        except TimeoutError:
            return -1
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def stop_one(self) -> None:
        """SIGTERM, a new one, and the load balancer learns of it some seconds later."""
        target = self._targets[0]
        target[1].send_signal(signal.SIGTERM)
        self._leaving.append(target[1])
        self.start()
        time.sleep(DEREGISTERED_SECONDS)
        self._targets.remove(target)

    def kill_one(self) -> None:
        """As Spot does in the end, or a kernel without memory: at any moment, and all of it."""
        target = self._targets[0]
        os.killpg(target[1].pid, signal.SIGKILL)
        target[1].wait()
        self.start()
        self._targets.remove(target)

    def close(self) -> int:
        """End all; how many of those that were asked to stop did not end well."""
        for _port, process in self._targets:
            process.send_signal(signal.SIGTERM)
        everybody = [*self._leaving, *(process for _port, process in self._targets)]
        return sum(process.wait(90) != 0 for process in everybody)


def main() -> int:
    """Soak, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", type=float, default=20, help="seconds between two ends")
    options = parser.parse_args()
    bots: Bots | None = None

    def deliver(*webhook: Any) -> tuple[int, bytes]:
        assert bots is not None
        return bots.deliver(*webhook)

    line = LinePlatform(deliver, lambda _name: [], RunningClock(SPEED), patience=15)
    line.endpoint, line.redelivery = "https://bot.example.jp/webhook", True
    trouble = Trouble(line.wsgi)
    server = HttpServer(trouble)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1"}
    environment |= {"ACCESS_TOKEN": line.access_token, "CHANNEL_SECRET": line.channel_secret}
    environment |= {"LINE_API_URL": server.url, "LINGER_SECONDS": "6"}
    bots = Bots(environment)
    told = soak(line, bots, options.minutes * 60, options.every)
    badly = bots.close()
    server.close()
    twice = sum(count > 1 for count in trouble.taken.values())
    lost = told["sent"] - told["answered"]
    print(
        f"sent={told['sent']} answered={told['answered']} lost={lost} twice={twice} "
        f"redelivered={told['redelivered']} stopped_by_token={trouble.refused} "
        f"terminated={told['terminated']} killed={told['killed']} ended_badly={badly}"
    )
    return int(bool(lost or twice or badly or not told["killed"]))


def soak(line: LinePlatform, bots: Bots, seconds: float, every: float) -> Counter[str]:
    """People write until the time is up; meanwhile bots end."""
    told: Counter[str] = Counter()
    end, lock = time.monotonic() + seconds, threading.Lock()

    def person(number: int) -> None:
        for turn in itertools.count():
            if time.monotonic() > end:
                return
            outcome = line.send(WORDS[turn % len(WORDS)], f"U{number}-{turn}")
            with lock:
                told["sent"] += 1
                told["answered"] += outcome["reply"] is not None
                told["redelivered"] += outcome["deliveries"] - 1

    people = [threading.Thread(target=person, args=(number,)) for number in range(SENDERS)]
    for one in people:
        one.start()
    for turn in itertools.count():
        pause = min(every * random.uniform(0.8, 1.2), end - time.monotonic())
        if pause <= 0:
            break
        time.sleep(pause)
        if turn % 2:
            bots.stop_one()
            told["terminated"] += 1
        else:
            bots.kill_one()
            told["killed"] += 1
    for one in people:
        one.join()
    return told


if __name__ == "__main__":
    sys.exit(main())
