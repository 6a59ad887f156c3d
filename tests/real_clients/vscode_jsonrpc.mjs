// A conversation by vscode-jsonrpc, the library below every language client of VS Code.
//
//   SEXTON_BIN=target/debug/sexton node tests/real_clients/vscode_jsonrpc.mjs PROJECT
//
// It says what it saw, one JSON value per line; main.rs reads that.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const rpc = require("vscode-jsonrpc/node");

const project = process.argv[2];
const saw = (what) => console.log(JSON.stringify(what));

/** Waits until `look` finds something in what has come, and is told when more has come. */
function waiting() {
  const waiters = new Set();
  return {
    news: () => waiters.forEach((again) => again()),
    until: (look) =>
      new Promise((resolve) => {
        const again = () => {
          const found = look();
          if (found === undefined) return;
          waiters.delete(again);
          resolve(found);
        };
        waiters.add(again);
        again();
      }),
  };
}

const sidecar = spawn(process.env.SEXTON_BIN ?? "sexton", ["--stdio"], {
  cwd: project,
  stdio: ["pipe", "pipe", "inherit"],
});
const ended = new Promise((resolve) => sidecar.on("exit", resolve));
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(sidecar.stdout),
  new rpc.StreamMessageWriter(sidecar.stdin),
);

const events = [];
const chunks = [];
const { news, until } = waiting();
connection.onNotification("events/event", ({ result }) => (events.push(result), news()));
connection.onNotification("output/chunk", ({ result }) => (chunks.push(result), news()));
connection.listen();

// What a language client does when its trace is switched on in the settings: the sidecar is told before it is opened.
const traced = [];
await connection.trace(
  rpc.Trace.Verbose,
  { log: (message) => traced.push(message) },
  { sendNotification: true },
);

const opened = await connection.sendRequest("initialize", {
  processId: process.pid,
  clientInfo: { name: "vscode-jsonrpc" },
  rootUri: pathToFileURL(project).href,
  capabilities: { window: { workDoneProgress: true }, general: { positionEncodings: ["utf-16"] } },
  trace: "verbose",
  workspaceFolders: [{ uri: pathToFileURL(project).href, name: "project" }],
});
await connection.sendNotification("initialized", {});
saw({ step: "opened", server: opened.serverInfo.name, protocol: opened.protocolVersion });

// Subscribed before anything is asked for, so nothing of it is missed.
await connection.sendRequest("events/subscribe");
saw({ step: "subscribed" });

const hello = await connection.sendRequest("automation/create", {
  title: "Läuten 🔔",
  kind: "recurring",
  rhythm: { kind: "interval", everyMs: 86_400_000 },
  task: { kind: "command", program: "echo", args: ["hello"] },
});
saw({ step: "created", title: hello.title });

const run = await connection.sendRequest("automation/run", { id: hello.id });
const became = (id, wanted) => () => events.find(({ run }) => run?.id === id && wanted(run))?.run;
await until(became(run.id, ({ completedAt }) => completedAt !== null));
const states = events.filter((event) => event.run?.id === run.id).map((event) => event.run.state);
saw({ step: "ran", states });

await connection.sendRequest("output/subscribe", { runID: run.id });
await until(() => chunks.find(({ end }) => end));
saw({ step: "read", output: chunks.map(({ data }) => data).join("") });

const long = await connection.sendRequest("automation/create", {
  title: "Without an end",
  kind: "recurring",
  rhythm: { kind: "interval", everyMs: 86_400_000 },
  task: { kind: "command", program: "tail", args: ["-f", "/dev/null"] },
});
const endless = await connection.sendRequest("automation/run", { id: long.id });
await until(became(endless.id, ({ state }) => state === "running"));
const asked = await connection.sendRequest("run/cancel", { id: endless.id });
const stopped = await until(became(endless.id, ({ completedAt }) => completedAt !== null));
saw({ step: "cancelled", stopping: asked.stopping.as, state: stopped.state, reason: stopped.stopReason });

try {
  await connection.sendRequest("automation/create", { title: "", kind: "oneshot" });
} catch (error) {
  // A refusal is the library's own error, and says in `data.kind` what kind it is.
  if (!(error instanceof rpc.ResponseError)) throw error;
  saw({ step: "refused", code: error.code, kind: error.data.kind, field: error.data.details[0].field });
}

await connection.sendRequest("shutdown");
await connection.sendNotification("exit");
saw({ step: "ended", code: await ended });
connection.dispose();
if (!traced.some((line) => line.startsWith("Received response 'shutdown"))) throw new Error(traced.join("\n"));
