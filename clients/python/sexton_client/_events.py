"""`client.events()` and `client.output()`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._feed import Source
from ._kept import Kind
from ._session import Session
from .protocol import Event

EVENTS = 256
"""More than a window makes in a moment, and little memory: an event is seldom longer than a few kilobytes."""

OUTPUT = 1024 * 1024
"""In bytes: as much as a run writes before its reader has looked up, in parts of 64 KiB."""


class EventSource(Source[Event]):
    kind = Kind("events/subscribe", "events/unsubscribe")

    def __init__(self, place: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
        self._place = dict(place)
        self._chosen = chosen
        self._first: dict[str, Any] | None = None
        """Where it goes on if a sidecar is lost before it has told anything."""

    def params(self, session: Session) -> Mapping[str, Any]:
        place = self._place
        if "after" not in place and self._first is not None:
            place = self._first
        if self._first is None:
            self._first = {"after": session.newest, "ledgerID": session.opened["ledgerID"]}
        return {**place, **self._chosen}

    def heard(self, told: Any, session: Session) -> Event:
        event: Event = told
        session.newest = max(session.newest, event["seq"])
        self._place = {"after": event["seq"], "ledgerID": session.opened["ledgerID"]}
        return event

    def size(self, item: Event) -> int:
        return 1

    def is_last(self, item: Event) -> bool:
        return False


@dataclass(frozen=True)
class Part:
    """A part of what a run has written. Parts end between characters, where what is written has any."""

    offset: int
    """Where it begins, in bytes."""
    data: bytes
    end: bool
    """Whether the run has ended, and this was all."""

    @property
    def text(self) -> str:
        """The same in characters; what is no UTF-8 is replaced."""
        return self.data.decode("utf-8", "replace")


class OutputSource(Source[Part]):
    kind = Kind("output/subscribe", "output/unsubscribe")

    def __init__(self, run_id: str, offset: int) -> None:
        self._run_id = run_id
        self._offset = offset

    def params(self, session: Session) -> Mapping[str, Any]:
        return {"runID": self._run_id, "offset": self._offset}

    def heard(self, told: Any, session: Session) -> Part:
        data = base64.b64decode(told["data"]) if told["encoding"] == "base64" else told["data"].encode()
        part = Part(told["offset"], data, told["end"])
        self._offset = part.offset + len(data)
        return part

    def size(self, item: Part) -> int:
        return len(item.data)

    def is_last(self, item: Part) -> bool:
        return item.end
