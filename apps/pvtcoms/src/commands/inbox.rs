//! `inbox` and `history`: reading, which changes nothing unless it is asked to (PRD-2).

use super::waiting;
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::method::{Call, Done};
use daemon::types::view::{Event, Message};
use std::collections::BTreeSet;

/// Prints what was not marked read; with `follow` also what comes.
pub(crate) fn run(face: &Face<'_>, follow: bool, ack: bool) -> Outcome {
    let mut client = face.open(true)?;
    let mut reader = Reader { face, ack, shown: BTreeSet::new(), last: None };
    if !follow {
        reader.unread(&mut client)?;
        if reader.shown.is_empty() {
            face.out.note("Nothing new.");
        }
        return Ok(());
    }
    loop {
        match reader.follow(&mut client) {
            Err(Fault::Gone) => client = waiting::again(face, true)?.0,
            other => return other,
        }
    }
}

/// Prints a conversation, newest last.
pub(crate) fn history(
    face: &Face<'_>,
    contact: String,
    limit: u32,
    before: Option<i64>,
) -> Outcome {
    let mut client = face.open(true)?;
    let page: Vec<Message> = client.call(Call::History { contact, before, limit })?;
    for message in &page {
        face.out.item(message, || show::message(message, face.out))?;
    }
    match page.first() {
        Some(oldest) if u32::try_from(page.len()).is_ok_and(|length| length == limit) => {
            face.out.note(&format!("Earlier ones: --before {}", oldest.row));
        }
        Some(_) => {}
        None => face.out.note("Nothing here yet."),
    }
    Ok(())
}

/// Prints each message once, whichever way it comes.
struct Reader<'a> {
    face: &'a Face<'a>,
    ack: bool,
    /// Identifiers of what was printed.
    shown: BTreeSet<String>,
    /// The last event that was dealt with.
    last: Option<String>,
}

impl Reader<'_> {
    /// Subscribes first and reads the inbox then, so that nothing falls between the two.
    fn follow(&mut self, client: &mut Client) -> Outcome {
        let after = self.last.clone();
        let _: Done = client.call(Call::Subscribe { name: String::new(), after })?;
        self.unread(client)?;
        while let Some(event) = client.event(None)? {
            self.event(client, &event)?;
            self.last = Some(event.id);
        }
        Ok(())
    }

    fn event(&mut self, client: &mut Client, event: &Event) -> Outcome {
        match (event.kind.as_str(), &event.message) {
            ("message", Some(message)) => {
                self.print(message)?;
                // What is marked read comes back once, and was printed already.
                if self.ack { self.unread(client) } else { Ok(()) }
            }
            ("message" | "state", _) => Ok(()),
            // A changed key, a used invite, an alarm: a person must see it (PRD-9).
            _ => {
                self.face.out.warn(&self.face.out.alarm(&plain(&event.text)));
                Ok(())
            }
        }
    }

    fn unread(&mut self, client: &mut Client) -> Outcome {
        let unread: Vec<Message> = client.call(Call::Inbox { ack: self.ack })?;
        unread.iter().try_for_each(|message| self.print(message))
    }

    fn print(&mut self, message: &Message) -> Outcome {
        if self.shown.insert(message.id.clone()) {
            self.face.out.item(message, || show::message(message, self.face.out))?;
        }
        Ok(())
    }
}
