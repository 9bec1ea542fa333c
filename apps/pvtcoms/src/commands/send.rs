//! `send`: saving a message, and waiting for what becomes of it (product.md 6).

use super::waiting;
use crate::args::{Send, WaitFor};
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done, Sent};
use daemon::types::view::{Message, MessageState};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Longest text, in bytes.
const TEXT_MAX: u64 = 256 * 1024;

/// What `--recall` and `--retry` print.
#[derive(Serialize)]
struct Changed<'a> {
    message: &'a str,
    state: &'static str,
}

/// Queues a message, takes one back, or queues one again.
pub(crate) fn run(face: &Face<'_>, arguments: Send) -> Outcome {
    let Send { contact, text, file, wait, timeout, recall, retry, key } = arguments;
    if let (Some(contact), Some(path)) = (&contact, file) {
        return super::files::send(face, contact, &path, wait, Duration::from_secs(timeout));
    }
    let text = match text.as_deref() {
        Some("-") => Some(ask::stdin_text(TEXT_MAX)?),
        _ => text,
    };
    let mut client = face.open(true)?;
    if let Some(message) = recall {
        let _: Done = client.call(Call::Recall { message: message.clone() })?;
        let changed = Changed { message: &message, state: "recalled" };
        return face.out.item(&changed, || "taken back: nothing of it has left".to_owned());
    }
    if wait.is_some() {
        subscribe(&mut client)?;
    }
    let message = match (retry, contact, text) {
        (Some(message), _, _) => {
            let _: Done = client.call(Call::Retry { message: message.clone() })?;
            let changed = Changed { message: &message, state: "queued" };
            face.out.item(&changed, || format!("{message} queued again"))?;
            message
        }
        (None, Some(contact), Some(text)) => {
            let sent: Sent = client.call(Call::Send { contact, text, key })?;
            face.out.item(&sent, || format!("{} {}", sent.message, show::state(sent.state)))?;
            face.out.note(&plain(&sent.usual_delay));
            sent.message
        }
        _ => return Err(Fault::wrong_use("Nothing to send.", "See `pvtcoms send --help`.")),
    };
    match wait {
        Some(state) => follow(face, client, &message, state, Duration::from_secs(timeout)),
        None => Ok(()),
    }
}

fn subscribe(client: &mut Client) -> Outcome {
    client.call::<Done>(Call::Subscribe { name: String::new(), after: None }).map(drop)
}

/// Waits until the message is where it was to be, or failed, or the time is over (PRD-13: 3).
fn follow(
    face: &Face<'_>,
    mut client: Client,
    id: &str,
    wanted: WaitFor,
    timeout: Duration,
) -> Outcome {
    let progress = waiting::Progress::new(face, &format!("waiting until {}", wanted.word()));
    let deadline = Instant::now().checked_add(timeout);
    loop {
        // Asked anew at every event of this message: an event may be older than the state.
        let ends = match client.call::<Message>(Call::Message { message: id.to_owned() }) {
            Ok(message) if wanted.reached(message.state) => {
                drop(progress);
                return face
                    .out
                    .item(&message, || format!("{} {}", message.id, show::state(message.state)));
            }
            Ok(message) if message.state == MessageState::Failed => return Err(failed(&message)),
            Ok(message) => next_event_of(&mut client, &message.id, deadline),
            Err(fault) => Err(fault),
        };
        match ends {
            Ok(true) => {}
            Ok(false) => return Err(late(id, wanted, timeout)),
            Err(Fault::Gone) => {
                client = waiting::again(face, true)?.0;
                subscribe(&mut client)?;
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Waits for the next event of a message; says whether one came before the deadline.
fn next_event_of(client: &mut Client, id: &str, deadline: Option<Instant>) -> Outcome<bool> {
    while let Some(event) = client.event(deadline)? {
        if event.message.is_some_and(|message| message.id == id) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn failed(message: &Message) -> Fault {
    Fault::new(
        ErrorKind::Unreachable,
        format!("The message failed: {}. Its text is kept.", show::why(message.why)),
        format!("Look at `pvtcoms status`, then run `pvtcoms send --retry {}`.", message.id),
    )
}

fn late(id: &str, wanted: WaitFor, timeout: Duration) -> Fault {
    Fault::new(
        ErrorKind::Unreachable,
        format!(
            "Not {} within {} s. The message {id} is saved and goes on by itself.",
            wanted.word(),
            timeout.as_secs()
        ),
        "Look with `pvtcoms status`, or wait longer with --timeout.",
    )
}
