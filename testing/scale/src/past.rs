//! A profile with a past: contacts from real pairings, and messages that lie in the database.

use crate::town::{ALICE, Town};
use anyhow::Result;
use crypto::Zeroizing;
use crypto::password::Cost;
use engine::ContactId;
use engine::changes::{Change, Changes, Message, MessageState, Table};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng};
use simnet::START_UNIX_S;
use std::path::Path;
use store::{ProfileDir, Store};

/// The least that the store allows (STO-12).
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
const PASSPHRASE: &[u8] = b"protects nothing";
/// Messages that are saved together while the database is filled.
const BATCH: usize = 2000;
/// What each message says, in bytes.
const TEXT: usize = 120;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    /// Contacts, all verified.
    pub contacts: usize,
    /// Messages in the database, half of them received, spread over the contacts.
    pub messages: usize,
}

/// Makes the profile in `folder`, which is not there yet.
///
/// # Errors
/// If the database cannot be written.
pub fn prepare(folder: &Path, past: Past) -> Result<()> {
    let town = Town::pair(past.contacts);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let dir = ProfileDir::create(folder)?;
    let mut store = Store::create(&dir, PASSPHRASE, COST, &mut rng)?;
    let rows = town.world.clients[ALICE].disk.snapshot().0;
    let put = |(table, key, value)| Change::Put { table, key, value };
    store.save(&Changes(rows.into_iter().map(put).collect()))?;
    let contacts: Vec<ContactId> =
        (1..=past.contacts).map(|peer| town.world.peer(ALICE, peer)).collect();
    let all: Vec<usize> = (0..past.messages).collect();
    for batch in all.chunks(BATCH) {
        let mut changes = Vec::new();
        for number in batch {
            // A message of ours, then one of the contact's.
            let contact = contacts[number / 2 % contacts.len()];
            remember(&mut changes, &mut rng, contact, number % 2 == 1, *number);
        }
        store.save(&Changes(changes))?;
    }
    // A person has read them.
    Ok(store.mark_read(i64::MAX, 0)?)
}

/// What the engine has saved of a message that came, or of one that was delivered.
fn remember(
    changes: &mut Vec<Change>,
    rng: &mut ChaCha20Rng,
    contact: ContactId,
    came: bool,
    number: usize,
) {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    // Over the last 13 days, all of which an engine remembers.
    let at = START_UNIX_S - 13 * 24 * 3600 + u64::try_from(number % (13 * 24 * 3600)).unwrap();
    let state = if came { MessageState::Received } else { MessageState::Delivered };
    let text = Zeroizing::new("It was said long ago. ".chars().cycle().take(TEXT).collect());
    changes.push(Change::Message(Message {
        id,
        contact,
        state,
        text,
        sent: at,
        saved: at,
        since: at,
        timer: 0,
    }));
    if came {
        let mut item = [0; 16];
        rng.fill_bytes(&mut item);
        let hour = u32::try_from(at / 3600).unwrap().to_be_bytes();
        for id in [id, item] {
            let key = [contact, id].concat();
            changes.push(Change::Put {
                table: Table::Seen,
                key,
                value: Zeroizing::new(hour.into()),
            });
        }
    }
}

/// Opens what [`prepare`] has made.
///
/// # Errors
/// If it is not there.
pub(crate) fn open(folder: &Path) -> Result<Store> {
    Ok(Store::unlock(&ProfileDir::open(folder)?, PASSPHRASE)?)
}
