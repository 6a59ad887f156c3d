//! The programs that the configuration of a repository names, and which git would start by itself.

use super::{Git, NoAnswer};

/// The same git, which starts none of them. What the user has configured for all repositories stays in force.
///
/// Whoever may write in a repository may also configure it, the work that is looked at included. So this is asked anew
/// each time.
pub(super) async fn without(git: &Git) -> Result<Git, NoAnswer> {
    let listed = git.bytes(&["config", "--show-scope", "--includes", "--list", "-z"]).await?;
    Ok(git.clone().configured(blanks(&listed)))
}

/// Reads `SCOPE nul NAME newline VALUE nul`, over and over.
fn blanks(listed: &[u8]) -> Vec<(String, &'static str)> {
    let mut parts = listed.split(|byte| *byte == 0);
    let mut blanks = Vec::new();
    while let (Some(scope), Some(entry)) = (parts.next(), parts.next()) {
        let name = entry.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        if matches!(scope, b"local" | b"worktree")
            && let Some(blank) = blank(&name)
        {
            blanks.push((name, blank));
        }
    }
    blanks.sort_unstable();
    blanks.dedup();
    blanks
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
            local\0filter.a.b=c.clean\nworse\0";
        let blanks = blanks(listed);
        let blanks: Vec<(&str, &str)> = blanks.iter().map(|(name, blank)| (name.as_str(), *blank)).collect();
        assert_eq!(
            blanks,
            [
                ("core.sshcommand", ""),
                ("credential.helper", ""),
                ("credential.https://x.helper", ""),
                ("filter.a.b=c.clean", ""),
                ("filter.x.required", "false"),
            ]
        );
    }
}
