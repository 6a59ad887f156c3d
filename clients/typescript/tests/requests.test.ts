/** Requests, their answers, and their refusals. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type Methods, refusalCodes, SextonClient, SextonError, SidecarUnavailableError } from "sexton-client";
import { binary, dormant, Place, runIs, shell, thrown, waitsAt, within } from "./support.js";

/** Fails to compile unless both are the same type. */
function same<A, B>(_: [A] extends [B] ? ([B] extends [A] ? "same" : "differ") : "differ"): void {}

test("what is opened is told", async (t) => {
  const place = await Place.make(t);
  const client = await place.open({ clientInfo: { name: "test", version: "1" }, limits: { minIntervalMs: 1000 } });
  assert.equal(client.session.protocolVersion, 1);
  assert.equal(client.session.project.directory, place.project);
  assert.equal(client.state, "ready");
  const { createdBy } = await client.automations.create(dormant("a", shell("true")));
  assert.equal(createdBy.client, "test 1");
});

test("an automation is created, read, changed, paused, resumed, run and deleted", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const { automations, runs } = client;
  const { id } = await automations.create(dormant("first", shell("true")));
  assert.equal((await automations.update({ id, patch: { title: "second" } })).revision, 2);
  assert.equal((await automations.pause({ id, note: "for now" })).paused, true);
  assert.equal((await automations.resume({ id })).paused, false);
  const run = await automations.run({ id });
  assert.equal(run.state, "scheduled");
  // What it was asked first it has done first, also where nobody waits in between.
  const [, page] = await Promise.all([automations.update({ id, patch: { title: "third" } }), automations.list()]);
  assert.deepEqual(
    page.items.map((item) => ("ofLaterVersion" in item ? "" : item.title)),
    ["third"],
  );
  assert.deepEqual(
    (await runs.list({ automationID: id })).items.map((item) => item.id),
    [run.id],
  );
  assert.equal((await automations.delete({ id, activeRun: "finish" })).deleted, true);
  const { fires, description } = await automations.preview({
    rhythm: { kind: "cron", expression: "0 9 * * 1-5" },
    timezone: "Europe/Berlin",
    count: 3,
  });
  assert.equal(fires.length, 3);
  assert.match(description, /9/);
});

test("what is too long to be read is refused before it is sent, and the conversation goes on", async (t) => {
  const place = await Place.make(t);
  const client = await place.open({ limits: { maxMessageBytes: 65_536 } });
  const long = client.automations.create(dormant("ä".repeat(40_000), shell("true")));
  const refused = await thrown("the refusal", long);
  assert.ok(refused instanceof SextonError && refused.kind === "request_too_large", String(refused));
  assert.match(refused.message, /maxMessageBytes/);
  assert.deepEqual((await client.automations.list()).items, []);
});

test("every method that is asked by name can be asked by its own name", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const named = new Set(
    [client.automations, client.runs, client.providers, client.lifecycle, client.scheduler].flatMap((group) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(group)).filter((name) => name !== "constructor"),
    ),
  );
  const kept = /^(initialize|shutdown|rpc\.discover|events\/.*|output\/.*|directory\/.*|provider\/(un)?serve)$/;
  for (const method of client.session.capabilities.methods.filter((method) => !kept.test(method))) {
    assert.ok(named.has(method.split("/")[1] ?? ""), `${method} has no name on the client`);
  }
  const document = await client.request("rpc.discover", {});
  assert.ok("methods" in document);
});

test("a refusal is an error whose data is narrowed by its kind", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const { id } = await client.automations.create(dormant("a", shell("true")));
  await client.automations.update({ id, patch: { title: "b" } });
  const conflict = await thrown("a late edit", client.automations.update({ id, ifRevision: 1, patch: { title: "c" } }));
  assert.ok(conflict instanceof SextonError && conflict.kind === "automation_conflict", String(conflict));
  assert.equal(conflict.data.current.revision, 2);
  assert.deepEqual([conflict.code, conflict.method], [refusalCodes.automation_conflict, "automation/update"]);
  // @ts-expect-error a conflict has no faults
  assert.equal(conflict.data.details, undefined);

  const invalid = await thrown(
    "a bad draft",
    client.automations.create({
      title: " ",
      kind: "recurring",
      rhythm: { kind: "cron", expression: "61 * * * *" },
      task: shell("true"),
    }),
  );
  assert.ok(invalid instanceof SextonError && invalid.kind === "invalid_automation", String(invalid));
  const faults = invalid.data.details.map(({ field, message }) => `${field} ${message}`);
  assert.deepEqual(faults, ["title required", "rhythm.expression invalid_cron_expression"]);

  const missing = await thrown("no such run", client.runs.get({ id: "run_none" }));
  assert.ok(missing instanceof SextonError && missing.kind === "not_found", String(missing));
  assert.deepEqual([missing.data.what, missing.data.id], ["run", "run_none"]);
});

