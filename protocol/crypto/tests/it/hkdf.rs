use super::support::{cases, groups, hex, load, valid};
use crypto::kdf::{extract, hkdf_sha512};
use serde_json::Value;

/// Runs every case through `derive`, which gives the longest output that HKDF has; shorter ones
/// are its beginnings. A longer one is refused when the program is compiled.
fn run<const MAX: usize>(
    name: &str,
    derive: impl Fn(&[u8], &[u8], &[u8], &mut [u8; MAX]),
) -> (usize, usize) {
    let file = load(name);
    let (mut derived, mut too_long) = (0, 0);
    for case in groups(&file).iter().flat_map(cases) {
        let size = usize::try_from(case["size"].as_u64().unwrap()).unwrap();
        if size > MAX {
            assert!(!valid(case), "{}", case["tcId"]);
            too_long += 1;
            continue;
        }
        assert!(valid(case), "{}", case["tcId"]);
        let mut out = [0; MAX];
        let field = |name: &str| -> Vec<u8> { hex(&case[name]) };
        derive(&field("salt"), &field("ikm"), &field("info"), &mut out);
        assert_eq!(out.get(..size).unwrap(), field("okm"), "{}", case["tcId"]);
        derived += 1;
    }
    assert_eq!(file["numberOfTests"], Value::from(derived + too_long));
    (derived, too_long)
}

#[test]
fn cry_3_wycheproof_hkdf_sha256() {
    let counts = run::<8160>("wycheproof-hkdf_sha256_test", |salt, ikm, info, out| {
        extract(salt, &[ikm]).expand(&[info], out);
    });
    assert_eq!(counts, (83, 3));
}

#[test]
fn cry_3_wycheproof_hkdf_sha512() {
    let counts = run::<16320>("wycheproof-hkdf_sha512_test", |salt, ikm, info, out| {
        hkdf_sha512(salt, &[ikm], &[info], out);
    });
    assert_eq!(counts, (80, 3));
}
