//! The key of a backup file, and the sequence of sealed segments that the file is (BAK-2, BAK-3).
//!
//! ```text
//! K ‖ C = HKDF-SHA-512(salt = seed, ikm = A, info = "pvtcoms/backup/v1 key") -> 32 + 32 bytes
//! K[i]  = HKDF-Expand(K, "pvtcoms/backup/v1 segment" ‖ i(8) ‖ last(1), 32)      seals segment i alone
//! ```
//! Place and end of a segment are in its key: a segment opens at its own place, as what it was, and
//! nowhere else. No nonce is chosen by anyone.

use crate::aead::{NotAuthentic, OneTimeKey};
use crate::kdf::{Pair, Prk, ct_eq, hkdf_sha512};
use crate::password::Stretched;
use crate::{SecretBox, labels};
use zeroize::Zeroizing;

/// `K`, from which each segment's key comes.
type FileKey = SecretBox<32>;

/// What a passphrase opens in a backup, and the commitment that binds the file to it.
pub struct BackupKey {
    key: FileKey,
    commitment: [u8; 32],
}

/// Seals the segments of one file, in their order.
pub struct SegmentSealer(Segments);

/// Opens the segments of one file, in their order.
pub struct SegmentOpener(Segments);

struct Segments {
    key: FileKey,
    /// The file's header: associated data of every segment.
    ad: Vec<u8>,
    next: u64,
}

crate::opaque!(BackupKey, SegmentSealer, SegmentOpener, Segments);

impl BackupKey {
    /// Derives the key of a file; its own because `seed` is drawn for it.
    #[must_use]
    pub fn derive(seed: &[u8; 32], stretched: &Stretched) -> Self {
        let mut both = Box::new(Zeroizing::new([0; 64]));
        hkdf_sha512(seed, &[stretched.expose_secret()], &[labels::BACKUP_KEY], &mut both);
        let halves = Pair::from_halves(both);
        Self { key: FileKey::copy_of(halves.first()), commitment: *halves.second() }
    }

    /// Binds the file to one key; stands in its header.
    #[must_use]
    pub const fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Begins to seal under the file's header; the key is consumed.
    #[must_use]
    pub fn sealer(self, header: &[u8]) -> SegmentSealer {
        SegmentSealer(Segments { key: self.key, ad: header.to_vec(), next: 0 })
    }

    /// Begins to open a file whose header names `commitment`; the key is consumed.
    ///
    /// # Errors
    /// [`NotAuthentic`] if the commitment is another, compared in constant time.
    pub fn opener(
        self,
        commitment: &[u8; 32],
        header: &[u8],
    ) -> Result<SegmentOpener, NotAuthentic> {
        if !ct_eq(&self.commitment, commitment) {
            return Err(NotAuthentic);
        }
        Ok(SegmentOpener(Segments { key: self.key, ad: header.to_vec(), next: 0 }))
    }
}

impl SegmentSealer {
    /// Seals a segment that others follow: 16 bytes longer.
    #[must_use]
    pub fn seal(&mut self, segment: &[u8]) -> Vec<u8> {
        let sealed = self.0.key(false).seal(&self.0.ad, segment);
        self.0.step();
        sealed
    }

    /// Seals the last segment.
    #[must_use]
    pub fn seal_last(self, segment: &[u8]) -> Vec<u8> {
        self.0.key(true).seal(&self.0.ad, segment)
    }
}

impl SegmentOpener {
    /// Opens the next segment, as the last one or as one that others follow. The place moves on only
    /// when it opens.
    ///
    /// # Errors
    /// [`NotAuthentic`] for everything that was not sealed as this segment of this file.
    pub fn open(&mut self, sealed: &[u8], last: bool) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let segment = self.0.key(last).open(&self.0.ad, sealed)?;
        self.0.step();
        Ok(segment)
    }
}

impl Segments {
    fn key(&self, last: bool) -> OneTimeKey {
        let (place, end) = (self.next.to_be_bytes(), [u8::from(last)]);
        OneTimeKey::filled(|out| {
            Prk::from_key(self.key.expose_secret())
                .expand(&[labels::BACKUP_SEGMENT, &place, &end], out);
        })
    }

    /// No disk holds 2^64 segments.
    fn step(&mut self) {
        self.next = self.next.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Cost;

    fn key(passphrase: &[u8], seed: u8) -> BackupKey {
        let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let stretched = Stretched::from_passphrase(passphrase, &[1; 16], cost).unwrap();
        BackupKey::derive(&[seed; 32], &stretched)
    }

    #[test]
    fn bak_2_only_its_own_passphrase_and_seed_open_a_file() {
        let commitment = *key(b"pass", 3).commitment();
        assert!(key(b"pass", 3).opener(&commitment, b"h").is_ok());
        assert!(key(b"Pass", 3).opener(&commitment, b"h").is_err());
        assert!(key(b"pass", 4).opener(&commitment, b"h").is_err());
        assert!(key(b"pass", 3).opener(&[0; 32], b"h").is_err());
    }

    #[test]
    fn bak_3_a_segment_opens_at_its_place_and_as_what_it_was_alone() {
        let commitment = *key(b"pass", 3).commitment();
        let opener = |header: &[u8]| key(b"pass", 3).opener(&commitment, header).unwrap();
        let mut sealer = key(b"pass", 3).sealer(b"h");
        let (a, b) = (sealer.seal(b"same"), sealer.seal(b"same"));
        let c = sealer.seal_last(b"same");
        assert!(a != b && b != c && a.len() == 20);

        let mut good = opener(b"h");
        assert!(good.open(&b, false).is_err(), "reordered");
        assert!(good.open(&a, true).is_err(), "taken for the last");
        assert_eq!(&**good.open(&a, false).unwrap(), b"same");
        assert!(good.open(&a, false).is_err(), "twice");
        assert_eq!(&**good.open(&b, false).unwrap(), b"same");
        assert!(good.open(&c, false).is_err(), "the last is the last");
        assert_eq!(&**good.open(&c, true).unwrap(), b"same");

        assert!(opener(b"H").open(&a, false).is_err(), "another header");
        let mut spliced = key(b"pass", 4).sealer(b"h");
        assert!(opener(b"h").open(&spliced.seal(b"same"), false).is_err(), "another file");
    }
}
