/** The end of a conversation. */

import { setTimeout as after } from "node:timers/promises";
import { SextonError, SidecarLostError } from "./errors.js";
import type { CloseMode, Lifecycle } from "./generated/protocol.js";
import type { Session } from "./session.js";

/** How long a sidecar that has been shut down may take to go, in milliseconds: it needs a second at most. */
const LEAVING_MS = 5000;

/** How a close went on. */
export type Closed = "completed" | "overtaken";

/**
 * Has a sidecar end. In maintenance its runs are waited for, until another close overtakes it with force. Throws if the
 * sidecar will not close: then it goes on.
 */
export async function shutDown(session: Session, mode: CloseMode, overtaken: Promise<void>): Promise<Closed> {
  try {
    if (mode === "force") await session.connection.request("shutdown", { mode });
    else if ((await maintenance(session, overtaken)) === "overtaken") return "overtaken";
  } catch (error) {
    // A sidecar that has gone meanwhile has ended as well.
    if (!(error instanceof SidecarLostError)) throw error;
  }
  await leave(session);
  return "completed";
}

async function maintenance({ connection, lost }: Session, overtaken: Promise<void>): Promise<Closed> {
  const ends = new Map<string, Lifecycle>();
  let told: () => void = () => {};
  const listener = (event: unknown) => {
    const { lifecycle } = event as { lifecycle?: Lifecycle };
    if (lifecycle === undefined) return;
    ends.set(lifecycle.id, lifecycle);
    told();
  };
  const kinds = ["lifecycle.completed" as const, "lifecycle.failed" as const];
  // Asked for before the shutdown, so that its end is heard however soon it comes.
  const [, result] = await Promise.all([
    connection.open("events/subscribe", { kinds }, listener),
    connection.request("shutdown", { mode: "maintenance" }),
  ]);
  if (result?.status !== "deferred") return "completed";
  const id = result.lifecycleActionID;
  const stop = Promise.race([overtaken.then(() => "overtaken" as const), lost.then(() => "completed" as const)]);
  for (;;) {
    const next = new Promise<void>((resolve) => (told = resolve));
    const end = ends.get(id);
    if (end !== undefined) return ended(end);
    const ending = await Promise.race([next, stop]);
    if (ending !== undefined) return ending;
  }
}

function ended({ id, error }: Lifecycle): Closed {
  if (error === undefined) return "completed";
  const data = { kind: "close_failed", lifecycleActionID: id } as const;
  throw new SextonError("shutdown", { kind: "close_failed", code: -32019, message: error, data });
}

async function leave({ connection, lost }: Session): Promise<void> {
  connection.notify("exit");
  const patience = new AbortController();
  const late = after(LEAVING_MS, "late", { signal: patience.signal, ref: false }).catch(() => "gone");
  if ((await Promise.race([lost, late])) === "late") connection.kill();
  patience.abort();
  await lost;
}
