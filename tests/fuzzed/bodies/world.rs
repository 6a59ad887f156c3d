//! A ledger in memory in which a lot is going on, and a clock that is moved by hand.

use rusqlite::Connection;
use serde_json::{Value, json};
use sexton::domain::automation::Actor;
use sexton::domain::clock::{Boot, Reading};
use sexton::domain::draft::{Surroundings, read_create};
use sexton::domain::id::{AutomationId, IdSource, InstanceId, LedgerId, RunId, SubscriptionId};
use sexton::domain::policy::{IfBusy, Money};
use sexton::domain::process::{FileIdentity, ProcessIdentity};
use sexton::domain::provider::{Offer, OfferedModel, Report};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, DeleteRequest, Executor, RunRequest};
use sexton::domain::run::{Attendance, Need, OutputSize, PermissionKind, PermissionOption, ProcessEnd};
use sexton::domain::scheduler::{Limits, Role};
use sexton::domain::sent::Sent;
use sexton::domain::shown::Voice;
use sexton::domain::time::Timestamp;
use sexton::engine::report::WorkEnd;
use sexton::engine::tick::{self, Duty};
use sexton::engine::{Context, Progress, clock, create, delete, presence, report, serve, served, trigger};
use sexton::ledger::{Begun, Guard, InstanceRow, Order, Ordered, ProcessRow, Tx, open_in_memory};

use super::made_up::Choices;

/// Monday, 2025-01-06T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_736_121_600_000);

/// Where most work is done.
const PROJECT: &str = "/project";

pub(crate) struct World {
    pub(crate) connection: Connection,
    pub(crate) around: Circumstances,
    /// When everything was as it is without changes.
    at_first: Timestamp,
    /// All automations but the one that nobody touches.
    pub(crate) automations: Vec<AutomationId>,
    /// That one: it tells people something, every minute.
    pub(crate) control: AutomationId,
}

/// What a decision depends on beside the rows.
pub(crate) struct Circumstances {
    now: Timestamp,
    /// Since the boot. It goes on whatever the clock is set to.
    elapsed_ms: i64,
    me: Actor,
    limits: Limits,
    ids: Ids,
    boot: Boot,
    troubles: Vec<String>,
}

impl Circumstances {
    pub(crate) fn at(now: Timestamp) -> Self {
        let me = Actor { instance: InstanceId::from_unique("window"), client: Some("fuzz".to_owned()) };
        let mut limits = Limits::default();
        limits.shared.max_concurrent_runs = 100;
        let elapsed_ms = now.since_ms(START);
        Circumstances {
            now,
            elapsed_ms,
            me,
            limits,
            ids: Ids(0),
            boot: Boot::from_text("boot"),
            troubles: Vec::new(),
        }
    }

    fn reading(&self) -> Reading {
        Reading { wall: self.now, elapsed_ms: self.elapsed_ms, awake_ms: self.elapsed_ms }
    }

    pub(crate) fn context(&mut self) -> Context<'_> {
        let reading = self.reading();
        Context {
            now: self.now,
            due_by: self.now,
            reading,
            boot: &self.boot,
            ids: &mut self.ids,
            me: &self.me,
            voice: Voice::Person,
            limits: &self.limits,
            project: PROJECT,
            vcs: None,
            troubles: &mut self.troubles,
        }
    }
}

struct Ids(u64);

impl IdSource for Ids {
    fn unique(&mut self) -> String {
        self.0 += 1;
        format!("{:05}", self.0)
    }
}

impl World {
    /// A ledger with automations of all kinds, and runs in all stages of their lives.
    pub(crate) fn full_of_life() -> World {
        let mut world = World {
            connection: open_in_memory(LedgerId::from_unique("fuzz")).expect("a ledger"),
            around: Circumstances::at(START),
            at_first: START,
            automations: Vec::new(),
            control: AutomationId::from_text(""),
        };
        world.live().expect("nothing is wrong yet");
        world.at_first = world.now();
        world
    }

