"""A sidecar that is played: it says what a test wants, also what a real one never would."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterable
from typing import IO, Any

from sexton_client import SextonClient

from .support import DEADLINE, within

OPENED: dict[str, Any] = {"protocolVersion": 1, "ledgerID": "ldg_1", "seq": 0}
SHUT: dict[str, Any] = {"initialize": OPENED, "shutdown": None}


def framed(message: object) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def event(seq: int) -> bytes:
    told = {"subscription": "s", "result": {"kind": "scheduler.owner", "seq": seq}}
    return framed({"jsonrpc": "2.0", "method": "events/event", "params": told})


class Played:
    """Answers each method with what stands beside it; `then` is what follows the first answer to a method.

    A method that has no answer gets none. It leaves when it is told to, or hears the end.
    """

    def __init__(self, answers: dict[str, Any], then: dict[str, Iterable[bytes]] | None = None) -> None:
        self._answers = {**SHUT, **answers}
        self._then = dict(then or {})
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Condition()
        self._heard: list[dict[str, Any]] = []
        self.written = 0
        """How many pieces of what follows were written."""
        reads, input = os.pipe()
        output, writes = os.pipe()
        self._reads, self._writes = os.fdopen(reads, "rb"), os.fdopen(writes, "wb", buffering=0)
        self._input: IO[bytes] = os.fdopen(input, "wb", buffering=0)
        self._output: IO[bytes] = os.fdopen(output, "rb", buffering=0)
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    async def open(self) -> SextonClient:
        client = SextonClient.connect(output=self._output, input=self._input)
        return await within("opening", client)

    async def hears(self, method: str, count: int = 1) -> Any:
        """What the client sends, when it has sent this so many times."""

        async def heard() -> Any:
            async with self._news:
                while True:
                    found = [message for message in self._heard if message["method"] == method]
                    if len(found) >= count:
                        return found[count - 1]
                    await self._news.wait()

        return await within(f"{method} {count}", heard())

    async def left(self) -> None:
        await asyncio.to_thread(self._thread.join, DEADLINE)
        if self._thread.is_alive():
            raise AssertionError("it was not told to leave")

    def _play(self) -> None:
        with self._reads, self._writes:
            try:
                while self._next():
                    pass
            except BrokenPipeError:
                # The client has left first.
                pass

    def _next(self) -> bool:
        header = self._reads.readline()
        if not header:
            return False
        self._reads.readline()
        message = json.loads(self._reads.read(int(header.split(b":")[1])))
        asyncio.run_coroutine_threadsafe(self._tell(message), self._loop)
        method = message["method"]
        answer = self._answers.get(method)
        if "id" in message and method in self._answers:
            told = answer if isinstance(answer, dict) and "error" in answer else {"result": answer}
            self._writes.write(framed({"jsonrpc": "2.0", "id": message["id"], **told}))
        for piece in self._then.pop(method, ()):
            self._writes.write(piece)
            self.written += 1
        return bool(method != "exit")

    async def _tell(self, message: dict[str, Any]) -> None:
        async with self._news:
            self._heard.append(message)
            self._news.notify_all()
