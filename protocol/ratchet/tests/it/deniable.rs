//! CO-3, RAT-12: what a session leaves behind proves nothing about who wrote it, because each side could
//! have written all of it alone. A signature in a message would make these tests impossible.

use crate::pair::{AT_ROOT, ROOT, SID, TODAY, copy};
use crypto::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use ratchet::{Ciphertext, Ratchet};

type Line = (bool, Ciphertext);

/// A judge to whom the inviter hands every secret it ever had: reads B's lines, in order.
fn judge(root: &[u8; 32], lines: &[Line], replies: u64) -> Option<Vec<Vec<u8>>> {
    let mut rng = ChaCha20Rng::seed_from_u64(replies);
    let mut a = Ratchet::inviter(root, SID);
    let mut said = Vec::new();
    for (from_b, message) in lines {
        if *from_b {
            said.push(a.decrypt(TODAY, message).ok()?.content().to_vec());
        } else {
            let again = a.encrypt(&mut rng, b"ok").ok()?;
            if again != *message {
                return None;
            }
        }
    }
    Some(said)
}

/// A whole conversation, by whoever holds the inviter's secrets.
fn conversation(b_rng: u64, a_rng: u64, root: &[u8; 32], said: &[&[u8]]) -> Vec<Line> {
    let (mut for_a, mut for_b) =
        (ChaCha20Rng::seed_from_u64(a_rng), ChaCha20Rng::seed_from_u64(b_rng));
    let mut a = Ratchet::inviter(root, SID);
    let mut b = Ratchet::invited(&mut for_b, root, SID);
    let mut lines = Vec::new();
    for text in said {
        let there = b.encrypt(&mut for_b, text).unwrap();
        a.decrypt(TODAY, &there).unwrap();
        let back = a.encrypt(&mut for_a, b"ok").unwrap();
        b.decrypt(TODAY, &back).unwrap();
        lines.extend([(true, there), (false, back)]);
    }
    lines
}

#[test]
fn ratchet_co_3_rat_12_the_inviter_can_forge_the_whole_transcript() {
    // The honest one: B's randomness (seed 1) is B's alone.
    let honest = conversation(1, 2, &ROOT, &[b"good morning", b"nothing new"]);
    // The forged one: A makes B up, with dice of its own.
    let forged = conversation(99, 2, &ROOT, &[b"I confess", b"all of it"]);
    let said = judge(&ROOT, &honest, 2).unwrap();
    assert_eq!(said, [b"good morning".to_vec(), b"nothing new".to_vec()]);
    let said = judge(&ROOT, &forged, 2).unwrap();
    assert_eq!(said, [b"I confess".to_vec(), b"all of it".to_vec()]);
    // Control: the judge is not blind.
    let mut mixed = forged;
    mixed[2] = (true, honest[2].1.clone());
    assert!(judge(&ROOT, &mixed, 2).is_none());
}

#[test]
fn ratchet_co_3_rat_12_the_invited_side_can_forge_the_inviters_words() {
    let mut p = crate::pair::fresh(40);
    let b_before = copy(&p.b);
    p.b_sends(b"first"); // A never sees it; nothing of A is needed.

    // B's own state gives a "state of A" that answers to B: root, session and B's public keys.
    let state = p.b.to_secret_bytes();
    let first = copy(&p.b).encrypt(&mut p.rng, b"").unwrap();
    let mut fake = vec![1];
    fake.extend_from_slice(&SID);
    fake.extend_from_slice(&state[AT_ROOT]);
    fake.push(1); // its turn to reply
    fake.extend_from_slice(&first.as_bytes()[12..44 + 1184]); // to B's dh and ek
    fake.extend_from_slice(&[0; 4 + 1 + 2]); // pn 0, nothing received, nothing skipped
    let mut fake = Ratchet::from_secret_bytes(&fake).unwrap();

    let words = fake.encrypt(&mut p.rng, b"I, A, owe B a fortune").unwrap();
    let mut b = b_before;
    assert_eq!(b.decrypt(TODAY, &words).unwrap().content(), b"I, A, owe B a fortune");
}
