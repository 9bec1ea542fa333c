use super::reference::{Chain, Mix};
use super::support::{NOW, intro, rng, run};
use crypto::rand_core::SeedableRng;
use crypto::{dh, hash, kem};
use handshake::rekey::{self, Initiated};
use handshake::{FirstWord, HandshakeError, RecoveryPsk, Renewed};
use identity::{IdCert, Identity, StoredError};
use rand_chacha::ChaCha20Rng;
use wire::{Codec, Malformed};

struct Pair {
    rng: ChaCha20Rng,
    alice: Identity,
    bob: Identity,
    psk: RecoveryPsk,
}

fn pair(seed: u64) -> Pair {
    let p = run(seed);
    let psk = p.at_alice.session.recovery_psk();
    assert!(psk.ct_eq(&p.at_bob.session.recovery_psk()));
    Pair { rng: ChaCha20Rng::seed_from_u64(seed), alice: p.alice, bob: p.bob, psk }
}

impl Pair {
    fn initiate(&mut self) -> (Vec<u8>, Initiated) {
        rekey::initiate(
            &mut self.rng,
            self.alice.statics(),
            self.bob.cert(),
            &self.psk,
            &intro("Alice"),
            NOW,
        )
        .unwrap()
    }

    fn respond(&self, peers: &[&IdCert], r1: &[u8]) -> Result<(Vec<u8>, Renewed), HandshakeError> {
        let mut rng = rng(1);
        rekey::respond(&mut rng, &self.bob, peers, &self.psk, &intro("Bob"), r1, NOW + 1)
    }
}

#[test]
fn rek_1_both_sides_agree_on_everything() {
    let mut p = pair(70);
    let (r1, initiated) = p.initiate();
    let (r2, at_bob) = p.respond(&[p.alice.cert()], &r1).unwrap();
    let at_alice = rekey::finish(&initiated, &p.alice, &r2).unwrap();
    assert_eq!((r1.len(), r2.len()), (rekey::R1_LEN, rekey::R2_LEN));
    assert_eq!((r1.len(), r2.len()), (4000, 4000));
    assert!(at_alice.session.ct_eq(&at_bob.session));
    assert_eq!(at_alice.transcript, at_bob.transcript);
    assert_eq!((at_alice.day, at_bob.day), (NOW / 24, NOW / 24));
    assert_eq!((at_alice.peer_intro, at_bob.peer_intro), (intro("Bob"), intro("Alice")));
    assert_eq!(at_alice.peer.fingerprint(), p.bob.cert().fingerprint());
    assert_eq!(at_bob.peer.fingerprint(), p.alice.cert().fingerprint());
    assert!((at_alice.first, at_bob.first) == (FirstWord::Theirs, FirstWord::Ours));

    let (again, _) = p.initiate();
    let (_, other) = p.respond(&[p.alice.cert()], &again).unwrap();
    assert!(!other.session.ct_eq(&at_bob.session));
}

#[test]
fn rek_1_a_changed_message_is_refused_and_the_true_one_still_completes() {
    let mut p = pair(71);
    let (r1, initiated) = p.initiate();
    let alice = p.alice.cert();
    let flips =
        |len: usize| (0..len).step_by(31).chain([31, 32, 1119, 1120, 2207, 2208, 2303, 2304, 3999]);
    for at in flips(r1.len()) {
        let mut bytes = r1.clone();
        bytes[at] ^= 1 << (at % 8);
        let error = p.respond(&[alice], &bytes).err();
        let fits =
            matches!(error, Some(HandshakeError::NotAuthentic | HandshakeError::Malformed(_)));
        assert!(fits, "byte {at}: {error:?}");
    }
    let (r2, at_bob) = p.respond(&[alice], &r1).unwrap();
    for at in flips(r2.len()) {
        let mut bytes = r2.clone();
        bytes[at] ^= 1 << (at % 8);
        let error = rekey::finish(&initiated, &p.alice, &bytes).err();
        let fits =
            matches!(error, Some(HandshakeError::NotAuthentic | HandshakeError::Malformed(_)));
        assert!(fits, "byte {at}: {error:?}");
    }
    for bad in [&r1[1..], &[], &[&r1[..], &[0]].concat()] {
        assert!(matches!(p.respond(&[alice], bad).err(), Some(HandshakeError::Malformed(_))));
        let error = rekey::finish(&initiated, &p.alice, bad).err();
        assert!(matches!(error, Some(HandshakeError::Malformed(_))));
    }
    let mut zero = r2.clone();
    zero[..32].fill(0);
    let error = rekey::finish(&initiated, &p.alice, &zero).err();
    assert_eq!(error, Some(HandshakeError::Malformed(Malformed::Field("e'"))));
    let done = rekey::finish(&initiated, &p.alice, &r2).unwrap();
    assert!(done.session.ct_eq(&at_bob.session));
}

