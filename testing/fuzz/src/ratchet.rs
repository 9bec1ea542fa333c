//! Messages and the stored state of a session.

use crate::choices::Choices;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use ratchet::{Ciphertext, MAX_CONTENT, Ratchet};
use std::cell::RefCell;
use std::sync::LazyLock;

const TODAY: u32 = 20_000;

/// One conversation at a moment where everything can arrive: `a` has a chain of `b` under way and
/// keys put aside; `b` waits for a chain of `a`.
struct Talk {
    /// `a` has answered nothing yet to the chain it reads.
    a_reads: Vec<u8>,
    /// Late, next, next but three, used; all of the chain that `a` reads.
    to_a: Vec<Ciphertext>,
    /// `b` waits for the chain that `a` has begun.
    b_waits: Vec<u8>,
    /// First and third of that chain.
    to_b: Vec<Ciphertext>,
    /// The inviter before any message.
    fresh: Vec<u8>,
}

static TALK: LazyLock<Talk> = LazyLock::new(|| {
    let mut rng = dice();
    let mut a = Ratchet::inviter(&[1; 32], [2; 32]);
    let fresh = a.to_secret_bytes().to_vec();
    let mut b = Ratchet::invited(&mut rng, &[1; 32], [2; 32]);
    let sent: Vec<_> = (0..8).map(|_| b.encrypt(&mut rng, b"hello").unwrap()).collect();
    let first = a.decrypt(TODAY, &sent[0]);
    let fourth = a.decrypt(TODAY, &sent[3]);
    assert!(first.is_ok() && fourth.is_ok());
    let a_reads = a.to_secret_bytes().to_vec();
    let to_a = [1, 4, 7, 0].map(|i| sent[i].clone()).to_vec();
    let to_b = (0..3).map(|_| a.encrypt(&mut rng, b"and you").unwrap()).collect();
    Talk { a_reads, to_a, b_waits: b.to_secret_bytes().to_vec(), to_b, fresh }
});

fn dice() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([17; 32])
}

fn load(state: &[u8]) -> Ratchet {
    Ratchet::from_secret_bytes(state).unwrap()
}

thread_local! {
    static A: RefCell<Ratchet> = RefCell::new(load(&TALK.a_reads));
    static B: RefCell<Ratchet> = RefCell::new(load(&TALK.b_waits));
}

/// A message of the chain that is being read, or of one that is not there. `which ‖ day ‖ edits`
pub fn chain(data: &[u8]) {
    A.with_borrow_mut(|a| receive(a, &TALK.a_reads, &TALK.to_a, data));
}

/// A message that steps the ratchet: X25519, decapsulation, root.
pub fn step(data: &[u8]) {
    B.with_borrow_mut(|b| receive(b, &TALK.b_waits, &TALK.to_b, data));
}

/// RAT-4: what is refused changes nothing. RAT-7: what was accepted is refused the next time.
fn receive(session: &mut Ratchet, before: &[u8], messages: &[Ciphertext], data: &[u8]) {
    let mut choices = Choices::new(data);
    let message = choices.one_of(messages);
    let today = TODAY + u32::from(choices.byte() % 64);
    let Ok(bytes) = choices.edit(message.as_bytes()).try_into() else { return };
    let message = Ciphertext::from_bytes(&bytes);
    match session.decrypt(today, &message) {
        Err(_) => assert_eq!(*session.to_secret_bytes(), before),
        Ok(authentic) => {
            assert!(authentic.content().len() <= MAX_CONTENT);
            let after = session.to_secret_bytes();
            assert!(session.decrypt(today, &message).is_err(), "accepted twice");
            assert_eq!(*session.to_secret_bytes(), *after);
            *session = load(before);
        }
    }
}

/// The state as the store keeps it, and, one time in eight, what a strange one does with a
/// message and with a text. `which ‖ use ‖ edits`
pub fn stored(data: &[u8]) {
    let mut choices = Choices::new(data);
    let states = [&TALK.a_reads, &TALK.fresh, &TALK.b_waits];
    let state = choices.one_of(&states);
    let used = choices.byte().is_multiple_of(8);
    let bytes = choices.edit(state);
    let Ok(mut session) = Ratchet::from_secret_bytes(&bytes) else { return };
    assert_eq!(*session.to_secret_bytes(), bytes);
    if used {
        for message in TALK.to_a.iter().chain(&TALK.to_b) {
            let _read = session.decrypt(TODAY, message).is_ok();
        }
        let _sent = session.encrypt(&mut dice(), b"text").is_ok();
        load(&session.to_secret_bytes());
    }
}

pub fn message_seeds() -> Vec<Vec<u8>> {
    // None; n; pn; dh; a key put aside, too late; the length of the body.
    let edits: [&[u8]; 6] = [
        &[0],
        &[0, 0, 0, 0, 7, 1],
        &[0, 0, 0, 0, 11, 1],
        &[0, 0, 0, 0, 12, 1],
        &[0, 40],
        &[0, 0, 0, 9, 44, 1],
    ];
    (0..4).flat_map(|which| edits.map(|e| [&[which], e].concat())).collect()
}

pub fn stored_seeds() -> Vec<Vec<u8>> {
    (0..3).flat_map(|which| (0..2).map(move |used| vec![which, used])).collect()
}
