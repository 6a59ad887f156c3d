/** What the README shows works as it stands there. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AnyAutomation, SextonError } from "sexton-client";
import { binary, dormant, Place, runIs, shell, within } from "./support.js";

const root = new URL("../../", import.meta.url);

test("the example is the one that is shown, and does what is said", async (t) => {
  const example = readFileSync(new URL("examples/hello.ts", root), "utf8");
  const readme = readFileSync(new URL("README.md", root), "utf8");
  assert.ok(readme.includes(`\`\`\`ts\n${example}\`\`\`\n`), "README.md shows another program than examples/hello.ts");
  const place = await Place.make(t);
  const program = fileURLToPath(new URL("build/examples/hello.js", root));
  const env = { ...place.environment, SEXTON_BIN: binary };
  const running = promisify(execFile)(process.execPath, [program], { cwd: place.project, env });
  const { stdout } = await within("the example", running);
  assert.deepEqual(stdout.split("\n"), ["scheduled ", "running ", "succeeded hello", "", ""]);
});

test("a refusal says what is so instead", async (t) => {
  const client = await (await Place.make(t)).open();
  const { id } = await client.automations.create(dormant("Tests", shell("true")));
  const shown: number[] = [];
  const show = (current: AnyAutomation): void => void shown.push(current.revision);
  try {
    await client.automations.update({ id, ifRevision: 3, patch: { title: "Nightly" } });
  } catch (error) {
    if (error instanceof SextonError && error.kind === "automation_conflict") show(error.data.current);
    else throw error;
  }
  assert.deepEqual(shown, [1]);
});

/** An agent that asks once, and does what it is allowed to. */
const agent = {
  async begin(prompt: string, { signal }: { signal: AbortSignal }) {
    let ask: (prompt: string) => Promise<unknown> = async () => undefined;
    let step: (title: string) => Promise<void> = async () => {};
    return {
      id: "ses_1",
      onStep: (listener: (title: string) => Promise<void>) => void (step = listener),
      onQuestion: (listener: (prompt: string) => Promise<unknown>) => void (ask = listener),
      async done(): Promise<string> {
        await step("reads");
        const answer = JSON.stringify(await ask("May it?"));
        return signal.aborted ? "" : `${prompt}: ${answer}`;
      },
    };
  },
};

test("a prompt is carried out, and asks a person", async (t) => {
  const client = await (await Place.make(t)).open();
  const news = client.events({ kinds: ["run.updated"] });
  await client.serveProvider({ id: "editor", models: [{ id: "large" }] }, async (work) => {
    const session = await agent.begin(work.prompt, { signal: work.signal });
    await work.started(session.id);
    session.onStep((title) => work.step(title));
    session.onQuestion(async (prompt) => work.blocked({ kind: "question", callID: "1", prompt }));
    return { text: await session.done(), outcome: "changed" };
  });
  const model = { providerID: "editor", modelID: "large" };
  const { id } = await client.automations.create(dormant("Look", { kind: "prompt", prompt: "Look around", model }));
  const run = await client.automations.run({ id });
  const asks = await runIs(news, run.id, "awaiting_input");
  assert.equal(asks.blocker?.kind, "question");
  await client.runs.respond({ id: run.id, callID: "1", text: "Yes" });
  const ended = await runIs(news, run.id, "succeeded");
  assert.equal(ended.result.outcome, "changed");
  assert.match(ended.result.text ?? "", /^Look around: .*Yes/);
  assert.equal(ended.steps, 1);
});
