"""Subscriptions that outlive the sidecar they were opened in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Coroutine, Generic, Literal, Protocol, TypeVar

from ._connection import Listener
from ._session import Session
from ._supervisor import Supervisor
from ._waiting import first_of
from .errors import ClientClosedError, SextonError, SidecarLostError


@dataclass(frozen=True)
class Kind:
    """What a subscription is, in one sidecar or the next."""

    opens: str
    closes: str


HOLD = Kind("directory/hold", "directory/release")
SERVE = Kind("provider/serve", "provider/unserve")


async def during(
    session: Session,
    kind: Kind,
    opening: asyncio.Future[str],
    asked: asyncio.Future[None],
    opened: Callable[[], None] = lambda: None,
) -> Literal["asked", "lost"]:
    """Waits until the sidecar has gone or `asked` comes to pass; then the subscription is closed.

    `opened` is told when it is open.
    """
    try:
        subscription = await opening
        opened()
        await first_of(asked, session.lost)
        if session.lost.done():
            return "lost"
        try:
            await session.connection.close(kind.closes, subscription)
        except SextonError:
            # A sidecar that is shutting down refuses this, and ends all subscriptions itself.
            pass
        return "asked"
    except SidecarLostError:
        return "lost"


class Kept:
    """A subscription without a place of its own: it is opened again in each sidecar that follows."""

    def __init__(
        self,
        supervisor: Supervisor,
        kind: Kind,
        params: Mapping[str, Any],
        listener: Listener,
        lost: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = loop.create_future()
        self._opened: asyncio.Future[None] = loop.create_future()
        self._kind = kind
        self._params = params
        self._listener = listener
        self._lost = lost
        self._place: tuple[Session, asyncio.Future[str]] | None = None
        """The sidecar in which it was opened last."""
        self._run = loop.create_task(self._keep(supervisor))
        self._run.add_done_callback(lambda task: task.cancelled() or task.exception())

    @staticmethod
    async def open(
        supervisor: Supervisor,
        kind: Kind,
        params: Mapping[str, Any],
        listener: Listener = lambda told: None,
        lost: Callable[[], None] = lambda: None,
    ) -> Kept:
        """Gives it when it is open. `lost` is told each time a sidecar goes."""
        kept = Kept(supervisor, kind, params, listener, lost)
        try:
            await first_of(kept._opened, kept._run)
        except asyncio.CancelledError:
            kept.stop()
            raise
        if kept._run.done():
            kept._run.result()
        return kept

    async def _keep(self, supervisor: Supervisor) -> None:
        supervisor.keepers.append(self._open)
        try:
            while not self._stopped.done():
                coming = supervisor.coming(self._kind.opens)
                await first_of(coming, self._stopped)
                if self._stopped.done():
                    return
                opening = self._open(coming.result())
                if opening is None:
                    continue
                if await during(coming.result(), self._kind, opening, self._stopped, self._is_open) == "asked":
                    return
                self._lost()
        finally:
            supervisor.keepers.remove(self._open)

    def _open(self, session: Session) -> asyncio.Future[str] | None:
        """Opens it in a sidecar, once; gives nothing if that has gone."""
        if self._place is None or self._place[0] is not session:
            try:
                opening = session.connection.open(self._kind.opens, self._params, self._heard)
            except SidecarLostError:
                return None
            self._place = (session, opening)
        return self._place[1]

    def _is_open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _heard(self, told: Any) -> None:
        if not self._stopped.done():
            self._listener(told)

    def stop(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def close(self) -> None:
        """Ends it."""
        self.stop()
        await asyncio.wait([self._run])

    async def ended(self) -> Exception | None:
        """Waits until it is over: gives nothing when that was asked for, or what keeps it from being opened again."""
        try:
            await asyncio.shield(self._run)
        except ClientClosedError:
            return None
        except Exception as error:
            return error
        return None


class Closing(Protocol):
    """What is closed at the end of an `async with`."""

    async def close(self) -> None: ...


C = TypeVar("C", bound=Closing)


class Opening(Generic[C]):
    """Something that is being opened: `await` gives it, `async with` closes it too."""

    def __init__(self, coming: Coroutine[Any, Any, C]) -> None:
        self._coming = coming
        self._opened: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._coming.__await__()

    async def __aenter__(self) -> C:
        self._opened = await self._coming
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()
