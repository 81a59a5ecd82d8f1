"""`make soak`: bots that are stopped and killed under load, and a LINE that delivers again.

Two bots behind a load balancer that learns late; every so often one gets SIGTERM, then one kill -9, and
another takes its place. LINE is the sandbox's, with redelivery on, and troublesome: some replies take
longer than a webhook may, some fail, some are taken and the answer is lost. At the end: messages sent,
answered, lost (acknowledged or given up, and never answered), answered twice. Exit status 1 unless the
last two are 0.
"""

import argparse
import itertools
import os
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

from benchmarks.server_process import ROOT
from benchmarks.soak_bots import Bots
from benchmarks.soak_line import Trouble
from provision.sandbox.clock import RunningClock
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.web.serving import HttpServer

SPEED = 5.0  # of LINE's clock: a redelivery after ten seconds comes after two
SENDERS = 12
WORDS = ("latest", "最新", "月", "Science", "zebra", "help")


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
    twice = sum(count > 1 for count in trouble.exists.values())
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
