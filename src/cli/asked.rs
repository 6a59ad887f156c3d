//! What a run asks of a person, and what somebody means who types an answer.

use serde_json::{Value, json};

use super::ago::relative_and_clock;
use super::show::{Style, Tone};
use crate::client::model::Run;
use crate::domain::automation::folded;
use crate::domain::one_line::one_line;
use crate::domain::run::{Asked, Blocker, Need, PermissionKind};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// The most characters of a line that an agent wrote.
const LINE: usize = 400;

/// The most lines of a question.
const LINES: usize = 40;

/// One of several answers.
struct Choice<'a> {
    id: &'a str,
    label: &'a str,
    kind: Option<PermissionKind>,
}

fn choices(need: &Need) -> Vec<Choice<'_>> {
    match need {
        Need::Permission { options, .. } => options
            .iter()
            .map(|option| Choice { id: &option.id, label: &option.label, kind: Some(option.kind) })
            .collect(),
        Need::Question { options, .. } => {
            options.iter().map(|option| Choice { id: &option.id, label: &option.label, kind: None }).collect()
        }
    }
}

/// The question, what may be answered, until when, and how from elsewhere.
pub(super) fn question(run: &Run, blocker: &Blocker, now: Timestamp, zone: &Zone, style: Style) -> String {
    let (head, text) = match &blocker.need {
        Need::Permission { title, .. } => ("wants to", title),
        Need::Question { prompt, .. } => ("asks", prompt),
    };
    let mut lines: Vec<String> = text.trim().lines().map(|line| one_line(line, LINE)).collect();
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines.push("…".to_owned());
    }
    let who = one_line(&run.automation_title, LINE);
    let mut written = format!("{}\n", style.toned(Tone::Warn, &format!("“{who}” {head}:")));
    for line in lines {
        written.push_str(format!("  {line}").trim_end());
        written.push('\n');
    }
    let choices = choices(&blocker.need);
    for (number, choice) in (1..).zip(&choices) {
        let id = style.faint(&format!("({})", one_line(choice.id, LINE)));
        written.push_str(&format!("  {number}  {}  {id}\n", one_line(choice.label, LINE)));
    }
    let wanted = match (&blocker.need, choices.is_empty()) {
        (Need::Permission { .. }, _) => "NUMBER",
        (Need::Question { .. }, true) => "'YOUR WORDS'",
        (Need::Question { .. }, false) => "NUMBER or 'YOUR WORDS'",
    };
    let until = relative_and_clock(blocker.expires_at, now, zone);
    let how = format!("It waits for an answer, which expires {until}: sexton answer {} {wanted}", run.id);
    written.push_str(&format!("{}\n", style.faint(&how)));
    written
}

/// What was typed as `run/respond` takes it: an option by its id, its number, its label or the beginning of that, `yes` or
/// `no` where a permission is asked for, or the words themselves where any will do.
///
/// # Errors
/// A sentence about what could have been typed.
pub(super) fn answer(run: &Run, blocker: &Blocker, typed: &str) -> Result<Value, String> {
    let typed = typed.trim();
    let mut answer = json!({"id": run.id});
    match blocker.need.asked() {
        Asked::Request { request_id } => answer["requestID"] = json!(request_id),
        Asked::Call { call_id } => answer["callID"] = json!(call_id),
    }
    let choices = choices(&blocker.need);
    match (chosen(&choices, typed), &blocker.need) {
        (Some(id), _) => answer["optionID"] = json!(id),
        (None, Need::Question { .. }) if !typed.is_empty() => answer["text"] = json!(typed),
        (None, Need::Question { .. } | Need::Permission { .. }) => {
            let each: Vec<String> = (1..)
                .zip(&choices)
                .map(|(number, choice)| format!("{number} ({})", one_line(choice.label, LINE)))
                .collect();
            return Err(match each.is_empty() {
                true => "an answer needs words".to_owned(),
                false => format!("{:?} is none of the answers: {}", one_line(typed, LINE), each.join(", ")),
            });
        }
    }
    Ok(answer)
}

