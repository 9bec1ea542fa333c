//! What a peer that does not keep to the rules could send: authentic to its chain, yet no encoder makes it.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use crypto::aead::{MessageKey, SIV_LEN, siv_seal};
use crypto::kdf::{extract, hash, hmac};
use crypto::labels;
use ratchet::{CIPHERTEXT_LEN, Ciphertext};

use crate::layout::{State, Turn};

pub(crate) const HEADER_LEN: usize = 2316;
const BODY_LEN: usize = 1636;

/// What is wrong with the message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Twist {
    /// A byte after the content is not zero (RAT-1).
    Padding,
    /// The length goes beyond the body (RAT-1).
    Length,
    /// The body is sealed under a siv that is not its own (RAT-5).
    Siv,
    /// The session's first chain answers something (RAT-4).
    Ciphertext,
    /// Nothing: the control, which must be accepted.
    Nothing,
}

/// The next message of the sender whose state this is, made by hand; `like` is an earlier one of the same chain.
pub(crate) fn craft(state: &State, like: &Ciphertext, twist: Twist) -> Option<Ciphertext> {
    let Turn::Send { ck, n, .. } = &state.turn else { return None };
    let mut header = like.as_bytes()[..HEADER_LEN].to_vec();
    header[4..8].copy_from_slice(&n.to_be_bytes());
    let mk = MessageKey::filled(|out| hmac(ck, &[&[1]], out));
    let mut body = [0; BODY_LEN];
    body[..3].copy_from_slice(&[0, 1, b'x']);
    match twist {
        Twist::Padding => body[BODY_LEN - 1] = 1,
        Twist::Length => body[..2].copy_from_slice(&1635_u16.to_be_bytes()),
        Twist::Ciphertext => header[HEADER_LEN - 1] = 1,
        Twist::Siv | Twist::Nothing => {}
    }
    // RAT-5
    let bound = [&header[..12], &hash(&[labels::STEP_KEYS, &header[12..]])].concat();
    let sealed = match twist {
        Twist::Siv => under_false_siv(&mk, &state.sid, &bound, &body),
        _ => siv_seal(&mk, &state.sid, &bound, &body),
    };
    let message: [u8; CIPHERTEXT_LEN] = [header, sealed].concat().try_into().unwrap();
    Some(Ciphertext::from_bytes(&message))
}

/// RAT-5 with a siv that was chosen, not computed: tag and cipher are as they must be.
fn under_false_siv(mk: &MessageKey, sid: &[u8; 32], bound: &[u8], body: &[u8]) -> Vec<u8> {
    let siv = [0x5a; SIV_LEN];
    let mut derived = [0; 44];
    extract(&siv, &[mk.expose_secret()]).expand(&[labels::BODY], &mut derived);
    let cipher = ChaCha20Poly1305::new_from_slice(&derived[..32]).unwrap();
    let aad = [sid.as_slice(), bound].concat();
    let nonce = derived[32..].try_into().unwrap();
    let sealed = cipher.encrypt(nonce, Payload { msg: body, aad: &aad }).unwrap();
    [siv.as_slice(), &sealed].concat()
}
