"""The types of the contract, in the words that stand in the messages.

Generated from schema/openrpc.json by `python3 -m generator --write`. Do not edit.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypedDict, final

if TYPE_CHECKING:
    from typing_extensions import NotRequired, TypeAlias
elif sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    class NotRequired:
        """Stands for that of later versions, for whoever reads the types at run time."""

        def __class_getitem__(cls, kind):
            return kind


Access: TypeAlias = Literal["write", "read"]
"""Whether a run changes its directory."""

Ahead: TypeAlias = str
"""What is directly ahead of a run that waits. Both kinds of identity are told apart by how they begin."""

Attendance: TypeAlias = Literal["attended", "unattended"]
"""Whether somebody is there to answer."""

AutomationId: TypeAlias = str
"""An automation.

Opaque and unique; not meant to be sorted.
"""

CloseKind: TypeAlias = Literal["reload", "dispose", "shutdown"]
"""What a close is for."""

CloseMode: TypeAlias = Literal["maintenance", "force"]
"""What becomes of the runs in its way."""

CloseStatus: TypeAlias = Literal["completed", "deferred"]
"""Whether a close has happened."""

Continuity: TypeAlias = Literal["new", "resumed", "loaded"]
"""Whether an agent's session was new."""

DirectoryHoldResult: TypeAlias = str
"""The subscription, which its notifications name, and the method that ends it."""

DirectoryReleaseResult: TypeAlias = bool
"""Whether there was such a subscription."""

ErrorClass: TypeAlias = Literal["task", "transient", "config", "auth", "quota", "permission", "agent", "crash"]
"""Whose fault a failure is."""

ErrorCode: TypeAlias = Literal[
    "execution_failed",
    "step_cap",
    "loop_gate",
    "timed_out",
    "budget_exceeded",
    "needs_user_input",
    "start_failed",
    "provider_unavailable",
    "crashed",
]
"""What kind of failure ended a run."""

EventsSubscribeKindsItem: TypeAlias = Literal[
    "automation.updated",
    "automation.deleted",
    "run.updated",
    "scheduler.owner",
    "scheduler.suspended",
    "scheduler.clock",
    "run.warning",
    "lifecycle.completed",
    "lifecycle.failed",
    "provider.updated",
]

EventsSubscribeResult: TypeAlias = str
"""The subscription, which its notifications name, and the method that ends it."""

EventsUnsubscribeResult: TypeAlias = bool
"""Whether there was such a subscription."""

Health: TypeAlias = Literal["ok", "degraded"]
"""Whether everything is as it should be."""

Hidden: TypeAlias = dict[str, Any]
"""Stands where a value is not shown."""

IfBusy: TypeAlias = Literal["queue", "skip"]
"""What a run does when another run holds its directory, or is ahead of it there."""

InstanceId: TypeAlias = str
"""One living sidecar process with a ledger open.

Opaque and unique; not meant to be sorted.
"""

LedgerId: TypeAlias = str
"""A ledger: one project's record.

Opaque and unique; not meant to be sorted.
"""

LifecycleActionId: TypeAlias = str
"""One wish to close.

Opaque and unique; not meant to be sorted.
"""

NoteKind: TypeAlias = Literal[
    "clock_skipped",
    "clock_moved",
    "clock_repeated",
    "clock_once",
    "clock_shifted",
    "leap_day",
    "missing_day",
    "uneven_step",
]
"""What a note is about."""

OutputSubscribeResult: TypeAlias = str
"""The subscription, which its notifications name, and the method that ends it."""

OutputUnsubscribeResult: TypeAlias = bool
"""Whether there was such a subscription."""

Overlap: TypeAlias = Literal["skip", "queueOne", "cancelPrevious"]
"""What happens to a slot while the previous run is still active."""

PauseReason: TypeAlias = Literal["user", "failures", "config", "auth", "quota", "run"]
"""Why an automation is paused."""

PermissionKind: TypeAlias = Literal["allow_once", "allow_always", "reject_once", "reject_always"]
"""What an answer to a request for a permission means."""

Permissions: TypeAlias = Literal["ask", "deny"]
"""Whether requests for permission are put to a person."""

ProviderId: TypeAlias = str
"""A provider, as its configuration or the window that serves it names it.

Opaque and unique; not meant to be sorted.
"""

ProviderKind: TypeAlias = Literal["served", "acp"]
"""What a provider is."""

ProviderServeResult: TypeAlias = str
"""The subscription, which its notifications name, and the method that ends it."""

ProviderStatus: TypeAlias = Literal["ready", "unavailable", "unknown"]
"""Whether a provider can be given work."""

ProviderUnserveResult: TypeAlias = bool
"""Whether there was such a subscription."""

ResultOutcome: TypeAlias = Literal["changed", "findings", "nothing", "needs_human"]
"""What a result means for the person."""

Role: TypeAlias = Literal["participant", "observer"]
"""What a sidecar does beside answering its client."""

RpcDiscoverResult: TypeAlias = dict[str, Any]
"""An OpenRPC document."""

RunId: TypeAlias = str
"""One run of an automation.

Opaque and unique; not meant to be sorted.
"""

RunListStatesItem: TypeAlias = Literal["scheduled", "running", "awaiting_input", "succeeded", "failed", "stopped"]

RunReportReportFailedClass: TypeAlias = Literal[
    "task",
    "transient",
    "config",
    "auth",
    "quota",
    "permission",
    "agent",
    "crash",
]

RunReportReportFailedCode: TypeAlias = Literal[
    "execution_failed",
    "step_cap",
    "loop_gate",
    "timed_out",
    "budget_exceeded",
    "needs_user_input",
    "start_failed",
    "provider_unavailable",
    "crashed",
]

SessionContext: TypeAlias = Literal["fresh", "continue"]
"""Whether an agent remembers earlier runs."""

State: TypeAlias = Literal["scheduled", "running", "awaiting_input", "succeeded", "failed", "stopped"]
"""Where a run is in its life."""

StopReason: TypeAlias = Literal[
    "missed_schedule",
    "previous_run_active",
    "previous_run_awaiting_input",
    "paused",
    "cancelled",
    "superseded",
    "writer_busy",
    "capacity",
    "expired",
    "ended",
    "precheck_skipped",
    "interrupted",
    "shutdown",
    "blocker_lost",
]
"""Why a run was stopped."""

StorageReason: TypeAlias = Literal["full", "read_only", "damaged", "replaced", "newer_version", "busy", "io"]
"""Why the ledger could not be used."""

SubscriptionId: TypeAlias = str
"""A window's subscription: what it serves, or the directory that it holds.

Opaque and unique; not meant to be sorted.
"""

Taken: TypeAlias = dict[str, Any]
"""A report was taken in."""

Timestamp: TypeAlias = int
"""An instant: milliseconds since the Unix epoch, UTC.

Never negative in the ledger; never after the year 9999, so that every instant has a calendar date.
"""

Vcs: TypeAlias = Literal["git"]
"""What keeps the history of a project."""

Verdict: TypeAlias = Literal[
    "ran",
    "ran_late",
    "waiting",
    "not_started",
    "missed",
    "overlapped",
    "busy",
    "paused",
    "ended",
    "deleted",
    "pruned",
    "future",
    "not_scheduled",
]
"""What became of a scheduled time, or of a time that somebody asks about."""

WaitingFor: TypeAlias = Literal["directory", "previous", "capacity", "close", "catchUp", "executor", "retry"]
"""The kinds of waiting."""

Waits: TypeAlias = Literal["deferred"]
"""That something happens later."""

Word: TypeAlias = Literal[
    "required",
    "wrong_type",
    "out_of_range",
    "unknown_value",
    "contains_nul",
    "not_unicode",
    "duplicate_field",
    "nested_too_deep",
    "unsupported_automation_field",
    "unsupported_for_oneshot_automation",
    "unsupported_for_recurring_automation",
    "unsupported_kind_change",
    "unsupported_stop_condition",
    "title_too_long_160",
    "prompt_too_long_20000",
    "too_long",
    "fireAt_must_be_future",
    "invalid_timezone",
    "invalid_cron_expression",
    "interval_below_minimum_30000ms",
    "model_not_found",
    "model_lookup_failed",
    "invalid_variant_for_model",
    "unsupported_session_with_fresh",
    "invalid_worktree_placement",
    "unsupported_where_worktree_not_git",
    "unsupported_continue_with_worktree",
    "not_available_yet",
]
"""The closed list of words a client can match on in a refusal of fields."""

WorktreeName: TypeAlias = str
"""The name of a worktree: 1 to 64 of `a` to `z`, `0` to `9` and `-`, neither at the ends nor twice in a row."""

Reason: TypeAlias = StopReason | ErrorCode | WaitingFor
"""Why something becomes of a scheduled time: a word that runs have as well."""

RunReportResult: TypeAlias = Taken

Wish: TypeAlias = StopReason | ErrorCode
"""How a run that is asked to end will be recorded."""



@final
class ActiveRunHere(TypedDict):
    """A run that a window carries out."""

    directory: str
    """Where it works."""
    runID: RunId
    """The run."""
    title: str
    """The title of its automation."""


@final
class Actor(TypedDict):
    """Who did something: a window, and the application that it belongs to."""

    client: NotRequired[str]
    """What the client called itself."""
    instanceID: InstanceId
    """The sidecar."""


@final
class AnyAutomationPage(TypedDict):
    """A part of a list."""

    items: list[AnyAutomation]
    """What is in it, newest first."""
    nextCursor: str | None
    """Where the next page begins, if there is one."""
    seq: int
    """The newest event that this page already knows of."""


@final
class AnyRunPage(TypedDict):
    """A part of a list."""

    items: list[AnyRun]
    """What is in it, newest first."""
    nextCursor: str | None
    """Where the next page begins, if there is one."""
    seq: int
    """The newest event that this page already knows of."""


class _Automation(TypedDict):
    access: Access
    """Whether its runs change the directory."""
    createdAt: Timestamp
    """When it was created."""
    createdBy: Actor
    """Who created it."""
    id: AutomationId
    """Its identity."""
    pause: Pause | None
    """Why and since when it is paused."""
    paused: bool
    """Whether `pause` is there."""
    policy: Policy
    """What happens when things are not as planned."""
    revision: int
    """Counts what users changed, nothing else."""
    state: DerivedState
    """What follows from its runs and its schedule; never counts as a revision."""
    task: Task
    """What is done."""
    timezone: str
    """The IANA name of the zone in which a cron expression is meant. Always stored."""
    title: str
    """1 to 160 characters."""
    updatedAt: Timestamp
    """When a user last changed it."""
    where: Placement
    """Where it is done."""


@final
class AutomationOneshot(_Automation):
    """Once."""

    fireAt: Timestamp
    """At this instant."""
    kind: Literal["oneshot"]


@final
class AutomationRecurring(_Automation):
    """Again and again."""

    kind: Literal["recurring"]
    rhythm: Rhythm
    """How often."""
    stop: Stop
    """Until when."""


@final
class AutomationCreatePolicyBlockerMs(TypedDict):
    """How long a run may wait for a person."""

    attended: NotRequired[int]
    """If somebody asked for the run.
    Default: 86400000.
    """
    unattended: NotRequired[int]
    """If a timer did.
    Default: 3600000.
    """


@final
class AutomationCreatePolicyBudgetPerRun(TypedDict):
    """The most."""

    amount: float
    """How much."""
    currency: str
    """An ISO 4217 code."""


@final
class AutomationCreatePolicyBudget(TypedDict):
    """What one run may cost."""

    perRun: AutomationCreatePolicyBudgetPerRun
    """The most."""


@final
class AutomationCreatePolicyKeep(TypedDict):
    """How many ended runs are kept."""

    days: NotRequired[int]
    """So many days after their end.
    From 1 to 3650.
    Default: 90.
    """
    runs: NotRequired[int]
    """So many, the newest.
    From 1 to 1000000.
    Default: 1000.
    """


