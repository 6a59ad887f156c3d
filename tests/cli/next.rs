//! `sexton next`: when a schedule fires.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::typing::{answer, complaint, sexton};

fn next(args: &[&str]) -> String {
    answer(sexton(&["next"]).args(args))
}

fn refused(args: &[&str]) -> String {
    complaint(sexton(&["next"]).args(args))
}

#[test]
fn the_times_of_an_expression_stand_below_its_words() {
    let berlin = ["--tz", "Europe/Berlin", "--after", "2025-03-28 12:00"];
    insta::assert_snapshot!(next(&[&["30 2 * * *"], &berlin[..]].concat()), @r"
    Every day at 02:30, Europe/Berlin

    2025-03-29 02:30  Saturday
    2025-03-30 03:00  Sunday
        On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:30 does not exist and fires at 03:00 instead.
    2025-03-31 02:30  Monday
    2025-04-01 02:30  Tuesday
    2025-04-02 02:30  Wednesday
    ");
    insta::assert_snapshot!(next(&["0 9 */2 * 1", "--tz", "utc", "--after", "2025-01-06T08:00Z", "--count", "2"]), @r"
    Mondays that fall on every 2nd day of every month (counted from the 1st) at 09:00, UTC

    2025-01-13 09:00  Monday
    2025-01-27 09:00  Monday

    Note: The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
    ");
    insta::assert_snapshot!(next(&["0 0 31 * *", "--tz", "UTC", "--after", "2025-01-06", "--count=2"]), @r"
    On the 31st of every month (where it exists) at 00:00, UTC

    2025-01-31 00:00  Friday
        February 2025 has no 31st.
    2025-03-31 00:00  Monday
    ");
}

#[test]
fn times_that_clocks_show_twice_are_told_apart() {
    let args = ["*/30 2 * * *", "--tz", "Europe/Berlin", "--after", "2025-10-25 12:00"];
    insta::assert_snapshot!(next(&args), @r"
    Every day at 02:00 and 02:30, Europe/Berlin

    2025-10-26 02:00 (UTC+02:00)  Sunday
    2025-10-26 02:30 (UTC+02:00)  Sunday
    2025-10-26 02:00 (UTC+01:00)  Sunday
        On 2025-10-26 clocks go back from 03:00 to 02:00 (Europe/Berlin): 02:00 and 02:30 come twice and fire both times.
    2025-10-26 02:30 (UTC+01:00)  Sunday
    2025-10-27 02:00              Monday
    ");
}

#[test]
fn an_interval_is_counted_from_the_time_after_which_it_is_asked_for() {
    let args = ["--tz", "Europe/Berlin", "--after", "2025-03-29 22:15:30", "--count", "3"];
    insta::assert_snapshot!(next(&[&["every", "90m"], &args[..]].concat()), @r"
    Every 90 minutes, counted from 2025-03-29 22:15:30, Europe/Berlin

    2025-03-29 23:45:30  Saturday
    2025-03-30 01:15:30  Sunday
    2025-03-30 03:45:30  Sunday
        On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): an interval does not follow clocks, so what fired at 02:45 fires at 03:45 from here on.
    ");
    assert_eq!(
        next(&[&["every 1h30m"], &args[..]].concat()),
        next(&[&["EVERY", "90", "minutes"], &args[..]].concat())
    );
}

#[test]
fn the_zone_is_that_of_the_machine_unless_another_is_named() {
    let mut command = sexton(&["next", "@daily", "--after", "2025-01-06", "--count", "1"]);
    insta::assert_snapshot!(answer(command.env("TZ", "Asia/Kathmandu")), @r"
    Every day at 00:00, Asia/Kathmandu

    2025-01-07 00:00  Tuesday
    ");
    let told = answer(&mut sexton(&["next", "@daily", "--count", "1000"]));
    assert_eq!(told.lines().count(), 1002, "from now on: {told}");
}

#[test]
fn what_does_not_fire_any_more_is_told() {
    let args = ["@yearly", "--tz", "UTC", "--after", "9999-06-01"];
    insta::assert_snapshot!(next(&args), @r"
    On the 1st of January at 00:00, UTC

    It does not fire after that.
    ");
}

#[test]
fn programs_are_answered_as_the_preview_of_the_protocol() {
    let args = ["30 2 30 3 *", "--tz", "Europe/Berlin", "--after", "1743000000000", "--count", "1", "--json"];
    let told: Value = serde_json::from_str(&next(&args)).unwrap();
    let text = "On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:30 does not exist and fires at 03:00 instead.";
    let expected = json!({
        "fires": [1_743_296_400_000i64],
        "description": "On the 30th of March at 02:30, Europe/Berlin",
        "notes": [{"at": 1_743_296_400_000i64, "kind": "clock_moved", "text": text}],
        "warnings": [],
    });
    assert_eq!(told, expected);
}

#[test]
fn what_cannot_be_used_is_told_with_the_way_out() {
    insta::assert_snapshot!(refused(&["60 * * * *"]), @r#"sexton: "60 * * * *": `60` is out of range; the minute field goes from 0 to 59."#);
    insta::assert_snapshot!(refused(&["0 0 31 2 *"]), @r#"sexton: "0 0 31 2 *": No value of the day-of-month field exists in any of the selected months, so it would never fire; write 28-31 to reach the last days of every month, or choose other months"#);
    insta::assert_snapshot!(refused(&["@reboot"]), @r#"sexton: "@reboot": `@reboot` is not a supported nickname; there is no boot to wait for: choose a time, such as @daily, or start the run by hand"#);
    insta::assert_snapshot!(refused(&[" "]), @"sexton: the expression is empty; write one such as `0 9 * * 1-5`, or `every 90m`");
    insta::assert_snapshot!(refused(&["every"]), @r#"sexton: every: "" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["every", "tues\u{1b}day"]), @r#"sexton: every: "tues day" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["every 29999ms"]), @r#"sexton: "every 29999ms" is too often: the shortest interval is every 30 seconds"#);
    insta::assert_snapshot!(refused(&["every 999999999999999999w"]), @r#"sexton: every: "999999999999999999w" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`"#);
    insta::assert_snapshot!(refused(&["every 20000d"]), @r#"sexton: "every 20000d" is too seldom: the longest interval is every 3660 days of 24 hours"#);
    insta::assert_snapshot!(refused(&["@daily", "--tz", "Mars/Olympus"]), @"sexton: --tz: there is no time zone `Mars/Olympus`; name one of the IANA database, such as `Europe/Berlin` or `UTC`");
    insta::assert_snapshot!(refused(&["@daily", "--count", "-1"]), @"sexton: --count -1: write a whole number from 1 to 1000");
    insta::assert_snapshot!(refused(&["@daily", "--after", "25:00"]), @r#"sexton: --after: "25:00" is no time; write one such as `09:00`, `yesterday 09:00`, `2025-01-06 09:00`, `2025-01-06T08:00:00Z` or `now`, or milliseconds since 1970"#);
    // What the shell makes of stars that are not in quotes.
    insta::assert_snapshot!(refused(&["0", "9", "README.md", "src", "tests", "a\nb"]), @r#"sexton: "0 9 README.md src tests a b": An expression has five fields; this one has 6; write five fields, the first is the minute: there is no seconds field; put the expression in quotes, so that the shell leaves the stars alone"#);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut command = sexton(&["next", "* * * * *", "--count", "1000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn only_a_terminal_is_written_to_in_styles() {
    let line = |before: &str| {
        format!(
            "{before} '{}' next @daily --tz UTC --after 2025-01-06 --count 1",
            env!("CARGO_BIN_EXE_sexton")
        )
    };
    let in_terminal = |before: &str| {
        // It gives whoever it starts a terminal, and writes down what that shows.
        let mut script = std::process::Command::new("script");
        script.args(["--quiet", "--return", "--command", &line(before), "/dev/null"]).stdin(Stdio::null());
        let output = script.env("TERM", "xterm").env_remove("NO_COLOR").output().expect("script");
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    };
    let plain = "Every day at 00:00, UTC\n\n2025-01-07 00:00  Tuesday\n";
    assert_eq!(in_terminal(""), "\u{1b}[1mEvery day at 00:00, UTC\u{1b}[0m\n\n2025-01-07 00:00  Tuesday\n");
    assert_eq!(in_terminal("NO_COLOR=1"), plain);
    assert_eq!(in_terminal("TERM=dumb"), plain);
    assert_eq!(
        answer(&mut sexton(&["next", "@daily", "--tz", "UTC", "--after", "2025-01-06", "--count", "1"])),
        plain
    );
}
