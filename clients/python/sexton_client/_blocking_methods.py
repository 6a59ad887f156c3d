"""The methods by name, for `Sexton`: each returns when it is answered.

Generated from schema/openrpc.json by `python3 -m generator --write`. Do not edit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, List, Literal, overload

from . import protocol


def _given(members: dict[str, Any]) -> Any:
    """What was said; the contract has no null here, so None is what was left out."""
    return {name: value for name, value in members.items() if value is not None}


class BlockingAutomations:
    """`automation/…`"""

    def __init__(self, client: BlockingMethods) -> None:
        self._client = client

    def create(
        self,
        *,
        kind: Literal["oneshot", "recurring"],
        task: protocol.AutomationCreateTask,
        title: str,
        access: Literal["write", "read"] | None = None,
        dryRun: bool | None = None,
        fireAt: int | None = None,
        insideRun: str | None = None,
        key: str | None = None,
        note: str | None = None,
        paused: bool | None = None,
        policy: protocol.AutomationCreatePolicy | None = None,
        rhythm: protocol.AutomationCreateRhythm | None = None,
        stop: protocol.AutomationCreateStop | None = None,
        timezone: str | None = None,
        where: protocol.AutomationCreateWhere | None = None,
    ) -> protocol.AutomationCreateResult:
        """Creates an automation, or shows what it would be.

        kind: Whether it is due once, or again and again.
        task: What is done. No shell takes part unless `program` is one.
        title: What people call it.
        access: Whether its runs change their directory: runs that do wait for each other there, runs that only read
        neither wait nor are waited for. Default: 'write'.
        dryRun: Only shows what would be; nothing is stored. Default: False.
        fireAt: When it is due; only with `oneshot`, and in the future.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        key: The client's own name for this request: the same one again within 24 h gives what the first did.
        note: What is noted on the pause; only with `paused`: true.
        paused: Whether it is created at rest. Default: False.
        policy: What happens when things are not as planned. What is left out has its default.
        rhythm: How often it is due; only with `recurring`.
        stop: When it ends; only with `recurring`. Default: {'kind': 'never'}.
        timezone: An IANA name; the machine's zone if it is absent.
        where: Where its runs work; in the project's directory if nothing else is said.
        """
        params = {
            "kind": kind,
            "task": task,
            "title": title,
            "access": access,
            "dryRun": dryRun,
            "fireAt": fireAt,
            "insideRun": insideRun,
            "key": key,
            "note": note,
            "paused": paused,
            "policy": policy,
            "rhythm": rhythm,
            "stop": stop,
            "timezone": timezone,
            "where": where,
        }
        return self._client.request("automation/create", _given(params))

    def get(self, id: str, *, insideRun: str | None = None) -> protocol.AutomationGetResult:
        """Gives an automation.

        id: The automation.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        return self._client.request("automation/get", _given({"id": id, "insideRun": insideRun}))

    def list(
        self,
        *,
        cursor: str | None = None,
        insideRun: str | None = None,
        limit: int | None = None,
        paused: bool | None = None,
        query: str | None = None,
    ) -> protocol.AutomationListResult:
        """Gives a page of automations, newest first.

        cursor: The `nextCursor` of the page before.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        limit: How much one answer has at most. From 1 to 500. Default: 100.
        paused: Only those that are paused, or only those that are not.
        query: A part of the title, in upper or lower case.
        """
        params = {
            "cursor": cursor,
            "insideRun": insideRun,
            "limit": limit,
            "paused": paused,
            "query": query,
        }
        return self._client.request("automation/list", _given(params))

    def update(
        self,
        id: str,
        *,
        patch: protocol.AutomationUpdatePatch,
        ifRevision: int | None = None,
        insideRun: str | None = None,
    ) -> protocol.AutomationUpdateResult:
        """Changes what is to be done or when. What is due up to now is settled as it was before.

        id: The automation.
        patch: A JSON merge patch (RFC 7396) over the draft. What belongs to one `kind` of an object goes when its
        `kind` changes; the automation's own `kind` cannot change.
        ifRevision: The revision that the change is meant for; with another one it is refused. From 1 to
        9007199254740991.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        params = {
            "id": id,
            "patch": patch,
            "ifRevision": ifRevision,
            "insideRun": insideRun,
        }
        return self._client.request("automation/update", _given(params))

    def pause(
        self,
        id: str,
        *,
        insideRun: str | None = None,
        note: str | None = None,
    ) -> protocol.AutomationPauseResult:
        """Has nothing be due until the automation is resumed; nothing of that time will be missed.

        id: The automation.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        note: Why, for people.
        """
        return self._client.request("automation/pause", _given({"id": id, "insideRun": insideRun, "note": note}))

    def resume(
        self,
        id: str,
        *,
        insideRun: str | None = None,
        note: str | None = None,
    ) -> protocol.AutomationResumeResult:
        """Has a paused automation go on from now.

        id: The automation.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        note: Why, for people.
        """
        return self._client.request("automation/resume", _given({"id": id, "insideRun": insideRun, "note": note}))

    def delete(
        self,
        id: str,
        *,
        activeRun: Literal["cancel", "finish", "refuse"] | None = None,
        ifRevision: int | None = None,
        insideRun: str | None = None,
    ) -> protocol.AutomationDeleteResult:
        """Deletes an automation; its runs stay readable. Answers when its work has gone.

        id: The automation.
        activeRun: What becomes of its active runs: they are ended first; they go on to their end; or nothing is
        deleted while there are any. Default: 'cancel'.
        ifRevision: The revision that the change is meant for; with another one it is refused. From 1 to
        9007199254740991.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        params = {
            "id": id,
            "activeRun": activeRun,
            "ifRevision": ifRevision,
            "insideRun": insideRun,
        }
        return self._client.request("automation/delete", _given(params))

    def run(
        self,
        id: str,
        *,
        attendance: Literal["attended", "unattended"] | None = None,
        context: str | None = None,
        executor: Literal["asker", "participant"] | None = None,
        ifBusy: Literal["queue", "skip"] | None = None,
        insideRun: str | None = None,
        key: str | None = None,
    ) -> protocol.AutomationRunResult:
        """Carries an automation out now; no slot is moved.

        id: The automation.
        attendance: Whether somebody is there to answer, which decides how long a question waits. Default:
        'attended'.
        context: What is told beside the prompt, this time.
        executor: Who carries it out: the window that is asked, if it can, or a participant as for a scheduled run,
        so that whoever asks may leave. While none is open, a command waits for one. Default: 'asker'.
        ifBusy: What the run does when another one is ahead of it in its directory; else its policy says that.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        key: The client's own name for this request: the same one again within 24 h gives what the first did.
        """
        params = {
            "id": id,
            "attendance": attendance,
            "context": context,
            "executor": executor,
            "ifBusy": ifBusy,
            "insideRun": insideRun,
            "key": key,
        }
        return self._client.request("automation/run", _given(params))

    def preview(
        self,
        *,
        after: int | None = None,
        count: int | None = None,
        fireAt: int | None = None,
        rhythm: protocol.AutomationPreviewRhythm | None = None,
        stop: protocol.AutomationPreviewStop | None = None,
        timezone: str | None = None,
    ) -> protocol.AutomationPreviewResult:
        """Tells when a schedule would be due, and what it says in words.

        after: Only fires after this; now if it is absent.
        count: How many fires are wanted. From 1 to 1000. Default: 5.
        fireAt: When it would be due once.
        rhythm: How often it is due; only with `recurring`.
        stop: When it ends; only with `recurring`. Default: {'kind': 'never'}.
        timezone: An IANA name; the machine's zone if it is absent.
        """
        params = {
            "after": after,
            "count": count,
            "fireAt": fireAt,
            "rhythm": rhythm,
            "stop": stop,
            "timezone": timezone,
        }
        return self._client.request("automation/preview", _given(params))

    def explain(self, id: str, *, at: int | None = None) -> protocol.AutomationExplainResult:
        """Tells why something ran at a time, or why it did not, also of deleted automations.

        id: The automation.
        at: The time in question, in the past or to come: the scheduled time in the same minute is meant. If it is
        absent, the last time that was due, or else the next one.
        """
        return self._client.request("automation/explain", _given({"id": id, "at": at}))

    def simulate(
        self,
        *,
        from_: int,
        to: int,
        assumeRunMs: int | None = None,
        draft: protocol.AutomationSimulateDraft | None = None,
        ids: List[str] | None = None,
    ) -> protocol.AutomationSimulateResult:
        """Tells what will become of the scheduled times of a span: of all automations, of some, or of a draft.

        from_: The first scheduled time that is wanted.
        to: The last one; not before `from`.
        assumeRunMs: How long each run takes, instead of the median of the last ones of its automation.
        draft: An automation that there is not: it is created now, in thought.
        ids: Only of these; if it is absent, only of the draft if there is one, and else of all.
        """
        params = {
            "from": from_,
            "to": to,
            "assumeRunMs": assumeRunMs,
            "draft": draft,
            "ids": ids,
        }
        return self._client.request("automation/simulate", _given(params))


