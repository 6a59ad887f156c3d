//! What work changes in a directory is seen, and looking for it leaves no trace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use sexton::domain::run::{Changes, Diffstat};
use sexton::exec::facts;

use crate::git::{Repository, git};
use crate::program;
use crate::support::in_time;

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Place { root: tempfile::Builder::new().prefix("sexton: facts ").tempdir().expect("a directory") }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("the place").join(name)
    }

    /// What the work changes in the repository.
    async fn changes(&self, repository: &Repository, work: impl FnOnce()) -> Changes {
        let scratch = self.beside("state/scratch");
        let before =
            in_time("a look", facts::before(repository.top(), scratch.clone())).await.expect("a repository");
        assert!(scratch.exists());
        work();
        let after_work = repository.everything();
        let changes = in_time("a look", before.changed()).await.expect("changes");
        let is_untouched = repository.everything() == after_work;
        assert!(is_untouched, "the repository is as the work has left it");
        assert!(!scratch.exists(), "what was needed for it has gone");
        changes
    }
}

fn changes(files: &[&str], insertions: u64, deletions: u64) -> Changes {
    let files: Vec<String> = files.iter().map(|name| (*name).to_owned()).collect();
    Changes { diffstat: Diffstat { files: files.len() as u64, insertions, deletions }, files }
}

#[tokio::test]
async fn what_was_committed_and_what_was_not_is_told_once() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    for (name, content) in [
        ("same", "same\n"),
        ("dirty", "1\n2\n3\n"),
        ("gone", "1\n2\n"),
        ("moved", "m\n"),
        (".gitignore", "*.o\n"),
    ] {
        repository.write(name, content);
    }
    repository.commit("second");
    // What the user has left there is not the work's.
    repository.write("dirty", "1\n2\n3\n4\n");
    repository.write("untracked", "u\n");
    repository.write("untracked and changed", "u\n");
    repository.write("staged", "s\n");
    repository.git(&["add", "staged"]);
    let before = repository.everything();
    let found = place
        .changes(&repository, || {
            assert!(repository.everything() == before, "looking leaves the repository as it was");
            repository.write("dirty", "0\n1\n2\n3\n4\n");
            repository.write("untracked and changed", "other\n");
            repository.write("new/d\u{e9}j\u{e0} vu", "1\n2\n");
            repository.write("ignored.o", "o\n");
            fs::write(repository.file("picture"), [0_u8, 159, 146, 150]).unwrap();
            fs::rename(repository.file("moved"), repository.file("to here")).unwrap();
            fs::remove_file(repository.file("gone")).unwrap();
            repository.commit("the work");
            repository.write("after", "a\n");
        })
        .await;
    let files = [
        "after",
        "dirty",
        "gone",
        "moved",
        "new/d\u{e9}j\u{e0} vu",
        "picture",
        "to here",
        "untracked and changed",
    ];
    assert_eq!(found, changes(&files, 1 + 1 + 2 + 1 + 1, 2 + 1 + 1));
    assert_eq!(place.changes(&repository, || ()).await, changes(&[], 0, 0));
    let back =
        place.changes(&repository, || drop(repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]))).await;
    // What was never added stays where it is.
    let files = [
        "dirty",
        "gone",
        "moved",
        "new/d\u{e9}j\u{e0} vu",
        "picture",
        "staged",
        "to here",
        "untracked",
        "untracked and changed",
    ];
    assert_eq!(back, changes(&files, 3, 8));
}

