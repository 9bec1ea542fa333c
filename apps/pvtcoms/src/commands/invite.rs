//! `invite`: making, showing and withdrawing invites (product.md 4).

use super::waiting;
use crate::args;
use crate::args::InviteForm;
use crate::fault::{Fault, Outcome};
use crate::output::print;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done};
use daemon::types::view::{Invite, InviteState};
use std::io::IsTerminal;
use std::time::Duration;

/// Carries out a verb of `invite`.
pub(crate) fn run(face: &Face<'_>, what: args::Invite) -> Outcome {
    let mut client = face.open(true)?;
    match what {
        args::Invite::New { name, hours, form, no_wait, timeout } => {
            let made: Invite = client.call(Call::InviteNew { name, hours })?;
            if no_wait {
                return face.out.item(&made, || show::invite(&made, face.out));
            }
            let made = stored(face, &mut client, &made.id, Duration::from_secs(timeout))?;
            hand_out(face, &made, form)
        }
        args::Invite::Show { id, form, wait } => {
            let mut found: Vec<Invite> = client.call(Call::InviteShow { id: id.clone() })?;
            if let ([one], true) = (found.as_slice(), wait.wait) {
                found = vec![paired(face, &mut client, one, wait.timeout)?];
            } else if wait.wait {
                return Err(Fault::wrong_use(
                    format!("{} invites fit. Nothing was done.", found.len()),
                    "Name one by its identifier to wait for it.",
                ));
            }
            match found.as_slice() {
                [one] if !id.is_empty() => hand_out(face, one, form),
                [] => {
                    face.out.note("No invites. Next: pvtcoms invite new");
                    Ok(())
                }
                all => all
                    .iter()
                    .try_for_each(|one| face.out.item(one, || show::invite(one, face.out))),
            }
        }
        args::Invite::Revoke { id } => {
            let done: Done = client.call(Call::InviteRevoke { id })?;
            face.out.item(&done, || "withdrawn: it cannot be used any more".to_owned())
        }
    }
}

/// Waits until a mailbox holds the invite: an earlier one must not be handed out.
fn stored(face: &Face<'_>, client: &mut Client, id: &str, timeout: Duration) -> Outcome<Invite> {
    waiting::on_interrupt(format!(
        "The invite goes on being stored in the background. `pvtcoms invite show {id}` prints it."
    ));
    let what = "waiting until a mailbox holds the invite";
    waiting::invite(face, client, id, what, timeout, |invite| match invite.state {
        InviteState::Depositing => Ok(false),
        InviteState::Dead => Err(ended()),
        _ => Ok(true),
    })
}

/// Waits until a contact has come of the invite.
///
/// # Errors
/// [`ErrorKind::InviteUsed`] when somebody else has used it (ID-2).
pub(crate) fn paired(
    face: &Face<'_>,
    client: &mut Client,
    invite: &Invite,
    timeout: u64,
) -> Outcome<Invite> {
    let id = &invite.id;
    waiting::on_interrupt(format!(
        "The handshake goes on in the background. `pvtcoms invite show {id}` tells how far it is."
    ));
    let timeout = Duration::from_secs(timeout);
    let what = "waiting for the other side";
    waiting::invite(face, client, id, what, timeout, |invite| match invite.state {
        InviteState::Used => Ok(true),
        InviteState::Reused | InviteState::Refused => Err(Fault::new(
            ErrorKind::InviteUsed,
            show::ALREADY_USED,
            "Make a new invite and hand it over on a channel you trust.",
        )),
        InviteState::Dead => Err(ended()),
        _ => Ok(false),
    })
}

fn ended() -> Fault {
    Fault::new(
        ErrorKind::BadInvite,
        "The invite has ended: it ran out, was withdrawn or was spoiled.",
        "Make a new one with `pvtcoms invite new`.",
    )
}

/// Prints an invite so that it can be handed over.
fn hand_out(face: &Face<'_>, invite: &Invite, form: InviteForm) -> Outcome {
    if face.out.json() {
        return face.out.item(invite, String::new);
    }
    let Some(uri) = &invite.uri else {
        return print(&show::invite(invite, face.out));
    };
    print(uri)?;
    if form.uri {
        return Ok(());
    }
    if form.qr || std::io::stdout().is_terminal() {
        let code = show::qr(uri)
            .ok_or_else(|| Fault::internal("The QR code of the invite could not be drawn."))?;
        print(&format!("\n{code}\n"))?;
    }
    face.out.note(&format!("{}  works once, until {}", invite.id, show::time(invite.expires)));
    face.out.note("Hand it over on a channel you trust, then: pvtcoms verify CONTACT");
    Ok(())
}
