/** A sidecar that has opened the project. */

import { setTimeout as after } from "node:timers/promises";
import { Connection } from "./connection.js";
import { described, type SidecarEnd, SidecarLostError, SidecarUnavailableError } from "./errors.js";
import type { InitializeParams, InitializeResult } from "./generated/protocol.js";
import type { Transport } from "./transport.js";

/** The version of the protocol that this client speaks. */
const PROTOCOL = 1;

/** How long a message may be unless the sidecar is told otherwise. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export class Session {
  readonly connection: Connection;
  /** What the sidecar has answered to `initialize`. */
  readonly opened: InitializeResult;
  readonly startedAt = performance.now();
  /** An event that is in the ledger for certain: whoever begins now has missed nothing if it goes on after this one. */
  newest: number;

  private constructor(connection: Connection, opened: InitializeResult) {
    this.connection = connection;
    this.opened = opened;
    this.newest = opened.seq;
  }

  get lost(): Promise<SidecarEnd> {
    return this.connection.lost;
  }

  /** Opens the project. What does not do so in time is ended. */
  static async begin(transport: Transport, params: InitializeParams, withinMs: number): Promise<Session> {
    const longest = params.initializationOptions?.limits?.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const connection = new Connection(transport, longest);
    const late = new AbortController();
    try {
      const opened = await Promise.race([
        connection.request("initialize", params),
        after(withinMs, undefined, { signal: late.signal, ref: false }),
      ]);
      if (opened === undefined) {
        throw new SidecarUnavailableError(`the sidecar has not opened the project within ${withinMs} ms`);
      }
      if (opened.protocolVersion !== PROTOCOL) {
        const versions = `version ${opened.protocolVersion} of the protocol, this client version ${PROTOCOL}`;
        throw new SidecarUnavailableError(`the sidecar speaks ${versions}; update the older one of the two`);
      }
      return new Session(connection, opened);
    } catch (error) {
      connection.kill();
      if (!(error instanceof SidecarLostError)) throw error;
      throw new SidecarUnavailableError(`the sidecar did not open the project: it ${described(error.end)}`, {
        cause: error,
      });
    } finally {
      late.abort();
    }
  }
}
