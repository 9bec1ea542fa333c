use super::support::{MAILBOX, NOW, intro, nobody, rng, run};
use handshake::{
    FirstWord, HandshakeError, Introduction, Invite, Inviter, M1_LEN, M2_LEN, M3_LEN, M4_LEN,
    accept,
};
use identity::{Identity, Relation};

#[test]
fn hs_4_both_sides_agree_on_everything() {
    let p = run(1);
    assert_eq!(
        (p.inviter.m1().len(), p.m2.len(), p.m3.len(), p.m4.len()),
        (M1_LEN, M2_LEN, M3_LEN, M4_LEN)
    );
    assert_eq!((M1_LEN, M2_LEN, M3_LEN, M4_LEN), (1252, 8000, 8000, 1154));
    assert!(p.at_alice.session.ct_eq(&p.at_bob.session));
    assert_eq!(p.at_alice.transcript, p.at_bob.transcript);
    assert!(p.at_alice.sas == p.at_bob.sas && p.at_alice.sas == p.alice_waits.sas());
    assert_eq!(p.at_alice.peer.as_bytes(), p.bob.cert().as_bytes());
    assert_eq!(p.at_bob.peer.as_bytes(), p.alice.cert().as_bytes());
    assert_eq!(p.at_alice.peer_intro, intro("Bob"));
    assert_eq!(p.at_bob.peer_intro, intro("Alice"));
    assert_eq!((p.at_alice.day, p.at_bob.day), ((NOW + 1) / 24, (NOW + 1) / 24));
    assert!((p.at_alice.first, p.at_bob.first) == (FirstWord::Theirs, FirstWord::Ours));
    assert_eq!(p.alice_waits.peer().relation_to(p.bob.cert()), Relation::Same);
    assert_eq!(p.alice_waits.peer_intro(), &intro("Bob"));
}

#[test]
fn hs_1_the_same_dice_give_the_same_bytes() {
    let (a, b, c) = (run(2), run(2), run(3));
    assert_eq!((a.inviter.m1(), &a.m2, &a.m3, &a.m4), (b.inviter.m1(), &b.m2, &b.m3, &b.m4));
    assert!(a.at_alice.session.ct_eq(&b.at_alice.session));
    assert!(!a.at_alice.session.ct_eq(&c.at_alice.session));
    assert!(a.at_alice.sas != c.at_alice.sas);
}

#[test]
fn hs_5_lengths_on_the_wire_do_not_depend_on_names_or_mailboxes() {
    let mut p = run(4);
    for (name, inbox) in [("", vec![[9; 32]]), (&*"x".repeat(64), vec![[8; 32], [9; 32]])] {
        let intro = Introduction { inbox, version: u32::MAX, name: name.into() };
        let invite = p.inviter.invite();
        let (m2, waits) = accept(&mut p.rng, &p.bob, &invite, &intro, p.inviter.m1(), NOW).unwrap();
        let (m3, _) = p.inviter.receive_m2(&mut p.rng, &p.alice, &intro, &m2, NOW, nobody).unwrap();
        let (m4, there) = waits.receive_m3(&mut p.rng, &p.bob, &m3, NOW, nobody).unwrap();
        assert_eq!((m2.len(), m3.len(), m4.len()), (M2_LEN, M3_LEN, M4_LEN));
        assert_eq!(there.peer_intro, intro);
    }
}

#[test]
fn hs_5_an_introduction_that_does_not_fit_is_our_callers_fault() {
    let mut p = run(5);
    let mut long = intro("Bob");
    long.name = "x".repeat(65);
    let invite = p.inviter.invite();
    let error = accept(&mut p.rng, &p.bob, &invite, &long, p.inviter.m1(), NOW).err();
    assert!(matches!(error, Some(HandshakeError::Misuse(_))), "{error:?}");
    for mailboxes in [vec![], vec![MAILBOX; 2], vec![[1; 32], [2; 32], [3; 32]]] {
        let error = Inviter::new(&mut p.rng, &p.alice, &mailboxes, NOW).err();
        assert!(matches!(error, Some(HandshakeError::Misuse(_))), "{error:?}");
    }
}

