//! The state at rest (docs/spec/ratchet.md, section 4).
//!
//! ```text
//! ver(1)=1 ‖ sid(32) ‖ root(32) ‖ turn(1)
//!   turn 0, wait : ck(32)
//!   turn 1, reply: peer dh(32) ‖ peer ek(1184) ‖ pn u32
//!   turn 2, send : dh(32) ‖ seed(64) ‖ ct(1088) ‖ ck(32) ‖ n u32 ‖ pn u32
//! ‖ receiving(1): 0, or 1 ‖ dh(32) ‖ ck(32) ‖ n u32
//! ‖ chains u16 ‖ chains × ( dh(32) ‖ keys u16 ‖ keys × ( n u32 ‖ day u32 ‖ mk(32) ) )
//! ```

use crate::chain::{ChainKey, Own, Peer, RootKey};
use crate::message::MAX_N;
use crate::session::{Ratchet, Receiving, Sending, Turn};
use crate::skipped::{Chain, Key, MAX_OLD_CHAINS, MAX_STORED, Skipped};
use crypto::aead::MessageKey;
use crypto::{Zeroizing, dh, kem};
use std::collections::BTreeMap;
use wire::{Malformed, Reader, Writer};

const VERSION: u8 = 1;
/// More than everything but the skipped keys takes.
const FIXED_LEN: usize = 1400;
const CHAIN_LEN: usize = 32 + 2;
const KEY_LEN: usize = 4 + 4 + 32;

impl Ratchet {
    /// The whole state, skipped keys included, for the encrypted store. Equal states give equal
    /// bytes.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it, so that growth leaves no copy behind.
        let chains = self.skipped.chains.len().saturating_mul(CHAIN_LEN);
        let keys = self.skipped.len().saturating_mul(KEY_LEN);
        let mut w = Writer::with_capacity(FIXED_LEN.saturating_add(chains).saturating_add(keys));
        w.u8(VERSION).bytes(&self.sid).bytes(self.root.expose_secret());
        match &self.turn {
            Turn::Wait(chain) => {
                w.u8(0).bytes(chain.expose_secret());
            }
            Turn::Reply { peer, pn } => {
                w.u8(1).bytes(&peer.dh.0).bytes(peer.ek.as_bytes()).u32(*pn);
            }
            Turn::Send(s) => {
                write_own(w.u8(2), &s.own);
                w.bytes(s.ct.as_bytes()).bytes(s.chain.expose_secret()).u32(s.n).u32(s.pn);
            }
        }
        match &self.receiving {
            None => w.u8(0),
            Some(r) => w.u8(1).bytes(&r.dh.0).bytes(r.chain.expose_secret()).u32(r.n),
        };
        w.u16(count(self.skipped.chains.len()));
        for chain in &self.skipped.chains {
            w.bytes(&chain.dh.0).u16(count(chain.keys.len()));
            for (n, key) in &chain.keys {
                w.u32(*n).u32(key.day).bytes(key.mk.expose_secret());
            }
        }
        Zeroizing::new(w.into_vec())
    }

    /// Takes back what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`Malformed`] for everything else: the store, or whoever wrote to it, is at fault.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("version"));
        }
        let (sid, root) = (r.array()?, RootKey::copy_of(r.array_ref()?));
        let turn = read_turn(&mut r)?;
        let receiving = match r.u8()? {
            0 => None,
            1 => Some(Receiving {
                dh: dh::Public(r.array()?),
                chain: ChainKey::copy_of(r.array_ref()?),
                n: read_n(&mut r)?,
                keys: None,
            }),
            _ => return Err(Malformed::Field("receiving")),
        };
        let skipped = read_skipped(&mut r)?;
        r.finish()?;
        Ok(Self { sid, root, turn, receiving, skipped })
    }
}

/// RAT-6 keeps every count far below the limit of a `u16`.
fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn write_own(w: &mut Writer, own: &Own) {
    w.bytes(own.dh.expose_secret()).bytes(own.seed.expose_secret());
}

fn read_own(r: &mut Reader<'_>) -> Result<Own, Malformed> {
    let dh = dh::Private::copy_of(r.array_ref()?);
    let seed = kem::Seed::copy_of(r.array_ref()?);
    Ok(Own::new(dh, seed))
}

fn read_n(r: &mut Reader<'_>) -> Result<u32, Malformed> {
    r.u32().and_then(|n| if n <= MAX_N { Ok(n) } else { Err(Malformed::Field("n")) })
}

fn read_turn(r: &mut Reader<'_>) -> Result<Turn, Malformed> {
    Ok(match r.u8()? {
        0 => Turn::Wait(ChainKey::copy_of(r.array_ref()?)),
        1 => {
            let dh = dh::Public(r.array()?);
            let ek = kem::EncapsulationKey::from_bytes(&r.array()?)
                .map_err(|_| Malformed::Field("ek"))?;
            Turn::Reply { peer: Peer { dh, ek }, pn: read_n(r)? }
        }
        2 => {
            let (own, ct) = (read_own(r)?, kem::Ciphertext::from_bytes(r.array_ref()?));
            let chain = ChainKey::copy_of(r.array_ref()?);
            Turn::Send(Sending::new(own, ct, chain, (read_n(r)?, read_n(r)?)))
        }
        _ => return Err(Malformed::Field("turn")),
    })
}

fn read_skipped(r: &mut Reader<'_>) -> Result<Skipped, Malformed> {
    let mut chains = Vec::new();
    let mut total: usize = 0;
    let count = r.u16()?;
    // RAT-6: the old ones and the current one.
    if usize::from(count) > MAX_OLD_CHAINS.saturating_add(1) {
        return Err(Malformed::Field("chains"));
    }
    for _ in 0..count {
        let dh = dh::Public(r.array()?);
        let mut keys = BTreeMap::new();
        for _ in 0..r.u16()? {
            let (n, day) = (read_n(r)?, r.u32()?);
            let mk = MessageKey::copy_of(r.array_ref()?);
            if keys.last_key_value().is_some_and(|(last, _)| *last >= n) {
                return Err(Malformed::Field("keys"));
            }
            keys.insert(n, Key { day, mk });
        }
        total = total.saturating_add(keys.len());
        if keys.is_empty() || total > MAX_STORED {
            return Err(Malformed::Field("keys"));
        }
        chains.push(Chain { dh, keys });
    }
    Ok(Skipped::new(chains))
}