@final
class AutomationCreatePolicyMissedSkip(TypedDict):
    """All are recorded."""

    kind: Literal["skip"]


@final
class AutomationCreatePolicyMissedRunOnce(TypedDict):
    """One run makes up for all, if the newest is not too old."""

    kind: Literal["runOnce"]
    windowMs: NotRequired[int]
    """How late the newest missed time may be; half the distance to the next one, at most 12 h, if it is absent."""


@final
class AutomationCreatePolicyPrecheck(TypedDict):
    """A program that is started first, in the run's directory and environment. Exit code 0: the command is started;
    75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a
    task of kind `notify`; an agent is told what it wrote.
    """

    args: NotRequired[list[str]]
    """Together at most 102400 bytes.
    Default: [].
    """
    program: str
    """A name in the search path, or a path. At most 4096 bytes of UTF-8."""
    timeoutMs: int
    """Longer than this is a failure to start.
    From 1000 to 31536000000.
    """


@final
class AutomationCreatePolicyRetry(TypedDict):
    """Whether a run whose work never began is tried again."""

    attempts: NotRequired[int]
    """How often, after the first time.
    Default: 0.
    """
    delayMs: NotRequired[int]
    """How long after a failure.
    From 1000 to 31536000000.
    Default: 60000.
    """


@final
class AutomationCreatePolicy(TypedDict):
    """What happens when things are not as planned. What is left out has its default."""

    blockerMs: NotRequired[AutomationCreatePolicyBlockerMs]
    """How long a run may wait for a person.
    Default: {'attended': 86400000, 'unattended': 3600000}.
    """
    budget: NotRequired[AutomationCreatePolicyBudget | None]
    """What one run may cost.
    Default: None.
    """
    idleMs: NotRequired[int | None]
    """How long a run may be silent; null for as long as it likes. 600000 if the task is a prompt.
    From 1000 to 31536000000.
    Default: None.
    """
    ifBusy: NotRequired[Literal["queue", "skip"]]
    """When another run is ahead in the directory: the run waits for up to `queueMs`, or does not take place.
    Default: 'queue'.
    """
    keep: NotRequired[AutomationCreatePolicyKeep]
    """How many ended runs are kept.
    Default: {'days': 90, 'runs': 1000}.
    """
    missed: NotRequired[AutomationCreatePolicyMissed]
    """What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them.
    Default: {'kind': 'runOnce'}.
    """
    overlap: NotRequired[Literal["skip", "queueOne", "cancelPrevious"]]
    """When the previous run is still active: the time is skipped and counted on that run; a run waits for its end; or
    that run is asked to end first.
    Default: 'skip'.
    """
    pauseAfterFailures: NotRequired[int | None]
    """After how many failures in a row the automation pauses itself; null for never. One of class `config`, `auth` or
    `quota` pauses it whatever this says.
    From 1 to 1000000.
    Default: 5.
    """
    permissions: NotRequired[Literal["ask", "deny"]]
    """Whether an agent's requests are put to a person.
    Default: 'ask'.
    """
    precheck: NotRequired[AutomationCreatePolicyPrecheck | None]
    """A program that is started first, in the run's directory and environment. Exit code 0: the command is started;
    75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a
    task of kind `notify`; an agent is told what it wrote.
    Default: None.
    """
    queueMs: NotRequired[int]
    """How long a run may wait before it begins.
    Default: 3600000.
    """
    retry: NotRequired[AutomationCreatePolicyRetry]
    """Whether a run whose work never began is tried again.
    Default: {'attempts': 0, 'delayMs': 60000}.
    """
    startMs: NotRequired[int]
    """How long the start of its work may take.
    From 1000 to 31536000000.
    Default: 60000.
    """
    stepCap: NotRequired[int]
    """How many steps an agent may take.
    From 1 to 1000000.
    Default: 50.
    """
    wallMs: NotRequired[int]
    """How long a run may work; what it waits for a person does not count.
    From 1000 to 31536000000.
    Default: 3600000.
    """


AutomationCreateTaskCommandEnvValueFrom = TypedDict(
    "AutomationCreateTaskCommandEnvValueFrom",
    {
        # A variable of the executing window.
        "from": "str",
    },
)


@final
class AutomationCreateTaskCommand(TypedDict):
    """A program is run."""

    args: NotRequired[list[str]]
    """Together at most 102400 bytes.
    Default: [].
    """
    env: NotRequired[dict[str, str | AutomationCreateTaskCommandEnvValueFrom]]
    """Together at most 102400 bytes.
    Default: {}.
    """
    kind: Literal["command"]
    program: str
    """A name in the search path, or a path. At most 4096 bytes of UTF-8."""
    stdin: NotRequired[str]
    """What it reads. At most 65536 bytes of UTF-8."""


@final
class AutomationCreateTaskPromptModel(TypedDict):
    """Who is asked; `provider/list` has all."""

    modelID: str
    """The id of one of its models."""
    providerID: str
    """The provider's id."""


@final
class AutomationCreateTaskPrompt(TypedDict):
    """A coding agent is asked to do something."""

    context: NotRequired[Literal["fresh", "continue"]]
    """Whether each run has a session of its own, or goes on in that of the run before.
    Default: 'fresh'.
    """
    kind: Literal["prompt"]
    model: AutomationCreateTaskPromptModel
    """Who is asked; `provider/list` has all."""
    prompt: str
    """What an agent is asked to do."""
    sessionID: NotRequired[str]
    """The session that is continued, only with `continue`; else that of the automation's last run."""
    variant: NotRequired[str]
    """One of the variants of the model."""


@final
class AutomationCreateTaskNotify(TypedDict):
    """People are told something: a reminder."""

    kind: Literal["notify"]
    text: str
    """What people are told; nothing is executed."""


@final
class AutomationCreateWhere(TypedDict):
    """Where its runs work; in the project's directory if nothing else is said."""

    worktree: NotRequired[str]
    """In the worktree `.worktrees/sexton/<name>` of the project, which has to be the top of a git work tree. It is
    made on first use, on the branch `sexton/<name>`, and used as it is found. The name is this text in lower case,
    with one `-` in place of whatever is no letter from a to z and no digit, and at most 64 characters. Not with
    `context: "continue"`.
    """


class _AutomationCreateParams(TypedDict):
    access: NotRequired[Literal["write", "read"]]
    """Whether its runs change their directory: runs that do wait for each other there, runs that only read neither
    wait nor are waited for.
    Default: 'write'.
    """
    dryRun: NotRequired[bool]
    """Only shows what would be; nothing is stored.
    Default: False.
    """
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    key: NotRequired[str]
    """The client's own name for this request: the same one again within 24 h gives what the first did."""
    note: NotRequired[str]
    """What is noted on the pause; only with `paused`: true."""
    paused: NotRequired[bool]
    """Whether it is created at rest.
    Default: False.
    """
    policy: NotRequired[AutomationCreatePolicy]
    """What happens when things are not as planned. What is left out has its default."""
    task: AutomationCreateTask
    """What is done. No shell takes part unless `program` is one."""
    timezone: NotRequired[str]
    """An IANA name; the machine's zone if it is absent."""
    title: str
    """What people call it."""
    where: NotRequired[AutomationCreateWhere]
    """Where its runs work; in the project's directory if nothing else is said."""


@final
class AutomationCreateParamsOneshot(_AutomationCreateParams):
    fireAt: int
    """When it is due; only with `oneshot`, and in the future."""
    kind: Literal["oneshot"]
    """Whether it is due once, or again and again."""


@final
class AutomationCreateRhythmInterval(TypedDict):
    """By elapsed time."""

    anchorAt: NotRequired[int]
    """What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the
    schedule if it is absent.
    """
    everyMs: int
    """At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
    From 1 to 316224000000.
    """
    kind: Literal["interval"]


@final
class AutomationCreateRhythmCron(TypedDict):
    """By the clocks of its zone."""

    expression: str
    """Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8."""
    kind: Literal["cron"]


@final
class AutomationCreateStopNever(TypedDict):
    """It does not."""

    kind: Literal["never"]


@final
class AutomationCreateStopCount(TypedDict):
    """By what it has done."""

    count: int
    """After how many of its runs have succeeded or failed.
    From 1 to 1000000000.
    """
    kind: Literal["count"]


@final
class AutomationCreateStopUntil(TypedDict):
    """By the time."""

    at: int
    """The last time at which it may be due."""
    kind: Literal["until"]


@final
class AutomationCreateParamsRecurring(_AutomationCreateParams):
    kind: Literal["recurring"]
    """Whether it is due once, or again and again."""
    rhythm: AutomationCreateRhythm
    """How often it is due; only with `recurring`."""
    stop: NotRequired[AutomationCreateStop]
    """When it ends; only with `recurring`.
    Default: {'kind': 'never'}.
    """


@final
class AutomationDeleteParams(TypedDict):
    activeRun: NotRequired[Literal["cancel", "finish", "refuse"]]
    """What becomes of its active runs: they are ended first; they go on to their end; or nothing is deleted while
    there are any.
    Default: 'cancel'.
    """
    id: str
    """The automation."""
    ifRevision: NotRequired[int]
    """The revision that the change is meant for; with another one it is refused.
    From 1 to 9007199254740991.
    """
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""


@final
class AutomationExplainParams(TypedDict):
    at: NotRequired[int]
    """The time in question, in the past or to come: the scheduled time in the same minute is meant. If it is absent,
    the last time that was due, or else the next one.
    """
    id: str
    """The automation."""


@final
class AutomationGetParams(TypedDict):
    id: str
    """The automation."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""


@final
class AutomationListParams(TypedDict):
    cursor: NotRequired[str]
    """The `nextCursor` of the page before."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    limit: NotRequired[int]
    """How much one answer has at most.
    From 1 to 500.
    Default: 100.
    """
    paused: NotRequired[bool]
    """Only those that are paused, or only those that are not."""
    query: NotRequired[str]
    """A part of the title, in upper or lower case."""


@final
class AutomationPauseParams(TypedDict):
    id: str
    """The automation."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    note: NotRequired[str]
    """Why, for people."""


@final
class AutomationPreviewRhythmInterval(TypedDict):
    """By elapsed time."""

    anchorAt: NotRequired[int]
    """What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the
    schedule if it is absent.
    """
    everyMs: int
    """At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
    From 1 to 316224000000.
    """
    kind: Literal["interval"]


@final
class AutomationPreviewRhythmCron(TypedDict):
    """By the clocks of its zone."""

    expression: str
    """Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8."""
    kind: Literal["cron"]


@final
class AutomationPreviewStopNever(TypedDict):
    """It does not."""

    kind: Literal["never"]


@final
class AutomationPreviewStopCount(TypedDict):
    """By what it has done."""

    count: int
    """After how many of its runs have succeeded or failed.
    From 1 to 1000000000.
    """
    kind: Literal["count"]


@final
class AutomationPreviewStopUntil(TypedDict):
    """By the time."""

    at: int
    """The last time at which it may be due."""
    kind: Literal["until"]


@final
class AutomationPreviewParams(TypedDict):
    after: NotRequired[int]
    """Only fires after this; now if it is absent."""
    count: NotRequired[int]
    """How many fires are wanted.
    From 1 to 1000.
    Default: 5.
    """
    fireAt: NotRequired[int]
    """When it would be due once."""
    rhythm: NotRequired[AutomationPreviewRhythm]
    """How often it is due; only with `recurring`."""
    stop: NotRequired[AutomationPreviewStop]
    """When it ends; only with `recurring`.
    Default: {'kind': 'never'}.
    """
    timezone: NotRequired[str]
    """An IANA name; the machine's zone if it is absent."""


