//! Whether each run that has written something still has it, and whether nothing is kept that belongs to no run.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::ledger::View;

/// What is younger may belong to a run that has only just come, or has just been pruned.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// Looks at the directory in which outputs are, beside the rows of the runs that they belong to.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn check(view: &View<'_>, directory: &Path) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Outputs);
    let (mut all, mut ownerless, mut first) = (0_u64, 0_u64, None);
    let listed = match std::fs::read_dir(directory) {
        Ok(listed) => Some(listed),
        // It is made with the first window.
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            let what = format!("{} cannot be looked at: {error}", directory.display());
            let remedy = "see that this user may read it, and that the disk works";
            check.find(Finding::warning(what, "outputs of runs cannot be shown", remedy));
            None
        }
    };
    for entry in listed.into_iter().flatten().flatten() {
        all += 1;
        let name = entry.file_name();
        let known = match name.to_str() {
            Some(run) => view.may_have_output(&RunId::from_text(run))?,
            None => false,
        };
        if !known && is_settled(&entry) {
            ownerless += 1;
            first.get_or_insert(entry.path());
        }
    }
    if let Some(first) = first {
        let what = match ownerless {
            1 => "it belongs to no run".to_owned(),
            more => format!("it belongs to no run, and so it is with {} more beside it", more - 1),
        };
        let remedy = "remove what is there and is named like no run, if the space is needed";
        check.find(Finding::warning(what, "it takes up space, and nothing else", remedy).at(first.display()));
    }
    let mut missing = 0_u64;
    let mut example = None;
    view.each_output(|run| {
        if std::fs::symlink_metadata(directory.join(run.as_str()).join("output.log"))
            .is_err_and(|error| error.kind() == ErrorKind::NotFound)
        {
            missing += 1;
            example.get_or_insert(run);
        }
    })?;
    if let Some(run) = example {
        let what = match missing {
            1 => "the output of a run is gone".to_owned(),
            missing => format!("the outputs of {missing} runs are gone, this one's first"),
        };
        let remedy = "nothing has to be done; restore the state directory from a backup if they are needed";
        check.find(Finding::warning(what, "what they wrote cannot be shown any more", remedy).at(run));
    }
    Ok(check.seen(match all {
        0 => "none".to_owned(),
        1 => "of 1 run".to_owned(),
        all => format!("of {all} runs"),
    }))
}

/// Whether it has been as it is for longer than anybody is between making a directory and its row, or removing them.
fn is_settled(entry: &std::fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > SETTLED_AFTER))
}
