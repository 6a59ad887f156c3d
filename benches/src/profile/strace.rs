//! What `strace` has written: a line for each system call, with the time at which it began.

use std::ops::Range;

/// How many system calls began within this span, in milliseconds since the Unix epoch.
///
/// A line is `4711 1763805600.123456 read(0, …) = 7`. A call that others came between has a second line, which begins with
/// `<... read resumed>`; signals and ends of processes have lines of their own.
pub(super) fn calls(log: &str, span: Range<f64>) -> usize {
    let began = |line: &str| {
        let (_, rest) = line.split_once(' ')?;
        let (at, call) = rest.trim_start().split_once(' ')?;
        let at_ms = at.parse::<f64>().ok()? * 1e3;
        let is_call = call.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        is_call.then_some(at_ms)
    };
    log.lines().filter_map(began).filter(|at_ms| span.contains(at_ms)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_within_the_span_counts_once() {
        let log = "7 1000.000001 execve(\"x\", [\"x\"], 0x7 /* 3 vars */) = 0\n\
                   7 1000.500000 read(0,  <unfinished ...>\n\
                   8 1000.600000 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1\n\
                   7 1000.700000 <... read resumed>\"\", 5) = 0\n\
                   8 1000.800000 --- SIGCHLD {si_signo=SIGCHLD} ---\n\
                   8 1000.900000 +++ exited with 0 +++\n\
                   7 1001.000000 exit_group(0) = ?\n";
        assert_eq!(calls(log, 0.0..f64::INFINITY), 4);
        assert_eq!(calls(log, 1_000_400.0..1_000_999.0), 2);
    }
}
