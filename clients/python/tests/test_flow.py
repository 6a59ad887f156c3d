"""What is done about a sidecar that says too much, too little, or what nobody knows yet."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any

from sexton_client import SextonError, SidecarUnavailableError
from sexton_client._framing import Decoder, FramingError

from .played import OPENED, Played, event, framed
from .support import AsyncCase, next_of, within


class Framing(unittest.TestCase):
    def test_messages_come_in_any_pieces(self) -> None:
        messages: list[Any] = [{"id": 1, "result": "ä" * 100}, {"id": 2}, [3]]
        whole = b"".join(map(framed, messages))
        whole = whole.replace(b"Content-Length", b"Content-Type: x\r\ncontent-length", 1)
        for size in (1, 2, 7, 60, len(whole)):
            decoder = Decoder(1000)
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
            self.assertEqual([message for piece in pieces for message in decoder.messages(piece)], messages)

    def test_what_is_no_message_is_an_error(self) -> None:
        for noise in (
            b"hello\r\n\r\n",
            b"Content-Length: ten\r\n\r\n",
            b"Content-Length: 3\r\n\r\nno!",
            b"Content-Length: 200001\r\n\r\n" + b"[" * 200_001,
            b"x" * 5000,
        ):
            with self.assertRaises(FramingError, msg=noise[:30]):
                list(Decoder(1_000_000).messages(noise))

    def test_a_message_that_is_too_long_is_not_taken_in(self) -> None:
        with self.assertRaisesRegex(FramingError, "1001 bytes came, and 1000 are the most"):
            list(Decoder(1000).messages(b"Content-Length: 1001\r\n\r\n"))


class Flow(AsyncCase):
    async def test_what_nobody_takes_is_left_with_the_sidecar_and_asked_for_when_there_is_room(self) -> None:
        played = Played({"events/subscribe": "s"}, {"events/subscribe": map(event, range(1, 101))})
        client = await played.open()
        events = client.events(buffer=4, kinds=["scheduler.owner"])
        asked = await played.hears("events/subscribe")
        self.assertEqual(asked["params"], {"kinds": ["scheduler.owner"]})
        closed = await played.hears("events/unsubscribe")
        self.assertEqual(closed["params"], {"subscription": "s"})
        self.assertEqual([(await next_of("an event", events))["seq"] for _ in range(2)], [1, 2])
        # The real one answers each; this one has not, and is asked on only when it has.
        played._writes.write(framed({"jsonrpc": "2.0", "id": closed["id"], "result": True}))
        again = await played.hears("events/subscribe", 2)
        self.assertEqual(again["params"], {"after": 4, "ledgerID": "ldg_1", "kinds": ["scheduler.owner"]})
        await within("closing", client.close())
        await played.left()

    async def test_a_cancelled_task_takes_its_request_back(self) -> None:
        played = Played({})
        client = await played.open()
        listing = asyncio.create_task(client.automations.list())
        asked = await played.hears("automation/list")
        listing.cancel()
        cancelled = await played.hears("$/cancelRequest")
        self.assertEqual(cancelled["params"], {"id": asked["id"]})
        self.assertNotIn("id", cancelled)
        await asyncio.wait([listing])
        self.assertTrue(listing.cancelled())
        # Its answer comes all the same, and means nothing to anybody.
        refused = {"code": -32800, "message": "cancelled", "data": {"kind": "cancelled"}}
        played._writes.write(framed({"jsonrpc": "2.0", "id": asked["id"], "error": refused}))
        await within("closing", client.close())
        await played.left()

    async def test_a_refusal_of_a_kind_that_only_a_later_version_knows_stays_what_it_is(self) -> None:
        data = {"kind": "tea_time", "at": 5}
        error = {"code": -32099, "message": "too early for tea", "data": data}
        played = Played({"automation/list": {"error": error}, "run/list": {"error": {"code": -32011, "message": "no"}}})
        client = await played.open()
        refused = await self.raised(SextonError, "a list", client.automations.list())
        self.assertEqual((refused.kind, refused.code, refused.data), ("tea_time", -32099, data))
        self.assertEqual(str(refused), "too early for tea")
        bare = await self.raised(SextonError, "a list", client.runs.list())
        self.assertEqual((bare.kind, bare.data), ("not_found", {"kind": "not_found"}))
        await within("closing", client.close())
        await played.left()

    async def test_events_of_a_later_version_are_passed_on(self) -> None:
        told = {"subscription": "s", "result": {"kind": "tea.served", "seq": 1, "cups": 2}}
        news = framed({"jsonrpc": "2.0", "method": "events/event", "params": told})
        unknown = framed({"jsonrpc": "2.0", "method": "tea/ready", "params": [1]})
        played = Played({"events/subscribe": "s"}, {"events/subscribe": [unknown, news]})
        client = await played.open()
        self.assertEqual(await next_of("an event", client.events()), told["result"])
        await within("closing", client.close())
        await played.left()

    async def test_a_sidecar_of_another_protocol_is_left_alone(self) -> None:
        played = Played({"initialize": {**OPENED, "protocolVersion": 2}})
        refused = await self.raised(SidecarUnavailableError, "opening", played.open())
        self.assertIn("version 2 of the protocol", str(refused))
        await played.left()

    async def test_what_is_no_protocol_ends_the_conversation_and_is_told(self) -> None:
        too_long = b"Content-Length: 99999999999\r\n\r\n"
        not_an_event = framed({"method": "events/event", "params": {"subscription": "s", "result": 5}})
        for noise, said in (
            (b"Content-Length: 3\r\n\r\nno!", "no JSON"),
            (too_long, "99999999999 bytes came"),
            (not_an_event, "not what the protocol has there"),
        ):
            played = Played({"events/subscribe": "s"}, {"events/subscribe": [noise]})
            client = await played.open()
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            client.on_state(lambda state: failed.set_result(None) if state == "failed" else None)
            events = client.events()
            await within("the end", failed)
            unavailable = await self.raised(SidecarUnavailableError, "a list", client.automations.list())
            self.assertIn(said, str(unavailable))
            with self.assertRaises(SidecarUnavailableError):
                await events.__anext__()
            await client.close()
            self.assertEqual(client.state, "closed")
            await played.left()

    async def test_one_that_does_not_hear_is_ended(self) -> None:
        played = Played({})
        del played._answers["shutdown"]
        client = await played.open()
        closing = asyncio.create_task(client.close())
        await played.hears("shutdown")
        # Who stops waiting does not stop the closing; who ends the loop does, and leaves nothing.
        closing.cancel()
        await asyncio.wait([closing])
        assert client._closing is not None
        client._closing[1].cancel()
        await played.left()
        self.assertEqual(client.state, "closed")