#[tokio::test]
async fn a_change_of_the_same_length_in_the_same_moment_is_seen() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    // What else tells files apart is not looked at.
    for (name, value) in [("core.trustctime", "false"), ("core.checkStat", "minimal")] {
        repository.git(&["config", name, value]);
    }
    let found = place
        .changes(&repository, || {
            let file = repository.file("README");
            // So long ago that it is another second than that in which the index is copied.
            let written_at = fs::metadata(&file).unwrap().modified().unwrap() - Duration::from_secs(100);
            fs::OpenOptions::new().write(true).open(&file).unwrap().set_modified(written_at).unwrap();
            repository.git(&["update-index", "--refresh"]);
            // As if the clock of the files were too coarse to tell the two apart.
            let index = fs::OpenOptions::new().write(true).open(repository.file(".git/index")).unwrap();
            index.set_modified(written_at).unwrap();
            fs::write(&file, "FIRST\n").unwrap();
            fs::OpenOptions::new().write(true).open(&file).unwrap().set_modified(written_at).unwrap();
        })
        .await;
    assert_eq!(found, changes(&["README"], 1, 1));
}

#[tokio::test]
async fn repositories_of_every_kind_are_looked_at() {
    let place = Place::new();
    let Some(unborn) = Repository::empty_at(&place.beside("unborn")) else { return };
    let first = place.changes(&unborn, || unborn.write("first", "1\n")).await;
    assert_eq!(first, changes(&["first"], 1, 0));
    // In the middle of a merge that contradicts.
    let repository = Repository::at(&place.beside("project")).unwrap();
    repository.git(&["checkout", "--quiet", "-b", "other"]);
    repository.write("README", "other\n");
    repository.commit("other");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("README", "main\n");
    repository.commit("main");
    crate::git::git_fails(repository.top(), &["merge", "other"]);
    let merged = place.changes(&repository, || repository.write("README", "both\n")).await;
    assert_eq!((merged.files, merged.diffstat.insertions), (vec!["README".to_owned()], 1));
    repository.git(&["merge", "--abort"]);
    // A repository inside of it is the commit that it stands at.
    let inner = Repository::at(&repository.file("inner")).unwrap();
    repository.commit("with another repository");
    let moved = place
        .changes(&repository, || {
            inner.write("README", "deeper\n");
            inner.commit("deeper");
        })
        .await;
    assert_eq!(moved, changes(&["inner"], 1, 1));
    // A linked worktree, in a directory whose name would tell two paths apart in a list.
    let linked = place.beside("linked: \"here\"");
    repository.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    let before = facts::before(&linked, place.beside("state/scratch")).await.unwrap();
    fs::write(linked.join("new"), "n\n").unwrap();
    git(&linked, &["add", "new"]);
    assert_eq!(before.changed().await, Some(changes(&["new"], 1, 0)));
}

#[tokio::test]
async fn what_cannot_be_read_hides_nothing_else() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    // Not for root, who may read everything.
    let found = place
        .changes(&repository, || {
            repository.write("secret", "s\n");
            fs::set_permissions(repository.file("secret"), fs::Permissions::from_mode(0o0)).unwrap();
            repository.write("seen", "s\n");
        })
        .await;
    assert!(found.files.contains(&"seen".to_owned()), "{found:?}");
}

#[tokio::test]
async fn of_large_files_nothing_is_stored() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    let make = |name: &str, size: u64| {
        fs::File::create(repository.file(name)).unwrap().set_len(size).unwrap();
    };
    let large = 33 * 1024 * 1024;
    for name in ["same", "grows", "goes", "comes into a commit", ":(top) [x]*"] {
        make(name, large);
    }
    let found = place
        .changes(&repository, || {
            let stored = repository.file("../state/scratch/objects");
            assert_eq!(fs::read_dir(stored).unwrap().count(), 0, "nothing is stored");
            make("grows", large + 1);
            make("new", large);
            fs::remove_file(repository.file("goes")).unwrap();
            repository.git(&["add", "comes into a commit"]);
        })
        .await;
    assert_eq!(found, changes(&["goes", "grows", "new"], 0, 0));
}

