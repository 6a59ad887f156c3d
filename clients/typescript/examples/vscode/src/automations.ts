/** The tree of automations and what became of them. */

import type { AnyAutomation, AnyRun, Automation, Run, SextonClient } from "sexton-client";
import * as vscode from "vscode";

export type Entry = { kind: "automation"; automation: Automation } | { kind: "run"; run: Run };

/** As many runs of an automation as fit into a side bar. */
const RUNS = 10;

export class Automations implements vscode.TreeDataProvider<Entry> {
  readonly #client: SextonClient;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #automations = new Map<string, Automation>();
  readonly #runs = new Map<string, Map<string, Run>>();

  constructor(client: SextonClient) {
    this.#client = client;
  }

  /** Reads everything anew. */
  async list(): Promise<void> {
    const [automations, runs] = await Promise.all([
      this.#client.automations.list({ limit: 500 }),
      this.#client.runs.list({ limit: 100 }),
    ]);
    this.#automations.clear();
    this.#runs.clear();
    for (const automation of automations.items) this.#put(automation);
    for (const run of runs.items.reverse()) this.#keep(run);
    this.#changed.fire();
  }

  updated(automation: AnyAutomation): void {
    this.#put(automation);
    this.#changed.fire();
  }

  deleted(id: string): void {
    this.#automations.delete(id);
    this.#runs.delete(id);
    this.#changed.fire();
  }

  ran(run: AnyRun): void {
    this.#keep(run);
    this.#changed.fire();
  }

  /** When the next automation is due. */
  nextFireAt(): number | undefined {
    const due = [...this.#automations.values()].flatMap(({ state }) => state.nextFireAt ?? []);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  getChildren(entry?: Entry): Entry[] {
    if (entry === undefined) {
      const all = [...this.#automations.values()].sort((one, other) => one.title.localeCompare(other.title));
      return all.map((automation) => ({ kind: "automation", automation }));
    }
    if (entry.kind === "run") return [];
    const runs = [...(this.#runs.get(entry.automation.id)?.values() ?? [])];
    return runs.reverse().map((run) => ({ kind: "run", run }));
  }

  getTreeItem(entry: Entry): vscode.TreeItem {
    return entry.kind === "automation" ? automationItem(entry.automation) : runItem(entry.run);
  }

  /** What a later version wrote is shown there. */
  #put(automation: AnyAutomation): void {
    if (!("ofLaterVersion" in automation)) this.#automations.set(automation.id, automation);
  }

  #keep(run: AnyRun): void {
    if ("ofLaterVersion" in run || !this.#automations.has(run.automationID)) return;
    const runs = this.#runs.get(run.automationID) ?? new Map<string, Run>();
    this.#runs.set(run.automationID, runs.set(run.id, run));
    const [oldest] = runs.keys();
    if (runs.size > RUNS && oldest !== undefined) runs.delete(oldest);
  }
}

function automationItem({ id, title, pause, state }: Automation): vscode.TreeItem {
  const item = new vscode.TreeItem(title, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.contextValue = pause === null ? "automation" : "automation.paused";
  item.iconPath = new vscode.ThemeIcon(pause === null ? "clock" : "debug-pause");
  const next = state.nextFireAt === null ? "not due" : new Date(state.nextFireAt).toLocaleString();
  item.description = pause === null ? next : `paused (${pause.reason})`;
  if (pause?.note !== undefined) item.tooltip = pause.note;
  return item;
}

const ICONS: Readonly<Record<Run["state"], string>> = {
  scheduled: "watch",
  running: "loading~spin",
  awaiting_input: "question",
  succeeded: "check",
  failed: "error",
  stopped: "circle-slash",
};

function runItem(run: Run): vscode.TreeItem {
  const at = new Date(run.startedAt ?? run.triggeredAt).toLocaleString();
  const item = new vscode.TreeItem(at);
  item.id = run.id;
  item.contextValue = `run.${run.state}`;
  item.iconPath = new vscode.ThemeIcon(ICONS[run.state]);
  item.description = outcome(run);
  return item;
}

/** What became of a run, in a few words. */
function outcome(run: Run): string {
  switch (run.state) {
    case "scheduled":
      return run.waiting === undefined ? "begins" : `waits (${run.waiting.for})`;
    case "running":
      return run.stopping === null ? "runs" : "is ending";
    case "awaiting_input":
      return run.blocker.kind === "permission" ? run.blocker.title : run.blocker.prompt;
    case "succeeded":
      return run.result.text ?? run.result.outcome ?? "done";
    case "failed":
      return run.error.message;
    case "stopped":
      return run.stopReason.replaceAll("_", " ");
  }
}
