/** What a subscription tells, one thing after the other, for as long as somebody wants to know. */

import type { Opening } from "./connection.js";
import { ClientClosedError } from "./errors.js";
import type { Methods } from "./generated/methods.js";
import { during, type Kind } from "./kept.js";
import type { Session } from "./session.js";
import type { Supervisor } from "./supervisor.js";

/** Something that is told from a place on. */
export interface Source<M extends Opening, T> extends Kind<M> {
  /** What is asked for next: everything after what was heard last. */
  params(session: Session): Methods[M]["params"];
  /** Moves the place on. */
  heard(told: T, session: Session): void;
  /** How much room it takes until somebody has taken it. */
  size(told: T): number;
  isLast(told: T): boolean;
}

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A subscription as an iterator. It begins when it is made, so nothing that follows is missed.
 *
 * What nobody has taken yet is kept up to a bound. Then the subscription is closed, and opened again at its place when
 * half of that was taken: the record itself is what a slow reader waits with, so nothing is lost, nothing comes twice,
 * and answers to requests never wait behind it. In the same way it goes on in the sidecar after one that was lost.
 */
export class Feed<M extends Opening, T> implements AsyncIterableIterator<T> {
  readonly #source: Source<M, T>;
  readonly #bound: number;
  readonly #untaken: T[] = [];
  readonly #waiting: Waiting<T>[] = [];
  readonly #stopped: Promise<void>;
  readonly #over: Promise<void>;
  #stop: () => void = () => {};
  #size = 0;
  #isStopped = false;
  #ended: { readonly error: Error | undefined } | undefined;
  #roomy: () => void = () => {};

  constructor(supervisor: Supervisor, source: Source<M, T>, bound: number) {
    if (!(bound > 0)) throw new RangeError(`a buffer of ${bound} holds nothing; name a positive number`);
    this.#source = source;
    this.#bound = bound;
    this.#stopped = new Promise((resolve) => (this.#stop = resolve));
    this.#over = this.#follow(supervisor).then(
      () => this.#finish(undefined),
      (error: Error) => this.#finish(error instanceof ClientClosedError ? undefined : error),
    );
  }

  async #follow(supervisor: Supervisor): Promise<void> {
    const stopped = this.#stopped.then(() => undefined);
    const { opens } = this.#source;
    let session = supervisor.current ?? (await Promise.race([supervisor.session(opens), stopped]));
    while (session !== undefined && !this.#isStopped) {
      if ((await this.#listen(session)) === "end") return;
      if (this.#size >= this.#bound) await this.#room();
      session = await Promise.race([supervisor.session(opens), stopped]);
    }
  }

  /** Listens until this sidecar has gone, until there is no room, or to the end. */
  async #listen(session: Session): Promise<"end" | "pause"> {
    let enough: () => void = () => {};
    const full = new Promise<void>((resolve) => (enough = resolve));
    let paused = false;
    let last = false;
    const listener = (told: unknown) => {
      if (paused || last) return;
      const item = told as T;
      this.#source.heard(item, session);
      last = this.#source.isLast(item);
      this.#put(item);
      paused = this.#size >= this.#bound;
      if (paused || last) enough();
    };
    const params = this.#source.params(session);
    await during(session, this.#source, params, listener, Promise.race([full, this.#stopped]));
    return last ? "end" : "pause";
  }

  #put(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting.resolve({ done: false, value: item });
    this.#untaken.push(item);
    this.#size += this.#source.size(item);
  }

  /** Waits until half of what was kept is taken. */
  #room(): Promise<void> {
    return Promise.race([this.#stopped, new Promise<void>((resolve) => (this.#roomy = resolve))]);
  }

  #finish(error: Error | undefined): void {
    this.#ended ??= { error };
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
  }

  /** The end is told once as what it was, and from then on as the end. */
  #settle({ resolve, reject }: Waiting<T>): void {
    const error = this.#ended?.error;
    this.#ended = { error: undefined };
    if (error === undefined) resolve({ done: true, value: undefined });
    else reject(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#untaken.shift();
    if (item !== undefined) {
      this.#size -= this.#source.size(item);
      if (this.#size <= this.#bound / 2) this.#roomy();
      return Promise.resolve({ done: false, value: item });
    }
    return new Promise((resolve, reject) => {
      if (this.#ended === undefined) this.#waiting.push({ resolve, reject });
      else this.#settle({ resolve, reject });
    });
  }

  /** Ends it: nothing more is told, and the sidecar knows. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#isStopped = true;
    this.#stop();
    this.#untaken.length = 0;
    this.#size = 0;
    this.#finish(undefined);
    await this.#over;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
