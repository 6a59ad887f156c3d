/** Prompts that a callback carries out. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type CarryOut,
  type Run,
  type SextonClient,
  SextonError,
  type Work,
  WorkCancelled,
  WorkFailed,
} from "sexton-client";
import { dormant, killed, next, Place, runIs, thrown, until, within } from "./support.js";

const OFFER = { id: "editor", models: [{ id: "large", variants: ["careful"] }], maxConcurrent: 2 };
const PROMPT = { kind: "prompt", prompt: "look around", model: { providerID: "editor", modelID: "large" } } as const;

/** Something that one side tells and the other one waits for. */
function promised<T>(): { told: Promise<T>; tell: (value: T) => void } {
  let tell: (value: T) => void = () => {};
  const told = new Promise<T>((resolve) => (tell = resolve));
  return { told, tell };
}

/** A window that serves; gives its news, and what begins a run there. */
async function serves(t: TestContext, carryOut: CarryOut) {
  const client = await (await Place.make(t)).open();
  const news = client.events({ kinds: ["run.updated"] });
  const serving = await client.serveProvider(OFFER, carryOut);
  const begin = (): Promise<Run> => begun(client);
  return { client, news, serving, begin };
}

async function begun(client: SextonClient, policy = {}): Promise<Run> {
  const { id } = await client.automations.create({ ...dormant("prompted", PROMPT), policy });
  return client.automations.run({ id });
}

test("a run is carried out, step by step, to its result", async (t) => {
  const { client, news, serving } = await serves(t, async (work) => {
    assert.deepEqual([work.prompt, work.model, work.variant], ["look around", "large", "careful"]);
    assert.deepEqual([work.stepCap, work.permissions, work.sessionID], [7, "deny", undefined]);
    await work.started("ses_1");
    await work.step("reads");
    await work.step("writes");
    // More than one report takes, and no character is cut.
    await work.output("ä".repeat(50_000));
    await work.cost(0.25, "EUR");
    return { text: "all is well", outcome: "findings" };
  });
  const draft = {
    ...dormant("a", { ...PROMPT, variant: "careful" }),
    policy: { stepCap: 7, permissions: "deny" as const },
  };
  const { id } = await client.automations.create(draft);
  const run = await client.automations.run({ id });
  const ended = await runIs(news, run.id, "succeeded");
  assert.deepEqual([ended.result.text, ended.result.outcome], ["all is well", "findings"]);
  assert.deepEqual([ended.steps, ended.cost, ended.sessionID], [2, { amount: 0.25, currency: "EUR" }, "ses_1"]);
  let text = "";
  for await (const chunk of client.output(run.id)) text += chunk.data;
  assert.equal(text, "ä".repeat(50_000));
  await within("the end", serving.close());
  assert.equal(await serving.ended, undefined);
});

test("a callback that says little is enough", async (t) => {
  const { client, news, begin } = await serves(t, async () => "done");
  const run = await begin();
  const ended = await runIs(news, run.id, "succeeded");
  assert.deepEqual([ended.result.text, ended.sessionID], ["done", run.id]);
  assert.equal((await client.providers.list()).items[0]?.status, "ready");
});

test("the first report starts a run that has no session", async (t) => {
  const { client, news, begin } = await serves(t, async (work) => {
    await Promise.all([work.step("reads"), work.output("one"), work.cost(0.5, "EUR")]);
    const answer = await work.blocked({ kind: "question", callID: "call_1", prompt: "Which?" });
    return answer && "text" in answer ? answer.text : "";
  });
  const run = await begin();
  await runIs(news, run.id, "awaiting_input");
  await client.runs.respond({ id: run.id, callID: "call_1", text: "that one" });
  const ended = await runIs(news, run.id, "succeeded");
  assert.deepEqual([ended.result.text, ended.steps, ended.cost?.amount, ended.sessionID], ["that one", 1, 0.5, run.id]);
});

test("what is thrown is why it has failed", async (t) => {
  const errors: (() => Promise<string>)[] = [];
  const { news, begin } = await serves(t, async (work) => {
    const fails = errors.shift();
    assert.ok(fails);
    if (errors.length % 2 === 0) await work.started("s");
    return fails();
  });
  const outcomes: [Error, string, string][] = [
    [new Error("no agent"), "start_failed", "no agent"],
    [new Error("it fell over"), "execution_failed", "it fell over"],
    [new WorkFailed("provider_unavailable", "log in first", "auth"), "provider_unavailable", "log in first"],
    [new WorkFailed("step_cap", "too many steps"), "step_cap", "too many steps"],
  ];
  errors.push(
    ...outcomes.map(
      ([error]) =>
        () =>
          Promise.reject(error),
    ),
  );
  for (const [, code, message] of outcomes) {
    const failed = await runIs(news, (await begin()).id, "failed");
    assert.deepEqual([failed.error.code, failed.error.message], [code, message]);
  }
});

test("a result that is refused is a failure, and says so", async (t) => {
  const { news, begin } = await serves(t, async () => "x".repeat(70_000));
  const failed = await runIs(news, (await begin()).id, "failed");
  assert.match(failed.error.message, /report\.text/);
});

