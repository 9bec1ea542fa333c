//! Two sides of a session, and where their secrets lie in the saved state.

use crypto::rand_core::SeedableRng;
use crypto::{dh, kem};
use rand_chacha::ChaCha20Rng;
use ratchet::{Ciphertext, DecryptError, Ratchet};
use std::ops::Range;

pub(crate) const ROOT: [u8; 32] = [1; 32];
pub(crate) const SID: [u8; 32] = [2; 32];
pub(crate) const TODAY: u32 = 20_000;

// docs/spec/ratchet.md, section 4.
pub(crate) const AT_ROOT: Range<usize> = 33..65;
pub(crate) const AT_TURN: usize = 65;
pub(crate) const AT_DH: Range<usize> = 66..98;
pub(crate) const AT_SEED: Range<usize> = 98..162;
pub(crate) const AT_SEND_CK: Range<usize> = 1250..1282;
pub(crate) const AT_SEND_N: Range<usize> = 1282..1286;

pub(crate) struct Pair {
    pub(crate) rng: ChaCha20Rng,
    /// The inviter, A.
    pub(crate) a: Ratchet,
    /// The invited side, B.
    pub(crate) b: Ratchet,
}

/// Before the first message.
pub(crate) fn fresh(seed: u64) -> Pair {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (e, e_pub) = dh::generate(&mut rng);
    let (k, k_pub) = kem::generate(&mut rng);
    let a = Ratchet::inviter(&ROOT, SID, e, k);
    let b = Ratchet::invited(&mut rng, &ROOT, SID, e_pub, k_pub).unwrap();
    Pair { rng, a, b }
}

/// After B's first message has arrived.
pub(crate) fn met(seed: u64) -> Pair {
    let mut pair = fresh(seed);
    pair.b_says(b"first").unwrap();
    pair
}

impl Pair {
    pub(crate) fn a_sends(&mut self, text: &[u8]) -> Ciphertext {
        self.a.encrypt(&mut self.rng, text).unwrap()
    }

    pub(crate) fn b_sends(&mut self, text: &[u8]) -> Ciphertext {
        self.b.encrypt(&mut self.rng, text).unwrap()
    }

    pub(crate) fn a_says(&mut self, text: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let message = self.a_sends(text);
        read(&mut self.b, &message)
    }

    pub(crate) fn b_says(&mut self, text: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let message = self.b_sends(text);
        read(&mut self.a, &message)
    }
}

pub(crate) fn read(to: &mut Ratchet, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
    to.decrypt(TODAY, message).map(|text| text.content().to_vec())
}

/// A copy by way of the saved state; there is no other.
pub(crate) fn copy(of: &Ratchet) -> Ratchet {
    Ratchet::from_secret_bytes(&of.to_secret_bytes()).unwrap()
}

/// Why it was refused; the state must be as it was.
pub(crate) fn refused(by: &mut Ratchet, today: u32, message: &Ciphertext) -> DecryptError {
    let before = by.to_secret_bytes();
    let Err(error) = by.decrypt(today, message) else { panic!("accepted") };
    assert_eq!(*before, *by.to_secret_bytes(), "a refused message changed the state");
    error
}

/// The message with some bits of byte `at` flipped.
pub(crate) fn flipped(message: &Ciphertext, at: usize, bits: u8) -> Ciphertext {
    let mut bytes = *message.as_bytes();
    bytes[at] ^= bits;
    Ciphertext::from_bytes(&bytes)
}
