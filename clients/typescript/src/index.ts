/** The client of sexton, the automation sidecar. See the README of this package. */

export { type DirectoryHold, SextonClient, type SessionOptions, type SpawnOptions, type Streams } from "./client.js";
export {
  ClientClosedError,
  type RefusalKind,
  SextonError,
  type SidecarEnd,
  SidecarLostError,
  SidecarUnavailableError,
} from "./errors.js";
export type { ChosenKind, EventKind, EventOf, EventsOptions, OutputOptions } from "./events.js";
export type { AskedMethod, Methods, Notifications, RequestOptions } from "./generated/methods.js";
export type * from "./generated/protocol.js";
export { refusalCodes } from "./generated/protocol.js";
export type { CarryOut, Offer, Serving } from "./provider.js";
export type { ClientState, RestartPolicy } from "./supervisor.js";
export { type Answer, type Outcome, type Question, type Report, type Work, WorkCancelled, WorkFailed } from "./work.js";
