/** Events and outputs as iterators. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "sexton-client";
import { dormant, killed, next, Place, runIs, shell, thrown, until, waitsAt, within } from "./support.js";

/** As many titles, each of them an event, as are asked for in one go. */
async function rename(
  client: Awaited<ReturnType<Place["open"]>>,
  id: string,
  titles: readonly string[],
): Promise<void> {
  await Promise.all(titles.map((title) => client.automations.update({ id, patch: { title } })));
}

function numbered(count: number, name = "title"): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

function titleOf(event: Event): string {
  if (event.kind !== "automation.updated" || "ofLaterVersion" in event.automation) return "";
  return event.automation.title;
}

test("they begin with the call and come in order", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  await client.automations.create(dormant("before", shell("true")));
  const events = client.events();
  const { id } = await client.automations.create(dormant("after", shell("true")));
  await rename(client, id, numbered(10));
  const heard: Event[] = [];
  for await (const event of events) {
    heard.push(event);
    if (titleOf(event) === "title 9") break;
  }
  assert.deepEqual(heard.map(titleOf), ["after", ...numbered(10)]);
  const [first] = heard;
  assert.deepEqual(
    heard.map(({ seq }) => seq - (first?.seq ?? 0)),
    heard.map((_, index) => index),
  );
  // Leaving the loop has ended it.
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test("only what was chosen is told, and its type says so", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const [one, other] = await Promise.all(
    ["one", "other"].map((title) => client.automations.create(dormant(title, shell("true")))),
  );
  assert.ok(one && other);
  const deleted = client.events({ kinds: ["automation.deleted"], automationID: other.id });
  await client.automations.delete({ id: one.id });
  await client.automations.delete({ id: other.id });
  const event = await next("a deletion", deleted);
  assert.ok(event.kind === "automation.deleted", event.kind);
  assert.equal(event.tombstone.id, other.id);
  // @ts-expect-error no run was chosen
  assert.equal(event.run, undefined);
});

test("a reader that is slow misses nothing, and keeps nobody waiting", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const events = client.events({ buffer: 4 });
  const { id } = await client.automations.create(dormant("first", shell("true")));
  await rename(client, id, numbered(300));
  // Nobody has taken an event yet, and answers come all the same.
  assert.equal((await client.automations.get({ id })).revision, 301);
  const heard: string[] = [];
  for await (const event of events) {
    heard.push(titleOf(event));
    // What is asked in the loop does not wait for the loop.
    if (heard.length % 50 === 0) await client.automations.get({ id });
    if (heard.length === 301) break;
  }
  assert.deepEqual(heard, ["first", ...numbered(300)]);
});

test("a sidecar that is killed leaves no gap and no repeat", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const other = await place.open();
  const [wide, narrow] = [client.events(), client.events({ buffer: 3 })];
  // Its answer says that the subscriptions before it were read.
  await client.scheduler.status();
  const { id } = await other.automations.create(dormant("first", shell("true")));
  const heard: Event[] = [];
  const take = async (count: number) => {
    for (let taken = 0; taken < count; taken += 1) heard.push(await next("an event", wide));
  };
  for (let round = 0; round < 3; round += 1) {
    // Some are read before it is killed, some were sent and are not read yet, and some it has never told.
    const renamed = rename(other, id, numbered(40, `round ${round}`));
    await take(20);
    const back = killed(client);
    await within("renaming", renamed);
    await take(10);
    await back;
    const again = killed(client);
    await rename(other, id, numbered(5, `more of ${round}`));
    await again;
  }
  await other.automations.update({ id, patch: { title: "last" } });
  const isLast = (event: Event | undefined) => event !== undefined && titleOf(event) === "last";
  while (!isLast(heard.at(-1))) heard.push(await next("an event", wide));
  const rounds = [0, 1, 2].flatMap((round) => [...numbered(40, `round ${round}`), ...numbered(5, `more of ${round}`)]);
  assert.deepEqual(
    heard.map(titleOf).filter((title) => title !== ""),
    ["first", ...rounds, "last"],
  );
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    heard.map((_, index) => (heard[0]?.seq ?? 0) + index),
  );
  const again: Event[] = [];
  while (!isLast(again.at(-1))) again.push(await next("an event of the slow reader", narrow));
  assert.deepEqual(again, heard);
});

