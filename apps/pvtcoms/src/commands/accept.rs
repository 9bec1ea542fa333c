//! `accept`: taking an invite.

use super::invite::paired;
use crate::args::WaitFlags;
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::reach::Face;
use crate::show;
use daemon::types::method::Call;
use daemon::types::view::Invite;

/// Longest invite that is read from standard input, in bytes: ten times a real one.
const INVITE_MAX: u64 = 4096;

/// Takes an invite; the handshake goes on by itself.
pub(crate) fn run(face: &Face<'_>, uri: String, name: String, wait: &WaitFlags) -> Outcome {
    let uri = if uri == "-" { read(face)? } else { uri };
    let mut client = face.open(true)?;
    let mut taken: Invite = client.call(Call::Accept { uri: uri.trim().to_owned(), name })?;
    if wait.wait {
        taken = paired(face, &mut client, &taken, wait.timeout)?;
    }
    face.out.item(&taken, || show::invite(&taken, face.out))?;
    if wait.wait {
        face.out.note("Paired. Nothing is sent before: pvtcoms verify CONTACT");
    } else {
        face.out.note("When the contact shows in `pvtcoms contacts`: pvtcoms verify CONTACT");
    }
    Ok(())
}

/// From the terminal one line; else everything, which may be wrapped.
fn read(face: &Face<'_>) -> Outcome<String> {
    let text =
        if ask::person() { ask::line("Paste the invite: ")? } else { ask::stdin_text(INVITE_MAX)? };
    let joined: String = text.split_whitespace().collect();
    if joined.is_empty() {
        return Err(Fault::wrong_use(
            "There was no invite on standard input. Nothing was done.",
            format!("Try `pvtcoms --profile {} accept - < invite.txt`.", face.paths.profile),
        ));
    }
    Ok(joined)
}
