/** Subscriptions that outlive the sidecar they were opened in. */

import type { Listener, Opening } from "./connection.js";
import { ClientClosedError, SextonError, SidecarLostError } from "./errors.js";
import type { Methods } from "./generated/methods.js";
import type { Session } from "./session.js";
import type { Supervisor } from "./supervisor.js";

/** What a subscription is, in one sidecar or the next. */
export interface Kind<M extends Opening> {
  readonly opens: M;
  readonly closes: "events/unsubscribe" | "output/unsubscribe" | "provider/unserve" | "directory/release";
}

/** Why a subscription is not open any more. */
export type Ending = "asked" | "lost";

/**
 * Opens a subscription in this sidecar, and waits until the sidecar has gone or `asked` comes to pass; then it is
 * closed. `opened` is told when it is open.
 */
export async function during<M extends Opening>(
  session: Session,
  kind: Kind<M>,
  params: Methods[M]["params"],
  listener: Listener,
  asked: Promise<void>,
  opened: () => void = () => {},
): Promise<Ending> {
  const { connection } = session;
  let listening = true;
  const heard = (told: unknown) => (listening ? listener(told) : undefined);
  try {
    const subscription = await connection.open(kind.opens, params, heard);
    opened();
    const ending = await Promise.race([asked.then(() => "asked" as const), session.lost.then(() => "lost" as const)]);
    listening = false;
    if (ending === "asked") await connection.close(kind.closes, subscription).catch(isClosedAlready);
    return ending;
  } catch (error) {
    if (error instanceof SidecarLostError) return "lost";
    throw error;
  } finally {
    listening = false;
  }
}

/** A sidecar that is shutting down refuses this, and ends all subscriptions itself. */
function isClosedAlready(error: unknown): void {
  if (!(error instanceof SextonError)) throw error;
}

/** A subscription without a place of its own: it is opened again in each sidecar that follows. */
export class Kept {
  readonly #stopped: Promise<void>;
  #stop: () => void = () => {};
  /** Settles when it is over: with nothing when that was asked for, or with what keeps it from being opened again. */
  readonly ended: Promise<Error | undefined>;

  private constructor(run: (stopped: Promise<void>) => Promise<void>) {
    this.#stopped = new Promise((resolve) => (this.#stop = resolve));
    this.ended = run(this.#stopped).then(
      () => undefined,
      (error: Error) => (error instanceof ClientClosedError ? undefined : error),
    );
  }

  /** Gives it when it is open. `lost` is told each time a sidecar goes. */
  static async open<M extends Opening>(
    supervisor: Supervisor,
    kind: Kind<M>,
    params: Methods[M]["params"],
    listener: Listener = () => {},
    lost: () => void = () => {},
  ): Promise<Kept> {
    let opened: () => void = () => {};
    const open = new Promise<void>((resolve) => (opened = resolve));
    let failure: unknown;
    const kept = new Kept(async (stopped) => {
      const given = stopped.then(() => undefined);
      try {
        let session: Session | undefined = supervisor.current ?? (await supervisor.session(kind.opens));
        while (session !== undefined) {
          if ((await during(session, kind, params, listener, stopped, opened)) === "asked") return;
          lost();
          session = await Promise.race([supervisor.session(kind.opens), given]);
        }
      } catch (error) {
        failure = error;
        throw error;
      }
    });
    await Promise.race([open, kept.ended]);
    if (failure !== undefined) throw failure;
    return kept;
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#stop();
    await this.ended;
  }
}
