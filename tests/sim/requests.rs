//! What clients ask of a world.

use serde_json::Value;
use sexton::domain::automation::Automation;
use sexton::domain::draft::{self, CreateParams, Surroundings};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::IfBusy;
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, DeleteRequest, Executor, RestRequest, RunRequest};
use sexton::domain::run::{Attendance, Run};
use sexton::domain::sent::Sent;
use sexton::engine::delete::Deletion;
use sexton::engine::{cancel, create, delete, pause, trigger};

use crate::world::{Who, World};

impl World {
    pub(crate) fn try_create(&mut self, who: Who, draft: &Value) -> Result<Automation, Refusal> {
        let params = self.read_create(draft);
        self.decide(who, |tx, context| create::create(tx, context, params))
    }

    pub(crate) fn read_create(&self, draft: &Value) -> CreateParams {
        let around = Surroundings { machine_zone: "UTC", limits: &self.limits, now: self.now, vcs: None };
        let params = draft::read_create(Sent::from(draft).as_object().unwrap(), around, |_| ())
            .map(|(params, ())| params);
        params.unwrap_or_else(|faults| panic!("{draft}: {faults:?}"))
    }

    pub(crate) fn create(&mut self, who: Who, draft: Value) -> AutomationId {
        self.try_create(who, &draft).unwrap().id
    }

    pub(crate) fn resume(&mut self, who: Who, id: &AutomationId) -> Result<Automation, Refusal> {
        let request = RestRequest { automation: id.clone(), note: None };
        self.decide(who, |tx, context| pause::resume(tx, context, request))
    }

    pub(crate) fn try_run(&mut self, who: Who, id: &AutomationId) -> Result<Run, Refusal> {
        self.try_run_if_busy(who, id, None)
    }

    pub(crate) fn try_run_if_busy(
        &mut self,
        who: Who,
        id: &AutomationId,
        if_busy: Option<IfBusy>,
    ) -> Result<Run, Refusal> {
        self.try_run_by(who, id, if_busy, Executor::Asker)
    }

    pub(crate) fn try_run_by(
        &mut self,
        who: Who,
        id: &AutomationId,
        if_busy: Option<IfBusy>,
        executor: Executor,
    ) -> Result<Run, Refusal> {
        let attendance = Attendance::Attended;
        let request =
            RunRequest { automation: id.clone(), attendance, key: None, context: None, if_busy, executor };
        self.decide(who, |tx, context| trigger::trigger(tx, context, request))
    }

    pub(crate) fn run(&mut self, who: Who, id: &AutomationId) -> RunId {
        self.try_run(who, id).unwrap().id
    }

    pub(crate) fn cancel(&mut self, who: Who, run: &RunId) -> Result<Run, Refusal> {
        self.decide(who, |tx, context| cancel::cancel(tx, context, run))
    }

    pub(crate) fn delete(
        &mut self,
        who: Who,
        id: &AutomationId,
        active_run: ActiveRun,
    ) -> Result<Deletion, Refusal> {
        let request = DeleteRequest { automation: id.clone(), if_revision: None, active_run };
        self.decide(who, |tx, context| delete::delete(tx, context, &request))
    }
}
