"""The service of a soak test: two bots, and a load balancer that notices changes late."""

import http.client
import itertools
import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

from benchmarks.server_process import ROOT, free_port

DEREGISTERED_SECONDS = 4.0  # how long the load balancer still sends to a bot that is being stopped


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
        """Start another bot; it becomes a target once it is healthy."""
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot"],
            env={**self._environment, "PORT": str(port)},
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while self._request(port, "GET", "/healthz", b"", {}, 5) != 200:
            time.sleep(0.02)
        self._targets.append((port, process))

    def deliver(
        self, url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send LINE's webhook to one of the targets; return 502 if it is unreachable."""
        targets = list(self._targets)
        port, _process = targets[next(self._turns) % len(targets)]
        status = self._request(port, "POST", urlsplit(url).path, body, headers, timeout)
        if status < 0:
            raise TimeoutError
        return status or 502, b""

    def _request(
        self,
        port: int,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        timeout: float,
    ) -> int:
        """Return the HTTP status; 0 if unreachable, -1 after a timeout."""
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
        """Stop one with SIGTERM and start another; the load balancer notices some seconds later."""
        target = self._targets[0]
        target[1].send_signal(signal.SIGTERM)
        self._leaving.append(target[1])
        self.start()
        time.sleep(DEREGISTERED_SECONDS)
        self._targets.remove(target)

    def kill_one(self) -> None:
        """Kill one at any moment, as Spot or the kernel without memory does, and start another."""
        target = self._targets[0]
        os.killpg(target[1].pid, signal.SIGKILL)
        target[1].wait()
        self.start()
        self._targets.remove(target)

    def close(self) -> int:
        """Stop all; return how many of those that were stopped did not end properly."""
        for _port, process in self._targets:
            process.send_signal(signal.SIGTERM)
        processes = [*self._leaving, *(process for _port, process in self._targets)]
        return sum(process.wait(90) != 0 for process in processes)
