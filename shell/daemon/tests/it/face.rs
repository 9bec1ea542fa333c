//! A face: blocking, line by line.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Nothing in these tests takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) struct Face {
    reader: BufReader<UnixStream>,
    last_id: u64,
    events: VecDeque<Value>,
}

impl Face {
    /// Connects without a hello.
    pub(crate) fn stranger(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { reader: BufReader::new(stream), last_id: 0, events: VecDeque::new() }
    }

    pub(crate) fn new(socket: &Path) -> Self {
        let mut face = Self::stranger(socket);
        face.ok("hello", json!({ "client": "test", "interactive": true }));
        face
    }

    /// How long [`Self::line`] waits.
    pub(crate) fn patience(&self, patience: Duration) {
        self.reader.get_ref().set_read_timeout(Some(patience)).unwrap();
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// Whether the core still takes bytes.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.reader.get_mut().write_all(bytes).is_ok()
    }

    /// The next line; `None` when the core has closed.
    pub(crate) fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    fn answer(&mut self, id: &Value) -> Value {
        loop {
            let line = self.line().expect("the core answers");
            if line["method"] == "event" {
                self.events.push_back(line["params"].clone());
            } else if line["id"] == *id {
                return line;
            }
        }
    }

    pub(crate) fn raw(&mut self, line: &str) -> Value {
        self.write(line.as_bytes());
        self.write(b"\n");
        self.line().expect("the core answers")
    }

    pub(crate) fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last_id += 1;
        let id = json!(self.last_id);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.write(request.to_string().as_bytes());
        self.write(b"\n");
        let mut answer = self.answer(&id);
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    #[track_caller]
    pub(crate) fn ok(&mut self, method: &str, params: Value) -> Value {
        self.call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The code and the kind of the error that a call must bring.
    #[track_caller]
    pub(crate) fn err(&mut self, method: &str, params: Value) -> (i64, String) {
        let error = self.call(method, params).expect_err(method);
        assert!(!error["message"].as_str().unwrap().is_empty());
        let kind = error["data"]["kind"].as_str().unwrap_or_default().to_owned();
        (error["code"].as_i64().unwrap(), kind)
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        let line = self.line().expect("an event comes");
        assert_eq!(line["method"], "event", "{line}");
        line["params"].clone()
    }

    /// Skips events until one fits.
    pub(crate) fn event_with(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.event();
            if fits(&event) {
                return event;
            }
        }
    }

    /// Asks until the answer fits.
    #[track_caller]
    pub(crate) fn until(
        &mut self,
        method: &str,
        params: &Value,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.call(method, params.clone()).unwrap_or_else(|error| error);
            if fits(&answer) {
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "{method}: {answer}");
            std::thread::sleep(LOOK);
        }
    }
}
