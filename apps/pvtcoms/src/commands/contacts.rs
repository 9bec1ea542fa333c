//! `contacts`, `block` and `timer`: who there is, under local names.

use crate::args::Contacts;
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::show;
use daemon::types::method::{Call, Done};
use daemon::types::view::Contact;
use serde::Serialize;

/// Lists, renames or removes contacts.
pub(crate) fn run(face: &Face<'_>, what: Option<Contacts>) -> Outcome {
    let mut client = face.open(true)?;
    match what.unwrap_or(Contacts::List) {
        Contacts::List => {
            let all: Vec<Contact> = client.call(Call::Contacts {})?;
            for contact in &all {
                face.out.item(contact, || show::contact(contact, face.out))?;
            }
            if all.is_empty() {
                face.out.note("No contacts yet. Next: pvtcoms invite new, or pvtcoms accept -");
            }
            Ok(())
        }
        Contacts::Rename { contact, name } => {
            let done: Done = client.call(Call::Rename { contact, name })?;
            face.out.item(&done, || "renamed on this device".to_owned())
        }
        Contacts::Remove { contact, yes } => {
            if !yes {
                confirm(&contact)?;
            }
            let done: Done = client.call(Call::Remove { contact })?;
            face.out.item(&done, || "removed, with its conversation".to_owned())
        }
    }
}

/// Blocks a contact, or ends that.
pub(crate) fn block(face: &Face<'_>, contact: String, undo: bool) -> Outcome {
    let mut client = face.open(true)?;
    let done: Done = client.call(Call::Block { contact, undo })?;
    let said = if undo {
        "blocked no more: what still lies in the mailbox comes in"
    } else {
        "blocked: nothing comes in, nothing goes out, and the contact is not told"
    };
    face.out.item(&done, || said.to_owned())
}

/// What `timer` prints.
#[derive(Serialize)]
struct TimerOf {
    contact: String,
    /// 0 is off.
    seconds: u32,
}

/// Shows or sets how long messages of a conversation stay.
pub(crate) fn timer(face: &Face<'_>, contact: String, seconds: Option<u32>) -> Outcome {
    let mut client = face.open(true)?;
    if let Some(seconds) = seconds {
        let done: Done = client.call(Call::Timer { contact, seconds })?;
        return face.out.item(&done, || match seconds {
            0 => "off: messages stay, on both sides".to_owned(),
            _ => format!("messages go after {}, on both sides", show::span(seconds.into())),
        });
    }
    let all: Vec<Contact> = client.call(Call::Contacts {})?;
    let known = all.into_iter().find(|known| known.name == contact || known.id == contact);
    let known = known
        .ok_or_else(|| Fault::wrong_use("There is no such contact.", "See `pvtcoms contacts`."))?;
    let found = TimerOf { contact: known.name, seconds: known.timer };
    face.out.item(&found, || show::timer(found.seconds))
}

/// A conversation is not removed by a slip: the contact is typed once more.
fn confirm(contact: &str) -> Outcome {
    if !ask::person() {
        return Err(Fault::wrong_use(
            "Removing a contact removes its conversation. Nothing was removed.",
            "Add --yes if that is meant.",
        ));
    }
    let question = format!(
        "This removes {} and the whole conversation from this device. Type the name again: ",
        plain(contact)
    );
    if ask::line(&question)?.trim() == contact {
        return Ok(());
    }
    Err(Fault::wrong_use("That is another name. Nothing was removed.", "Try again."))
}
