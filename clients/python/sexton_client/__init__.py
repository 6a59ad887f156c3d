"""The client of sexton, the automation sidecar. See the README of this package.

`SextonClient.spawn()` for programs that use asyncio, `open()` for scripts.
"""

from . import protocol
from ._blocking import BlockingHold, BlockingStream, Sexton, open
from ._client import DirectoryHold, SessionOptions, SextonClient, SpawnOptions
from ._events import Part
from ._feed import Stream
from ._provider import CarryOut, Outcome, Serving
from ._supervisor import ClientState, RestartPolicy
from ._work import Work, WorkCancelled, WorkFailed
from .errors import ClientClosedError, SextonError, SidecarEnd, SidecarLostError, SidecarUnavailableError

__all__ = [
    "BlockingHold",
    "BlockingStream",
    "CarryOut",
    "ClientClosedError",
    "ClientState",
    "DirectoryHold",
    "Outcome",
    "Part",
    "RestartPolicy",
    "Serving",
    "SessionOptions",
    "Sexton",
    "SextonClient",
    "SextonError",
    "SidecarEnd",
    "SidecarLostError",
    "SidecarUnavailableError",
    "SpawnOptions",
    "Stream",
    "Work",
    "WorkCancelled",
    "WorkFailed",
    "open",
    "protocol",
]
