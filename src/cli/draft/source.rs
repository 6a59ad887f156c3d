//! Texts that are typed, or stand in a file, or come in on stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};

/// The longest text or draft that is read, in bytes: more than the contract lets be sent in one.
const TEXT: u64 = 1024 * 1024;

/// The standard input of this command, which can be read once.
#[derive(Debug, Default)]
pub(in crate::cli) struct Stdin {
    read_by: Option<String>,
}

impl Stdin {
    /// What somebody means who types this behind a flag: the text itself, what is in a file (`@FILE`), or what comes in
    /// on stdin (`-`).
    pub(super) fn text(&mut self, flag: &str, typed: &str) -> Result<String, String> {
        match (typed, typed.strip_prefix('@')) {
            ("-", _) => self.read(flag, TEXT),
            (_, Some(file)) => read_file(Path::new(file), TEXT).map_err(|why| format!("{file}: {why}")),
            (_, None) => Ok(typed.to_owned()),
        }
    }

    /// What is in the file of this name, or what comes in on stdin for `-`.
    pub(in crate::cli) fn file(&mut self, flag: &str, typed: &str, most: u64) -> Result<String, String> {
        match typed {
            "-" => self.read(flag, most),
            file => read_file(Path::new(file), most),
        }
    }

    fn read(&mut self, flag: &str, most: u64) -> Result<String, String> {
        if let Some(other) = &self.read_by {
            return Err(format!("{other} reads stdin already; write this into a file"));
        }
        self.read_by = Some(flag.to_owned());
        read_up_to(io::stdin().lock(), most)
    }
}

fn read_file(file: &Path, most: u64) -> Result<String, String> {
    let opened = File::open(file).map_err(|error| format!("it cannot be read: {error}"))?;
    read_up_to(opened, most)
}

fn read_up_to(from: impl Read, most: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = from.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("it is larger than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not Unicode text (UTF-8)".to_owned())
}

/// A JSON object, below lines that begin with `#`, which are not read.
pub(in crate::cli) fn read_document(text: &str) -> Result<Map<String, Value>, String> {
    let is_remark = |line: &str| line.starts_with('#') || line.trim().is_empty();
    // Lines keep their numbers, so that a fault is told where it is.
    let mut above = true;
    let document: Vec<&str> = text
        .lines()
        .map(|line| {
            above = above && is_remark(line);
            if above { "" } else { line }
        })
        .collect();
    match serde_json::from_str(&document.join("\n")) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("it is not a JSON object".to_owned()),
        Err(error) => Err(format!("it is not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_may_have_remarks_above_it_and_its_faults_are_told_by_line() {
        assert_eq!(read_document("# a\n\n# b\n{\"a\": 1}\n").unwrap().len(), 1);
        assert_eq!(read_document("[]").unwrap_err(), "it is not a JSON object");
        let told = read_document("# a\n{\n# b\n}").unwrap_err();
        assert!(told.contains("line 3"), "{told}");
    }

    #[test]
    fn what_is_too_large_or_no_text_is_refused() {
        assert_eq!(read_up_to(&b"abc"[..], 3).unwrap(), "abc");
        assert_eq!(read_up_to(&b"abcd"[..], 3).unwrap_err(), "it is larger than 3 bytes");
        assert_eq!(read_up_to(&b"\xff"[..], 3).unwrap_err(), "it is not Unicode text (UTF-8)");
    }
}
