"""The end of a conversation."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from . import protocol
from ._session import Session
from ._waiting import first_of
from .errors import SextonError, SidecarLostError
from .protocol import refusal_codes

_LEAVING = 5.0
"""How long a sidecar that has been shut down may take to go, in seconds: it needs one at most."""

Closed = Literal["completed", "overtaken"]
"""How a close went on."""


async def shut_down(session: Session, mode: protocol.CloseMode, overtaken: asyncio.Future[None]) -> Closed:
    """Has a sidecar end. In maintenance its runs are waited for, until another close overtakes it with force.

    Raises if the sidecar will not close: then it goes on.
    """
    try:
        if mode == "force":
            await _forced(session)
        elif await _maintenance(session, overtaken) == "overtaken":
            return "overtaken"
        await _leave(session)
    except SidecarLostError:
        # A sidecar that has gone meanwhile has ended as well.
        pass
    except asyncio.CancelledError:
        # Nobody waits any more, and perhaps there is no loop soon.
        session.connection.kill()
        raise
    return "completed"


async def _forced(session: Session) -> None:
    try:
        await asyncio.wait_for(session.connection.request("shutdown", {"mode": "force"}), _LEAVING)
    except asyncio.TimeoutError:
        # It does not hear. Its guards end what it has left, and the next window records how.
        session.connection.kill()


async def _maintenance(session: Session, overtaken: asyncio.Future[None]) -> Closed:
    connection, lost = session.connection, session.lost
    loop = asyncio.get_running_loop()
    ends: dict[str, protocol.Lifecycle] = {}
    awaited: str | None = None
    ended: asyncio.Future[None] = loop.create_future()

    def look() -> None:
        if awaited in ends and not ended.done():
            ended.set_result(None)

    def listener(event: Any) -> None:
        # Only closes of this project are told of, and it has few at a time.
        if "lifecycle" in event:
            ends[event["lifecycle"]["id"]] = event["lifecycle"]
            look()

    # Asked for before the shutdown, so that its end is heard however soon it comes.
    kinds = {"kinds": ["lifecycle.completed", "lifecycle.failed"]}
    subscribing = connection.open("events/subscribe", kinds, listener)
    result: protocol.ShutdownResult = await connection.request("shutdown", {"mode": "maintenance"})
    if result is None or result["status"] != "deferred":
        # Whether it was taken does not matter any more.
        subscribing.cancel()
        return "completed"
    await subscribing
    awaited = result["lifecycleActionID"]
    look()
    await first_of(ended, overtaken, lost)
    if ended.done():
        end = ends[awaited]
        if "error" in end:
            kind = "close_failed"
            data = {"kind": kind, "lifecycleActionID": awaited}
            raise SextonError("shutdown", kind, end["error"], code=refusal_codes[kind], data=data)
        return "completed"
    return "completed" if lost.done() else "overtaken"


async def _leave(session: Session) -> None:
    session.connection.notify("exit")
    await asyncio.wait([session.lost], timeout=_LEAVING)
    if not session.lost.done():
        session.connection.kill()
    await asyncio.wait([session.lost])
