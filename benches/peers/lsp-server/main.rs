//! A server on the `lsp-server` crate, which answers what it was told to answer.
//!
//! It is written as that crate's own examples are: the loop runs on the main thread, parameters are extracted
//! into a type, and the answer is serialised for each request.

use std::collections::HashMap;
use std::error::Error;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use serde::Deserialize;
use serde_json::Value;

/// What a method is answered from now on.
#[derive(Deserialize)]
struct Answer {
    method: String,
    result: Value,
}

fn main() -> Result<(), Box<dyn Error + Sync + Send>> {
    let (connection, threads) = Connection::stdio();
    let (id, _) = connection.initialize_start()?;
    let answer: Value = serde_json::from_str(include_str!("../initialize.json"))?;
    connection.sender.send(Response::new_ok(id, answer).into())?;
    serve(&connection)?;
    // The writer ends when nobody can send any more.
    drop(connection);
    threads.join()?;
    Ok(())
}

fn serve(connection: &Connection) -> Result<(), Box<dyn Error + Sync + Send>> {
    let mut answers: HashMap<String, Value> = HashMap::new();
    for message in &connection.receiver {
        match message {
            Message::Request(request) if connection.handle_shutdown(&request)? => return Ok(()),
            Message::Request(request) => connection.sender.send(answer(&answers, request).into())?,
            Message::Notification(Notification { method, params }) if method == "peer/answer" => {
                let answer: Answer = serde_json::from_value(params)?;
                answers.insert(answer.method, answer.result);
            }
            Message::Notification(_) | Message::Response(_) => {}
        }
    }
    Ok(())
}

fn answer(answers: &HashMap<String, Value>, request: Request) -> Response {
    #[derive(Deserialize)]
    struct Params {
        #[serde(rename = "id")]
        _id: Option<String>,
    }
    let (id, method) = (request.id.clone(), request.method.clone());
    match (request.extract::<Params>(&method), answers.get(&method)) {
        (Ok(_), Some(result)) => Response::new_ok(id, result),
        (Err(_), _) => Response::new_err(id, ErrorCode::InvalidParams as i32, "no parameters".to_owned()),
        (_, None) => Response::new_err(id, ErrorCode::MethodNotFound as i32, method),
    }
}
