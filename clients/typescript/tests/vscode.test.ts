/** The extension for VS Code, in an editor that is played, with a real sidecar. */

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import type { Run } from "sexton-client";
import * as vscode from "./fake-vscode.js";
import { binary, dormant, Place, runIs, shell, within } from "./support.js";

const fake = JSON.stringify(new URL("fake-vscode.js", import.meta.url).href);
const hook = `export function resolve(name, context, next) {
  return name === "vscode" ? { url: ${fake}, shortCircuit: true } : next(name, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

interface Extension {
  activate(context: { subscriptions: unknown[] }): Promise<void>;
  deactivate(): Promise<void>;
}

/** What the tree shows, each entry on a line. */
function tree(): string[] {
  const provider = vscode.trees.get("sexton.automations") ?? assert.fail();
  const item = (entry: unknown) => {
    const { label, description, contextValue } = provider.getTreeItem(entry);
    return contextValue?.startsWith("run") ? `  ${contextValue}: ${description}` : `${label} (${contextValue})`;
  };
  return provider.getChildren().flatMap((entry) => [item(entry), ...provider.getChildren(entry).map(item)]);
}

function entry(title: string): unknown {
  const provider = vscode.trees.get("sexton.automations") ?? assert.fail();
  return provider.getChildren().find((entry) => provider.getTreeItem(entry).label === title);
}

test("a window shows what is due, what runs, what failed, and puts questions to a person", async (t) => {
  const place = await Place.make(t);
  const other = await place.open();
  const news = other.events({ kinds: ["run.updated"] });
  Object.assign(process.env, place.environment, { SEXTON_BIN: binary });
  vscode.workspace.workspaceFolders.push({ uri: { fsPath: place.project } });
  const { activate, deactivate } = (await import(
    new URL("../examples/vscode/extension.js", import.meta.url).href
  )) as Extension;
  await within("the extension", activate({ subscriptions: [] }));
  await within("nothing is due", vscode.isShown("status: $(clock) Nothing due"));

  const tests = await other.automations.create(dormant("Tests", shell("echo broken; exit 1")));
  await within("the next fire", vscode.isShown(new Date(tests.state.nextFireAt ?? 0).toLocaleTimeString()));
  assert.deepEqual(tree(), ["Tests (automation)"]);
  vscode.person.chooses = "Show Output";
  await vscode.registered.get("sexton.run")?.(entry("Tests"));
  await within("a failure", vscode.isShown("[Show Output, Run Again]"));
  await within("its output", vscode.isShown(": broken"));
  assert.match(tree().join("\n"), /^Tests \(automation\)\n {2}run\.failed: ./);

  vscode.person.chooses = "Yes";
  await other.serveProvider({ id: "editor", models: [{ id: "large" }] }, async (work) => {
    await work.started("s");
    const options = [{ id: "y", label: "Yes", kind: "allow_once" as const }];
    const answer = await work.blocked({ kind: "permission", requestID: "r", title: "May it?", options });
    return JSON.stringify(answer);
  });
  const prompt = { kind: "prompt", prompt: "look", model: { providerID: "editor", modelID: "large" } } as const;
  const { id } = await other.automations.create(dormant("Look", prompt));
  const run: Run = await other.automations.run({ id });
  const ended = await runIs(news, run.id, "succeeded");
  assert.equal(ended.result.text, '{"optionID":"y"}');
  assert.ok(vscode.shown.includes("information: Look: May it? [Yes]"), vscode.shown.join("\n"));

  const reminder = await other.automations.create(dormant("Stand", { kind: "notify", text: "Stand up" }));
  await other.automations.run({ id: reminder.id });
  await within("a reminder", vscode.isShown("Stand up"));
  await vscode.registered.get("sexton.pause")?.(entry("Tests"));
  assert.equal((await other.automations.list({ paused: true })).items[0]?.id, tests.id);

  await within("the end of the extension", deactivate());
  const { instances } = await other.scheduler.status();
  assert.equal(instances.length, 1);
});
