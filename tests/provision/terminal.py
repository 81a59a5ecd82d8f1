"""A user at a terminal: a pseudo-terminal with the command running in it."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pyte
import pytest

from tests.provision.shell import PROVISION, Person

DOWN, UP, ENTER, ESCAPE = "\x1b[B", "\x1b[A", "\r", "\x1b"
SIZE = (24, 80)  # lines and columns, as an ordinary terminal
TIMEOUT = 180  # seconds for a text to appear, even on a slow machine


def restore_sigint() -> None:
    """Restore SIGINT, which a shell's background jobs and their children ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command in a pseudo-terminal: its output, and a keyboard."""

    def __init__(self, person: Person, *words: str, **more: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._attributes = termios.tcgetattr(slave)
        self.output, self.position = "", 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.process = subprocess.Popen(
            [*PROVISION, *words],
            cwd=person.folder,
            env={**person.environ, **more, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=restore_sigint,
        )
        os.close(slave)

    def until(self, words: str) -> str:
        """Read until this text appears; return the output since the previous match."""
        end = time.monotonic() + TIMEOUT
        while words not in self.output[self.position :]:
            assert time.monotonic() < end, self.output
            if not self._read():
                assert words in self.output[self.position :], self.output
        before, self.position = self.position, self.output.index(words, self.position) + len(words)
        return self.output[before : self.position]

    def _read(self) -> bool:
        """Read some output; return whether there may be more."""
        ready, _w, _x = select.select([self.master], [], [], 0.2)
        if not ready:
            return True
        try:
            got = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.output += self._decode(got)
        return bool(got)

    def screen(self) -> pyte.Screen:
        """Return what the terminal shows, once nothing has come for 0.2 seconds."""
        before = None
        while before != self.output:
            before = self.output
            self._read()
        screen = pyte.Screen(SIZE[1], SIZE[0])
        pyte.Stream(screen).feed(self.output)
        return screen

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self.master, keys.encode())

    def interrupt(self) -> int:
        """Press Ctrl-C at a question, where it arrives as a key; return the exit status."""
        self.type("\x03")
        return self.wait()

    def stop(self) -> int:
        """Press Ctrl-C elsewhere, as a signal: there is no controlling terminal. Return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Wait until the command ends by itself; return the exit status.

        Unless a signal has ended it, the terminal echoes, and shows its cursor, as before.
        """
        end = time.monotonic() + TIMEOUT
        while self.process.poll() is None and time.monotonic() < end:
            self._read()
        self.process.kill()
        status = self.process.wait(timeout=10)
        self._read()
        attributes, cursor = termios.tcgetattr(self.master), self.output.rpartition("\x1b[?25")[2]
        os.close(self.master)
        if status >= 0:
            assert self._attributes == attributes
            assert cursor[:1] != "l"
        return status


@pytest.fixture
def terminals(person: Person) -> Iterator[Callable[..., Terminal]]:
    """Yield a function that opens terminals; close those still open at the end."""
    opened: list[Terminal] = []

    def open_one(*words: str, **more: str) -> Terminal:
        opened.append(Terminal(person, *words, **more))
        return opened[-1]

    yield open_one
    for terminal in opened:
        if terminal.process.returncode is None:
            terminal.stop()
