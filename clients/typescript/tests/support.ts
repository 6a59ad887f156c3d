/** What tests need of the world: a project of their own, the real sidecar, and deadlines. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type AutomationCreateParams,
  type ClientState,
  type EventOf,
  type Run,
  SextonClient,
  type SpawnOptions,
} from "sexton-client";

/** Longer than anything takes on a machine that is busy with something else. */
const DEADLINE_MS = 60_000;

export const binary =
  process.env["SEXTON_BIN"] ?? fileURLToPath(new URL("../../../../target/debug/sexton", import.meta.url));
assert.ok(existsSync(binary), `there is no sidecar at ${binary}: run \`cargo build\`, or name one with SEXTON_BIN`);

/** Gives what a promise gives, or fails when that has not come in time. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The error that a promise is rejected with. */
export async function thrown(what: string, promise: Promise<unknown>): Promise<unknown> {
  const outcome = await within(
    what,
    promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  if (!("error" in outcome)) assert.fail(`${what}: was not refused, and gave ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

/** A project and a ledger of a test's own. */
export class Place {
  readonly project: string;
  readonly #root: string;
  readonly #test: TestContext;

  private constructor(test: TestContext, root: string) {
    this.#test = test;
    this.#root = root;
    this.project = join(root, "project");
  }

  static async make(test: TestContext): Promise<Place> {
    const root = await realpath(await mkdtemp(join(tmpdir(), "sexton-client-")));
    // Registered first, so it goes last: after the clients that write there.
    const place = new Place(test, root);
    await mkdir(place.project);
    test.after(() => rm(root, { recursive: true, force: true, maxRetries: 20 }));
    return place;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, SEXTON_STATE_DIR: join(this.#root, "state"), XDG_CONFIG_HOME: join(this.#root, "config") };
  }

  /** A client whose sidecar goes with the test at the latest. */
  async open(options: SpawnOptions = {}): Promise<SextonClient> {
    const spawning = SextonClient.spawn({ command: binary, project: this.project, env: this.environment, ...options });
    const client = await within("a sidecar", spawning);
    this.#test.after(() => within("closing", client.close()));
    return client;
  }

  /** Lets what `waitsAt` this gate go on. */
  async openGate(name: string): Promise<void> {
    await writeFile(join(this.project, name), "");
  }
}

/** Shell words that wait until a gate is open. */
export function waitsAt(name: string): string {
  return `until [ -e ${name} ]; do command -p sleep 0.02; done`;
}

type Task = AutomationCreateParams["task"];

export function shell(line: string): Task {
  return { kind: "command", program: "sh", args: ["-c", line] };
}

/** An automation that is not due while a test lasts. */
export function dormant(title: string, task: Task): AutomationCreateParams {
  return { title, kind: "recurring", rhythm: { kind: "interval", everyMs: 86_400_000 }, task };
}

/** Ends a sidecar so that it can do nothing about it. Gives when another one is there. */
export function killed(client: SextonClient): Promise<void> {
  assert.ok(client.pid !== null, "there is no process");
  const states: ClientState[] = [];
  const back = new Promise<void>((resolve) => {
    const stop = client.onState((state) => {
      states.push(state);
      if (state !== "ready") return;
      stop();
      resolve();
    });
  });
  process.kill(client.pid, "SIGKILL");
  return within("another sidecar", back).then(() => assert.deepEqual(states, ["lost", "ready"]));
}

/** The next thing that an iterator gives. */
export async function next<T>(what: string, iterator: AsyncIterator<T>): Promise<T> {
  const result = await within(what, iterator.next());
  if (result.done === true) assert.fail(`${what}: it has ended`);
  return result.value;
}

/** Goes on to the first thing that is so. */
export async function until<T>(what: string, iterator: AsyncIterator<T>, isSo: (told: T) => boolean): Promise<T> {
  for (;;) {
    const told = await next(what, iterator);
    if (isSo(told)) return told;
  }
}

type RunNews = AsyncIterator<EventOf<"run.updated"> | EventOf<"resync">>;

/** Goes on until a run is in this state. */
export async function runIs<S extends Run["state"]>(
  news: RunNews,
  id: string,
  state: S,
): Promise<Extract<Run, { state: S }>> {
  for (;;) {
    const event = await next(`${id} ${state}`, news);
    if (event.kind !== "run.updated" || "ofLaterVersion" in event.run) continue;
    if (event.run.id !== id) continue;
    if (event.run.state === state) return event.run as Extract<Run, { state: S }>;
    assert.equal(event.run.completedAt, null, `${id} has ended, and not as ${state}: ${JSON.stringify(event.run)}`);
  }
}
