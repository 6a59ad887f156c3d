"""The client of one project."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, TypedDict

from . import protocol
from ._closing import shut_down
from ._events import EVENTS, OUTPUT, EventSource, OutputSource, Part
from ._feed import Feed, Stream
from ._framing import MAX_MESSAGE_BYTES
from ._kept import HOLD, Kept, Opening
from ._methods import Methods
from ._naming import automation_called
from ._provider import CarryOut, Serving
from ._supervisor import ClientState, Plan, RestartPolicy, Supervisor
from ._transport import Command, Transport, start
from .errors import SidecarLostError
from .protocol import Event

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SessionOptions(TypedDict, total=False):
    """What a sidecar is told when it opens the project."""

    project: str | os.PathLike[str]
    """The directory of the project; the working directory of the sidecar if it is absent."""
    clientInfo: protocol.InitializeClientInfo
    """Who this is, for people: it stands beside what this window has changed."""
    start_timeout: float
    """How long a sidecar may take to open the project, in seconds. 30 if it is absent."""
    role: protocol.Role
    """An observer reads and changes, but fires no timers, and carries out only what it asked for itself."""
    stateDirectory: str
    environment: dict[str, str]
    """For processes that this window starts."""
    providers: dict[str, protocol.InitializeInitializationOptionsProvidersValue]
    """The agents that this window can start."""
    followConfigFile: bool
    limits: protocol.InitializeInitializationOptionsLimits


class SpawnOptions(SessionOptions, total=False):
    """How a sidecar is started, and started again."""

    command: Sequence[str]
    """The program and its arguments; else `SEXTON_BIN` in the environment of this process, else `sexton` in the search
    path, with `--stdio`.
    """
    cwd: str | os.PathLike[str]
    """The working directory of the sidecar."""
    env: Mapping[str, str]
    """Its environment; that of this process if it is absent."""
    on_log: Callable[[str], object]
    """Is told each line of its log, without the line's end; else it goes to the standard error of this process."""
    restart: RestartPolicy


