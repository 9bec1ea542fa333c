//! CO-2: what a stolen state opens, and what it does not, by hand; `testing/machine` does it at random. The thief
//! has everything that ever went over the wire, and in the second half breaks every X25519 key.

use crate::pair::{AT_DH, AT_ROOT, AT_SEED, AT_SEND_CK, TODAY, copy, met, read};
use ratchet::Ratchet;

/// Whether `secret` stands anywhere in the state.
fn holds(state: &Ratchet, secret: &[u8]) -> bool {
    state.to_secret_bytes().windows(secret.len()).any(|w| w == secret)
}

#[test]
fn ratchet_co_2_rat_9_a_stolen_state_opens_nothing_earlier() {
    let mut p = met(50);
    let mut wire = Vec::new();
    let mut spent = Vec::new();
    for _ in 0..3 {
        for _ in 0..2 {
            let message = p.a_sends(b"earlier");
            let state = p.a.to_secret_bytes();
            spent.extend([
                state[AT_ROOT].to_vec(),
                state[AT_DH].to_vec(),
                state[AT_SEED].to_vec(),
                state[AT_SEND_CK].to_vec(),
            ]);
            read(&mut p.b, &message).unwrap();
            wire.push(message);
        }
        // Control: what is searched for below is found before it is spent.
        assert!(spent.iter().any(|secret| holds(&p.a, secret)));
        p.b_says(b"answer").unwrap();
    }
    p.a_says(b"the last of the old").unwrap();
    p.b_says(b"y").unwrap();
    // The thief comes now, to both.
    for secret in &spent {
        assert!(!holds(&p.a, secret) && !holds(&p.b, secret), "a spent secret is still there");
    }
    for message in &wire {
        assert!(copy(&p.b).decrypt(TODAY, message).is_err());
    }
}

/// RAT-3: a pair of ours is gone as soon as the peer has answered it.
#[test]
fn ratchet_rat_3_an_answered_pair_is_erased_at_once() {
    let mut p = met(51);
    p.a_says(b"x").unwrap();
    let state = p.a.to_secret_bytes();
    let (dh, seed) = (&state[AT_DH], &state[AT_SEED]);
    assert!(holds(&p.a, dh) && holds(&p.a, seed));
    p.b_says(b"y").unwrap();
    assert!(!holds(&p.a, dh) && !holds(&p.a, seed));
}

#[test]
fn ratchet_co_2_rat_10_a_quantum_thief_is_shut_out_once_both_have_stepped() {
    let mut p = met(52);
    p.a_says(b"before").unwrap();

    // The theft: A's whole state, while its chain is under way.
    let mut stolen = copy(&p.a);
    // The window: the chain goes on, and B's next step is made to keys that were stolen.
    let from_b = p.b_sends(b"B steps");
    assert_eq!(read(&mut copy(&stolen), &from_b).unwrap(), b"B steps");
    read(&mut p.a, &from_b).unwrap();
    read(&mut stolen, &from_b).unwrap();
    assert_eq!(stolen.to_secret_bytes()[AT_ROOT], p.a.to_secret_bytes()[AT_ROOT]);

    // A steps: both have now.
    let b_then = copy(&p.b);
    let from_a = p.a_sends(b"A steps");

    // To read it, the thief plays B: it has the root, and by breaking X25519 B's private key from
    // the wire. It lacks B's KEM seed alone.
    let mut as_b = b_then.to_secret_bytes();
    assert_eq!(as_b[AT_ROOT], stolen.to_secret_bytes()[AT_ROOT], "the thief has followed so far");
    as_b[AT_SEED].fill(0x77);
    let mut thief = Ratchet::from_secret_bytes(&as_b).unwrap();
    assert!(thief.decrypt(TODAY, &from_a).is_err());
    // Control: with the seed as well, the same thief reads on.
    assert_eq!(read(&mut copy(&b_then), &from_a).unwrap(), b"A steps");

    // Everything later hangs on that root step, in both directions.
    read(&mut p.b, &from_a).unwrap();
    for _ in 0..3 {
        let there = p.b_sends(b"later");
        assert!(stolen.decrypt(TODAY, &there).is_err());
        read(&mut p.a, &there).unwrap();
        let back = p.a_sends(b"later");
        assert!(thief.decrypt(TODAY, &back).is_err() && stolen.decrypt(TODAY, &back).is_err());
        read(&mut p.b, &back).unwrap();
    }
}

/// The other half of a hybrid: a thief who breaks ML-KEM has the seed but not the DH key.
#[test]
fn ratchet_co_2_rat_10_a_thief_who_breaks_the_kem_is_shut_out_as_well() {
    let mut p = met(53);
    p.a_says(b"before").unwrap();
    p.b_says(b"B steps").unwrap();
    let mut as_b = p.b.to_secret_bytes();
    let from_a = p.a_sends(b"A steps");
    as_b[AT_DH].fill(0x55);
    assert!(Ratchet::from_secret_bytes(&as_b).unwrap().decrypt(TODAY, &from_a).is_err());
    assert!(read(&mut p.b, &from_a).is_ok());
}

/// What RAT-10 does not promise: whoever writes first with a stolen state has the session.
#[test]
fn ratchet_rat_10_a_thief_who_writes_first_takes_the_session() {
    let mut p = met(54);
    let mut stolen = copy(&p.a);
    let forged = stolen.encrypt(&mut p.rng, b"the thief steps").unwrap();
    assert_eq!(read(&mut p.b, &forged).unwrap(), b"the thief steps");
    let honest = p.a_sends(b"A steps");
    assert!(p.b.decrypt(TODAY, &honest).is_err(), "A is shut out, which shows by its silence");
    let answer = p.b_sends(b"answer");
    assert_eq!(read(&mut stolen, &answer).unwrap(), b"answer");
    assert!(p.a.decrypt(TODAY, &answer).is_err());
}
