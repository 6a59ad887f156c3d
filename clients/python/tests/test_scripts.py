"""The client for scripts, and whole programs: the examples, Ctrl-C, and those that do not close."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from typing import Any

import sexton_client
from sexton_client import ClientClosedError, Sexton, SextonClient, SextonError

from .support import BINARY, DEADLINE, HERE, AsyncCase, Case, dormant, finished, is_alive, shell, waits_at, within

EXAMPLES = HERE.parent / "examples"


class Blocking(Case):
    def open(self) -> Sexton:
        sexton = sexton_client.open(**self.place.options)
        self.addCleanup(sexton.close)
        return sexton

    def test_a_script_asks_runs_and_reads(self) -> None:
        with self.open() as sexton:
            pid = sexton.pid
            assert pid is not None
            self.assertEqual((sexton.state, sexton.session["project"]["directory"]), ("ready", str(self.place.project)))
            events = sexton.events(kinds=["automation.updated"], buffer=2)
            created = sexton.automations.create(**dormant("Nightly tests", shell("echo one; echo two")))
            run = sexton.run("Nightly tests")
            self.assertEqual(run["state"], "succeeded")
            self.assertEqual(sexton.wait(run["id"]), run)
            self.assertEqual("".join(part.text for part in sexton.output(run["id"])), "one\ntwo\n")
            with sexton.hold(title="mine"):
                self.assertEqual(len(sexton.lifecycle.status()["holds"]), 1)
            self.assertEqual(sexton.lifecycle.status()["holds"], [])
            for title in ("a", "b", "c"):
                sexton.automations.update(created["id"], patch={"title": title})
            titles = []
            with events:
                for event in events:
                    assert event["kind"] == "automation.updated" and "ofLaterVersion" not in event["automation"]
                    titles.append(event["automation"]["title"])
                    if titles[-1] == "c":
                        break
            self.assertEqual(list(dict.fromkeys(titles)), ["Nightly tests", "a", "b", "c"])
            self.assertEqual(list(events), [])
            with self.assertRaises(SextonError) as refused:
                sexton.request("run/get", {"id": "run_none"})
            self.assertEqual(refused.exception.kind, "not_found")
            rest = sexton.events()
        self.assertFalse(is_alive(pid))
        self.assertEqual(sexton.state, "closed")
        self.assertEqual(list(rest), [])
        with self.assertRaises(ClientClosedError):
            sexton.automations.list()
        sexton.close()

    def test_other_threads_may_ask_meanwhile(self) -> None:
        sexton = self.open()
        id = sexton.automations.create(**dormant("a", shell(waits_at("gate"))))["id"]
        run = sexton.automations.run(id)
        ended: list[str] = []
        waiting = threading.Thread(target=lambda: ended.append(sexton.wait(run["id"])["state"]))
        waiting.start()
        self.assertEqual(sexton.runs.get(run["id"])["completedAt"], None)
        self.place.open_gate("gate")
        waiting.join(DEADLINE)
        self.assertEqual(ended, ["succeeded"])
        sexton.close("maintenance")

    def test_what_is_interrupted_waits_no_more(self) -> None:
        sexton = self.open()
        id = sexton.automations.create(**dormant("a", shell(waits_at("gate"))))["id"]
        run = sexton.automations.run(id)

        async def tasks() -> int:
            return len(asyncio.all_tasks())

        def interrupts(number: int, frame: object) -> None:
            raise InterruptedError

        before = sexton._loop.run("tasks", tasks())
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupts))
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with self.assertRaises(InterruptedError):
            sexton.wait(run["id"])
        deadline = time.monotonic() + DEADLINE
        while sexton._loop.run("tasks", tasks()) > before:
            self.assertLess(time.monotonic(), deadline, "it still waits")
        self.place.open_gate("gate")
        self.assertEqual(sexton.wait(run["id"])["state"], "succeeded")

    def test_a_listener_is_told_that_it_must_not_wait(self) -> None:
        flaws: list[str] = []

        def asks(line: str) -> None:
            try:
                sexton.automations.list()
            except RuntimeError as error:
                flaws.append(str(error))

        command = ["sh", "-c", '"$0" --stdio; echo left >&2', BINARY]
        sexton = sexton_client.open(**{**self.place.options, "command": command, "on_log": asks})
        sexton.close()
        self.assertEqual(len(flaws), 1)
        self.assertIn("must not wait", flaws[0])

    def test_what_is_left_after_the_client_was_closed_has_ended_with_it(self) -> None:
        sexton = self.open()
        with sexton.events() as events, sexton.hold(title="mine") as hold:
            sexton.close()
        hold.release()
        events.close()
        self.assertEqual(list(events), [])

    def test_a_fork_is_told_that_the_client_is_not_its_own(self) -> None:
        listed, followed, *rest = self.place.told_by(FORKED).splitlines()
        self.assertIn("automation/list: this client belongs to the process that was forked", listed)
        self.assertIn("events/subscribe: this client belongs to", followed)
        self.assertEqual(rest, ["the fork has left", "the parent goes on: []"])

    def test_what_cannot_be_opened_leaves_no_thread(self) -> None:
        before = threading.active_count()
        with self.assertRaises(SextonError):
            sexton_client.open(**{**self.place.options, "project": self.place.project / "nothing"})
        with self.assertRaisesRegex(TypeError, "projekt"):
            wrong: Any = {"projekt": "."}
            sexton_client.open(**wrong)
        self.assertEqual(threading.active_count(), before)


class Examples(Case):
    def test_the_first_one_does_what_the_readme_says(self) -> None:
        self.assertEqual(self.place.told_by(EXAMPLES / "hello.py"), "scheduled\nrunning\nsucceeded\nhello\n")

    def test_the_shortest_one_follows_its_automation_to_the_end(self) -> None:
        for _ in ("first", "again"):
            self.assertEqual(self.place.told_by(EXAMPLES / "nightly.py"), "succeeded all passed\n")

    def test_so_does_the_one_with_asyncio(self) -> None:
        first, *rest = self.place.told_by(EXAMPLES / "hello_async.py").splitlines()
        self.assertRegex(first, r"^Count is next due at \d{13}$")
        self.assertEqual(rest, ["1", "2", "3", "succeeded"])


FORKED = """
import os, warnings
import sexton_client

