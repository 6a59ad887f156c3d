//! What `callgrind` has written: how many instructions there were, and who called whom how often.

use std::collections::HashMap;

/// What one dump tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Instructions of all threads.
    pub(super) instructions: u64,
    /// Calls of what the C library gives memory with.
    pub(super) allocations: u64,
}

/// What gives memory. What calls another of these inside the C library does so without its name.
const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];

/// Reads a dump; none if it is no whole one.
///
/// A function is named where it comes first, as in `cfn=(12) malloc`, and later by its number alone; `calls=3 …` follows
/// the line that names who is called.
pub(super) fn read(dump: &str) -> Option<Counted> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut counted = Counted::default();
    let (mut called, mut whole) = ("", false);
    for line in dump.lines() {
        let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
        match key {
            "fn" | "cfn" => {
                let (number, name) = value.split_once(' ').unwrap_or((value, ""));
                if !name.is_empty() {
                    names.insert(number, name);
                }
                if key == "cfn" {
                    called = names.get(number).copied().unwrap_or_default();
                }
            }
            "calls" if ALLOCATORS.contains(&called) => {
                counted.allocations += value.split(' ').next()?.parse::<u64>().ok()?;
            }
            "summary" | "totals" => {
                counted.instructions = value.trim().split(' ').next()?.parse().ok()?;
                whole = true;
            }
            _ => {}
        }
    }
    whole.then_some(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_allocator_are_counted_whoever_makes_them() {
        let dump = "version: 1\nevents: Ir\nsummary: 1234\n\nfn=(1) main\n16 400\ncfn=(2) malloc\ncalls=3 0\n16 90\n\
                    cfn=(3) other\ncalls=7 0\n16 5\n\nfn=(3)\n17 2\ncfn=(2)\ncalls=1 0\n17 30\n\ntotals: 1234\n";
        assert_eq!(read(dump), Some(Counted { instructions: 1234, allocations: 4 }));
        assert_eq!(read("version: 1\n"), None);
    }
}
