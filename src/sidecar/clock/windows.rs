//! Windows: the ticks since the boot count while the machine sleeps, the unbiased interrupt time does not.

#![expect(unsafe_code, reason = "the standard library does not ask for these clocks")]

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetTickCount64() -> u64;
    fn QueryUnbiasedInterruptTime(time: *mut u64) -> i32;
}

/// Units of the interrupt time in a millisecond: each is 100 ns.
const UNITS: u64 = 10_000;

/// Since the boot, also while the machine slept.
pub(super) fn elapsed_ms() -> i64 {
    // SAFETY: it takes nothing and cannot fail.
    let ticks = unsafe { GetTickCount64() };
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

/// Since the boot, without the time that the machine slept.
pub(super) fn awake_ms() -> i64 {
    let mut time = 0;
    // SAFETY: the system writes one number. It fails only where there is nowhere to write to.
    let _ = unsafe { QueryUnbiasedInterruptTime(&raw mut time) };
    i64::try_from(time / UNITS).unwrap_or(i64::MAX)
}