# Later versions of Python warn of every fork beside a thread.
warnings.simplefilter("ignore")
with sexton_client.open(project=".") as sexton:
    with sexton.events() as events, sexton.hold(title="mine"):
        child = os.fork()
        if child == 0:
            for asks in (sexton.automations.list, events.__next__):
                try:
                    asks()
                except RuntimeError as error:
                    print(error)
    if child == 0:
        sexton.close()
        print("the fork has left", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print("the parent goes on:", sexton.automations.list()["items"])
"""

ASYNC = """
import asyncio, sys
from sexton_client import SextonClient

async def main():
    async with SextonClient.spawn(project=".") as client:
        id = (await client.automations.create(title="a", kind="recurring",
            rhythm={"kind": "interval", "everyMs": 86400000},
            task={"kind": "command", "program": "sleep", "args": ["1000"]}))["id"]
        events = client.events(kinds=["run.updated"])
        run = await client.automations.run(id)
        async for event in events:
            if event["run"]["state"] == "running":
                print(client.pid, run["id"], flush=True)

asyncio.run(main())
"""

BLOCKING = """
import sexton_client

with sexton_client.open(project=".") as sexton:
    id = sexton.automations.create(title="a", kind="recurring",
        rhythm={"kind": "interval", "everyMs": 86400000},
        task={"kind": "command", "program": "sleep", "args": ["1000"]})["id"]
    events = sexton.events(kinds=["run.updated"])
    run = sexton.automations.run(id)
    for event in events:
        if event["run"]["state"] == "running":
            print(sexton.pid, run["id"], flush=True)
"""

QUIET = """
try:
%s
except KeyboardInterrupt:
    print("left", flush=True)
"""


def quietly(program: str) -> str:
    """The same program, which says nothing of Ctrl-C."""
    return QUIET % "".join(f"    {line}\n" for line in program.splitlines())


class Interrupted(Case):
    """Ctrl-C in a terminal: a signal for the whole foreground group."""

    def setUp(self) -> None:
        super().setUp()
        # In the background of a shell without job control Ctrl-C is ignored, and whoever is started there ignores it as well.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    def interrupted(self, program: str) -> tuple[int, str, str, str]:
        """Runs a program until its run is at work, and interrupts it; gives how that ended."""
        process = self.place.started(program)
        assert process.stdout is not None
        pid, run = process.stdout.readline().split()
        # The signal is for the program, and the sidecar is not to be the first to hear of it.
        self.assertNotEqual(os.getsid(int(pid)), os.getsid(process.pid))
        os.killpg(process.pid, signal.SIGINT)
        out, err = finished(process)
        self.assertFalse(is_alive(int(pid)), "its sidecar is still there")
        with sexton_client.open(**self.place.options) as sexton:
            ended = sexton.runs.get(run)
        assert "ofLaterVersion" not in ended and ended["state"] == "stopped", ended
        return process.returncode, out, err, ended["stopReason"]

    def test_a_program_that_uses_asyncio_closes_first(self) -> None:
        code, out, err, reason = self.interrupted(quietly(ASYNC))
        self.assertEqual((code, out, err, reason), (0, "left\n", "", "shutdown"))

    def test_so_does_a_script(self) -> None:
        code, out, err, reason = self.interrupted(quietly(BLOCKING))
        self.assertEqual((code, out, err, reason), (0, "left\n", "", "shutdown"))

    def test_what_is_printed_is_one_traceback(self) -> None:
        for program in (ASYNC, BLOCKING):
            code, out, err, reason = self.interrupted(program)
            self.assertEqual((code, out, reason), (-signal.SIGINT, "", "shutdown"))
            lines = err.splitlines()
            self.assertEqual(lines[-1], "KeyboardInterrupt", err)
            for noise in ("never retrieved", "never awaited", "Exception ignored", "was destroyed", "Event loop"):
                self.assertNotIn(noise, err)


class NotClosed(AsyncCase):
    async def gone(self, other: SextonClient, program: str, how: signal.Signals | None = None) -> str:
        """Has a program end without closing, and waits until its sidecar has ended; gives what it has complained of."""
        process = self.place.started(_dedented(program), stdin=subprocess.PIPE)
        assert process.stdout is not None and process.stdin is not None
        pid = int(await within("a sidecar", asyncio.to_thread(process.stdout.readline)))
        self.assertTrue(is_alive(pid))
        if how is None:
            process.stdin.close()
        else:
            process.send_signal(how)
        err = await within("its end", asyncio.to_thread(_complaint, process))

        async def alone() -> None:
            while is_alive(pid):
                await other.scheduler.status()

        await within("the end of its sidecar", alone())
        return err

    async def test_however_a_program_ends_it_leaves_no_sidecar(self) -> None:
        script = """
            import sys, sexton_client
            sexton = sexton_client.open(project=".")
            events = sexton.events()
            print(sexton.pid, flush=True)
            sys.stdin.read()
        """
        program = """
            import asyncio, sys
            from sexton_client import SextonClient

            async def main():
                client = await SextonClient.spawn(project=".")
                events = client.events()
                print(client.pid, flush=True)
                await asyncio.to_thread(sys.stdin.read)

            asyncio.run(main())
        """
        other = await self.open()
        ends = [self.gone(other, script), self.gone(other, program), self.gone(other, script, signal.SIGKILL)]
        self.assertEqual(await asyncio.gather(*ends), ["", "", ""])


def _dedented(program: str) -> str:
    lines = program.strip("\n").splitlines()
    return "\n".join(line[12:] for line in lines)


def _complaint(process: subprocess.Popen[str]) -> str:
    """What a process whose input may be closed already has written to its standard error, when it has ended."""
    assert process.stdout is not None and process.stderr is not None and process.stdin is not None
    with process.stdout, process.stderr:
        err = process.stderr.read()
        process.wait(DEADLINE)
    process.stdin.close()
    return err
