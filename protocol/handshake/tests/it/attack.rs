use super::reference::{Chain, Mix, RogueInviter, forge_cert, m2, payload};
use super::support::{NOW, Pairing, intro, nobody, rng, run};
use crypto::{dh, hash, kem};
use handshake::{Established, HandshakeError, Invite, Inviter, accept};
use identity::{CertError, Identity};
use wire::{Codec, Malformed};

const M2_PLAIN: usize = 6864;
const M3_PLAIN: usize = 6896;

/// Every length and a bit in many places: all fields' edges, and a step that meets all residues.
fn mutations(good: &[u8], edges: &[usize]) -> Vec<(String, Vec<u8>)> {
    let mut out = vec![
        ("empty".into(), vec![]),
        ("first byte missing".into(), good[1..].to_vec()),
        ("last byte missing".into(), good.split_last().unwrap().1.to_vec()),
        ("one byte more".into(), [good, &[0]].concat()),
    ];
    for at in (0..good.len())
        .step_by(29)
        .chain(edges.iter().copied())
        .chain([good.len().saturating_sub(1)])
    {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1 << (at % 8);
        out.push((format!("byte {at}"), bytes));
    }
    out
}

fn expect_refusal(what: &str, error: Option<HandshakeError>) {
    let fits = matches!(error, Some(HandshakeError::Malformed(_) | HandshakeError::NotAuthentic));
    assert!(fits, "{what}: {error:?}");
}

#[test]
fn inv_2_m1_is_pinned_by_the_invite() {
    let p = run(20);
    let invite = p.inviter.invite();
    for (what, m1) in mutations(p.inviter.m1(), &[31, 32, 1215, 1216, 1247, 1248]) {
        let error = accept(&mut rng(1), &p.bob, &invite, &intro("Bob"), &m1, NOW).err();
        expect_refusal(&what, error);
    }
    assert!(accept(&mut rng(1), &p.bob, &invite, &intro("Bob"), p.inviter.m1(), NOW).is_ok());
}

#[test]
fn hs_3_a_changed_message_is_refused_and_the_true_one_still_completes() {
    let Pairing { alice, bob, inviter, m2, bob_waits, m3, alice_waits, m4, at_alice, .. } = run(21);
    for (what, bytes) in mutations(&m2, &[31, 32, 1119, 1120, 7983, 7984]) {
        let error = inviter.receive_m2(&mut rng(2), &alice, &intro("A"), &bytes, NOW, nobody).err();
        expect_refusal(&what, error);
    }
    for (what, bytes) in mutations(&m3, &[1087, 1088, 7983, 7984]) {
        let error = bob_waits.receive_m3(&mut rng(2), &bob, &bytes, NOW, nobody).err();
        expect_refusal(&what, error);
    }
    for (what, bytes) in mutations(&m4, &[1087, 1088, 1105, 1137, 1138]) {
        expect_refusal(&what, alice_waits.receive_m4(&bytes).err());
    }
    // The states are as they were: the whole pairing runs from them.
    let (again, waits) =
        inviter.receive_m2(&mut rng(3), &alice, &intro("A"), &m2, NOW, nobody).unwrap();
    let (confirm, there) = bob_waits.receive_m3(&mut rng(4), &bob, &again, NOW, nobody).unwrap();
    let here = waits.receive_m4(&confirm).unwrap();
    assert!(here.session.ct_eq(&there.session) && here.sas == there.sas);
    let old = alice_waits.receive_m4(&m4).unwrap();
    assert!(old.session.ct_eq(&at_alice.session) && !old.session.ct_eq(&here.session));
    assert_eq!(
        alice_waits.receive_m4(&confirm).err(),
        Some(HandshakeError::NotAuthentic),
        "an answer to another M3"
    );
}

