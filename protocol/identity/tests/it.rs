//! Certificates, successors and stored identities, and everything that must not get through.
#![expect(clippy::unwrap_used, reason = "test code")]

use crypto::rand_core::SeedableRng;
use crypto::{dh, hash, kem, labels, sign};
use identity::{
    CERT_HOURS, CERT_LEN, CertError, IdCert, Identity, ROTATE_HOURS, Relation, StoredError,
    UnverifiedCert, successor,
};
use rand_chacha::ChaCha20Rng;
use wire::Malformed;

const NOW: u32 = 495_000;
const CORE: usize = 3209;
const ED_SIG: usize = CORE + 64;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn identity(seed: u64) -> Identity {
    Identity::generate(&mut rng(seed), NOW).unwrap()
}

fn verify(bytes: &[u8], now: Option<u32>) -> Result<IdCert, CertError> {
    UnverifiedCert::from_bytes(bytes)?.verify(now)
}

/// A certificate by the letter of the specification, from any two signers.
struct Maker {
    ed: sign::EdSecret,
    md: sign::MdSecret,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut rng = rng(seed);
        Self { ed: sign::EdSecret::random(&mut rng), md: sign::MdSecret::random(&mut rng) }
    }

    fn core(&self) -> Vec<u8> {
        let mut rng = rng(99);
        let (_, x) = dh::generate(&mut rng);
        let (_, k) = kem::generate(&mut rng);
        let fields: [&[u8]; 6] =
            [&[1], &self.ed.public(), &*self.md.public(), &x.0, k.as_bytes(), &[0, 0, 0, 5]];
        [&fields.concat()[..], &(NOW + 1).to_be_bytes()].concat()
    }

    fn sign(&self, core: &[u8]) -> Vec<u8> {
        let digest = hash(&[core]);
        let ed = self.ed.sign(&[labels::IDCERT_ED, &digest].concat());
        let md = self.md.sign(&mut rng(98), labels::IDCERT_MD, &digest).unwrap();
        [core, &ed, &*md].concat()
    }
}

#[test]
fn id_cert_1_layout_is_the_specified_one() {
    let maker = Maker::new(1);
    let bytes = maker.sign(&maker.core());
    assert_eq!((bytes.len(), CERT_LEN), (6582, 6582));
    let cert = verify(&bytes, Some(NOW)).unwrap();
    assert_eq!((cert.epoch(), cert.not_after()), (5, NOW + 1));
    assert_eq!((cert.ed(), cert.md()), (&maker.ed.public(), &*maker.md.public()));
    assert_eq!(cert.x().0, bytes[1985..2017]);
    assert_eq!(cert.k().as_bytes()[..], bytes[2017..3201]);
    assert_eq!(cert.hash(), hash(&[&bytes]));
    let named = hash(&[labels::FINGERPRINT, cert.ed(), cert.md()]);
    assert_eq!(cert.fingerprint().0, named);
    assert_eq!(cert.as_bytes()[..], bytes);

    let made = identity(1);
    let cert = verify(made.cert().as_bytes(), Some(NOW + CERT_HOURS)).unwrap();
    assert_eq!((cert.epoch(), cert.not_after()), (0, NOW + CERT_HOURS));
    assert_eq!(*cert.x(), made.static_x().public());
    assert!(*cert.k() == made.static_k().encapsulation_key());
}

#[test]
fn id_cert_2_any_changed_byte_is_refused() {
    let bytes = *identity(2).cert().as_bytes();
    let edges = [0, 1, 32, 33, 1984, 1985, 2016, 2017, 3200, 3201, CORE, ED_SIG, CERT_LEN - 1];
    for at in (0..CERT_LEN).step_by(41).chain(edges) {
        let mut other = bytes;
        other[at] ^= 1 << (at % 8);
        assert!(verify(&other, None).is_err(), "byte {at}");
    }
    assert!(verify(&bytes, None).is_ok());
    for bad in [&bytes[1..], &bytes[..CERT_LEN - 1], &[], &[&bytes[..], &[0]].concat()] {
        assert!(matches!(verify(bad, None), Err(CertError::Malformed(_))), "{} bytes", bad.len());
    }
}

