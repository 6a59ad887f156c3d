"""Prompts that a callback carries out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sexton_client import (
    CarryOut,
    Outcome,
    SextonClient,
    SextonError,
    SidecarUnavailableError,
    Stream,
    Work,
    WorkCancelled,
    WorkFailed,
)
from sexton_client.protocol import Event

from .support import AsyncCase, dormant, next_of, run_is, within

PROMPT = {"kind": "prompt", "prompt": "look around", "model": {"providerID": "editor", "modelID": "large"}}
OFFER: dict[str, Any] = {"id": "editor", "models": [{"id": "large", "variants": ["careful"]}], "maxConcurrent": 2}
QUESTION: Any = {"kind": "question", "callID": "call_1", "prompt": "Which?"}


async def begun(client: SextonClient, **draft: Any) -> str:
    id = (await client.automations.create(**{**dormant("prompted", PROMPT), **draft}))["id"]
    return (await client.automations.run(id))["id"]


class PlayedSession:
    id = "ses_1"
    question = "Which one?"

    async def steps(self) -> AsyncIterator[str]:
        for title in ("reads", "writes"):
            yield title

    async def finish(self, answer: Any) -> str:
        return f"took {answer['text']}"


class PlayedAgent:
    async def begin(self, prompt: str) -> PlayedSession:
        assert prompt == "look around", prompt
        return PlayedSession()


class Serving(AsyncCase):
    async def serves(self, carry_out: CarryOut) -> tuple[SextonClient, Stream[Event]]:
        client = await self.open()
        news = client.events(kinds=["run.updated"])
        await client.serve_provider(carry_out, **OFFER)
        return client, news

    async def test_an_agent_is_served_as_the_readme_says(self) -> None:
        client, other = await self.open(), await self.open()
        news = other.events(kinds=["run.updated"])
        offers = other.events(kinds=["provider.updated"])
        await other.scheduler.status()
        agent = PlayedAgent()

        async def serve() -> None:
            async def carry_out(work: Work) -> Outcome:
                session = await agent.begin(work.prompt)
                await work.started(session.id)
                async for title in session.steps():
                    await work.step(title)
                answer = await work.blocked({"kind": "question", "callID": "1", "prompt": session.question})
                return {"text": await session.finish(answer), "outcome": "changed"}

            async with client.serve_provider(carry_out, id="editor", models=[{"id": "large"}]) as serving:
                await serving.ended()

        serving = asyncio.create_task(serve())
        await next_of("the offer", offers)
        run = await begun(client)
        asked = await run_is(news, run, "awaiting_input")
        self.assertEqual(asked["blocker"]["prompt"], "Which one?")
        await other.runs.respond(run, callID="1", text="the second")
        gone = await self.raised(SextonError, "once more", other.runs.respond(run, callID="1", text="the first"))
        self.assertEqual(gone.kind, "blocker_gone")
        ended = await run_is(news, run, "succeeded")
        self.assertEqual((ended["result"]["text"], ended["result"]["outcome"]), ("took the second", "changed"))
        self.assertEqual((ended["steps"], ended["sessionID"]), (2, "ses_1"))
        serving.cancel()
        await asyncio.wait([serving])
        items = (await other.providers.list())["items"]
        self.assertEqual([(item["id"], item["status"]) for item in items], [("editor", "unavailable")])

    async def test_what_is_reported_is_recorded(self) -> None:
        seen: list[Any] = []

        async def carry_out(work: Work) -> Outcome:
            seen.append((work.prompt, work.model, work.variant, work.step_cap, work.permissions, work.session_id))
            await work.started("ses_1")
            # More than one report takes, and no character is cut.
            await work.output("x" + "ä" * 50_000)
            await work.cost(0.25, "EUR")
            permission = await work.blocked(
                {
                    "kind": "permission",
                    "requestID": "req_1",
                    "title": "May it?",
                    "options": [
                        {"id": "yes", "label": "Yes", "kind": "allow_once"},
                        {"id": "no", "label": "No", "kind": "reject_once"},
                    ],
                }
            )
            assert permission is not None
            seen.append(permission.get("optionID"))
            return {"text": "all is well", "outcome": "findings", "last": True}

        client, news = await self.serves(carry_out)
        careful = {**PROMPT, "variant": "careful"}
        run = await begun(client, task=careful, policy={"stepCap": 7})
        await run_is(news, run, "awaiting_input")
        await client.runs.respond(run, requestID="req_1", optionID="yes")
        ended = await run_is(news, run, "succeeded")
        self.assertEqual(seen, [("look around", "large", "careful", 7, "ask", None), "yes"])
        self.assertEqual(ended["cost"], {"amount": 0.25, "currency": "EUR"})
        self.assertEqual("".join([part.text async for part in client.output(run)]), "x" + "ä" * 50_000)
        self.assertTrue((await client.automations.get(ended["automationID"]))["paused"])

    async def test_a_callback_that_says_little_is_enough(self) -> None:
        async def carry_out(work: Work) -> str:
            return "done"

        client, news = await self.serves(carry_out)
        run = await begun(client)
        ended = await run_is(news, run, "succeeded")
        self.assertEqual((ended["result"]["text"], ended["sessionID"]), ("done", run))
        self.assertEqual((await client.providers.list())["items"][0]["status"], "ready")

    async def test_the_first_report_starts_a_run_that_has_no_session(self) -> None:
        async def asks(work: Work) -> str:
            answer = await work.blocked(QUESTION)
            assert answer is not None
            return str(answer.get("text"))

        async def steps(work: Work) -> str:
            # The second one waits behind the start that the first one makes.
            await asyncio.gather(work.step("reads"), work.output("one"), work.cost(0.5, "EUR"))
            await work.output(" two")
            return "done"

        left = iter([steps, asks])

        async def carry_out(work: Work) -> str:
            return await next(left)(work)

        client, news = await self.serves(carry_out)
        run = await begun(client)
        ended = await run_is(news, run, "succeeded")
        self.assertEqual((ended["steps"], ended["cost"]["amount"], ended["sessionID"]), (1, 0.5, run))
        self.assertEqual("".join([part.text async for part in client.output(run)]), "one two")
        asking = await begun(client)
        await run_is(news, asking, "awaiting_input")
        await client.runs.respond(asking, callID="call_1", text="that one")
        ended = await run_is(news, asking, "succeeded")
        self.assertEqual((ended["result"]["text"], ended["sessionID"]), ("that one", asking))

    async def test_what_is_raised_is_why_it_has_failed(self) -> None:
        outcomes: list[tuple[Exception, bool, str, str]] = [
            (RuntimeError("no agent"), False, "start_failed", "no agent"),
            (RuntimeError("it fell over"), True, "execution_failed", "it fell over"),
            (WorkFailed("provider_unavailable", "log in first", "auth"), False, "provider_unavailable", "log in first"),
            (WorkFailed("step_cap", "too many steps"), True, "step_cap", "too many steps"),
            (RuntimeError(" \0"), True, "execution_failed", "it failed with RuntimeError, without saying why"),
        ]
        left = iter(outcomes)

        async def carry_out(work: Work) -> None:
            error, after_start, _, _ = next(left)
            if after_start:
                await work.started("s")
            raise error

        client, news = await self.serves(carry_out)
        for _, _, code, message in outcomes:
            failed = await run_is(news, await begun(client), "failed")
            self.assertEqual((failed["error"]["code"], failed["error"]["message"]), (code, message))

    async def test_a_result_that_is_refused_is_a_failure_and_says_so(self) -> None:
        async def carry_out(work: Work) -> str:
            return "x" * 70_000

        client, news = await self.serves(carry_out)
        failed = await run_is(news, await begun(client), "failed")
        self.assertIn("report.text", failed["error"]["message"])

    async def test_what_needs_nobody_any_more_goes_on(self) -> None:
        async def carry_out(work: Work) -> str:
            await work.started("s")
            asking = asyncio.create_task(work.blocked(QUESTION))
            await asyncio.wait([asking], timeout=0)
            with self.assertRaisesRegex(RuntimeError, "one thing"):
                await work.blocked(QUESTION)
            await work.unblocked()
            self.assertIsNone(await asking)
            return "by itself"

        client, news = await self.serves(carry_out)
        ended = await run_is(news, await begun(client), "succeeded")
        self.assertEqual(ended["result"]["text"], "by itself")

    async def test_a_cancel_cancels_the_task_and_a_second_one_urges(self) -> None:
        works: list[Work] = []
        seen: list[str] = []

        async def carry_out(work: Work) -> None:
            works.append(work)
            await work.started("s")
            try:
                await work.blocked(QUESTION)
            except asyncio.CancelledError:
                seen.append(f"{work.ending}, {work.urgent}")
                # What it does until it ends is still taken in.
                await work.step("tidies up")
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(f"{work.ending}, {work.urgent}")

        client, news = await self.serves(carry_out)
        run = await begun(client)
        await run_is(news, run, "awaiting_input")
        await client.runs.cancel(run)
        while (event := await next_of("a step", news))["kind"] != "run.updated" or event["run"].get("steps") != 1:
            pass
        await client.runs.cancel(run)
        ended = await run_is(news, run, "stopped")
        self.assertEqual(ended["stopReason"], "cancelled")
        self.assertEqual(seen, [f"the run is to end: cancelled, {urgent}" for urgent in (False, True)])
        assert isinstance(works[0].ending, WorkCancelled)
        self.assertEqual(works[0].ending.reason, "cancelled")

    async def test_a_provider_is_served_by_the_next_sidecar_and_what_the_last_one_had_begun_is_over(self) -> None:
        loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = loop.create_future()
        abandoned: asyncio.Future[Exception | None] = loop.create_future()

        async def carry_out(work: Work) -> str:
            if started.done():
                return "second"
            await work.started("s")
            started.set_result(None)
            try:
                await asyncio.Event().wait()
            finally:
                abandoned.set_result(work.ending)
            return "first"

        client, news = await self.serves(carry_out)
        first = await begun(client)
        await within("a start", started)
        back = asyncio.create_task(self.killed(client))
        ending = await within("the end of the first", abandoned)
        self.assertIsInstance(ending, SidecarUnavailableError)
        await back
        # Nothing stands between: it is served again before anything else is asked.
        second = await run_is(news, await begun(client), "succeeded")
        self.assertEqual(second["result"]["text"], "second")
        stopped: Any = await client.runs.get(first)
        self.assertEqual((stopped["state"], stopped.get("stopReason")), ("stopped", "interrupted"))

    async def test_who_serves_no_more_interrupts_what_goes_on_and_is_told_of_nothing(self) -> None:
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        seen: list[str] = []

        async def carry_out(work: Work) -> None:
            await work.started("s")
            started.set_result(None)
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(str(work.ending))

        client = await self.open()
        news = client.events(kinds=["run.updated"])
        async with client.serve_provider(carry_out, **OFFER) as serving:
            run = await begun(client)
            await within("a start", started)
        self.assertEqual(len(seen), 1)
        self.assertIsNone(await serving.ended())
        self.assertEqual((await run_is(news, run, "stopped"))["stopReason"], "interrupted")

    async def test_an_offer_that_is_none_is_refused(self) -> None:
        async def carry_out(work: Work) -> None:
            self.fail("it was begun")

        client = await self.open()

        async def serve() -> None:
            await client.serve_provider(carry_out, id="editor", models=[])

        refused = await self.raised(SextonError, "an offer", serve())
        self.assertEqual(refused.kind, "invalid_params")
        self.assertEqual((await client.automations.list())["items"], [])
