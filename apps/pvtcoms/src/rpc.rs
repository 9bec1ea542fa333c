//! The face's side of the RPC: JSON-RPC 2.0, one object a line (product.md 9).

use crate::fault::{Fault, Outcome};
use daemon::types::MAX_LINE;
use daemon::types::error::{ErrorKind, Failure};
use daemon::types::method::{Call, Welcome};
use daemon::types::view::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

/// How long an ordinary answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long making or opening a profile may take: Argon2id on a small machine.
const ANSWER_SLOW: Duration = Duration::from_secs(180);
/// Room for one request, so that a passphrase in it is not left behind by a growing buffer.
const REQUEST_ROOM: usize = 8 * 1024;

/// A connection to the core.
pub(crate) struct Client {
    reader: BufReader<UnixStream>,
    /// The part of a line that has come so far.
    line: Vec<u8>,
    last_id: u64,
    events: VecDeque<Event>,
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    #[serde(flatten)]
    call: &'a Call,
}

/// An answer or an event.
#[derive(Deserialize)]
struct Incoming {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    code: i64,
    message: String,
    #[serde(default)]
    data: Value,
}

impl Client {
    /// Connects and says hello.
    ///
    /// # Errors
    /// The system's error when nobody listens at `socket`.
    pub(crate) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(ANSWER))?;
        let reader = BufReader::new(stream);
        Ok(Self { reader, line: Vec::new(), last_id: 0, events: VecDeque::new() })
    }

    /// First call of a connection.
    pub(crate) fn hello(&mut self, interactive: bool) -> Outcome<Welcome> {
        self.call(Call::Hello { client: "cli".to_owned(), interactive })
    }

    /// Asks and waits for the answer. Events that come meanwhile are kept.
    pub(crate) fn call<T: DeserializeOwned>(&mut self, mut call: Call) -> Outcome<T> {
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        let mut request = Zeroizing::new(Vec::with_capacity(REQUEST_ROOM));
        let written =
            serde_json::to_writer(&mut *request, &Request { jsonrpc: "2.0", id, call: &call });
        request.push(b'\n');
        let mut patience = ANSWER;
        match &mut call {
            Call::Create { passphrase, .. } | Call::Unlock { passphrase } => {
                passphrase.zeroize();
                patience = ANSWER_SLOW;
            }
            Call::Backup { passphrase, .. } => passphrase.zeroize(),
            Call::Restore { file_passphrase, passphrase, .. } => {
                file_passphrase.zeroize();
                passphrase.zeroize();
            }
            _ => {}
        }
        written
            .map_err(|_| Fault::internal("The request could not be written. Nothing was done."))?;
        if request.len() > MAX_LINE {
            return Err(Fault::new(
                ErrorKind::TooLong,
                "This is too long for one request. Nothing was done.",
                "A message has at most 256 KiB.",
            ));
        }
        self.reader.get_mut().write_all(&request).map_err(|_| Fault::Gone)?;
        let deadline = Instant::now().checked_add(patience);
        loop {
            let Some(incoming) = self.incoming(deadline)? else {
                return Err(Fault::new(
                    ErrorKind::Internal,
                    "The core does not answer. Whether the request was done is not known.",
                    "Look with `pvtcoms status`; if that hangs too, `pvtcoms stop` and try again.",
                ));
            };
            match incoming {
                Incoming { error: Some(error), id: None, .. } => return Err(told(error)),
                Incoming { error: Some(error), id: Some(of), .. } if of == id => {
                    return Err(told(error));
                }
                Incoming { result, id: Some(of), .. } if of == id => {
                    return serde_json::from_value(result).map_err(|_| not_understood());
                }
                other => self.keep(other)?,
            }
        }
    }

    /// The next event; nothing when `deadline` has passed.
    pub(crate) fn event(&mut self, deadline: Option<Instant>) -> Outcome<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.incoming(deadline)? {
                Some(incoming) => self.keep(incoming)?,
                None => return Ok(None),
            }
        }
    }

    fn keep(&mut self, incoming: Incoming) -> Outcome {
        match incoming.method.as_deref() {
            Some("event") => {
                let event =
                    serde_json::from_value(incoming.params).map_err(|_| not_understood())?;
                self.events.push_back(event);
                Ok(())
            }
            // A newer core may tell more than is known here.
            Some(_) => Ok(()),
            // An answer to nothing that was asked.
            None => Err(not_understood()),
        }
    }

    /// One line, parsed; nothing when `deadline` has passed.
    fn incoming(&mut self, deadline: Option<Instant>) -> Outcome<Option<Incoming>> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            self.reader.get_ref().set_read_timeout(left).map_err(|_| Fault::Gone)?;
            let room = MAX_LINE.saturating_add(1).saturating_sub(self.line.len());
            let room = u64::try_from(room).unwrap_or(u64::MAX);
            match self.reader.by_ref().take(room).read_until(b'\n', &mut self.line) {
                Ok(_) if self.line.ends_with(b"\n") => {
                    let parsed = serde_json::from_slice(&self.line);
                    self.line.clear();
                    return parsed.map(Some).map_err(|_| not_understood());
                }
                Ok(_) if self.line.len() > MAX_LINE => return Err(not_understood()),
                Ok(_) => return Err(Fault::Gone),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(None),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(Fault::Gone),
                },
            }
        }
    }
}

/// The core's error, with the kind that it names or that its code means (PRD-18).
fn told(error: RpcError) -> Fault {
    if let Ok(failure) = serde_json::from_value::<Failure>(error.data) {
        return Fault::Told(failure);
    }
    let kind = match (-32000_i64).saturating_sub(error.code) {
        1 => ErrorKind::WrongUse,
        3 => ErrorKind::Unreachable,
        4 => ErrorKind::Blocked,
        5 => ErrorKind::Rate,
        6 => ErrorKind::Locked,
        7 => ErrorKind::Storage,
        8 => ErrorKind::Sandbox,
        _ => ErrorKind::Internal,
    };
    Fault::new(kind, error.message, "Run `pvtcoms doctor`: the programs may be of two versions.")
}

fn not_understood() -> Fault {
    Fault::internal("The core answered something that this program does not understand.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_json_rpc_2() {
        let call = Call::Status {};
        let text = serde_json::to_string(&Request { jsonrpc: "2.0", id: 7, call: &call });
        assert_eq!(
            text.expect("prints"),
            r#"{"jsonrpc":"2.0","id":7,"method":"status","params":{}}"#
        );
    }

    #[test]
    fn prd_18_errors_keep_their_kind_also_without_data() {
        let data = serde_json::json!({ "kind": "key_changed", "message": "m", "hint": "h" });
        let fault = told(RpcError { code: -32004, message: "m".into(), data });
        assert!(fault.is(ErrorKind::KeyChanged));
        let fault = told(RpcError { code: -32006, message: "m".into(), data: Value::Null });
        assert!(fault.is(ErrorKind::Locked));
        let fault = told(RpcError { code: -32601, message: "m".into(), data: Value::Null });
        assert!(fault.is(ErrorKind::Internal));
    }
}
