use crate::pair::{TODAY, by_hand, flipped, fresh, met, read, refused};
use proptest::prelude::*;
use ratchet::{CIPHERTEXT_LEN, Ciphertext, DecryptError, EncryptError, MAX_CONTENT, Malformed};

#[test]
fn ratchet_rat_3_talks_both_ways() {
    let mut p = fresh(1);
    for i in 0..5_u8 {
        assert_eq!(p.b_says(&[i]).unwrap(), [i]);
        assert_eq!(p.b_says(&[i, i]).unwrap(), [i, i]);
        assert_eq!(p.a_says(&[100 + i]).unwrap(), [100 + i]);
    }
}

#[test]
fn ratchet_rat_1_every_length_is_one_length() {
    let mut p = met(2);
    for len in [0, 1, 1000, MAX_CONTENT - 1, MAX_CONTENT] {
        let text = vec![0x5a; len];
        let message = p.a_sends(&text);
        assert_eq!(message.as_bytes().len(), CIPHERTEXT_LEN);
        assert_eq!(read(&mut p.b, &message).unwrap(), text);
    }
    let before = p.a.to_secret_bytes();
    let error = p.a.encrypt(&mut p.rng, &[0; MAX_CONTENT + 1]).err();
    assert_eq!(error, Some(EncryptError::TooLong));
    assert_eq!(*before, *p.a.to_secret_bytes());
}

#[test]
fn ratchet_rat_1_refuses_unknown_version_type_and_reserved_bytes() {
    let mut p = met(3);
    let message = p.a_sends(b"x");
    for (at, field) in [
        (0, Malformed::Field("version")),
        (1, Malformed::Field("type")),
        (2, Malformed::Reserved),
        (3, Malformed::Reserved),
        (4, Malformed::Field("n")),
        (8, Malformed::Field("n")),
    ] {
        let error = refused(&mut p.b, TODAY, &flipped(&message, at, 0x80));
        assert_eq!(error, DecryptError::Malformed(field));
    }
    assert!(read(&mut p.b, &message).is_ok());
}

/// The peer itself sends a body that no encoder makes: authentic, yet refused.
#[test]
fn ratchet_rat_1_refuses_nonzero_padding_and_false_lengths() {
    let mut p = met(4);
    let honest = p.a_sends(b"x");
    read(&mut p.b, &honest).unwrap();
    // A's chain key at number 1, as the peer has it.
    let mut header = honest.as_bytes()[..2316].to_vec();
    header[7] = 1;
    let state = p.a.to_secret_bytes();
    let forge = |body: &[u8; 1636]| by_hand(&state, &header, body);
    let mut body = [0; 1636];
    body[1] = 1;
    body[3] = 7; // after the content
    let error = refused(&mut p.b, TODAY, &forge(&body));
    assert_eq!(error, DecryptError::Malformed(Malformed::Reserved));
    body[..2].copy_from_slice(&1635_u16.to_be_bytes());
    let error = refused(&mut p.b, TODAY, &forge(&body));
    assert_eq!(error, DecryptError::Malformed(Malformed::Short));
    // Control: the same forgery with a body that an encoder makes is accepted.
    body = [0; 1636];
    body[1..3].copy_from_slice(&[1, b'y']);
    assert_eq!(read(&mut p.b, &forge(&body)).unwrap(), b"y");
}

#[test]
fn ratchet_rat_4_inviter_waits_for_the_first_message() {
    let mut p = fresh(5);
    assert!(!p.a.can_send() && p.b.can_send());
    let before = p.a.to_secret_bytes();
    assert_eq!(p.a.encrypt(&mut p.rng, b"x").err(), Some(EncryptError::NotYet));
    assert_eq!(*before, *p.a.to_secret_bytes());
    p.b_says(b"first").unwrap();
    assert!(p.a.can_send());
    assert_eq!(p.a_says(b"x").unwrap(), b"x");
}

#[test]
fn ratchet_rat_4_refuses_a_key_that_contributes_nothing() {
    let mut p = fresh(6);
    // In the first chain, by its own peer: what it begins with would be our step's.
    let no_key = p.first_by_hand(|header| header[12..44].fill(0));
    assert_eq!(refused(&mut p.a, TODAY, &no_key), DecryptError::NotAuthentic);
    // Later it is our own exchange that finds it.
    let mut q = met(6);
    let mut message = *q.a_sends(b"steps").as_bytes();
    message[12..44].fill(0);
    let error = refused(&mut q.b, TODAY, &Ciphertext::from_bytes(&message));
    assert_eq!(error, DecryptError::NotAuthentic);
    // An encapsulation key that is not reduced.
    let mut message = *p.b_sends(b"second").as_bytes();
    message[44..47].fill(0xff);
    let error = refused(&mut p.a, TODAY, &Ciphertext::from_bytes(&message));
    assert_eq!(error, DecryptError::Malformed(Malformed::Field("ek")));
}

#[test]
fn ratchet_rat_4_refuses_a_first_chain_that_answers_something() {
    let mut p = fresh(15);
    for at in [1228, 1700, 2315] {
        let message = p.first_by_hand(|header| header[at] = 1);
        let error = refused(&mut p.a, TODAY, &message);
        assert_eq!(error, DecryptError::Malformed(Malformed::Field("ct")));
    }
    // Control: by the same hand, with nothing changed.
    let honest = p.first_by_hand(|_| ());
    assert_eq!(read(&mut p.a, &honest).unwrap(), b"y");
    // Every later chain carries a ciphertext.
    assert!(p.a_sends(b"answer").as_bytes()[1228..2316].iter().any(|byte| *byte != 0));
}

