//! The programs that the configuration of a repository names, and which git would start by itself.

use super::{Git, NoAnswer};

/// The same git, which starts none of them. What the user has configured for all repositories stays in force.
///
/// Whoever may write in a repository may also configure it, the work that is looked at included. So this is asked anew
/// each time.
pub(super) async fn without(git: &Git) -> Result<Git, NoAnswer> {
    Ok(git.clone().configured(blanks(&list(git).await?, blank)))
}

/// The same git, which starts no hooks, whoever has configured them. Where hooks are files, that is said once for all of
/// them (`core.hooksPath`); later versions of git also take them from settings, each by a name of its own.
pub(in crate::exec) async fn without_hooks(git: &Git) -> Result<Git, NoAnswer> {
    Ok(git.clone().configured(blanks(&list(git).await?, |_| None)))
}

async fn list(git: &Git) -> Result<Vec<u8>, NoAnswer> {
    git.bytes(&["config", "--show-scope", "--includes", "--list", "-z"]).await
}

/// Reads `SCOPE nul NAME newline VALUE nul`, over and over.
fn blanks(listed: &[u8], of_repository: fn(&str) -> Option<&'static str>) -> Vec<(String, &'static str)> {
    let mut parts = listed.split(|byte| *byte == 0);
    let mut blanks = Vec::new();
    while let (Some(scope), Some(entry)) = (parts.next(), parts.next()) {
        let name = entry.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let own = matches!(scope, b"local" | b"worktree");
        if let Some(blank) = event_of_a_hook(&name).or_else(|| of_repository(&name).filter(|_| own)) {
            blanks.push((name, blank));
        }
    }
    blanks.sort_unstable();
    blanks.dedup();
    blanks
}

/// An empty event takes back all events of the hook of this name, so that it is never its turn.
fn event_of_a_hook(name: &str) -> Option<&'static str> {
    (name.starts_with("hook.") && name.ends_with(".event")).then_some("")
}

/// What such a setting is to be so that it names nothing. Git tells the first and the last part of a name in lower case.
fn blank(name: &str) -> Option<&'static str> {
    let (section, rest) = name.split_once('.')?;
    let last = rest.rsplit('.').next()?;
    match (section, last) {
        ("filter", "required") => Some("false"),
        ("filter", "clean" | "smudge" | "process")
        | ("core", "sshcommand" | "gitproxy" | "askpass" | "editor" | "pager" | "alternaterefscommand")
        | ("credential", "helper")
        | ("diff", "external" | "command" | "textconv")
        | ("merge", "driver")
        | ("gpg", "program" | "defaultkeycommand")
        | ("remote", "uploadpack" | "receivepack" | "vcs") => Some(""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_repository_names_is_blank_and_nothing_else() {
        let listed = b"global\0filter.lfs.clean\ngit-lfs clean\0local\0filter.a.b=c.clean\nevil\n--now\0\
            worktree\0filter.x.required\0local\0core.sshcommand\nevil\0local\0core.bare\nfalse\0\
            local\0credential.https://x.helper\nevil\0local\0credential.helper\nevil\0\
            local\0filter.a.b=c.clean\nworse\0local\0hook.a.b.event\npost-checkout\0local\0hook.a.b.command\nevil\0\
            global\0hook.mine.event\npost-checkout\0";
        let hooks = [("hook.a.b.event".to_owned(), ""), ("hook.mine.event".to_owned(), "")];
        assert_eq!(blanks(listed, |_| None), hooks);
        let blanks = blanks(listed, blank);
        let blanks: Vec<(&str, &str)> = blanks.iter().map(|(name, blank)| (name.as_str(), *blank)).collect();
        assert_eq!(
            blanks,
            [
                ("core.sshcommand", ""),
                ("credential.helper", ""),
                ("credential.https://x.helper", ""),
                ("filter.a.b=c.clean", ""),
                ("filter.x.required", "false"),
                ("hook.a.b.event", ""),
                ("hook.mine.event", ""),
            ]
        );
    }
}
