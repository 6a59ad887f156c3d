/** `client.events()` and `client.output()`. */

import { Feed, type Source } from "./feed.js";
import type { Chunk, Event, EventsSubscribeParams } from "./generated/protocol.js";
import type { Session } from "./session.js";
import type { Supervisor } from "./supervisor.js";

export type EventKind = Event["kind"];

/** The kinds that may be chosen; `resync` is told whatever was chosen. */
export type ChosenKind = NonNullable<EventsSubscribeParams["kinds"]>[number];

/** The events of these kinds. */
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;

export interface EventsOptions<K extends ChosenKind = ChosenKind> {
  /** Only events after this one; from now on if it is absent. */
  readonly after?: number | undefined;
  /** The ledger that `after` is a place of. */
  readonly ledgerID?: string | undefined;
  /** Only events of these kinds. */
  readonly kinds?: readonly K[] | undefined;
  /** Only events of this automation. */
  readonly automationID?: string | undefined;
  /**
   * How many events are kept that nobody has taken yet.
   * @default 256
   */
  readonly buffer?: number | undefined;
}

/** More than a window makes in a moment, and little memory: an event is seldom longer than a few kilobytes. */
const EVENTS = 256;

/** In bytes: as much as a run writes before its reader has looked up, in parts of 64 KiB. */
const OUTPUT = 1024 * 1024;

class EventSource implements Source<"events/subscribe", Event> {
  readonly opens = "events/subscribe";
  readonly closes = "events/unsubscribe";
  readonly #options: EventsOptions;
  #place: { readonly after?: number; readonly ledgerID?: string };
  /** Where it goes on if a sidecar is lost before it has told anything. */
  #first: { readonly after: number; readonly ledgerID: string } | undefined;

  constructor(options: EventsOptions) {
    const { after, ledgerID } = options;
    this.#options = options;
    this.#place = { ...(after === undefined ? {} : { after }), ...(ledgerID === undefined ? {} : { ledgerID }) };
  }

  params(session: Session): EventsSubscribeParams {
    const { kinds, automationID } = this.#options;
    const place = this.#place.after === undefined ? (this.#first ?? this.#place) : this.#place;
    this.#first ??= { after: session.newest, ledgerID: session.opened.ledgerID };
    return {
      ...place,
      ...(kinds === undefined ? {} : { kinds: [...kinds] }),
      ...(automationID === undefined ? {} : { automationID }),
    };
  }

  heard({ seq }: Event, session: Session): void {
    session.newest = Math.max(session.newest, seq);
    this.#place = { after: seq, ledgerID: session.opened.ledgerID };
  }

  size(): number {
    return 1;
  }

  isLast(): boolean {
    return false;
  }
}

class OutputSource implements Source<"output/subscribe", Chunk> {
  readonly opens = "output/subscribe";
  readonly closes = "output/unsubscribe";
  readonly #runID: string;
  #offset: number;

  constructor(runID: string, offset: number) {
    this.#runID = runID;
    this.#offset = offset;
  }

  params(): { runID: string; offset: number } {
    return { runID: this.#runID, offset: this.#offset };
  }

  heard(chunk: Chunk): void {
    this.#offset = chunk.offset + this.size(chunk);
  }

  size({ data, encoding }: Chunk): number {
    return Buffer.byteLength(data, encoding);
  }

  isLast({ end }: Chunk): boolean {
    return end;
  }
}

export function events<K extends ChosenKind>(
  supervisor: Supervisor,
  options: EventsOptions<K>,
): AsyncIterableIterator<EventOf<K | "resync">> & AsyncDisposable {
  const feed = new Feed(supervisor, new EventSource(options), options.buffer ?? EVENTS);
  return feed as unknown as AsyncIterableIterator<EventOf<K | "resync">> & AsyncDisposable;
}

export interface OutputOptions {
  /**
   * The byte at which it begins.
   * @default 0
   */
  readonly offset?: number | undefined;
  /**
   * How many bytes are kept that nobody has taken yet.
   * @default 1048576
   */
  readonly buffer?: number | undefined;
}

export function output(
  supervisor: Supervisor,
  runID: string,
  options: OutputOptions,
): AsyncIterableIterator<Chunk> & AsyncDisposable {
  return new Feed(supervisor, new OutputSource(runID, options.offset ?? 0), options.buffer ?? OUTPUT);
}
