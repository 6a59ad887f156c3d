"""What can go wrong: what the sidecar refuses, and what becomes of the sidecar itself."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .protocol import refusal_codes


class SextonError(Exception):
    """A request was refused: nothing was changed."""

    kind: str
    """What to match on, one of `RefusalKind` or a word of a later version; the message is for people."""
    code: int
    data: Mapping[str, Any]
    """What is told beside the message: `protocol.Refused…` says what each kind has."""
    method: str

    def __init__(self, method: str, kind: str, message: str, *, code: int, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.method = method
        self.kind = kind
        self.code = code
        self.data = data


def refusal(method: str, told: Mapping[str, Any]) -> SextonError:
    """Reads the error of an answer. A kind that this version does not know is kept as it is."""
    code = told.get("code")
    code = code if isinstance(code, int) else refusal_codes["internal"]
    data = told.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
        usual = next((kind for kind, known in refusal_codes.items() if known == code), "internal")
        data = {**(data if isinstance(data, Mapping) else {}), "kind": usual}
    return SextonError(method, data["kind"], str(told.get("message")), code=code, data=data)


@dataclass(frozen=True)
class SidecarEnd:
    """How a sidecar ended, as far as that can be seen."""

    exit_code: int | None = None
    """None if a signal ended it, or if it is no process of this client."""
    signal: int | None = None
    log: str = ""
    """The last lines of its log."""
    flaw: str = ""
    """What it has said that is no protocol, if that is why it was ended."""

    def __str__(self) -> str:
        if self.flaw:
            how = f"was ended, because {self.flaw}"
        elif self.signal is not None:
            how = f"was ended by {_signal_name(self.signal)}"
        elif self.exit_code is not None:
            how = f"ended with code {self.exit_code}"
        else:
            how = "ended"
        said = self.log.strip()
        return f"{how}; it said last: {said[-2000:]}" if said else how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class SidecarLostError(Exception):
    """The sidecar went while something was asked of it.

    Whether a change was made is not known: look, or ask again with the same `key`, where a method has one.
    """

    kind = "sidecar_lost"
    end: SidecarEnd

    def __init__(self, what: str, end: SidecarEnd) -> None:
        super().__init__(f"{what}: the sidecar {end}")
        self.end = end


class SidecarUnavailableError(Exception):
    """There is no sidecar: it could not be started, or was not started again. Nothing was asked of it."""

    kind = "sidecar_unavailable"


class ClientClosedError(Exception):
    """The client was closed; nothing was asked of the sidecar."""

    kind = "client_closed"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: this client is closed; make another one for more")
