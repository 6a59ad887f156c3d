//! `sexton schema`: the contract as documents.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::rpc::schema::documents;

#[derive(Args)]
pub(super) struct SchemaArgs {
    /// Which document is printed.
    #[arg(value_enum, default_value_t = Which::Openrpc)]
    document: Which,
    /// Writes all documents into this directory instead.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "document")]
    write: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// The methods, as `rpc.discover` answers.
    Openrpc,
    /// Every message, parameter, answer and event.
    Protocol,
    /// The user's configuration file.
    Config,
    /// What `sexton doctor --json` prints.
    Doctor,
}

impl Which {
    fn file(self) -> &'static str {
        match self {
            Which::Openrpc => "openrpc.json",
            Which::Protocol => "protocol.schema.json",
            Which::Config => "config.schema.json",
            Which::Doctor => "doctor.schema.json",
        }
    }
}

pub(super) fn run(args: &SchemaArgs) -> ExitCode {
    let done = match &args.write {
        Some(directory) => write_all(directory),
        None => print(args.document),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads only the beginning has what was wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => super::complain(&format!("the documents could not be written: {error}")),
    }
}

fn print(which: Which) -> io::Result<()> {
    for document in documents().iter().filter(|document| document.file == which.file()) {
        io::stdout().lock().write_all(document.text().as_bytes())?;
    }
    Ok(())
}

fn write_all(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for document in documents() {
        std::fs::write(directory.join(document.file), document.text())?;
    }
    Ok(())
}
