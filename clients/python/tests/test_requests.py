"""Requests, their answers, and their refusals."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any

from sexton_client import SextonClient, SextonError, SidecarUnavailableError
from sexton_client.protocol import refusal_codes

from .support import BINARY, AsyncCase, dormant, run_is, shell, waits_at, within


class Requests(AsyncCase):
    async def test_what_is_opened_is_told(self) -> None:
        limits = {"minIntervalMs": 1000}
        client = await self.open(clientInfo={"name": "test", "version": "1"}, limits=limits)
        self.assertEqual(client.session["protocolVersion"], 1)
        self.assertEqual(client.session["project"]["directory"], str(self.place.project))
        self.assertEqual(client.state, "ready")
        rhythm: Any = {"kind": "interval", "everyMs": 1000}
        task: Any = shell("true")
        created = await client.automations.create(title="a", kind="recurring", rhythm=rhythm, task=task, paused=True)
        assert "ofLaterVersion" not in created
        self.assertEqual(created["createdBy"].get("client"), "test 1")

    async def test_an_automation_is_created_read_changed_paused_resumed_run_and_deleted(self) -> None:
        client = await self.open()
        automations, runs = client.automations, client.runs
        id = (await automations.create(**dormant("first", shell("true"))))["id"]
        self.assertEqual((await automations.update(id, patch={"title": "second"}))["revision"], 2)
        self.assertTrue((await automations.pause(id, note="for now"))["paused"])
        self.assertFalse((await automations.resume(id))["paused"])
        run = await automations.run(id)
        self.assertEqual(run["state"], "scheduled")
        # What it was asked first it has done first, also where nobody waits in between.
        _, page = await asyncio.gather(automations.update(id, patch={"title": "third"}), automations.list())
        self.assertEqual([item["title"] for item in page["items"] if "ofLaterVersion" not in item], ["third"])
        listed = await runs.list(automationID=id)
        self.assertEqual([item["id"] for item in listed["items"]], [run["id"]])
        self.assertTrue((await automations.delete(id, activeRun="finish"))["deleted"])
        preview = await client.request(
            "automation/preview",
            {"rhythm": {"kind": "cron", "expression": "0 9 * * 1-5"}, "timezone": "Europe/Berlin", "count": 3},
        )
        self.assertEqual(len(preview["fires"]), 3)
        simulated = await automations.simulate(from_=preview["fires"][0], to=preview["fires"][1])
        self.assertEqual(simulated["fires"], [])

    async def test_every_method_that_is_asked_by_name_has_a_name(self) -> None:
        client = await self.open()
        groups = {
            "automation": client.automations,
            "run": client.runs,
            "provider": client.providers,
            "lifecycle": client.lifecycle,
            "scheduler": client.scheduler,
        }
        kept = re.compile(r"initialize|shutdown|rpc\.discover|events/.*|output/.*|directory/.*|provider/(un)?serve")
        for method in client.session["capabilities"]["methods"]:
            if not kept.fullmatch(method):
                group, name = method.split("/")
                self.assertTrue(inspect.iscoroutinefunction(getattr(groups[group], name)), method)
        self.assertIn("methods", await client.request("rpc.discover"))

    async def test_a_refusal_is_an_error_whose_data_follows_from_its_kind(self) -> None:
        client = await self.open()
        id = (await client.automations.create(**dormant("a", shell("true"))))["id"]
        await client.automations.update(id, patch={"title": "b"})
        current: Any = None
        try:
            await client.automations.update(id, ifRevision=1, patch={"title": "Nightly"})
        except SextonError as error:
            if error.kind != "automation_conflict":
                raise
            current = error.data["current"]
            self.assertEqual((error.code, error.method), (refusal_codes[error.kind], "automation/update"))
        self.assertEqual(current["revision"], 2)

        create = client.automations.create(
            title=" ",
            kind="recurring",
            rhythm={"kind": "cron", "expression": "61 * * * *"},
            task={"kind": "command", "program": "true"},
        )
        invalid = await self.raised(SextonError, "a bad draft", create)
        self.assertEqual(invalid.kind, "invalid_automation")
        faults = [f"{fault['field']} {fault['message']}" for fault in invalid.data["details"]]
        self.assertEqual(faults, ["title required", "rhythm.expression invalid_cron_expression"])

        missing = await self.raised(SextonError, "no such run", client.runs.get("run_none"))
        self.assertEqual((missing.kind, missing.data["what"]), ("not_found", "run"))

    async def test_text_that_is_none_is_refused_with_the_name_of_its_field(self) -> None:
        client = await self.open()
        invalid = await self.raised(
            SextonError, "half a character", client.automations.create(**dormant("a \udc80", shell("true")))
        )
        self.assertEqual(invalid.data["details"][0]["field"], "title")
        self.assertEqual(invalid.data["details"][0]["message"], "not_unicode")

    async def test_what_the_sidecar_would_not_read_is_refused_here(self) -> None:
        client = await self.open(limits={"maxMessageBytes": 65_536})
        long = client.automations.create(**dormant("a", {"kind": "notify", "text": "x" * 100_000}))
        refused = await self.raised(SextonError, "a long message", long)
        self.assertEqual((refused.kind, refused.code), ("request_too_large", refusal_codes["request_too_large"]))
        self.assertEqual((await client.automations.list())["items"], [])

    async def test_what_is_no_json_is_an_error_of_the_caller(self) -> None:
        client = await self.open()
        a_set: Any = {1}
        no_number: Any = float("nan")
        await self.raised(TypeError, "a set", client.request("automation/get", {"id": a_set}))
        await self.raised(ValueError, "no number", client.automations.list(limit=no_number))
        self.assertEqual((await client.automations.list())["items"], [])

    async def test_what_is_cancelled_before_it_was_sent_is_not_sent(self) -> None:
        client = await self.open()
        creating = asyncio.create_task(client.automations.create(**dormant("a", shell("true"))))
        creating.cancel()
        await asyncio.wait([creating])
        self.assertTrue(creating.cancelled())
        self.assertEqual((await client.automations.list())["items"], [])

    async def test_a_cancel_that_comes_after_the_commit_undoes_nothing(self) -> None:
        client = await self.open()
        news = client.events(kinds=["run.updated", "automation.deleted"])
        id = (await client.automations.create(**dormant("a", shell(waits_at("gate")))))["id"]
        run = await client.automations.run(id)
        await run_is(news, run["id"], "running")
        deleting = asyncio.create_task(client.automations.delete(id, activeRun="finish"))
        await asyncio.wait([deleting], timeout=0)
        conflict = await self.raised(SextonError, "a run of what is being deleted", client.automations.run(id))
        self.assertEqual(conflict.kind, "automation_conflict")
        deleting.cancel()
        await asyncio.wait([deleting])
        self.place.open_gate("gate")
        await run_is(news, run["id"], "succeeded")
        while (event := await within("the deletion", news.__anext__()))["kind"] != "automation.deleted":
            pass
        self.assertEqual(event["tombstone"]["id"], id)

    async def test_a_sidecar_that_cannot_be_had_is_told_with_the_way_out(self) -> None:
        async def opening(script: str, **options: Any) -> SextonClient:
            return await SextonClient.spawn(command=["sh", "-c", script], **options)

        async def nowhere() -> SextonClient:
            return await SextonClient.spawn(command=[str(self.place.project / "nothing")])

        told = await self.raised(SidecarUnavailableError, "no program", nowhere())
        self.assertIn("SEXTON_BIN", str(told))
        quiet: list[str] = []
        script = "echo 'no such option' >&2; exit 2"
        ended = await self.raised(SidecarUnavailableError, "another", opening(script, on_log=quiet.append))
        self.assertIn("code 2; it said last: no such option", str(ended))
        self.assertEqual(quiet, ["no such option"])
        noise = "printf 'hello\\r\\n\\r\\n'; cat > /dev/null"
        told = await self.raised(SidecarUnavailableError, "noise", opening(noise))
        self.assertIn("was ended, because what came is no header: b'hello'", str(told))
        mute = opening("cat > /dev/null", start_timeout=0.05)
        told = await self.raised(SidecarUnavailableError, "silence", mute)
        self.assertIn("within 0.05 s", str(told))
        refused = await self.raised(SextonError, "no project", self.open(project=self.place.project / "nothing"))
        self.assertEqual(refused.kind, "invalid_params")
        self.assertEqual(refused.data["details"][0]["field"], "initializationOptions.projectDirectory")

    async def test_what_is_asked_wrongly_is_told_before_anything_is_started(self) -> None:
        with self.assertRaisesRegex(TypeError, "projekt"):
            wrong: Any = {"projekt": "."}
            await SextonClient.spawn(**wrong)
        with self.assertRaisesRegex(TypeError, "as a list"):
            await SextonClient.spawn(command=f"{BINARY} --stdio")

    async def test_its_log_is_told_line_by_line(self) -> None:
        lines: list[str] = []
        script = 'printf "one\\ntw" >&2; printf "o\\nthree" >&2; exec "$0" --stdio'
        client = await self.open(command=["sh", "-c", script, BINARY], on_log=lines.append)
        await client.close()
        self.assertEqual(lines, ["one", "two", "three"])

    async def test_a_listener_that_fails_ends_nothing(self) -> None:
        def fails(line: str) -> None:
            raise RuntimeError(line)

        client = await self.open(command=["sh", "-c", 'echo one >&2; exec "$0" --stdio', BINARY], on_log=fails)
        self.assertEqual((await client.automations.list())["items"], [])
        await client.close()
        self.assertEqual([str(flaw["exception"]) for flaw in self.flaws], ["one"])
        self.flaws.clear()
