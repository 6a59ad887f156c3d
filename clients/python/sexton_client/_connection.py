"""One conversation with one sidecar: requests and their answers, subscriptions and what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ._framing import Decoder, FramingError, MessageTooLong, encoded
from ._transport import Transport
from .errors import SextonError, SidecarEnd, SidecarLostError, refusal
from .protocol import refusal_codes

Listener = Callable[[Any], None]
"""What is told of a subscription."""


@dataclass(frozen=True)
class _Asked:
    method: str
    answer: asyncio.Future[Any]
    listener: Listener | None
    """Whoever hears of the subscription that is opened, if one is."""


class Connection:
    def __init__(self, transport: Transport, bound: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._bound = bound
        self._decoder = Decoder(bound)
        self._asked: dict[int, _Asked] = {}
        self._listeners: dict[str, Listener] = {}
        self._last_id = 0
        self._flaw = ""
        self._end: SidecarEnd | None = None
        self._on_lost: Callable[[SidecarEnd], None] = lambda end: None
        self.lost: asyncio.Future[SidecarEnd] = self._loop.create_future()
        """How the sidecar ended, when everything that it had written was dealt with."""

    async def begin(self) -> None:
        await self._transport.begin(self._heard, self._over)

    @property
    def pid(self) -> int | None:
        return self._transport.pid

    def on_lost(self, listener: Callable[[SidecarEnd], None]) -> None:
        """Has somebody know when the sidecar has gone before those know that wait for answers."""
        self._on_lost = listener
        if self._end is not None:
            listener(self._end)

    def kill(self) -> None:
        """Ends the sidecar without asking."""
        self._transport.kill()

    async def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Asks, and waits for the answer. Whoever stops waiting takes the request back."""
        id, answer = self._send(method, params, None)
        try:
            return await answer
        except asyncio.CancelledError:
            if self._asked.pop(id, None) is not None:
                self.notify("$/cancelRequest", {"id": id})
            raise

    def open(self, method: str, params: Mapping[str, Any], listener: Listener) -> asyncio.Future[str]:
        """Opens a subscription, which is asked for before this returns. The listener hears everything that is told."""
        _, answer = self._send(method, params, listener)
        # Whoever opens it may have found another way to its end by the time that this is known.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return answer

    async def close(self, method: str, subscription: str) -> None:
        """Ends a subscription; its listener hears nothing any more."""
        self._listeners.pop(subscription, None)
        await self.request(method, {"subscription": subscription})

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        self._write({"method": method} if params is None else {"method": method, "params": params})

    def _send(
        self, method: str, params: Mapping[str, Any], listener: Listener | None
    ) -> tuple[int, asyncio.Future[Any]]:
        if self._end is not None:
            raise SidecarLostError(method, self._end)
        self._last_id += 1
        id = self._last_id
        try:
            self._write({"id": id, "method": method, "params": params})
        except MessageTooLong as error:
            # The sidecar would skip it unread, and could not say whose it was.
            kind = "request_too_large"
            message = f"{method} was not sent: {error}; send less, or raise limits.maxMessageBytes"
            raise SextonError(method, kind, message, code=refusal_codes[kind], data={"kind": kind}) from None
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._asked[id] = _Asked(method, answer, listener)
        return id, answer

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._end is None:
            self._transport.send(encoded({"jsonrpc": "2.0", **message}, self._bound))

    def _heard(self, piece: bytes) -> None:
        if self._flaw:
            return
        try:
            for message in self._decoder.messages(piece):
                if isinstance(message, dict):
                    self._take(message)
        except FramingError as error:
            self._flaw = str(error)
            self.kill()
        except Exception as error:
            self._flaw = f"what came is not what the protocol has there: {error!r}"
            self.kill()

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            told = message.get("params")
            if isinstance(told, dict):
                listener = self._listeners.get(str(told.get("subscription")))
                if listener is not None:
                    listener(told.get("result"))
            return
        id = message.get("id")
        asked = self._asked.pop(id, None) if isinstance(id, int) else None
        if asked is None or asked.answer.done():
            return
        error = message.get("error")
        if isinstance(error, dict):
            asked.answer.set_exception(refusal(asked.method, error))
            return
        result = message.get("result")
        if asked.listener is not None:
            # Before anything that came after the answer is looked at.
            self._listeners[str(result)] = asked.listener
        asked.answer.set_result(result)

    def _over(self, end: SidecarEnd) -> None:
        end = replace(end, flaw=self._flaw)
        self._end = end
        left = list(self._asked.values())
        self._asked.clear()
        self._listeners.clear()
        self._on_lost(end)
        for asked in left:
            if not asked.answer.done():
                asked.answer.set_exception(SidecarLostError(asked.method, end))
        self.lost.set_result(end)