fn chosen<'a>(choices: &[Choice<'a>], typed: &str) -> Option<&'a str> {
    if let Some(exactly) = choices.iter().find(|choice| choice.id == typed) {
        return Some(exactly.id);
    }
    if let Ok(number) = typed.parse::<usize>() {
        return choices.get(number.checked_sub(1)?).map(|choice| choice.id);
    }
    let wanted = folded(typed);
    if wanted.is_empty() {
        return None;
    }
    let of_kind = match wanted.as_str() {
        "y" | "yes" => Some(PermissionKind::AllowOnce),
        "n" | "no" => Some(PermissionKind::RejectOnce),
        _ => None,
    };
    if let Some(choice) = choices.iter().find(|choice| of_kind.is_some() && choice.kind == of_kind) {
        return Some(choice.id);
    }
    let labelled = |fits: &dyn Fn(&str) -> bool| {
        let mut fitting = choices.iter().filter(|choice| fits(&folded(choice.label)));
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only.id)
    };
    labelled(&|label| label == wanted).or_else(|| labelled(&|label| label.starts_with(&wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::{PermissionOption, QuestionOption};

    fn run() -> Run {
        let run = json!({"id": "run_1", "automationID": "atm_1", "automationTitle": "Backup", "revision": 1,
            "triggeredAt": 0, "state": "awaiting_input", "directory": "/"});
        serde_json::from_value(run).unwrap()
    }

    fn blocked(need: Need) -> Blocker {
        Blocker { need, since: Timestamp::EPOCH, expires_at: Timestamp::EPOCH.plus_ms(60_000) }
    }

    fn permission() -> Blocker {
        let option =
            |id: &str, label: &str, kind| PermissionOption { id: id.into(), label: label.into(), kind };
        blocked(Need::Permission {
            request_id: "r".into(),
            title: "rm -r build".into(),
            options: vec![
                option("always", "Allow always", PermissionKind::AllowAlways),
                option("once", "Allow once", PermissionKind::AllowOnce),
                option("1", "Reject", PermissionKind::RejectOnce),
            ],
            tool: None,
        })
    }

    fn question(options: &[&str]) -> Blocker {
        let option =
            |label: &&str| QuestionOption { id: format!("id of {label}"), label: (*label).to_owned() };
        let options = options.iter().map(option).collect();
        blocked(Need::Question { call_id: "c".into(), prompt: "Which\nbranch?".into(), options })
    }

    fn said(blocker: &Blocker, typed: &str) -> Result<String, String> {
        let answer = answer(&run(), blocker, typed)?;
        let asked = answer["requestID"].as_str().or(answer["callID"].as_str()).unwrap();
        let said = answer["optionID"].as_str().map(str::to_owned);
        Ok(format!("{asked}: {}", said.unwrap_or_else(|| format!("{:?}", answer["text"].as_str().unwrap()))))
    }

    #[test]
    fn an_option_is_meant_by_its_id_its_number_its_label_or_a_plain_word() {
        for (typed, meant) in [
            ("once", "once"),
            (" always ", "always"),
            // An identity is never taken for a number.
            ("1", "1"),
            ("2", "once"),
            ("3", "1"),
            ("allow ONCE", "once"),
            ("rej", "1"),
            ("yes", "once"),
            ("N", "1"),
        ] {
            assert_eq!(said(&permission(), typed), Ok(format!("r: {meant}")), "{typed:?}");
        }
        for typed in ["", "0", "4", "allow", "perhaps"] {
            let refused = said(&permission(), typed).unwrap_err();
            assert!(
                refused.ends_with("1 (Allow always), 2 (Allow once), 3 (Reject)"),
                "{typed:?}: {refused}"
            );
        }
    }

    #[test]
    fn a_question_takes_any_words_that_mean_no_option() {
        assert_eq!(said(&question(&["main", "next"]), "2"), Ok("c: id of next".to_owned()));
        assert_eq!(said(&question(&["main", "next"]), "yes"), Ok("c: \"yes\"".to_owned()));
        assert_eq!(said(&question(&["main", "next"]), "neither"), Ok("c: \"neither\"".to_owned()));
        assert_eq!(said(&question(&[]), " 2 "), Ok("c: \"2\"".to_owned()));
        assert_eq!(said(&question(&[]), " "), Err("an answer needs words".to_owned()));
    }

    #[test]
    fn a_question_is_shown_with_what_may_be_answered() {
        let shown = |blocker| super::question(&run(), &blocker, Timestamp::EPOCH, &Zone::utc(), Style::Plain);
        insta::assert_snapshot!(shown(permission()), @r"
        “Backup” wants to:
          rm -r build
          1  Allow always  (always)
          2  Allow once  (once)
          3  Reject  (1)
        It waits for an answer, which expires in 1 min (00:01): sexton answer run_1 NUMBER
        ");
        insta::assert_snapshot!(shown(question(&[])), @r"
        “Backup” asks:
          Which
          branch?
        It waits for an answer, which expires in 1 min (00:01): sexton answer run_1 'YOUR WORDS'
        ");
    }
}
