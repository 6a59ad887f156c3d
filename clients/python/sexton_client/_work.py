"""One run that this window carries out: what is reported of it, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from . import protocol
from .errors import SextonError

_PART = 65_536
"""The longest part of an output that one report takes, in bytes."""

_MESSAGE = 4000
"""How long a message for a person may be, in characters."""

Send = Callable[[protocol.RunReportReport], Awaitable[Any]]


class WorkCancelled(Exception):
    """Why work is to end: somebody or something wants the run to."""

    reason: str
    """How the run will be recorded."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the run is to end: {reason}")
        self.reason = reason


class WorkFailed(Exception):
    """Raise it to say how work has failed.

    Any other exception is `execution_failed`, or `start_failed` before the start.
    """

    code: protocol.ErrorCode
    error_class: protocol.ErrorClass | None

    def __init__(
        self, code: protocol.ErrorCode, message: str, error_class: protocol.ErrorClass | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.error_class = error_class


class Work:
    """What a callback of `serve_provider` is given.

    Reports are sent in the order of the calls. Each raises a `SextonError` if the report is refused, because the run
    has ended or the report is none.
    """

    run: protocol.Run
    """The run as it was when it was begun."""
    prompt: str
    model: str
    """One of the models that are served."""
    variant: str | None
    session_id: str | None
    """The session to continue, if one is."""
    step_cap: int
    permissions: protocol.Permissions
    """Whether a person may be asked."""
    limits: protocol.WorkLimits
    ending: Exception | None
    """Why the task of the callback was cancelled: a `WorkCancelled`, or what became of the sidecar."""
    urgent: bool
    """Whether the run is to end without tidying up first. The task is cancelled once more when that becomes so."""

    def __init__(self, start: protocol.ProviderWorkStart, send: Send) -> None:
        self.run = start["run"]
        self.prompt = start["prompt"]
        self.model = start["model"]
        self.variant = start.get("variant")
        self.session_id = start.get("sessionID")
        self.step_cap = start["stepCap"]
        self.permissions = start["permissions"]
        self.limits = start["limits"]
        self.ending = None
        self.urgent = False
        self._send = send
        self._has_started = False
        self._starting = asyncio.Lock()
        self._asked: tuple[str, asyncio.Future[protocol.ProviderWorkAnswer | None]] | None = None

    async def started(self, session_id: str) -> None:
        """The work has really started, in this session of the agent.

        The first report, if it is made: any other one has the id of the run stand for a session.
        """
        self._has_started = True
        await self._send({"type": "started", "sessionID": session_id})

    async def step(self, title: str | None = None) -> None:
        """The agent takes a step. Equal titles in a row are the same step made again."""
        await self._tell({"type": "step"} if title is None else {"type": "step", "title": title})

    async def output(self, text: str) -> None:
        """The agent has written something."""
        for part in _parts(text):
            await self._tell({"type": "output", "data": part})

    async def cost(self, amount: float, currency: str) -> None:
        """What it has cost so far, in all."""
        await self._tell({"type": "cost", "amount": amount, "currency": currency})

    async def blocked(self, question: protocol.RunReportReportBlockedBlocker) -> protocol.ProviderWorkAnswer | None:
        """It needs a person. Gives the answer, or nothing after `unblocked`. One thing is asked at a time."""
        if self._asked is not None:
            raise RuntimeError("one thing is asked at a time; wait for the answer")
        id = question["requestID"] if question["kind"] == "permission" else question["callID"]
        answer: asyncio.Future[protocol.ProviderWorkAnswer | None] = asyncio.get_running_loop().create_future()
        self._asked = (id, answer)
        try:
            await self._tell({"type": "blocked", "blocker": question})
            return await answer
        finally:
            if self._asked is not None and self._asked[1] is answer:
                self._asked = None

    async def unblocked(self) -> None:
        """It needs nobody any more."""
        self._answered(None)
        await self._tell({"type": "unblocked"})

    async def _tell(self, report: protocol.RunReportReport) -> None:
        """Reports what only work that has started can report. What is reported meanwhile waits behind the start."""
        async with self._starting:
            if not self._has_started:
                await self.started(self.run["id"])
        await self._send(report)

    def _heard(self, told: protocol.ProviderWorkAnswer) -> None:
        """Somebody has answered. An answer to something that is not asked any more means nothing."""
        if self._asked is not None and self._asked[0] in (told.get("requestID"), told.get("callID")):
            self._answered(told)

    def _answered(self, answer: protocol.ProviderWorkAnswer | None) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked[1].done():
            asked[1].set_result(answer)

    def _failure(self, error: BaseException) -> protocol.RunReportReportFailed:
        message = _described(error, self.ending)[:_MESSAGE]
        if not isinstance(error, WorkFailed):
            code: protocol.ErrorCode = "execution_failed" if self._has_started else "start_failed"
            return {"type": "failed", "code": code, "message": message}
        if error.error_class is None:
            return {"type": "failed", "code": error.code, "message": message}
        return {"type": "failed", "code": error.code, "message": message, "class": error.error_class}


def _described(error: BaseException, ending: Exception | None) -> str:
    """An error in words: a report needs some."""
    if isinstance(error, SextonError) and error.kind == "invalid_params":
        faults = ", ".join(f"{fault['field']} {fault['message']}" for fault in error.data.get("details", ()))
        return f"its report was refused: {faults}"
    if isinstance(error, asyncio.CancelledError):
        return "it was cancelled" if ending is None else str(ending)
    said = str(error).replace("\0", "").strip()
    return said or f"it failed with {type(error).__name__}, without saying why"


def _parts(text: str) -> Iterator[str]:
    """A text in parts that one report takes each, cut between characters."""
    data = text.encode("utf-8", "replace")
    start = 0
    while start < len(data):
        end = min(start + _PART, len(data))
        # A byte that goes on a character begins with the bits 10.
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[start:end].decode()
        start = end
