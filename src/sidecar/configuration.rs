//! The user's configuration file: what is in it now, and what is wrong with it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::domain::configuration::{self, Configuration};
use crate::domain::process::FileIdentity;
use crate::domain::refusal::listed;
use crate::domain::sent::SentObject;

/// The longest file that is read, in bytes: far more than anybody configures, and no more than may be kept in memory
/// for each window that reads it.
const LONGEST: u64 = 1024 * 1024;

/// The most faults that one sentence tells; whoever mends these is told the next ones.
const FAULTS_TOLD: usize = 10;

/// What was found at the path of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, which is as good as a file that says nothing.
    Nothing,
    /// A file that is in order, and says this.
    InOrder(Configuration),
    /// Something that is no whole file. It may be half written.
    NotWhole(String),
    /// A whole file that says what cannot be.
    Faulty(String),
}

impl Found {
    /// What it means: what is configured, or a sentence about what is wrong.
    pub(super) fn meaning(&self) -> Result<Configuration, String> {
        match self {
            Found::Nothing => Ok(Configuration::default()),
            Found::InOrder(configuration) => Ok(configuration.clone()),
            Found::NotWhole(why) | Found::Faulty(why) => Err(why.clone()),
        }
    }

    /// Whether somebody may be about to write the rest of it.
    pub(super) fn may_be_half_written(&self) -> bool {
        match self {
            Found::Nothing | Found::NotWhole(_) => true,
            Found::InOrder(_) | Found::Faulty(_) => false,
        }
    }
}

/// Reads the file. Goes to the disk, so it is not for a thread that has other things to do.
pub(super) fn read(path: &Path) -> Found {
    let told = |why: &str| {
        format!("the configuration file {} cannot be used: {why}; mend it or remove it", path.display())
    };
    let text = match read_text(path) {
        Ok(None) => return Found::Nothing,
        Ok(Some(text)) => text,
        Err(why) => return Found::NotWhole(told(&why)),
    };
    // Some editors begin every file with a mark of its encoding.
    match SentObject::parse(text.trim_start_matches('\u{feff}')) {
        Err(error) => Found::NotWhole(told(&format!("it is no JSON object: {error}"))),
        Ok(file) => match configuration::read(&file) {
            Ok(configuration) => Found::InOrder(configuration),
            Err(faults) => {
                let more = match faults.len().saturating_sub(FAULTS_TOLD) {
                    0 => String::new(),
                    more => format!("; and {more} more"),
                };
                let first = &faults[..faults.len().min(FAULTS_TOLD)];
                Found::Faulty(told(&format!("{}{more}", listed(first))))
            }
        },
    }
}

/// The text of the file; none if there is no file.
fn read_text(path: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => refuse_what_others_write(&metadata)?,
        // Opening a pipe would wait for whoever writes to it.
        Ok(_) => return Err("it is no file".to_owned()),
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > LONGEST => Err(format!("it is over {LONGEST} bytes long")),
        Ok(_) => {
            let text = String::from_utf8(bytes).map_err(|_| "it is not written in UTF-8".to_owned())?;
            Ok(Some(text))
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whoever may write the file says which programs this user starts. Root may do so anyway; and the group of a user is often
/// the user's own.
#[cfg(unix)]
fn refuse_what_others_write(metadata: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let (owner, me) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != me && owner != 0 {
        return Err(format!("it belongs to the user with the number {owner}, and this is {me}"));
    }
    match metadata.mode() & 0o002 {
        0 => Ok(()),
        _ => Err("every user of this machine may write it (`chmod o-w`)".to_owned()),
    }
}

#[cfg(not(unix))]
fn refuse_what_others_write(_metadata: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// By what a file that was written is told from what it was, without reading it. None if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    identity: FileIdentity,
    length: u64,
    modified_at: Option<SystemTime>,
}

/// The stamp of the file that is there now.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        identity: FileIdentity::of(&metadata),
        length: metadata.len(),
        modified_at: metadata.modified().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &[u8]) -> Found {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, content).unwrap();
        read(&path)
    }

    #[test]
    fn what_is_in_order_is_so_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(&directory.path().join("config.json")), Found::Nothing);
        assert_eq!(read(&directory.path().join("no/config.json")), Found::Nothing);
        for content in ["{}", "\u{feff}{\n}\n", r#"{"providers": {}}"#] {
            assert_eq!(found(content.as_bytes()), Found::InOrder(Configuration::default()), "{content}");
        }
    }

    #[test]
    fn what_is_not_whole_is_told_from_what_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "").unwrap();
        assert_eq!(read(&directory.path().join("file/config.json")), Found::Nothing);
        assert!(matches!(read(directory.path()), Found::NotWhole(why) if why.contains("it is no file")));
        let too_long = vec![b' '; usize::try_from(LONGEST).unwrap() + 1];
        let not_whole: [(&[u8], &str); 5] = [
            (b"", "no JSON object"),
            (b"{\"prov", "no JSON object"),
            (b"[]", "no JSON object"),
            (b"{\"\xff\": 1}", "UTF-8"),
            (&too_long, "1048576 bytes"),
        ];
        for (content, part) in not_whole {
            let found = found(content);
            assert!(found.may_be_half_written());
            let why = found.meaning().unwrap_err();
            assert!(why.contains(part) && why.contains("config.json"), "{why}");
        }
        let faulty = found(br#"{"providers": {"agent": {"command": []}}}"#);
        assert!(!faulty.may_be_half_written());
        let why = faulty.meaning().unwrap_err();
        assert!(why.contains("providers.agent.command: required (write the program"), "{why}");
    }

    #[test]
    #[cfg(unix)]
    fn what_others_may_write_is_not_believed() {
        use std::os::unix::fs::{PermissionsExt, chown};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, "{}").unwrap();
        for (mode, is_believed) in
            [(0o600, true), (0o664, true), (0o644, true), (0o666, false), (0o602, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = read(&path).meaning().err().unwrap_or_default();
            assert_eq!(told.is_empty(), is_believed, "{mode:o}: {told}");
            assert_eq!(told.contains("every user of this machine may write it"), !is_believed, "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        // Only root can give files away.
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(54_321), None).unwrap();
            let told = read(&path).meaning().unwrap_err();
            assert!(told.contains("belongs to the user with the number 54321"), "{told}");
        }
    }

    #[test]
    fn a_sentence_ends_somewhere() {
        let many: Vec<String> = (0..60).map(|name| format!(r#""{name}": 1"#)).collect();
        let why = found(format!("{{{}}}", many.join(",")).as_bytes());
        let why = why.meaning().unwrap_err();
        assert!(why.contains("and 50 more") && why.len() < 2000, "{why}");
    }
}