test("what it asks is answered in another window", async (t) => {
  const heard = promised<unknown>();
  const place = await Place.make(t);
  const [client, other] = [await place.open(), await place.open()];
  await client.serveProvider(OFFER, async (work) => {
    await work.started("s");
    const options = [
      { id: "yes", label: "Yes", kind: "allow_once" as const },
      { id: "no", label: "No", kind: "reject_once" as const },
    ];
    const permission = await work.blocked({ kind: "permission", requestID: "req_1", title: "May it?", options });
    const words = await work.blocked({ kind: "question", callID: "call_1", prompt: "Which?" });
    heard.tell([permission, words]);
  });
  const news = other.events({ kinds: ["run.updated"] });
  await other.scheduler.status();
  const run = await begun(client);
  const asks = await runIs(news, run.id, "awaiting_input");
  assert.ok(asks.blocker.kind === "permission");
  const { requestID, options } = asks.blocker;
  await other.runs.respond({ id: run.id, requestID, optionID: options[0]?.id ?? "" });
  const gone = await thrown("a second answer", other.runs.respond({ id: run.id, requestID, optionID: "no" }));
  assert.ok(gone instanceof SextonError && gone.kind === "blocker_gone", String(gone));
  const question = await until("a question", news, ({ kind, ...event }) => {
    assert.ok(kind === "run.updated" && "run" in event && !("ofLaterVersion" in event.run));
    return event.run.blocker?.kind === "question";
  });
  assert.equal(question.important, true);
  await other.runs.respond({ id: run.id, callID: "call_1", text: "that one" });
  assert.deepEqual(await within("the answers", heard.told), [{ optionID: "yes" }, { text: "that one" }]);
  await runIs(news, run.id, "succeeded");
});

test("what needs nobody any more goes on", async (t) => {
  const { news, begin } = await serves(t, async (work) => {
    await work.started("s");
    const asking = work.blocked({ kind: "question", callID: "call_1", prompt: "Which?" });
    const twice = work.blocked({ kind: "question", callID: "call_2", prompt: "And which?" });
    assert.match(String(await thrown("a second question", twice)), /one thing/);
    await work.unblocked();
    assert.equal(await asking, undefined);
    return "by itself";
  });
  const ended = await runIs(news, (await begin()).id, "succeeded");
  assert.equal(ended.result.text, "by itself");
});

test("a cancel aborts its signal, and a second one urges", async (t) => {
  const asked = promised<Work>();
  const reasons: unknown[] = [];
  const { client, news, begin } = await serves(t, async (work) => {
    await work.started("s");
    const asking = work.blocked({ kind: "question", callID: "call_1", prompt: "Which?" });
    asked.tell(work);
    reasons.push(await thrown("an answer", asking));
    // What it does until it ends is still taken in.
    await work.step("tidies up");
    await new Promise((resolve) => work.urgent.addEventListener("abort", resolve));
    work.urgent.throwIfAborted();
  });
  const run = await begin();
  const work = await within("a question", asked.told);
  await runIs(news, run.id, "awaiting_input");
  await client.runs.cancel({ id: run.id });
  await until("a step", news, (event) => event.kind === "run.updated" && "steps" in event.run && event.run.steps === 1);
  await client.runs.cancel({ id: run.id });
  const ended = await runIs(news, run.id, "stopped");
  assert.equal(ended.stopReason, "cancelled");
  const [reason] = reasons;
  assert.ok(reason instanceof WorkCancelled && reason.reason === "cancelled", String(reason));
  assert.equal(work.signal.reason, reason);
});

test("a provider is served again by the next sidecar, and what the last one had begun is over", async (t) => {
  const started = promised<Work>();
  const abandoned = promised<unknown>();
  const works: Work[] = [];
  const { client, news, begin } = await serves(t, async (work) => {
    works.push(work);
    if (works.length > 1) return "second";
    await work.started("s");
    started.tell(work);
    await new Promise((resolve) => work.signal.addEventListener("abort", resolve));
    abandoned.tell(work.signal.reason);
    await work.step("too late");
    return "first";
  });
  const first = await begin();
  await within("a start", started.told);
  const back = killed(client);
  assert.match(String(await within("the end of the first", abandoned.told)), /has gone/);
  await back;
  const stopped = await runIs(news, first.id, "stopped");
  assert.equal(stopped.stopReason, "interrupted");
  const second = await runIs(news, (await begin()).id, "succeeded");
  assert.equal(second.result.text, "second");
});

test("who serves no more interrupts what goes on, and is told of nothing", async (t) => {
  const started = promised<void>();
  const { client, news, serving, begin } = await serves(t, async (work) => {
    await work.started("s");
    started.tell();
    await new Promise((resolve) => work.signal.addEventListener("abort", resolve));
  });
  const run = await begin();
  await within("a start", started.told);
  await within("the end", serving.close());
  assert.equal((await runIs(news, run.id, "stopped")).stopReason, "interrupted");
  const { items } = await client.providers.list();
  assert.deepEqual(
    items.map(({ id, status }) => [id, status]),
    [["editor", "unavailable"]],
  );
});

test("an offer that is none is refused", async (t) => {
  const client = await (await Place.make(t)).open();
  const error = await thrown(
    "an offer",
    client.serveProvider({ id: "editor", models: [] }, async () => {}),
  );
  assert.ok(error instanceof SextonError && error.kind === "invalid_params", String(error));
  const events = client.events();
  await client.automations.create(dormant("a", { kind: "notify", text: "still here" }));
  await next("an event", events);
});