#[test]
fn ratchet_rat_4_refuses_an_impossible_previous_length() {
    let mut p = fresh(7);
    let error = {
        let message = flipped(&p.b_sends(b"first"), 11, 1);
        refused(&mut p.a, TODAY, &message)
    };
    assert_eq!(error, DecryptError::Malformed(Malformed::Field("pn")), "no chain was before");
    p.b_says(b"first").unwrap();
    p.a_says(b"answer").unwrap();
    let message = p.b_sends(b"pn is 2");
    let error = refused(&mut p.a, TODAY, &flipped(&message, 11, 3)); // pn 1, though 2 have come
    assert_eq!(error, DecryptError::Malformed(Malformed::Field("pn")));
    assert_eq!(read(&mut p.a, &message).unwrap(), b"pn is 2");
}

/// RAT-3, RAT-8: each answer brings a new pair; without one the chain goes on with the same.
#[test]
fn ratchet_rat_8_only_an_answer_steps_the_ratchet() {
    let mut p = met(8);
    let dh_of = |message: &Ciphertext| message.as_bytes()[12..44].to_vec();
    let (one, two) = (p.a_sends(b"1"), p.a_sends(b"2"));
    assert_eq!(dh_of(&one), dh_of(&two));
    assert_eq!(one.as_bytes()[44..2316], two.as_bytes()[44..2316], "ek and ct stay");
    read(&mut p.b, &one).unwrap();
    let three = p.a_sends(b"3");
    assert_eq!(dh_of(&one), dh_of(&three), "hearing nothing heals nothing");
    p.b_says(b"receipt").unwrap();
    let four = p.a_sends(b"4");
    assert_ne!(dh_of(&one), dh_of(&four));
    for (message, text) in [(four, b"4"), (three, b"3"), (two, b"2")] {
        assert_eq!(read(&mut p.b, &message).unwrap(), text);
    }
}

#[test]
fn ratchet_rat_5_a_rolled_back_sender_reveals_equality_at_most() {
    let mut p = met(9);
    p.a_says(b"step").unwrap();
    let mut back = crate::pair::copy(&p.a);
    let one = p.a_sends(&[0; 64]);
    let two = back.encrypt(&mut p.rng, &[1; 64]).unwrap();
    assert_eq!(one.as_bytes()[..2316], two.as_bytes()[..2316], "same number, same key");
    let xor: Vec<u8> = one.as_bytes()[2348..2412]
        .iter()
        .zip(&two.as_bytes()[2348..2412])
        .map(|(x, y)| x ^ y)
        .collect();
    assert!(xor.iter().filter(|x| **x == 1).count() < 16, "a two-time pad");
    assert!(read(&mut p.b, &one).is_ok());
    assert_eq!(refused(&mut p.b, TODAY, &two), DecryptError::Replayed);
}

#[test]
fn ratchet_rat_7_replays_are_refused() {
    let mut p = met(10);
    let (one, two, three) = (p.a_sends(b"1"), p.a_sends(b"2"), p.a_sends(b"3"));
    read(&mut p.b, &one).unwrap();
    assert_eq!(refused(&mut p.b, TODAY, &one), DecryptError::Replayed);
    read(&mut p.b, &three).unwrap();
    read(&mut p.b, &two).unwrap(); // its key was put aside
    assert_eq!(refused(&mut p.b, TODAY, &two), DecryptError::Replayed);
    p.b_says(b"answer").unwrap();
    p.a_says(b"new chain").unwrap();
    for old in [&one, &two, &three] {
        assert_eq!(refused(&mut p.b, TODAY, old), DecryptError::NotAuthentic);
    }
}

#[test]
fn ratchet_rat_7_failures_print_alike() {
    let all = [
        DecryptError::Malformed(Malformed::Short),
        DecryptError::NotAuthentic,
        DecryptError::Replayed,
        DecryptError::TooManySkipped,
    ];
    assert!(all.iter().all(|e| e.to_string() == all[0].to_string()));
}

#[test]
fn ratchet_rat_7_own_and_foreign_messages_are_refused() {
    let (mut p, mut q) = (met(11), met(12));
    let mine = p.a_sends(b"to b");
    refused(&mut p.a, TODAY, &mine);
    let foreign = q.a_sends(b"other session");
    assert_eq!(refused(&mut p.b, TODAY, &foreign), DecryptError::NotAuthentic);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// RAT-4: whatever byte is flipped, in a message that steps, goes on, or comes late.
    #[test]
    fn ratchet_rat_4_any_byte_flipped_leaves_the_state_equal(
        at in 0..CIPHERTEXT_LEN, bits in 1..=255_u8, which in 0..3_usize,
    ) {
        let mut p = met(13);
        let texts: [&[u8]; 3] = [b"steps", b"late", b"goes on"];
        let messages: Vec<_> = texts.iter().map(|text| p.a_sends(text)).collect();
        if which > 0 {
            read(&mut p.b, &messages[0]).unwrap();
        }
        if which == 1 {
            read(&mut p.b, &messages[2]).unwrap();
        }
        refused(&mut p.b, TODAY, &flipped(&messages[which], at, bits));
        prop_assert_eq!(read(&mut p.b, &messages[which]).unwrap(), texts[which]);
    }

    /// RAT-4: bytes that were never a message.
    #[test]
    fn ratchet_rat_4_garbage_leaves_the_state_equal(
        tail in prop::collection::vec(any::<u8>(), 3996), n in 0..2000_u32,
    ) {
        let mut p = met(14);
        p.a_says(b"x").unwrap();
        let mut bytes = [&[1, 1, 0, 0], tail.as_slice()].concat();
        bytes[4..8].copy_from_slice(&n.to_be_bytes());
        bytes[8..12].fill(0);
        refused(&mut p.b, TODAY, &Ciphertext::from_bytes(&bytes.try_into().unwrap()));
    }
}
