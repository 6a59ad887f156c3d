//! What somebody types while a run is waited for.

use std::io::{self, BufRead};

use tokio::sync::mpsc;

/// Lines that were typed and not looked at yet: nobody types ahead of a question by more.
const UNREAD: usize = 1;

/// Lines as they are typed. The thread that reads them ends with the process.
pub(super) struct Typing(mpsc::Receiver<String>);

impl Typing {
    pub(super) fn begin() -> io::Result<Typing> {
        let (lines, typed) = mpsc::channel(UNREAD);
        let read = move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if lines.blocking_send(line).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("typing".to_owned()).spawn(read)?;
        Ok(Typing(typed))
    }

    /// The next line; none if no more can come.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }
}