@final
class AutomationResumeParams(TypedDict):
    id: str
    """The automation."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    note: NotRequired[str]
    """Why, for people."""


@final
class AutomationRunParams(TypedDict):
    attendance: NotRequired[Literal["attended", "unattended"]]
    """Whether somebody is there to answer, which decides how long a question waits.
    Default: 'attended'.
    """
    context: NotRequired[str]
    """What is told beside the prompt, this time."""
    executor: NotRequired[Literal["asker", "participant"]]
    """Who carries it out: the window that is asked, if it can, or a participant as for a scheduled run, so that
    whoever asks may leave. While none is open, a command waits for one.
    Default: 'asker'.
    """
    id: str
    """The automation."""
    ifBusy: NotRequired[Literal["queue", "skip"]]
    """What the run does when another one is ahead of it in its directory; else its policy says that."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    key: NotRequired[str]
    """The client's own name for this request: the same one again within 24 h gives what the first did."""


@final
class AutomationSimulateDraftPolicyBlockerMs(TypedDict):
    """How long a run may wait for a person."""

    attended: NotRequired[int]
    """If somebody asked for the run.
    Default: 86400000.
    """
    unattended: NotRequired[int]
    """If a timer did.
    Default: 3600000.
    """


@final
class AutomationSimulateDraftPolicyBudgetPerRun(TypedDict):
    """The most."""

    amount: float
    """How much."""
    currency: str
    """An ISO 4217 code."""


@final
class AutomationSimulateDraftPolicyBudget(TypedDict):
    """What one run may cost."""

    perRun: AutomationSimulateDraftPolicyBudgetPerRun
    """The most."""


@final
class AutomationSimulateDraftPolicyKeep(TypedDict):
    """How many ended runs are kept."""

    days: NotRequired[int]
    """So many days after their end.
    From 1 to 3650.
    Default: 90.
    """
    runs: NotRequired[int]
    """So many, the newest.
    From 1 to 1000000.
    Default: 1000.
    """


@final
class AutomationSimulateDraftPolicyMissedSkip(TypedDict):
    """All are recorded."""

    kind: Literal["skip"]


@final
class AutomationSimulateDraftPolicyMissedRunOnce(TypedDict):
    """One run makes up for all, if the newest is not too old."""

    kind: Literal["runOnce"]
    windowMs: NotRequired[int]
    """How late the newest missed time may be; half the distance to the next one, at most 12 h, if it is absent."""


@final
class AutomationSimulateDraftPolicyPrecheck(TypedDict):
    """A program that is started first, in the run's directory and environment. Exit code 0: the command is started;
    75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a
    task of kind `notify`; an agent is told what it wrote.
    """

    args: NotRequired[list[str]]
    """Together at most 102400 bytes.
    Default: [].
    """
    program: str
    """A name in the search path, or a path. At most 4096 bytes of UTF-8."""
    timeoutMs: int
    """Longer than this is a failure to start.
    From 1000 to 31536000000.
    """


@final
class AutomationSimulateDraftPolicyRetry(TypedDict):
    """Whether a run whose work never began is tried again."""

    attempts: NotRequired[int]
    """How often, after the first time.
    Default: 0.
    """
    delayMs: NotRequired[int]
    """How long after a failure.
    From 1000 to 31536000000.
    Default: 60000.
    """


@final
class AutomationSimulateDraftPolicy(TypedDict):
    """What happens when things are not as planned. What is left out has its default."""

    blockerMs: NotRequired[AutomationSimulateDraftPolicyBlockerMs]
    """How long a run may wait for a person.
    Default: {'attended': 86400000, 'unattended': 3600000}.
    """
    budget: NotRequired[AutomationSimulateDraftPolicyBudget | None]
    """What one run may cost.
    Default: None.
    """
    idleMs: NotRequired[int | None]
    """How long a run may be silent; null for as long as it likes. 600000 if the task is a prompt.
    From 1000 to 31536000000.
    Default: None.
    """
    ifBusy: NotRequired[Literal["queue", "skip"]]
    """When another run is ahead in the directory: the run waits for up to `queueMs`, or does not take place.
    Default: 'queue'.
    """
    keep: NotRequired[AutomationSimulateDraftPolicyKeep]
    """How many ended runs are kept.
    Default: {'days': 90, 'runs': 1000}.
    """
    missed: NotRequired[AutomationSimulateDraftPolicyMissed]
    """What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them.
    Default: {'kind': 'runOnce'}.
    """
    overlap: NotRequired[Literal["skip", "queueOne", "cancelPrevious"]]
    """When the previous run is still active: the time is skipped and counted on that run; a run waits for its end; or
    that run is asked to end first.
    Default: 'skip'.
    """
    pauseAfterFailures: NotRequired[int | None]
    """After how many failures in a row the automation pauses itself; null for never. One of class `config`, `auth` or
    `quota` pauses it whatever this says.
    From 1 to 1000000.
    Default: 5.
    """
    permissions: NotRequired[Literal["ask", "deny"]]
    """Whether an agent's requests are put to a person.
    Default: 'ask'.
    """
    precheck: NotRequired[AutomationSimulateDraftPolicyPrecheck | None]
    """A program that is started first, in the run's directory and environment. Exit code 0: the command is started;
    75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a
    task of kind `notify`; an agent is told what it wrote.
    Default: None.
    """
    queueMs: NotRequired[int]
    """How long a run may wait before it begins.
    Default: 3600000.
    """
    retry: NotRequired[AutomationSimulateDraftPolicyRetry]
    """Whether a run whose work never began is tried again.
    Default: {'attempts': 0, 'delayMs': 60000}.
    """
    startMs: NotRequired[int]
    """How long the start of its work may take.
    From 1000 to 31536000000.
    Default: 60000.
    """
    stepCap: NotRequired[int]
    """How many steps an agent may take.
    From 1 to 1000000.
    Default: 50.
    """
    wallMs: NotRequired[int]
    """How long a run may work; what it waits for a person does not count.
    From 1000 to 31536000000.
    Default: 3600000.
    """


AutomationSimulateDraftTaskCommandEnvValueFrom = TypedDict(
    "AutomationSimulateDraftTaskCommandEnvValueFrom",
    {
        # A variable of the executing window.
        "from": "str",
    },
)


@final
class AutomationSimulateDraftTaskCommand(TypedDict):
    """A program is run."""

    args: NotRequired[list[str]]
    """Together at most 102400 bytes.
    Default: [].
    """
    env: NotRequired[dict[str, str | AutomationSimulateDraftTaskCommandEnvValueFrom]]
    """Together at most 102400 bytes.
    Default: {}.
    """
    kind: Literal["command"]
    program: str
    """A name in the search path, or a path. At most 4096 bytes of UTF-8."""
    stdin: NotRequired[str]
    """What it reads. At most 65536 bytes of UTF-8."""


@final
class AutomationSimulateDraftTaskPromptModel(TypedDict):
    """Who is asked; `provider/list` has all."""

    modelID: str
    """The id of one of its models."""
    providerID: str
    """The provider's id."""


@final
class AutomationSimulateDraftTaskPrompt(TypedDict):
    """A coding agent is asked to do something."""

    context: NotRequired[Literal["fresh", "continue"]]
    """Whether each run has a session of its own, or goes on in that of the run before.
    Default: 'fresh'.
    """
    kind: Literal["prompt"]
    model: AutomationSimulateDraftTaskPromptModel
    """Who is asked; `provider/list` has all."""
    prompt: str
    """What an agent is asked to do."""
    sessionID: NotRequired[str]
    """The session that is continued, only with `continue`; else that of the automation's last run."""
    variant: NotRequired[str]
    """One of the variants of the model."""


@final
class AutomationSimulateDraftTaskNotify(TypedDict):
    """People are told something: a reminder."""

    kind: Literal["notify"]
    text: str
    """What people are told; nothing is executed."""


@final
class AutomationSimulateDraftWhere(TypedDict):
    """Where its runs work; in the project's directory if nothing else is said."""

    worktree: NotRequired[str]
    """In the worktree `.worktrees/sexton/<name>` of the project, which has to be the top of a git work tree. It is
    made on first use, on the branch `sexton/<name>`, and used as it is found. The name is this text in lower case,
    with one `-` in place of whatever is no letter from a to z and no digit, and at most 64 characters. Not with
    `context: "continue"`.
    """


class _AutomationSimulateDraft(TypedDict):
    access: NotRequired[Literal["write", "read"]]
    """Whether its runs change their directory: runs that do wait for each other there, runs that only read neither
    wait nor are waited for.
    Default: 'write'.
    """
    paused: NotRequired[bool]
    """Whether it is created at rest.
    Default: False.
    """
    policy: NotRequired[AutomationSimulateDraftPolicy]
    """What happens when things are not as planned. What is left out has its default."""
    task: AutomationSimulateDraftTask
    """What is done. No shell takes part unless `program` is one."""
    timezone: NotRequired[str]
    """An IANA name; the machine's zone if it is absent."""
    title: str
    """What people call it."""
    where: NotRequired[AutomationSimulateDraftWhere]
    """Where its runs work; in the project's directory if nothing else is said."""


@final
class AutomationSimulateDraftOneshot(_AutomationSimulateDraft):
    """An automation that there is not: it is created now, in thought."""

    fireAt: int
    """When it is due; only with `oneshot`, and in the future."""
    kind: Literal["oneshot"]
    """Whether it is due once, or again and again."""


@final
class AutomationSimulateDraftRhythmInterval(TypedDict):
    """By elapsed time."""

    anchorAt: NotRequired[int]
    """What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the
    schedule if it is absent.
    """
    everyMs: int
    """At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
    From 1 to 316224000000.
    """
    kind: Literal["interval"]


@final
class AutomationSimulateDraftRhythmCron(TypedDict):
    """By the clocks of its zone."""

    expression: str
    """Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8."""
    kind: Literal["cron"]


@final
class AutomationSimulateDraftStopNever(TypedDict):
    """It does not."""

    kind: Literal["never"]


@final
class AutomationSimulateDraftStopCount(TypedDict):
    """By what it has done."""

    count: int
    """After how many of its runs have succeeded or failed.
    From 1 to 1000000000.
    """
    kind: Literal["count"]


@final
class AutomationSimulateDraftStopUntil(TypedDict):
    """By the time."""

    at: int
    """The last time at which it may be due."""
    kind: Literal["until"]


@final
class AutomationSimulateDraftRecurring(_AutomationSimulateDraft):
    """An automation that there is not: it is created now, in thought."""

    kind: Literal["recurring"]
    """Whether it is due once, or again and again."""
    rhythm: AutomationSimulateDraftRhythm
    """How often it is due; only with `recurring`."""
    stop: NotRequired[AutomationSimulateDraftStop]
    """When it ends; only with `recurring`.
    Default: {'kind': 'never'}.
    """


AutomationSimulateParams = TypedDict(
    "AutomationSimulateParams",
    {
        # How long each run takes, instead of the median of the last ones of its automation.
        "assumeRunMs": "NotRequired[int]",
        # An automation that there is not: it is created now, in thought.
        "draft": "NotRequired[AutomationSimulateDraft]",
        # The first scheduled time that is wanted.
        "from": "int",
        # Only of these; if it is absent, only of the draft if there is one, and else of all.
        "ids": "NotRequired[list[str]]",
        # The last one; not before `from`.
        "to": "int",
    },
)


@final
class AutomationTotals(TypedDict):
    """How many scheduled times one automation has."""

    id: AutomationId
    """The automation; empty for the draft."""
    outcomes: dict[str, int]
    """How many, by what becomes of them."""


@final
class AutomationUpdatePatchPolicyBlockerMs(TypedDict):
    """How long a run may wait for a person."""

    attended: NotRequired[int | None]
    unattended: NotRequired[int | None]


@final
class AutomationUpdatePatchPolicyBudgetPerRun(TypedDict):
    """The most."""

    amount: NotRequired[float]
    """How much."""
    currency: NotRequired[str]
    """An ISO 4217 code."""


