/** What can go wrong, as types: what the sidecar refuses, and what becomes of the sidecar itself. */

import { type RefusalData, refusalCodes } from "./generated/protocol.js";

/** The kinds of refusals that the contract names. */
export type RefusalKind = keyof RefusalData;

class Refusal<K extends RefusalKind = RefusalKind> extends Error {
  override readonly name = "SextonError";
  /** What to match on; the message is for people. */
  readonly kind: K;
  readonly code: number;
  readonly data: RefusalData[K];
  readonly method: string;

  constructor(method: string, told: { kind: K; code: number; message: string; data: RefusalData[K] }, cause?: unknown) {
    super(told.message, cause === undefined ? undefined : { cause });
    this.kind = told.kind;
    this.code = told.code;
    this.data = told.data;
    this.method = method;
  }
}

/** A request was refused: nothing was changed. `data` is narrowed by `kind`. */
export type SextonError = { [K in RefusalKind]: Refusal<K> }[RefusalKind];

interface SextonErrorConstructor {
  new <K extends RefusalKind>(
    method: string,
    told: { kind: K; code: number; message: string; data: RefusalData[K] },
    cause?: unknown,
  ): Refusal<K>;
  readonly prototype: SextonError;
}

export const SextonError = Refusal as unknown as SextonErrorConstructor;

/** The error of an answer, as it stands in the message. */
export interface ToldError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Reads the error of an answer. A kind that this version does not know is kept as it is. */
export function refusal(method: string, told: ToldError, cause?: unknown): SextonError {
  const data = typeof told.data === "object" && told.data !== null ? told.data : { kind: kindOf(told.code) };
  const kind = "kind" in data && typeof data.kind === "string" ? data.kind : kindOf(told.code);
  const read = { kind: kind as RefusalKind, code: told.code, message: told.message, data: data as never };
  return new SextonError(method, read, cause) as SextonError;
}

function kindOf(code: number): RefusalKind {
  const known = (Object.keys(refusalCodes) as RefusalKind[]).find((kind) => refusalCodes[kind] === code);
  return known ?? "internal";
}

/** A request was cancelled before it was sent. */
export function cancelled(method: string, cause: unknown): SextonError {
  const message = `${method} was cancelled before it was sent; nothing was changed`;
  const data = { kind: "cancelled" } as const;
  return new SextonError(method, { kind: "cancelled", code: refusalCodes.cancelled, message, data }, cause);
}

/** A request was too long to be sent. */
export function tooLarge(method: string, why: string): SextonError {
  const message = `${method} was not sent: ${why}; send less, or raise limits.maxMessageBytes`;
  const data = { kind: "request_too_large" } as const;
  return new SextonError(method, { kind: "request_too_large", code: refusalCodes.request_too_large, message, data });
}

/** How a sidecar ended, as far as that can be seen. */
export interface SidecarEnd {
  /** None if a signal ended it, or if it is no process of this client. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its log. */
  readonly log: string;
}

/**
 * The sidecar went while something was asked of it. Whether a change was made is not known: look, or ask again with the
 * same `key`, where a method has one.
 */
export class SidecarLostError extends Error {
  override readonly name = "SidecarLostError";
  readonly kind = "sidecar_lost";
  readonly end: SidecarEnd;

  constructor(what: string, end: SidecarEnd) {
    super(`${what}: the sidecar ${described(end)}`);
    this.end = end;
  }
}

/** There is no sidecar: it could not be started, or was not started again. Nothing was asked of it. */
export class SidecarUnavailableError extends Error {
  override readonly name = "SidecarUnavailableError";
  readonly kind = "sidecar_unavailable";
}

/** The client was closed; nothing was asked of the sidecar. */
export class ClientClosedError extends Error {
  override readonly name = "ClientClosedError";
  readonly kind = "client_closed";

  constructor(what: string) {
    super(`${what}: this client is closed; make another one for more`);
  }
}

export function described({ exitCode, signal, log }: SidecarEnd): string {
  const how = signal !== null ? `was ended by ${signal}` : exitCode !== null ? `ended with code ${exitCode}` : "ended";
  const said = log.trim();
  return said === "" ? how : `${how}; it said last: ${said.slice(-2000)}`;
}
