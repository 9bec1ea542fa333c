//! JSON-RPC 2.0: a line in, a line out.

use crate::types::error::Failure;
use crate::types::method::Call;
use crypto::Zeroizing;
use jsonrpsee_types::{
    ErrorCode, ErrorObject, ErrorObjectOwned, Id, InvalidRequest, Notification, Request, Response,
    ResponsePayload,
};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A line that is no call, as its answer says it.
pub(super) struct Refusal {
    pub(super) id: Id<'static>,
    pub(super) error: ErrorObjectOwned,
}

/// Reads one line (RPC-2).
pub(super) fn parse(line: &[u8]) -> Result<(Id<'static>, Call), Refusal> {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(line) else {
        return Err(not_a_request(line));
    };
    let id = request.id.clone().into_owned();
    if !Call::METHODS.contains(&&*request.method) {
        return Err(Refusal { id, error: ErrorCode::MethodNotFound.into() });
    }
    let params = request.params.as_ref().map_or("{}", |raw| raw.get());
    // The method is one of ours, so that it needs no escaping.
    let call = Zeroizing::new(format!(r#"{{"method":"{}","params":{params}}}"#, request.method));
    match serde_json::from_str(&call) {
        Ok(call) => Ok((id, call)),
        // serde's own text could repeat what was sent.
        Err(_) => Err(Refusal { id, error: ErrorCode::InvalidParams.into() }),
    }
}

fn not_a_request(line: &[u8]) -> Refusal {
    if serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return Refusal { id: Id::Null, error: ErrorCode::ParseError.into() };
    }
    let id = serde_json::from_slice::<InvalidRequest<'_>>(line)
        .map_or(Id::Null, |request| request.id.into_owned());
    Refusal { id, error: ErrorCode::InvalidRequest.into() }
}

/// The line that answers call `id`.
pub(super) fn answer(id: Id<'_>, result: Result<Value, Failure>) -> Zeroizing<Vec<u8>> {
    match result {
        Ok(value) => line(&Response::new(ResponsePayload::success(value), id)),
        Err(failure) => error(id, failed(&failure)),
    }
}

/// The line that refuses what call `id` was to be.
pub(super) fn error(id: Id<'_>, error: ErrorObjectOwned) -> Zeroizing<Vec<u8>> {
    line(&Response::<Value>::new(ResponsePayload::error(error), id))
}

/// The line of a notification.
pub(super) fn notification(method: &str, params: &impl Serialize) -> Zeroizing<Vec<u8>> {
    line(&Notification::new(method.into(), params))
}

/// The line is longer than a line may be.
pub(super) fn oversize() -> ErrorObjectOwned {
    ErrorObject::owned(ErrorCode::InvalidRequest.code(), "the line is too long", None::<()>)
}

/// PRD-18: the code is −32000 minus the exit code; `data` holds the kind and the next step.
fn failed(failure: &Failure) -> ErrorObjectOwned {
    ErrorObject::owned(failure.kind.rpc_code(), failure.message.clone(), Some(failure))
}

fn line(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    // Fails only for maps with keys that are no text; there are none here.
    if serde_json::to_writer(&mut *bytes, object).is_err() {
        bytes.clear();
    }
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::error::ErrorKind;

    fn code(line: &str) -> i32 {
        parse(line.as_bytes()).err().map_or(0, |refusal| refusal.error.code())
    }

    #[test]
    fn prd_18_calls_are_read_and_anything_else_is_refused_by_code() {
        let (id, call) = parse(br#"{"jsonrpc":"2.0","id":"a","method":"status"}"#).ok().unwrap();
        assert_eq!((id, call), (Id::Str("a".into()), Call::Status {}));
        let new = r#"{"jsonrpc":"2.0","id":1,"method":"send","params":{"later":1,"text":"\"","contact":"a"}}"#;
        let (_, call) = parse(new.as_bytes()).ok().unwrap();
        let sent = Call::Send { contact: "a".into(), text: "\"".into(), key: String::new() };
        assert_eq!(call, sent);

        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"export.keys"}"#), -32601);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"send","params":{}}"#), -32602);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"send","params":[1]}"#), -32602);
        assert_eq!(code(r#"{"id":1,"method":"status"}"#), -32600);
        assert_eq!(code(r#"[{"jsonrpc":"2.0","id":1,"method":"status"}]"#), -32600);
        assert_eq!(code(r#"{"jsonrpc":"2.0","method":"status"}"#), -32600);
        assert_eq!(code("{"), -32700);
        assert_eq!(code("\u{7f}"), -32700);
    }

    #[test]
    fn prd_18_a_failure_is_a_code_a_kind_and_a_hint() {
        let failure = Failure {
            kind: ErrorKind::KeyChanged,
            message: "Nothing was sent.".into(),
            hint: "Compare words.".into(),
        };
        let line = answer(Id::Number(7), Err(failure));
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["error"]["code"], -32004);
        assert_eq!(value["error"]["data"]["kind"], "key_changed");
        assert_eq!(value["error"]["data"]["hint"], "Compare words.");
        assert_eq!((&value["id"], &value["jsonrpc"]), (&7.into(), &"2.0".into()));
    }
}