@final
class AutomationUpdatePatchPolicyBudget(TypedDict):
    """What one run may cost."""

    perRun: NotRequired[AutomationUpdatePatchPolicyBudgetPerRun]
    """The most."""


@final
class AutomationUpdatePatchPolicyKeep(TypedDict):
    """How many ended runs are kept."""

    days: NotRequired[int | None]
    runs: NotRequired[int | None]


@final
class AutomationUpdatePatchPolicyMissed(TypedDict):
    """What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them."""

    kind: NotRequired[Literal["skip", "runOnce"]]
    windowMs: NotRequired[int | None]


@final
class AutomationUpdatePatchPolicyPrecheck(TypedDict):
    """A program that is started first, in the run's directory and environment. Exit code 0: the command is started;
    75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a
    task of kind `notify`; an agent is told what it wrote.
    """

    args: NotRequired[list[str] | None]
    program: NotRequired[str]
    """A name in the search path, or a path. At most 4096 bytes of UTF-8."""
    timeoutMs: NotRequired[int]
    """Longer than this is a failure to start.
    From 1000 to 31536000000.
    """


@final
class AutomationUpdatePatchPolicyRetry(TypedDict):
    """Whether a run whose work never began is tried again."""

    attempts: NotRequired[int | None]
    delayMs: NotRequired[int | None]


@final
class AutomationUpdatePatchPolicy(TypedDict):
    """What happens when things are not as planned. What is left out has its default."""

    blockerMs: NotRequired[AutomationUpdatePatchPolicyBlockerMs | None]
    budget: NotRequired[AutomationUpdatePatchPolicyBudget | None]
    idleMs: NotRequired[int | None]
    ifBusy: NotRequired[Literal["queue", "skip"] | None]
    keep: NotRequired[AutomationUpdatePatchPolicyKeep | None]
    missed: NotRequired[AutomationUpdatePatchPolicyMissed | None]
    overlap: NotRequired[Literal["skip", "queueOne", "cancelPrevious"] | None]
    pauseAfterFailures: NotRequired[int | None]
    permissions: NotRequired[Literal["ask", "deny"] | None]
    precheck: NotRequired[AutomationUpdatePatchPolicyPrecheck | None]
    queueMs: NotRequired[int | None]
    retry: NotRequired[AutomationUpdatePatchPolicyRetry | None]
    startMs: NotRequired[int | None]
    stepCap: NotRequired[int | None]
    wallMs: NotRequired[int | None]


@final
class AutomationUpdatePatchRhythm(TypedDict):
    """How often it is due; only with `recurring`."""

    anchorAt: NotRequired[int | None]
    everyMs: NotRequired[int | None]
    expression: NotRequired[str | None]
    kind: NotRequired[Literal["interval", "cron"]]


@final
class AutomationUpdatePatchStop(TypedDict):
    """When it ends; only with `recurring`."""

    at: NotRequired[int | None]
    count: NotRequired[int | None]
    kind: NotRequired[Literal["never", "count", "until"]]


AutomationUpdatePatchTaskEnvValueFrom = TypedDict(
    "AutomationUpdatePatchTaskEnvValueFrom",
    {
        # A variable of the executing window.
        "from": "str",
    },
)


@final
class AutomationUpdatePatchTaskModel(TypedDict):
    """Who is asked; `provider/list` has all."""

    modelID: NotRequired[str]
    """The id of one of its models."""
    providerID: NotRequired[str]
    """The provider's id."""


@final
class AutomationUpdatePatchTask(TypedDict):
    """What is done. No shell takes part unless `program` is one."""

    args: NotRequired[list[str] | None]
    context: NotRequired[Literal["fresh", "continue"] | None]
    env: NotRequired[dict[str, str | AutomationUpdatePatchTaskEnvValueFrom | None] | None]
    kind: NotRequired[Literal["command", "prompt", "notify"]]
    model: NotRequired[AutomationUpdatePatchTaskModel | None]
    program: NotRequired[str | None]
    prompt: NotRequired[str | None]
    sessionID: NotRequired[str | None]
    stdin: NotRequired[str | None]
    text: NotRequired[str | None]
    variant: NotRequired[str | None]


@final
class AutomationUpdatePatchWhere(TypedDict):
    """Where its runs work; in the project's directory if nothing else is said."""

    worktree: NotRequired[str | None]


@final
class AutomationUpdatePatch(TypedDict):
    """A JSON merge patch (RFC 7396) over the draft. What belongs to one `kind` of an object goes when its `kind`
    changes; the automation's own `kind` cannot change.
    """

    access: NotRequired[Literal["write", "read"] | None]
    fireAt: NotRequired[int | None]
    kind: NotRequired[Literal["oneshot", "recurring"]]
    """Whether it is due once, or again and again."""
    policy: NotRequired[AutomationUpdatePatchPolicy | None]
    rhythm: NotRequired[AutomationUpdatePatchRhythm | None]
    stop: NotRequired[AutomationUpdatePatchStop | None]
    task: NotRequired[AutomationUpdatePatchTask]
    """What is done. No shell takes part unless `program` is one."""
    timezone: NotRequired[str | None]
    title: NotRequired[str]
    """What people call it."""
    where: NotRequired[AutomationUpdatePatchWhere | None]


@final
class AutomationUpdateParams(TypedDict):
    id: str
    """The automation."""
    ifRevision: NotRequired[int]
    """The revision that the change is meant for; with another one it is refused.
    From 1 to 9007199254740991.
    """
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    patch: AutomationUpdatePatch
    """A JSON merge patch (RFC 7396) over the draft. What belongs to one `kind` of an object goes when its `kind`
    changes; the automation's own `kind` cannot change.
    """


class _Blocker(TypedDict):
    expiresAt: Timestamp
    """Until when it may be answered. Who asked for a permission is then told the first option of the kind
    `reject_once`, if one was offered, and otherwise nothing: what holds for later is chosen by a person alone.
    """
    since: Timestamp
    """Since when."""


@final
class BlockerPermission(_Blocker):
    """It asks whether it may do something."""

    kind: Literal["permission"]
    options: list[PermissionOption]
    """What may be answered; at least one."""
    requestID: str
    """The agent's request."""
    title: str
    """What it asks for."""
    tool: NotRequired[dict[str, Any]]
    """What it wants to use, in the words of the agent."""


@final
class BlockerQuestion(_Blocker):
    """It asks a question."""

    callID: str
    """The agent's call."""
    kind: Literal["question"]
    options: NotRequired[list[QuestionOption]]
    """What may be chosen; without any, words are wanted."""
    prompt: str
    """The question."""


@final
class BlockerMs(TypedDict):
    """How long a run may wait for a person, in milliseconds."""

    attended: int
    """When somebody asked for the run."""
    unattended: int
    """When a timer did."""


@final
class Budget(TypedDict):
    """What one run may cost."""

    perRun: Money
    """The limit of one run."""


@final
class Capabilities(TypedDict):
    """What this version can do."""

    features: list[str]
    methods: list[str]
    tasks: list[str]


@final
class Chunk(TypedDict):
    """A part of an output as a subscriber is told it."""

    data: str
    """What was written there."""
    encoding: Literal["utf8", "base64"]
    """How it is written here."""
    end: bool
    """Whether the run has ended and nothing follows."""
    offset: int
    """The byte at which it begins: where the chunk before it ended."""
    runID: RunId
    """The run that has written it."""


ClockSet = TypedDict(
    "ClockSet",
    {
        # What it would have shown otherwise; after a restart of the machine, the newest time that is known.
        "from": "Timestamp",
        # What it shows instead.
        "to": "Timestamp",
    },
)
"""The clock was set."""


@final
class CloseResult(TypedDict):
    """What a close is answered with."""

    affectedDirectoryKeys: list[str]
    """Which directories it concerns, as `Run.directory`."""
    lifecycleActionID: LifecycleActionId
    """Its identity: events name it when it has happened."""
    status: CloseStatus
    """Whether it has happened."""
    waitingFor: WaitedFor
    """What it waits for."""


@final
class Deleted(TypedDict):
    """What became of an automation that was deleted."""

    deleted: bool
    """That it is gone."""
    id: AutomationId
    """Its identity."""
    revision: int
    """Its last revision plus one."""
    stoppedRuns: list[Run]
    """The runs that were active, as they ended."""


@final
class DerivedState(TypedDict):
    """What follows from an automation's runs and its schedule."""

    activeRuns: list[RunId]
    """Runs that have not ended, oldest first."""
    completedRuns: int
    """Runs that count towards a stop by count."""
    failureStreak: int
    """Failed runs since the last that succeeded."""
    lastRun: RunId | None
    """The newest run."""
    nextFireAt: Timestamp | None
    """The next scheduled time that nothing answers for yet."""
    nextFires: list[Timestamp]
    """The next scheduled times, at most five and no more than a stop by count leaves."""
    sessionID: str | None
    """The agent's session that the next run may continue."""
    warnings: list[str]
    """What a person should know about the definition although it is valid."""


@final
class Diffstat(TypedDict):
    """How much the work of a run has changed."""

    deletions: int
    """How many lines were removed."""
    files: int
    """How many files, also those beyond the first 1000, which `files` leaves out."""
    insertions: int
    """How many lines were added. Files that are no text have none."""


@final
class DirectoryHoldParams(TypedDict):
    directory: NotRequired[str]
    """Where the work goes on; the project's directory if it is absent."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    title: str
    """What the work is, for people."""


@final
class DirectoryReleaseParams(TypedDict):
    subscription: str
    """What the request that began it was answered with."""


EnvValueFrom = TypedDict(
    "EnvValueFrom",
    {
        # The name.
        "from": "str",
    },
)
"""The name of a variable in the environment of the window that executes the run."""


@final
class EventAutomationUpdated(TypedDict):
    """An automation was created, edited, paused or resumed, or what follows from its runs and its schedule has
    changed. The last keeps the revision, and comes directly after the `run.updated` that caused it.
    """

    at: int
    """When it was written, in milliseconds since the epoch."""
    automation: AnyAutomation
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["automation.updated"]
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventAutomationDeleted(TypedDict):
    """An automation was deleted. Nothing but its runs is told of it any more."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["automation.deleted"]
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """
    tombstone: Tombstone


@final
class EventRunUpdated(TypedDict):
    """A run has come to another state, waits for something else, was asked to end, or has made progress (at most once
    a second).
    """

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["run.updated"]
    run: AnyRun
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventSchedulerOwner(TypedDict):
    """Another window rings the bell."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["scheduler.owner"]
    scheduler: Owner
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventSchedulerSuspended(TypedDict):
    """The machine slept."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["scheduler.suspended"]
    scheduler: Suspended
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventSchedulerClock(TypedDict):
    """The machine's clock was set."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["scheduler.clock"]
    scheduler: ClockSet
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventRunWarning(TypedDict):
    """Something about a run wants attention: most of its budget is used, its cost is told in another currency than its
    budget, or not all of its output was kept.
    """

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["run.warning"]
    run: Run
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventLifecycleCompleted(TypedDict):
    """A close has really happened."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["lifecycle.completed"]
    lifecycle: Lifecycle
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventLifecycleFailed(TypedDict):
    """A close could not be carried out; the old configuration holds."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["lifecycle.failed"]
    lifecycle: Lifecycle
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventProviderUpdated(TypedDict):
    """A provider offers something else, or can or cannot be given work any more."""

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["provider.updated"]
    provider: Provider
    seq: int
    """Its place in the ledger."""
    text: NotRequired[str]
    """What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the
    event is important. Of a `run.warning`: what, and what can be done about it.
    """


@final
class EventResync(TypedDict):
    """The history after the place that was named is not there: it was pruned, or the place is another ledger's, or is
    none yet. List again, and go on from this `seq`.
    """

    at: int
    """When it was written, in milliseconds since the epoch."""
    important: bool
    """Whether a person should be shown it at once."""
    kind: Literal["resync"]
    seq: int
    """Its place in the ledger."""


