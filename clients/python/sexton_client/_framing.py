"""Messages and the bytes that carry them: a header with their length, then JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""How long a message may be unless the sidecar is told otherwise (`limits.maxMessageBytes`)."""

_HEADER_BYTES = 4096
"""A header is some twenty bytes; whatever goes on for longer than this without an end is none."""


class FramingError(Exception):
    """What came is no message; where the next one would begin is not known."""


class MessageTooLong(Exception):
    """A message is longer than the sidecar would read."""


def encoded(message: Mapping[str, Any], bound: int) -> bytes:
    """A message as it is sent."""
    # In ASCII, so that text that is no Unicode arrives as what it is, and is refused with the name of its field.
    body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")
    if len(body) > bound:
        raise MessageTooLong(f"it has {len(body)} bytes, and the sidecar reads {bound}")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Decoder:
    """Makes messages of pieces of bytes. It keeps one message that has not come whole, and no more than its bound."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._kept = bytearray()
        self._awaited: int | None = None

    def messages(self, piece: bytes) -> Iterator[Any]:
        """The messages that end in this piece."""
        self._kept += piece
        while True:
            if self._awaited is None:
                self._awaited = self._header()
            if self._awaited is None or len(self._kept) < self._awaited:
                return
            body = bytes(self._kept[: self._awaited])
            del self._kept[: self._awaited]
            self._awaited = None
            try:
                message = json.loads(body)
            except (ValueError, RecursionError) as error:
                raise FramingError(f"what came is no JSON: {error}") from error
            yield message

    def _header(self) -> int | None:
        """How long the next message is, when its header has come."""
        end = self._kept.find(b"\r\n\r\n")
        if end < 0:
            if len(self._kept) > _HEADER_BYTES:
                raise FramingError(f"what came is no header: {bytes(self._kept[:80])!r}")
            return None
        header = bytes(self._kept[:end])
        del self._kept[: end + 4]
        for line in header.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
                if length > self._bound:
                    raise FramingError(f"a message of {length} bytes came, and {self._bound} are the most")
                return length
        raise FramingError(f"what came is no header: {header[:80]!r}")
