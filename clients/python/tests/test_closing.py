"""The end of a client, of its sidecar, and what is held until then."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from typing import Any

from sexton_client import (
    ClientClosedError,
    RestartPolicy,
    SextonClient,
    SextonError,
    SidecarLostError,
    SidecarUnavailableError,
    Stream,
)
from sexton_client.protocol import Event, Run

from .support import BINARY, AsyncCase, dormant, is_alive, run_is, shell, waits_at, within


class Closing(AsyncCase):
    async def busy(self) -> tuple[SextonClient, SextonClient, Stream[Event], Run]:
        """A window whose run waits at a gate, and another one that looks on."""
        client, other = await self.open(), await self.open()
        news = other.events(kinds=["run.updated"])
        await other.scheduler.status()
        id = (await client.automations.create(**dormant("a", shell(waits_at("gate")))))["id"]
        run = await client.automations.run(id)
        await run_is(news, run["id"], "running")
        return client, other, news, run

    async def closes(self, client: SextonClient) -> asyncio.Task[None]:
        """Begins to close, and waits until the sidecar waits for its runs."""
        closing = asyncio.create_task(client.close("maintenance"))

        async def pending() -> None:
            while not (await client.lifecycle.status())["pending"]:
                pass

        await within("a close", pending())
        return closing

    async def lost(self, client: SextonClient, state: str) -> None:
        """Kills its sidecar, and waits until the client is in this state."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        client.on_state(lambda now: reached.set_result(None) if now == state and not reached.done() else None)
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        await within(state, reached)

    async def test_a_close_ends_the_sidecar_and_its_runs_and_is_final(self) -> None:
        client, _, news, run = await self.busy()
        pid = client.pid
        assert pid is not None
        await within("the end", asyncio.gather(client.close(), client.close()))
        self.assertFalse(is_alive(pid))
        self.assertEqual((client.state, client.pid), ("closed", None))
        self.assertEqual((await run_is(news, run["id"], "stopped"))["stopReason"], "shutdown")
        await self.raised(ClientClosedError, "a request", client.automations.list())

        async def held() -> None:
            await client.hold(title="late")

        await self.raised(ClientClosedError, "a hold", held())
        await client.close()

    async def test_a_sidecar_that_is_closed_has_left_by_itself(self) -> None:
        log: list[str] = []
        script = '"$0" --stdio; echo "left with $?" >&2'
        client = await self.open(command=["sh", "-c", script, BINARY], on_log=log.append)
        await within("the end", client.close())
        self.assertEqual(log, ["left with 0"])

    async def test_maintenance_waits_for_the_runs_and_the_conversation_goes_on(self) -> None:
        client, _, news, run = await self.busy()
        closing = await self.closes(client)
        status = await client.lifecycle.status()
        self.assertEqual([active["runID"] for active in status["activeRuns"]], [run["id"]])
        self.place.open_gate("gate")
        await within("the end", closing)
        await run_is(news, run["id"], "succeeded")
        self.assertEqual(client.state, "closed")

    async def test_maintenance_without_runs_ends_at_once(self) -> None:
        client = await self.open()
        pid = client.pid
        await within("the end", client.close("maintenance"))
        assert pid is not None
        self.assertFalse(is_alive(pid))

    async def test_force_overtakes_maintenance(self) -> None:
        client, _, news, run = await self.busy()
        patient = await self.closes(client)
        await within("both ends", asyncio.gather(patient, client.close()))
        self.assertEqual((await run_is(news, run["id"], "stopped"))["stopReason"], "shutdown")

    async def test_what_cannot_close_goes_on_and_is_followed_by_another_one_when_it_is_killed(self) -> None:
        client = await self.open(on_log=lambda line: None)
        # Without its ledger it cannot write down that it waits for its runs.
        ledger = os.path.join(client.session["stateDirectory"], "ledger.db")
        os.rename(ledger, f"{ledger}.aside")
        refused = await self.raised(SextonError, "a close", client.close("maintenance"))
        self.assertEqual((refused.kind, refused.data["reason"]), ("storage_unavailable", "replaced"))
        self.assertEqual(client.state, "ready")
        os.rename(f"{ledger}.aside", ledger)
        await self.killed(client)
        self.assertEqual((await client.automations.list())["items"], [])

    async def test_a_sidecar_that_is_killed_fails_what_was_asked_of_it_and_another_one_answers(self) -> None:
        client, other, news, run = await self.busy()
        id = run["automationID"]
        deleting = asyncio.create_task(client.automations.delete(id, activeRun="finish"))
        await asyncio.wait([deleting], timeout=0)
        await self.raised(SextonError, "a run of what is being deleted", client.automations.run(id))
        back = asyncio.create_task(self.killed(client))
        with self.assertRaises(SidecarLostError) as lost:
            await within("a deletion", deleting)
        self.assertEqual((lost.exception.end.signal, lost.exception.end.exit_code), (signal.SIGKILL, None))
        self.assertIn("was ended by SIGKILL", str(lost.exception))
        # What is asked then waits for the next one.
        self.assertLessEqual(len((await within("a list", client.automations.list()))["items"]), 1)
        await back
        self.assertNotEqual(client.session["instanceID"], other.session["instanceID"])
        self.assertEqual((await run_is(news, run["id"], "stopped"))["stopReason"], "interrupted")

    async def test_one_that_is_started_when_it_is_needed_rests_until_then(self) -> None:
        client = await self.open(restart=RestartPolicy(when="when_needed"))
        await self.lost(client, "lost")
        self.assertIsNone(client.pid)
        self.assertEqual((await within("a list", client.automations.list()))["items"], [])
        self.assertEqual(client.state, "ready")

    async def test_one_that_is_not_to_be_started_again_has_failed(self) -> None:
        client = await self.open(restart=RestartPolicy(when="never"))
        events = client.events()
        await self.lost(client, "failed")
        with self.assertRaisesRegex(SidecarUnavailableError, "SIGKILL"):
            await events.__anext__()
        await self.raised(SidecarUnavailableError, "a request", client.automations.list())
        await client.close()
        self.assertEqual(client.state, "closed")

    async def test_one_that_goes_again_and_again_is_given_up(self) -> None:
        # The first one lives; those after it do not open the project.
        script = 'if [ -e been ]; then echo "not again" >&2; exit 3; fi; touch been; exec "$0" --stdio'
        client = await self.open(
            command=["sh", "-c", script, BINARY],
            cwd=self.place.project,
            restart=RestartPolicy(attempts=4, delay=0.001),
            on_log=lambda line: None,
        )
        await self.lost(client, "failed")
        told = await self.raised(SidecarUnavailableError, "a request", client.automations.list())
        self.assertIn("code 3; it said last: not again", str(told))

    async def test_a_client_that_is_closed_while_its_sidecar_starts_again_leaves_none(self) -> None:
        # The second one opens nothing, and when it is ended it leaves behind what holds its pipes.
        stays = f"( {waits_at('gate')} ) < /dev/null & wait"
        script = f'if [ -e been ]; then {stays}; fi; touch been; exec "$0" --stdio'
        self.addCleanup(self.place.open_gate, "gate")
        client = await self.open(command=["sh", "-c", script, BINARY], cwd=self.place.project)
        await self.lost(client, "lost")
        listing = asyncio.create_task(client.automations.list())
        await asyncio.wait([listing], timeout=0)
        before = asyncio.get_running_loop().time()
        await within("the end", client.close())
        self.assertLess(asyncio.get_running_loop().time() - before, 20, "it waited for the project to be opened")
        with self.assertRaises(ClientClosedError):
            await listing
        self.assertEqual(client.state, "closed")

    async def test_pipes_to_a_sidecar_that_somebody_else_has_started_do_as_well(self) -> None:
        process = subprocess.Popen(
            [BINARY, "--stdio"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.place.environment,
        )
        assert process.stdin is not None and process.stdout is not None
        client = SextonClient.connect(output=process.stdout, input=process.stdin, project=self.place.project)
        async with client as opened:
            self.assertIsNone(opened.pid)
            self.assertEqual((await opened.automations.list())["items"], [])
        self.assertEqual(await within("its exit", asyncio.to_thread(process.wait)), 0)

    async def test_a_directory_is_held_by_the_next_sidecar_as_well_until_it_is_released(self) -> None:
        client, other = await self.open(), await self.open()
        news = other.events(kinds=["run.updated"])
        hold = await client.hold(title="an agent at work", directory=self.place.project)
        await self.killed(client)
        # Its answer says that the hold before it is there.
        status = await client.lifecycle.status()
        self.assertEqual([held["title"] for held in status["holds"]], ["an agent at work"])
        id = (await other.automations.create(**dormant("a", shell("true"))))["id"]
        run: Any = await other.automations.run(id)
        self.assertEqual(run["waiting"]["for"], "directory")
        await hold.release()
        self.assertIsNone(await hold.ended())
        await run_is(news, run["id"], "succeeded")

        async def unnamed() -> None:
            async with client.hold(title=" "):
                self.fail("it was held")

        refused = await self.raised(SextonError, "a hold", unnamed())
        self.assertEqual(refused.kind, "invalid_params")

    async def test_what_is_used_is_closed_where_it_was_made(self) -> None:
        other = await self.open()
        async with SextonClient.spawn(**self.place.options) as client:
            async with client.hold(title="an agent at work"):
                self.assertEqual(len((await client.lifecycle.status())["holds"]), 1)
            self.assertEqual((await client.lifecycle.status())["holds"], [])
        instances = (await other.scheduler.status())["instances"]
        self.assertEqual([instance["id"] for instance in instances], [other.session["instanceID"]])
