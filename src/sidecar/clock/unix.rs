//! Unix: through the C library, like everything else that asks for the time.

/// Goes on while the machine sleeps.
#[cfg(target_os = "macos")]
const ELAPSED: libc::clockid_t = libc::CLOCK_MONOTONIC_RAW;
#[cfg(not(target_os = "macos"))]
const ELAPSED: libc::clockid_t = libc::CLOCK_BOOTTIME;

/// Stands still meanwhile.
#[cfg(target_os = "macos")]
const AWAKE: libc::clockid_t = libc::CLOCK_UPTIME_RAW;
#[cfg(not(target_os = "macos"))]
const AWAKE: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// Since the boot, also while the machine slept.
pub(super) fn elapsed_ms() -> i64 {
    milliseconds(ELAPSED)
}

/// Since the boot, without the time that the machine slept.
pub(super) fn awake_ms() -> i64 {
    milliseconds(AWAKE)
}

fn milliseconds(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "the standard library does not ask for these clocks")]
    // SAFETY: the system writes one `timespec`. It cannot fail: both clocks are there wherever this is built.
    let _ = unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
