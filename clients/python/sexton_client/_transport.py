"""Where a sidecar is: a child process, or pipes that somebody else has opened."""

from __future__ import annotations

import asyncio
import codecs
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from .errors import SidecarEnd, SidecarUnavailableError

_LOG_KEPT = 4096
"""What is kept of the log, in characters, so that errors can say it."""

_LINE_KEPT = 65_536
"""The longest line of a log that is told as one, in characters: a log without line ends must not be kept whole."""

_SILENCE = 0.2
"""How long a pipe may be silent after the sidecar has ended, in seconds, before it is taken to be empty."""

_LEAVING = 5.0
"""How long a sidecar may live on after it has closed its output, in seconds."""


def call(listener: Callable[..., object], *told: object) -> None:
    """Tells a listener of somebody else's; what it throws is theirs, and ends nothing here."""
    try:
        listener(*told)
    except Exception as error:
        context = {"message": f"{listener!r} has failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)


@dataclass(frozen=True)
class Command:
    """Which program is the sidecar, and with what it is started."""

    words: Sequence[str] | None
    cwd: str | os.PathLike[str] | None
    env: Mapping[str, str] | None
    on_log: Callable[[str], object] | None


def start(command: Command) -> Transport:
    """Starts a sidecar: what was named, else what the environment names, else what is in the search path."""
    words = list(command.words or [os.environ.get("SEXTON_BIN") or "sexton", "--stdio"])
    try:
        process = subprocess.Popen(
            words,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=command.cwd,
            env=None if command.env is None else dict(command.env),
            # Ctrl-C in a terminal is for whoever uses this client; what becomes of the sidecar is decided there.
            start_new_session=True,
        )
    except OSError as error:
        ways = "name a program with `command` or SEXTON_BIN, or install one in the search path"
        raise SidecarUnavailableError(f"{words[0]} cannot be started ({error}); {ways}") from error
    assert process.stdin is not None and process.stdout is not None
    return Transport(process.stdout, process.stdin, process, command.on_log)


class Transport:
    """The pipes to one sidecar."""

    def __init__(
        self,
        output: IO[bytes],
        input: IO[bytes],
        process: subprocess.Popen[bytes] | None = None,
        on_log: Callable[[str], object] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._output = output
        self._input = input
        self._process = process
        self._log = _Log(on_log or _passed_through)
        self._sends = _Writing()
        self._reads: list[_Reading] = []
        self._exit_code: int | None = None
        self._has_begun = False
        self._over: Callable[[SidecarEnd], None] = lambda end: None
        if process is not None:
            # How it ends is known without this loop, which may be over by then.
            threading.Thread(target=self._wait_for, args=[process], daemon=True, name="sexton-exit").start()

    @property
    def pid(self) -> int | None:
        """The process, where this client has started one."""
        return None if self._process is None else self._process.pid

    async def begin(self, heard: Callable[[bytes], None], over: Callable[[SidecarEnd], None]) -> None:
        """Begins to read. `over` is told once, when it has ended and everything that it had written was heard."""
        self._over = over
        output = _Reading(heard, self._output_ended)
        self._reads = [output]
        errors = None if self._process is None else self._process.stderr
        if errors is not None:
            log = _Reading(self._log.add, self._settle)
            self._reads.append(log)
            await self._loop.connect_read_pipe(lambda: log, errors)
        await self._loop.connect_write_pipe(lambda: self._sends, self._input)
        await self._loop.connect_read_pipe(lambda: output, self._output)
        self._has_begun = True
        if self._exit_code is not None:
            self._left()

    def send(self, message: bytes) -> None:
        self._sends.send(message)

    def kill(self) -> None:
        """Ends it without asking."""
        if self._process is not None:
            self._process.kill()
        else:
            self._stop_reading()

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        try:
            self._loop.call_soon_threadsafe(self._exited, code)
        except RuntimeError:
            # The loop is closed, so there is nobody left who would want to know.
            pass

    def _exited(self, code: int) -> None:
        self._exit_code = code
        # Pipes that are only being connected cannot be closed yet.
        if self._has_begun:
            self._left()

    def _left(self) -> None:
        # Where the program was a script, what it has started is still there and reads.
        self._sends.stop()
        # What it has left running may hold its pipes open; nobody waits for that.
        self._stop_when_silent(self._pieces())
        self._settle()

    def _pieces(self) -> int:
        return sum(reading.pieces for reading in self._reads)

    def _stop_when_silent(self, before: int) -> None:
        def look() -> None:
            now = self._pieces()
            if now == before:
                self._stop_reading()
            else:
                self._stop_when_silent(now)

        self._loop.call_later(_SILENCE, look)

    def _stop_reading(self) -> None:
        for reading in self._reads:
            reading.stop()

    def _output_ended(self) -> None:
        process = self._process
        if process is not None and self._exit_code is None:
            # It says nothing any more, so there is no conversation to be had with it.
            self._loop.call_later(_LEAVING, process.kill)
        self._settle()

    def _settle(self) -> None:
        alive = self._process is not None and self._exit_code is None
        if alive or not self._has_begun or not all(reading.ended for reading in self._reads):
            return
        self._sends.stop()
        self._log.end()
        over, self._over = self._over, lambda end: None
        code = self._exit_code
        if code is not None and code < 0:
            over(SidecarEnd(signal=-code, log=self._log.tail))
        else:
            over(SidecarEnd(exit_code=code, log=self._log.tail))


class _Writing(asyncio.BaseProtocol):
    """What goes into the sidecar. What waits here is what callers wait for, because each of them has one request."""

    def __init__(self) -> None:
        self._pipe: asyncio.WriteTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._pipe = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._pipe = None

    def send(self, message: bytes) -> None:
        # What cannot be written is not lost in silence: the end of the sidecar follows, and everybody is told of it.
        if self._pipe is not None:
            self._pipe.write(message)

    def stop(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None and not pipe.is_closing():
            pipe.abort()


class _Reading(asyncio.Protocol):
    """What comes out of one pipe. It is dealt with as it comes: the next piece is read when this one is through."""

    def __init__(self, heard: Callable[[bytes], None], over: Callable[[], None]) -> None:
        self._heard = heard
        self._over = over
        self._pipe: asyncio.ReadTransport | None = None
        self.pieces = 0
        self.ended = False

    def connection_made(self, transport: Any) -> None:
        self._pipe = transport

    def data_received(self, data: bytes) -> None:
        self.pieces += 1
        self._heard(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True
        self._over()

    def stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()


class _Log:
    def __init__(self, on_line: Callable[[str], object]) -> None:
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self.tail = ""

    def add(self, piece: bytes) -> None:
        text = self._decoder.decode(piece)
        self.tail = (self.tail + text)[-_LOG_KEPT:]
        *lines, rest = (self._line + text).split("\n")
        self._line = rest[-_LINE_KEPT:]
        for line in lines:
            call(self._on_line, line)

    def end(self) -> None:
        line, self._line = self._line, ""
        if line:
            call(self._on_line, line)


def _passed_through(line: str) -> None:
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)
