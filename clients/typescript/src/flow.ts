/** Reading no faster than messages are dealt with. */

import type { Readable } from "node:stream";
import { setTimeout as after, setImmediate as turn } from "node:timers/promises";
import { Disposable, type RAL } from "vscode-jsonrpc/node";

/** How long a pipe may be silent after the sidecar has ended, in milliseconds, before it is taken to be empty. */
const SILENCE_MS = 200;

/**
 * Passes a stream on piece by piece. The reader behind it deals with one message in each turn of the event loop and
 * keeps the others, however many there are; so the next piece is passed on only when it has come to the end of the last
 * one. What is not passed on stays in the pipe, and the sidecar waits with what it has not written yet.
 */
export class Gate implements RAL.ReadableStream {
  readonly #source: Readable;
  readonly #data = new Set<(data: Uint8Array) => void>();
  readonly #error = new Set<(error: unknown) => void>();
  readonly #end = new Set<() => void>();
  readonly #close = new Set<() => void>();
  #messages = 0;
  #pieces = 0;

  constructor(source: Readable) {
    this.#source = source;
  }

  /** The reader has dealt with a message. */
  dealtWith(): void {
    this.#messages += 1;
  }

  /** Begins to read; everything that came is dealt with before listeners are told of the end. */
  async open(ended: Promise<unknown>): Promise<void> {
    void this.#closeAfter(ended);
    try {
      for await (const piece of this.#source) {
        this.#pieces += 1;
        for (const listener of this.#data) listener(piece as Uint8Array);
        await this.#idle();
      }
    } catch (error) {
      for (const listener of this.#error) listener(error);
    }
    for (const listener of [...this.#end, ...this.#close]) listener();
  }

  /** A process that the sidecar has left behind may hold its pipe open; nobody waits for that. */
  async #closeAfter(ended: Promise<unknown>): Promise<void> {
    await ended;
    let before: number;
    do {
      before = this.#pieces;
      await after(SILENCE_MS, undefined, { ref: false });
    } while (this.#pieces !== before);
    this.#source.destroy();
  }

  /** A reader that has more does so in the next turn, or in the one after it. */
  async #idle(): Promise<void> {
    let before: number;
    do {
      before = this.#messages;
      await turn();
      await turn();
    } while (this.#messages !== before);
  }

  onData(listener: (data: Uint8Array) => void): Disposable {
    return registered(this.#data, listener);
  }

  onError(listener: (error: unknown) => void): Disposable {
    return registered(this.#error, listener);
  }

  onEnd(listener: () => void): Disposable {
    return registered(this.#end, listener);
  }

  onClose(listener: () => void): Disposable {
    return registered(this.#close, listener);
  }
}

function registered<T>(listeners: Set<T>, listener: T): Disposable {
  listeners.add(listener);
  return Disposable.create(() => listeners.delete(listener));
}
