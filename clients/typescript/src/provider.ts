/** `client.serveProvider()`: prompts are carried out by a callback. */

import { ClientClosedError, SextonError, SidecarLostError, SidecarUnavailableError } from "./errors.js";
import type { ProviderServeParams, ProviderWork } from "./generated/protocol.js";
import { Kept } from "./kept.js";
import type { Supervisor } from "./supervisor.js";
import { type Outcome, type Report, Work, WorkFailed, type WorkStart } from "./work.js";

/** What a window offers to carry out. */
export type Offer = Omit<ProviderServeParams, "insideRun">;

/**
 * Carries one run out. What it gives is what came of it, a text alone is its last words; what it throws is why it has
 * failed. If it does not call `work.started`, the run has no session of an agent, and its own id stands for one.
 */
export type CarryOut = (work: Work) => Promise<Outcome | string | void>;

/** How long a message for a person may be, in characters. */
const MESSAGE = 4000;

/** A provider that this window serves, in whichever sidecar it has. */
export class Serving {
  readonly #supervisor: Supervisor;
  readonly #carryOut: CarryOut;
  readonly #atWork = new Map<string, { readonly work: Work; readonly done: Promise<void> }>();
  #kept: Kept | undefined;

  private constructor(supervisor: Supervisor, carryOut: CarryOut) {
    this.#supervisor = supervisor;
    this.#carryOut = carryOut;
  }

  static async begin(supervisor: Supervisor, offer: Offer, carryOut: CarryOut): Promise<Serving> {
    const serving = new Serving(supervisor, carryOut);
    const kind = { opens: "provider/serve", closes: "provider/unserve" } as const;
    const heard = (told: unknown) => serving.#heard(told as ProviderWork);
    const lost = () => serving.#abandon(new SidecarUnavailableError("the sidecar that had begun the run has gone"));
    serving.#kept = await Kept.open(supervisor, kind, offer, heard, lost);
    return serving;
  }

  /** Settles when nothing is served any more: with nothing if that was asked for, else with the reason. */
  get ended(): Promise<Error | undefined> {
    return this.#kept?.ended ?? Promise.resolve(undefined);
  }

  /** Serves no more. Runs that go on end as interrupted; their callbacks are waited for. */
  async close(): Promise<void> {
    await this.#kept?.close();
    this.#abandon(new ClientClosedError("the provider is served no more"));
    await Promise.all([...this.#atWork.values()].map(({ done }) => done));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #heard(told: ProviderWork): void {
    switch (told.type) {
      case "start":
        return this.#begin(told);
      case "cancel":
        return this.#atWork.get(told.runID)?.work.cancel(told);
      case "answer":
        return this.#atWork.get(told.runID)?.work.answer(told);
    }
  }

  #begin(start: WorkStart): void {
    const runID = start.run.id;
    const session = this.#supervisor.current;
    if (session === undefined) return;
    // Only the sidecar that has begun a run takes reports of it.
    const send = (report: Report) => session.connection.request("run/report", { runID, report });
    const work = new Work(start, send);
    const done = this.#carry(work, send).finally(() => {
      if (this.#atWork.get(runID)?.work === work) this.#atWork.delete(runID);
    });
    this.#atWork.set(runID, { work, done });
  }

  async #carry(work: Work, send: (report: Report) => Promise<unknown>): Promise<void> {
    try {
      const told = await this.#carryOut(work);
      if (!work.hasStarted) await work.started(work.run.id);
      const outcome = typeof told === "string" ? { text: told } : (told ?? {});
      await send({ type: "finished", ...outcome });
    } catch (error) {
      // A run that has ended, or whose sidecar has gone, takes no report; then nobody waits for one.
      await send(failure(error, work)).catch(ignoreRefusal);
    }
  }

  #abandon(reason: Error): void {
    for (const { work } of this.#atWork.values()) work.abandon(reason);
  }
}

function failure(error: unknown, work: Work): Report {
  const message = described(error).slice(0, MESSAGE);
  const usual = work.hasStarted ? "execution_failed" : "start_failed";
  if (!(error instanceof WorkFailed)) return { type: "failed", code: usual, message };
  return { type: "failed", code: error.code, message, ...(error.class === undefined ? {} : { class: error.class }) };
}

/** An error in words: a report needs some. */
function described(error: unknown): string {
  if (error instanceof SextonError && error.kind === "invalid_params") {
    const faults = (error.data.details ?? []).map(({ field, message }) => `${field} ${message}`);
    return `its report was refused: ${faults.join(", ")}`;
  }
  const text = error instanceof Error ? error.message : String(error);
  const said = text.replaceAll("\u0000", "").trim();
  return said === "" ? "it failed without saying why" : said;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof SextonError || error instanceof SidecarLostError)) throw error;
}
