/** The client of one project. */

import { Readable, Writable } from "node:stream";
import { type Closed, shutDown } from "./closing.js";
import { type ChosenKind, type EventOf, events, type EventsOptions, output, type OutputOptions } from "./events.js";
import { type AskedMethod, type Methods, NamedMethods, type RequestOptions } from "./generated/methods.js";
import type {
  Chunk,
  CloseMode,
  DirectoryHoldParams,
  InitializeParams,
  InitializeResult,
} from "./generated/protocol.js";
import { Kept } from "./kept.js";
import { type CarryOut, type Offer, Serving } from "./provider.js";
import { type ClientState, type Plan, type RestartPolicy, Supervisor } from "./supervisor.js";
import { type Command, overStreams, start } from "./transport.js";

type InitializationOptions = NonNullable<InitializeParams["initializationOptions"]>;

/** What a sidecar is told when it opens the project. */
export interface SessionOptions extends Omit<InitializationOptions, "projectDirectory"> {
  /** The directory of the project; the working directory of the sidecar if it is absent. */
  readonly project?: string;
  /** Who this is, for people: it stands beside what this window has changed. */
  readonly clientInfo?: { readonly name: string; readonly version?: string };
  /**
   * How long a sidecar may take to open the project, in milliseconds.
   * @default 30000
   */
  readonly startMs?: number;
}

/** How a sidecar is started, and started again. */
export interface SpawnOptions extends SessionOptions, Command {
  readonly restart?: RestartPolicy;
}

/** Pipes to a sidecar that somebody else has started. */
export interface Streams {
  /** What the sidecar writes. */
  readonly output: Readable;
  /** What it reads. */
  readonly input: Writable;
}

/** Says that the user works in a directory, for as long as it is not released. */
export interface DirectoryHold extends AsyncDisposable {
  release(): Promise<void>;
  /** Settles when it is over: with nothing if it was released, else with the reason. */
  readonly ended: Promise<Error | undefined>;
}

export class SextonClient extends NamedMethods implements AsyncDisposable {
  readonly #supervisor: Supervisor;
  #opened: InitializeResult;
  #closing: { readonly mode: CloseMode; readonly done: Promise<void> } | undefined;
  #overtake: () => void = () => {};

  private constructor(supervisor: Supervisor, opened: InitializeResult) {
    super();
    this.#supervisor = supervisor;
    this.#opened = opened;
  }

  /** Starts a sidecar and opens the project. */
  static async spawn(options: SpawnOptions = {}): Promise<SextonClient> {
    const { when = "always", attempts = 8, delayMs = 100, maxDelayMs = 10_000 } = options.restart ?? {};
    return SextonClient.#begin(options, () => start(options), { when, attempts, delayMs, maxDelayMs });
  }

  /** Opens the project in a sidecar that somebody else has started. When its streams end, the client has failed. */
  static async connect(streams: Streams, options: SessionOptions = {}): Promise<SextonClient> {
    const never = { when: "never", attempts: 1, delayMs: 0, maxDelayMs: 0 } as const;
    return SextonClient.#begin(options, () => Promise.resolve(overStreams(streams)), never);
  }

  static async #begin(options: SessionOptions, open: Plan["open"], restart: Plan["restart"]): Promise<SextonClient> {
    const params = initializeParams(options);
    const supervisor = await Supervisor.start({ open, params, restart, startMs: options.startMs ?? 30_000 });
    const { opened } = await supervisor.session("opening");
    return new SextonClient(supervisor, opened);
  }

  /** What the sidecar has told of itself and the project; after a restart, what the last one has told. */
  get session(): InitializeResult {
    this.#opened = this.#supervisor.current?.opened ?? this.#opened;
    return this.#opened;
  }

  /** The process of the sidecar, if there is one now and it was started here. */
  get pid(): number | null {
    return this.#supervisor.current?.connection.pid ?? null;
  }

  get state(): ClientState {
    return this.#supervisor.state;
  }

  /** Tells each change of `state`; gives what ends that. */
  onState(listener: (state: ClientState) => void): () => void {
    return this.#supervisor.onState(listener);
  }

  /** Asks something of the sidecar; while it is started again, waits for it. */
  async request<M extends AskedMethod>(
    method: M,
    params: Methods[M]["params"],
    options: RequestOptions = {},
  ): Promise<Methods[M]["result"]> {
    // What is asked in one go is asked in that order.
    const session = this.#supervisor.current ?? (await this.#supervisor.session(method));
    return session.connection.request(method, params, options);
  }

  /**
   * Everything that happens, in order. It begins now, not with the first `next()`; it goes on in the sidecar that
   * follows one that was lost, without gap or repeat; it ends when it is left or the client is closed. After
   * `resync`, which is told whatever was chosen, list again.
   */
  events<K extends ChosenKind = ChosenKind>(
    options: EventsOptions<K> = {},
  ): AsyncIterableIterator<EventOf<K | "resync">> & AsyncDisposable {
    return events(this.#supervisor, options);
  }

  /** What a run writes, while it writes it, to its end. */
  output(runID: string, options: OutputOptions = {}): AsyncIterableIterator<Chunk> & AsyncDisposable {
    return output(this.#supervisor, runID, options);
  }

  /** Has this window carry prompts out. Answers when it is known to all windows. */
  serveProvider(offer: Offer, carryOut: CarryOut): Promise<Serving> {
    return Serving.begin(this.#supervisor, offer, carryOut);
  }

  /** Says that the user's own work goes on in a directory: runs that write there wait for it. */
  async hold(what: Omit<DirectoryHoldParams, "insideRun">): Promise<DirectoryHold> {
    const kind = { opens: "directory/hold", closes: "directory/release" } as const;
    const kept = await Kept.open(this.#supervisor, kind, what);
    const release = () => kept.close();
    return { release, ended: kept.ended, [Symbol.asyncDispose]: release };
  }

  /**
   * Ends everything of this window, its sidecar included. `maintenance` waits for the runs of this window, and is
   * overtaken by a later `force`; what the sidecar refuses is thrown, and then it goes on.
   */
  async close({ mode = "force" }: { readonly mode?: CloseMode } = {}): Promise<void> {
    if (this.state === "closed") return;
    if (this.#closing !== undefined && (this.#closing.mode === mode || mode === "maintenance")) {
      return this.#closing.done;
    }
    this.#overtake();
    const closing = { mode, done: this.#close(mode) };
    this.#closing = closing;
    try {
      await closing.done;
    } finally {
      if (this.#closing === closing) this.#closing = undefined;
    }
  }

  async #close(mode: CloseMode): Promise<void> {
    const session = this.#supervisor.current;
    let how: Closed = "completed";
    // A sidecar that goes while it closes is not to be followed by another one.
    this.#supervisor.letGo();
    if (session !== undefined) {
      const overtaken = new Promise<void>((resolve) => (this.#overtake = resolve));
      try {
        how = await shutDown(session, mode, overtaken);
      } catch (error) {
        this.#supervisor.keep();
        throw error;
      }
    }
    if (how === "overtaken") return this.#closing?.done;
    await this.#supervisor.closed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function initializeParams({ project, clientInfo, ...rest }: SessionOptions & Command): InitializeParams {
  const { startMs, restart, command, args, cwd, env, onLog, ...options } = rest as typeof rest & SpawnOptions;
  return {
    processId: process.pid,
    ...(clientInfo === undefined ? {} : { clientInfo }),
    initializationOptions: { ...options, ...(project === undefined ? {} : { projectDirectory: project }) },
  };
}
