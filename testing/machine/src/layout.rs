//! A state at rest, taken apart and put together by section 4 of `docs/spec/ratchet.md` alone.

use crypto::kem::{CT_LEN, EK_LEN};
use ratchet::Ratchet;
use wire::{Reader, Writer};

/// A saved state, every field in the open.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) sid: [u8; 32],
    pub(crate) root: [u8; 32],
    pub(crate) turn: Turn,
    pub(crate) receiving: Option<Chain>,
    pub(crate) skipped: Vec<Skipped>,
}

#[derive(Clone)]
pub(crate) enum Turn {
    Wait { ck: [u8; 32] },
    Reply { dh: [u8; 32], ek: Box<[u8; EK_LEN]>, pn: u32 },
    Send { pair: Pair, ct: Box<[u8; CT_LEN]>, ck: [u8; 32], n: u32, pn: u32 },
}

/// The private halves of a pair.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) dh: [u8; 32],
    pub(crate) seed: [u8; 64],
}

/// A chain at one number.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) dh: [u8; 32],
    pub(crate) ck: [u8; 32],
    pub(crate) n: u32,
}

/// Keys put aside in one chain: number, day, key.
#[derive(Clone)]
pub(crate) struct Skipped {
    pub(crate) dh: [u8; 32],
    pub(crate) keys: Vec<(u32, u32, [u8; 32])>,
}

impl State {
    /// Takes a saved state apart. Panics if it is not laid out as the specification says.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut r = Reader::new(bytes);
        assert_eq!(r.u8().unwrap(), 1, "version of the saved state");
        let (sid, root) = (r.array().unwrap(), r.array().unwrap());
        let turn = match r.u8().unwrap() {
            0 => Turn::Wait { ck: r.array().unwrap() },
            1 => Turn::Reply {
                dh: r.array().unwrap(),
                ek: Box::new(r.array().unwrap()),
                pn: r.u32().unwrap(),
            },
            2 => Turn::Send {
                pair: pair(&mut r),
                ct: Box::new(r.array().unwrap()),
                ck: r.array().unwrap(),
                n: r.u32().unwrap(),
                pn: r.u32().unwrap(),
            },
            other => panic!("turn {other}"),
        };
        let receiving = (r.u8().unwrap() == 1).then(|| Chain {
            dh: r.array().unwrap(),
            ck: r.array().unwrap(),
            n: r.u32().unwrap(),
        });
        let skipped = (0..r.u16().unwrap())
            .map(|_| Skipped {
                dh: r.array().unwrap(),
                keys: (0..r.u16().unwrap())
                    .map(|_| (r.u32().unwrap(), r.u32().unwrap(), r.array().unwrap()))
                    .collect(),
            })
            .collect();
        r.finish().unwrap();
        Self { sid, root, turn, receiving, skipped }
    }

    /// The bytes of this state.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(2048);
        w.u8(1).bytes(&self.sid).bytes(&self.root);
        match &self.turn {
            Turn::Wait { ck } => w.u8(0).bytes(ck),
            Turn::Reply { dh, ek, pn } => w.u8(1).bytes(dh).bytes(ek.as_slice()).u32(*pn),
            Turn::Send { pair, ct, ck, n, pn } => {
                w.u8(2).bytes(&pair.dh).bytes(&pair.seed);
                w.bytes(ct.as_slice()).bytes(ck).u32(*n).u32(*pn)
            }
        };
        match &self.receiving {
            None => w.u8(0),
            Some(chain) => w.u8(1).bytes(&chain.dh).bytes(&chain.ck).u32(chain.n),
        };
        w.u16(u16::try_from(self.skipped.len()).unwrap());
        for Skipped { dh, keys } in &self.skipped {
            w.bytes(dh).u16(u16::try_from(keys.len()).unwrap());
            for (n, day, mk) in keys {
                w.u32(*n).u32(*day).bytes(mk);
            }
        }
        w.into_vec()
    }

    /// The product's own code, on this state.
    pub(crate) fn load(&self) -> Ratchet {
        Ratchet::from_secret_bytes(&self.to_bytes()).unwrap()
    }
}

fn pair(r: &mut Reader<'_>) -> Pair {
    Pair { dh: r.array().unwrap(), seed: r.array().unwrap() }
}