    fn live(&mut self) -> Result<(), Refusal> {
        let process = ProcessIdentity {
            pid: 1,
            start_time: 1,
            boot_id: "boot".to_owned(),
            pid_namespace: String::new(),
        };
        let row = InstanceRow {
            actor: self.me().clone(),
            process,
            lock: FileIdentity { device: 1, inode: 1 },
            role: Role::Participant,
            since: self.now(),
        };
        self.decide(|tx, _| presence::arrive(tx, &row, "0"))?;
        self.decide(presence::own)?;
        let model = OfferedModel { id: "large".to_owned(), name: "Large".to_owned(), variants: Vec::new() };
        let offer = Offer {
            provider: sexton::domain::id::ProviderId::from_text("editor"),
            models: vec![model],
            max_concurrent: 10,
        };
        let on = SubscriptionId::from_unique("serving");
        self.decide(|tx, context| serve::serve(tx, context, on, offer))?;
        let command =
            json!({"kind": "command", "program": "work", "args": ["-v"], "env": {"A": {"from": "B"}}});
        let prompt = json!({"kind": "prompt", "prompt": "look", "model": {"providerID": "editor", "modelID": "large"}});
        let notify = json!({"kind": "notify", "text": "look"});
        let interval = |seconds: i64| json!({"kind": "interval", "everyMs": seconds * 1000});
        let cron = |expression: &str| json!({"kind": "cron", "expression": expression});
        let policy = json!({"retry": {"attempts": 2, "delayMs": 30_000}, "missed": {"kind": "runOnce"},
            "overlap": "queueOne", "keep": {"runs": 2, "days": 1}, "precheck": {"program": "test", "timeoutMs": 1000}});
        let recurring =
            |rhythm: Value, task: &Value| json!({"kind": "recurring", "rhythm": rhythm, "task": task});
        let with = |mut draft: Value, more: Value| {
            let members = more.as_object().expect("members").clone();
            draft.as_object_mut().expect("an object").extend(members);
            draft
        };
        let drafts = [
            recurring(interval(60), &command),
            with(
                recurring(cron("*/2 * * * *"), &notify),
                json!({"timezone": "Europe/Berlin", "stop": {"kind": "count", "count": 50}}),
            ),
            json!({"kind": "oneshot", "fireAt": START.as_millis() + 3_600_000, "task": command}),
            recurring(interval(120), &prompt),
            with(recurring(interval(60), &command), json!({"paused": true, "note": "not now"})),
            with(recurring(interval(90), &command), json!({"policy": policy, "access": "read"})),
            with(
                recurring(cron("@hourly"), &command),
                json!({"stop": {"kind": "until", "at": START.as_millis() + 7_200_000}}),
            ),
            recurring(interval(60), &notify),
        ];
        for (place, draft) in drafts.into_iter().enumerate() {
            let id = self.create(&with(draft, json!({"title": format!("automation {place}")})))?;
            self.automations.push(id);
        }
        let prompted = self.automations[3].clone();
        self.control = self.create(&with(recurring(interval(60), &notify), json!({"title": "control"})))?;
        let gone = self.automations[7].clone();
        self.pass(61_000);
        self.tick(Duty::Owner)?;
        let request = DeleteRequest { automation: gone, if_revision: None, active_run: ActiveRun::Cancel };
        self.decide(|tx, context| delete::delete(tx, context, &request))?;
        // Some work is done, some fails, and some goes on.
        for how in 0..4 {
            for order in self.orders()? {
                self.carry(&order, how)?;
            }
            self.pass(61_000);
            self.tick(Duty::Owner)?;
        }
        let because = Some("because".to_owned());
        for (automation, context) in [(prompted, because), (self.automations[4].clone(), None)] {
            let request = RunRequest {
                automation,
                attendance: Attendance::Attended,
                key: Some("a key".to_owned()),
                context,
                if_busy: Some(IfBusy::Queue),
                executor: Executor::Asker,
            };
            self.decide(|tx, context| trigger::trigger(tx, context, request))?;
        }
        Ok(())
    }

    fn create(&mut self, draft: &Value) -> Result<AutomationId, Refusal> {
        let around = Surroundings { machine_zone: "UTC", limits: self.limits(), now: self.now(), vcs: None };
        let sent = Sent::from(draft);
        let params = read_create(sent.as_object().expect("an object"), around, |_| ());
        let (params, ()) = params.unwrap_or_else(|faults| panic!("{draft}: {faults:?}"));
        self.decide(|tx, context| create::create(tx, context, params)).map(|automation| automation.id)
    }