#[test]
fn id_cert_2_neither_signature_can_be_stripped_or_exchanged() {
    let (a, b) = (Maker::new(3), Maker::new(4));
    let (cert_a, cert_b) = (a.sign(&a.core()), b.sign(&b.core()));
    assert!(verify(&cert_a, None).is_ok() && verify(&cert_b, None).is_ok());
    let signature = |range: std::ops::Range<usize>, from: &[u8]| {
        let mut cert = cert_a.clone();
        cert[range.clone()].copy_from_slice(from);
        (verify(&cert, None).err(), range)
    };
    for stripped in [
        signature(CORE..ED_SIG, &[0; 64]),
        signature(ED_SIG..CERT_LEN, &[0; 3309]),
        signature(CORE..ED_SIG, &cert_b[CORE..ED_SIG]),
        signature(ED_SIG..CERT_LEN, &cert_b[ED_SIG..]),
    ] {
        assert_eq!(stripped.0, Some(CertError::Signature), "{:?}", stripped.1);
    }

    // A thief of one of the two keys puts a key of his own beside it and signs with both.
    for (ed, md) in [(&a.ed, &b.md), (&b.ed, &a.md)] {
        let thief = Maker {
            ed: sign::EdSecret::copy_of(ed.expose_secret()),
            md: sign::MdSecret::copy_of(md.expose_secret()),
        };
        let forged = verify(&thief.sign(&thief.core()), None).unwrap();
        let real = verify(&cert_a, None).unwrap();
        assert_ne!(forged.fingerprint(), real.fingerprint());
        assert_eq!(forged.relation_to(&real), Relation::Half);
        // And neither old signature covers the new pair.
        for range in [CORE..ED_SIG, ED_SIG..CERT_LEN] {
            let mut mixed = forged.as_bytes().to_vec();
            mixed[range.clone()].copy_from_slice(&cert_a[range.clone()]);
            assert_eq!(verify(&mixed, None).err(), Some(CertError::Signature), "{range:?}");
        }
    }
}

#[test]
fn id_cert_2_keys_that_are_none_are_refused_even_when_signed() {
    let maker = Maker::new(5);
    let mut core = maker.core();
    core[2017] = 0xff;
    core[2018] |= 0x0f;
    let error = verify(&maker.sign(&core), None).err();
    assert_eq!(error, Some(CertError::Malformed(Malformed::Field("sK"))));
    let mut core = maker.core();
    core[0] = 2;
    let error = verify(&maker.sign(&core), None).err();
    assert_eq!(error, Some(CertError::Malformed(Malformed::Field("version"))));
}

#[test]
fn id_cert_1_a_certificate_runs_out_for_those_who_give_the_time() {
    let maker = Maker::new(6);
    let cert = maker.sign(&maker.core());
    assert!(verify(&cert, Some(NOW + 1)).is_ok());
    assert_eq!(verify(&cert, Some(NOW + 2)).err(), Some(CertError::Expired));
    assert!(verify(&cert, None).is_ok());
    assert!(IdCert::trusted_from_store(&cert).is_ok());
}

#[test]
fn id_cert_4_relations_between_certificates() {
    let (me, other) = (identity(7), identity(8));
    let newer = me.rotate(&mut rng(9), NOW + ROTATE_HOURS).unwrap();
    let twin = Identity::from_secret_bytes(&me.to_secret_bytes())
        .unwrap()
        .rotate(&mut rng(10), NOW + ROTATE_HOURS)
        .unwrap();
    let relation = |a: &Identity, b: &Identity| a.cert().relation_to(b.cert());
    assert_eq!(relation(&me, &me), Relation::Same);
    assert_eq!(relation(&newer, &me), Relation::Newer);
    assert_eq!(relation(&me, &newer), Relation::NotNewer);
    assert_eq!(relation(&twin, &newer), Relation::NotNewer, "same epoch, other keys");
    assert_eq!(relation(&me, &other), Relation::Stranger);
    assert_eq!(newer.cert().fingerprint(), me.cert().fingerprint());
}

#[test]
fn id_cert_5_rotation_keeps_one_epoch_and_drops_what_has_run_out() {
    let me = identity(11);
    assert!(!me.rotation_due(NOW) && !me.rotation_due(NOW + ROTATE_HOURS - 1));
    assert!(me.rotation_due(NOW + ROTATE_HOURS) && me.rotation_due(u32::MAX));
    let first = me.cert().hash();
    let second = me.rotate(&mut rng(12), NOW + ROTATE_HOURS).unwrap();
    assert_eq!(second.cert().epoch(), 1);
    assert_ne!(second.static_x().public(), me.static_x().public());
    assert_eq!(second.statics_of(&first).unwrap().x().public(), me.static_x().public());
    assert_eq!(second.all_statics().count(), 2);
    let third = second.rotate(&mut rng(13), NOW + 2 * ROTATE_HOURS).unwrap();
    assert!(third.statics_of(&first).is_none(), "two epochs back is gone");
    assert!(third.statics_of(&second.cert().hash()).is_some());
    let late = me.rotate(&mut rng(14), NOW + CERT_HOURS + 1).unwrap();
    assert_eq!(late.all_statics().count(), 1, "what has run out is not carried along");
    assert!(me.rotate(&mut rng(15), u32::MAX).is_err());
    assert!(Identity::generate(&mut rng(15), u32::MAX).is_err());
}

