/** The end of a client, of its sidecar, and what is held until then. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ClientClosedError, SextonClient, SextonError, SidecarLostError, SidecarUnavailableError } from "sexton-client";
import { binary, dormant, killed, next, Place, runIs, shell, thrown, until, waitsAt, within } from "./support.js";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A window whose run waits at a gate, and another one that looks on. */
async function busy(place: Place) {
  const [client, other] = [await place.open(), await place.open()];
  const news = other.events({ kinds: ["run.updated"] });
  await other.scheduler.status();
  const { id } = await client.automations.create(dormant("a", shell(waitsAt("gate"))));
  const run = await client.automations.run({ id });
  await runIs(news, run.id, "running");
  return { client, other, news, run };
}

test("a close ends the sidecar and its runs, and is final", async (t) => {
  const place = await Place.make(t);
  const { client, news, run } = await busy(place);
  const pid = client.pid ?? assert.fail();
  const [closing] = [client.close(), client.close()];
  await within("the end", closing);
  assert.equal(isAlive(pid), false);
  assert.deepEqual([client.state, client.pid], ["closed", null]);
  assert.equal((await runIs(news, run.id, "stopped")).stopReason, "shutdown");
  assert.ok((await thrown("a request", client.automations.list())) instanceof ClientClosedError);
  assert.ok((await thrown("a hold", client.hold({ title: "late" }))) instanceof ClientClosedError);
  assert.deepEqual(await client.events().next(), { done: true, value: undefined });
  await client.close();
});

test("a sidecar that is closed has left by itself", async (t) => {
  const place = await Place.make(t);
  const log: string[] = [];
  const args = ["-c", '"$0" --stdio; echo "left with $?" >&2', binary];
  const client = await place.open({ command: "sh", args, onLog: (line) => log.push(line) });
  await within("the end", client.close());
  assert.deepEqual(log, ["left with 0"]);
});

test("maintenance waits for the runs, and the conversation goes on", async (t) => {
  const place = await Place.make(t);
  const { client, news, run } = await busy(place);
  const closing = client.close({ mode: "maintenance" });
  assert.deepEqual(
    (await client.lifecycle.status()).activeRuns.map(({ runID }) => runID),
    [run.id],
  );
  await place.openGate("gate");
  await within("the end", closing);
  await runIs(news, run.id, "succeeded");
  assert.equal(client.state, "closed");
});

test("force overtakes maintenance", async (t) => {
  const place = await Place.make(t);
  const { client, news, run } = await busy(place);
  const patient = client.close({ mode: "maintenance" });
  await client.lifecycle.status();
  const forced = client.close();
  await within("both ends", Promise.all([patient, forced]));
  assert.equal((await runIs(news, run.id, "stopped")).stopReason, "shutdown");
});

test("what cannot close goes on, and is followed by another one when it is killed", async (t) => {
  const place = await Place.make(t);
  const client = await place.open();
  // Without its ledger it cannot write down that it waits for its runs.
  const ledger = join(client.session.stateDirectory, "ledger.db");
  await rename(ledger, `${ledger}.aside`);
  const error = await thrown("a close", client.close({ mode: "maintenance" }));
  assert.ok(error instanceof SextonError && error.kind === "storage_unavailable", String(error));
  assert.equal(error.data.reason, "replaced");
  assert.equal(client.state, "ready");
  await rename(`${ledger}.aside`, ledger);
  await killed(client);
  assert.deepEqual((await client.automations.list()).items, []);
});

test("a sidecar that is killed fails what was asked of it, and another one answers", async (t) => {
  const place = await Place.make(t);
  const { client, other, news, run } = await busy(place);
  const { automationID } = run;
  const deleting = client.automations.delete({ id: automationID, activeRun: "finish" });
  await thrown("a run of what is being deleted", client.automations.run({ id: automationID }));
  const states: string[] = [];
  client.onState((state) => states.push(state));
  const back = killed(client);
  const error = await thrown("a deletion", deleting);
  assert.ok(error instanceof SidecarLostError, String(error));
  assert.deepEqual([error.end.signal, error.end.exitCode], ["SIGKILL", null]);
  // What is asked then waits for the next one.
  const listed = await within("a list", client.automations.list());
  assert.ok(listed.items.length <= 1);
  await back;
  assert.deepEqual(states, ["lost", "ready"]);
  assert.notEqual(client.session.instanceID, other.session.instanceID);
  assert.equal((await runIs(news, run.id, "stopped")).stopReason, "interrupted");
});

