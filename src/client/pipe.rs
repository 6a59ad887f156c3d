//! A sidecar's stdin and stdout: one JSON value in each line.

use std::io;
use std::process::Stdio;

use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Error, Opening};

/// Starts the program. Its log goes where ours goes.
pub(super) fn spawn(opening: &Opening) -> Result<(Child, Sender, Receiver), Error> {
    let mut command = Command::new(&opening.program);
    command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
    // Ctrl-C on a terminal is for whoever asks: that the sidecar ends what it does is said to it in words.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    let cannot = |error: io::Error| {
        Error::Gone(format!("the sidecar {:?} cannot be started: {error}", opening.program))
    };
    let mut process = command.spawn().map_err(cannot)?;
    let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(Error::Gone("the sidecar was started without pipes".to_owned()));
    };
    Ok((process, Sender(input), Receiver(BufReader::new(output).lines())))
}

/// The flag of Windows for the same.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// Writes to the sidecar.
pub(super) struct Sender(ChildStdin);

impl TransportSenderT for Sender {
    type Error = io::Error;

    async fn send(&mut self, message: String) -> io::Result<()> {
        let mut line = by_name(message);
        line.push('\n');
        self.0.write_all(line.as_bytes()).await?;
        self.0.flush().await
    }
}

/// Reads from the sidecar.
pub(super) struct Receiver(Lines<BufReader<ChildStdout>>);

impl TransportReceiverT for Receiver {
    type Error = io::Error;

    async fn receive(&mut self) -> io::Result<ReceivedMessage> {
        match self.0.next_line().await? {
            Some(line) => Ok(ReceivedMessage::Text(line)),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has ended")),
        }
    }
}

/// The library ends a subscription with the identity by its place; the contract takes parameters by name only.
fn by_name(message: String) -> String {
    #[derive(Deserialize)]
    struct Farewell<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
        method: &'a str,
        params: (String,),
    }
    #[derive(Serialize)]
    struct Named<'a> {
        jsonrpc: &'static str,
        id: &'a RawValue,
        method: &'a str,
        params: Subscription,
    }
    #[derive(Serialize)]
    struct Subscription {
        subscription: String,
    }
    // Large messages are never farewells.
    const FAREWELL_BYTES: usize = 512;
    if message.len() > FAREWELL_BYTES {
        return message;
    }
    let Ok(Farewell { id, method, params: (subscription,) }) = serde_json::from_str(&message) else {
        return message;
    };
    let named = Named { jsonrpc: "2.0", id, method, params: Subscription { subscription } };
    serde_json::to_string(&named).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_by_its_place_is_given_a_name_and_all_else_is_as_it_was() {
        let farewell = r#"{"jsonrpc":"2.0","id":3,"method":"events/unsubscribe","params":["sub_1"]}"#;
        let named =
            r#"{"jsonrpc":"2.0","id":3,"method":"events/unsubscribe","params":{"subscription":"sub_1"}}"#;
        assert_eq!(by_name(farewell.to_owned()), named);
        for other in [named, r#"{"jsonrpc":"2.0","id":1,"method":"run/get","params":{"id":"run_1"}}"#] {
            assert_eq!(by_name(other.to_owned()), other);
        }
    }
}