@final
class EventsSubscribeParams(TypedDict):
    after: NotRequired[int]
    """Only events after this one; from now on if it is absent."""
    automationID: NotRequired[str]
    """Only events of this automation and of its runs."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    kinds: NotRequired[list[EventsSubscribeKindsItem]]
    """Only events of these kinds, and `resync`."""
    ledgerID: NotRequired[str]
    """The ledger that `after` is a place of."""


@final
class EventsUnsubscribeParams(TypedDict):
    subscription: str
    """What the request that began it was answered with."""


@final
class Evidence(TypedDict):
    """Something that the ledger tells."""

    at: Timestamp
    """When it happened or began."""
    seq: NotRequired[int]
    """The event that told it, if it is still kept."""
    text: str
    """What, as a clause."""


@final
class Explanation(TypedDict):
    """What became of a time that somebody asks about."""

    evidence: list[Evidence]
    """What is behind that, oldest first: at most 64 pieces."""
    run: NotRequired[AnyRun]
    """The run that answers for it, or on which it is counted; of a chain of retries the last."""
    scheduledAt: Timestamp | None
    """The scheduled time that is meant; none if nothing was scheduled in that minute."""
    summary: str
    """The same in a sentence for a person, with times of the automation's zone."""
    verdict: Verdict
    """What became of it."""


@final
class Fault(TypedDict):
    """One fault: where, what, and the way out."""

    field: str
    """The path of the field inside what was sent, such as `rhythm.expression`."""
    hint: NotRequired[str]
    """A sentence that says what to do."""
    message: Word
    """What is wrong with it."""


@final
class Fire(TypedDict):
    """A scheduled time, and what will become of it."""

    at: Timestamp
    """When it is due."""
    id: AutomationId
    """The automation; empty for the draft."""
    outcome: Verdict
    """What will become of it."""
    reason: NotRequired[Reason]
    """Why, if there is more to say: how its run was stopped or failed, or what it waits for or has waited for."""
    startedAt: NotRequired[Timestamp]
    """When the work starts that answers for it."""


@final
class Hold(TypedDict):
    """Work of the user's own in a directory: runs that write there wait for it."""

    directory: str
    """Where: an absolute path, as `Run.directory`."""
    id: SubscriptionId
    """The subscription that it lives as long as."""
    since: Timestamp
    """Since when."""
    title: str
    """What it is, for people."""


@final
class InitializeClientInfo(TypedDict):
    """What the window belongs to. Others are told that it is its automation, its run, its bell."""

    name: NotRequired[str]
    """The application."""
    version: NotRequired[str | None]
    """Its version."""


@final
class InitializeInitializationOptionsLimits(TypedDict):
    """What this window bounds otherwise than usual."""

    eventHistory: NotRequired[int]
    """How many of the newest events are kept, or those of seven days if these are more. The owner's holds.
    Default: 100000.
    """
    graceMs: NotRequired[int]
    """How late a scheduled time may be and still count as in time. The owner's holds.
    From 100 to 86400000.
    Default: 60000.
    """
    maxAgents: NotRequired[int]
    """How many agents of the whole ledger may be at work at once. The owner's holds.
    From 1 to 1000.
    Default: 1.
    """
    maxConcurrentRuns: NotRequired[int]
    """How many runs of the whole ledger may be at work at once. The owner's holds.
    From 1 to 1000.
    Default: 4.
    """
    maxMessageBytes: NotRequired[int]
    """The longest message, in both directions.
    From 1024 to 1073741824.
    Default: 16777216.
    """
    minIntervalMs: NotRequired[int]
    """The least `everyMs` that this window may give an interval.
    From 10 to 86400000.
    Default: 30000.
    """
    outputBytes: NotRequired[int]
    """How much output of a run is kept.
    Default: 16777216.
    """
    stableWakeMs: NotRequired[int]
    """How long the machine has to be awake after a sleep before anything is begun. The owner's holds.
    Default: 10000.
    """
    standbyMs: NotRequired[int]
    """How long another window waits for one that does not do its part before it does that itself. The owner's holds;
    less than `graceMs`, half of it if this is absent.
    From 50 to 59999.
    Default: 2000.
    """


InitializeInitializationOptionsProvidersValueEnvValueFrom = TypedDict(
    "InitializeInitializationOptionsProvidersValueEnvValueFrom",
    {
        # A variable of the executing window.
        "from": "str",
    },
)


@final
class InitializeInitializationOptionsProvidersValue(TypedDict):
    """How an agent is started that speaks the Agent Client Protocol."""

    command: list[str]
    """The program, an absolute path or a name that is looked up in the search path, of at most 4096 bytes, and its
    arguments. At most 102400 bytes together.
    """
    env: NotRequired[dict[str, str | InitializeInitializationOptionsProvidersValueEnvValueFrom]]
    """Together at most 102400 bytes.
    Default: {}.
    """
    startMs: NotRequired[int]
    """How long it may take to say what it offers, and each call to it, in milliseconds.
    From 1000 to 600000.
    Default: 60000.
    """
    tools: NotRequired[bool]
    """Whether its runs are given the tools of `sexton mcp`, with which they can look at automations and pause their
    own.
    Default: True.
    """


@final
class InitializeInitializationOptions(TypedDict):
    """What is sexton's own."""

    environment: NotRequired[dict[str, str]]
    """What processes that this window starts find in their environment. Kept in memory only."""
    followConfigFile: NotRequired[bool]
    """Whether a change of the user's configuration file is a reload of this window.
    Default: True.
    """
    limits: NotRequired[InitializeInitializationOptionsLimits]
    """What this window bounds otherwise than usual."""
    projectDirectory: NotRequired[str]
    """The project; wins over `rootUri` and `workspaceFolders`. The working directory if none is named."""
    providers: NotRequired[dict[str, InitializeInitializationOptionsProvidersValue]]
    """The agents that are started for prompts, by what `task.model.providerID` names."""
    role: NotRequired[Literal["participant", "observer"]]
    """Whether it may ring the bell and carry out what is scheduled, or only looks, changes, and carries out what it is
    asked for itself.
    Default: 'participant'.
    """
    stateDirectory: NotRequired[str]
    """Where ledgers are kept; else SEXTON_STATE_DIR, else the platform's place for state."""


@final
class InitializeWorkspaceFoldersItem(TypedDict):
    uri: str
    """A `file:` URI."""


@final
class InitializeParams(TypedDict):
    clientInfo: NotRequired[InitializeClientInfo | None]
    """What the window belongs to. Others are told that it is its automation, its run, its bell."""
    initializationOptions: NotRequired[InitializeInitializationOptions | None]
    """What is sexton's own."""
    processId: NotRequired[int | None]
    """The process that the sidecar works for: it ends when that does. Null, or one that is not seen from here, is not
    watched; the end of the input tells as well.
    """
    rootUri: NotRequired[str | None]
    """The project as a `file:` URI, if `projectDirectory` does not name it."""
    workspaceFolders: NotRequired[list[InitializeWorkspaceFoldersItem] | None]
    """The first one is the project, if neither `projectDirectory` nor `rootUri` names it."""


@final
class InitializeResult(TypedDict):
    """What a client is told."""

    capabilities: Capabilities
    instanceID: InstanceId
    ledgerID: LedgerId
    project: Project
    protocolVersion: int
    scheduler: SchedulerRole
    seq: int
    serverInfo: ServerInfo
    stateDirectory: str
    timeZoneData: TimeZoneData
    warnings: list[str]


@final
class Keep(TypedDict):
    """How many ended runs are kept, and for how long. What is pruned leaves a daily account."""

    days: int
    """At most so many days after they ended."""
    runs: int
    """At most so many, the newest."""


@final
class LaterAutomation(TypedDict):
    """An automation that a later version wrote. What it says beside these members is as that version wrote it."""

    createdAt: Timestamp
    """When it was created."""
    createdBy: Any
    """Who created it."""
    id: AutomationId
    """Its identity."""
    ofLaterVersion: Literal[True]
    """That this version does not understand it."""
    pause: Any
    """Why and since when it is paused."""
    paused: bool
    """Whether `pause` is there."""
    revision: int
    """Counts what users changed, nothing else."""
    state: DerivedState
    """What follows from its runs. Nothing is known of its schedule."""
    updatedAt: Timestamp
    """When a user last changed it."""


@final
class LaterRun(TypedDict):
    """A run that a later version wrote. What it says beside these members is as that version wrote it."""

    automationID: AutomationId
    """The automation it belongs to, which may have been deleted."""
    completedAt: Timestamp | None
    """When it ended."""
    directory: str
    """Where it works: an absolute path."""
    id: RunId
    """Its identity."""
    ofLaterVersion: Literal[True]
    """That this version does not understand it."""
    revision: int
    """Counts the published changes of the run."""
    state: str
    """Where it is in its life, in the words of that version."""
    triggeredAt: Timestamp
    """When it was created."""


@final
class Lifecycle(TypedDict):
    """A close as events tell of it."""

    completedAt: Timestamp
    """When it was over."""
    directories: list[str]
    """Which directories it concerns, as `Run.directory`."""
    error: NotRequired[str]
    """Why it failed, as a sentence, if it did."""
    id: LifecycleActionId
    """Its identity."""
    kind: CloseKind
    """What it is for."""
    mode: CloseMode
    """What becomes of the runs in its way."""
    requestedAt: Timestamp
    """When it was asked for."""


@final
class LifecycleCloseParams(TypedDict):
    directories: NotRequired[list[str]]
    """The directories that it concerns; all if it is absent. One that is not there has no runs."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    kind: Literal["reload", "dispose"]
    """What it is for: to read the configuration anew, or to give up the project, so that another window rings."""
    mode: Literal["maintenance", "force"]
    """What becomes of the runs in its way: they are waited for, or stopped."""


@final
class LifecycleStatus(TypedDict):
    """What `lifecycle/status` tells of this window: what an application shows before it closes it."""

    activeRuns: list[ActiveRunHere]
    """The runs that this window carries out, oldest first."""
    holds: list[Hold]
    """The work of the user's own that this window told of."""
    pending: list[PendingClose]
    """The closes that wait, oldest first."""


@final
class LifecycleStatusParams(TypedDict):
    pass


@final
class MissedSkip(TypedDict):
    """All of them are recorded as missed."""

    kind: Literal["skip"]


@final
class MissedRunOnce(TypedDict):
    """The newest is caught up with if it is inside the window; the run answers for the older ones too."""

    kind: Literal["runOnce"]
    windowMs: NotRequired[int]
    """How late the newest slot may be, in milliseconds. None: half the distance to the next slot, at most 12 h."""


@final
class Model(TypedDict):
    """A model of a provider."""

    modelID: str
    """Which of its models."""
    providerID: ProviderId
    """The provider."""


@final
class Money(TypedDict):
    """An amount in a currency."""

    amount: float
    """How much."""
    currency: str
    """Of what, as an ISO 4217 code."""


@final
class Note(TypedDict):
    """Something to know about the fires around one instant."""

    at: Timestamp
    """The fire that it is about; where none is, the instant at which one could have been expected."""
    kind: NoteKind
    """What it is about."""
    text: str
    """The same in a sentence."""


@final
class OfferedModel(TypedDict):
    """A model that a provider offers."""

    id: str
    """What `task.model.modelID` names."""
    name: str
    """What people call it."""
    variants: list[str]
    """What `task.variant` may name."""


@final
class Output(TypedDict):
    """A part of an output as an answer tells it."""

    data: str
    """What was written there."""
    encoding: Literal["utf8", "base64"]
    """How it is written here."""
    end: bool
    """Whether the run has ended and nothing follows."""
    nextOffset: int
    """The byte at which the next part begins."""
    offset: int
    """The byte at which it begins."""


@final
class OutputSize(TypedDict):
    """How much output a run has written."""

    bytes: int
    """What is kept, in bytes."""
    truncated: bool
    """Whether there was more."""


