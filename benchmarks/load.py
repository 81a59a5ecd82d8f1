"""LINE as a load generator: signed webhooks on keep-alive connections."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from provision.sandbox.line.webhooks import event, signature, source_of, text_message

# Each user writes more than once.
USERS = 200
WORDS = ("latest", "最新", "ロケット", "科学", "Science", "宇宙 月", "zebra", "help", "記事")


@dataclass
class LoadResult:
    """The result of a load: seconds of each request, failures, total seconds."""

    seconds: list[float]
    failed: int
    total_seconds: float

    @property
    def rate(self) -> float:
        """Return the answers per second."""
        return len(self.seconds) / self.total_seconds

    def percentile(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def webhooks(secret: str, seed: int = 0) -> Iterator[bytes]:
    """Yield requests without end, each with its own event."""
    chosen = random.Random(seed)
    for number in itertools.count():
        message = text_message(chosen.choice(WORDS))
        source = source_of(f"U{number % USERS}")
        sent = {**event("message", source, f"token-{number}", time.time()), "message": message}
        document = {"destination": "U", "events": [sent]}
        body = json.dumps(document, ensure_ascii=False).encode()
        yield (
            b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Type: application/json\r\n"
            b"X-Line-Signature: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (signature(secret, body).encode(), len(body), body)
        )


async def send_continuously(port: int, secret: str, connections: int, seconds: float) -> LoadResult:
    """Keep as many requests in flight as there are connections, for so many seconds."""
    requests, end = webhooks(secret), time.monotonic() + seconds
    durations: list[float] = []
    failed = 0

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            duration, succeeded = await _exchange(reader, writer, next(requests))
            durations.append(duration)
            failed += not succeeded
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(connections)))
    return LoadResult(durations, failed, time.monotonic() - began)


async def send_at_rate(port: int, secret: str, rate: float, seconds: float) -> LoadResult:
    """Send so many requests per second, whether or not earlier ones have been answered."""
    requests = webhooks(secret)
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    durations: list[float] = []
    failed = 0

    async def one() -> None:
        nonlocal failed
        pair = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        duration, succeeded = await _exchange(*pair, next(requests))
        idle.append(pair)
        durations.append(duration)
        failed += not succeeded

    began = time.monotonic()
    running = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        running.append(asyncio.ensure_future(one()))
    await asyncio.gather(*running)
    for _reader, writer in idle:
        writer.close()
    return LoadResult(durations, failed, time.monotonic() - began)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[float, bool]:
    began = time.monotonic()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length:")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))
    return time.monotonic() - began, head.startswith(b"http/1.1 200")
