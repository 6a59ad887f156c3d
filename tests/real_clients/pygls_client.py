"""A conversation by pygls' language client, the usual one for Python.

    SEXTON_BIN=target/debug/sexton python3 tests/real_clients/pygls_client.py PROJECT

It says what it saw, one JSON value per line; main.rs reads that.
"""

import asyncio
import json
import os
import pathlib
import sys

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp._base_client import BaseLanguageClient

DAY = 24 * 60 * 60 * 1000


def saw(**what):
    print(json.dumps(what), flush=True)


class Sidecar(BaseLanguageClient):
    """The language client, and what it has heard."""

    def __init__(self):
        super().__init__("pygls", "1")
        self.events = []
        self.chunks = []
        self.news = asyncio.Condition()
        self.ended = asyncio.get_running_loop().create_future()

        @self.feature("events/event")
        async def on_event(told):
            await self.heard(self.events, told.result)

        @self.feature("output/chunk")
        async def on_chunk(told):
            await self.heard(self.chunks, told.result)

    async def heard(self, kept, what):
        async with self.news:
            kept.append(what)
            self.news.notify_all()

    async def until(self, look):
        async with self.news:
            await self.news.wait_for(lambda: look() is not None)
            return look()

    async def server_exit(self, server):
        self.ended.set_result(server.returncode)

    async def ask(self, method, params=None):
        return await self.protocol.send_request_async(method, params)

    def became(self, run_id, wanted):
        runs = (event.run for event in self.events if hasattr(event, "run"))
        return next((run for run in runs if run.id == run_id and wanted(run)), None)


def has_ended(run):
    return run.completedAt is not None


def has_begun(run):
    return run.state == "running"


async def converse(project):
    sidecar = Sidecar()
    await sidecar.start_io(os.environ.get("SEXTON_BIN", "sexton"), "--stdio", cwd=project)
    uri = pathlib.Path(project).resolve().as_uri()
    opened = await sidecar.initialize_async(
        types.InitializeParams(
            process_id=os.getpid(),
            client_info=types.ClientInfo(name="pygls"),
            root_uri=uri,
            capabilities=types.ClientCapabilities(
                workspace=types.WorkspaceClientCapabilities(workspace_folders=True, configuration=True),
                window=types.WindowClientCapabilities(work_done_progress=True),
            ),
            workspace_folders=[types.WorkspaceFolder(uri=uri, name="project")],
        )
    )
    sidecar.initialized(types.InitializedParams())
    sidecar.set_trace(types.SetTraceParams(value=types.TraceValue.Verbose))
    sidecar.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings={}))
    sidecar.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token="none"))
    saw(step="opened", server=opened.server_info.name)

    # Subscribed before anything is asked for, so nothing of it is missed.
    await sidecar.ask("events/subscribe")
    saw(step="subscribed")

    def once_a_day(title, *words):
        return {
            "title": title,
            "kind": "recurring",
            "rhythm": {"kind": "interval", "everyMs": DAY},
            "task": {"kind": "command", "program": words[0], "args": list(words[1:])},
        }

    hello = await sidecar.ask("automation/create", once_a_day("Läuten 🔔", "echo", "hello"))
    saw(step="created", title=hello.title)

    run = await sidecar.ask("automation/run", {"id": hello.id})
    await sidecar.until(lambda: sidecar.became(run.id, has_ended))
    about_it = (event.run for event in sidecar.events if hasattr(event, "run") and event.run.id == run.id)
    saw(step="ran", states=[run.state for run in about_it])

    await sidecar.ask("output/subscribe", {"runID": run.id})
    await sidecar.until(lambda: next((chunk for chunk in sidecar.chunks if chunk.end), None))
    saw(step="read", output="".join(chunk.data for chunk in sidecar.chunks))

    long = await sidecar.ask("automation/create", once_a_day("Without an end", "tail", "-f", "/dev/null"))
    endless = await sidecar.ask("automation/run", {"id": long.id})
    await sidecar.until(lambda: sidecar.became(endless.id, has_begun))
    asked = await sidecar.ask("run/cancel", {"id": endless.id})
    stopped = await sidecar.until(lambda: sidecar.became(endless.id, has_ended))
    # `as` is a word of Python's, so that pygls gives the member another name.
    saw(step="cancelled", stopping=asked.stopping[0], state=stopped.state, reason=stopped.stopReason)

    # A refusal is an exception of the library, and says in `data` what kind it is.
    try:
        await sidecar.ask("automation/create", {"title": "", "kind": "oneshot"})
    except JsonRpcException as refusal:
        data = refusal.data
        saw(step="refused", code=refusal.code, kind=data["kind"], field=data["details"][0]["field"])

    await sidecar.shutdown_async(None)
    sidecar.exit(None)
    saw(step="ended", code=await sidecar.ended)
    await sidecar.stop()


asyncio.run(asyncio.wait_for(converse(sys.argv[1]), 60))
