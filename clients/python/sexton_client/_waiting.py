"""Waiting for the first of several things."""

from __future__ import annotations

import asyncio
from typing import Any


async def first_of(*futures: asyncio.Future[Any]) -> None:
    """Waits until one of these has come to pass, and leaves all of them as they are."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