test("types say what the contract says", () => {
  same<Methods["automation/delete"]["params"]["activeRun"], "cancel" | "finish" | "refuse" | undefined>("same");
  same<Extract<Methods["run/cancel"]["result"], { state: "failed" }>["completedAt"], number>("same");
  const rhythm = { kind: "interval", everyMs: 60_000 } as const;
  // @ts-expect-error a one-shot has no rhythm
  const draft: Methods["automation/create"]["params"] = {
    title: "a",
    kind: "oneshot",
    fireAt: 1,
    task: shell(""),
    rhythm,
  };
  // @ts-expect-error an answer names what it answers
  const answer: Methods["run/respond"]["params"] = { id: "run_1", optionID: "yes" };
  assert.ok(draft && answer);
});

test("what has not been committed can be cancelled", async (t) => {
  const place = await Place.make(t);
  // An agent that never says what it offers.
  const providers = { mute: { command: ["sh", "-c", "while read -r line; do :; done"] } };
  const client = await place.open({ providers });
  const cancelling = new AbortController();
  const task = { kind: "prompt", prompt: "look", model: { providerID: "mute", modelID: "large" } } as const;
  const creating = client.automations.create(dormant("a", task), { signal: cancelling.signal });
  // Its answer says that what was asked for before it is being asked.
  await client.scheduler.status();
  cancelling.abort(new Error("enough"));
  const error = await thrown("a cancelled request", creating);
  assert.ok(error instanceof SextonError && error.kind === "cancelled", String(error));
  assert.equal((error.cause as Error).message, "enough");
  assert.deepEqual((await client.automations.list()).items, []);
});

test("what was cancelled before it was asked is not asked", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const signal = AbortSignal.abort();
  const error = await thrown("a request", client.automations.create(dormant("a", shell("true")), { signal }));
  assert.ok(error instanceof SextonError && error.kind === "cancelled", String(error));
  assert.deepEqual((await client.automations.list()).items, []);
});

test("a cancel that comes after the commit hides nothing", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const news = client.events({ kinds: ["run.updated"] });
  const { id } = await client.automations.create(dormant("a", shell(waitsAt("gate"))));
  const run = await client.automations.run({ id });
  await runIs(news, run.id, "running");
  const cancelling = new AbortController();
  const deleting = client.automations.delete({ id, activeRun: "finish" }, { signal: cancelling.signal });
  const conflict = await thrown("a run of what is being deleted", client.automations.run({ id }));
  assert.ok(conflict instanceof SextonError && conflict.kind === "automation_conflict", String(conflict));
  cancelling.abort();
  await place.openGate("gate");
  assert.equal((await within("the deletion", deleting)).deleted, true);
});

test("a sidecar that cannot be had is told with the way out", async (t) => {
  const place = await Place.make(t);
  const nowhere = await thrown("no program", SextonClient.spawn({ command: join(place.project, "nothing") }));
  assert.ok(nowhere instanceof SidecarUnavailableError, String(nowhere));
  assert.match(nowhere.message, /SEXTON_BIN/);
  const command = { command: "sh", args: ["-c", "echo 'no such option' >&2; exit 2"] };
  const ended = await thrown("another program", SextonClient.spawn(command));
  assert.ok(ended instanceof SidecarUnavailableError, String(ended));
  assert.match(ended.message, /code 2; it said last: no such option/);
  const noise = await thrown("noise", SextonClient.spawn({ command: "sh", args: ["-c", "echo: hello; echo; cat"] }));
  assert.ok(noise instanceof SidecarUnavailableError, String(noise));
  const mute = SextonClient.spawn({ command: "sh", args: ["-c", "while read -r line; do :; done"], startMs: 50 });
  assert.match(String(await thrown("silence", mute)), /within 50 ms/);
  const refused = await thrown("no project", place.open({ project: join(place.project, "nothing") }));
  assert.ok(refused instanceof SextonError && refused.kind === "invalid_params", String(refused));
  assert.equal(refused.data.details?.[0]?.field, "initializationOptions.projectDirectory");
});

test("its log is told line by line", async (t) => {
  const place = await Place.make(t);
  const lines: string[] = [];
  const script = 'printf "one\ntw" >&2; printf "o\nthree" >&2; exec "$0" --stdio';
  const client = await place.open({ command: "sh", args: ["-c", script, binary], onLog: (line) => lines.push(line) });
  await client.close();
  assert.deepEqual(lines, ["one", "two", "three"]);
});
