//! An automation in the user's own editor, as `crontab -e` has it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use super::draft::{difference, draft_of, read_document, written};
use super::edit::changed_meanwhile;
use super::opened::Trouble;
use crate::client::{Client, Detail, Error};
use crate::domain::one_line::one_line;
use crate::sidecar::config::Environment;

/// The most characters of a fault.
const FAULT: usize = 1000;

/// What became of what was edited.
#[derive(Debug)]
pub(super) enum Edited {
    /// It is so now.
    To(Value),
    /// Nothing was changed.
    NotAtAll,
}

/// The command of the user's editor: `VISUAL`, `EDITOR`, or what the platform has.
pub(super) fn command(environment: &Environment) -> String {
    let texts = environment.texts();
    let chosen = ["VISUAL", "EDITOR"].iter().find_map(|name| texts.get(*name));
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    chosen.filter(|command| !command.trim().is_empty()).map_or(usual, String::as_str).to_owned()
}

/// Opens it, and sends the difference; again, with what is wrong above it, for as long as the user wants to.
pub(super) async fn edit(client: &Client, before: &Value, command: &str) -> Result<Edited, Trouble> {
    let draft = draft_of(before);
    let file = Text::write(&headed(before, &[]), &written(&draft))?;
    loop {
        let body = file.opened_with(command)?;
        let faults = match read_document(&body) {
            Err(why) => vec![why],
            Ok(after) => {
                let patch = difference(&draft, &after);
                if patch.is_empty() {
                    file.remove();
                    return Ok(Edited::NotAtAll);
                }
                match send(client, before, &patch).await {
                    Ok(answer) => {
                        file.remove();
                        return Ok(Edited::To(answer));
                    }
                    Err(NotSent::Faults(faults)) => faults,
                    Err(NotSent::Trouble(why)) => return Err(Trouble::Failed(file.kept(&why))),
                }
            }
        };
        for fault in &faults {
            super::tell(fault);
        }
        if !again()? {
            return Err(Trouble::Failed(file.kept("nothing was changed")));
        }
        file.overwrite(&headed(before, &faults), without_header(&body))?;
    }
}

enum NotSent {
    /// The draft is wrong.
    Faults(Vec<String>),
    /// Something that no other draft makes better.
    Trouble(String),
}

async fn send(client: &Client, before: &Value, patch: &Map<String, Value>) -> Result<Value, NotSent> {
    let params = json!({"id": before["id"], "ifRevision": before["revision"], "patch": patch});
    match client.ask("automation/update", params).await {
        Ok(answer) => Ok(answer),
        Err(Error::Refused(refused)) if refused.kind == "invalid_automation" => {
            let one = |detail: Detail| {
                let word = detail.message.replace('_', " ");
                format!("{}: {}", detail.field, one_line(&detail.hint.unwrap_or(word), FAULT))
            };
            Err(NotSent::Faults(refused.details().into_iter().map(one).collect()))
        }
        Err(Error::Refused(refused)) if refused.kind == "automation_conflict" => {
            Err(NotSent::Trouble(changed_meanwhile(before, &refused)))
        }
        Err(error) => Err(NotSent::Trouble(error.to_string())),
    }
}

/// What stands above the draft.
fn headed(before: &Value, faults: &[String]) -> String {
    let title = one_line(before["title"].as_str().unwrap_or_default(), FAULT);
    let mut header = format!("# “{title}”: change what is to be changed, save, and leave the editor.\n");
    header.push_str("# Lines that begin with # are not read. Leave it as it is to change nothing.\n");
    for fault in faults {
        header.push_str(&format!("# Not yet: {}\n", one_line(fault, FAULT)));
    }
    header
}

/// What the user wrote below what stands above it.
fn without_header(text: &str) -> &str {
    let mut rest = text;
    while let Some((first, below)) = rest.split_once('\n').filter(|(first, _)| first.starts_with('#')) {
        let _ = first;
        rest = below;
    }
    rest
}

/// Asks whether to edit it again. No answer is none.
fn again() -> io::Result<bool> {
    let mut err = io::stderr().lock();
    loop {
        write!(err, "Edit it again? [Y/n] ")?;
        err.flush()?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Ok(false);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// The file that is edited. It may hold secrets, so that nobody else may read it.
struct Text {
    path: PathBuf,
}

impl Text {
    fn write(header: &str, text: &str) -> io::Result<Text> {
        let name = format!("sexton-{}.json", uuid::Uuid::new_v4().simple());
        let file = Text { path: std::env::temp_dir().join(name) };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        for_this_user(&mut options);
        options.open(&file.path)?;
        file.overwrite(header, text)?;
        Ok(file)
    }

    fn overwrite(&self, header: &str, text: &str) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        writeln!(file, "{header}{}", text.trim_end())
    }

    /// What is in it after the user has left the editor.
    fn opened_with(&self, command: &str) -> Result<String, Trouble> {
        let failed = |why: String| Trouble::Failed(self.kept(&format!("the editor `{command}` {why}")));
        let ended = editor(command, &self.path).status();
        let ended =
            ended.map_err(|error| failed(format!("cannot be started: {error}; set VISUAL or EDITOR")))?;
        if !ended.success() {
            return Err(failed(format!("ended with {ended}, and nothing was changed")));
        }
        std::fs::read_to_string(&self.path)
            .map_err(|error| failed(format!("left what cannot be read: {error}")))
    }

    fn remove(&self) {
        // A file of the user's own that stays where such files are does no harm.
        let _ = std::fs::remove_file(&self.path);
    }

    /// The sentence, and where to find what was written.
    fn kept(&self, why: &str) -> String {
        format!("{why}; what you wrote is kept in {}", self.path.display())
    }
}

/// The editor's command may have arguments of its own, so that a shell reads it.
#[cfg(unix)]
fn editor(command: &str, file: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} \"$@\""), "sexton"]).arg(file);
    shell
}

/// The same for the shell of this platform.
#[cfg(windows)]
fn editor(command: &str, file: &Path) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]).arg(file);
    shell
}

#[cfg(unix)]
fn for_this_user(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// The directory for temporary files is the user's own there.
#[cfg(windows)]
fn for_this_user(_: &mut OpenOptions) {}
