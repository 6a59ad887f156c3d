//! What README.md promises of its examples beyond that they work.

use serde_json::Value;

use crate::blocks::{Block, blocks};
use crate::documents::documents;
use crate::reader::Reader;
use crate::shell;

/// The block of README.md that has this in it.
fn block(part: &str) -> Block {
    let all = documents().into_iter().find(|one| one.name == "README.md").unwrap();
    let found = blocks(&all).into_iter().find(|block| block.content.contains(part));
    found.unwrap_or_else(|| panic!("README.md has no block with {part:?}"))
}

/// The conversation as on a machine that may take its time: the echo is asked for a little later, and instead of a
/// span of time the end of the run is waited for.
fn patient(conversation: &str) -> String {
    let replaced = |text: &str, what: &str, with: &str| {
        assert_eq!(text.matches(what).count(), 1, "{what:?} in {text}");
        text.replace(what, with)
    };
    let later = replaced(conversation, "+ 2)", "+ 6)");
    let waiting = replaced(&later, "  sleep 4\n", "  read -r _ <../ended\n");
    format!(
        r#"mkfifo ../said ../ended
while IFS= read -r line; do
  printf '%s\n' "$line"
  case $line in *'"method":"events/event"'*'"state":"succeeded"'*) echo >../ended ;; esac
done <../said &
exec >../said
{waiting}
exec >&-
wait"#
    )
}

#[test]
fn the_conversation_shows_a_run_from_beginning_to_end() {
    let block = block("automation/create");
    let reader = Reader::new();
    let script = patient(&block.content);
    let ended = shell::run(&reader, &reader.project(), "-eu", &script).unwrap();
    shell::ends_well(&ended).unwrap();
    let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?} in {}", ended.said));
    let lines: Vec<Value> = ended.said.lines().map(read).collect();
    for id in 1..=5 {
        let answer = lines.iter().find(|line| line["id"] == id).unwrap();
        assert!(answer.get("result").is_some(), "{answer}");
    }
    let runs = lines.iter().map(|line| &line["params"]["result"]["run"]["state"]);
    let states: Vec<&str> = runs.filter_map(Value::as_str).collect();
    assert_eq!(states, ["scheduled", "running", "succeeded"]);
}
