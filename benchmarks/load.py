"""LINE as a load: signed webhooks on kept-alive connections."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from provision.sandbox.line.webhooks import signature, text_event

# As people are: each writes more than once.
PEOPLE = 200
WORDS = ("latest", "最新", "ロケット", "科学", "Science", "宇宙 月", "zebra", "help", "記事")


@dataclass
class Measured:
    """What came of a load: seconds each, statuses, how long all took."""

    seconds: list[float]
    failed: int
    lasted: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.lasted

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def webhooks(secret: str, seed: int = 0) -> Iterator[bytes]:
    """Yield requests without end, each with an event of its own."""
    chosen = random.Random(seed)
    for number in itertools.count():
        event = text_event(
            chosen.choice(WORDS), f"U{number % PEOPLE}", f"token-{number}", time.time()
        )
        document = {"destination": "U", "events": [event]}
        body = json.dumps(document, ensure_ascii=False).encode()
        yield (
            b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Type: application/json\r\n"
            b"X-Line-Signature: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (signature(secret, body).encode(), len(body), body)
        )


async def closed(port: int, secret: str, connections: int, seconds: float) -> Measured:
    """As many at a time as there are connections, for so long."""
    requests, end = webhooks(secret), time.monotonic() + seconds
    exists: list[float] = []
    failed = 0

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            took, well = await _exchange(reader, writer, next(requests))
            exists.append(took)
            failed += not well
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(connections)))
    return Measured(exists, failed, time.monotonic() - began)


async def paced(port: int, secret: str, rate: float, seconds: float) -> Measured:
    """So many a second, whether or not the ones before have been answered."""
    requests = webhooks(secret)
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    exists: list[float] = []
    failed = 0

    async def one() -> None:
        nonlocal failed
        pair = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        took, well = await _exchange(*pair, next(requests))
        idle.append(pair)
        exists.append(took)
        failed += not well

    began = time.monotonic()
    running = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        running.append(asyncio.ensure_future(one()))
    await asyncio.gather(*running)
    for _reader, writer in idle:
        writer.close()
    return Measured(exists, failed, time.monotonic() - began)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[float, bool]:
    began = time.monotonic()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length:")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))
    return time.monotonic() - began, head.startswith(b"http/1.1 200")
