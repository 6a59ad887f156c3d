/** One run that this window carries out: what is reported of it, and what it is told. */

import type { ErrorClass, ErrorCode, ProviderWork, Run, RunReportParams, Wish } from "./generated/protocol.js";

/** What the sidecar tells of work. */
export type WorkStart = Extract<ProviderWork, { type: "start" }>;
export type WorkCancel = Extract<ProviderWork, { type: "cancel" }>;
export type WorkAnswer = Extract<ProviderWork, { type: "answer" }>;

export type Report = RunReportParams["report"];

/** What work needs a person for. */
export type Question = Extract<Report, { type: "blocked" }>["blocker"];

/** What comes of work that is done. */
export type Outcome = Omit<Extract<Report, { type: "finished" }>, "type">;

/** What a person has answered: one of the options, or words. */
export type Answer = { readonly optionID: string } | { readonly text: string };

/** The longest part of an output that one report takes, in bytes. */
const PART = 65_536;

/** The reason of the signal of work that is to end. */
export class WorkCancelled extends Error {
  override readonly name = "WorkCancelled";
  /** How the run will be recorded. */
  readonly reason: Wish;

  constructor(reason: Wish) {
    super(`the run is to end: ${reason}`);
    this.reason = reason;
  }
}

/** Throw it to say how work has failed; any other error is `execution_failed`, or `start_failed` before the start. */
export class WorkFailed extends Error {
  override readonly name = "WorkFailed";
  readonly code: ErrorCode;
  readonly class: ErrorClass | undefined;

  constructor(code: ErrorCode, message: string, ofClass?: ErrorClass) {
    super(message);
    this.code = code;
    this.class = ofClass;
  }
}

interface Blocked {
  readonly id: string;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What a callback of `serveProvider` is given. Reports are sent in the order of the calls; each gives a promise that is
 * rejected if the report is refused, because the run has ended or the report is none.
 */
export class Work {
  /** The run as it was when it was begun. */
  readonly run: Run;
  readonly prompt: string;
  /** One of the models that are served. */
  readonly model: string;
  readonly variant: string | undefined;
  /** The session to continue, if one is. */
  readonly sessionID: string | undefined;
  readonly stepCap: number;
  /** Whether a person may be asked. */
  readonly permissions: WorkStart["permissions"];
  readonly limits: WorkStart["limits"];
  /** Is aborted when the run is to end, with a `WorkCancelled`, or when its sidecar has gone. */
  readonly signal: AbortSignal;
  /** Is aborted when the run is to end without tidying up first. */
  readonly urgent: AbortSignal;
  readonly #send: (report: Report) => Promise<unknown>;
  readonly #abort = new AbortController();
  readonly #urge = new AbortController();
  #hasStarted = false;
  #blocked: Blocked | undefined;

  constructor(start: WorkStart, send: (report: Report) => Promise<unknown>) {
    this.run = start.run;
    this.prompt = start.prompt;
    this.model = start.model;
    this.variant = start.variant;
    this.sessionID = start.sessionID;
    this.stepCap = start.stepCap;
    this.permissions = start.permissions;
    this.limits = start.limits;
    this.signal = this.#abort.signal;
    this.urgent = this.#urge.signal;
    this.#send = send;
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /**
   * The work has really started, in this session of the agent. The first report, if it is made: any other one has the id
   * of the run stand for a session.
   */
  async started(sessionID: string): Promise<void> {
    this.#hasStarted = true;
    await this.#send({ type: "started", sessionID });
  }

  /** The agent takes a step. Equal titles in a row are the same step made again. */
  async step(title?: string): Promise<void> {
    await this.#tell(title === undefined ? { type: "step" } : { type: "step", title });
  }

  /** The agent has written something. */
  async output(text: string): Promise<void> {
    await Promise.all(parts(text).map((data) => this.#tell({ type: "output", data })));
  }

  /** What it has cost so far, in all. */
  async cost(amount: number, currency: string): Promise<void> {
    await this.#tell({ type: "cost", amount, currency });
  }

  /**
   * It needs a person. Gives the answer, or nothing after `unblocked`; is rejected when the run is to end. One thing is
   * asked at a time.
   */
  async blocked(question: Question): Promise<Answer | undefined> {
    this.signal.throwIfAborted();
    if (this.#blocked !== undefined) throw new Error("one thing is asked at a time; wait for the answer");
    const id = question.kind === "permission" ? question.requestID : question.callID;
    const answer = new Promise<Answer | undefined>((resolve, reject) => {
      this.#blocked = { id, resolve, reject };
    });
    // It may be rejected while the report is not answered yet; then it is told of below.
    answer.catch(() => {});
    try {
      await this.#tell({ type: "blocked", blocker: question });
    } catch (error) {
      this.#release();
      throw error;
    }
    return answer;
  }

  /** It needs nobody any more. */
  async unblocked(): Promise<void> {
    this.#release()?.resolve(undefined);
    await this.#tell({ type: "unblocked" });
  }

  /** Somebody has answered. An answer to something that is not asked any more means nothing. */
  answer(told: WorkAnswer): void {
    const id = "requestID" in told ? told.requestID : told.callID;
    if (this.#blocked?.id !== id) return;
    this.#release()?.resolve("optionID" in told ? { optionID: told.optionID } : { text: told.text });
  }

  cancel({ reason, now }: WorkCancel): void {
    const cancelled = new WorkCancelled(reason);
    this.abandon(cancelled);
    if (now) this.#urge.abort(cancelled);
  }

  /** Nobody waits for it any more, or it is to end. */
  abandon(reason: Error): void {
    this.#abort.abort(reason);
    this.#release()?.reject(reason);
  }

  /** Reports what only work that has started can report. */
  async #tell(report: Report): Promise<void> {
    const start = this.#hasStarted ? undefined : this.started(this.run.id);
    await Promise.all([start, this.#send(report)]);
  }

  #release(): Blocked | undefined {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    return blocked;
  }
}

/** A text in parts that one report takes each, cut between characters. */
function parts(text: string): string[] {
  const bytes = Buffer.from(text, "utf8");
  const all: string[] = [];
  for (let from = 0; from < bytes.length;) {
    let to = Math.min(from + PART, bytes.length);
    // A byte that goes on a character begins with the bits 10.
    while (to < bytes.length && ((bytes[to] ?? 0) & 0xc0) === 0x80) to -= 1;
    all.push(bytes.toString("utf8", from, to));
    from = to;
  }
  return all;
}
