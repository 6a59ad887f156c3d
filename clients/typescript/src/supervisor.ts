/** Keeps a sidecar: starts another one when it goes, and tells who waits for it. */

import { setTimeout as after } from "node:timers/promises";
import { ClientClosedError, described, type SidecarEnd, SextonError, SidecarUnavailableError } from "./errors.js";
import type { InitializeParams } from "./generated/protocol.js";
import { Session } from "./session.js";
import type { Transport } from "./transport.js";

/** What becomes of a sidecar that has gone without being asked to. */
export interface RestartPolicy {
  /**
   * `always`: another one is started at once, because a window that waits for nothing fires timers all the same.
   * `whenNeeded`: when something is asked, or while something is subscribed to. `never`: the client has failed.
   * @default "always"
   */
  readonly when?: "always" | "whenNeeded" | "never" | undefined;
  /**
   * How often in a row it may fail to start, or go soon after, before the client has failed.
   * @default 8
   */
  readonly attempts?: number | undefined;
  /**
   * How long the second attempt waits, in milliseconds; each one after that waits twice as long as the one before.
   * @default 100
   */
  readonly delayMs?: number | undefined;
  /**
   * The longest wait between two attempts. A sidecar that has lived for longer than this has not gone soon.
   * @default 10000
   */
  readonly maxDelayMs?: number | undefined;
}

/** `lost`: it has gone, and another one is or will be started. `failed` and `closed` are final. */
export type ClientState = "starting" | "ready" | "lost" | "failed" | "closed";

export interface Plan {
  open(): Promise<Transport>;
  readonly params: InitializeParams;
  readonly startMs: number;
  readonly restart: Required<{ [K in keyof RestartPolicy]-?: NonNullable<RestartPolicy[K]> }>;
}

export class Supervisor {
  readonly #plan: Plan;
  readonly #listeners = new Set<(state: ClientState) => void>();
  #leaving = new AbortController();
  #state: ClientState = "starting";
  #current: Session | undefined;
  #coming: Promise<Session> | undefined;
  #failure: Error | undefined;
  /** How many in a row have not started, or have gone soon. */
  #failures = 0;

  private constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Starts the first one. If that fails, it is not tried again: what is wrong is for the caller to know. */
  static async start(plan: Plan): Promise<Supervisor> {
    const supervisor = new Supervisor(plan);
    supervisor.#took(await supervisor.#attempt());
    return supervisor;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The sidecar, if there is one now. */
  get current(): Session | undefined {
    return this.#current;
  }

  onState(listener: (state: ClientState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The sidecar, when there is one. */
  session(what: string): Promise<Session> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    if (this.#state === "closed" || this.#leaving.signal.aborted) return Promise.reject(new ClientClosedError(what));
    if (this.#failure !== undefined) {
      const { message } = this.#failure;
      return Promise.reject(new SidecarUnavailableError(`${what}: ${message}`, { cause: this.#failure }));
    }
    return (this.#coming ??= this.#again());
  }

  /** From now on no other one is started. */
  letGo(): void {
    this.#leaving.abort();
  }

  /** It goes on after all. */
  keep(): void {
    if (this.#state === "closed") return;
    this.#leaving = new AbortController();
    if (this.#current === undefined) this.#startAgain();
  }

  /** Everything ends; one that is being started as well. */
  async closed(): Promise<void> {
    this.letGo();
    await this.#coming?.catch(() => {});
    this.#become("closed");
  }

  #took(session: Session): void {
    this.#current = session;
    this.#coming = undefined;
    this.#become("ready");
    session.connection.onLost((end) => this.#gone(session, end));
  }

  #gone(session: Session, end: SidecarEnd): void {
    const { when, attempts, maxDelayMs } = this.#plan.restart;
    this.#current = undefined;
    this.#failures = performance.now() - session.startedAt > maxDelayMs ? 0 : this.#failures + 1;
    if (this.#leaving.signal.aborted) return this.#become("closed");
    const again = when === "never" ? "is not to be started again" : "has gone too often to be started again";
    if (when === "never" || this.#failures >= attempts) {
      return this.#fail(new SidecarUnavailableError(`the sidecar ${described(end)}, and ${again}`));
    }
    this.#become("lost");
    this.#startAgain();
  }

  #startAgain(): void {
    // Whoever needs it is told how that goes.
    if (this.#plan.restart.when === "always") this.session("starting again").catch(() => {});
  }

  async #again(): Promise<Session> {
    const { attempts, delayMs, maxDelayMs } = this.#plan.restart;
    for (;;) {
      if (this.#failures > 1) {
        const wait = Math.min(delayMs * 2 ** (this.#failures - 2), maxDelayMs);
        await after(wait, undefined, { signal: this.#leaving.signal }).catch(() => {});
      }
      if (this.#leaving.signal.aborted) throw new ClientClosedError("starting again");
      try {
        const session = await this.#attempt();
        if (this.#leaving.signal.aborted) {
          session.connection.kill();
          throw new ClientClosedError("starting again");
        }
        this.#took(session);
        return session;
      } catch (error) {
        this.#failures += 1;
        const lasting = error instanceof SextonError && error.kind === "invalid_params";
        if (this.#leaving.signal.aborted) throw new ClientClosedError("starting again");
        if (!lasting && this.#failures < attempts) continue;
        this.#fail(error as Error);
        throw error;
      }
    }
  }

  async #attempt(): Promise<Session> {
    const { signal } = this.#leaving;
    const transport = await this.#plan.open();
    const end = () => transport.kill();
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    try {
      return await Session.begin(transport, this.#plan.params, this.#plan.startMs);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  #fail(failure: Error): void {
    this.#failure = failure;
    this.#coming = undefined;
    this.#become("failed");
  }

  #become(state: ClientState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
