//! `pvtcoms-scale prepare FOLDER CONTACTS MESSAGES`, then `send`, `receive` or `catch-up` with the same
//! folder and contacts: one measurement. Each changes the folder, so each has a copy of its own.
#![expect(clippy::print_stdout, reason = "talks to `cargo xtask bench --scale`")]

use anyhow::{Result, bail};
use scale::{CaughtUp, Past, catch_up, prepare, receive, send};
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder, contacts, messages] => {
            let past = Past { contacts: contacts.parse()?, messages: messages.parse()? };
            prepare(Path::new(folder), past)
        }
        ["send", folder, contacts] => send(Path::new(folder), contacts.parse()?, false),
        ["walking-send", folder, contacts] => send(Path::new(folder), contacts.parse()?, true),
        ["receive", folder, contacts] => receive(Path::new(folder), contacts.parse()?),
        ["catch-up", folder, contacts, each] => {
            let done = catch_up(Path::new(folder), contacts.parse()?, each.parse()?)?;
            let CaughtUp { envelopes, spent, grown } = done;
            println!("{envelopes} {} {grown}", spent.as_millis());
            Ok(())
        }
        _ => bail!(
            "usage: pvtcoms-scale prepare FOLDER CONTACTS MESSAGES | catch-up FOLDER CONTACTS EACH | \
             send FOLDER CONTACTS | walking-send FOLDER CONTACTS | receive FOLDER CONTACTS"
        ),
    }
}
