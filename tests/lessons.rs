//! What schedulers and the systems before them had to mend after release, and the tests that hold it here.
//!
//! Each rule is written down once, with the names of the tests that fail when it is broken. That they exist is what is
//! tested: a rule whose test is renamed or removed would be forgotten.

use std::collections::HashSet;
use std::path::Path;

/// A rule, and the tests that hold it.
type Lesson = (&'static str, &'static [&'static str]);

const LEDGER_AND_RUNS: &[Lesson] = &[
    (
        "claiming a slot and inserting its run is one transaction",
        &["a_tick_that_cannot_be_written_consumes_no_slot", "a_watermark_moves_only_from_where_it_is"],
    ),
    (
        "deleting an automation never deletes its runs, and a run carries what it needs",
        &[
            "a_delete_that_lets_runs_finish_waits_for_them_and_fires_nothing_meanwhile",
            "the_runs_of_a_deleted_automation_go_by_the_policy_that_it_had",
            "a_run_executes_the_automation_as_it_was_when_it_was_asked_for",
        ],
    ),
    (
        "a run that deletes its own automation must not cancel itself into a lost record",
        &["a_run_that_deletes_its_own_automation_is_not_lost"],
    ),
    (
        "\"running\" is derived from a live process",
        &[
            "the_next_sidecar_records_the_interruption_and_lets_the_waiting_run_go",
            "the_owner_settles_killed_windows_at_once_and_frees_their_directory",
        ],
    ),
    (
        "active runs are their own query, not a page of recent history",
        &["an_active_run_is_known_however_many_newer_ones_have_ended"],
    ),
    (
        "an outcome is recorded even when the definition has changed meanwhile",
        &[
            "a_run_goes_on_as_it_was_while_another_window_edits_its_automation",
            "runs_that_wait_stay_and_do_what_was_asked_for_then",
        ],
    ),
    (
        "a state change that changes nothing publishes nothing",
        &[
            "a_late_or_repeated_report_changes_nothing",
            "what_is_paused_does_not_fire_and_pausing_it_again_changes_nothing",
        ],
    ),
    ("state-specific fields disappear when the state is left", &["a_random_world_keeps_every_invariant"]),
    (
        "an error before the start is a failure with its error, and only not-found is not-found",
        &[
            "a_program_that_does_not_exist_is_a_failed_start_and_not_a_cancel",
            "what_does_not_exist_is_not_found",
        ],
    ),
    (
        "validate, then write; a failed save leaves nothing half changed",
        &[
            "a_refusal_leaves_no_trace_and_its_neighbours_commit",
            "a_full_disk_refuses_changes_and_keeps_reports_until_there_is_room",
        ],
    ),
    (
        "edits that change nothing keep the revision, and derived values never bump it",
        &[
            "a_patch_that_changes_nothing_is_no_edit",
            "what_follows_from_runs_is_told_directly_after_them_with_the_revision_that_was",
        ],
    ),
    (
        "refresh, publish, reschedule must not loop",
        &["what_was_looked_at_is_no_news", "nothing_is_looked_for_when_nothing_can_be_due"],
    ),
    (
        "acknowledge after commit; refuse what will not be done",
        &["nobody_is_answered_before_the_commit", "what_is_not_built_is_refused_and_every_fault_is_told"],
    ),
    (
        "start-up answers only after recovery and the first look",
        &["an_observer_has_settled_the_dead_before_it_answers"],
    ),
];

const TIME: &[Lesson] = &[
    (
        "one long sleep stands still while the laptop sleeps",
        &[
            "a_sidecar_that_stood_still_fires_once_for_all_slots_that_it_slept_through",
            "a_slot_that_was_overslept_is_caught_up_with_once_when_the_machine_is_stable",
        ],
    ),
    (
        "a slot is not consumed in a short wake with the lid closed",
        &["a_slot_is_not_consumed_in_a_two_second_wake"],
    ),
    (
        "a catch-up does not run what has already run, nor a slot of a schedule before the edit",
        &[
            "a_slot_that_was_answered_does_not_fire_again_after_a_restart",
            "an_edit_never_brings_back_what_an_earlier_schedule_has_had",
        ],
    ),
    (
        "a title edit postpones nothing, and a resume or an edit misses nothing",
        &[
            "renaming_what_ticks_postpones_nothing",
            "what_is_resumed_begins_a_new_grid_from_now_and_has_missed_nothing",
            "an_edited_schedule_begins_now_and_nothing_of_the_old_one_is_missed",
        ],
    ),
    (
        "a daily job fires once on the days on which clocks change, and no next fire lies in the past",
        &[
            "a_repeated_time_fires_at_its_first_occurrence",
            "a_skipped_time_fires_once_after_the_gap",
            "agrees_with_the_slow_matcher_at_every_instant_of_the_oddest_days",
            "nine_o_clock_does_not_come_twice_when_the_clock_is_set_back",
        ],
    ),
    (
        "what is shown is what fires: one function, and the zone is stored",
        &["what_an_automation_shows_is_when_it_fires", "a_zone_that_is_left_out_is_that_of_the_machine"],
    ),
    (
        "an impossible date is refused at once",
        &["impossible_dates_are_refused_when_written", "sparse_dates_are_found_however_far_away"],
    ),
    (
        "what is past due and cannot be done is not tried without a pause",
        &["what_is_due_and_cannot_be_written_is_tried_about_once_a_second"],
    ),
    (
        "many catch-ups start one after the other, and requests do not wait for them",
        &[
            "catch_ups_start_five_seconds_apart_oldest_first_and_requests_do_not_wait_for_them",
            "a_very_long_absence_is_counted_up_to_a_bound",
            "a_thousand_due_automations_are_settled_in_batches",
        ],
    ),
    (
        "the same lateness, the same rule, whatever the cause",
        &[
            "one_run_answers_for_all_older_slots",
            "a_slot_late_by_exactly_the_grace_fires_and_one_millisecond_more_is_a_catch_up",
            "a_slot_beyond_the_grace_is_caught_up_with_or_missed_by_the_policy_before_the_edit",
        ],
    ),
];

const MANY_WINDOWS: &[Lesson] = &[
    (
        "every process its own scheduler on one file: n windows, n fires",
        &[
            "of_two_sidecars_one_owns_the_bell_and_exactly_one_fires",
            "two_windows_that_both_believe_to_own_the_bell_fire_once",
            "sixteen_windows_die_one_after_the_other_and_each_time_one_owner_follows",
        ],
    ),
    (
        "live runs of another process are left alone: the lease is there before the row",
        &["a_window_that_was_taken_for_dead_begins_nothing", "a_strangers_report_changes_nothing"],
    ),
    (
        "a lock of the dead is nobody's, and an error names the holder",
        &[
            "the_next_owner_is_there_at_once_however_the_owner_goes",
            "a_ledger_that_another_program_holds_is_busy_until_it_lets_go",
        ],
    ),
    (
        "no work after a stop or a change of owner: that is checked in the transaction",
        &[
            "what_is_stopped_before_it_goes_never_starts",
            "a_run_that_its_window_does_not_begin_is_begun_by_another_and_never_twice",
            "an_owner_whose_lock_file_was_deleted_gives_way_and_no_slot_fires_twice",
        ],
    ),
    (
        "a scan of all automations starts nothing but what is due",
        &["what_begins_paused_fires_nothing_and_misses_nothing", "a_deleted_automation_does_not_fire"],
    ),
    (
        "schedules do not depend on what a window shows",
        &["a_client_that_does_not_read_does_not_stop_the_timers"],
    ),
];

const PROCESSES: &[Lesson] = &[
    (
        "nothing that a run started outlives it, however it ended",
        &[
            "a_daemon_does_not_outlive_the_command_that_started_it",
            "a_killed_sidecar_leaves_nothing",
            "what_an_agent_leaves_behind_is_swept_and_counted",
            "a_guard_that_is_killed_takes_its_agent_with_it",
            "whatever_fails_between_two_steps_the_next_window_goes_on_and_nothing_is_lost_or_done_twice",
        ],
    ),
    (
        "what is ended is known by pid, start time and token: never a stranger, never another run",
        &["a_stranger_is_never_touched", "whatever_carries_the_token_is_ended"],
    ),
    (
        "a request for a permission holds the directory until its time is over, and not for days",
        &[
            "a_question_that_nobody_answers_expires",
            "nobody_answers_in_time_and_the_work_is_told_no",
            "who_is_answered_by_nobody_is_told_no_this_once_and_then_to_end",
        ],
    ),
    (
        "attendance and permissions reach whoever carries a run out, and nothing overwrites them",
        &[
            "a_run_is_begun_reports_and_ends_with_a_result",
            "where_nobody_may_be_asked_a_question_ends_the_run",
            "a_timer_asks_for_a_shorter_time_than_a_person",
            "where_nobody_is_to_be_asked_an_agent_finds_another_way_or_fails",
            "people_who_are_there_are_given_longer_to_answer",
        ],
    ),
    (
        "a question or a failed provider at the end of a turn is no success",
        &[
            "the_outcome_follows_from_facts_before_words",
            "the_end_of_a_turn_is_no_success_by_itself",
            "an_agent_without_quota_pauses_the_automation",
        ],
    ),
    (
        "a worktree is used as it was found, and unreviewed work in it is never destroyed",
        &[
            "a_run_works_in_its_worktree_and_the_next_one_goes_on_there",
            "one_is_used_as_it_is_found",
            "work_in_one_that_is_said_to_be_half_made_is_not_lost",
            "files_that_git_was_told_not_to_look_at_are_saved",
            "another_repository_in_it_keeps_it_wherever_it_is",
        ],
    ),
    (
        "a run that needs a person and may ask nobody has not succeeded",
        &["where_nobody_is_to_be_asked_a_need_ends_the_run"],
    ),
    (
        "what comes out of a run creates and changes no automation",
        &[
            "no_method_changes_anything_on_behalf_of_a_run",
            "a_process_inside_a_run_may_not_change_anything_but_speaks_for_the_run_that_it_names",
        ],
    ),
    (
        "failures in a row are told, and what would fail again is not tried again and again",
        &[
            "too_many_failures_in_a_row_pause_the_automation_and_a_success_begins_anew",
            "only_what_would_fail_again_pauses_at_once",
        ],
    ),
    (
        "a cancel is seen at every step of setting up, also before there is anything to end",
        &[
            "a_run_cancelled_before_it_is_given_never_starts",
            "a_run_cancelled_between_giving_and_beginning_never_starts",
            "a_run_cancelled_between_beginning_and_starting_ends_without_a_start",
            "a_stop_during_the_precheck_ends_it_and_no_command_starts",
            "a_run_that_waits_for_its_window_is_cancelled_without_it",
            "while_its_session_is_opened",
            "while_a_tool_runs_that_ignores_all_signals",
        ],
    ),
];

const CLOSING: &[Lesson] = &[
    (
        "a reload waits for the runs that use what is reloaded",
        &["maintenance_waits_for_a_run_and_new_runs_wait_for_it", "a_change_during_a_run_waits_for_it"],
    ),
    (
        "a deferred close that fails is told, and leaves nothing closing",
        &[
            "a_deferred_close_that_fails_is_told_and_leaves_nothing_closing",
            "a_close_that_fails_leaves_nothing_closing",
        ],
    ),
    (
        "what is closed is not listed any more",
        &[
            "closes_are_independent_and_each_ends_once",
            "nothing_is_closing_or_held_after_its_window_was_killed",
        ],
    ),
    (
        "the end of a close is told once, and not before it has happened",
        &[
            "a_close_with_nothing_in_its_way_happens_at_once_and_is_told_once",
            "a_window_that_goes_is_closed_by_force_once_whatever_it_waited_for",
            "a_forced_close_overtakes_what_waits_in_its_extent_and_all_complete_together",
        ],
    ),
    (
        "runs that wait for a close and are cancelled leave no mark",
        &[
            "a_run_that_is_cancelled_while_it_waits_for_a_close_leaves_no_mark",
            "a_run_that_waits_for_a_close_can_be_cancelled_and_leaves_no_mark",
        ],
    ),
];

const TESTS: &[Lesson] = &[
    (
        "a test asserts on what could have been otherwise: every transition of a run has happened",
        &["a_random_world_keeps_every_invariant"],
    ),
    (
        "effects are counted where they happen, not where they are promised",
        &[
            "whatever_fails_between_two_steps_the_next_window_goes_on_and_nothing_is_lost_or_done_twice",
            "of_two_sidecars_one_owns_the_bell_and_exactly_one_fires",
        ],
    ),
    (
        "nothing is asked of time: a test waits for events, none is left out",
        &["no_test_waits_for_time_or_is_left_out"],
    ),
    (
        "a rule that is broken is noticed: another reader, matcher or version agrees",
        &["agrees_with_the_slow_matcher_at_every_instant_of_the_oddest_days", "the_whole_table_is_as_agreed"],
    ),
];

#[test]
fn every_lesson_is_held_by_tests_that_are_there() {
    let mut tests = HashSet::new();
    for directory in ["tests", "src"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut tests);
    }
    let all = [LEDGER_AND_RUNS, TIME, MANY_WINDOWS, PROCESSES, CLOSING, TESTS];
    for (lesson, held_by) in all.into_iter().flatten() {
        assert!(!held_by.is_empty(), "no test holds: {lesson}");
        for name in *held_by {
            assert!(tests.contains(*name), "there is no test {name}, which holds: {lesson}");
        }
    }
}

/// The names of all functions directly below a `#[test]` of any kind.
fn collect(directory: &Path, tests: &mut HashSet<String>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                if let Some((name, _)) = name.and_then(|rest| rest.split_once('(')).filter(|_| is_test) {
                    tests.insert(name.to_owned());
                }
                is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            }
        }
    }
}