test("one that is started when it is needed rests until then", async (t) => {
  const place = await Place.make(t);
  const client = await place.open({ restart: { when: "whenNeeded" } });
  const lost = new Promise<void>((resolve) => {
    client.onState((state) => (state === "lost" ? resolve() : undefined));
  });
  process.kill(client.pid ?? assert.fail(), "SIGKILL");
  await within("its end", lost);
  assert.deepEqual([client.state, client.pid], ["lost", null]);
  assert.deepEqual((await within("a list", client.automations.list())).items, []);
  assert.equal(client.state, "ready");
});

test("one that is not to be started again has failed", async (t) => {
  const place = await Place.make(t);
  const client = await place.open({ restart: { when: "never" } });
  const events = client.events();
  process.kill(client.pid ?? assert.fail(), "SIGKILL");
  const error = await thrown("events", events.next());
  assert.ok(error instanceof SidecarUnavailableError, String(error));
  assert.match(error.message, /SIGKILL/);
  assert.equal(client.state, "failed");
  assert.ok((await thrown("a request", client.automations.list())) instanceof SidecarUnavailableError);
  await client.close();
  assert.equal(client.state, "closed");
});

test("one that goes again and again is given up", async (t) => {
  const place = await Place.make(t);
  // The first one lives; those after it do not open the project.
  const script = `if [ -e been ]; then echo "not again" >&2; exit 3; fi; touch been; exec "$0" --stdio`;
  const args = ["-c", script, binary];
  const restart = { attempts: 4, delayMs: 1 };
  const client = await place.open({ command: "sh", args, cwd: place.project, restart });
  const failed = new Promise<void>((resolve) => {
    client.onState((state) => (state === "failed" ? resolve() : undefined));
  });
  process.kill(client.pid ?? assert.fail(), "SIGKILL");
  await within("giving up", failed);
  const error = await thrown("a request", client.automations.list());
  assert.match(String(error), /code 3; it said last: not again/);
});

test("a client that is closed while its sidecar starts again leaves none", async (t) => {
  const place = await Place.make(t);
  // The second one opens nothing, and when it is ended it leaves behind what holds its pipes.
  const script = `if [ -e been ]; then cat > /dev/null; fi; touch been; exec "$0" --stdio`;
  const client = await place.open({ command: "sh", args: ["-c", script, binary], cwd: place.project });
  const lost = new Promise<void>((resolve) => {
    client.onState((state) => (state === "lost" ? resolve() : undefined));
  });
  process.kill(client.pid ?? assert.fail(), "SIGKILL");
  await within("its end", lost);
  const listing = thrown("a list", client.automations.list());
  const before = performance.now();
  await within("the end", client.close());
  assert.ok(performance.now() - before < 20_000, "it waited until the project should have been opened");
  assert.ok((await listing) instanceof ClientClosedError);
  assert.equal(client.state, "closed");
});

test("streams to a sidecar that somebody else has started do as well", async (t) => {
  const place = await Place.make(t);
  const child = spawn(binary, ["--stdio"], { stdio: ["pipe", "pipe", "inherit"], env: place.environment });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const client = await SextonClient.connect({ input: child.stdin, output: child.stdout }, { project: place.project });
  assert.equal(client.pid, null);
  assert.deepEqual((await client.automations.list()).items, []);
  await within("the end", client.close());
  assert.equal(await within("its exit", ended), 0);
});

test("a directory is held, by the next sidecar as well, until it is released", async (t) => {
  const place = await Place.make(t);
  const [client, other] = [await place.open(), await place.open()];
  const news = other.events({ kinds: ["run.updated"] });
  const hold = await client.hold({ title: "an agent at work" });
  await killed(client);
  // Its answer says that the hold before it is there.
  assert.deepEqual(
    (await client.lifecycle.status()).holds.map(({ title }) => title),
    ["an agent at work"],
  );
  const { id } = await other.automations.create(dormant("a", shell("true")));
  const run = await other.automations.run({ id });
  assert.ok(run.state === "scheduled" && run.waiting?.for === "directory", JSON.stringify(run));
  await hold.release();
  assert.equal(await hold.ended, undefined);
  await runIs(news, run.id, "succeeded");
  const refused = await thrown("a hold", client.hold({ title: " " }));
  assert.ok(refused instanceof SextonError && refused.kind === "invalid_params", String(refused));
});

test("what is used is closed where it was made", async (t) => {
  const place = await Place.make(t);
  const other = await place.open();
  {
    await using client = await place.open();
    await using hold = await client.hold({ title: "an agent at work" });
    await using events = client.events();
    assert.ok(hold);
    await client.automations.create(dormant("a", shell("true")));
    await next("an event", events);
  }
  const { instances } = await other.scheduler.status();
  assert.deepEqual(
    instances.map(({ id }) => id),
    [other.session.instanceID],
  );
  const events = other.events({ after: 0 });
  await until("its event", events, (event) => event.kind === "automation.updated");
});
