"""`make soak`: bots that are stopped and killed under load, while LINE redelivers webhooks.

Two bots behind a load balancer that notices changes late; regularly one gets SIGTERM, then one kill -9, and
another replaces it. LINE is the sandbox's with redelivery on, and unreliable: some replies take longer than a
webhook may, some fail, and for some the response is lost. At the end: messages sent, answered, lost
(acknowledged or given up, and never answered), answered twice. Exit status 1 unless the last two are 0.
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
from benchmarks.soak_line import UnreliableLine
from provision.console.server import HttpServer
from provision.sandbox.clock import RunningClock
from provision.sandbox.line.platform import LinePlatform

SPEED = 5.0  # of LINE's clock: a redelivery after ten of its seconds comes after two
SENDERS = 12
WORDS = ("latest", "最新", "月", "Science", "zebra", "help")


def main() -> int:
    """Run the soak test and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", type=float, default=20, help="seconds between two ends")
    options = parser.parse_args()
    bots: Bots | None = None

    def deliver(*webhook: Any) -> tuple[int, bytes]:
        assert bots is not None
        return bots.deliver(*webhook)

    line = LinePlatform(deliver, lambda _name: [], RunningClock(SPEED), reply_timeout=15)
    line.endpoint, line.redelivery = "https://bot.example.jp/webhook", True
    unreliable_line = UnreliableLine(line.wsgi)
    server = HttpServer(unreliable_line)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1"}
    environment |= {"ACCESS_TOKEN": line.access_token, "CHANNEL_SECRET": line.channel_secret}
    environment |= {"LINE_API_URL": server.url, "LINGER_SECONDS": "6"}
    bots = Bots(environment)
    counts = soak(line, bots, options.minutes * 60, options.every)
    failed = bots.close()
    server.close()
    twice = sum(count > 1 for count in unreliable_line.accepted.values())
    lost = counts["sent"] - counts["answered"]
    print(
        f"sent={counts['sent']} answered={counts['answered']} lost={lost} twice={twice} "
        f"redelivered={counts['redelivered']} stopped_by_token={unreliable_line.refused} "
        f"terminated={counts['terminated']} killed={counts['killed']} ended_badly={failed}"
    )
    return int(bool(lost or twice or failed or not counts["killed"]))


def soak(line: LinePlatform, bots: Bots, seconds: float, every: float) -> Counter[str]:
    """Send messages until the time is up, while bots are stopped and killed."""
    counts: Counter[str] = Counter()
    end, lock = time.monotonic() + seconds, threading.Lock()

    def send_messages(number: int) -> None:
        for turn in itertools.count():
            if time.monotonic() > end:
                return
            outcome = line.send(WORDS[turn % len(WORDS)], f"U{number}-{turn}")
            with lock:
                counts["sent"] += 1
                counts["answered"] += outcome["reply"] is not None
                counts["redelivered"] += outcome["deliveries"] - 1

    users = [threading.Thread(target=send_messages, args=(number,)) for number in range(SENDERS)]
    for one in users:
        one.start()
    for turn in itertools.count():
        pause = min(every * random.uniform(0.8, 1.2), end - time.monotonic())
        if pause <= 0:
            break
        time.sleep(pause)
        if turn % 2:
            bots.stop_one()
            counts["terminated"] += 1
        else:
            bots.kill_one()
            counts["killed"] += 1
    for one in users:
        one.join()
    return counts


if __name__ == "__main__":
    sys.exit(main())
