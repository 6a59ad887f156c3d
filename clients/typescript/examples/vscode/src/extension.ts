/**
 * Automations in VS Code: when the next one is due, what runs, what went wrong, and what needs an answer.
 *
 * Each window has its own client and so its own sidecar; which of them fires timers is none of its business.
 */

import { type Automation, type Blocker, type Event, type Run, SextonClient, SextonError } from "sexton-client";
import * as vscode from "vscode";
import { Automations, type Entry } from "./automations.js";

let client: SextonClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) return;
  const log = vscode.window.createOutputChannel("Automations", { log: true });
  const status = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
  context.subscriptions.push(log, status);
  status.show();
  const path = vscode.workspace.getConfiguration("sexton").get<string>("path");
  try {
    client = await SextonClient.spawn({
      project: folder.uri.fsPath,
      clientInfo: { name: vscode.env.appName, version: vscode.version },
      onLog: (line) => log.info(line),
      ...(path === undefined || path === "" ? {} : { command: path }),
    });
  } catch (error) {
    status.text = "$(warning) No automations";
    status.tooltip = described(error);
    log.error(described(error));
    return;
  }
  for (const warning of client.session.warnings) log.warn(warning);

  const automations = new Automations(client);
  const show = () => {
    const next = automations.nextFireAt();
    status.text = next === undefined ? "$(clock) Nothing due" : `$(clock) ${new Date(next).toLocaleTimeString()}`;
    if (client?.state === "lost") status.text = "$(sync~spin) Automations";
    if (client?.state === "failed") status.text = "$(warning) No automations";
    status.tooltip = "When the next automation is due";
  };
  const stop = client.onState(show);
  context.subscriptions.push(
    vscode.window.registerTreeDataProvider("sexton.automations", automations),
    automations.onDidChangeTreeData(show),
    { dispose: stop },
    ...commands(client),
  );
  // Everything that is listed is as new as an event that this has been told of, so nothing falls in between.
  const events = client.events();
  await automations.list();
  show();
  void follow(client, automations, events, log);
}

/** A window that is closed does not wait: what runs here is stopped, and recorded as such. */
export async function deactivate(): Promise<void> {
  await client?.close({ mode: "force" });
}

async function follow(
  client: SextonClient,
  automations: Automations,
  events: ReturnType<SextonClient["events"]>,
  log: vscode.LogOutputChannel,
): Promise<void> {
  try {
    for await (const event of events) {
      // Nobody waits here for what a person does.
      if (event.kind !== "resync" && event.important)
        void tell(client, event).catch((error: unknown) => log.error(described(error)));
      switch (event.kind) {
        case "automation.updated":
          automations.updated(event.automation);
          break;
        case "automation.deleted":
          automations.deleted(event.tombstone.id);
          break;
        case "run.updated":
          automations.ran(event.run);
          break;
        case "resync":
          await automations.list();
          break;
      }
    }
  } catch (error) {
    log.error(described(error));
    void vscode.window.showErrorMessage(`Automations have stopped in this window. ${described(error)}`);
  }
}

/** Shows a person what they should know at once, in the words of the sidecar, and what can be done about it. */
async function tell(client: SextonClient, event: Extract<Event, { important: true }>): Promise<void> {
  if (event.kind !== "run.updated" || "ofLaterVersion" in event.run) {
    await vscode.window.showWarningMessage(event.text);
    return;
  }
  const { run, text } = event;
  switch (run.state) {
    case "awaiting_input":
      return ask(client, run, run.blocker);
    case "failed": {
      const chosen = await vscode.window.showErrorMessage(text, "Show Output", "Run Again");
      if (chosen === "Show Output") await showOutput(client, run.id);
      if (chosen === "Run Again") await client.automations.run({ id: run.automationID });
      return;
    }
    case "stopped":
      await vscode.window.showWarningMessage(text);
      return;
    case "scheduled":
    case "running":
    case "succeeded":
      await vscode.window.showInformationMessage(text);
      return;
  }
}

/** Puts the question of a run to a person. Another window may be quicker, and that is fine. */
async function ask(client: SextonClient, { id, automationTitle }: Run, blocker: Blocker): Promise<void> {
  try {
    if (blocker.kind === "permission") {
      const labels = blocker.options.map(({ label }) => label);
      const chosen = await vscode.window.showInformationMessage(`${automationTitle}: ${blocker.title}`, ...labels);
      const option = blocker.options.find(({ label }) => label === chosen);
      if (option !== undefined) await client.runs.respond({ id, requestID: blocker.requestID, optionID: option.id });
      return;
    }
    const { callID, prompt, options = [] } = blocker;
    const items = options.map((option) => ({ label: option.label, id: option.id }));
    if (items.length > 0) {
      const chosen = await vscode.window.showQuickPick(items, { title: automationTitle, placeHolder: prompt });
      if (chosen !== undefined) await client.runs.respond({ id, callID, optionID: chosen.id });
      return;
    }
    const text = await vscode.window.showInputBox({ title: automationTitle, prompt, ignoreFocusOut: true });
    if (text) await client.runs.respond({ id, callID, text });
  } catch (error) {
    if (!(error instanceof SextonError && error.kind === "blocker_gone")) throw error;
  }
}

function commands(client: SextonClient): vscode.Disposable[] {
  const onAutomation = (name: string, action: (automation: Automation) => Promise<unknown>) =>
    command(name, (entry) => (entry.kind === "automation" ? action(entry.automation) : Promise.resolve()));
  const onRun = (name: string, action: (run: Run) => Promise<unknown>) =>
    command(name, (entry) => (entry.kind === "run" ? action(entry.run) : Promise.resolve()));
  return [
    onAutomation("sexton.run", ({ id }) => client.automations.run({ id })),
    onAutomation("sexton.pause", ({ id }) => client.automations.pause({ id })),
    onAutomation("sexton.resume", ({ id }) => client.automations.resume({ id })),
    onRun("sexton.cancel", ({ id }) => client.runs.cancel({ id })),
    onRun("sexton.output", ({ id }) => showOutput(client, id)),
    onRun("sexton.answer", async (run) => {
      if (run.state === "awaiting_input") await ask(client, run, run.blocker);
    }),
  ];
}

function command(name: string, action: (entry: Entry) => Promise<unknown>): vscode.Disposable {
  return vscode.commands.registerCommand(name, async (entry: Entry) => {
    try {
      await action(entry);
    } catch (error) {
      void vscode.window.showErrorMessage(described(error));
    }
  });
}

/** Shows what a run writes, while it writes it. */
async function showOutput(client: SextonClient, runID: string): Promise<void> {
  const channel = vscode.window.createOutputChannel(runID);
  channel.show(true);
  for await (const chunk of client.output(runID)) channel.append(chunk.encoding === "utf8" ? chunk.data : "…");
}

function described(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