#[test]
fn hs_1_the_invite_secret_is_needed() {
    let mut p = run(22);
    let plain = payload(p.bob.cert().as_bytes(), &[1; 32], &intro("Bob").to_bytes(), NOW, M2_PLAIN);
    let secret = *p.inviter.secret().expose_secret();
    let right = m2(&mut p.rng, p.inviter.m1(), &secret, &plain);
    let taken = p.inviter.receive_m2(&mut rng(1), &p.alice, &intro("A"), &right.bytes, NOW, nobody);
    assert!(taken.is_ok(), "positive control: the reference makes a good M2");
    let mut other = secret;
    other[31] ^= 1;
    let wrong = m2(&mut p.rng, p.inviter.m1(), &other, &plain);
    let taken = p.inviter.receive_m2(&mut rng(1), &p.alice, &intro("A"), &wrong.bytes, NOW, nobody);
    assert_eq!(taken.err(), Some(HandshakeError::NotAuthentic));
}

/// Both steps of the inviter against the specification's formulas.
#[test]
fn hs_2_chain_is_the_specified_one() {
    let mut p = run(23);
    let secret = *p.inviter.secret().expose_secret();
    let plain = payload(p.bob.cert().as_bytes(), &[1; 32], &intro("Bob").to_bytes(), NOW, M2_PLAIN);
    let mine = m2(&mut p.rng, p.inviter.m1(), &secret, &plain);
    let (m3, waits) = p
        .inviter
        .receive_m2(&mut p.rng, &p.alice, &intro("Alice"), &mine.bytes, NOW, nobody)
        .unwrap();

    let mut chain: Chain = mine.chain;
    let e_a = dh::Public(*p.inviter.m1().first_chunk().unwrap());
    let ct2 = kem::Ciphertext::from_bytes(m3[..1088].try_into().unwrap());
    chain.absorb(ct2.as_bytes());
    let key = chain.mix(&Mix {
        step: 2,
        kem_ss: p.bob.static_k().decapsulate(&ct2),
        x_ss: p.bob.static_x().agree(&e_a).unwrap(),
        x_enc: e_a,
        x_dec: p.bob.static_x().public(),
        ek: p.bob.cert().k(),
        ct: &ct2,
    });
    let plain = key.open(&chain.h, &m3[1088..]).unwrap();
    chain.absorb(&m3[1088..]);
    assert_eq!(plain[..6582], p.alice.cert().as_bytes()[..]);
    let r_a: [u8; 32] = plain[6582..6614].try_into().unwrap();
    assert_eq!(plain[6614..6748], intro("Alice").to_bytes());
    assert_eq!(plain[6748..6752], NOW.to_be_bytes());
    assert!(plain[6752..].iter().all(|b| *b == 0) && plain.len() == M3_PLAIN);

    let (ct3, kem_ss) = p.alice.cert().k().encapsulate(&mut p.rng);
    chain.absorb(ct3.as_bytes());
    let key = chain.mix(&Mix {
        step: 3,
        kem_ss,
        x_ss: mine.e.agree(p.alice.cert().x()).unwrap(),
        x_enc: mine.e.public(),
        x_dec: *p.alice.cert().x(),
        ek: p.alice.cert().k(),
        ct: &ct3,
    });
    let said = [&b"pvtcoms v1 confirm"[..], &chain.h].concat();
    let sealed = chain.seal(key, &said);
    let done = waits.receive_m4(&[&ct3.as_bytes()[..], &sealed].concat()).unwrap();
    assert_eq!(*done.session.expose_secret(), chain.session());
    assert_eq!(done.transcript, chain.h);

    // sas_1: the words, by the letter.
    let lp32 = [0, 0, 0, 32];
    let t = hash(&[
        b"pvtcoms v1 sas transcript",
        &1252_u32.to_be_bytes(),
        p.inviter.m1(),
        &lp32,
        &mine.e.public().0,
        &1088_u32.to_be_bytes(),
        mine.ct1.as_bytes(),
        &lp32,
        &hash(&[p.alice.cert().as_bytes()]),
        &lp32,
        &hash(&[p.bob.cert().as_bytes()]),
    ]);
    let mut code = [0; 6];
    crypto::kdf::extract(&[r_a, [1; 32]].concat(), &[&t])
        .expand(&[b"pvtcoms v1 sas code"], &mut code);
    assert_eq!(done.sas.code(), code);
}

