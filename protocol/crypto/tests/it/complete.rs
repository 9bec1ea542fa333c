//! That every published file is run, and none has lost cases.

use super::support::{cases, groups, here, load};
use std::fs;

/// Files and their cases. How many of these run and are left out is asserted where they run.
const FILES: [(&str, usize); 11] = [
    ("acvp-ml-dsa-65-keygen", 25),
    ("acvp-ml-dsa-65-siggen", 40),
    ("acvp-ml-dsa-65-sigver", 60),
    ("acvp-ml-kem-768-encapdecap", 55),
    ("acvp-ml-kem-768-keygen", 25),
    ("wycheproof-chacha20_poly1305_test", 325),
    ("wycheproof-ed25519_test", 151),
    ("wycheproof-hkdf_sha256_test", 86),
    ("wycheproof-hkdf_sha512_test", 83),
    ("wycheproof-x25519_test", 518),
    ("wycheproof-xchacha20_poly1305_test", 315),
];

#[test]
fn every_published_file_is_listed_and_loaded_by_a_test() {
    let mut found: Vec<String> = fs::read_dir(here("../../vectors/upstream"))
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".json")
                .map(str::to_owned)
        })
        .collect();
    found.sort();
    assert_eq!(found, FILES.map(|(name, _)| name));

    let sources: String = fs::read_dir(here("tests/it"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("complete.rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for (name, total) in FILES {
        assert!(sources.contains(&format!("\"{name}\"")), "{name} is loaded by no test");
        let file = load(name);
        assert_eq!(
            groups(&file).iter().map(|group| cases(group).len()).sum::<usize>(),
            total,
            "{name}"
        );
    }
}
