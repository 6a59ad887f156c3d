"""The same client for scripts: every call returns when it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import protocol
from ._blocking_methods import BlockingMethods
from ._client import DirectoryHold, SextonClient, SpawnOptions
from ._events import EVENTS, OUTPUT, Part
from ._feed import Stream
from ._supervisor import ClientState
from .errors import ClientClosedError
from .protocol import Event

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


def open(**options: Unpack[SpawnOptions]) -> Sexton:
    """Starts a sidecar and opens the project; see `SpawnOptions`.

    `with sexton_client.open(project=".") as sexton:` closes it as well.
    """
    loop = _Loop()
    try:
        return Sexton(loop, loop.run("opening", SextonClient._spawn(**options)))
    except BaseException:
        loop.stop()
        raise


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._there: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        # A program that ends without closing is not kept alive; its sidecar ends with it.
        self._process = os.getpid()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True, name="sexton-client")
        self._thread.start()
        self._loop, self._over = self._there.result()

    async def _live(self) -> None:
        over = asyncio.Event()
        self._there.set_result((asyncio.get_running_loop(), over))
        await over.wait()

    @property
    def is_inherited(self) -> bool:
        """Whether this is a fork of the process that has the thread: nobody would ever answer here."""
        return os.getpid() != self._process

    def run(self, what: str, coroutine: Coroutine[Any, Any, T]) -> T:
        """Gives what this gives. What interrupts the wait, such as Ctrl-C, cancels it."""
        if self.is_inherited:
            coroutine.close()
            raise RuntimeError(f"{what}: this client belongs to the process that was forked; open another one here")
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError(f"{what}: a listener must not wait; ask from another thread")
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise ClientClosedError(what) from None
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self, what: str, coroutine: Coroutine[Any, Any, None]) -> None:
        """Ends something, unless it has ended with the client, or belongs to the process that was forked."""
        if self.is_inherited:
            coroutine.close()
            return
        with contextlib.suppress(ClientClosedError):
            self.run(what, coroutine)

    def stop(self) -> None:
        if self.is_inherited:
            return
        try:
            self._loop.call_soon_threadsafe(self._over.set)
        except RuntimeError:
            # It is closed already.
            return
        self._thread.join()


class Sexton(BlockingMethods):
    """A window on a project, for scripts. `sexton_client.open()` makes one; it may be used from any thread."""

    def __init__(self, loop: _Loop, client: SextonClient) -> None:
        super().__init__()
        self._loop = loop
        self._client = client

    @property
    def session(self) -> protocol.InitializeResult:
        """What the sidecar has told of itself and the project; after a restart, what the last one has told."""
        return self._client.session

    @property
    def pid(self) -> int | None:
        """The process of the sidecar, if there is one now."""
        return self._client.pid

    @property
    def state(self) -> ClientState:
        return self._client.state

    def _asked(self, method: str, params: Mapping[str, Any]) -> Any:
        return self._loop.run(method, self._client._asked(method, params))

    def events(
        self,
        *,
        after: int | None = None,
        ledgerID: str | None = None,
        kinds: Sequence[protocol.EventsSubscribeKindsItem] | None = None,
        automationID: str | None = None,
        buffer: int = EVENTS,
    ) -> BlockingStream[Event]:
        """Everything that happens, in order; see `SextonClient.events`."""

        def begun() -> Stream[Event]:
            return self._client.events(
                after=after, ledgerID=ledgerID, kinds=kinds, automationID=automationID, buffer=buffer
            )

        return self._stream("events/subscribe", begun)

    def output(self, run_id: str, *, offset: int = 0, buffer: int = OUTPUT) -> BlockingStream[Part]:
        """What a run writes, while it writes it, to its end; see `SextonClient.output`."""
        return self._stream("output/subscribe", lambda: self._client.output(run_id, offset=offset, buffer=buffer))

    def _stream(self, what: str, begun: Callable[[], Stream[T]]) -> BlockingStream[T]:
        async def begin() -> Stream[T]:
            return begun()

        return BlockingStream(self._loop, what, self._loop.run(what, begin()))

    def run(self, automation: str, *, context: str | None = None) -> protocol.AnyRun:
        """Has an automation, named by its title or id, carried out now, and gives the run when it has ended.

        How it has ended is for the caller to look at. If the sidecar is lost meanwhile, the run is not made twice.
        """
        return self._loop.run("automation/run", self._client.run(automation, context=context))

    def wait(self, run_id: str) -> protocol.AnyRun:
        """Waits until a run has ended, and gives it."""
        return self._loop.run("run/get", self._client.wait(run_id))

    def hold(self, *, title: str, directory: str | os.PathLike[str] | None = None) -> BlockingHold:
        """Says that the user's own work goes on in a directory: runs that write there wait for it."""

        async def held() -> DirectoryHold:
            return await self._client.hold(title=title, directory=directory)

        return BlockingHold(self._loop, self._loop.run("directory/hold", held()))

    def close(self, mode: protocol.CloseMode = "force") -> None:
        """Ends everything of this window, its sidecar included; see `SextonClient.close`."""
        if self._client.state != "closed":
            self._loop.end("shutdown", self._client.close(mode))
        self._loop.stop()

    def __enter__(self) -> Sexton:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BlockingStream(Iterator[T], Generic[T]):
    """What a subscription tells, in order. It ends when it is closed, nobody has it any more, or with the client."""

    def __init__(self, loop: _Loop, what: str, stream: Stream[T]) -> None:
        self._loop = loop
        self._what = what
        self._stream = stream

    def __iter__(self) -> BlockingStream[T]:
        return self

    def __next__(self) -> T:
        try:
            found = self._loop.run(self._what, _next_of(self._stream))
        except ClientClosedError:
            raise StopIteration from None
        if not found:
            raise StopIteration
        return found[0]

    def close(self) -> None:
        """Ends it: nothing more is told, and the sidecar knows."""
        self._loop.end(self._what, self._stream.aclose())

    def __enter__(self) -> BlockingStream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _next_of(stream: Stream[T]) -> tuple[T] | None:
    """The next thing, or nothing at the end, which cannot be raised through a future."""
    try:
        return (await stream.__anext__(),)
    except StopAsyncIteration:
        return None


class BlockingHold:
    """Says that the user works in a directory, for as long as it is not released."""

    def __init__(self, loop: _Loop, hold: DirectoryHold) -> None:
        self._loop = loop
        self._hold = hold

    def release(self) -> None:
        self._loop.end("directory/release", self._hold.release())

    def __enter__(self) -> BlockingHold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
