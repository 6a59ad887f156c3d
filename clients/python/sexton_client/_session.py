"""A sidecar that has opened the project."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from . import protocol
from ._connection import Connection
from ._transport import Transport
from .errors import SidecarEnd, SidecarLostError, SidecarUnavailableError

PROTOCOL = 1
"""The version of the protocol that this client speaks."""

_GOING = 5.0
"""How long one that was killed may take to go, in seconds."""


class Session:
    def __init__(self, connection: Connection, opened: protocol.InitializeResult) -> None:
        self.connection = connection
        self.opened = opened
        """What the sidecar has answered to `initialize`."""
        self.started_at = asyncio.get_running_loop().time()
        self.newest: int = opened["seq"]
        """An event that is in the ledger for certain: whoever begins now has missed nothing by going on after it."""

    @property
    def lost(self) -> asyncio.Future[SidecarEnd]:
        return self.connection.lost

    @staticmethod
    async def begin(transport: Transport, params: Mapping[str, Any], within: float, bound: int) -> Session:
        """Opens the project. What does not do so in time is ended."""
        connection = Connection(transport, bound)
        try:
            await connection.begin()
            opened = await asyncio.wait_for(connection.request("initialize", params), within)
            if not isinstance(opened, dict) or opened.get("protocolVersion") != PROTOCOL:
                version = opened.get("protocolVersion") if isinstance(opened, dict) else None
                versions = f"version {version} of the protocol, this client version {PROTOCOL}"
                raise SidecarUnavailableError(f"the sidecar speaks {versions}; update the older one of the two")
            return Session(connection, cast(protocol.InitializeResult, opened))
        except asyncio.CancelledError:
            connection.kill()
            raise
        except BaseException as error:
            connection.kill()
            await asyncio.wait([connection.lost], timeout=_GOING)
            if isinstance(error, asyncio.TimeoutError):
                message = f"the sidecar has not opened the project within {within:g} s"
                raise SidecarUnavailableError(message) from None
            if isinstance(error, SidecarLostError):
                message = f"the sidecar did not open the project: it {error.end}"
                raise SidecarUnavailableError(message) from error
            raise