@final
class OutputSubscribeParams(TypedDict):
    offset: NotRequired[int]
    """The byte of the output to begin with.
    Default: 0.
    """
    runID: str
    """The run."""


@final
class OutputUnsubscribeParams(TypedDict):
    subscription: str
    """What the request that began it was answered with."""


@final
class Owner(TypedDict):
    """The instance that owns the bell, and its term."""

    client: NotRequired[str]
    """What the client called itself."""
    instanceID: InstanceId
    """The sidecar."""
    since: Timestamp
    """Since when."""
    term: int
    """Counts the owners of this ledger, from 1."""


@final
class Pause(TypedDict):
    """That an automation is paused, since when and why."""

    at: Timestamp
    """Since when."""
    by: NotRequired[Actor]
    """Who paused it."""
    note: NotRequired[str]
    """What the person who paused it wrote; or, if it paused itself, what is wrong and what to do. At most 1000
    characters.
    """
    reason: PauseReason
    """Why."""


@final
class PendingClose(TypedDict):
    """A close that waits."""

    directories: list[str]
    """Which directories it concerns, as `Run.directory`."""
    kind: CloseKind
    """What it is for."""
    lifecycleActionID: LifecycleActionId
    """Its identity."""
    requestedAt: Timestamp
    """When it was asked for."""
    waitingFor: WaitedFor
    """What it waits for."""


@final
class PermissionOption(TypedDict):
    """One answer to a request for a permission."""

    id: str
    """What an answer names."""
    kind: PermissionKind
    """What it means."""
    label: str
    """What people read."""


@final
class Placement(TypedDict):
    """Where the runs of an automation work."""

    worktree: NotRequired[WorktreeName]
    """The worktree in which they work, on a branch of its own: `.worktrees/sexton/<name>` in the project. Without
    one they work in the project's directory.
    """


@final
class Policy(TypedDict):
    """The policy of an automation, every field filled."""

    blockerMs: BlockerMs
    """How long a run may wait for a person."""
    budget: Budget | None
    """What one run may cost."""
    idleMs: int | None
    """How long a run may be silent, in milliseconds; none for no limit."""
    ifBusy: IfBusy
    """What a run does when another run holds its directory, or is ahead of it there."""
    keep: Keep
    """How many ended runs are kept, and for how long."""
    missed: Missed
    """What happens to slots that are later than the grace."""
    overlap: Overlap
    """What happens to a slot while the previous run is still active."""
    pauseAfterFailures: int | None
    """After how many failures in a row the automation pauses itself; none for never. A single failure of class
    `config`, `auth` or `quota` pauses it whatever this says.
    """
    permissions: Permissions
    """Whether an agent's requests for permission are put to a person."""
    precheck: Precheck | None
    """A command that decides whether the run goes on."""
    queueMs: int
    """How long a run may wait before it starts, in milliseconds."""
    retry: Retry
    """Whether runs whose work could not be started are tried again."""
    startMs: int
    """How long a start may take, in milliseconds. The time for a precheck, and for its end, comes on top of it."""
    stepCap: int
    """How many steps an agent may take."""
    wallMs: int
    """How long a run may work, in milliseconds."""


@final
class Precheck(TypedDict):
    """A command that decides whether the run goes on: with exit code 0 it does, with 75 there is nothing to do, and
    anything else is a failure to start.
    """

    args: list[str]
    """Its arguments.
    Default: [].
    """
    program: str
    """The program."""
    timeoutMs: int
    """How long it may take, in milliseconds."""


@final
class PresentInstance(TypedDict):
    """An instance that has the project open."""

    client: NotRequired[str]
    """Whose window it is."""
    id: InstanceId
    """Its identity."""
    pid: int
    """Its process."""
    role: Role
    """What it does."""
    since: Timestamp
    """Since when it has the project open."""


@final
class Preview(TypedDict):
    """When something would fire."""

    description: str
    """The schedule in words, for people."""
    fires: list[Timestamp]
    """The next times."""
    notes: list[Note]
    """What is other in these fires, or between them, than the words let expect; the first such notes, in order."""
    warnings: list[str]
    """What a person should know of the schedule as a whole."""


@final
class ProcessEnd(TypedDict):
    """How a process ended."""

    exitCode: NotRequired[int]
    """Its exit code, if it exited."""
    signal: NotRequired[int]
    """The number of the signal that killed it, if one did."""
    swept: int
    """How many other processes it left behind, which were ended."""
    tail: str
    """The last 4 KiB of its output."""


@final
class Project(TypedDict):
    """The project that is open."""

    directory: str
    id: str
    vcs: Vcs | None


@final
class Provider(TypedDict):
    """A provider as clients see it."""

    checkedAt: Timestamp | None
    """When it last said what it offers; null if it never has."""
    id: ProviderId
    """Its identity: what `task.model.providerID` names."""
    kind: ProviderKind
    """What it is."""
    models: list[OfferedModel]
    """What it offers, or last offered."""
    reason: NotRequired[str]
    """Why not, as a sentence."""
    status: ProviderStatus
    """Whether it can be given work."""


@final
class ProviderListParams(TypedDict):
    pass


@final
class ProviderRefreshParams(TypedDict):
    id: NotRequired[str]
    """Only this one is asked; all, if it is absent."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""


@final
class ProviderServeModelsItem(TypedDict):
    id: str
    """What `task.model.modelID` names."""
    name: NotRequired[str]
    """What people call it; its id if it is absent."""
    variants: NotRequired[list[str]]
    """What `task.variant` may name.
    Default: [].
    """


@final
class ProviderServeParams(TypedDict):
    id: str
    """What `task.model.providerID` names."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    maxConcurrent: NotRequired[int]
    """How many runs this window carries out at once.
    From 1 to 100.
    Default: 1.
    """
    models: list[ProviderServeModelsItem]
    """Each id once. All names together at most 65536 bytes."""


@final
class ProviderUnserveParams(TypedDict):
    subscription: str
    """What the request that began it was answered with."""


@final
class ProviderWorkStart(TypedDict):
    """It is to begin a run."""

    limits: WorkLimits
    """How long it may take."""
    model: str
    """Which model, of the provider that the window serves."""
    permissions: Permissions
    """Whether permissions may be asked for."""
    prompt: str
    """What the agent is told."""
    run: Run
    """The run."""
    sessionID: NotRequired[str]
    """The session to continue, if one is."""
    stepCap: int
    """How many steps it may take."""
    type: Literal["start"]
    variant: NotRequired[str]
    """Which variant of it."""


@final
class ProviderWorkCancel(TypedDict):
    """It is to end a run."""

    now: bool
    """Whether it is not to wait for anything."""
    reason: Wish
    """Why: a stop reason or an error code."""
    runID: RunId
    """The run."""
    type: Literal["cancel"]


@final
class ProviderWorkAnswer(TypedDict):
    """Somebody has answered, or nobody has in time: then it is the first option of the kind `reject_once`, and nothing
    is
    sent if none was offered.
    """

    runID: RunId
    """The run that has asked."""
    type: Literal["answer"]
    requestID: NotRequired[str]
    """Which."""
    callID: NotRequired[str]
    """Which."""
    optionID: NotRequired[str]
    """Its id."""
    text: NotRequired[str]
    """Which."""


@final
class Providers(TypedDict):
    """All providers that are known."""

    items: list[Provider]
    """In the order of their ids."""


@final
class PublicTaskCommand(TypedDict):
    """A program that is run."""

    args: list[str]
    """Its arguments."""
    env: dict[str, Hidden]
    """The names in its environment."""
    kind: Literal["command"]
    program: str
    """Its name or path."""
    stdin: NotRequired[str]
    """What it reads."""


@final
class PublicTaskPrompt(TypedDict):
    """An agent that is asked to do something."""

    context: SessionContext
    """Whether the agent remembers earlier runs."""
    kind: Literal["prompt"]
    model: Model
    """Who is told."""
    prompt: str
    """What it is told, 1 to 20,000 characters."""
    sessionID: NotRequired[str]
    """The session that is to be continued; without it, that of the automation's last run."""
    variant: NotRequired[str]
    """Which variant of the model, one of those that it offers."""


@final
class PublicTaskNotify(TypedDict):
    """A reminder."""

    kind: Literal["notify"]
    text: str
    """What people are told."""


@final
class QuestionOption(TypedDict):
    """One answer to a question."""

    id: str
    """What an answer names."""
    label: str
    """What people read."""


@final
class RefreshedProvidersStatus(TypedDict):
    """Some of them are asked when the runs that use them have ended; `provider.updated` tells what they said."""

    status: Waits
    """That they are."""
    waitingFor: list[RunId]
    """The runs."""


@final
class Retry(TypedDict):
    """Whether runs whose work could not be started are tried again."""

    attempts: int
    """How often at most, after the first time."""
    delayMs: int
    """How long after a failure, in milliseconds."""


@final
class RhythmInterval(TypedDict):
    """Elapsed time."""

    anchorAt: NotRequired[Timestamp]
    """What it is counted from, in both directions; absent where that is the beginning of the schedule."""
    everyMs: int
    """The distance, in milliseconds."""
    kind: Literal["interval"]


@final
class RhythmCron(TypedDict):
    """Local time."""

    expression: str
    """Five fields as in a crontab, or a nickname."""
    kind: Literal["cron"]


@final
class RingingInstance(TypedDict):
    """The instance that owns the bell."""

    client: NotRequired[str]
    """Whose window it is."""
    instanceID: InstanceId
    """Its identity."""
    pid: int
    """Its process."""
    since: Timestamp
    """Since when it owns the bell."""
    term: int
    """Counts the owners of this ledger, from 1."""


@final
class RpcDiscoverParams(TypedDict):
    pass


class _Run(TypedDict):
    attendance: Attendance
    """Whether somebody is there."""
    automationID: AutomationId
    """The automation it belongs to, which may have been deleted."""
    automationTitle: str
    """The automation's title when the run was created."""
    closedBy: NotRequired[LifecycleActionId]
    """The close that ended it."""
    continuity: Continuity | None
    """Whether that session was new."""
    cost: Money | None
    """What it has cost."""
    definitionRevision: int
    """The automation's revision when the run was created."""
    directory: str
    """Where it works: an absolute path."""
    id: RunId
    """Its identity."""
    instanceID: InstanceId | None
    """Who executes it; set when it has started."""
    output: OutputSize
    """How much output there is."""
    revision: int
    """Counts the published changes of the run."""
    scheduledAt: Timestamp | None
    """The scheduled time it stands for; none for a manual run."""
    sessionID: str | None
    """The agent's session."""
    skipped: Skipped | None
    """The slots that overlap skipped behind it."""
    slots: SlotRange | None
    """The scheduled times it answers for."""
    steps: int
    """The steps an agent took."""
    task: PublicTask
    """What is carried out, as it was when the run was created."""
    trigger: Trigger
    """Why there is a run."""
    triggeredAt: Timestamp
    """When it was created."""
    worktree: NotRequired[WorktreeName]
    """The worktree, if it has one of its own."""


