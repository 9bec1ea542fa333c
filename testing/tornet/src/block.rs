//! Port blocks (TOR-26): parallel runs take different ones.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::FlockOperation;

use crate::{Error, RELAYS};

/// First ports of the blocks; relay i has the ORPort `base + i` and the DirPort `base + 100 + i`.
fn bases() -> impl Iterator<Item = u16> {
    (20_000..32_000).step_by(400)
}

/// The right to use the ports of one block, for as long as the file is open.
pub(crate) struct Block {
    pub(crate) base: u16,
    _lock: File,
}

impl Block {
    /// Takes the first free block.
    pub(crate) fn take() -> Result<Self, Error> {
        bases().find_map(Self::try_take).ok_or(Error::NoPorts)
    }

    fn try_take(base: u16) -> Option<Self> {
        // One place for the whole machine, because ports are the machine's. Another user's file
        // cannot be opened: the block is taken.
        let path = std::env::temp_dir().join(format!("pvtcoms-tornet-{base}.lock"));
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok()?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        let free = (0..RELAYS).all(|i| is_free(or_port(base, i)) && is_free(dir_port(base, i)));
        free.then_some(Self { base, _lock: lock })
    }
}

pub(crate) const fn or_port(base: u16, relay: u16) -> u16 {
    base.saturating_add(relay)
}

pub(crate) const fn dir_port(base: u16, relay: u16) -> u16 {
    base.saturating_add(100).saturating_add(relay)
}

/// A network whose runner was killed keeps its ports for some seconds after its lock is free.
#[expect(clippy::disallowed_methods, reason = "asks whether a loopback port is free")]
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_26_two_runs_take_two_blocks() {
        let one = Block::take().unwrap();
        let two = Block::take().unwrap();
        assert_ne!(one.base, two.base);
    }

    #[test]
    fn tor_26_ports_of_a_block_are_apart() {
        let mut ports: Vec<u16> = bases()
            .flat_map(|base| (0..RELAYS).flat_map(move |i| [or_port(base, i), dir_port(base, i)]))
            .collect();
        let all = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), all);
    }
}
