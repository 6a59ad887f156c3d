//! How a sidecar knows that it is not needed any more: the process that it works for ends, or closes its stdin.

use std::io;

use super::process;

/// A process that is held by a handle, so that another one with the same pid cannot be taken for it.
pub struct Watched(process::Watched);

impl Watched {
    /// Begins to watch the process that has this pid now. To be called inside the runtime.
    ///
    /// # Errors
    /// When there is no such process, or the system does not let it be watched.
    pub fn begin(pid: u32) -> io::Result<Self> {
        process::Watched::begin(pid).map(Self)
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        self.0.ended().await;
    }
}

/// Resolves when nobody can write to stdin any more, also while what was written before has not been read: who
/// reads comes upon the end only behind that. Never where the system does not tell.
pub async fn stdin_hung_up() {
    process::stdin_hung_up().await;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Longer than any process takes to end.
    const DEADLINE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn the_end_of_a_process_is_told_also_to_who_asks_later() {
        let mut process = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let watched = Watched::begin(process.id()).unwrap();
        let early = timeout(Duration::from_millis(50), watched.ended()).await;
        assert!(early.is_err(), "it lives");
        drop(process.stdin.take());
        timeout(DEADLINE, watched.ended()).await.unwrap();
        timeout(DEADLINE, watched.ended()).await.unwrap();
        // It is a zombie until it has been waited for, and that is no life.
        let zombie = Watched::begin(process.id()).unwrap();
        timeout(DEADLINE, zombie.ended()).await.unwrap();
        process.wait().unwrap();
        timeout(DEADLINE, watched.ended()).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_process_cannot_be_watched() {
        // Linux gives no pid beyond 2^22, and none is zero.
        for pid in [0, 5_000_000, u32::MAX] {
            assert!(Watched::begin(pid).is_err(), "{pid}");
        }
    }
}