@final
class RunScheduled(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    completedAt: None
    """When it ended."""
    end: None
    """How its process ended, if it had one."""
    error: None
    """Why it failed, if it did."""
    result: None
    """What came out of it, if it succeeded."""
    startedAt: None
    """When its work started, if it did."""
    state: Literal["scheduled"]
    """Where it is in its life."""
    stopping: Stopping | None
    """That it was asked to end, and its work has not gone yet."""
    waiting: NotRequired[Waiting]
    """What it waits for; while it is scheduled and something holds it back."""


@final
class RunRunning(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    completedAt: None
    """When it ended."""
    end: None
    """How its process ended, if it had one."""
    error: None
    """Why it failed, if it did."""
    result: None
    """What came out of it, if it succeeded."""
    startedAt: Timestamp
    """When its work started, if it did."""
    state: Literal["running"]
    """Where it is in its life."""
    stopping: Stopping | None
    """That it was asked to end, and its work has not gone yet."""


@final
class RunAwaitingInput(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    blocker: Blocker
    """What it waits for a person for; while it awaits input."""
    completedAt: None
    """When it ended."""
    end: None
    """How its process ended, if it had one."""
    error: None
    """Why it failed, if it did."""
    result: None
    """What came out of it, if it succeeded."""
    startedAt: Timestamp
    """When its work started, if it did."""
    state: Literal["awaiting_input"]
    """Where it is in its life."""
    stopping: Stopping | None
    """That it was asked to end, and its work has not gone yet."""


@final
class RunSucceeded(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    completedAt: Timestamp
    """When it ended."""
    end: ProcessEnd | None
    """How its process ended, if it had one."""
    error: None
    """Why it failed, if it did."""
    result: RunResult
    """What came out of it, if it succeeded."""
    startedAt: Timestamp | None
    """When its work started, if it did."""
    state: Literal["succeeded"]
    """Where it is in its life."""
    stopping: None
    """That it was asked to end, and its work has not gone yet."""


@final
class RunFailed(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    completedAt: Timestamp
    """When it ended."""
    end: ProcessEnd | None
    """How its process ended, if it had one."""
    error: RunError
    """Why it failed, if it did."""
    result: None
    """What came out of it, if it succeeded."""
    startedAt: Timestamp | None
    """When its work started, if it did."""
    state: Literal["failed"]
    """Where it is in its life."""
    stopping: None
    """That it was asked to end, and its work has not gone yet."""


@final
class RunStopped(_Run):
    """One carrying-out of an automation, or the record of slots that were never carried out."""

    completedAt: Timestamp
    """When it ended."""
    end: ProcessEnd | None
    """How its process ended, if it had one."""
    error: None
    """Why it failed, if it did."""
    result: None
    """What came out of it, if it succeeded."""
    startedAt: Timestamp | None
    """When its work started, if it did."""
    state: Literal["stopped"]
    """Where it is in its life."""
    stopReason: StopReason
    """Why it was stopped, if it was."""
    stopping: None
    """That it was asked to end, and its work has not gone yet."""


@final
class RunCancelParams(TypedDict):
    id: str
    """The run."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""


RunError = TypedDict(
    "RunError",
    {
        # Whose fault it is.
        "class": "ErrorClass",
        # The kind of failure.
        "code": "ErrorCode",
        # A sentence for the person.
        "message": "str",
    },
)
"""Why a run failed."""


@final
class RunGetParams(TypedDict):
    id: str
    """The run."""


@final
class RunListParams(TypedDict):
    automationID: NotRequired[str]
    """Only runs of this automation, which may have been deleted."""
    cursor: NotRequired[str]
    """The `nextCursor` of the page before."""
    fromAt: NotRequired[int]
    """Only runs created at this time or later."""
    limit: NotRequired[int]
    """How much one answer has at most.
    From 1 to 100.
    Default: 50.
    """
    states: NotRequired[list[RunListStatesItem]]
    """Only runs in one of these states."""
    toAt: NotRequired[int]
    """Only runs created at this time or earlier."""


@final
class RunOutputParams(TypedDict):
    id: str
    """The run."""
    limit: NotRequired[int]
    """How much one answer has at most.
    From 1 to 1048576.
    Default: 65536.
    """
    offset: NotRequired[int]
    """The byte of the output to begin with.
    Default: 0.
    """


@final
class RunReportReportStarted(TypedDict):
    """The work has really started."""

    sessionID: str
    """The agent's session."""
    type: Literal["started"]


@final
class RunReportReportStep(TypedDict):
    """The agent took a step."""

    title: NotRequired[str]
    """Equal titles in a row are the same step made again."""
    type: Literal["step"]


@final
class RunReportReportOutput(TypedDict):
    """The agent has written something."""

    data: str
    """At most 65536 bytes of UTF-8."""
    type: Literal["output"]


@final
class RunReportReportBlockedBlockerPermissionOptionsItem(TypedDict):
    id: str
    """What `run/respond` names."""
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]
    """What the answer means."""
    label: str
    """What people read."""


@final
class RunReportReportBlockedBlockerPermission(TypedDict):
    """It asks whether it may do something."""

    kind: Literal["permission"]
    options: list[RunReportReportBlockedBlockerPermissionOptionsItem]
    """What may be answered."""
    requestID: str
    """The agent's request."""
    title: str
    """What it asks for."""
    tool: NotRequired[dict[str, Any]]
    """What it wants to use, as it likes. At most 16384 bytes of JSON."""


@final
class RunReportReportBlockedBlockerQuestionOptionsItem(TypedDict):
    id: str
    """What `run/respond` names."""
    label: str
    """What people read."""


@final
class RunReportReportBlockedBlockerQuestion(TypedDict):
    """It asks a question."""

    callID: str
    """The agent's call."""
    kind: Literal["question"]
    options: NotRequired[list[RunReportReportBlockedBlockerQuestionOptionsItem]]
    """Without any, words are wanted."""
    prompt: str
    """The question."""


@final
class RunReportReportBlocked(TypedDict):
    """It needs a person."""

    blocker: RunReportReportBlockedBlocker
    """What it waits for a person for."""
    type: Literal["blocked"]


@final
class RunReportReportUnblocked(TypedDict):
    """It needs nobody any more."""

    type: Literal["unblocked"]


@final
class RunReportReportCost(TypedDict):
    """What it has cost so far, in all."""

    amount: float
    """How much."""
    currency: str
    """An ISO 4217 code."""
    type: Literal["cost"]


@final
class RunReportReportFinished(TypedDict):
    """The work is done."""

    last: NotRequired[bool]
    """The watch is over: the automation is paused.
    Default: False.
    """
    outcome: NotRequired[Literal["changed", "findings", "nothing", "needs_human"]]
    """What the result means for the person."""
    text: NotRequired[str]
    """What the agent said at the end. At most 65536 bytes of UTF-8."""
    type: Literal["finished"]


RunReportReportFailed = TypedDict(
    "RunReportReportFailed",
    {
        # Whose fault it is; if it is absent, whose it usually is.
        "class": "NotRequired[RunReportReportFailedClass]",
        # What kind of failure it is.
        "code": "RunReportReportFailedCode",
        # A sentence for the person.
        "message": "str",
        "type": "Literal[\"failed\"]",
    },
)
"""The work has failed, or could not be started."""


@final
class RunReportParams(TypedDict):
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    report: RunReportReport
    """What becomes of it."""
    runID: str
    """The run."""


@final
class RunRespondParams(TypedDict):
    callID: NotRequired[str]
    """Of a question."""
    id: str
    """The run."""
    insideRun: NotRequired[str]
    """The run that this request comes out of, when an application forwards an agent's call."""
    optionID: NotRequired[str]
    """One of the options that were offered."""
    requestID: NotRequired[str]
    """Of a permission."""
    text: NotRequired[str]
    """An answer to a question in words."""


@final
class RunResult(TypedDict):
    """What came out of a run that succeeded."""

    diffstat: NotRequired[Diffstat]
    """How much the work has changed; with `files`."""
    files: NotRequired[list[str]]
    """The files that the work has changed, commits included, seen from the run's directory: in order, at most 1000.
    Absent where that was not found out.
    """
    outcome: ResultOutcome | None
    """What it means for the person."""
    text: str | None
    """What an agent said at the end."""


@final
class SchedulerRole(TypedDict):
    """Whether this sidecar rings the bell."""

    owner: bool


@final
class SchedulerStatus(TypedDict):
    """What `scheduler/status` tells."""

    health: Health
    """Whether everything is as it should be."""
    instances: list[PresentInstance]
    """Everybody who has the project open."""
    isOwner: bool
    """Whether that is this instance."""
    nextFireAt: Timestamp | None
    """The earliest slot that nothing answers for yet."""
    owner: RingingInstance | None
    """Who rings the bell; nobody does if there is none, or nobody can be asked."""
    reasons: list[str]
    """Why not, a sentence each."""
    suspended: list[Suspended]
    """When the machine slept: the last few times, the newest first."""


@final
class SchedulerStatusParams(TypedDict):
    pass


@final
class ServerInfo(TypedDict):
    """Who answers."""

    name: str
    version: str


@final
class ShutdownParams(TypedDict):
    mode: NotRequired[Literal["maintenance", "force"]]
    """What becomes of the runs of this window: they are waited for, or stopped.
    Default: 'force'.
    """


@final
class Simulation(TypedDict):
    """What will become of the scheduled times of a span.

    It is worked out by what the scheduler itself does, on the assumption that the machine is awake and a window is
    open
    the whole time. The windows that are open now stay; if there is none, one is assumed that starts agents as they
    were
    known last. A run takes as long as the last twenty of its automation did, by their median, a minute if none has
    run
    yet, and succeeds, and so does its precheck, which takes no time, also where it has always kept runs from
    starting. One
    that is at work now ends when that is over. Nobody answers what runs ask. Closes and holds that are waited for
    now end
    now. An automation whose schedule or pause changes meanwhile is none of this. What is changed right after a
    simulation
    was asked for may be in it. Automations and runs that cannot be read, or that only a later version understands,
    are left
    out, as lists leave out what cannot be read; who asks for one by name is refused if it cannot be read.
    """

    estimatedCost: NotRequired[list[Money]]
    """What the runs that are started will cost, each as much as the last twenty of its automation did on the average;
    one amount for each currency. Absent if none of these automations is known to have cost anything.
    """
    fires: list[Fire]
    """The scheduled times, in order. What was over before now is not among them: `automation/explain` tells of that.
    """
    simulatedThrough: Timestamp
    """How far this goes: `to`, or less if working it out would have taken too long, which is about ten seconds."""
    totals: Totals
    """How many there are, also of those that are not among `fires`."""
    truncated: bool
    """Whether there are more than these."""


@final
class Skipped(TypedDict):
    """Slots that overlap skipped behind an active run."""

    count: int
    """How many; from 100,000 on there may be more."""
    fromAt: Timestamp
    """The first."""
    reason: StopReason
    """`previous_run_active` or `previous_run_awaiting_input`."""
    toAt: Timestamp
    """The last."""


@final
class SlotRange(TypedDict):
    """Scheduled times that one run answers for; both ends belong to it."""

    count: int
    """How many; from 100,000 on there may be more."""
    fromAt: Timestamp
    """The first."""
    toAt: Timestamp
    """The last."""


@final
class StopNever(TypedDict):
    """It does not end."""

    kind: Literal["never"]


@final
class StopCount(TypedDict):
    """After so many runs that succeeded or failed."""

    count: int
    """How many."""
    kind: Literal["count"]


@final
class StopUntil(TypedDict):
    """After this instant; a slot exactly then still fires."""

    at: Timestamp
    """When."""
    kind: Literal["until"]


Stopping = TypedDict(
    "Stopping",
    {
        # How it will be recorded.
        "as": "Wish",
        # The close that ends it, if one does.
        "closedBy": "NotRequired[LifecycleActionId]",
        # Whether its work is killed without being asked.
        "now": "bool",
        # Since when.
        "since": "Timestamp",
    },
)
"""The wish that a run ends."""


Suspended = TypedDict(
    "Suspended",
    {
        # When it fell asleep.
        "from": "Timestamp",
        # When it was first seen to be awake again.
        "to": "Timestamp",
    },
)
"""A span in which the machine slept."""


@final
class TaskCommand(TypedDict):
    """A program is run; no shell takes part unless the program is one."""

    args: list[str]
    """Its arguments."""
    env: dict[str, ShownValue]
    """What is added to its environment."""
    kind: Literal["command"]
    program: str
    """Its name, looked up in the search path, or its path."""
    stdin: NotRequired[str]
    """What it reads."""


@final
class TaskPrompt(TypedDict):
    """An agent is asked to do something."""

    context: SessionContext
    """Whether the agent remembers earlier runs."""
    kind: Literal["prompt"]
    model: Model
    """Who is told."""
    prompt: str
    """What it is told, 1 to 20,000 characters."""
    sessionID: NotRequired[str]
    """The session that is to be continued; without it, that of the automation's last run."""
    variant: NotRequired[str]
    """Which variant of the model, one of those that it offers."""


@final
class TaskNotify(TypedDict):
    """People are told something: a reminder. Nothing is executed."""

    kind: Literal["notify"]
    text: str
    """What, 1 to 2000 characters."""


@final
class TimeZoneData(TypedDict):
    """Which zone data is in use."""

    source: str
    version: str


@final
class Tombstone(TypedDict):
    """What is left of a deleted automation."""

    id: AutomationId
    """Its identity, which is never used again."""
    revision: int
    """Its last revision plus one."""


@final
class Totals(TypedDict):
    """How many scheduled times there are, by what becomes of them. Of those that one run answers for together at most
    100,000
    are counted, so that there may be more.
    """

    automations: list[AutomationTotals]
    """Of each of them that has any, in the order in which they were created; of the first ones, if there are many.
    """
    outcomes: dict[str, int]
    """Of all automations that were wanted."""


@final
class TriggerSchedule(TypedDict):
    """A slot was due."""

    kind: Literal["schedule"]


@final
class TriggerManual(TypedDict):
    """Somebody asked for it."""

    key: NotRequired[str]
    """The client's own name for its request."""
    kind: Literal["manual"]


@final
class TriggerCatchUp(TypedDict):
    """Slots were missed and this run makes up for them."""

    kind: Literal["catchUp"]


@final
class TriggerRetry(TypedDict):
    """A run failed before its work began, and this one tries again."""

    kind: Literal["retry"]
    of: RunId
    """The run that failed."""


@final
class WaitedFor(TypedDict):
    """What a close waits for."""

    holds: list[SubscriptionId]
    """Work of the user's own."""
    runs: list[RunId]
    """Runs that this window carries out."""


Waiting = TypedDict(
    "Waiting",
    {
        # What is directly ahead of it.
        "behind": "NotRequired[Ahead]",
        # What.
        "for": "WaitingFor",
        # Since when.
        "since": "Timestamp",
        # When the wait ends at the latest.
        "untilAt": "Timestamp | None",
    },
)
"""What a scheduled run waits for."""


@final
class WorkLimits(TypedDict):
    """How long served work may take, in milliseconds."""

    blockerMs: int
    """For a person to answer; as the attendance of the run says."""
    idleMs: int | None
    """Without a report; none for no limit."""
    wallMs: int
    """In all, not counting the time in which it waits for a person."""


@final
class RefusedActiveRunStillRunning(TypedDict):
    kind: Literal["active_run_still_running"]
    runID: str


@final
class RefusedAutomationConflict(TypedDict):
    current: AnyAutomation
    kind: Literal["automation_conflict"]


@final
class RefusedBlockerGone(TypedDict):
    kind: Literal["blocker_gone"]
    runID: str


@final
class RefusedCancelled(TypedDict):
    kind: Literal["cancelled"]


@final
class RefusedCloseFailed(TypedDict):
    kind: Literal["close_failed"]
    lifecycleActionID: str


@final
class RefusedClosing(TypedDict):
    kind: Literal["closing"]
    lifecycleActionID: str


@final
class RefusedInsideRun(TypedDict):
    kind: Literal["inside_run"]
    runID: str


@final
class RefusedInternal(TypedDict):
    kind: Literal["internal"]


@final
class RefusedInvalidAutomation(TypedDict):
    details: list[Fault]
    kind: Literal["invalid_automation"]


@final
class RefusedInvalidParams(TypedDict):
    details: NotRequired[list[Fault]]
    kind: Literal["invalid_params"]


@final
class RefusedInvalidRequest(TypedDict):
    kind: Literal["invalid_request"]


@final
class RefusedMethodNotFound(TypedDict):
    kind: Literal["method_not_found"]


@final
class RefusedNotFound(TypedDict):
    id: str
    kind: Literal["not_found"]
    what: Literal["automation", "run", "provider"]


@final
class RefusedNotInitialized(TypedDict):
    kind: Literal["not_initialized"]


@final
class RefusedOverloaded(TypedDict):
    kind: Literal["overloaded"]


@final
class RefusedParseError(TypedDict):
    kind: Literal["parse_error"]


@final
class RefusedRequestTooLarge(TypedDict):
    kind: Literal["request_too_large"]


@final
class RefusedResponseTooLarge(TypedDict):
    kind: Literal["response_too_large"]


@final
class RefusedStorageUnavailable(TypedDict):
    kind: Literal["storage_unavailable"]
    reason: StorageReason


@final
class RefusedWriterBusy(TypedDict):
    holdID: NotRequired[str]
    kind: Literal["writer_busy"]
    runID: NotRequired[str]


Automation: TypeAlias = AutomationOneshot | AutomationRecurring
"""An automation as clients see it."""

AutomationCreatePolicyMissed: TypeAlias = AutomationCreatePolicyMissedSkip | AutomationCreatePolicyMissedRunOnce

AutomationCreateTask: TypeAlias = (
    AutomationCreateTaskCommand
    | AutomationCreateTaskPrompt
    | AutomationCreateTaskNotify
)

AutomationCreateRhythm: TypeAlias = AutomationCreateRhythmInterval | AutomationCreateRhythmCron

AutomationCreateStop: TypeAlias = AutomationCreateStopNever | AutomationCreateStopCount | AutomationCreateStopUntil

AutomationCreateParams: TypeAlias = AutomationCreateParamsOneshot | AutomationCreateParamsRecurring

AutomationDeleteResult: TypeAlias = Deleted

AutomationExplainResult: TypeAlias = Explanation

AutomationListResult: TypeAlias = AnyAutomationPage

AutomationPreviewRhythm: TypeAlias = AutomationPreviewRhythmInterval | AutomationPreviewRhythmCron

AutomationPreviewStop: TypeAlias = (
    AutomationPreviewStopNever
    | AutomationPreviewStopCount
    | AutomationPreviewStopUntil
)

AutomationPreviewResult: TypeAlias = Preview

AutomationSimulateDraftPolicyMissed: TypeAlias = (
    AutomationSimulateDraftPolicyMissedSkip
    | AutomationSimulateDraftPolicyMissedRunOnce
)

AutomationSimulateDraftTask: TypeAlias = (
    AutomationSimulateDraftTaskCommand
    | AutomationSimulateDraftTaskPrompt
    | AutomationSimulateDraftTaskNotify
)

AutomationSimulateDraftRhythm: TypeAlias = AutomationSimulateDraftRhythmInterval | AutomationSimulateDraftRhythmCron

AutomationSimulateDraftStop: TypeAlias = (
    AutomationSimulateDraftStopNever
    | AutomationSimulateDraftStopCount
    | AutomationSimulateDraftStopUntil
)

AutomationSimulateDraft: TypeAlias = AutomationSimulateDraftOneshot | AutomationSimulateDraftRecurring

AutomationSimulateResult: TypeAlias = Simulation

Blocker: TypeAlias = BlockerPermission | BlockerQuestion
"""What a run waits for a person for, since when and until when."""

EnvValue: TypeAlias = str | EnvValueFrom
"""A value in a task's environment."""

Event: TypeAlias = (
    EventAutomationUpdated
    | EventAutomationDeleted
    | EventRunUpdated
    | EventSchedulerOwner
    | EventSchedulerSuspended
    | EventSchedulerClock
    | EventRunWarning
    | EventLifecycleCompleted
    | EventLifecycleFailed
    | EventProviderUpdated
    | EventResync
)
"""Something that happened, in the order of `seq`."""

LifecycleCloseResult: TypeAlias = CloseResult

LifecycleStatusResult: TypeAlias = LifecycleStatus

Missed: TypeAlias = MissedSkip | MissedRunOnce
"""What happens when the newest slot is later than the grace."""

ProviderListResult: TypeAlias = Providers

ProviderWork: TypeAlias = ProviderWorkStart | ProviderWorkCancel | ProviderWorkAnswer
"""What a window that serves a provider is told."""

PublicTask: TypeAlias = PublicTaskCommand | PublicTaskPrompt | PublicTaskNotify
"""A task as a run shows it."""

RefreshedProviders: TypeAlias = Providers | RefreshedProvidersStatus
"""All providers as they are after they were asked, or what is waited for before that."""

Rhythm: TypeAlias = RhythmInterval | RhythmCron
"""What repeats."""

Run: TypeAlias = RunScheduled | RunRunning | RunAwaitingInput | RunSucceeded | RunFailed | RunStopped
"""One carrying-out of an automation, or the record of slots that were never carried out."""

RunListResult: TypeAlias = AnyRunPage

RunOutputResult: TypeAlias = Output

RunReportReportBlockedBlocker: TypeAlias = (
    RunReportReportBlockedBlockerPermission
    | RunReportReportBlockedBlockerQuestion
)

RunReportReport: TypeAlias = (
    RunReportReportStarted
    | RunReportReportStep
    | RunReportReportOutput
    | RunReportReportBlocked
    | RunReportReportUnblocked
    | RunReportReportCost
    | RunReportReportFinished
    | RunReportReportFailed
)

SchedulerStatusResult: TypeAlias = SchedulerStatus

ShutdownResult: TypeAlias = CloseResult | None

Stop: TypeAlias = StopNever | StopCount | StopUntil
"""When a recurring schedule ends."""

Task: TypeAlias = TaskCommand | TaskPrompt | TaskNotify
"""What is done."""

Trigger: TypeAlias = TriggerSchedule | TriggerManual | TriggerCatchUp | TriggerRetry
"""Why there is a run."""

AnyAutomation: TypeAlias = Automation | LaterAutomation
"""An automation as one reader is shown it, whichever version wrote it."""

AnyRun: TypeAlias = Run | LaterRun
"""A run, whichever version wrote it."""

AutomationCreateResult: TypeAlias = Automation

AutomationPauseResult: TypeAlias = Automation

AutomationResumeResult: TypeAlias = Automation

AutomationRunResult: TypeAlias = Run

AutomationUpdateResult: TypeAlias = Automation

ProviderRefreshResult: TypeAlias = RefreshedProviders

RunCancelResult: TypeAlias = Run

RunRespondResult: TypeAlias = Run

ShownValue: TypeAlias = EnvValue | Hidden
"""A value in a task's environment as a reader is shown it."""

AutomationGetResult: TypeAlias = AnyAutomation

RunGetResult: TypeAlias = AnyRun

RefusalKind: TypeAlias = Literal[
    "active_run_still_running",
    "automation_conflict",
    "blocker_gone",
    "cancelled",
    "close_failed",
    "closing",
    "inside_run",
    "internal",
    "invalid_automation",
    "invalid_params",
    "invalid_request",
    "method_not_found",
    "not_found",
    "not_initialized",
    "overloaded",
    "parse_error",
    "request_too_large",
    "response_too_large",
    "storage_unavailable",
    "writer_busy",
]
"""The kinds of refusals that the contract names."""

refusal_codes: dict[str, int] = {
    "active_run_still_running": -32013,
    "automation_conflict": -32012,
    "blocker_gone": -32014,
    "cancelled": -32800,
    "close_failed": -32019,
    "closing": -32017,
    "inside_run": -32016,
    "internal": -32603,
    "invalid_automation": -32010,
    "invalid_params": -32602,
    "invalid_request": -32600,
    "method_not_found": -32601,
    "not_found": -32011,
    "not_initialized": -32002,
    "overloaded": -32018,
    "parse_error": -32700,
    "request_too_large": -32007,
    "response_too_large": -32008,
    "storage_unavailable": -32020,
    "writer_busy": -32015,
}
"""The codes of refusals, by their kind."""