test("one that is killed before anything was told goes on from where it began", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const other = await place.open();
  const events = client.events({ kinds: ["automation.updated"] });
  // Its answer says that the subscription before it was read.
  await client.scheduler.status();
  const back = killed(client);
  await other.automations.create(dormant("meanwhile", shell("true")));
  await back;
  assert.equal(titleOf(await next("an event", events)), "meanwhile");
});

test("a place that is none is told as such, and then it goes on", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const foreign = client.events({ after: 1, ledgerID: "ldg_none", kinds: ["automation.updated"] });
  const event = await next("resync", foreign);
  assert.equal(event.kind, "resync");
  await client.automations.create(dormant("after", shell("true")));
  assert.equal(titleOf(await next("an event", foreign)), "after");
});

test("history comes first, and the end of the client is the end", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const { id } = await client.automations.create(dormant("first", shell("true")));
  const { ledgerID } = client.session;
  const events = client.events({ after: 0, ledgerID, kinds: ["automation.updated"], automationID: id });
  assert.equal(titleOf(await next("history", events)), "first");
  const waiting = events.next();
  await client.close();
  assert.deepEqual(await within("the end", waiting), { done: true, value: undefined });
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test("who has left is not subscribed any more", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  // A sidecar has 64 subscriptions at most.
  for (let round = 0; round < 80; round += 1) {
    const events = client.events();
    await within("leaving", events.return?.() ?? assert.fail());
  }
  const events = client.events();
  await client.automations.create(dormant("a", shell("true")));
  await next("an event", events);
});

test("a filter that is none is refused where it is read", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const events = client.events({ kinds: ["nothing" as never] });
  assert.match(String(await thrown("an event", events.next())), /kinds/);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
  assert.throws(() => client.events({ buffer: 0 }), RangeError);
});

test("an output is told while it is written, to its end", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  const line = `printf 'one ä'; ${waitsAt("gate")}; printf ' two'`;
  const { id } = await client.automations.create(dormant("a", shell(line)));
  const run = await client.automations.run({ id });
  const output = client.output(run.id);
  const first = await next("a part", output);
  assert.deepEqual([first.data, first.offset, first.end], ["one ä", 0, false]);
  await place.openGate("gate");
  let rest = "";
  for await (const chunk of { [Symbol.asyncIterator]: () => output }) rest += chunk.data;
  assert.equal(rest, " two");
  const late = client.output(run.id, { offset: 6 });
  assert.equal((await next("from a byte on", late)).data, " two");
  const unknown = client.output("run_none");
  assert.match(String(await thrown("an output", unknown.next())), /run_none/);
});

test("an output goes on where it was when its reader's sidecar is killed", async (t) => {
  const place = await Place.make(t);
  const owner = await place.open();
  const client = await place.open();
  const line = `echo begin; ${waitsAt("gate")}; seq 1 100000; ${waitsAt("end")}; echo end`;
  const { id } = await owner.automations.create(dormant("a", shell(line)));
  const news = owner.events({ kinds: ["run.updated"] });
  const run = await owner.automations.run({ id });
  // The bound is small, so it is paused many times as well.
  const output = client.output(run.id, { buffer: 70_000 });
  const text = [(await next("a part", output)).data];
  await place.openGate("gate");
  text.push((await next("a part", output)).data);
  await killed(client);
  await place.openGate("end");
  await runIs(news, run.id, "succeeded");
  for (;;) {
    const chunk = await next("a part", output);
    text.push(chunk.data);
    if (chunk.end) break;
  }
  const numbers = Array.from({ length: 100_000 }, (_, index) => index + 1);
  assert.ok(text.join("") === `begin\n${numbers.join("\n")}\nend\n`, "it has a gap, or a repeat");
});

test("events are told of runs that end in another window", async (t) => {
  const place = await Place.make(t);
  const [client, other] = [await place.open(), await place.open()];
  const news = client.events({ kinds: ["run.updated"] });
  await client.scheduler.status();
  const { id } = await other.automations.create(dormant("a", shell("exit 3")));
  const run = await other.automations.run({ id });
  const failed = await runIs(news, run.id, "failed");
  assert.deepEqual([failed.error.code, failed.end?.exitCode], ["execution_failed", 3]);
  const reminder = await other.automations.create(dormant("b", { kind: "notify", text: "Stand up" }));
  await other.automations.run({ id: reminder.id });
  const told = await until("a reminder", news, (event) => event.important && event.kind === "run.updated");
  assert.equal(told.kind, "run.updated");
});
