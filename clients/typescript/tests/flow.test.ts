/** A sidecar that is played, because a real one does none of this. */

import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { type RequestMessage, StreamMessageReader } from "vscode-jsonrpc/node";
import { SextonClient, SextonError, SidecarUnavailableError } from "sexton-client";
import { next, thrown, within } from "./support.js";

const OPENED = { protocolVersion: 1, seq: 0, ledgerID: "ldg_1", instanceID: "ins_1" };

function framed(message: object): string {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** What each request is answered with, by its method: members of an answer, and what is written after it. */
type Part = Record<string, { readonly answer: object; readonly then?: Iterable<string> }>;

/** Plays a sidecar; gives its streams and counts the parts that were taken from it. */
function played(part: Part) {
  const input = new PassThrough();
  const written: (string | Iterable<string>)[] = [];
  let wake: () => void = () => {};
  let isOver = false;
  new StreamMessageReader(input).listen((message) => {
    const { method, id, params } = message as RequestMessage;
    asked.push({ method, params });
    heard();
    const { answer, then } = part[method] ?? { answer: { result: null } };
    if (method === "exit") isOver = true;
    else written.push(framed({ id, ...answer }), ...(then === undefined ? [] : [then]));
    wake();
  });
  input.once("close", () => {
    isOver = true;
    wake();
  });
  const taken = { parts: 0 };
  const asked: { readonly method: string; readonly params: unknown }[] = [];
  let heard: () => void = () => {};
  /** What was asked, as soon as there are so many of it. */
  const hears = async (method: string, count: number): Promise<unknown> => {
    for (;;) {
      const found = asked.filter((request) => request.method === method)[count - 1];
      if (found !== undefined) return found.params;
      await new Promise<void>((resolve) => (heard = resolve));
    }
  };
  async function* says() {
    while (!isOver || written.length > 0) {
      const next = written.shift();
      if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (typeof next === "string") yield Buffer.from(next);
      else
        for (const part of next) {
          taken.parts += 1;
          yield Buffer.from(part);
        }
    }
  }
  const output = Readable.from(says(), { objectMode: false, highWaterMark: 1 });
  return { input, output, taken, hears };
}

test("no more is read than is dealt with", async () => {
  const [parts, events] = [400, 100];
  function* flood() {
    for (let part = 0; part < parts; part += 1) {
      const seqs = Array.from({ length: events }, (_, index) => part * events + index + 1);
      const event = (seq: number) => ({ subscription: "s", result: { kind: "scheduler.owner", seq } });
      yield seqs.map((seq) => framed({ method: "events/event", params: event(seq) })).join("");
    }
  }
  const { input, output, taken } = played({
    initialize: { answer: { result: OPENED } },
    "events/subscribe": { answer: { result: "s" }, then: flood() },
  });
  const client = await within("opening", SextonClient.connect({ input, output }));
  const heard = client.events({ buffer: Number.MAX_SAFE_INTEGER });
  let ahead = 0;
  for (let count = 1; count <= parts * events; count += 1) {
    assert.equal((await next("an event", heard)).seq, count);
    ahead = Math.max(ahead, taken.parts - Math.ceil(count / events));
  }
  assert.ok(ahead <= 3, `${ahead} parts were read that nobody had dealt with`);
  await within("the end", client.close());
});

test("what nobody takes is left with the sidecar, and asked for when there is room", async () => {
  const event = (seq: number) => ({ subscription: "s", result: { kind: "scheduler.owner", seq } });
  const seqs = Array.from({ length: 100 }, (_, index) => index + 1);
  const flood = seqs.map((seq) => framed({ method: "events/event", params: event(seq) }));
  const { input, output, hears } = played({
    initialize: { answer: { result: OPENED } },
    "events/subscribe": { answer: { result: "s" }, then: flood },
  });
  const client = await within("opening", SextonClient.connect({ input, output }));
  const events = client.events({ buffer: 4, kinds: ["scheduler.owner"] });
  assert.deepEqual(await within("a subscription", hears("events/subscribe", 1)), { kinds: ["scheduler.owner"] });
  assert.deepEqual(await within("its end", hears("events/unsubscribe", 1)), { subscription: "s" });
  assert.equal((await next("an event", events)).seq, 1);
  assert.equal((await next("an event", events)).seq, 2);
  const again = { after: 4, ledgerID: "ldg_1", kinds: ["scheduler.owner"] };
  assert.deepEqual(await within("another one", hears("events/subscribe", 2)), again);
  await within("the end", client.close());
});

test("a refusal of a kind that only a later version knows stays what it is", async () => {
  const error = { code: -32099, message: "too early for tea", data: { kind: "tea_time", at: 5 } };
  const { input, output } = played({
    initialize: { answer: { result: OPENED } },
    "automation/list": { answer: { error } },
  });
  const client = await within("opening", SextonClient.connect({ input, output }));
  const refused = await thrown("a list", client.automations.list());
  assert.ok(refused instanceof SextonError, String(refused));
  assert.deepEqual([refused.kind as string, refused.code, refused.data as object], ["tea_time", -32099, error.data]);
  assert.equal(refused.message, "too early for tea");
  await within("the end", client.close());
});

test("a sidecar of another protocol is left alone", async () => {
  const { input, output } = played({ initialize: { answer: { result: { ...OPENED, protocolVersion: 2 } } } });
  const error = await thrown("opening", SextonClient.connect({ input, output }));
  assert.ok(error instanceof SidecarUnavailableError, String(error));
  assert.match(error.message, /version 2 of the protocol/);
});

test("what is no protocol ends the conversation", async () => {
  const { input, output } = played({
    initialize: { answer: { result: OPENED } },
    "automation/list": { answer: { result: null }, then: ["Content-Length: 3\r\n\r\nno!"] },
  });
  const client = await within("opening", SextonClient.connect({ input, output }));
  const failed = new Promise<void>((resolve) =>
    client.onState((state) => (state === "failed" ? resolve() : undefined)),
  );
  await client.automations.list();
  await within("the end", failed);
  assert.ok((await thrown("a list", client.automations.list())) instanceof SidecarUnavailableError);
});