#[test]
fn rek_1_psk_identities_and_roles_are_bound() {
    let mut p = pair(72);
    let (r1, initiated) = p.initiate();
    let mallory = Identity::generate(&mut p.rng, NOW).unwrap();
    let refused = Some(HandshakeError::NotAuthentic);

    // Another contact's certificate at the same tags.
    assert_eq!(p.respond(&[mallory.cert()], &r1).err(), refused);
    // A thief of all of Alice's keys who has no recovery psk.
    let psk = RecoveryPsk::copy_of(&[1; 32]);
    let (forged, _) =
        rekey::initiate(&mut p.rng, p.alice.statics(), p.bob.cert(), &psk, &intro("Alice"), NOW)
            .unwrap();
    assert_eq!(p.respond(&[p.alice.cert()], &forged).err(), refused);
    // Reflected to its maker.
    let mut rng = rng(1);
    let reflected =
        rekey::respond(&mut rng, &p.alice, &[p.bob.cert()], &p.psk, &intro("Alice"), &r1, NOW);
    assert_eq!(reflected.err(), refused);
    assert_eq!(rekey::finish(&initiated, &p.alice, &r1).err(), refused);
    // No contact at all.
    assert!(matches!(p.respond(&[], &r1).err(), Some(HandshakeError::Misuse(_))));
}

#[test]
fn rek_1_earlier_certificates_of_either_side_still_serve() {
    let mut p = pair(73);
    let old_alice = p.alice.cert().clone();
    let (r1, initiated) = p.initiate();
    // Bob rotated since Alice saw his certificate.
    p.bob = p.bob.rotate(&mut p.rng, NOW).unwrap();
    // Bob has seen a later certificate of Alice, who then restored a backup.
    let new_alice = p.alice.rotate(&mut p.rng, NOW).unwrap();
    let error = p.respond(&[new_alice.cert()], &r1).err();
    assert_eq!(error, Some(HandshakeError::UnknownCertificate));
    let (r2, at_bob) = p.respond(&[new_alice.cert(), &old_alice], &r1).unwrap();
    assert_eq!(at_bob.peer.hash(), old_alice.hash());
    let done = rekey::finish(&initiated, &p.alice, &r2).unwrap();
    assert!(done.session.ct_eq(&at_bob.session));
    // Twice rotated: the keys are gone.
    p.bob = p.bob.rotate(&mut p.rng, NOW).unwrap();
    assert_eq!(p.respond(&[&old_alice], &r1).err(), Some(HandshakeError::NotAuthentic));
}

#[test]
fn rek_1_a_replay_of_weeks_ago_is_refused() {
    let mut p = pair(74);
    let (r1, _) = p.initiate();
    let mut rng = rng(1);
    let mut at = |now| {
        rekey::respond(&mut rng, &p.bob, &[p.alice.cert()], &p.psk, &intro("Bob"), &r1, now).err()
    };
    assert_eq!((at(NOW + 768), at(NOW - 48)), (None, None));
    let hours = Some(HandshakeError::Malformed(Malformed::Field("hours")));
    assert_eq!((at(NOW + 769), at(NOW - 49)), (hours, hours));
}