/// What an inviter that owns the invite may say in M3, and what comes of it.
fn rogue(
    seed: u64,
    change: impl FnOnce(&mut Vec<u8>, &mut rand_chacha::ChaCha20Rng),
) -> Result<Established, HandshakeError> {
    let mut rng = rng(seed);
    let mallory = Identity::generate(&mut rng, NOW).unwrap();
    let bob = Identity::generate(&mut rng, NOW).unwrap();
    let r_a = [0x11; 32];
    let rogue = RogueInviter::new(&mut rng, &r_a, &mallory.cert().hash());
    let invite = Invite::from_uri(&rogue.uri(NOW + 48)).unwrap_or_else(|e| panic!("{e}"));
    let (m2, waits) = accept(&mut rng, &bob, &invite, &intro("Bob"), &rogue.m1, NOW).unwrap();
    let (chain, said) = rogue.open(&m2);
    assert_eq!(said[..6582], bob.cert().as_bytes()[..]);
    let mut plain = payload(mallory.cert().as_bytes(), &r_a, &intro("M").to_bytes(), NOW, M3_PLAIN);
    change(&mut plain, &mut rng);
    let m3 = rogue.m3(&mut rng, chain, *bob.cert().x(), bob.cert().k(), &plain);
    waits.receive_m3(&mut rng, &bob, &m3, NOW, nobody).map(|(_, established)| established)
}

#[test]
fn sas_2_an_inviter_that_chooses_after_seeing_rb_is_caught() {
    assert!(rogue(30, |_, _| ()).is_ok(), "positive control");
    let other_r = rogue(30, |plain, _| plain[6582] ^= 1);
    assert_eq!(other_r.err(), Some(HandshakeError::CommitmentMismatch));
    // Another certificate than the one committed to, rightly signed.
    let other_cert = rogue(30, |plain, rng| {
        let other = Identity::generate(rng, NOW).unwrap();
        plain[..6582].copy_from_slice(other.cert().as_bytes());
    });
    assert_eq!(other_cert.err(), Some(HandshakeError::CommitmentMismatch));
}

#[test]
fn hs_3_an_inviter_that_shows_the_invited_sides_own_certificate_is_refused() {
    let mut rng = rng(35);
    let bob = Identity::generate(&mut rng, NOW).unwrap();
    let rogue = RogueInviter::new(&mut rng, &[1; 32], &bob.cert().hash());
    let invite = Invite::from_uri(&rogue.uri(NOW)).unwrap_or_else(|e| panic!("{e}"));
    let (m2, waits) = accept(&mut rng, &bob, &invite, &intro("Bob"), &rogue.m1, NOW).unwrap();
    let (chain, _) = rogue.open(&m2);
    let plain = payload(bob.cert().as_bytes(), &[1; 32], &intro("B").to_bytes(), NOW, M3_PLAIN);
    let m3 = rogue.m3(&mut rng, chain, *bob.cert().x(), bob.cert().k(), &plain);
    let taken = waits.receive_m3(&mut rng, &bob, &m3, NOW, nobody);
    assert_eq!(taken.err(), Some(HandshakeError::OwnIdentity));
}