#[tokio::test]
async fn where_not_everything_was_seen_nothing_is_not_told() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    let look =
        async || in_time("a look", facts::before(repository.top(), place.beside("state/scratch"))).await;
    // Git cannot name what is in a repository that has no commit.
    let before = look().await.unwrap();
    let inner = Repository::empty_at(&repository.file("inner")).unwrap();
    inner.write("work", "w\n");
    assert_eq!(in_time("a look", before.changed()).await, None);
    let before = look().await.unwrap();
    repository.write("README", "changed\n");
    assert_eq!(in_time("a look", before.changed()).await, Some(changes(&["README"], 1, 1)));
    fs::remove_dir_all(inner.top()).unwrap();
    // What a sparse checkout leaves out is seen all the same.
    repository.write("kept/file", "k\n");
    repository.write("other/file", "o\n");
    repository.commit("second");
    repository.git(&["sparse-checkout", "set", "kept"]);
    let found = place.changes(&repository, || repository.write("other/new", "n\n")).await;
    assert_eq!(found, changes(&["other/new"], 1, 0));
}

#[tokio::test]
async fn where_git_keeps_nothing_nothing_is_told() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    let scratch = place.beside("state/scratch");
    repository.write("below/file", "x\n");
    for directory in [repository.file("below"), place.beside(""), repository.file("no such")] {
        assert!(facts::before(&directory, scratch.clone()).await.is_none(), "{}", directory.display());
    }
    // What is taken for a repository and is none.
    fs::create_dir_all(place.beside("empty/.git")).unwrap();
    assert!(facts::before(&place.beside("empty"), scratch.clone()).await.is_none());
    assert!(!scratch.exists());
    // One that goes while the work goes on.
    let before = facts::before(repository.top(), scratch.clone()).await.unwrap();
    fs::remove_dir_all(repository.file(".git")).unwrap();
    assert_eq!(before.changed().await, None);
    assert!(!scratch.exists());
}

#[tokio::test]
async fn looking_starts_nothing_that_the_repository_names() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.beside("project")) else { return };
    let (trace, program) = (place.beside("trace"), place.beside("program"));
    program::write(&program, &format!("#!/bin/sh\necho \"$@\" >> '{}'\ncat\n", trace.display()));
    let evil = |name: &str| format!("'{}' {name}", program.display());
    let configure = |repository: &Repository| {
        repository.write(".git/info/attributes", "* filter=a=b.c diff=x\n");
        let clean = evil("clean").replace('"', "\\\"");
        repository
            .write(".git/included", &format!("[filter \"a=b.c\"]\n clean = \"{clean}\"\n required = true\n"));
        for (name, value) in [
            ("include.path", "included".to_owned()),
            ("filter.a=b.c.smudge", evil("smudge")),
            ("diff.x.textconv", evil("textconv")),
            ("diff.external", evil("external")),
            ("core.fsmonitor", evil("fsmonitor")),
        ] {
            repository.git(&["config", name, &value]);
        }
    };
    let inner = Repository::at(&repository.file("inner")).unwrap();
    repository.commit("with another repository");
    configure(&repository);
    configure(&inner);
    let found = place
        .changes(&repository, || {
            repository.write("README", "changed\n");
            inner.write("README", "changed\n");
            // The work can configure it as well.
            repository.git(&["config", "filter.a=b.c.process", &evil("process")]);
        })
        .await;
    assert_eq!(found, changes(&["README"], 1, 1));
    let told = fs::read_to_string(&trace).unwrap_or_default();
    assert_eq!(told, "");
}

#[tokio::test]
async fn nothing_is_fetched_to_see_what_has_changed() {
    let place = Place::new();
    let Some(origin) = Repository::at(&place.beside("origin")) else { return };
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = place.beside("project");
    let url = format!("file://{}", origin.top().display());
    origin.git(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, partial.to_str().unwrap()]);
    let trace = place.beside("trace");
    git(
        &partial,
        &["config", "remote.origin.uploadpack", &format!("touch '{}'; git-upload-pack", trace.display())],
    );
    git(&partial, &["read-tree", "HEAD"]);
    let before = in_time("a look", facts::before(&partial, place.beside("state/scratch"))).await;
    if let Some(before) = before {
        fs::write(partial.join("README"), "changed\n").unwrap();
        in_time("a look", before.changed()).await;
    }
    assert!(!trace.exists());
}