#[test]
fn rek_1_the_waiting_state_survives_the_store() {
    let mut p = pair(75);
    let (r1, initiated) = p.initiate();
    let (r2, at_bob) = p.respond(&[p.alice.cert()], &r1).unwrap();
    let bytes = initiated.to_secret_bytes();
    assert_eq!(bytes.len(), 6779);
    let back = Initiated::from_secret_bytes(&bytes).ok().unwrap();
    let done = rekey::finish(&back, &p.alice, &r2).unwrap();
    assert!(done.session.ct_eq(&at_bob.session));
    for bad in [&bytes[1..], &[], &[&bytes[..], &[0]].concat()] {
        let error = Initiated::from_secret_bytes(bad).err();
        assert!(matches!(error, Some(StoredError::Malformed(_))));
    }
}

/// By the letter of the specification; and who has the psk but not the static keys that the named
/// certificate promises cannot open R2, and so never sends what would renew the session.
#[test]
fn rek_1_chain_is_the_specified_one_and_r2_is_for_the_static_keys_alone() {
    let mut p = pair(76);
    let (me, peer) = (p.alice.cert().clone(), p.bob.cert().clone());
    let (e, e_pk) = dh::generate(&mut p.rng);
    let (k, ek) = kem::generate(&mut p.rng);
    let (ct_r, kem_ss) = peer.k().encapsulate(&mut p.rng);
    let lp32 = [0, 0, 0, 32];
    let h = hash(&[b"pvtcoms v1 rekey", &lp32, &me.fingerprint().0, &lp32, &peer.fingerprint().0]);
    let mut ck = [0; 32];
    crypto::kdf::hmac(&h, &[p.psk.expose_secret()], &mut ck);
    let mut chain = Chain { h, ck };
    let public = [&e_pk.0[..], ek.as_bytes(), ct_r.as_bytes()].concat();
    chain.absorb(&public);
    let x_ss = e.agree(peer.x()).unwrap();
    let x_dec = *peer.x();
    let key =
        chain.mix(&Mix { step: 0x21, kem_ss, x_ss, x_enc: e_pk, x_dec, ek: peer.k(), ct: &ct_r });
    let mut plain = [&me.hash()[..], &intro("Alice").to_bytes(), &NOW.to_be_bytes()].concat();
    plain.resize(1680, 0);
    let sealed = chain.seal(key, &plain);
    let (r2, at_bob) = p.respond(&[&me], &[public, sealed].concat()).unwrap();
    assert_eq!(at_bob.peer_intro, intro("Alice"));

    let e_r = dh::Public(*r2.first_chunk().unwrap());
    let ct1 = kem::Ciphertext::from_bytes(r2[32..1120].try_into().unwrap());
    let ct_i = kem::Ciphertext::from_bytes(r2[1120..2208].try_into().unwrap());
    chain.absorb(&r2[..2208]);
    chain.mix(&Mix {
        step: 0x22,
        kem_ss: k.decapsulate(&ct1),
        x_ss: e.agree(&e_r).unwrap(),
        x_enc: e_r,
        x_dec: e_pk,
        ek: &ek,
        ct: &ct1,
    });
    let thief = Identity::generate(&mut p.rng, NOW).unwrap();
    for (x, k, opens) in
        [(&p.alice, &thief, false), (&thief, &p.alice, false), (&p.alice, &p.alice, true)]
    {
        let mut chain = chain.clone();
        let key = chain.mix(&Mix {
            step: 0x23,
            kem_ss: k.static_k().decapsulate(&ct_i),
            x_ss: x.static_x().agree(&e_r).unwrap(),
            x_enc: e_r,
            x_dec: *me.x(),
            ek: me.k(),
            ct: &ct_i,
        });
        let opened = key.open(&chain.h, &r2[2208..]);
        assert_eq!(opened.is_ok(), opens);
        if let Ok(plain) = opened {
            assert_eq!((plain.len(), &plain[..134]), (1776, &intro("Bob").to_bytes()[..]));
            chain.absorb(&r2[2208..]);
            assert_eq!(chain.session(), *at_bob.session.expose_secret());
            assert_eq!(chain.h, at_bob.transcript);
        }
    }
}
