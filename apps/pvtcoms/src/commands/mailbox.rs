//! `mailbox`: the places where messages wait for this profile.

use crate::args::Mailbox;
use crate::fault::Outcome;
use crate::reach::Face;
use crate::show;
use daemon::types::method::{Call, Done};
use daemon::types::view;

/// Adds, lists or removes own mailboxes.
pub(crate) fn run(face: &Face<'_>, what: Mailbox) -> Outcome {
    let mut client = face.open(true)?;
    match what {
        Mailbox::Add { address } => {
            let added: view::Mailbox = client.call(Call::MailboxAdd { address })?;
            face.out.item(&added, || show::mailbox(&added, face.out))?;
            face.out.note("It counts once it has answered: `pvtcoms mailbox list`.");
        }
        Mailbox::List => {
            let all: Vec<view::Mailbox> = client.call(Call::MailboxList {})?;
            for mailbox in &all {
                face.out.item(mailbox, || show::mailbox(mailbox, face.out))?;
            }
            if all.is_empty() {
                face.out.note("No mailbox yet. Next: pvtcoms mailbox add ADDRESS.onion");
            }
        }
        Mailbox::Remove { address } => {
            let done: Done = client.call(Call::MailboxRemove { address })?;
            face.out.item(&done, || "removed".to_owned())?;
        }
    }
    Ok(())
}
