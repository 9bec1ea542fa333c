use crypto::rand_core::SeedableRng;
use handshake::{AwaitingM3, AwaitingM4, Established, Introduction, Inviter, accept};
use identity::{Fingerprint, Identity};
use rand_chacha::ChaCha20Rng;

/// An hour in 2026.
pub(crate) const NOW: u32 = 495_000;
pub(crate) const MAILBOX: [u8; 32] = [0x3a; 32];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn nobody(_: &Fingerprint) -> bool {
    false
}

pub(crate) fn intro(name: &str) -> Introduction {
    let inbox = vec![[u8::try_from(name.len()).unwrap(); 32], [0xbb; 32]];
    Introduction { inbox, version: 7, name: name.into() }
}

/// Two people, and every message and state of their pairing.
pub(crate) struct Pairing {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) alice: Identity,
    pub(crate) bob: Identity,
    pub(crate) inviter: Inviter,
    pub(crate) m2: Vec<u8>,
    pub(crate) bob_waits: AwaitingM3,
    pub(crate) m3: Vec<u8>,
    pub(crate) alice_waits: AwaitingM4,
    pub(crate) m4: Vec<u8>,
    pub(crate) at_bob: Established,
    pub(crate) at_alice: Established,
}

/// Everything up to M2, with an inviter who may have changed something.
pub(crate) fn run(seed: u64) -> Pairing {
    let mut rng = rng(seed);
    let alice = Identity::generate(&mut rng, NOW).unwrap();
    let bob = Identity::generate(&mut rng, NOW).unwrap();
    let inviter = Inviter::new(&mut rng, &alice, &[MAILBOX], NOW + 48).unwrap();
    let invite = inviter.invite();
    let (m2, bob_waits) =
        accept(&mut rng, &bob, &invite, &intro("Bob"), inviter.m1(), NOW + 1).unwrap();
    let (m3, alice_waits) =
        inviter.receive_m2(&mut rng, &alice, &intro("Alice"), &m2, NOW + 2, nobody).unwrap();
    let (m4, at_bob) = bob_waits.receive_m3(&mut rng, &bob, &m3, NOW + 3, nobody).unwrap();
    let at_alice = alice_waits.receive_m4(&m4).unwrap();
    Pairing { rng, alice, bob, inviter, m2, bob_waits, m3, alice_waits, m4, at_bob, at_alice }
}
