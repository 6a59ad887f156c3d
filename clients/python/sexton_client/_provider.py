"""`client.serve_provider()`: prompts are carried out by a callback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Union

from . import protocol
from ._connection import Connection
from ._kept import SERVE, Kept
from ._supervisor import Supervisor
from ._work import Work, WorkCancelled
from .errors import ClientClosedError, SextonError, SidecarLostError, SidecarUnavailableError


class Outcome(TypedDict, total=False):
    """What comes of work that is done."""

    text: str
    """What the agent said at the end. At most 65536 bytes of UTF-8."""
    outcome: protocol.ResultOutcome
    last: bool
    """The watch is over: the automation is paused."""


CarryOut = Callable[[Work], Awaitable[Union[Outcome, str, None]]]
"""Carries one run out.

What it returns is what came of it, a text alone is its last words; what it raises is why it has failed. If it does not
call `work.started`, the run has no session of an agent, and its own id stands for one. Its task is cancelled when the
run is to end.
"""


@dataclass
class _AtWork:
    work: Work
    callback: asyncio.Task[Any]
    reported: asyncio.Task[None]
    """Is done when the sidecar knows what became of it."""


class Serving:
    """A provider that this window serves, in whichever sidecar it has."""

    def __init__(self, supervisor: Supervisor, carry_out: CarryOut) -> None:
        self._supervisor = supervisor
        self._carry_out = carry_out
        self._at_work: dict[str, _AtWork] = {}
        self._kept: Kept | None = None

    @staticmethod
    async def begin(supervisor: Supervisor, offer: Mapping[str, Any], carry_out: CarryOut) -> Serving:
        serving = Serving(supervisor, carry_out)
        serving._kept = await Kept.open(supervisor, SERVE, offer, serving._heard, serving._lost)
        return serving

    async def ended(self) -> Exception | None:
        """Waits until nothing is served any more: gives nothing if that was asked for, else the reason."""
        return None if self._kept is None else await self._kept.ended()

    async def close(self) -> None:
        """Serves no more. Runs that go on end as interrupted; their callbacks are cancelled and waited for."""
        if self._kept is not None:
            await self._kept.close()
        self._abandon(ClientClosedError("serving"))
        tasks = [at_work.reported for at_work in self._at_work.values()]
        if tasks:
            await asyncio.wait(tasks)

    def _lost(self) -> None:
        self._abandon(SidecarUnavailableError("the sidecar that had begun the run has gone"))

    def _abandon(self, reason: Exception) -> None:
        for at_work in self._at_work.values():
            self._end(at_work, reason)

    def _heard(self, told: Any) -> None:
        work: protocol.ProviderWork = told
        if work["type"] == "start":
            self._begin(work)
            return
        at_work = self._at_work.get(work["runID"])
        if at_work is None:
            return
        if work["type"] == "answer":
            at_work.work._heard(work)
        elif work["type"] == "cancel":
            self._end(at_work, WorkCancelled(work["reason"]))
            if work["now"] and not at_work.work.urgent:
                at_work.work.urgent = True
                at_work.callback.cancel()

    def _end(self, at_work: _AtWork, reason: Exception) -> None:
        if at_work.work.ending is None:
            at_work.work.ending = reason
            at_work.callback.cancel()

    def _begin(self, start: protocol.ProviderWorkStart) -> None:
        session = self._supervisor.current
        if session is None:
            return
        run_id = start["run"]["id"]
        # Only the sidecar that has begun a run takes reports of it.
        connection = session.connection

        async def send(report: protocol.RunReportReport) -> None:
            await connection.request("run/report", {"runID": run_id, "report": report})

        work = Work(start, send)

        async def carried_out() -> Outcome | str | None:
            return await self._carry_out(work)

        loop = asyncio.get_running_loop()
        callback = loop.create_task(carried_out())
        at_work = _AtWork(work, callback, loop.create_task(self._carry(work, callback, connection)))
        self._at_work[run_id] = at_work

        def done(_: asyncio.Task[None]) -> None:
            if self._at_work.get(run_id) is at_work:
                del self._at_work[run_id]

        at_work.reported.add_done_callback(done)

    async def _carry(self, work: Work, callback: asyncio.Task[Any], connection: Connection) -> None:
        await asyncio.wait([callback])
        try:
            told = callback.result()
            if not work._has_started:
                await work.started(work.run["id"])
            outcome: Mapping[str, Any] = {"text": told} if isinstance(told, str) else told or {}
            report: Mapping[str, Any] = {"type": "finished", **outcome}
            await connection.request("run/report", {"runID": work.run["id"], "report": report})
        except Exception as error:
            await self._report(work._failure(error), work, connection)
        except asyncio.CancelledError as error:
            if not callback.cancelled():
                raise
            await self._report(work._failure(error), work, connection)

    @staticmethod
    async def _report(report: Mapping[str, Any], work: Work, connection: Connection) -> None:
        try:
            await connection.request("run/report", {"runID": work.run["id"], "report": report})
        except (SextonError, SidecarLostError):
            # A run that has ended, or whose sidecar has gone, takes no report; then nobody waits for one.
            pass
