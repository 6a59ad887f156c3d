// Generated from schema/openrpc.json by `npm run generate`. Do not edit.

import type * as protocol from "./protocol.js";

/** What each method takes and gives, and the kinds of its refusals. */
export interface Methods {
  /** Opens the project. The first request of every conversation. */
  "initialize": {
    params: protocol.InitializeParams;
    result: protocol.InitializeResult;
    refusals: "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Ends everything of this window; `exit` follows. In maintenance it waits for the runs of this window, and gives what `lifecycle/close` gives. */
  "shutdown": {
    params: protocol.ShutdownParams;
    result: protocol.ShutdownResult;
    refusals: "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "closing" | "close_failed" | "storage_unavailable";
  };
  /** Gives this document. */
  "rpc.discover": {
    params: protocol.RpcDiscoverParams;
    result: protocol.RpcDiscoverResult;
    refusals: "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large";
  };
  /** Creates an automation, or shows what it would be. */
  "automation/create": {
    params: protocol.AutomationCreateParams;
    result: protocol.AutomationCreateResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "invalid_automation" | "not_found" | "inside_run" | "storage_unavailable";
  };
  /** Gives an automation. */
  "automation/get": {
    params: protocol.AutomationGetParams;
    result: protocol.AutomationGetResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Gives a page of automations, newest first. */
  "automation/list": {
    params: protocol.AutomationListParams;
    result: protocol.AutomationListResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Changes what is to be done or when. What is due up to now is settled as it was before. */
  "automation/update": {
    params: protocol.AutomationUpdateParams;
    result: protocol.AutomationUpdateResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "invalid_automation" | "not_found" | "automation_conflict" | "inside_run" | "storage_unavailable";
  };
  /** Has nothing be due until the automation is resumed; nothing of that time will be missed. */
  "automation/pause": {
    params: protocol.AutomationPauseParams;
    result: protocol.AutomationPauseResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "automation_conflict" | "inside_run" | "storage_unavailable";
  };
  /** Has a paused automation go on from now. */
  "automation/resume": {
    params: protocol.AutomationResumeParams;
    result: protocol.AutomationResumeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "invalid_automation" | "not_found" | "automation_conflict" | "inside_run" | "storage_unavailable";
  };
  /** Deletes an automation; its runs stay readable. Answers when its work has gone. */
  "automation/delete": {
    params: protocol.AutomationDeleteParams;
    result: protocol.AutomationDeleteResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "automation_conflict" | "active_run_still_running" | "inside_run" | "storage_unavailable";
  };
  /** Carries an automation out now; no slot is moved. */
  "automation/run": {
    params: protocol.AutomationRunParams;
    result: protocol.AutomationRunResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "automation_conflict" | "active_run_still_running" | "writer_busy" | "inside_run" | "storage_unavailable";
  };
  /** Tells when a schedule would be due, and what it says in words. */
  "automation/preview": {
    params: protocol.AutomationPreviewParams;
    result: protocol.AutomationPreviewResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "invalid_automation";
  };
  /** Tells why something ran at a time, or why it did not, also of deleted automations. */
  "automation/explain": {
    params: protocol.AutomationExplainParams;
    result: protocol.AutomationExplainResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Tells what will become of the scheduled times of a span: of all automations, of some, or of a draft. */
  "automation/simulate": {
    params: protocol.AutomationSimulateParams;
    result: protocol.AutomationSimulateResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "invalid_automation" | "not_found" | "storage_unavailable";
  };
  /** Gives a page of runs, newest first, also of deleted automations. */
  "run/list": {
    params: protocol.RunListParams;
    result: protocol.RunListResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Gives a run. */
  "run/get": {
    params: protocol.RunGetParams;
    result: protocol.RunGetResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Asks a run to end; a second time kills it. An ended run is given as it is. */
  "run/cancel": {
    params: protocol.RunCancelParams;
    result: protocol.RunCancelResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "storage_unavailable";
  };
  /** Answers what a run waits for a person for, in its form: a permission by `requestID` and `optionID`, a question by `callID` and `text` or `optionID`. The first answer counts. */
  "run/respond": {
    params: protocol.RunRespondParams;
    result: protocol.RunRespondResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "blocker_gone" | "inside_run" | "storage_unavailable";
  };
  /** Gives a part of what a run has written. */
  "run/output": {
    params: protocol.RunOutputParams;
    result: protocol.RunOutputResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Gives all providers that are known, and what they offer. */
  "provider/list": {
    params: protocol.ProviderListParams;
    result: protocol.ProviderListResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Asks agents what they offer, and gives all providers; one that a run uses is asked when that has ended. */
  "provider/refresh": {
    params: protocol.ProviderRefreshParams;
    result: protocol.ProviderRefreshResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "storage_unavailable";
  };
  /** Has this window carry out prompts itself, which it is sent as `provider/work`. Gives what `provider/unserve` takes. */
  "provider/serve": {
    params: protocol.ProviderServeParams;
    result: protocol.ProviderServeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "closing" | "storage_unavailable";
  };
  /** Ends a subscription, and the runs that it carries out; tells whether it was open. */
  "provider/unserve": {
    params: protocol.ProviderUnserveParams;
    result: protocol.ProviderUnserveResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Tells what became of work that this window was sent. */
  "run/report": {
    params: protocol.RunReportParams;
    result: protocol.RunReportResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "storage_unavailable";
  };
  /** Has this window reload its configuration, or give up the project or some of its directories. Answers when that has happened, or is known to wait. */
  "lifecycle/close": {
    params: protocol.LifecycleCloseParams;
    result: protocol.LifecycleCloseResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "closing" | "close_failed" | "storage_unavailable";
  };
  /** Tells what this window carries out, holds and is about to close. */
  "lifecycle/status": {
    params: protocol.LifecycleStatusParams;
    result: protocol.LifecycleStatusResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Says that the user's own work goes on in a directory: runs that write there, and closes, wait for it. Nothing is sent; gives what `directory/release` takes. */
  "directory/hold": {
    params: protocol.DirectoryHoldParams;
    result: protocol.DirectoryHoldResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "inside_run" | "closing" | "storage_unavailable";
  };
  /** Ends a hold; tells whether it was there. */
  "directory/release": {
    params: protocol.DirectoryReleaseParams;
    result: protocol.DirectoryReleaseResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Tells who rings the bell, who is there, and what is wrong; answers whatever is wrong. */
  "scheduler/status": {
    params: protocol.SchedulerStatusParams;
    result: protocol.SchedulerStatusResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large";
  };
  /** Has every event sent as `events/event`, in order, from a place on. Gives what `events/unsubscribe` takes. */
  "events/subscribe": {
    params: protocol.EventsSubscribeParams;
    result: protocol.EventsSubscribeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "storage_unavailable";
  };
  /** Ends a subscription; tells whether it was open. */
  "events/unsubscribe": {
    params: protocol.EventsUnsubscribeParams;
    result: protocol.EventsUnsubscribeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large";
  };
  /** Has what a run writes sent as `output/chunk` while it is written, from a byte on to its end. */
  "output/subscribe": {
    params: protocol.OutputSubscribeParams;
    result: protocol.OutputSubscribeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large" | "not_found" | "storage_unavailable";
  };
  /** Ends a subscription; tells whether it was open. */
  "output/unsubscribe": {
    params: protocol.OutputUnsubscribeParams;
    result: protocol.OutputUnsubscribeResult;
    refusals: "not_initialized" | "invalid_request" | "invalid_params" | "internal" | "cancelled" | "overloaded" | "response_too_large";
  };
}

/** What subscriptions tell. */
export interface Notifications {
  "events/event": protocol.Event;
  "output/chunk": protocol.Chunk;
  "provider/work": protocol.ProviderWork;
}

/** The methods that are asked by name; the client itself keeps the session and all subscriptions. */
export type AskedMethod =
  | "rpc.discover"
  | "automation/create"
  | "automation/get"
  | "automation/list"
  | "automation/update"
  | "automation/pause"
  | "automation/resume"
  | "automation/delete"
  | "automation/run"
  | "automation/preview"
  | "automation/explain"
  | "automation/simulate"
  | "run/list"
  | "run/get"
  | "run/cancel"
  | "run/respond"
  | "run/output"
  | "provider/list"
  | "provider/refresh"
  | "run/report"
  | "lifecycle/close"
  | "lifecycle/status"
  | "scheduler/status";

/** How a request is made, beside what it asks for. */
export interface RequestOptions {
  /** Cancels the request. What was committed before is answered as it is: a cancel hides no change. */
  signal?: AbortSignal | undefined;
}

/** Whoever can be asked. */
export interface Requests {
  request<M extends AskedMethod>(
    method: M,
    params: Methods[M]["params"],
    options?: RequestOptions,
  ): Promise<Methods[M]["result"]>;
}

/** `automation/…` */
export class AutomationsMethods {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Creates an automation, or shows what it would be. */
  create(params: protocol.AutomationCreateParams, options?: RequestOptions): Promise<protocol.AutomationCreateResult> {
    return this.#requests.request("automation/create", params, options);
  }

  /** Gives an automation. */
  get(params: protocol.AutomationGetParams, options?: RequestOptions): Promise<protocol.AutomationGetResult> {
    return this.#requests.request("automation/get", params, options);
  }

  /** Gives a page of automations, newest first. */
  list(params: protocol.AutomationListParams = {}, options?: RequestOptions): Promise<protocol.AutomationListResult> {
    return this.#requests.request("automation/list", params, options);
  }

  /** Changes what is to be done or when. What is due up to now is settled as it was before. */
  update(params: protocol.AutomationUpdateParams, options?: RequestOptions): Promise<protocol.AutomationUpdateResult> {
    return this.#requests.request("automation/update", params, options);
  }

  /** Has nothing be due until the automation is resumed; nothing of that time will be missed. */
  pause(params: protocol.AutomationPauseParams, options?: RequestOptions): Promise<protocol.AutomationPauseResult> {
    return this.#requests.request("automation/pause", params, options);
  }

  /** Has a paused automation go on from now. */
  resume(params: protocol.AutomationResumeParams, options?: RequestOptions): Promise<protocol.AutomationResumeResult> {
    return this.#requests.request("automation/resume", params, options);
  }

  /** Deletes an automation; its runs stay readable. Answers when its work has gone. */
  delete(params: protocol.AutomationDeleteParams, options?: RequestOptions): Promise<protocol.AutomationDeleteResult> {
    return this.#requests.request("automation/delete", params, options);
  }

  /** Carries an automation out now; no slot is moved. */
  run(params: protocol.AutomationRunParams, options?: RequestOptions): Promise<protocol.AutomationRunResult> {
    return this.#requests.request("automation/run", params, options);
  }

  /** Tells when a schedule would be due, and what it says in words. */
  preview(params: protocol.AutomationPreviewParams, options?: RequestOptions): Promise<protocol.AutomationPreviewResult> {
    return this.#requests.request("automation/preview", params, options);
  }

  /** Tells why something ran at a time, or why it did not, also of deleted automations. */
  explain(params: protocol.AutomationExplainParams, options?: RequestOptions): Promise<protocol.AutomationExplainResult> {
    return this.#requests.request("automation/explain", params, options);
  }

  /** Tells what will become of the scheduled times of a span: of all automations, of some, or of a draft. */
  simulate(params: protocol.AutomationSimulateParams, options?: RequestOptions): Promise<protocol.AutomationSimulateResult> {
    return this.#requests.request("automation/simulate", params, options);
  }
}

/** `run/…` */
export class RunsMethods {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Gives a page of runs, newest first, also of deleted automations. */
  list(params: protocol.RunListParams = {}, options?: RequestOptions): Promise<protocol.RunListResult> {
    return this.#requests.request("run/list", params, options);
  }

  /** Gives a run. */
  get(params: protocol.RunGetParams, options?: RequestOptions): Promise<protocol.RunGetResult> {
    return this.#requests.request("run/get", params, options);
  }

  /** Asks a run to end; a second time kills it. An ended run is given as it is. */
  cancel(params: protocol.RunCancelParams, options?: RequestOptions): Promise<protocol.RunCancelResult> {
    return this.#requests.request("run/cancel", params, options);
  }

  /** Answers what a run waits for a person for, in its form: a permission by `requestID` and `optionID`, a question by `callID` and `text` or `optionID`. The first answer counts. */
  respond(params: protocol.RunRespondParams, options?: RequestOptions): Promise<protocol.RunRespondResult> {
    return this.#requests.request("run/respond", params, options);
  }

  /** Gives a part of what a run has written. */
  output(params: protocol.RunOutputParams, options?: RequestOptions): Promise<protocol.RunOutputResult> {
    return this.#requests.request("run/output", params, options);
  }

  /** Tells what became of work that this window was sent. */
  report(params: protocol.RunReportParams, options?: RequestOptions): Promise<protocol.RunReportResult> {
    return this.#requests.request("run/report", params, options);
  }
}

/** `provider/…` */
export class ProvidersMethods {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Gives all providers that are known, and what they offer. */
  list(params: protocol.ProviderListParams = {}, options?: RequestOptions): Promise<protocol.ProviderListResult> {
    return this.#requests.request("provider/list", params, options);
  }

  /** Asks agents what they offer, and gives all providers; one that a run uses is asked when that has ended. */
  refresh(params: protocol.ProviderRefreshParams = {}, options?: RequestOptions): Promise<protocol.ProviderRefreshResult> {
    return this.#requests.request("provider/refresh", params, options);
  }
}

/** `lifecycle/…` */
export class LifecycleMethods {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Has this window reload its configuration, or give up the project or some of its directories. Answers when that has happened, or is known to wait. */
  close(params: protocol.LifecycleCloseParams, options?: RequestOptions): Promise<protocol.LifecycleCloseResult> {
    return this.#requests.request("lifecycle/close", params, options);
  }

  /** Tells what this window carries out, holds and is about to close. */
  status(params: protocol.LifecycleStatusParams = {}, options?: RequestOptions): Promise<protocol.LifecycleStatusResult> {
    return this.#requests.request("lifecycle/status", params, options);
  }
}

/** `scheduler/…` */
export class SchedulerMethods {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Tells who rings the bell, who is there, and what is wrong; answers whatever is wrong. */
  status(params: protocol.SchedulerStatusParams = {}, options?: RequestOptions): Promise<protocol.SchedulerStatusResult> {
    return this.#requests.request("scheduler/status", params, options);
  }
}

/** The methods, group by group. */
export abstract class NamedMethods implements Requests {
  readonly automations = new AutomationsMethods(this);
  readonly runs = new RunsMethods(this);
  readonly providers = new ProvidersMethods(this);
  readonly lifecycle = new LifecycleMethods(this);
  readonly scheduler = new SchedulerMethods(this);

  abstract request<M extends AskedMethod>(
    method: M,
    params: Methods[M]["params"],
    options?: RequestOptions,
  ): Promise<Methods[M]["result"]>;
}
