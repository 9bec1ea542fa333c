//! Messages of a pairing and of a re-key, and the states between them.

use crate::choices::Choices;
use crate::identity::NOW;
use crate::invite;
use handshake::rekey::{self, Initiated};
use handshake::{
    AwaitingM3, AwaitingM4, Introduction, Invite, Inviter, M2_LEN, M3_LEN, M4_LEN, RecoveryPsk,
    accept,
};
use identity::{Fingerprint, Identity};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::LazyLock;
use wire::Codec;

const MAILBOX: [u8; 32] = [0x3a; 32];

/// Two people, every message and every state of their pairing and of a re-key.
struct Pairing {
    alice: Identity,
    bob: Identity,
    inviter: Inviter,
    m2: Vec<u8>,
    bob_waits: AwaitingM3,
    m3: Vec<u8>,
    alice_waits: AwaitingM4,
    m4: Vec<u8>,
    psk: RecoveryPsk,
    initiated: Initiated,
    r1: Vec<u8>,
    r2: Vec<u8>,
}

static PAIRING: LazyLock<Pairing> = LazyLock::new(|| {
    let mut rng = dice();
    let alice = Identity::generate(&mut rng, NOW).unwrap();
    let bob = Identity::generate(&mut rng, NOW).unwrap();
    let inviter = Inviter::new(&mut rng, &alice, &[MAILBOX], NOW + 48).unwrap();
    let invite = inviter.invite();
    let (m2, bob_waits) =
        accept(&mut rng, &bob, &invite, &intro("Bob"), inviter.m1(), NOW + 1).unwrap();
    let (m3, alice_waits) =
        inviter.receive_m2(&mut rng, &alice, &intro("Alice"), &m2, NOW + 2, nobody).unwrap();
    let (m4, at_bob) = bob_waits.receive_m3(&mut rng, &bob, &m3, NOW + 3, nobody).unwrap();
    let psk = at_bob.session.recovery_psk();
    let (r1, initiated) =
        rekey::initiate(&mut rng, alice.statics(), bob.cert(), &psk, &intro("Alice"), NOW).unwrap();
    let (r2, _) =
        rekey::respond(&mut rng, &bob, &[alice.cert()], &psk, &intro("Bob"), &r1, NOW).unwrap();
    Pairing { alice, bob, inviter, m2, bob_waits, m3, alice_waits, m4, psk, initiated, r1, r2 }
});

fn dice() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([13; 32])
}

fn nobody(_: &Fingerprint) -> bool {
    false
}

fn intro(name: &str) -> Introduction {
    Introduction { inbox: vec![[1; 32], [0xbb; 32]], version: 7, name: name.into() }
}

/// What a side says about itself (HS-5): one value, one encoding.
pub fn introduction(data: &[u8]) {
    if let Ok(intro) = Introduction::from_bytes(data) {
        assert_eq!(intro.to_bytes(), data);
    }
}

/// M1 of a malicious inviter, whose invite pins whatever it made.
pub fn m1(data: &[u8]) {
    let m1 = Choices::new(data).edit(PAIRING.inviter.m1());
    let uri = invite::uri(&invite::body(&[MAILBOX], &m1, NOW + 48));
    let Ok(invite) = Invite::from_uri(&uri) else { panic!("not an invite: {uri}") };
    if let Ok((m2, _)) = accept(&mut dice(), &PAIRING.bob, &invite, &intro("B"), &m1, NOW) {
        assert_eq!(m2.len(), M2_LEN);
    }
}

/// M2 of a malicious guest. `hour(1) ‖ edits`
pub fn m2(data: &[u8]) {
    let p = &*PAIRING;
    let mut choices = Choices::new(data);
    let now = NOW + u32::from(choices.byte() % 64);
    let m2 = choices.edit(&p.m2);
    let answer = p.inviter.receive_m2(&mut dice(), &p.alice, &intro("A"), &m2, now, nobody);
    if let Ok((m3, _)) = answer {
        assert_eq!(m3.len(), M3_LEN);
    }
}

/// M3 of a malicious inviter.
pub fn m3(data: &[u8]) {
    let p = &*PAIRING;
    let m3 = Choices::new(data).edit(&p.m3);
    if let Ok((m4, _)) = p.bob_waits.receive_m3(&mut dice(), &p.bob, &m3, NOW, nobody) {
        assert_eq!(m4.len(), M4_LEN);
    }
}

/// M4 of a malicious guest.
pub fn m4(data: &[u8]) {
    let m4 = Choices::new(data).edit(&PAIRING.m4);
    let _done = PAIRING.alice_waits.receive_m4(&m4).is_ok();
}

/// R1 of whoever holds the recovery psk.
pub fn r1(data: &[u8]) {
    let p = &*PAIRING;
    let r1 = Choices::new(data).edit(&p.r1);
    let peers = [p.alice.cert()];
    let answer = rekey::respond(&mut dice(), &p.bob, &peers, &p.psk, &intro("B"), &r1, NOW);
    if let Ok((r2, _)) = answer {
        assert_eq!(r2.len(), rekey::R2_LEN);
    }
}

/// R2 of a malicious peer.
pub fn r2(data: &[u8]) {
    let r2 = Choices::new(data).edit(&PAIRING.r2);
    let _done = rekey::finish(&PAIRING.initiated, &PAIRING.alice, &r2).is_ok();
}

/// The four states as the store keeps them. `which(1) ‖ edits`
pub fn stored(data: &[u8]) {
    let p = &*PAIRING;
    let mut choices = Choices::new(data);
    match choices.byte() % 4 {
        0 => {
            let bytes = choices.edit(&p.inviter.to_secret_bytes());
            if let Ok(state) = Inviter::from_secret_bytes(&bytes) {
                assert_eq!(*state.to_secret_bytes(), bytes);
            }
        }
        1 => {
            let bytes = choices.edit(&p.bob_waits.to_secret_bytes());
            if let Ok(state) = AwaitingM3::from_secret_bytes(&bytes) {
                assert_eq!(*state.to_secret_bytes(), bytes);
            }
        }
        2 => {
            let bytes = choices.edit(&p.alice_waits.to_secret_bytes());
            if let Ok(state) = AwaitingM4::from_secret_bytes(&bytes) {
                assert_eq!(*state.to_secret_bytes(), bytes);
            }
        }
        _ => {
            let bytes = choices.edit(&p.initiated.to_secret_bytes());
            if let Ok(state) = Initiated::from_secret_bytes(&bytes) {
                assert_eq!(*state.to_secret_bytes(), bytes);
            }
        }
    }
}

pub fn introduction_seeds() -> Vec<Vec<u8>> {
    let one = Introduction { inbox: vec![[1; 32]], version: 1, name: "Zoë".into() };
    let none = Introduction { name: String::new(), ..one.clone() };
    [intro("Bob"), one, none].iter().map(Codec::to_bytes).collect()
}

/// None; in the keys; in the plaintext under the AEAD; a length.
pub fn message_seeds() -> Vec<Vec<u8>> {
    let edits: [&[u8]; 5] = [&[], &[0, 0, 1, 1], &[0, 30, 0, 4], &[0, 31, 0, 1], &[4, 0, 100, 0]];
    edits.map(<[u8]>::to_vec).to_vec()
}

pub fn stored_seeds() -> Vec<Vec<u8>> {
    (0..4)
        .flat_map(|which| message_seeds().into_iter().map(move |e| [&[which], &e[..]].concat()))
        .collect()
}
