//! What of a profile's rows goes into a backup, and what they are there (BAK-5).
//!
//! A backup holds who one is, whom one knows, what was said, and what is still to be said, as
//! content. It holds nothing with which a chain could be continued: a restored profile has contacts
//! with a row of [`Table::Recovery`] and none of [`Table::Ratchet`], so that it cannot write before
//! their sessions are renewed (BRD-47).

use crate::beacon::{self, BEACON_KEY};
use crate::changes::Table;
use crate::contact::Contact;
use crate::engine::Partial;
use crate::outbox::{Item, Load, Owner};
use crate::profile::{PROFILE_KEY, Profile};
use crate::recovery::Recovery;
use crate::steady::CLOCK_KEY;
use board::tag::OnionKey;
use crypto::Zeroizing;
use wire::{Codec, Malformed};

/// The row as a backup has it; nothing if it has none of it. On the way back the same check: what
/// a backup must not hold is not taken from one either.
///
/// # Errors
/// [`Malformed`]: the row is damaged, or of another version.
pub fn carried(
    table: Table,
    key: &[u8],
    value: Zeroizing<Vec<u8>>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Malformed> {
    match table {
        Table::Profile if key == PROFILE_KEY => Profile::from_row(&value).map(drop)?,
        // The clock for ages begins anew where a backup is restored (BAK-9).
        Table::Profile if key == CLOCK_KEY => return Ok(None),
        // ENG-9: what was sent was sent by another copy.
        Table::Profile if key == BEACON_KEY => return beacon::carried(&value).map(Some),
        Table::Profile => return Err(Malformed::Field("profile")),
        Table::Mailbox => <OnionKey>::from_bytes(key).map(drop)?,
        Table::Contact => Contact::from_row(&value).map(drop)?,
        Table::Recovery => Recovery::from_row(&value).map(drop)?,
        Table::Seen => <[u8; 4]>::from_bytes(&value).map(drop)?,
        Table::Partial => Partial::from_row(&value).map(drop)?,
        Table::Outbox => return Ok(unsealed(Item::from_row(&value)?)),
        // What sends, what receives, and secrets of handshakes under way.
        Table::Ratchet | Table::Invite | Table::Cursor => return Ok(None),
        // FIL-14: a file under way has a chain that goes on, and what has ended is no message.
        Table::File | Table::FilePart => return Ok(None),
    }
    Ok(Some(value))
}

/// An item as content: it is encrypted anew, with the same `mid`, so that it arrives once (BRD-44).
fn unsealed(mut item: Item) -> Option<Zeroizing<Vec<u8>>> {
    let kept = match (&item.load, item.owner) {
        (Load::Part(_) | Load::Inbox { .. } | Load::Timer(_), Owner::Contact(_)) => true,
        // Of a session or a handshake that the restored profile does not have.
        (Load::Receipt | Load::Generation { .. } | Load::Handshake | Load::Rekey(_), _)
        | (Load::Floor, _) // said anew with the session (ENG-10)
        | (Load::Offer(_) | Load::Report(_) | Load::FilePart(_), _)
        | (_, Owner::Pairing(_) | Owner::Renewal(_) | Owner::File(..)) => false,
    };
    let inbox: Vec<OnionKey> = item.deposits.iter().map(|deposit| deposit.mailbox).collect();
    item.unseal(&inbox);
    kept.then(|| item.to_row())
}
