"""What a subscription tells, one thing after the other, for as long as somebody wants to know."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

from ._kept import Kind, during
from ._session import Session
from ._supervisor import Supervisor
from ._waiting import first_of
from .errors import ClientClosedError, SidecarLostError

T = TypeVar("T")


class Source(Generic[T]):
    """Something that is told from a place on."""

    kind: Kind

    def params(self, session: Session) -> Mapping[str, Any]:
        """What is asked for next: everything after what was heard last."""
        raise NotImplementedError

    def heard(self, told: Any, session: Session) -> T:
        """Reads what is told, and moves the place on."""
        raise NotImplementedError

    def size(self, item: T) -> int:
        """How much room it takes until somebody has taken it."""
        raise NotImplementedError

    def is_last(self, item: T) -> bool:
        raise NotImplementedError


class Feed(Generic[T]):
    """A subscription and what it has told. It begins when it is made, so nothing that follows is missed.

    What nobody has taken yet is kept up to a bound. Then the subscription is closed, and opened again at its place when
    half of that was taken: the record itself is what a slow reader waits with, so nothing is lost, nothing comes twice,
    and answers to requests never wait behind it. In the same way it goes on in the sidecar after one that was lost.
    """

    def __init__(self, supervisor: Supervisor, source: Source[T], bound: int) -> None:
        if bound < 1:
            raise ValueError(f"a buffer of {bound} holds nothing; name a positive number")
        self.loop = asyncio.get_running_loop()
        self._source = source
        self._bound = bound
        self._untaken: deque[T] = deque()
        self._size = 0
        self._readers: list[asyncio.Future[None]] = []
        self._stopped: asyncio.Future[None] = self.loop.create_future()
        self._roomy: asyncio.Future[None] = self.loop.create_future()
        self._enough: asyncio.Future[None] = self.loop.create_future()
        """Is set when no more is to be told: there is no room, it was the last, or nobody wants to know."""
        self._has_ended = False
        self._error: BaseException | None = None
        self._was_last = False
        first = supervisor.current
        opening = None if first is None else self._open(first)
        self._over = self.loop.create_task(self._follow(supervisor, first, opening))
        self._over.add_done_callback(self._finish)

    def _open(self, session: Session) -> asyncio.Future[str] | None:
        """Asks for what follows; gives nothing if this sidecar has gone."""
        enough: asyncio.Future[None] = self.loop.create_future()
        self._enough = enough

        def listener(told: Any) -> None:
            if enough.done():
                return
            item = self._source.heard(told, session)
            self._was_last = self._source.is_last(item)
            self._put(item)
            if self._was_last or self._size >= self._bound:
                enough.set_result(None)

        try:
            kind = self._source.kind
            return session.connection.open(kind.opens, self._source.params(session), listener)
        except SidecarLostError:
            return None

    async def _follow(
        self, supervisor: Supervisor, session: Session | None, opening: asyncio.Future[str] | None
    ) -> None:
        kind = self._source.kind
        while not self._stopped.done():
            if session is not None and opening is not None:
                await during(session, kind, opening, self._enough)
            if self._was_last:
                return
            if self._size >= self._bound:
                self._roomy = self.loop.create_future()
                await first_of(self._roomy, self._stopped)
            if self._stopped.done():
                return
            coming = supervisor.coming(kind.opens)
            await first_of(coming, self._stopped)
            if not self._stopped.done():
                session = coming.result()
                opening = self._open(session)

    def _put(self, item: T) -> None:
        self._untaken.append(item)
        self._size += self._source.size(item)
        self._wake()

    def _wake(self) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)

    def _finish(self, over: asyncio.Task[None]) -> None:
        self._has_ended = True
        if not over.cancelled():
            error = over.exception()
            self._error = None if isinstance(error, ClientClosedError) or self._stopped.done() else error
        self._wake()

    async def next(self) -> T:
        while not self._untaken:
            if self._has_ended or self._stopped.done():
                # The end is told once as what it was, and from then on as the end.
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            reader: asyncio.Future[None] = self.loop.create_future()
            self._readers.append(reader)
            await reader
        item = self._untaken.popleft()
        self._size -= self._source.size(item)
        if self._size <= self._bound // 2 and not self._roomy.done():
            self._roomy.set_result(None)
        return item

    def stop(self) -> None:
        for future in (self._stopped, self._enough):
            if not future.done():
                future.set_result(None)
        self._untaken.clear()
        self._size = 0
        self._wake()

    async def close(self) -> None:
        self.stop()
        if not self._has_ended:
            await asyncio.wait([self._over])


class Stream(AsyncIterator[T]):
    """What a subscription tells, in order. It ends when it is closed, when nobody has it any more, or with the client.

    ```
    async with client.events() as events:
        async for event in events:
            ...
    ```
    """

    def __init__(self, feed: Feed[T]) -> None:
        self._feed = feed

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        return await self._feed.next()

    async def aclose(self) -> None:
        """Ends it: nothing more is told, and the sidecar knows."""
        await self._feed.close()

    async def __aenter__(self) -> Stream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # A loop that was left has nobody who would close this, and the sidecar has few subscriptions to give.
        feed = getattr(self, "_feed", None)
        if feed is not None and not feed.loop.is_closed():
            try:
                feed.loop.call_soon_threadsafe(feed.stop)
            except RuntimeError:
                # The loop was closed meanwhile, and everything with it.
                pass
