-- The ledger of one project: what was asked for, what was due, what was done, and what windows were told.
-- Instants are milliseconds since the Unix epoch, UTC. JSON columns hold what the contract writes.

CREATE TABLE ledger (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- Living sidecars. A row whose lock file nobody holds belongs to a dead one and is settled by whoever finds it.
CREATE TABLE instances (
  id TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  pid_namespace TEXT NOT NULL,
  lock_device INTEGER NOT NULL,
  lock_inode INTEGER NOT NULL,
  role TEXT NOT NULL,                  -- participant, or observer: that one is given only what it was asked for
  opened_as TEXT NOT NULL,             -- its role while it has not given up the project
  client TEXT,
  version TEXT NOT NULL,
  since INTEGER NOT NULL,
  leaving_at INTEGER                   -- from then on it is given nothing any more
) STRICT, WITHOUT ROWID;

-- Who owned the bell, and from when.
CREATE TABLE terms (
  term INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  client TEXT,
  since INTEGER NOT NULL,
  limits TEXT NOT NULL,                -- JSON SharedLimits: those of the owner hold for the whole ledger
  ended_at INTEGER,
  last_sign_at INTEGER                 -- when its owner was found gone at ended_at: when anybody had written anything last
) STRICT;

CREATE INDEX terms_since ON terms (since);

CREATE TABLE automations (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  title_folded TEXT NOT NULL,          -- the definition's title without the difference of case, for searching
  definition INTEGER NOT NULL,         -- definitions.row
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,            -- JSON Actor
  create_key TEXT,
  pause TEXT,                          -- JSON Pause, NULL when it is not paused
  epoch INTEGER NOT NULL,              -- epochs.number of the newest epoch
  next_fire_at INTEGER,                -- the least slot that nothing answers for; NULL when none is due any more
  set_aside INTEGER NOT NULL DEFAULT 0, -- 1 while the owner cannot decide about it: it is not due
  failure_streak INTEGER NOT NULL DEFAULT 0,
  completed_runs INTEGER NOT NULL DEFAULT 0,
  session_id TEXT,
  deleting TEXT,                       -- JSON wish to delete: by whom, until when; NULL when there is none
  deleted_at INTEGER,
  deleted_by TEXT,                     -- JSON Actor
  prune_at INTEGER                     -- when its ended runs are to be looked at next: some may be too old or too many
) STRICT;

CREATE INDEX automations_due ON automations (next_fire_at) WHERE next_fire_at IS NOT NULL AND set_aside = 0;
CREATE INDEX automations_set_aside ON automations (set_aside) WHERE set_aside = 1;
CREATE INDEX automations_to_prune ON automations (prune_at) WHERE prune_at IS NOT NULL;
CREATE INDEX automations_listed ON automations (row) WHERE deleted_at IS NULL;
CREATE INDEX automations_deleting ON automations (row) WHERE deleting IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX automations_by_key ON automations (create_key) WHERE create_key IS NOT NULL;

-- What users asked for, one row for each content: a run is carried out as its automation was when it was created.
CREATE TABLE definitions (
  row INTEGER PRIMARY KEY,
  automation INTEGER NOT NULL REFERENCES automations (row) DEFERRABLE INITIALLY DEFERRED,
  revision INTEGER NOT NULL,
  body TEXT NOT NULL                   -- JSON, the contract's draft with every field filled
) STRICT;

CREATE INDEX definitions_of ON definitions (automation);

-- Another definition may keep fewer runs. Said here, so that it holds whoever writes it.
CREATE TRIGGER automations_redefined AFTER UPDATE OF definition ON automations
WHEN new.definition <> old.definition AND new.prune_at IS NOT NULL
BEGIN
  UPDATE automations SET prune_at = 0 WHERE row = new.row;
END;

-- Each create, schedule edit and resume begins an epoch: slots are counted from effective_at, and
-- answered_through says up to which instant every slot of the epoch is answered for.
CREATE TABLE epochs (
  automation INTEGER NOT NULL REFERENCES automations (row),
  number INTEGER NOT NULL,
  effective_at INTEGER NOT NULL,
  answered_through INTEGER NOT NULL,
  definition INTEGER NOT NULL REFERENCES definitions (row),
  reason TEXT NOT NULL,
  began_by TEXT,                       -- JSON Actor
  note TEXT,                           -- what the person who began it wrote
  ended_at INTEGER,
  ended_because TEXT,                  -- JSON EpochEnd
  PRIMARY KEY (automation, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX epochs_defined_by ON epochs (definition);
CREATE INDEX epochs_since ON epochs (automation, effective_at);

CREATE TABLE runs (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  automation INTEGER NOT NULL REFERENCES automations (row),
  automation_id TEXT NOT NULL,
  definition INTEGER NOT NULL REFERENCES definitions (row),
  definition_revision INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  -- Why there is a run.
  trigger TEXT NOT NULL,               -- JSON Trigger
  run_key TEXT,
  tries INTEGER NOT NULL DEFAULT 0,    -- how many runs have failed before this one, which it tries again
  context TEXT,                        -- what whoever asked for it has added to the prompt
  attendance TEXT NOT NULL,
  asked_for INTEGER NOT NULL DEFAULT 0 CHECK (asked_for IN (0, 1)), -- somebody asked for it, or for the first of what it tries again
  asked_by TEXT,                       -- the instance that was asked for it and carries it out if it can; of one that left it to the participants, none
  slots_from INTEGER,
  slots_to INTEGER,
  slots_count INTEGER,
  scheduled_at INTEGER,
  triggered_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,            -- the latest triggered_at up to this row: does not fall when the clock goes back
  -- Its life.
  state TEXT NOT NULL,
  waiting TEXT,                        -- JSON Waiting
  behind TEXT,                         -- the run in `waiting`, repeated for searching
  wait_until INTEGER,                  -- when waiting to start is given up
  not_before INTEGER,
  -- Its place in a line: catch-ups come last, the others by when they join it, and then by `row`. The time moves with
  -- the clock when that is set, so that nobody overtakes anybody because of it.
  is_catch_up INTEGER NOT NULL AS (trigger ->> '$.kind' = 'catchUp'),
  joins_at INTEGER,
  stopping TEXT,                       -- JSON Stopping
  blocker TEXT,                        -- JSON Blocker
  started_at INTEGER,
  completed_at INTEGER,
  ended_number INTEGER,                -- counts the ended runs of its automation in the order in which they ended
  stop_reason TEXT,
  error TEXT,                          -- JSON RunError
  result TEXT,                         -- JSON RunResult
  process_end TEXT,                    -- JSON ProcessEnd
  closed_by TEXT,
  skipped TEXT,                        -- JSON Skipped
  -- Where and by whom.
  directory TEXT NOT NULL,
  access TEXT NOT NULL,
  provider TEXT,                       -- of a prompt: who is to carry it out, with which model, and which variant of it
  model TEXT,
  variant TEXT,
  if_busy TEXT NOT NULL,               -- as its definition says, or as whoever asked for it wants
  holds_directory INTEGER NOT NULL DEFAULT 0,
  given_to TEXT,                       -- the instance that is to execute it
  given_at INTEGER,
  given_number INTEGER NOT NULL DEFAULT 0, -- how often it was given to somebody
  deadline_at INTEGER,                 -- when its start, its work, or its end once it is asked to end, has taken too long
  -- Its time. While it waits for a person both limits stand still.
  active_at INTEGER,                   -- the last sign of life of its work
  wall_at INTEGER,                     -- when its work will have taken too long
  wall_left_ms INTEGER,                -- while it waits for a person: how long it may still work
  -- What an agent did.
  tell_at INTEGER,                     -- when progress is to be told that was too soon after the last
  last_step TEXT,                      -- the newest step's title
  same_steps INTEGER NOT NULL DEFAULT 0, -- how many steps in a row had it
  warned_of_budget INTEGER NOT NULL DEFAULT 0, -- 1 once a person was told that most of it is spent
  warned_of_currency INTEGER NOT NULL DEFAULT 0, -- 1 once a person was told that the budget limits nothing
  last_answered TEXT,                  -- JSON Asked: what a person has answered last
  instance TEXT,                       -- the instance that executes it, once its work has started
  session_id TEXT,
  continuity TEXT,
  worktree TEXT,
  steps INTEGER NOT NULL DEFAULT 0,
  cost TEXT,                           -- JSON Money
  output_bytes INTEGER NOT NULL DEFAULT 0,
  output_truncated INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The second net under the watermark: no two runs answer for slots that end at the same time.
CREATE UNIQUE INDEX runs_answer_once ON runs (automation, epoch, slots_to) WHERE slots_to IS NOT NULL;
-- One writer for each directory.
CREATE UNIQUE INDEX runs_hold_directory ON runs (directory) WHERE holds_directory = 1;
CREATE INDEX runs_of ON runs (automation, row);
CREATE INDEX runs_in_state ON runs (state, row);
-- A run comes into this one once and stays where it is; those that have not ended are few (runs_active).
CREATE INDEX runs_ended_in_state ON runs (automation, state, row) WHERE completed_at IS NOT NULL;
-- Where the runs of a time begin and end; and those that were triggered by a clock that had been set back.
CREATE INDEX runs_seen ON runs (seen_at);
CREATE INDEX runs_set_back ON runs (row, triggered_at) WHERE triggered_at < seen_at;
CREATE INDEX runs_set_back_of ON runs (automation, row, triggered_at) WHERE triggered_at < seen_at;
CREATE INDEX runs_active ON runs (automation, row) WHERE completed_at IS NULL;
CREATE INDEX runs_ungiven ON runs (is_catch_up, joins_at, row) WHERE state = 'scheduled' AND given_to IS NULL;
CREATE INDEX runs_in_line ON runs (directory, is_catch_up, joins_at, row)
  WHERE state = 'scheduled' AND given_to IS NULL;
CREATE INDEX runs_given ON runs (given_to, row) WHERE completed_at IS NULL AND given_to IS NOT NULL;
-- What a session has cost, and where it works.
CREATE INDEX runs_in_session ON runs (session_id, row) WHERE session_id IS NOT NULL;
CREATE INDEX runs_behind ON runs (behind) WHERE behind IS NOT NULL;
CREATE INDEX runs_unplaced ON runs (row) WHERE state = 'scheduled' AND given_to IS NULL AND waiting IS NULL;
-- Who can carry out a run depends on this, so that it is worked out once for all runs of which all of it is the same.
CREATE INDEX runs_kinds ON runs (waiting ->> '$.for', provider, model, variant, directory, asked_by)
  WHERE state = 'scheduled' AND given_to IS NULL;
CREATE INDEX runs_turns ON runs (not_before)
  WHERE state = 'scheduled' AND given_to IS NULL AND waiting ->> '$.for' IN ('catchUp', 'retry');
CREATE INDEX runs_waiting_until ON runs (wait_until)
  WHERE state = 'scheduled' AND given_to IS NULL AND wait_until IS NOT NULL;
CREATE INDEX runs_not_before ON runs (not_before) WHERE not_before IS NOT NULL AND completed_at IS NULL;
CREATE INDEX runs_catch_ups ON runs (not_before)
  WHERE not_before IS NOT NULL AND trigger ->> '$.kind' = 'catchUp';
CREATE INDEX runs_deadline ON runs (deadline_at) WHERE completed_at IS NULL AND deadline_at IS NOT NULL;
CREATE INDEX runs_to_tell ON runs (tell_at) WHERE completed_at IS NULL AND tell_at IS NOT NULL;
CREATE UNIQUE INDEX runs_ended ON runs (automation, ended_number) WHERE ended_number IS NOT NULL;
CREATE INDEX runs_defined_by ON runs (definition);
CREATE INDEX runs_in_worktree ON runs (worktree, row) WHERE worktree IS NOT NULL;
-- What tries a run again.
CREATE INDEX runs_retrying ON runs (trigger ->> '$.of') WHERE trigger ->> '$.kind' = 'retry';
CREATE INDEX runs_by_key ON runs (automation, run_key) WHERE run_key IS NOT NULL;

-- A run has begun if and only if it has a row here. The row goes when its work has gone: with its guard, or as the
-- window says that serves its provider.
CREATE TABLE processes (
  run INTEGER PRIMARY KEY REFERENCES runs (row),
  instance TEXT NOT NULL,
  serving TEXT,                        -- the subscription that was told to carry it out; NULL for what has a guard
  pid INTEGER,                         -- the guard; all NULL for what is served
  start_time INTEGER,
  boot_id TEXT,
  pid_namespace TEXT,
  token TEXT,
  begun_at INTEGER NOT NULL,
  CHECK ((serving IS NULL) = (pid IS NOT NULL))
) STRICT;

-- What each provider has said of itself last, also if it is not there any more.
CREATE TABLE providers (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  models TEXT NOT NULL,                -- JSON list of OfferedModel: what all that carry it out offer together
  reason TEXT,                         -- why it cannot be given work, as a sentence; NULL when it can
  checked_at INTEGER                   -- when it said what it offers; NULL when it never has
) STRICT, WITHOUT ROWID;

-- Who carries out the prompts of a provider: windows that serve it, and those in which an agent is configured for it.
CREATE TABLE servings (
  provider TEXT NOT NULL,
  instance TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT UNIQUE,                      -- the subscription of a window that serves; NULL for an agent
  models TEXT,                         -- JSON list of OfferedModel; NULL for an agent: see `said`
  max_concurrent INTEGER,              -- NULL for agents: the owner's limit holds for all of them together
  configuration TEXT,                  -- which agent: the same wherever it is started in the same way
  start_ms INTEGER,                    -- how long each call to an agent may take before it is at work
  since INTEGER NOT NULL,
  PRIMARY KEY (provider, instance),
  CHECK (kind <> 'served' OR (id IS NOT NULL AND models IS NOT NULL AND max_concurrent IS NOT NULL)),
  CHECK (kind <> 'acp' OR (id IS NULL AND configuration IS NOT NULL AND start_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX servings_of ON servings (instance);

-- What agents have said of themselves: each is one way to start one, and windows that start it in the same way share the
-- answer. It is kept when the last of them goes, so that a window that comes knows it.
CREATE TABLE said (
  provider TEXT NOT NULL,
  configuration TEXT NOT NULL,
  models TEXT NOT NULL,                -- JSON list of OfferedModel; empty if it never answered
  failure TEXT,                        -- why it could not be asked last, as a sentence; NULL when it has answered
  checked_at INTEGER,                  -- when it said what it offers; NULL when it never has
  PRIMARY KEY (provider, configuration),
  CHECK (failure IS NOT NULL OR checked_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Agents that are to say what they offer, each to one window. The row goes when the answer, or that there is none,
-- stands in `said`.
CREATE TABLE probes (
  provider TEXT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  first TEXT,                          -- the model that is to be asked about before others
  turn TEXT NOT NULL,                  -- whether runs of the agent are waited for, or only other questions
  silent TEXT NOT NULL,                -- JSON list: the instances that were to ask it and have said nothing
  instance TEXT,                       -- who asks; NULL while that is waited for
  given_number INTEGER NOT NULL DEFAULT 0, -- how often it was given to somebody
  deadline_at INTEGER,                 -- when whoever asks has taken too long
  CHECK ((instance IS NULL) = (deadline_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What was answered to a run and has not been handed over to the window that carries it out.
CREATE TABLE answers (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES runs (row),
  answer TEXT NOT NULL                 -- JSON Answer
) STRICT;

CREATE INDEX answers_to ON answers (run);

-- A run may have ended while its window hangs, and still is to be told what was answered. Nobody waits for that when the
-- work has gone, however it went.
CREATE TRIGGER answers_in_vain AFTER DELETE ON processes
BEGIN
  DELETE FROM answers WHERE run = old.run;
END;

-- Closes: those that wait, and disposals, which are in force until a reload.
CREATE TABLE closes (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  instance TEXT NOT NULL,
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  directories TEXT,                    -- JSON list; NULL for the whole project
  affected TEXT NOT NULL,              -- JSON list: the directories that were told to be concerned
  requested_at INTEGER NOT NULL,
  overtaken_by TEXT,                   -- the forced close that it completes with
  completed_at INTEGER                 -- NULL while it waits
) STRICT;

CREATE INDEX closes_of ON closes (instance);

-- The user's own work: runs that write in its directory wait for it, and so do closes.
CREATE TABLE holds (
  id TEXT PRIMARY KEY,                 -- the window's subscription
  instance TEXT NOT NULL,
  directory TEXT NOT NULL,
  title TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX holds_in ON holds (directory, since);
CREATE INDEX holds_of ON holds (instance, since);

-- The daily account: runs that are no longer kept, by what became of them. A slot that no run answers for any more
-- lies between slots_from and slots_to of the first accounts from its own day on.
CREATE TABLE accounts (
  automation INTEGER NOT NULL REFERENCES automations (row),
  epoch INTEGER NOT NULL,
  day INTEGER NOT NULL,                -- days since the Unix epoch, UTC: of the last slot, or of the request if there was none
  outcome TEXT NOT NULL,               -- the state, and after a colon the stop reason or the error's code
  runs INTEGER NOT NULL,
  slots INTEGER NOT NULL,              -- how many they answered for
  slots_from INTEGER,                  -- the first and the last of them
  slots_to INTEGER,
  PRIMARY KEY (automation, epoch, day, outcome)
) STRICT, WITHOUT ROWID;

-- Pruned runs whose output may still be on the disk. The row goes after the output, so that a crash in between
-- leaves nothing behind.
CREATE TABLE pruned_outputs (
  run TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  important INTEGER NOT NULL,
  automation_id TEXT,
  payload TEXT NOT NULL                -- JSON members of the event beside seq, at, kind and important
) STRICT;

CREATE INDEX events_of ON events (automation_id, seq) WHERE automation_id IS NOT NULL;

-- The machine's clock as far as whoever decided last has seen: what has changed since then is seen by whoever decides
-- next, and by nobody twice.
CREATE TABLE clock (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  boot TEXT NOT NULL,                  -- in which the two differences hold
  offset_ms INTEGER NOT NULL,          -- what the wall clock is ahead of the time since the boot
  slept_ms INTEGER NOT NULL,           -- what the time since the boot is ahead of the time awake
  stable_at INTEGER,                   -- before then no slot is claimed: the machine has only just woken up
  doubt_offset_ms INTEGER,             -- while the clock is doubted, offset_ms as it was believed last,
  doubt_from INTEGER,                  --   from what to what the clock was set,
  doubt_to INTEGER,
  doubt_until INTEGER,                 --   and until when no slot is claimed because of that
  anew_after INTEGER,                  -- while schedules begin anew because the clock went back: the last automations.row
  anew_every INTEGER NOT NULL,         -- whether all of them do, or only those that began ahead of the clock
  noted_at INTEGER NOT NULL            -- when this was written
) STRICT;

-- What kept slots from being settled in time, whoever was there. Kept longer than the events that told it, so that it can
-- be said later why something was missed.
CREATE TABLE disturbances (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,                  -- slept; clock: it was set; storage: the ledger could not be written
  from_at INTEGER NOT NULL,            -- of a clock: what it would have shown
  to_at INTEGER NOT NULL,              -- of a clock: what it was set to
  reason TEXT,                         -- why the ledger could not be written, in the contract's word
  event INTEGER                        -- events.seq of what told it, which may have been forgotten
) STRICT;

CREATE INDEX disturbances_of ON disturbances (kind, row);
CREATE INDEX disturbances_until ON disturbances (max(from_at, to_at));