#[test]
fn id_cert_5_keys_that_a_contact_was_shown_stay_however_often_they_are_rotated() {
    let first = identity(30);
    let shown = *first.cert().x();
    let mut me = first;
    for k in 1..=5 {
        let now = NOW + k * ROTATE_HOURS;
        me = me.rotate_keeping(&mut rng(31), now, |s| *s.cert().x() == shown).unwrap();
        let kept = me.statics_of_x(&shown).expect("the contact knows no others");
        assert_eq!(kept.x().public(), shown);
        assert_eq!(me.all_statics().count(), if k == 1 { 2 } else { 3 });
    }
    let back = Identity::from_secret_bytes(&me.to_secret_bytes()).unwrap();
    assert_eq!(back.to_secret_bytes(), me.to_secret_bytes());
    assert!(back.statics_of_x(&shown).is_some());
    let alone = back.rotate(&mut rng(32), NOW + 6 * ROTATE_HOURS).unwrap();
    assert!(alone.statics_of_x(&shown).is_none(), "the contact is gone");
}

#[test]
fn id_cert_5_identity_is_stored_and_loaded_whole() {
    let me = identity(16).rotate(&mut rng(17), NOW + ROTATE_HOURS).unwrap();
    let bytes = me.to_secret_bytes();
    let back = Identity::from_secret_bytes(&bytes).unwrap();
    assert_eq!(back.to_secret_bytes(), bytes);
    assert_eq!(bytes.len(), 66 + 2 * 6678);
    // It still signs: the next certificate is of the same identity.
    let next = back.rotate(&mut rng(18), NOW + 2 * ROTATE_HOURS).unwrap();
    assert_eq!(next.cert().fingerprint(), me.cert().fingerprint());

    let changed = |at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        Identity::from_secret_bytes(&bytes).err()
    };
    // Not the first byte of an X25519 key, whose lowest bits do not count (RFC 7748).
    for at in [1, 33, 67, 98, 67 + 6678] {
        assert_eq!(changed(at), Some(StoredError::Foreign), "secret at {at}");
    }
    for at in [66 + 96 + 40, 66 + 6677] {
        assert!(matches!(changed(at), Some(StoredError::Certificate(_))), "certificate at {at}");
    }
    for at in [0, 65] {
        assert!(matches!(changed(at), Some(StoredError::Malformed(_))), "form at {at}");
    }
    assert!(Identity::from_secret_bytes(&bytes[1..]).is_err());
    let foreign = identity(19).to_secret_bytes();
    let mut mixed = bytes.to_vec();
    mixed[66..66 + 6678].copy_from_slice(&foreign[66..]);
    assert_eq!(Identity::from_secret_bytes(&mixed).err(), Some(StoredError::Foreign));
}

#[test]
fn id_cert_3_successor_is_signed_by_both_old_keys_over_both_new_ones() {
    let (old, new, other) = (identity(20), identity(21), identity(22));
    let statement = successor::state(&mut rng(23), &old, new.cert(), NOW).unwrap();
    assert_eq!((statement.len(), successor::STATEMENT_LEN), (5394, 5394));
    let verify = |bytes: &[u8]| successor::verify(bytes, old.cert(), new.cert());
    assert_eq!(verify(&statement), Ok(NOW));
    for at in (0..statement.len()).step_by(59).chain([2017, 2020, 2021, 2085, 5393]) {
        let mut other = statement.clone();
        other[at] ^= 0x10;
        assert!(verify(&other).is_err(), "byte {at}");
    }
    assert!(verify(&statement[1..]).is_err());
    // sas_4: a statement serves these two identities and no others.
    let about = |old: &Identity, new: &Identity| {
        successor::verify(&statement, old.cert(), new.cert()).err()
    };
    let others = Some(successor::SuccessorError::OtherIdentities);
    assert_eq!(about(&old, &other), others);
    assert_eq!(about(&other, &new), others);
    assert_eq!(about(&new, &old), others);
    // One signature by each old key; a stranger's beside one of them does not do.
    let strangers = successor::state(&mut rng(24), &other, new.cert(), NOW).unwrap();
    for range in [2021..2085, 2085..5394] {
        let mut mixed = statement.clone();
        mixed[range.clone()].copy_from_slice(&strangers[range.clone()]);
        assert_eq!(verify(&mixed), Err(successor::SuccessorError::Signature), "{range:?}");
    }
}

#[test]
fn sas_4_a_signature_of_one_kind_never_serves_as_the_other() {
    let (old, new) = (identity(25), identity(26));
    let statement = successor::state(&mut rng(27), &old, new.cert(), NOW).unwrap();
    let (core, signatures) = statement.split_at(2021);
    let digest = hash(&[core]);
    let ed = signatures[..64].try_into().unwrap();
    let under = |label: &[u8]| {
        sign::ed_verify(old.cert().ed(), &[label, &digest[..]].concat(), &ed).is_ok()
    };
    assert!(under(labels::SUCCESSOR_ED) && !under(labels::IDCERT_ED));
    let md = signatures[64..].try_into().unwrap();
    let under = |label: &[u8]| sign::md_verify(old.cert().md(), label, &digest, &md).is_ok();
    assert!(under(labels::SUCCESSOR_MD) && !under(labels::IDCERT_MD));
}
