//! Gives the input of a mistake to the function that must refuse it.
//!
//! A call is one function of the crates; its input is a JSON object. The answer is nothing, or the
//! name of the error.

mod board;
mod people;
mod primitives;

use crate::hexed::text;
use serde_json::Value;
use std::fmt::Debug;

/// What a call says: accepted, or the error's name as the crate spells it.
pub(crate) type Verdict = Result<(), String>;

/// Makes the call of a mistake with an input.
///
/// # Errors
/// The name of the error with which the input was refused.
///
/// # Panics
/// If there is no such call, or the input is not made for it.
pub(crate) fn judge(call: &str, input: &Value) -> Verdict {
    let (room, name) = call.split_once(' ').unwrap();
    match room {
        "wire" => primitives::wire(name, input),
        "crypto" => primitives::crypto(name, input),
        "identity" => people::identity(name, input),
        "handshake" => people::handshake(name, input),
        "ratchet" => people::ratchet(name, input),
        "content" => people::content(name, input),
        "board" => board::board(name, input),
        _ => panic!("no such call: {call}"),
    }
}

/// A result without its value.
fn verdict<T, E: Debug>(result: Result<T, E>) -> Verdict {
    result.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// A yes or no as a verdict; a no is called `name`.
fn whether(yes: bool, name: &str) -> Verdict {
    if yes { Ok(()) } else { Err(name.to_owned()) }
}

fn unknown(name: &str) -> Verdict {
    panic!("no such call: {name}")
}

/// The strings of a list.
fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}