    /// Everything is again as it was at first.
    pub(crate) fn undo(&mut self) {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").expect("a transaction");
        }
        self.around.elapsed_ms = self.at_first.since_ms(START);
        self.around.now = self.at_first;
        self.around.ids.0 = 100_000;
    }

    pub(crate) fn tx(&self) -> Tx<'_> {
        Tx::new(&self.connection)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.around.now
    }

    /// So many milliseconds pass, or the clock is set back.
    pub(crate) fn pass(&mut self, ms: i64) {
        self.around.elapsed_ms += ms.max(1);
        self.around.now = self.around.now.plus_ms(ms);
    }

    pub(crate) fn reading(&self) -> Reading {
        self.around.reading()
    }

    pub(crate) fn me(&self) -> &Actor {
        &self.around.me
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.around.limits
    }

    pub(crate) fn boot(&self) -> &Boot {
        &self.around.boot
    }

    /// When everything was as it is without changes.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.at_first
    }

    /// All of it or nothing.
    pub(crate) fn decide<T>(
        &mut self,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut context = self.around.context();
        let tx = Tx::new(&self.connection);
        tx.savepoint(|| clock::observe(&tx, &mut context).and_then(|()| decision(&tx, &mut context)))?
    }

    /// Decides everything that is due, and looks when there is something to decide next.
    pub(crate) fn tick(&mut self, duty: Duty) -> Result<(), Refusal> {
        // As many as there are reasons to look again.
        const MOST: usize = 200;
        for _ in 0..MOST {
            let progress = self.decide(|tx, context| tick::tick(tx, context, duty, &[]))?;
            let (me, shared) = (&self.me().instance, self.limits().shared);
            let next = tick::next_at(&self.tx(), duty, me, shared, self.boot(), self.reading())?;
            if progress == Progress::Done && next.is_none_or(|at| at > self.now()) {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(crate) fn orders(&self) -> Result<Vec<Order>, Refusal> {
        Ok(self.tx().orders(&self.me().instance)?)
    }

    /// Carries something out: to its end, to a failure, or only to its beginning.
    pub(crate) fn carry(&mut self, order: &Order, how: usize) -> Result<(), Refusal> {
        let (run, number) = (&order.run, order.given_number);
        match &order.work {
            Ordered::Guarded | Ordered::Agent(_) => {
                let process = ProcessIdentity {
                    pid: 1000,
                    start_time: 1,
                    boot_id: "boot".to_owned(),
                    pid_namespace: String::new(),
                };
                let begun = Begun::Guard(Guard { process, token: format!("token of {run}") });
                let process = ProcessRow { instance: self.me().instance.clone(), begun };
                self.decide(|tx, context| report::begin(tx, context, run, number, &process))?;
                self.decide(|tx, context| report::started(tx, context, run))?;
                if how % 3 != 2 {
                    let exit_code = Some(i32::from(how % 3 == 1));
                    let process = ProcessEnd { exit_code, signal: None, tail: "tail".to_owned(), swept: 0 };
                    let output = OutputSize { bytes: 4, truncated: false };
                    let end = WorkEnd::Exited { process, output, changes: None };
                    self.decide(|tx, context| report::ended(tx, context, run, end))?;
                }
            }
            Ordered::Served(_) => {
                self.decide(|tx, context| served::begin(tx, context, run, number))?;
                let options = vec![PermissionOption {
                    id: "yes".to_owned(),
                    label: "Yes".to_owned(),
                    kind: PermissionKind::AllowOnce,
                }];
                let (request_id, title) = ("p1".to_owned(), "run it".to_owned());
                let need = Need::Permission { request_id, title, options, tool: None };
                let reports = [
                    Report::Started { session_id: "s1".to_owned(), continuity: None },
                    Report::Step { title: Some("reads".to_owned()) },
                    Report::Cost(Money { amount: 0.5, currency: "USD".to_owned() }),
                    Report::Blocked(need),
                ];
                for report in reports {
                    // It may have been asked to end.
                    let _ = self.decide(|tx, context| served::report(tx, context, run, report));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn some_automation(&self, choices: &mut Choices<'_>) -> AutomationId {
        choices.pick(&self.automations).expect("automations").clone()
    }

    /// The run at some place among the newest.
    pub(crate) fn some_run(&self, choices: &mut Choices<'_>) -> Option<RunId> {
        let sql = "SELECT id FROM runs WHERE automation_id <> ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2";
        let place = i64::from(choices.byte() % 16);
        let found =
            self.connection.query_row(sql, (self.control.as_str(), place), |row| row.get::<_, String>(0));
        found.ok().map(RunId::from_text)
    }
}
