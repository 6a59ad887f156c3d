//! What somebody types while a run is waited for.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::keyboard::Keyboard;

/// Lines that were typed and not looked at yet: nobody means more than that as answers to one question, and what is beyond
/// is dropped, because a thread that waited for room would leave lines where they look like answers to a later one.
const UNREAD: usize = 8;

/// Lines as they are typed. The thread that reads them ends with the process.
///
/// A line is taken from the keyboard and put among the lines in one go, while `begun` is held, and so it is one or the
/// other that [`Typing::forget`] finds: nothing that was typed before it is given out after it.
pub(super) struct Typing {
    lines: mpsc::Receiver<String>,
    keyboard: Arc<Keyboard>,
    /// A line of which not all has come in.
    begun: Arc<Mutex<Vec<u8>>>,
}

impl Typing {
    pub(super) fn begin() -> io::Result<Typing> {
        Typing::on(Keyboard::of_stdin()?)
    }

    fn on(keyboard: Keyboard) -> io::Result<Typing> {
        let (lines, typed) = mpsc::channel(UNREAD);
        let (keyboard, begun) = (Arc::new(keyboard), Arc::new(Mutex::new(Vec::new())));
        let (from, line) = (Arc::clone(&keyboard), Arc::clone(&begun));
        let read = move || while let Ok(More::Follows) = next(&from, &line, &lines) {};
        std::thread::Builder::new().name("typing".to_owned()).spawn(read)?;
        Ok(Typing { lines: typed, keyboard, begun })
    }

    /// The next line; none if no more can come.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Nothing that was typed up to now is given out any more: what was typed for one question answers no other.
    pub(super) fn forget(&mut self) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        self.keyboard.forget();
        begun.clear();
        while self.lines.try_recv().is_ok() {}
    }
}

/// Whether more can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Follows,
    Never,
}

fn next(keyboard: &Keyboard, begun: &Mutex<Vec<u8>>, lines: &mpsc::Sender<String>) -> io::Result<More> {
    keyboard.wait()?;
    let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
    // Somebody may have forgotten meanwhile what has come in.
    let Some(bytes) = keyboard.take()? else { return Ok(More::Follows) };
    if bytes.is_empty() || lines.is_closed() {
        return Ok(More::Never);
    }
    begun.extend(bytes);
    while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = begun.drain(..=end).collect();
        let _ = lines.try_send(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned());
    }
    Ok(More::Follows)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn what_was_typed_for_one_question_answers_no_other() {
        let (typed, mut types) = io::pipe().unwrap();
        let mut typing = Typing::on(Keyboard::of(typed.into())).unwrap();
        types.write_all(b"yes\nyes\nand beg").unwrap();
        assert_eq!(typing.next().await.as_deref(), Some("yes"));
        typing.forget();
        types.write_all(b"no\n").unwrap();
        assert_eq!(typing.next().await.as_deref(), Some("no"));
        drop(types);
        assert_eq!(typing.next().await, None);
    }
}
