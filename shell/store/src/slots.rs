//! `slots.bin`: the wrapped master key (STO-9 to STO-14).
//!
//! ```text
//! 0   magic "PVTCSLOT"                    8   AAD of every slot: bytes 0..64 ‖ index
//! 8   version = 1                         2
//! 10  keystore: 0 none, 1 required        1
//! 11  0                                   1
//! 12  Argon2id m (KiB), t, p         3 ×  4
//! 24  profile id                         16
//! 40  Argon2id salt                      16
//! 56  0                                   8
//! 64  four slots of seed(32) ‖ commitment(32) ‖ sealed(MK[32] ‖ role ‖ 0[31])(80)
//! ```
//! Big-endian, 640 bytes, always. A slot that is not in use is 144 random bytes.

use crate::StoreError;
use crate::key::DbKey;
use crate::passphrase::{judge, stretch};
use crypto::Zeroizing;
use crypto::password::{Cost, SlotKey, Stretched};
use crypto::rand_core::CryptoRng;

/// Length of the file in bytes.
const FILE_LEN: usize = 640;
const HEADER_LEN: usize = 64;
const SLOT_LEN: usize = 144;
const MAGIC: &[u8; 8] = b"PVTCSLOT";
const VERSION: u16 = 1;
/// The slot opens the profile. The format's other role, 2, is for later and opens nothing (STO-9).
const OPENS: u8 = 1;
/// A `slots.bin` in its format, none of its slots opened yet.
pub(crate) struct Slots {
    header: [u8; HEADER_LEN],
    salt: [u8; 16],
    cost: Cost,
    slots: [[u8; SLOT_LEN]; 4],
}

/// A slot that opened.
pub(crate) struct Opened {
    index: u8,
    pub(crate) key: DbKey,
}

crypto::opaque!(Opened);

impl Slots {
    /// A new file: `key` in one slot, drawn at random, three slots of random bytes.
    ///
    /// # Errors
    /// [`StoreError::Weak`] or [`StoreError::Excessive`] cost; [`StoreError::Passphrase`];
    /// [`StoreError::NoMemory`].
    pub(crate) fn create(
        key: &DbKey,
        passphrase: &[u8],
        cost: Cost,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StoreError> {
        judge(cost)?;
        let (mut profile, mut salt) = ([0; 16], [0; 16]);
        rng.fill_bytes(&mut profile);
        rng.fill_bytes(&mut salt);
        let mut slots =
            Self { header: header(cost, &profile, &salt), salt, cost, slots: [[0; SLOT_LEN]; 4] };
        // STO-11: a slot in use looks like one that is not, and its place says nothing.
        for slot in &mut slots.slots {
            rng.fill_bytes(slot);
        }
        let mut die = [0];
        rng.fill_bytes(&mut die);
        let stretched = slots.stretch(passphrase)?;
        slots.write(die[0] & 3, &stretched, key, rng);
        Ok(slots)
    }

    /// Reads a file; every field is checked before anything is computed from it.
    ///
    /// # Errors
    /// [`StoreError::Format`], [`StoreError::Weak`], [`StoreError::Excessive`],
    /// [`StoreError::NoKeystore`].
    pub(crate) fn parse(file: &[u8]) -> Result<Self, StoreError> {
        let whole: &[u8; FILE_LEN] = file.try_into().map_err(|_| StoreError::Format)?;
        let (header, rest) = whole.split_first_chunk::<HEADER_LEN>().ok_or(StoreError::Format)?;
        let (slots, _) = rest.as_chunks::<SLOT_LEN>();
        let slots = slots.try_into().map_err(|_| StoreError::Format)?;

        let mut fields = Fields(header);
        let known = fields.take::<8>()? == *MAGIC && fields.take()? == VERSION.to_be_bytes();
        let [keystore, zero] = fields.take()?;
        let cost = Cost {
            memory_kib: u32::from_be_bytes(fields.take()?),
            passes: u32::from_be_bytes(fields.take()?),
            lanes: u32::from_be_bytes(fields.take()?),
        };
        let _profile: [u8; 16] = fields.take()?;
        let salt = fields.take()?;
        let zeros: [u8; 8] = fields.take()?;
        if !known || keystore > 1 || zero != 0 || zeros != [0; 8] {
            return Err(StoreError::Format);
        }
        if keystore == 1 {
            return Err(StoreError::NoKeystore);
        }
        judge(cost)?;
        Ok(Self { header: *header, salt, cost, slots })
    }

    /// The file, as [`parse`](Self::parse) reads it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [self.header.as_slice(), self.slots.as_flattened()].concat()
    }

