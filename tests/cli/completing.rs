//! `sexton completions`: shells read what is printed.

use std::process::Command;

use crate::typing::{answer, seen, sexton};

fn script(shell: &str) -> String {
    answer(&mut sexton(&["completions", shell]))
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = script(shell);
        for command in ["export", "simulate", "dry-run"] {
            assert!(script.contains(command), "{command} for {shell}");
        }
    }
    assert_eq!(seen(&mut sexton(&["completions", "tcsh"])).code, Some(2));
}

#[test]
fn bash_completes_what_is_typed() {
    let line = format!(
        "{}\nCOMP_WORDS=(sexton ex); COMP_CWORD=1; COMPREPLY=(); _sexton sexton ex sexton; echo \"${{COMPREPLY[@]}}\"",
        script("bash")
    );
    let output = Command::new("bash").args(["--norc", "-c", &line]).output().expect("bash");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "export\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
