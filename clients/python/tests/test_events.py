"""Events and outputs as iterators."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Any

from sexton_client import SextonClient, SextonError
from sexton_client.protocol import Event

from .support import BINARY, AsyncCase, dormant, next_of, run_is, shell, waits_at, within


async def rename(client: SextonClient, id: str, titles: list[str]) -> None:
    """As many titles, each of them an event, as are asked for in one go."""
    await asyncio.gather(*(client.automations.update(id, patch={"title": title}) for title in titles))


def numbered(count: int, name: str = "title") -> list[str]:
    return [f"{name} {number}" for number in range(count)]


def title_of(event: Event) -> str:
    if event["kind"] != "automation.updated" or "ofLaterVersion" in event["automation"]:
        return ""
    return event["automation"]["title"]


async def create(client: SextonClient, title: str) -> str:
    return (await client.automations.create(**dormant(title, shell("true"))))["id"]


FORGETFUL = """
import os, subprocess, sys, threading

sidecar = subprocess.Popen([sys.argv[1], "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def asks():
    while asked := os.read(0, 65536):
        os.write(sidecar.stdin.fileno(), asked)
    sidecar.stdin.close()

threading.Thread(target=asks, daemon=True).start()
while header := sidecar.stdout.readline():
    body = sidecar.stdout.read(int(header.split(b":")[1]) + 2)
    if b'"manual"' in body and not os.path.exists("been"):
        open("been", "w").close()
        sidecar.kill()
        os._exit(1)
    os.write(1, header + body)
"""
"""A sidecar that dies when a run was made, before anybody is told."""


class Events(AsyncCase):
    async def test_they_begin_with_the_call_and_come_in_order(self) -> None:
        client = await self.open()
        await create(client, "before")
        events = client.events()
        id = await create(client, "after")
        await rename(client, id, numbered(10))
        heard: list[Event] = []
        async with events:
            while not heard or title_of(heard[-1]) != "title 9":
                heard.append(await next_of("an event", events))
        self.assertEqual([title_of(event) for event in heard], ["after", *numbered(10)])
        first = heard[0]["seq"]
        self.assertEqual([event["seq"] - first for event in heard], list(range(len(heard))))
        with self.assertRaises(StopAsyncIteration):
            await events.__anext__()

    async def test_only_what_was_chosen_is_told(self) -> None:
        client = await self.open()
        one, other = await create(client, "one"), await create(client, "other")
        deleted = client.events(kinds=["automation.deleted"], automationID=other)
        await client.automations.delete(one)
        await client.automations.delete(other)
        event = await next_of("a deletion", deleted)
        assert event["kind"] == "automation.deleted", event
        self.assertEqual(event["tombstone"]["id"], other)

    async def test_a_reader_that_is_slow_misses_nothing_and_keeps_nobody_waiting(self) -> None:
        client = await self.open()
        events = client.events(buffer=4)
        id = await create(client, "first")
        await rename(client, id, numbered(150))
        # Nobody has taken an event yet, and answers come all the same.
        self.assertEqual((await client.automations.get(id))["revision"], 151)
        heard: list[str] = []
        async for event in events:
            heard.append(title_of(event))
            # What is asked in the loop does not wait for the loop.
            if len(heard) % 50 == 0:
                await within("an answer", client.automations.get(id))
            if len(heard) == 151:
                break
        self.assertEqual(heard, ["first", *numbered(150)])

    async def test_a_sidecar_that_is_killed_leaves_no_gap_and_no_repeat(self) -> None:
        client, other = await self.open(), await self.open()
        wide, narrow = client.events(), client.events(buffer=3)
        # Its answer says that the subscriptions before it were read.
        await client.scheduler.status()
        id = await create(other, "first")
        heard: list[Event] = []
        for round in range(2):
            # Some are read before it is killed, some were sent and are not read yet, and some it has never told.
            renaming = asyncio.create_task(rename(other, id, numbered(40, f"round {round}")))
            for _ in range(20):
                heard.append(await next_of("an event", wide))
            back = asyncio.create_task(self.killed(client))
            await within("renaming", renaming)
            for _ in range(10):
                heard.append(await next_of("an event", wide))
            await back
            again = asyncio.create_task(self.killed(client))
            await rename(other, id, numbered(5, f"more of {round}"))
            await again
        await other.automations.update(id, patch={"title": "last"})
        while title_of(heard[-1]) != "last":
            heard.append(await next_of("an event", wide))
        rounds = [
            title
            for round in range(2)
            for title in [*numbered(40, f"round {round}"), *numbered(5, f"more of {round}")]
        ]
        self.assertEqual([title_of(event) for event in heard if title_of(event)], ["first", *rounds, "last"])
        first = heard[0]["seq"]
        self.assertEqual([event["seq"] - first for event in heard], list(range(len(heard))))
        slow: list[Event] = []
        while not slow or title_of(slow[-1]) != "last":
            slow.append(await next_of("an event of the slow reader", narrow))
        self.assertEqual(slow, heard)

    async def test_one_that_is_killed_before_anything_was_told_goes_on_from_where_it_began(self) -> None:
        client, other = await self.open(), await self.open()
        events = client.events(kinds=["automation.updated"])
        # Its answer says that the subscription before it was read.
        await client.scheduler.status()
        back = asyncio.create_task(self.killed(client))
        await create(other, "meanwhile")
        await back
        self.assertEqual(title_of(await next_of("an event", events)), "meanwhile")

    async def test_a_place_that_is_none_is_told_as_such_and_then_it_goes_on(self) -> None:
        client = await self.open()
        foreign = client.events(after=1, ledgerID="ldg_none", kinds=["automation.updated"])
        self.assertEqual((await next_of("resync", foreign))["kind"], "resync")
        await create(client, "after")
        self.assertEqual(title_of(await next_of("an event", foreign)), "after")

    async def test_history_comes_first_and_the_end_of_the_client_is_the_end(self) -> None:
        client = await self.open()
        id = await create(client, "first")
        ledger = client.session["ledgerID"]
        events = client.events(after=0, ledgerID=ledger, kinds=["automation.updated"], automationID=id)
        self.assertEqual(title_of(await next_of("history", events)), "first")

        async def rest() -> list[Event]:
            return [event async for event in events]

        waiting = asyncio.create_task(rest())
        await client.close()
        self.assertEqual(await within("the end", waiting), [])
        self.assertEqual([event async for event in client.events()], [])

    async def test_who_stops_waiting_for_an_event_misses_none(self) -> None:
        client = await self.open()
        events = client.events(kinds=["automation.updated"])
        titles = []
        for number in range(10):
            waiting = asyncio.create_task(next_of("an event", events))
            creating = asyncio.create_task(create(client, f"title {number}"))
            # Its event may be there already, and may not.
            await asyncio.wait([waiting, creating], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            await asyncio.wait([waiting, creating])
            if not waiting.cancelled():
                titles.append(title_of(waiting.result()))
        while len(titles) < 10:
            titles.append(title_of(await next_of("an event", events)))
        self.assertEqual(titles, numbered(10))

    async def test_who_has_left_is_not_subscribed_any_more(self) -> None:
        client = await self.open()
        id = await create(client, "a")
        # A sidecar has 64 subscriptions at most. Some are closed, and some left behind.
        for round in range(40):
            async with client.events() as closed:
                self.assertTrue(closed)
            async for event in client.events(after=0, kinds=["automation.updated"], automationID=id):
                self.assertEqual(title_of(event), "a")
                break
            gc.collect()
        events = client.events()
        await create(client, "b")
        self.assertEqual(title_of(await next_of("an event", events)), "b")

    async def test_a_filter_that_is_none_is_refused_where_it_is_read(self) -> None:
        client = await self.open()
        wrong: Any = ["nothing"]
        events = client.events(kinds=wrong)
        with self.assertRaises(SextonError) as refused:
            await events.__anext__()
        self.assertEqual(refused.exception.data["details"][0]["field"], "kinds[0]")
        self.assertEqual([event async for event in events], [])
        with self.assertRaises(ValueError):
            client.events(buffer=0)

    async def test_an_output_is_told_while_it_is_written_to_its_end(self) -> None:
        client = await self.open()
        line = f"printf 'one ä'; {waits_at('gate')}; printf ' two'; printf '\\377'"
        id = (await client.automations.create(**dormant("a", shell(line))))["id"]
        run = await client.automations.run(id)
        output = client.output(run["id"])
        first = await next_of("a part", output)
        self.assertEqual((first.text, first.offset, first.end), ("one ä", 0, False))
        self.place.open_gate("gate")
        rest = b"".join([part.data async for part in output])
        self.assertEqual(rest, b" two\xff")
        late = client.output(run["id"], offset=6)
        self.assertTrue((await next_of("from a byte on", late)).text.startswith(" two"))
        with self.assertRaisesRegex(SextonError, "run_none"):
            await client.output("run_none").__anext__()

    async def test_an_output_goes_on_where_it_was_when_its_readers_sidecar_is_killed(self) -> None:
        owner, client = await self.open(), await self.open()
        line = f"echo begin; {waits_at('gate')}; seq 1 60000; {waits_at('end')}; echo end"
        id = (await owner.automations.create(**dormant("a", shell(line))))["id"]
        news = owner.events(kinds=["run.updated"])
        run = await owner.automations.run(id)
        # The bound is small, so it is paused many times as well.
        output = client.output(run["id"], buffer=70_000)
        data = (await next_of("a part", output)).data
        self.place.open_gate("gate")
        data += (await next_of("a part", output)).data
        await self.killed(client)
        self.place.open_gate("end")
        await run_is(news, run["id"], "succeeded")
        async for part in output:
            self.assertEqual(part.offset, len(data))
            data += part.data
        self.assertEqual(data.split(), [b"begin", *(b"%d" % number for number in range(1, 60_001)), b"end"])

    async def test_a_run_is_followed_to_its_end_by_the_name_of_its_automation(self) -> None:
        client = await self.open()
        await client.automations.create(**dormant("Nightly tests", shell("echo passed")))
        await client.automations.create(**dormant("Nightly tests of more", shell("false")))
        ended = await within("a run", client.run("Nightly tests"))
        self.assertEqual(ended["state"], "succeeded")
        self.assertEqual(await within("the same", client.wait(ended["id"])), ended)
        failed = await within("another", client.run("Nightly tests of more"))
        self.assertEqual(failed["state"], "failed")
        for unknown in ("Nightly", "", "x" * 500):
            with self.assertRaisesRegex(LookupError, "no automation is called"):
                await client.run(unknown)
        await client.automations.create(**dormant("Nightly tests", shell("true")))
        with self.assertRaisesRegex(LookupError, "2 automations"):
            await client.run("Nightly tests")

    async def test_a_run_is_not_made_twice_when_its_sidecar_dies_before_it_has_answered(self) -> None:
        client = await self.open(command=[sys.executable, "-c", FORGETFUL, BINARY], cwd=self.place.project)
        await client.automations.create(**dormant("a", {"kind": "notify", "text": "once"}))
        ended = await within("a run", client.run("a"))
        self.assertTrue((self.place.project / "been").exists())
        self.assertEqual([run["id"] for run in (await client.runs.list())["items"]], [ended["id"]])

    async def test_a_run_that_is_waited_for_is_found_again_after_its_sidecar_was_killed(self) -> None:
        client = await self.open()
        other = await self.open()
        news = other.events(kinds=["run.updated"])
        await other.scheduler.status()
        await client.automations.create(**dormant("a", shell(waits_at("gate"))))
        running = asyncio.create_task(client.run("a"))
        while (event := await next_of("a run", news))["kind"] != "run.updated" or event["run"]["state"] != "running":
            pass
        await self.killed(client)
        ended = await within("its end", running)
        assert "ofLaterVersion" not in ended and ended["state"] == "stopped", ended
        self.assertEqual((ended["id"], ended["stopReason"]), (event["run"]["id"], "interrupted"))
        self.assertEqual(len((await other.runs.list())["items"]), 1)
