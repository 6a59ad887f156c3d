"""What tests need of the world: a project of their own, the real sidecar, and deadlines."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sexton_client import SextonClient, Stream
from sexton_client.protocol import Event

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]

DEADLINE = 60.0
"""In seconds; longer than anything takes on a machine that is busy with something else."""

BINARY = os.environ.get("SEXTON_BIN") or str(REPOSITORY / "target" / "debug" / "sexton")
if not os.path.exists(BINARY):
    raise FileNotFoundError(f"there is no sidecar at {BINARY}: run `cargo build`, or name one with SEXTON_BIN")


async def within(what: str, coming: Awaitable[T]) -> T:
    """Gives what this gives, or fails when that has not come in time."""
    try:
        return await asyncio.wait_for(coming, DEADLINE)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what}: not within {DEADLINE} s") from None


class Place:
    """A project and a ledger of a test's own."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sexton-client-")).resolve()
        self.project = self.root / "project"
        self.project.mkdir()
        self._started: list[subprocess.Popen[str]] = []

    def remove(self) -> None:
        for process in self._started:
            # Most have ended by now; one that a test has failed on has not.
            process.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SEXTON_BIN": BINARY,
            "SEXTON_STATE_DIR": str(self.root / "state"),
            "XDG_CONFIG_HOME": str(self.root / "config"),
            "PYTHONPATH": str(HERE.parent),
        }

    @property
    def options(self) -> dict[str, Any]:
        return {"command": [BINARY, "--stdio"], "project": self.project, "env": self.environment}

    def open_gate(self, name: str) -> None:
        """Lets what `waits_at` this gate go on."""
        (self.project / name).touch()

    def started(self, program: str | Path, *, stdin: int | None = None) -> subprocess.Popen[str]:
        """A program in Python, from its text or its file, that is used in this project; in a group of its own."""
        words = [sys.executable, str(program)] if isinstance(program, Path) else [sys.executable, "-c", program]
        process = subprocess.Popen(
            words,
            cwd=self.project,
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def told_by(self, program: str | Path) -> str:
        """What a program prints that ends as it should, and says nothing beside that."""
        process = self.started(program)
        out, err = finished(process)
        if process.returncode != 0 or err:
            raise AssertionError(f"it ended with {process.returncode}: {err}")
        return out


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a program has printed when it has ended."""
    try:
        return process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"it has not ended: {process.communicate()}") from None


def bounded(case: unittest.TestCase) -> None:
    """Has a test that hangs end everything, and say where it was."""
    # Past what may be kept back of a test that passes.
    faulthandler.dump_traceback_later(3 * DEADLINE, exit=True, file=sys.__stderr__ or sys.stderr)
    case.addCleanup(faulthandler.cancel_dump_traceback_later)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        bounded(self)
        self.place = Place()
        self.addCleanup(self.place.remove)


class AsyncCase(unittest.IsolatedAsyncioTestCase):
    """A test with clients. What nobody has dealt with on their loop is a failure."""

    async def asyncSetUp(self) -> None:
        bounded(self)
        self.place = Place()
        self.addCleanup(self.place.remove)
        self.flaws: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        # How long a turn of the loop takes says more about the machine than about what is tested.
        loop.set_debug(False)
        loop.set_exception_handler(lambda _, context: self.flaws.append(context))
        self.addCleanup(lambda: self.assertEqual(self.flaws, []))

    async def open(self, **options: Any) -> SextonClient:
        """A client whose sidecar goes with the test at the latest."""
        client: SextonClient = await within("a sidecar", SextonClient.spawn(**{**self.place.options, **options}))

        async def close() -> None:
            await within("closing", client.close())

        self.addAsyncCleanup(close)
        return client

    async def raised(self, kind: type[E], what: str, coming: Coroutine[Any, Any, object]) -> E:
        """The exception with which this ends."""
        with self.assertRaises(kind, msg=what) as caught:
            await within(what, coming)
        return caught.exception

    async def killed(self, client: SextonClient) -> None:
        """Ends a sidecar so that it can do nothing about it; returns when another one is there."""
        states: list[str] = []
        back = asyncio.get_running_loop().create_future()

        def listener(state: str) -> None:
            states.append(state)
            if state == "ready" and not back.done():
                back.set_result(None)

        stop = client.on_state(listener)
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        await within("another sidecar", back)
        stop()
        self.assertEqual(states, ["lost", "ready"])


def waits_at(name: str) -> str:
    """Shell words that wait until a gate is open."""
    return f"until [ -e {name} ]; do command -p sleep 0.02; done"


def shell(line: str) -> dict[str, Any]:
    return {"kind": "command", "program": "sh", "args": ["-c", line]}


def dormant(title: str, task: dict[str, Any]) -> dict[str, Any]:
    """An automation that is not due while a test lasts."""
    return {"title": title, "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 86_400_000}, "task": task}


async def next_of(what: str, stream: AsyncIterator[T]) -> T:
    try:
        return await within(what, stream.__anext__())
    except StopAsyncIteration:
        raise AssertionError(f"{what}: it has ended") from None


async def until(what: str, stream: AsyncIterator[T], is_so: Callable[[T], bool]) -> T:
    """Goes on to the first thing that is so."""
    while True:
        told = await next_of(what, stream)
        if is_so(told):
            return told


async def run_is(news: Stream[Event], id: str, state: str) -> dict[str, Any]:
    """Goes on until a run is in this state."""
    while True:
        event = await next_of(f"{id} {state}", news)
        if event["kind"] != "run.updated" or event["run"]["id"] != id:
            continue
        run: Any = event["run"]
        if run["state"] == state:
            return dict(run)
        if run["completedAt"] is not None:
            raise AssertionError(f"{id} has ended, and not as {state}: {run}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
