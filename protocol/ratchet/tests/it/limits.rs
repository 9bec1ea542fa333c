use crate::pair::{AT_SEND_N, TODAY, copy, met, read, refused};
use ratchet::{
    Ciphertext, DecryptError, EncryptError, MAX_OLD_CHAINS, MAX_SKIP, MAX_STORED, Ratchet,
    SKIPPED_DAYS,
};

/// A message after `lost` others that never arrive.
fn after(p: &mut crate::pair::Pair, lost: u32) -> Ciphertext {
    for _ in 0..lost {
        p.a_sends(b"lost");
    }
    p.a_sends(b"last")
}

#[test]
fn ratchet_rat_6_skips_1000_and_not_1001() {
    let mut p = met(20);
    let far = after(&mut p, MAX_SKIP + 1);
    assert_eq!(refused(&mut p.b, TODAY, &far), DecryptError::TooManySkipped);

    let mut p = met(20);
    let near = after(&mut p, MAX_SKIP);
    assert_eq!(read(&mut p.b, &near).unwrap(), b"last");
    // In the same chain, and by the length of the previous chain.
    let far = after(&mut p, MAX_SKIP + 1);
    assert_eq!(refused(&mut p.b, TODAY, &far), DecryptError::TooManySkipped);
    p.b_says(b"answer").unwrap();
    let stepping = p.a_sends(b"pn too far");
    assert_eq!(refused(&mut p.b, TODAY, &stepping), DecryptError::TooManySkipped);
}

#[test]
fn ratchet_rat_6_stores_1000_keys_and_the_oldest_go() {
    let mut p = met(21);
    let first = p.a_sends(b"first");
    let second = p.a_sends(b"second");
    for _ in 0..3 {
        let last = after(&mut p, 333);
        read(&mut p.b, &last).unwrap();
    }
    // 2 + 3 × 333 = 1001 were passed over.
    assert_eq!(refused(&mut p.b, TODAY, &first), DecryptError::Replayed);
    let stored = p.b.to_secret_bytes().len();
    assert!((MAX_STORED * 40..MAX_STORED * 40 + 2000).contains(&stored), "{stored}");
    assert_eq!(read(&mut p.b, &second).unwrap(), b"second");
}

#[test]
fn ratchet_rat_6_keeps_keys_of_five_old_chains() {
    let mut p = met(22);
    let mut late = Vec::new();
    for _ in 0..=MAX_OLD_CHAINS {
        late.push(p.a_sends(b"late"));
        p.a_says(b"x").unwrap();
        p.b_says(b"y").unwrap();
    }
    // The sixth chain is still current: five old ones.
    assert_eq!(read(&mut copy(&p.b), &late[0]).unwrap(), b"late");
    p.a_says(b"the seventh").unwrap();
    assert_eq!(refused(&mut p.b, TODAY, &late[0]), DecryptError::NotAuthentic);
    for message in &late[1..] {
        assert_eq!(read(&mut p.b, message).unwrap(), b"late");
    }
}

#[test]
fn ratchet_rat_6_keeps_keys_for_thirty_days() {
    let mut p = met(23);
    let late = p.a_sends(b"late");
    p.a_says(b"x").unwrap();
    let mut on_the_day = copy(&p.b);
    assert!(on_the_day.decrypt(TODAY + SKIPPED_DAYS, &late).is_ok());
    assert_eq!(refused(&mut p.b, TODAY + SKIPPED_DAYS + 1, &late), DecryptError::Replayed);
    // A clock that goes back keeps them.
    assert!(copy(&p.b).decrypt(0, &late).is_ok());

    let before = p.b.to_secret_bytes().len();
    assert!(!p.b.forget_expired(TODAY + SKIPPED_DAYS));
    assert!(p.b.forget_expired(TODAY + SKIPPED_DAYS + 1));
    assert!(p.b.to_secret_bytes().len() < before, "the key is gone from the state");
    assert!(!p.b.forget_expired(TODAY + SKIPPED_DAYS + 1));
}

#[test]
fn ratchet_rat_6_a_chain_ends_at_2_to_the_24() {
    let mut p = met(24);
    p.a_says(b"x").unwrap();
    let mut state = p.a.to_secret_bytes();
    state[AT_SEND_N].copy_from_slice(&0x00ff_ffff_u32.to_be_bytes());
    let mut a = Ratchet::from_secret_bytes(&state).unwrap();
    let last = a.encrypt(&mut p.rng, b"the last").unwrap();
    assert_eq!(last.as_bytes()[4..8], [0, 0xff, 0xff, 0xff]);
    assert_eq!(refused(&mut p.b, TODAY, &last), DecryptError::TooManySkipped);
    let before = a.to_secret_bytes();
    assert_eq!(a.encrypt(&mut p.rng, b"more").err(), Some(EncryptError::Exhausted));
    assert_eq!(*before, *a.to_secret_bytes());
    // An answer starts the next chain.
    let answer = p.b_sends(b"answer");
    read(&mut a, &answer).unwrap();
    assert!(a.encrypt(&mut p.rng, b"more").is_ok());
}