#[test]
fn hs_3_what_an_inviter_may_not_say() {
    let error = |change: fn(&mut Vec<u8>, &mut rand_chacha::ChaCha20Rng)| rogue(31, change).err();
    let signature = HandshakeError::BadCertificate(CertError::Signature);
    assert_eq!(error(|p, _| p[3209] ^= 1), Some(signature));
    assert_eq!(error(|p, _| p[3273] ^= 1), Some(signature));
    let expired = HandshakeError::BadCertificate(CertError::Expired);
    assert_eq!(
        error(|p, rng| p[..6582].copy_from_slice(&forge_cert(rng, [9; 32], NOW - 1))),
        Some(expired)
    );
    let malformed = |field| Some(HandshakeError::Malformed(field));
    assert_eq!(error(|p, _| p[6618] = 3), malformed(Malformed::Field("inbox count")));
    assert_eq!(error(|p, _| p[6748] ^= 1), malformed(Malformed::Field("hours")));
    assert_eq!(error(|p, _| p[6752] = 1), malformed(Malformed::Reserved));
    assert_eq!(error(|p, _| p[M3_PLAIN - 1] = 1), malformed(Malformed::Reserved));
}

#[test]
fn hs_3_points_that_contribute_nothing_are_refused_wherever_they_stand() {
    let contributes_nothing = |field| Some(HandshakeError::Malformed(Malformed::Field(field)));
    let mut p = run(32);
    // eB in M2.
    let mut bytes = p.m2.clone();
    bytes[..32].fill(0);
    let taken = p.inviter.receive_m2(&mut rng(1), &p.alice, &intro("A"), &bytes, NOW, nobody);
    assert_eq!(taken.err(), contributes_nothing("eB"));
    // eA in M1, and an ek that is none, from whoever made the invite.
    let mut rogue = RogueInviter::new(&mut p.rng, &[1; 32], &[2; 32]);
    let good = rogue.m1.clone();
    for (range, with, expected) in [
        (0..32, 0, contributes_nothing("eA")),
        (32..64, 0xff, contributes_nothing("eK")),
        (1248..1249, 1, Some(HandshakeError::Malformed(Malformed::Reserved))),
        (0..0, 0, None),
    ] {
        rogue.m1.clone_from(&good);
        rogue.m1[range].fill(with);
        let invite = Invite::from_uri(&rogue.uri(NOW)).unwrap_or_else(|e| panic!("{e}"));
        let accepted = accept(&mut rng(1), &p.bob, &invite, &intro("B"), &rogue.m1, NOW);
        assert_eq!(accepted.err(), expected);
    }
    // sX in a rightly signed certificate, in M2.
    let secret = *p.inviter.secret().expose_secret();
    for (x, expected) in [([0; 32], contributes_nothing("sX")), ([9; 32], None)] {
        let cert = forge_cert(&mut p.rng, x, NOW);
        let plain = payload(&cert, &[1; 32], &intro("B").to_bytes(), NOW, M2_PLAIN);
        let sent = m2(&mut p.rng, p.inviter.m1(), &secret, &plain);
        let taken =
            p.inviter.receive_m2(&mut rng(1), &p.alice, &intro("A"), &sent.bytes, NOW, nobody);
        assert_eq!(taken.err(), expected);
    }
}

#[test]
fn hs_5_a_stated_hour_is_plausible() {
    let mut p = run(33);
    let secret = *p.inviter.secret().expose_secret();
    for (stated, good) in [
        (NOW, true),
        (NOW + 48, true),
        (NOW - 768, true),
        (NOW + 49, false),
        (NOW - 769, false),
        (0, false),
        (u32::MAX, false),
    ] {
        let intro_bytes = intro("B").to_bytes();
        let plain = payload(p.bob.cert().as_bytes(), &[1; 32], &intro_bytes, stated, M2_PLAIN);
        let sent = m2(&mut p.rng, p.inviter.m1(), &secret, &plain);
        let taken =
            p.inviter.receive_m2(&mut rng(1), &p.alice, &intro("A"), &sent.bytes, NOW, nobody);
        let expected = HandshakeError::Malformed(Malformed::Field("hours"));
        assert_eq!(taken.err(), (!good).then_some(expected), "{stated}");
    }
}