class DirectoryHold:
    """Says that the user works in a directory, for as long as it is not released."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def release(self) -> None:
        await self._kept.close()

    close = release

    async def ended(self) -> Exception | None:
        """Waits until it is over: gives nothing if it was released, else the reason."""
        return await self._kept.ended()


class SextonClient(Methods):
    """A window on a project. `SextonClient.spawn()` makes one."""

    def __init__(self, supervisor: Supervisor, opened: protocol.InitializeResult) -> None:
        super().__init__()
        self._supervisor = supervisor
        self._opened = opened
        self._closing: tuple[protocol.CloseMode, asyncio.Task[None]] | None = None
        self._overtake: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    def spawn(cls, **options: Unpack[SpawnOptions]) -> Opening[SextonClient]:
        """Starts a sidecar and opens the project; see `SpawnOptions`.

        `async with SextonClient.spawn(project=".") as client:` closes it as well.
        """
        return Opening(cls._spawn(**options))

    @classmethod
    async def _spawn(
        cls,
        *,
        command: Sequence[str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        on_log: Callable[[str], object] | None = None,
        restart: RestartPolicy = RestartPolicy(),
        **session: Unpack[SessionOptions],
    ) -> SextonClient:
        if isinstance(command, str):
            raise TypeError("command is the program and its arguments, as a list")
        how = Command(command, cwd, env, on_log)
        return await cls._begin(lambda: start(how), restart, **session)

    @classmethod
    def connect(
        cls, *, output: IO[bytes], input: IO[bytes], **options: Unpack[SessionOptions]
    ) -> Opening[SextonClient]:
        """Opens the project in a sidecar that somebody else has started.

        `output` is what it writes and `input` what it reads, pipes or sockets without a buffer; the client closes both.
        When they end, the client has failed.
        """
        never = RestartPolicy(when="never")
        return Opening(cls._begin(lambda: Transport(output, input), never, **options))

    @classmethod
    async def _begin(
        cls,
        open: Callable[[], Transport],
        restart: RestartPolicy,
        *,
        project: str | os.PathLike[str] | None = None,
        clientInfo: protocol.InitializeClientInfo | None = None,
        start_timeout: float = 30.0,
        role: protocol.Role | None = None,
        stateDirectory: str | None = None,
        environment: dict[str, str] | None = None,
        providers: dict[str, protocol.InitializeInitializationOptionsProvidersValue] | None = None,
        followConfigFile: bool | None = None,
        limits: protocol.InitializeInitializationOptionsLimits | None = None,
    ) -> SextonClient:
        chosen = {
            "projectDirectory": None if project is None else os.fspath(project),
            "role": role,
            "stateDirectory": stateDirectory,
            "environment": environment,
            "providers": providers,
            "followConfigFile": followConfigFile,
            "limits": limits,
        }
        params: dict[str, Any] = {"processId": os.getpid(), "initializationOptions": _present(chosen)}
        if clientInfo is not None:
            params["clientInfo"] = clientInfo
        bound = (limits or {}).get("maxMessageBytes", MAX_MESSAGE_BYTES)
        supervisor = await Supervisor.start(Plan(open, params, start_timeout, bound, restart))
        return cls(supervisor, (await supervisor.session("opening")).opened)

    @property
    def session(self) -> protocol.InitializeResult:
        """What the sidecar has told of itself and the project; after a restart, what the last one has told."""
        if self._supervisor.current is not None:
            self._opened = self._supervisor.current.opened
        return self._opened

    @property
    def pid(self) -> int | None:
        """The process of the sidecar, if there is one now and it was started here."""
        current = self._supervisor.current
        return None if current is None else current.connection.pid

    @property
    def state(self) -> ClientState:
        return self._supervisor.state

    def on_state(self, listener: Callable[[ClientState], object]) -> Callable[[], None]:
        """Tells each change of `state`; gives what ends that."""
        return self._supervisor.on_state(listener)

    async def _asked(self, method: str, params: Mapping[str, Any]) -> Any:
        session = await self._supervisor.session(method)
        return await session.connection.request(method, params)

    def events(
        self,
        *,
        after: int | None = None,
        ledgerID: str | None = None,
        kinds: Sequence[protocol.EventsSubscribeKindsItem] | None = None,
        automationID: str | None = None,
        buffer: int = EVENTS,
    ) -> Stream[Event]:
        """Everything that happens, in order: after a place in a ledger, else from this call on.

        It goes on in the sidecar that follows one that was lost, without gap or repeat; it ends when it is left or the
        client is closed. After `resync`, which is told whatever was chosen, list again. `buffer` is how many events are
        kept that nobody has taken yet.
        """
        place = _present({"after": after, "ledgerID": ledgerID})
        chosen = _present({"kinds": None if kinds is None else list(kinds), "automationID": automationID})
        return Stream(Feed(self._supervisor, EventSource(place, chosen), buffer))

    def output(self, run_id: str, *, offset: int = 0, buffer: int = OUTPUT) -> Stream[Part]:
        """What a run writes, while it writes it, from a byte on to its end.

        `buffer` is how many bytes are kept that nobody has taken yet.
        """
        return Stream(Feed(self._supervisor, OutputSource(run_id, offset), buffer))

    async def run(self, automation: str, *, context: str | None = None) -> protocol.AnyRun:
        """Has an automation, named by its title or id, carried out now, and gives the run when it has ended.

        How it has ended is for the caller to look at. If the sidecar is lost meanwhile, the run is not made twice.
        """
        id = await automation_called(automation, self.automations)
        key = uuid.uuid4().hex
        async with self.events(kinds=["run.updated"], automationID=id) as news:
            while True:
                try:
                    run = await self.automations.run(id, key=key, context=context)
                    break
                except SidecarLostError:
                    continue
            return await self._ended(run, news)

    async def wait(self, run_id: str) -> protocol.AnyRun:
        """Waits until a run has ended, and gives it."""
        async with self.events(kinds=["run.updated"]) as news:
            return await self._ended(await self.runs.get(run_id), news)

    async def _ended(self, run: protocol.AnyRun, news: Stream[Event]) -> protocol.AnyRun:
        if run["completedAt"] is not None:
            return run
        id = run["id"]
        async for event in news:
            if event["kind"] == "run.updated" and event["run"]["id"] == id:
                run = event["run"]
            elif event["kind"] == "resync":
                run = await self.runs.get(id)
            if run["completedAt"] is not None:
                return run
        # The news end with the client only; then this raises.
        return await self.runs.get(id)

    def serve_provider(
        self,
        carry_out: CarryOut,
        *,
        id: str,
        models: Sequence[protocol.ProviderServeModelsItem],
        maxConcurrent: int | None = None,
    ) -> Opening[Serving]:
        """Has this window carry prompts out. It is known to all windows when it is opened."""
        offer = _present({"id": id, "models": list(models), "maxConcurrent": maxConcurrent})
        return Opening(Serving.begin(self._supervisor, offer, carry_out))

    def hold(self, *, title: str, directory: str | os.PathLike[str] | None = None) -> Opening[DirectoryHold]:
        """Says that the user's own work goes on in a directory: runs that write there wait for it."""

        async def held() -> DirectoryHold:
            what = {"title": title, "directory": None if directory is None else os.fspath(directory)}
            return DirectoryHold(await Kept.open(self._supervisor, HOLD, _present(what)))

        return Opening(held())

    async def close(self, mode: protocol.CloseMode = "force") -> None:
        """Ends everything of this window, its sidecar included.

        `maintenance` waits for the runs of this window, and is overtaken by a later `force`; what the sidecar refuses
        is raised, and then it goes on.
        """
        if self.state == "closed":
            return
        if self._closing is None or (self._closing[0] == "maintenance" and mode == "force"):
            if not self._overtake.done():
                self._overtake.set_result(None)
            overtaken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._overtake = overtaken
            closing = asyncio.get_running_loop().create_task(self._close(mode, overtaken))
            self._closing = (mode, closing)
            closing.add_done_callback(self._closed)
        await asyncio.shield(self._closing[1])

    def _closed(self, closing: asyncio.Task[None]) -> None:
        if self._closing is not None and self._closing[1] is closing:
            self._closing = None
        if not closing.cancelled():
            # Whoever closes is told; it may be that nobody waits any more.
            closing.exception()

    async def _close(self, mode: protocol.CloseMode, overtaken: asyncio.Future[None]) -> None:
        session = self._supervisor.current
        # A sidecar that goes while it closes is not to be followed by another one.
        self._supervisor.let_go()
        if session is not None:
            try:
                how = await shut_down(session, mode, overtaken)
            except Exception:
                self._supervisor.keep()
                raise
            if how == "overtaken":
                if self._closing is not None:
                    await asyncio.shield(self._closing[1])
                return
        await self._supervisor.closed()


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
