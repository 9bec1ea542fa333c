//! Alice, those whom she has met, and their mailbox, in the simulator.

use crate::meter::{Dial, Meter};
use crate::past::open;
use anyhow::{Result, bail};
use engine::Mode;
use engine::changes::MessageState;
use simnet::{HOUR, World};
use std::path::Path;

/// Whose engine and store are measured.
pub(crate) const ALICE: usize = 0;
/// Whom she talks to.
const BOB: usize = 1;
/// Messages of a measurement.
const ROUNDS: usize = 16;

/// The same contacts make the same town, down to the last key: so a profile that one process has
/// written fits the town of another.
pub(crate) struct Town {
    pub(crate) world: World,
}

impl Town {
    /// Alice pairs with so many people, one after the other. All but Bob are off afterwards.
    pub(crate) fn pair(contacts: usize) -> Self {
        let mut world = World::new(1);
        world.record = false;
        let mailbox = world.add_mailbox();
        for client in 0..=contacts {
            world.add_client(&client.to_string(), Mode::Fast);
            world.use_mailbox(client, mailbox);
            if client > ALICE {
                world.pair(ALICE, client);
                world.verify(ALICE, client);
                // The first word of the invited, so that both may speak (RAT-4).
                world.send(client, ALICE, "hello");
                let heard = |world: &World| came(world, client) == 1;
                assert!(world.run_until(HOUR, heard), "no greeting came");
            }
            if client > BOB {
                world.switch_off(client);
            }
        }
        Self { world }
    }

    /// Alice is loaded from the store in `folder`, and saves into it from here on.
    pub(crate) fn settle(&mut self, folder: &Path, walks: bool) -> Result<Dial> {
        let store = open(folder)?;
        self.world.switch_on_from(ALICE, &store.load()?);
        let dial = Dial::default();
        let meter = Meter { store, dial: dial.clone(), walks };
        self.world.clients[ALICE].watcher = Some(Box::new(meter));
        Ok(dial)
    }

    /// Runs until something is so.
    pub(crate) fn wait(&mut self, so: impl FnMut(&World) -> bool) -> Result<()> {
        if self.world.run_until(HOUR, so) { Ok(()) } else { bail!("an hour was not enough") }
    }
}

/// How much has come to Alice from a peer.
fn came(world: &World, peer: usize) -> usize {
    let contact = world.peer(ALICE, peer);
    let all = world.clients[ALICE].disk.messages.iter();
    all.filter(|m| m.contact == contact && m.state == MessageState::Received).count()
}

/// Alice says something and is told that it is delivered, again and again: her steps are measured.
/// With `walks` each of them reads all rows as well, which the check must notice.
///
/// # Errors
/// If the profile does not fit.
pub fn send(folder: &Path, contacts: usize, walks: bool) -> Result<()> {
    let mut town = Town::pair(contacts);
    let dial = town.settle(folder, walks)?;
    // One walk over all rows is seen as well as sixteen.
    let rounds = if walks { 1 } else { ROUNDS };
    for round in 0..=rounds {
        // The first round warms what a running core has warm.
        dial.on.set(round > 0);
        let message = town.world.send(ALICE, BOB, &format!("round {round}"));
        let contact = town.world.peer(ALICE, BOB);
        town.wait(|world| {
            let disk = &world.clients[ALICE].disk;
            let state = disk.message(&(contact, message)).map(|message| message.state);
            state == Some(MessageState::Delivered)
        })?;
        dial.on.set(false);
    }
    Ok(())
}

/// Alice gets something, again and again: her steps are measured.
///
/// # Errors
/// If the profile does not fit.
pub fn receive(folder: &Path, contacts: usize) -> Result<()> {
    let mut town = Town::pair(contacts);
    let dial = town.settle(folder, false)?;
    for round in 0..=ROUNDS {
        town.world.send(BOB, ALICE, &format!("round {round}"));
        dial.on.set(round > 0);
        let wanted = round + 2;
        town.wait(|world| came(world, BOB) == wanted)?;
        dial.on.set(false);
    }
    Ok(())
}
