//! A double of the core: answers at the profile's socket and remembers what it was asked.

use crate::desk::Desk;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

/// What the double says to one call.
pub(crate) enum Say {
    /// A result.
    Result(Value),
    /// A result, and events after it.
    Then(Value, Vec<Value>),
    /// An error of this kind and exit code.
    Fails(&'static str, i64),
    /// These bytes as they are.
    Raw(Vec<u8>),
    /// Nothing: the connection ends.
    HangUp,
}

type Script = dyn Fn(&str, &Value) -> Say + Send + Sync;

/// Calls so far: method and parameters, without `hello`.
pub(crate) struct Fake {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Fake {
    /// Listens for `desk`; `hello` says that the profile is `state`.
    pub(crate) fn new(
        desk: &Desk,
        state: &'static str,
        script: impl Fn(&str, &Value) -> Say + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(desk.run_folder().join("rpc.sock")).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let known = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, calls) = (Arc::clone(&script), Arc::clone(&known));
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, state, &script, &calls));
            }
        });
        Self { calls }
    }

    /// An open profile where every call gets the same result.
    pub(crate) fn always(desk: &Desk, result: Value) -> Self {
        Self::new(desk, "unlocked", move |_, _| Say::Result(result.clone()))
    }

    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|(method, _)| method).collect()
    }
}

fn serve(
    stream: UnixStream,
    state: &str,
    script: &Arc<Script>,
    calls: &Mutex<Vec<(String, Value)>>,
) {
    let mut writer = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(request["jsonrpc"], "2.0");
        let (id, method, params) = (&request["id"], &request["method"], &request["params"]);
        let method = method.as_str().unwrap();
        let say = if method == "hello" {
            assert_eq!(params["client"], "cli");
            Say::Result(json!({ "v": 1, "build": env!("CARGO_PKG_VERSION"), "profile": state }))
        } else {
            calls.lock().unwrap().push((method.to_owned(), params.clone()));
            script(method, params)
        };
        let answer = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result });
        let mut lines = Vec::new();
        match say {
            Say::Result(result) => lines.push(answer(result)),
            Say::Then(result, events) => {
                lines.push(answer(result));
                lines.extend(
                    events.into_iter().map(
                        |event| json!({ "jsonrpc": "2.0", "method": "event", "params": event }),
                    ),
                );
            }
            Say::Fails(kind, code) => lines.push(json!({
                "jsonrpc": "2.0",
                "id": id,
                "error": {
                    "code": -32000 - code,
                    "message": "It failed. Nothing was sent.",
                    "data": {
                        "kind": kind,
                        "message": "It failed. Nothing was sent.",
                        "hint": "Do this.",
                    },
                },
            })),
            Say::Raw(bytes) => {
                // A reader that has left is what some tests are about.
                let _ = writer.write_all(&bytes);
                continue;
            }
            Say::HangUp => return,
        }
        for line in lines {
            if writeln!(writer, "{line}").is_err() {
                return;
            }
        }
    }
}

pub(crate) fn status() -> Value {
    json!({
        "profile": "unlocked",
        "line": "Tor ok · mailbox A answered 12 s ago · 2 queued",
        "mode": "fast",
        "usual_delay": "usual delay here: 5–20 s",
        "tor": {
            "stage": "ready", "percent": 100, "blockage": null, "ready": true,
            "vanguards": "full", "private_network": false,
        },
        "mailboxes": [mailbox()],
        "queued": 2, "stored": 1, "unread": 3, "unconfirmed": 0,
        "blocked": [],
        "warnings": ["process isolation is not active in this version"],
    })
}

pub(crate) fn mailbox() -> Value {
    json!({
        "address": "aaaaonionaddress.onion",
        "answered_ago": 12, "failures": 0, "reason": null, "alarm": false,
    })
}

pub(crate) fn contact(name: &str) -> Value {
    json!({
        "id": "c_01", "name": name, "state": "verified", "since": 1_700_000_000,
        "pending": 1, "unread": 2,
    })
}

pub(crate) fn message(id: &str, state: &str, text: &str) -> Value {
    json!({
        "id": id, "row": 7, "contact": "bob", "state": state, "text": text,
        "sent": 1_700_000_000, "saved": 1_700_000_000, "unconfirmed": false,
    })
}

pub(crate) fn invite(state: &str) -> Value {
    let uri = if state == "ready" { json!("pvtcoms:i1/abcdefgh234567") } else { Value::Null };
    json!({
        "id": "i_01", "name": "bob", "ours": true, "state": state,
        "expires": 1_700_000_000, "uri": uri, "contact": null,
    })
}

pub(crate) fn event(id: u32, kind: &str, message: Value) -> Value {
    json!({
        "id": format!("e_{id}"), "type": kind, "contact": "bob", "message": message,
        "text": format!("{kind} happened"), "at": 1_700_000_000,
    })
}
