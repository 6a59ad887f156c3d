//! What is refused, where the fault is said to be, and what to write instead; and what is accepted with a
//! warning.

use sexton::domain::schedule::cron::{Cron, CronFault};

fn fault(expression: &str) -> CronFault {
    Cron::parse(expression).expect_err(expression)
}

fn assert_is_sentence(text: &str) {
    assert!(text.ends_with('.') && text.contains(' '), "{text:?}");
    assert!(!text.starts_with(|first: char| first.is_ascii_lowercase()), "{text:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn every_invalid_expression_is_refused_in_its_field() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("../cron/invalid.json")).unwrap();
    assert!(cases.len() >= 34);
    for case in &cases {
        let fault = fault(case["expression"].as_str().unwrap());
        assert_eq!(fault.field, case["field"].as_str().unwrap(), "{case}: {fault}");
        assert_is_sentence(&fault.message);
    }
}

#[test]
fn hints_say_what_to_write() {
    for (expression, field, part_of_hint) in [
        ("5/10 * * * *", "minute", "write 5-59/10"),
        ("0 3/4 * * *", "hour", "write 3-23/4"),
        ("0 0 2/5 * *", "day-of-month", "write 2-31/5"),
        ("0 0 1 FEB/3 *", "month", "write 2-12/3"),
        ("0 0 * * 1/2", "day-of-week", "write 1-7/2"),
        ("0 0 * * FRI-SUN", "day-of-week", "write 5-7"),
        ("0 0 * * fri-sun", "day-of-week", "write 5-7"),
        ("0 0 * * 6-0", "day-of-week", "write 6-7"),
        ("0 0 * * FRI-MON", "day-of-week", "write 5-7,1"),
        ("0 0 * * 5-2", "day-of-week", "write 5-7,1-2"),
        ("0 0 * * FRI-TUE/2", "day-of-week", "write 5,0,2"),
        ("0 22-6 * * *", "hour", "write 22-23,0-6"),
        ("0 22-6/2 * * *", "hour", "write 22,0,2,4,6"),
        ("0 0 1 nov-feb *", "month", "write 11-12,1-2"),
        ("0 0 1 11-2/2 *", "month", "write 11,1"),
        ("10-5 * * * *", "minute", "write 10-59,0-5"),
        ("/5 * * * *", "minute", "write */5"),
        ("0 0 ? * 1", "day-of-month", "write *"),
        ("0 0 * * MONDAY", "day-of-week", "write mon"),
        ("0 0 1 January *", "month", "write jan"),
        ("0 0 MON * *", "day-of-month", "day-of-week field"),
        ("0 0 L * *", "day-of-month", "not part of five-field cron"),
        ("0 0 * * 1#2", "day-of-week", "not part of five-field cron"),
        ("0 0 31 2 *", "day-of-month", "28-31"),
        ("0 0 9 * * 1-5", "expression", "`0 9 * * 1-5`"),
        ("0 0 0 9 * * 1 2030", "expression", "write five fields"),
        ("0 0 9 * * 1 2030", "expression", "`0 9 * * 1`"),
        ("0 9 * * 1-5 2030", "expression", "`0 9 * * 1-5`"),
        ("17 * * * * root", "expression", "`17 * * * *`"),
        ("0 9 * * 1, 2", "expression", "blanks inside lists"),
        ("* * * *", "expression", "`0 9 * * 1-5`"),
        ("", "expression", "`0 9 * * 1-5`"),
        ("@reboot", "nickname", "@daily"),
        ("@Reboot", "nickname", "choose a time"),
        ("@Daily", "nickname", "write @daily"),
        ("@ daily", "nickname", "write @daily"),
        ("@every 5m", "nickname", "@hourly"),
    ] {
        let fault = fault(expression);
        assert_eq!(fault.field, field, "{expression}: {fault}");
        let hint = fault.hint.unwrap_or_default();
        assert!(hint.contains(part_of_hint), "{expression}: {hint:?}");
        assert_is_sentence(&fault.message);
    }
}

#[test]
fn a_seconds_field_is_named_in_the_hint() {
    assert!(fault("*/10 0 9 * * *").hint.is_some_and(|hint| hint.contains("seconds")));
}

#[test]
fn what_a_hint_says_to_write_is_accepted() {
    let mut tried = 0;
    for field in 0..5 {
        for item in ["5/2", "5-2", "5-2/2", "/2", "FRI-SUN", "sun-7/0", "7-1", "nov-feb", "9/4", "?", "3/1"] {
            let mut fields = ["*"; 5];
            fields[field] = item;
            let Err(fault) = Cron::parse(&fields.join(" ")) else { continue };
            let Some(better) = fault.hint.as_deref().and_then(|hint| hint.strip_prefix("write ")) else {
                continue;
            };
            fields[field] = better;
            assert!(Cron::parse(&fields.join(" ")).is_ok(), "{item}: {better}");
            tried += 1;
        }
    }
    assert!(tried >= 25, "only {tried} hints");
}

#[test]
fn more_texts_that_are_no_expressions() {
    for (expression, field) in [
        ("* * * * *\n", "day-of-week"),
        ("*\u{a0}* * * *", "expression"),
        ("*\r * * * *", "minute"),
        ("\u{661} * * * *", "minute"),
        ("+5 * * * *", "minute"),
        ("5.5 * * * *", "minute"),
        ("0x5 * * * *", "minute"),
        ("60 * * * *", "minute"),
        ("1-60 * * * *", "minute"),
        ("0-5-9 * * * *", "minute"),
        ("*-5 * * * *", "minute"),
        ("** * * * *", "minute"),
        ("*5 * * * *", "minute"),
        ("*/2/3 * * * *", "minute"),
        ("*/-2 * * * *", "minute"),
        ("*/+2 * * * *", "minute"),
        ("1-5/ * * * *", "minute"),
        (", * * * *", "minute"),
        ("0 0 1 0 *", "month"),
        ("0 0 1 13 *", "month"),
        ("0 0 32 * *", "day-of-month"),
        ("0 0 * * 8", "day-of-week"),
        ("0 0 1 */mar *", "month"),
        ("0 0 1 jan-13 *", "month"),
        ("0 0 * * jan", "day-of-week"),
        ("0\0 0 * * *", "minute"),
        ("0 0 30-31 feb */2", "day-of-month"),
        ("0 0 31 2,4,6,9,11 *", "day-of-month"),
        ("@DAILY", "nickname"),
        ("@dailyy", "nickname"),
        ("@yearly @daily", "nickname"),
    ] {
        let fault = fault(expression);
        assert_eq!(fault.field, field, "{expression:?}: {fault}");
        assert_is_sentence(&fault.message);
    }
}

#[test]
fn a_long_text_makes_a_short_message() {
    let fault = fault(&format!("{} * * * *", "x".repeat(1_000_000)));
    assert!(fault.message.len() < 200, "{}", fault.message);
}

#[test]
fn spellings_that_are_accepted() {
    for expression in [
        "  0\t9   * *\t1-5 ",
        "00 09 01 01 *",
        "0 0 * JAN-mar Mon,wEd,FRI",
        "0 0 * * mon-5",
        "*/99999999999999999999 * * * *",
        "0 0 * * 0-7",
        "0 0 * * 7-7",
        "1,1,1 * * * *",
        "*,5 5,* * * *",
        "0 0 30,31 2 5",
        "0 0 */31 2 *",
        "0 0 29 2 *",
    ] {
        let cron = Cron::parse(expression).unwrap_or_else(|fault| panic!("{expression}: {fault}"));
        let written = expression.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((cron.expression(), cron.to_string()), (written.as_str(), written.clone()));
    }
}

#[test]
fn wildcard_is_told_by_the_first_character_of_minute_and_hour() {
    for expression in
        ["* 9 * * *", "0 * * * *", "*/5 9 * * *", "0 */2 * * *", "*,5 9 * * *", "5,* * * * *", "@hourly"]
    {
        assert!(Cron::parse(expression).unwrap().is_wildcard(), "{expression}");
    }
    for expression in ["0 9 * * *", "0-59 0-23 * * *", "5,* 9 * * *", "0 5,* * * *", "@daily", "@yearly"] {
        assert!(!Cron::parse(expression).unwrap().is_wildcard(), "{expression}");
    }
}

#[test]
fn a_stepped_star_that_meets_the_other_day_field_is_warned_of() {
    for expression in ["0 9 */2 * 1", "0 0 13 * */2", "0 0 */3 * */2", "0 0 */30 * 1-5"] {
        let warnings = Cron::parse(expression).unwrap().warnings();
        assert_eq!(warnings.len(), 1, "{expression}: {warnings:?}");
        assert!(warnings[0].contains("both match") && warnings[0].contains("either"));
        assert_is_sentence(&warnings[0]);
    }
    for expression in
        ["0 9 * * 1", "0 9 13 * *", "0 9 13 * 5", "0 9 */2 * *", "0 9 */2 * 0-6", "0 9 */1 * 1", "@weekly"]
    {
        assert_eq!(Cron::parse(expression).unwrap().warnings(), Vec::<String>::new(), "{expression}");
    }
}

#[test]
fn a_step_larger_than_its_field_is_warned_of() {
    for (expression, field) in [
        ("*/60 * * * *", "minute"),
        ("5-50/90 * * * *", "minute"),
        ("0 */24 * * *", "hour"),
        ("0 0 */31 * *", "day-of-month"),
        ("0 0 1 */12 *", "month"),
        ("0 0 * * */8", "day-of-week"),
    ] {
        let warnings = Cron::parse(expression).unwrap().warnings();
        assert_eq!(warnings.len(), 1, "{expression}: {warnings:?}");
        assert!(warnings[0].contains(field), "{expression}: {warnings:?}");
        assert_is_sentence(&warnings[0]);
    }
    for expression in ["*/59 * * * *", "0 */23 * * *", "0 0 * * */7", "0 0 1 */11 *"] {
        assert_eq!(Cron::parse(expression).unwrap().warnings(), Vec::<String>::new(), "{expression}");
    }
}