#[test]
fn inv_1_an_invite_survives_its_uri() {
    let p = run(6);
    let uri = p.inviter.invite().to_uri();
    let invite = Invite::from_uri(&uri.to_uppercase()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(invite.mailboxes(), [MAILBOX]);
    assert_eq!(invite.expiry_hours(), NOW + 48);
    assert_eq!(invite.m1_hash(), p.inviter.invite().m1_hash());
    assert!(invite.secret().ct_eq(p.inviter.secret()));
    assert!(accept(&mut rng(1), &p.bob, &invite, &intro("Bob"), p.inviter.m1(), NOW).is_ok());
}

#[test]
fn inv_3_an_invite_runs_out_at_both_sides() {
    let mut p = run(7);
    let (invite, last) = (p.inviter.invite(), NOW + 48);
    assert_eq!(p.inviter.expiry_hours(), last);
    for (now, expected) in [(last, None), (last + 1, Some(HandshakeError::Expired))] {
        let accepted = accept(&mut p.rng, &p.bob, &invite, &intro("Bob"), p.inviter.m1(), now);
        assert_eq!(accepted.err(), expected);
        let taken = p.inviter.receive_m2(&mut p.rng, &p.alice, &intro("Alice"), &p.m2, now, nobody);
        assert_eq!(taken.err(), expected);
    }
    // What has begun in time may end later.
    let m3 = &p.m3;
    assert!(p.bob_waits.receive_m3(&mut p.rng, &p.bob, m3, last + 100, nobody).is_ok());
}

#[test]
fn hs_3_own_identity_and_known_contacts_are_refused_at_both_sides() {
    let mut p = run(8);
    let invite = p.inviter.invite();
    let (m2, _) =
        accept(&mut p.rng, &p.alice, &invite, &intro("Alice"), p.inviter.m1(), NOW).unwrap();
    let taken = p.inviter.receive_m2(&mut p.rng, &p.alice, &intro("A"), &m2, NOW, nobody);
    assert_eq!(taken.err(), Some(HandshakeError::OwnIdentity));

    let (alice, bob) = (p.alice.cert().fingerprint(), p.bob.cert().fingerprint());
    let taken = p.inviter.receive_m2(&mut p.rng, &p.alice, &intro("A"), &p.m2, NOW, |f| *f == bob);
    assert_eq!(taken.err(), Some(HandshakeError::KnownContact));
    let taken = p.bob_waits.receive_m3(&mut p.rng, &p.bob, &p.m3, NOW, |f| *f == alice);
    assert_eq!(taken.err(), Some(HandshakeError::KnownContact));
    let taken = p.bob_waits.receive_m3(&mut p.rng, &p.bob, &p.m3, NOW, |f| *f == bob);
    assert!(taken.is_ok(), "asked about the peer, not about ourselves");
}

#[test]
fn id_cert_5_a_pairing_outlives_one_rotation_and_not_two() {
    let mut p = run(9);
    for (rotations, lives) in [(1, true), (2, false)] {
        let mut rotate = |mut who: Identity| {
            for _ in 0..rotations {
                who = who.rotate(&mut p.rng, NOW + 3).unwrap();
            }
            who
        };
        let copy = |who: &Identity| Identity::from_secret_bytes(&who.to_secret_bytes()).unwrap();
        let (alice, bob) = (rotate(copy(&p.alice)), rotate(copy(&p.bob)));
        let taken = p.inviter.receive_m2(&mut p.rng, &alice, &intro("A"), &p.m2, NOW + 3, nobody);
        let finished = p.bob_waits.receive_m3(&mut p.rng, &bob, &p.m3, NOW + 3, nobody);
        let expected = (!lives).then_some(HandshakeError::KeysGone);
        assert_eq!((taken.err(), finished.err()), (expected, expected));
    }
}
