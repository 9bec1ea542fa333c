//! A device that was away finds thousands of envelopes.

use crate::town::{ALICE, Town};
use anyhow::{Result, bail};
use engine::changes::MessageState;
use simnet::{DAY, HOUR, World};
use std::path::Path;
use std::time::Duration;

/// What catching up has cost.
#[derive(Debug, Clone, Copy)]
pub struct CaughtUp {
    /// Envelopes that waited.
    pub envelopes: usize,
    /// Processor time of engine and store.
    pub spent: Duration,
    /// By how much the resident memory grew, from before the profile was opened, in bytes.
    pub grown: u64,
}

/// Alice is away while each of her contacts says `each` things, then opens the profile in `folder`.
///
/// # Errors
/// If not everything arrives within a day of the simulator's time.
pub fn catch_up(folder: &Path, contacts: usize, each: usize) -> Result<CaughtUp> {
    let mut town = Town::pair(contacts);
    let world = &mut town.world;
    world.switch_off(ALICE);
    for peer in 1..=contacts {
        world.switch_on(peer);
        for number in 0..each {
            world.send(peer, ALICE, &format!("number {number}"));
        }
        let waits = |state: &MessageState| *state == MessageState::Queued;
        let left = |world: &World| !world.clients[peer].disk.sent_states().iter().any(waits);
        if !world.run_until(HOUR, left) {
            bail!("contact {peer} could not say everything");
        }
        world.switch_off(peer);
    }
    // What one page of the list of pages holds is not all: let the last one close.
    world.run(HOUR / 60);
    let before = resident();
    let dial = town.settle(folder, false)?;
    dial.on.set(true);
    let wanted = contacts * (each + 1);
    let mut grown = 0;
    let mut looks = 0_u32;
    let all = town.world.run_until(DAY, |world| {
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(256) {
            grown = grown.max(resident().saturating_sub(before));
        }
        world.clients[ALICE].disk.messages.len() >= wanted
    });
    if !all {
        bail!("not everything arrived within a day");
    }
    Ok(CaughtUp { envelopes: contacts * each, spent: dial.spent.get(), grown })
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
