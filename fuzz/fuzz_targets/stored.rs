//! See `tests/fuzzed/bodies/stored.rs`.

#![no_main]

#[path = "../../tests/fuzzed/bodies/mod.rs"]
#[allow(dead_code, reason = "each target calls one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::stored::check(input));
