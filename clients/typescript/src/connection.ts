/** One conversation with one sidecar: requests and their answers, subscriptions and what they tell. */

import { Message, ReadableStreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { NotificationMessage, ResponseMessage } from "vscode-jsonrpc/node";
import { cancelled, refusal, type SidecarEnd, SidecarLostError, tooLarge } from "./errors.js";
import { Gate } from "./flow.js";
import type { Methods, RequestOptions } from "./generated/methods.js";
import type { Transport } from "./transport.js";

type Method = keyof Methods;

/** The methods that open a subscription: what they give is its identity. */
export type Opening = "events/subscribe" | "output/subscribe" | "provider/serve" | "directory/hold";

/** What is told of a subscription. */
export type Listener = (told: unknown) => void;

interface Waiting {
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  /** Is called before anything that came after the answer is looked at. */
  readonly answered: (result: unknown) => void;
  readonly failed: (error: Error) => void;
}

/** A message is longer than the sidecar would read. */
class TooLong extends Error {}

/** What JSON-RPC says of an error. */
interface Answer extends ResponseMessage {
  readonly error?: { code: number; message: string; data?: never };
}

export class Connection {
  readonly #transport: Transport;
  readonly #writer: StreamMessageWriter;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, Listener>();
  #lastID = 0;
  #end: SidecarEnd | undefined;
  #onLost: (end: SidecarEnd) => void = () => {};
  /** How the sidecar ended, when everything that it had written was dealt with. */
  readonly lost: Promise<SidecarEnd>;

  /** The sidecar reads no message that has more bytes than `longest`, and could not say whose that was. */
  constructor(transport: Transport, longest: number) {
    this.#transport = transport;
    this.#writer = new StreamMessageWriter(transport.input, {
      contentTypeEncoder: {
        name: "application/json",
        encode: async (message) => {
          const content = Buffer.from(JSON.stringify(message));
          if (content.length <= longest) return content;
          throw new TooLong(`the message has ${content.length} bytes, and the sidecar reads no more than ${longest}`);
        },
      },
    });
    const gate = new Gate(transport.output);
    const reader = new ReadableStreamMessageReader(gate);
    // What arrives in parts is no news; the timer that tells of it would keep this process alive.
    reader.partialMessageTimeout = 0;
    reader.onError(() => transport.kill());
    reader.listen((message) => {
      gate.dealtWith();
      this.#heard(message);
    });
    // What cannot be written is not lost in silence: the end of the sidecar follows, and everybody is told of it.
    this.#writer.onError(() => {});
    transport.input.on("error", () => {});
    this.lost = Promise.all([gate.open(transport.ended), transport.ended]).then(([, end]) => {
      this.#end = end;
      this.#writer.dispose();
      const left = [...this.#waiting.values()];
      this.#waiting.clear();
      this.#listeners.clear();
      this.#onLost(end);
      for (const { method, failed } of left) failed(new SidecarLostError(method, end));
      return end;
    });
  }

  get pid(): number | null {
    return this.#transport.pid;
  }

  /** Has somebody know when the sidecar has gone before those know that wait for answers. */
  onLost(listener: (end: SidecarEnd) => void): void {
    this.#onLost = listener;
    if (this.#end !== undefined) listener(this.#end);
  }

  /** Ends the sidecar without asking. */
  kill(): void {
    this.#transport.kill();
  }

  request<M extends Method>(
    method: M,
    params: Methods[M]["params"],
    options: RequestOptions = {},
  ): Promise<Methods[M]["result"]> {
    return new Promise((resolve, reject) => {
      this.#send(method, params, options.signal, resolve as (result: unknown) => void, reject);
    });
  }

  /** Opens a subscription. The listener hears everything that is told of it, from the first on. */
  async open<M extends Opening>(
    method: M,
    params: Methods[M]["params"],
    listener: Listener,
    options: RequestOptions = {},
  ): Promise<string> {
    return await new Promise<string>((resolve, reject) => {
      const answered = (result: unknown) => {
        const subscription = String(result);
        this.#listeners.set(subscription, listener);
        resolve(subscription);
      };
      this.#send(method, params, options.signal, answered, reject);
    });
  }

  /** Ends a subscription; its listener hears nothing any more. */
  async close(
    method: "events/unsubscribe" | "output/unsubscribe" | "provider/unserve" | "directory/release",
    subscription: string,
  ): Promise<void> {
    this.#listeners.delete(subscription);
    await this.request(method, { subscription });
  }

  notify(method: string, params?: object): void {
    this.#write(params === undefined ? { method } : { method, params }).catch(() => {});
  }

  #send(
    method: Method,
    params: object,
    signal: AbortSignal | undefined,
    answered: (result: unknown) => void,
    failed: (error: Error) => void,
  ): void {
    if (signal?.aborted) return failed(cancelled(method, signal.reason));
    if (this.#end !== undefined) return failed(new SidecarLostError(method, this.#end));
    const id = ++this.#lastID;
    const cancel = () => this.notify("$/cancelRequest", { id });
    const done = () => signal?.removeEventListener("abort", cancel);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#waiting.set(id, {
      method,
      signal,
      answered: (result) => (done(), answered(result)),
      failed: (error) => (done(), failed(error)),
    });
    this.#write({ id, method, params }).catch((error: unknown) => {
      // Everything else that goes wrong here is the end of the sidecar.
      if (error instanceof TooLong && this.#waiting.delete(id)) (done(), failed(tooLarge(method, error.message)));
    });
  }

  async #write(message: object): Promise<void> {
    if (this.#end !== undefined) return;
    await this.#writer.write({ jsonrpc: "2.0", ...message } as Message);
  }

  #heard(message: Message): void {
    if (Message.isResponse(message)) this.#answer(message as Answer);
    else if (Message.isNotification(message)) this.#told(message);
  }

  #answer(answer: Answer): void {
    const waiting = typeof answer.id === "number" ? this.#waiting.get(answer.id) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id as number);
    const { error } = answer;
    if (error === undefined) return waiting.answered(answer.result);
    const { signal, method } = waiting;
    waiting.failed(refusal(method, error, signal?.aborted ? signal.reason : undefined));
  }

  #told({ params }: NotificationMessage): void {
    if (params === undefined || Array.isArray(params)) return;
    const { subscription, result } = params as { subscription?: unknown; result?: unknown };
    if (typeof subscription === "string") this.#listeners.get(subscription)?.(result);
  }
}