    /// Runs Argon2id once and tries all four slots (STO-11).
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], also for a header or a slot that was tampered with;
    /// [`StoreError::Passphrase`]; [`StoreError::NoMemory`].
    pub(crate) fn open(&self, passphrase: &[u8]) -> Result<Opened, StoreError> {
        self.try_all(&self.stretch(passphrase)?).ok_or(StoreError::WrongPassphrase)
    }

    /// Wraps the key that `old` opens under `new`, in the same slot (STO-14).
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`StoreError::SamePassphrase`] if `new` opens a slot already.
    pub(crate) fn change(
        &mut self,
        old: &[u8],
        new: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let opened = self.open(old)?;
        let stretched = self.stretch(new)?;
        if self.try_all(&stretched).is_some() {
            return Err(StoreError::SamePassphrase);
        }
        self.write(opened.index, &stretched, &opened.key, rng);
        Ok(())
    }

    /// Seals a slot under a fresh seed, hence under a key that was never used (STO-10).
    fn write(&mut self, index: u8, stretched: &Stretched, key: &DbKey, rng: &mut impl CryptoRng) {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let slot_key = SlotKey::derive(&seed, stretched, None, index);
        let commitment = *slot_key.commitment();
        let mut content = Box::new(Zeroizing::new([0; 64]));
        let parts = key.expose_secret().iter().chain([&OPENS]);
        for (place, byte) in content.iter_mut().zip(parts) {
            *place = *byte;
        }
        let sealed = slot_key.seal(&self.ad(index), &**content);
        let bytes = seed.into_iter().chain(commitment).chain(sealed);
        if let Some(slot) = self.slots.get_mut(usize::from(index)) {
            for (place, byte) in slot.iter_mut().zip(bytes) {
                *place = byte;
            }
        }
    }

    /// All four, whichever opens: the time says nothing about number and place (STO-11).
    fn try_all(&self, stretched: &Stretched) -> Option<Opened> {
        let mut found = None;
        for (index, slot) in (0_u8..).zip(&self.slots) {
            if let Some(opened) = self.try_one(index, slot, stretched) {
                found = Some(opened);
            }
        }
        found
    }

    fn try_one(&self, index: u8, slot: &[u8; SLOT_LEN], stretched: &Stretched) -> Option<Opened> {
        let (seed, rest) = slot.split_first_chunk::<32>()?;
        let (commitment, sealed) = rest.split_first_chunk::<32>()?;
        let content = SlotKey::derive(seed, stretched, None, index)
            .open(commitment, &self.ad(index), sealed)
            .ok()?;
        let (key, role) = content.split_first_chunk::<32>()?;
        (role.first() == Some(&OPENS)).then(|| Opened { index, key: DbKey::copy_of(key) })
    }

    fn ad(&self, index: u8) -> Vec<u8> {
        [self.header.as_slice(), &[index]].concat()
    }

    fn stretch(&self, passphrase: &[u8]) -> Result<Stretched, StoreError> {
        stretch(passphrase, &self.salt, self.cost)
    }
}

fn header(cost: Cost, profile: &[u8; 16], salt: &[u8; 16]) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let fields = MAGIC
        .iter()
        .copied()
        .chain(VERSION.to_be_bytes())
        .chain([0, 0])
        .chain(cost.memory_kib.to_be_bytes())
        .chain(cost.passes.to_be_bytes())
        .chain(cost.lanes.to_be_bytes())
        .chain(*profile)
        .chain(*salt);
    for (place, byte) in header.iter_mut().zip(fields) {
        *place = byte;
    }
    header
}

/// What is left of the header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(StoreError::Format)?;
        self.0 = rest;
        Ok(*field)
    }
}

#[cfg(test)]
mod tests;
