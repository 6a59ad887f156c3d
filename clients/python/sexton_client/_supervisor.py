"""Keeps a sidecar: starts another one when it goes, and tells who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ._session import Session
from ._transport import Transport, call
from .errors import ClientClosedError, SextonError, SidecarEnd, SidecarUnavailableError

ClientState = Literal["starting", "ready", "lost", "failed", "closed"]
"""`lost`: it has gone, and another one is or will be started. `failed` and `closed` are final."""


@dataclass(frozen=True)
class RestartPolicy:
    """What becomes of a sidecar that has gone without being asked to."""

    when: Literal["always", "when_needed", "never"] = "always"
    """`always`: another one is started at once, because a window that waits for nothing fires timers all the same.
    `when_needed`: when something is asked, or while something is subscribed to. `never`: the client has failed.
    """
    attempts: int = 8
    """How often in a row it may fail to start, or go soon after, before the client has failed."""
    delay: float = 0.1
    """How long the second attempt waits, in seconds; each one after that waits twice as long as the one before."""
    max_delay: float = 10.0
    """The longest wait between two attempts, in seconds. A sidecar that has lived for longer has not gone soon."""


@dataclass(frozen=True)
class Plan:
    open: Callable[[], Transport]
    params: Mapping[str, Any]
    start_timeout: float
    max_message_bytes: int
    restart: RestartPolicy


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self._loop = asyncio.get_running_loop()
        self._plan = plan
        self._listeners: list[Callable[[ClientState], object]] = []
        self._leaving: asyncio.Future[None] = self._loop.create_future()
        self._starting: Transport | None = None
        self._coming: asyncio.Task[Session] | None = None
        self._failure: Exception | None = None
        self._failures = 0
        """How many in a row have not started, or have gone soon."""
        self.state: ClientState = "starting"
        self.current: Session | None = None
        """The sidecar, if there is one now."""
        self.keepers: list[Callable[[Session], object]] = []
        """Whoever opens something in each sidecar, before anybody else asks anything of it."""

    @staticmethod
    async def start(plan: Plan) -> Supervisor:
        """Starts the first one. If that fails, it is not tried again: what is wrong is for the caller to know."""
        supervisor = Supervisor(plan)
        supervisor._took(await supervisor._attempt())
        return supervisor

    def on_state(self, listener: Callable[[ClientState], object]) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    async def session(self, what: str) -> Session:
        """The sidecar, when there is one."""
        if self.current is not None:
            return self.current
        return await asyncio.shield(self.coming(what))

    def coming(self, what: str) -> asyncio.Future[Session]:
        """The same for whoever waits for something else as well."""
        if self.current is not None:
            there: asyncio.Future[Session] = self._loop.create_future()
            there.set_result(self.current)
            return there
        if self.state == "closed" or self._leaving.done():
            raise ClientClosedError(what)
        if self._failure is not None:
            raise SidecarUnavailableError(f"{what}: {self._failure}") from self._failure
        if self._coming is None:
            self._coming = self._loop.create_task(self._again())
            # Whoever needs it is told how that goes; it may be that nobody does.
            self._coming.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._coming

    def let_go(self) -> None:
        """From now on no other one is started."""
        if not self._leaving.done():
            self._leaving.set_result(None)
        if self._starting is not None:
            self._starting.kill()

    def keep(self) -> None:
        """It goes on after all."""
        if self.state == "closed":
            return
        self._leaving = self._loop.create_future()
        if self.current is None:
            self._start_again()

    async def closed(self) -> None:
        """Everything ends; one that is being started as well."""
        self.let_go()
        if self._coming is not None:
            await asyncio.wait([self._coming])
        self._become("closed")

    def _took(self, session: Session) -> None:
        self.current = session
        self._coming = None
        for keeper in list(self.keepers):
            keeper(session)
        self._become("ready")
        session.connection.on_lost(lambda end: self._gone(session, end))

    def _gone(self, session: Session, end: SidecarEnd) -> None:
        restart = self._plan.restart
        self.current = None
        lived = self._loop.time() - session.started_at
        self._failures = 0 if lived > restart.max_delay else self._failures + 1
        if self._leaving.done():
            self._become("closed")
        elif restart.when == "never":
            self._fail(SidecarUnavailableError(f"the sidecar {end}, and is not to be started again"))
        elif self._failures >= restart.attempts:
            self._fail(SidecarUnavailableError(f"the sidecar {end}, and has gone too often to be started again"))
        else:
            self._become("lost")
            self._start_again()

    def _start_again(self) -> None:
        if self._plan.restart.when == "always" and self._failure is None:
            self.coming("starting again")

    async def _again(self) -> Session:
        restart = self._plan.restart
        try:
            while True:
                if self._failures > 1:
                    wait = min(restart.delay * 2 ** (self._failures - 2), restart.max_delay)
                    await asyncio.wait([self._leaving], timeout=wait)
                if self._leaving.done():
                    raise ClientClosedError("starting again")
                try:
                    session = await self._attempt()
                except (SextonError, SidecarUnavailableError) as error:
                    self._failures += 1
                    if self._leaving.done():
                        raise ClientClosedError("starting again") from None
                    # What is wrong with what it was told is as wrong the next time.
                    lasting = isinstance(error, SextonError) and error.kind == "invalid_params"
                    if lasting or self._failures >= restart.attempts:
                        self._fail(error)
                        raise
                else:
                    self._took(session)
                    return session
        finally:
            if self._coming is asyncio.current_task():
                self._coming = None

    async def _attempt(self) -> Session:
        plan = self._plan
        transport = plan.open()
        self._starting = transport
        try:
            session = await Session.begin(transport, plan.params, plan.start_timeout, plan.max_message_bytes)
        finally:
            self._starting = None
        if self._leaving.done():
            session.connection.kill()
            raise ClientClosedError("starting again")
        return session

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._become("failed")

    def _become(self, state: ClientState) -> None:
        if self.state in (state, "closed"):
            return
        self.state = state
        for listener in list(self._listeners):
            call(listener, state)
