//! Two sides of a session, and where their secrets lie in the saved state.

use crypto::aead::{MessageKey, siv_seal};
use crypto::kdf::{hash, hmac};
use crypto::rand_core::SeedableRng;
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
    let a = Ratchet::inviter(&ROOT, SID);
    let b = Ratchet::invited(&mut rng, &ROOT, SID);
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

    /// B's first message, which says "y", with something changed in its header before it is sealed.
    pub(crate) fn first_by_hand(&mut self, change: impl FnOnce(&mut [u8])) -> Ciphertext {
        let state = self.b.to_secret_bytes();
        let mut header =
            copy(&self.b).encrypt(&mut self.rng, b"").unwrap().as_bytes()[..2316].to_vec();
        change(&mut header);
        let mut body = [0; 1636];
        body[1..3].copy_from_slice(&[1, b'y']);
        by_hand(&state, &header, &body)
    }

    pub(crate) fn b_says(&mut self, text: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let message = self.b_sends(text);
        read(&mut self.a, &message)
    }
}

/// The next message of the side whose saved state this is, with any header and body.
pub(crate) fn by_hand(state: &[u8], header: &[u8], body: &[u8; 1636]) -> Ciphertext {
    let ck: [u8; 32] = state[AT_SEND_CK].try_into().unwrap();
    let mk = MessageKey::filled(|out| hmac(&ck, &[&[1]], out));
    let sealed = siv_seal(&mk, &SID, &bound(header), body);
    Ciphertext::from_bytes(&[header, &sealed].concat().try_into().unwrap())
}

/// What a message is bound to of its header (RAT-5).
fn bound(header: &[u8]) -> Vec<u8> {
    [&header[..12], &hash(&[b"pvtcoms v1 step keys", &header[12..]])].concat()
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