/// ID-2, TH-3: the worst case. Mallory owns the channel of the invite, the mailbox and the
/// network, pairs with both, and passes everything on.
#[test]
fn sas_1_a_man_in_the_middle_shows_different_words() {
    for seed in 40..48 {
        let mut rng = rng(seed);
        let [alice, bob, mallory] = [(); 3].map(|()| Identity::generate(&mut rng, NOW).unwrap());
        // Alice invites; Mallory answers as Bob.
        let real = Inviter::new(&mut rng, &alice, &[[1; 32]], NOW + 48).unwrap();
        let (m2, m_b) =
            accept(&mut rng, &mallory, &real.invite(), &intro("Bob"), real.m1(), NOW).unwrap();
        let (m3, waits) =
            real.receive_m2(&mut rng, &alice, &intro("Alice"), &m2, NOW, nobody).unwrap();
        let (m4, _) = m_b.receive_m3(&mut rng, &mallory, &m3, NOW, nobody).unwrap();
        let at_alice = waits.receive_m4(&m4).unwrap();
        // Mallory invites Bob as Alice.
        let fake = Inviter::new(&mut rng, &mallory, &[[1; 32]], NOW + 48).unwrap();
        let (m2, b) =
            accept(&mut rng, &bob, &fake.invite(), &intro("Bob"), fake.m1(), NOW).unwrap();
        let (m3, _) =
            fake.receive_m2(&mut rng, &mallory, &intro("Alice"), &m2, NOW, nobody).unwrap();
        let (_, at_bob) = b.receive_m3(&mut rng, &bob, &m3, NOW, nobody).unwrap();

        assert!(at_alice.sas != at_bob.sas);
        assert!(!at_alice.session.ct_eq(&at_bob.session));
        let (words, others) = (at_alice.sas.words(), at_bob.sas.words());
        let same = words.iter().zip(others).filter(|(a, b)| **a == *b);
        assert!(same.count() < 3, "two typed words would not catch it");
        // The real invite takes no M1 but Alice's.
        let swapped = accept(&mut rng, &bob, &real.invite(), &intro("Bob"), fake.m1(), NOW);
        assert_eq!(swapped.err(), Some(HandshakeError::NotAuthentic));
    }
}

#[test]
fn hs_6_nobody_completes_without_the_static_keys_that_the_certificate_names() {
    // Mallory holds the invite and Bob's certificate, but not Bob's keys: she makes a good M2 in
    // his name and cannot open M3, so she never makes M4.
    let mut p = run(50);
    let secret = *p.inviter.secret().expose_secret();
    let intro_bytes = intro("Bob").to_bytes();
    let plain = payload(p.bob.cert().as_bytes(), &[1; 32], &intro_bytes, NOW, M2_PLAIN);
    let sent = m2(&mut p.rng, p.inviter.m1(), &secret, &plain);
    let (m3, _) =
        p.inviter.receive_m2(&mut p.rng, &p.alice, &intro("A"), &sent.bytes, NOW, nobody).unwrap();
    let e_a = dh::Public(*p.inviter.m1().first_chunk().unwrap());
    let ct2 = kem::Ciphertext::from_bytes(m3[..1088].try_into().unwrap());
    let mallory = Identity::generate(&mut p.rng, NOW).unwrap();
    // Bob's X25519 alone (a quantum thief's), Bob's ML-KEM alone, neither, both.
    for (x, k, opens) in [
        (&p.bob, &mallory, false),
        (&mallory, &p.bob, false),
        (&mallory, &mallory, false),
        (&p.bob, &p.bob, true),
    ] {
        let mut chain = sent.chain.clone();
        chain.absorb(ct2.as_bytes());
        let key = chain.mix(&Mix {
            step: 2,
            kem_ss: k.static_k().decapsulate(&ct2),
            x_ss: x.static_x().agree(&e_a).unwrap(),
            x_enc: e_a,
            x_dec: *p.bob.cert().x(),
            ek: p.bob.cert().k(),
            ct: &ct2,
        });
        assert_eq!(key.open(&chain.h, &m3[1088..]).is_ok(), opens);
    }
}