class BlockingRuns:
    """`run/…`"""

    def __init__(self, client: BlockingMethods) -> None:
        self._client = client

    def list(
        self,
        *,
        automationID: str | None = None,
        cursor: str | None = None,
        fromAt: int | None = None,
        limit: int | None = None,
        states: List[protocol.RunListStatesItem] | None = None,
        toAt: int | None = None,
    ) -> protocol.RunListResult:
        """Gives a page of runs, newest first, also of deleted automations.

        automationID: Only runs of this automation, which may have been deleted.
        cursor: The `nextCursor` of the page before.
        fromAt: Only runs created at this time or later.
        limit: How much one answer has at most. From 1 to 100. Default: 50.
        states: Only runs in one of these states.
        toAt: Only runs created at this time or earlier.
        """
        params = {
            "automationID": automationID,
            "cursor": cursor,
            "fromAt": fromAt,
            "limit": limit,
            "states": states,
            "toAt": toAt,
        }
        return self._client.request("run/list", _given(params))

    def get(self, id: str) -> protocol.RunGetResult:
        """Gives a run.

        id: The run.
        """
        return self._client.request("run/get", _given({"id": id}))

    def cancel(self, id: str, *, insideRun: str | None = None) -> protocol.RunCancelResult:
        """Asks a run to end; a second time kills it. An ended run is given as it is.

        id: The run.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        return self._client.request("run/cancel", _given({"id": id, "insideRun": insideRun}))

    def respond(
        self,
        id: str,
        *,
        callID: str | None = None,
        insideRun: str | None = None,
        optionID: str | None = None,
        requestID: str | None = None,
        text: str | None = None,
    ) -> protocol.RunRespondResult:
        """Answers what a run waits for a person for, in its form: a permission by `requestID` and `optionID`, a
        question by `callID` and `text` or `optionID`. The first answer counts.

        id: The run.
        callID: Of a question.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        optionID: One of the options that were offered.
        requestID: Of a permission.
        text: An answer to a question in words.
        """
        params = {
            "id": id,
            "callID": callID,
            "insideRun": insideRun,
            "optionID": optionID,
            "requestID": requestID,
            "text": text,
        }
        return self._client.request("run/respond", _given(params))

    def output(self, id: str, *, limit: int | None = None, offset: int | None = None) -> protocol.RunOutputResult:
        """Gives a part of what a run has written.

        id: The run.
        limit: How much one answer has at most. From 1 to 1048576. Default: 65536.
        offset: The byte of the output to begin with. Default: 0.
        """
        return self._client.request("run/output", _given({"id": id, "limit": limit, "offset": offset}))

    def report(
        self,
        *,
        report: protocol.RunReportReport,
        runID: str,
        insideRun: str | None = None,
    ) -> protocol.RunReportResult:
        """Tells what became of work that this window was sent.

        report: What becomes of it.
        runID: The run.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        params = {
            "report": report,
            "runID": runID,
            "insideRun": insideRun,
        }
        return self._client.request("run/report", _given(params))


