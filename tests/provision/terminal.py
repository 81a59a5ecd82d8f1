"""A person at a terminal: a pseudo-terminal, and the command as a process behind it."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.provision.shell import PROVISION, Person

DOWN, ENTER = "\x1b[B", "\r"
PATIENCE = 180  # seconds for one sentence to appear, on a slow machine too


def heeds_ctrl_c() -> None:
    """A shell lets its background jobs, and all that they start, ignore SIGINT; a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command under a pseudo-terminal: what it said, and a keyboard."""

    def __init__(self, person: Person, *words: str, **more: str) -> None:
        self.master, slave = pty.openpty()
        self.said, self.seen = "", 0
        self.process = subprocess.Popen(
            [*PROVISION, *words],
            cwd=person.folder,
            env={**person.environ, **more, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=heeds_ctrl_c,
        )
        os.close(slave)

    def until(self, words: str) -> str:
        """Reads on until these words; everything from the last ones on to these."""
        end = time.monotonic() + PATIENCE
        while words not in self.said[self.seen :]:
            assert time.monotonic() < end, self.said
            if not self._read():
                assert words in self.said[self.seen :], self.said
        before, self.seen = self.seen, self.said.index(words, self.seen) + len(words)
        return self.said[before : self.seen]

    def _read(self) -> bool:
        """Whether there may be more."""
        ready, _w, _x = select.select([self.master], [], [], 0.2)
        if not ready:
            return True
        try:
            got = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.said += got.decode(errors="replace")
        return bool(got)

    def type(self, keys: str) -> None:
        """Keys."""
        os.write(self.master, keys.encode())

    def interrupt(self) -> int:
        """Ctrl-C at a question, where it arrives as a key; how it ended."""
        self.type("\x03")
        return self.ended()

    def stop(self) -> int:
        """Ctrl-C elsewhere (it has no controlling terminal, so as a signal); how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Waits until it ends by itself; how it ended."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self._read()
        self.process.kill()
        os.close(self.master)
        return self.process.wait(timeout=10)


@pytest.fixture
def terminals(person: Person) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals; those that are still open at the end are closed."""
    opened: list[Terminal] = []

    def open_one(*words: str, **more: str) -> Terminal:
        opened.append(Terminal(person, *words, **more))
        return opened[-1]

    yield open_one
    for terminal in opened:
        if terminal.process.returncode is None:
            terminal.stop()
