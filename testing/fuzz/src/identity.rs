//! Certificates, statements of succession, and the stored identity.

use crate::choices::Choices;
use identity::{Identity, UnverifiedCert, successor};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::LazyLock;

/// An hour in 2026.
pub(crate) const NOW: u32 = 495_000;

struct People {
    old: Identity,
    new: Identity,
    statement: Vec<u8>,
}

static PEOPLE: LazyLock<People> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([11; 32]);
    let first = Identity::generate(&mut rng, NOW).unwrap();
    let new = Identity::generate(&mut rng, NOW).unwrap();
    let statement = successor::state(&mut rng, &first, new.cert(), NOW).unwrap();
    let old = first.rotate(&mut rng, NOW + 720).unwrap();
    People { old, new, statement }
});

/// The parser alone, on an edited certificate or on bare bytes.
pub fn cert(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.byte() & 1 == 0 {
        let bytes = choices.edit(PEOPLE.old.cert().as_bytes());
        let _parsed = UnverifiedCert::from_bytes(&bytes).is_ok();
    } else {
        assert!(UnverifiedCert::from_bytes(choices.rest()).is_err(), "too short for one");
    }
}

/// Both signatures: no edit survives them (ID-CERT-2).
pub fn cert_verify(data: &[u8]) {
    let valid = PEOPLE.old.cert().as_bytes();
    let bytes = Choices::new(data).edit(valid);
    let Ok(parsed) = UnverifiedCert::from_bytes(&bytes) else { return };
    assert_eq!(parsed.verify(None).is_ok(), bytes == valid);
}

/// A statement of succession: no edit survives the signatures (SAS-4).
pub fn statement(data: &[u8]) {
    let bytes = Choices::new(data).edit(&PEOPLE.statement);
    let verified = successor::verify(&bytes, PEOPLE.old.cert(), PEOPLE.new.cert());
    assert_eq!(verified.is_ok(), bytes == PEOPLE.statement);
}

static STORED: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    [&PEOPLE.old, &PEOPLE.new].map(|identity| identity.to_secret_bytes().to_vec())
});

/// The identity as the store keeps it: with and without the keys of the epoch before.
pub fn stored(data: &[u8]) {
    let mut choices = Choices::new(data);
    let identity = choices.one_of(&*STORED);
    let bytes = choices.edit(identity);
    if let Ok(identity) = Identity::from_secret_bytes(&bytes) {
        assert_eq!(*identity.to_secret_bytes(), bytes);
    }
}

pub fn cert_seeds() -> Vec<Vec<u8>> {
    // Version, a coefficient of the ML-KEM key that is not reduced, one byte more, bare bytes.
    vec![vec![0], vec![0, 1, 0, 0, 2], vec![0, 3, 8, 0, 255], vec![0, 4, 25, 183, 1], vec![1, 1]]
}

pub fn edits_seeds() -> Vec<Vec<u8>> {
    vec![vec![], vec![0, 0, 0, 1], vec![0, 25, 0, 1], vec![0, 12, 0x80, 1], vec![4, 0, 9, 0]]
}