class BlockingProviders:
    """`provider/…`"""

    def __init__(self, client: BlockingMethods) -> None:
        self._client = client

    def list(self) -> protocol.ProviderListResult:
        """Gives all providers that are known, and what they offer."""
        return self._client.request("provider/list", {})

    def refresh(self, id: str | None = None, *, insideRun: str | None = None) -> protocol.ProviderRefreshResult:
        """Asks agents what they offer, and gives all providers; one that a run uses is asked when that has ended.

        id: Only this one is asked; all, if it is absent.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        return self._client.request("provider/refresh", _given({"id": id, "insideRun": insideRun}))


class BlockingLifecycle:
    """`lifecycle/…`"""

    def __init__(self, client: BlockingMethods) -> None:
        self._client = client

    def close(
        self,
        *,
        kind: Literal["reload", "dispose"],
        mode: Literal["maintenance", "force"],
        directories: List[str] | None = None,
        insideRun: str | None = None,
    ) -> protocol.LifecycleCloseResult:
        """Has this window reload its configuration, or give up the project or some of its directories. Answers when
        that has happened, or is known to wait.

        kind: What it is for: to read the configuration anew, or to give up the project, so that another window
        rings.
        mode: What becomes of the runs in its way: they are waited for, or stopped.
        directories: The directories that it concerns; all if it is absent. One that is not there has no runs.
        insideRun: The run that this request comes out of, when an application forwards an agent's call.
        """
        params = {
            "kind": kind,
            "mode": mode,
            "directories": directories,
            "insideRun": insideRun,
        }
        return self._client.request("lifecycle/close", _given(params))

    def status(self) -> protocol.LifecycleStatusResult:
        """Tells what this window carries out, holds and is about to close."""
        return self._client.request("lifecycle/status", {})


class BlockingScheduler:
    """`scheduler/…`"""

    def __init__(self, client: BlockingMethods) -> None:
        self._client = client

    def status(self) -> protocol.SchedulerStatusResult:
        """Tells who rings the bell, who is there, and what is wrong; answers whatever is wrong."""
        return self._client.request("scheduler/status", {})


class BlockingMethods(ABC):
    """The methods, group by group, and `request` for all of them."""

    def __init__(self) -> None:
        self.automations = BlockingAutomations(self)
        """`automation/…`"""
        self.runs = BlockingRuns(self)
        """`run/…`"""
        self.providers = BlockingProviders(self)
        """`provider/…`"""
        self.lifecycle = BlockingLifecycle(self)
        """`lifecycle/…`"""
        self.scheduler = BlockingScheduler(self)
        """`scheduler/…`"""

    @overload
    def request(
        self, method: Literal["rpc.discover"], params: protocol.RpcDiscoverParams | None = None
    ) -> protocol.RpcDiscoverResult: ...
    @overload
    def request(
        self, method: Literal["automation/create"], params: protocol.AutomationCreateParams
    ) -> protocol.AutomationCreateResult: ...
    @overload
    def request(
        self, method: Literal["automation/get"], params: protocol.AutomationGetParams
    ) -> protocol.AutomationGetResult: ...
    @overload
    def request(
        self, method: Literal["automation/list"], params: protocol.AutomationListParams | None = None
    ) -> protocol.AutomationListResult: ...
    @overload
    def request(
        self, method: Literal["automation/update"], params: protocol.AutomationUpdateParams
    ) -> protocol.AutomationUpdateResult: ...
    @overload
    def request(
        self, method: Literal["automation/pause"], params: protocol.AutomationPauseParams
    ) -> protocol.AutomationPauseResult: ...
    @overload
    def request(
        self, method: Literal["automation/resume"], params: protocol.AutomationResumeParams
    ) -> protocol.AutomationResumeResult: ...
    @overload
    def request(
        self, method: Literal["automation/delete"], params: protocol.AutomationDeleteParams
    ) -> protocol.AutomationDeleteResult: ...
    @overload
    def request(
        self, method: Literal["automation/run"], params: protocol.AutomationRunParams
    ) -> protocol.AutomationRunResult: ...
    @overload
    def request(
        self, method: Literal["automation/preview"], params: protocol.AutomationPreviewParams | None = None
    ) -> protocol.AutomationPreviewResult: ...
    @overload
    def request(
        self, method: Literal["automation/explain"], params: protocol.AutomationExplainParams
    ) -> protocol.AutomationExplainResult: ...
    @overload
    def request(
        self, method: Literal["automation/simulate"], params: protocol.AutomationSimulateParams
    ) -> protocol.AutomationSimulateResult: ...
    @overload
    def request(
        self, method: Literal["run/list"], params: protocol.RunListParams | None = None
    ) -> protocol.RunListResult: ...
    @overload
    def request(
        self, method: Literal["run/get"], params: protocol.RunGetParams
    ) -> protocol.RunGetResult: ...
    @overload
    def request(
        self, method: Literal["run/cancel"], params: protocol.RunCancelParams
    ) -> protocol.RunCancelResult: ...
    @overload
    def request(
        self, method: Literal["run/respond"], params: protocol.RunRespondParams
    ) -> protocol.RunRespondResult: ...
    @overload
    def request(
        self, method: Literal["run/output"], params: protocol.RunOutputParams
    ) -> protocol.RunOutputResult: ...
    @overload
    def request(
        self, method: Literal["provider/list"], params: protocol.ProviderListParams | None = None
    ) -> protocol.ProviderListResult: ...
    @overload
    def request(
        self, method: Literal["provider/refresh"], params: protocol.ProviderRefreshParams | None = None
    ) -> protocol.ProviderRefreshResult: ...
    @overload
    def request(
        self, method: Literal["run/report"], params: protocol.RunReportParams
    ) -> protocol.RunReportResult: ...
    @overload
    def request(
        self, method: Literal["lifecycle/close"], params: protocol.LifecycleCloseParams
    ) -> protocol.LifecycleCloseResult: ...
    @overload
    def request(
        self, method: Literal["lifecycle/status"], params: protocol.LifecycleStatusParams | None = None
    ) -> protocol.LifecycleStatusResult: ...
    @overload
    def request(
        self, method: Literal["scheduler/status"], params: protocol.SchedulerStatusParams | None = None
    ) -> protocol.SchedulerStatusResult: ...
    def request(self, method: str, params: Any = None) -> Any:
        """Asks something of the sidecar; while it is started again, waits for it."""
        return self._asked(method, {} if params is None else params)

    @abstractmethod
    def _asked(self, method: str, params: Mapping[str, Any]) -> Any: ...
