use super::support::{Dice, array, cases, groups, load};
use crypto::kem::{Ciphertext, EncapsulationKey, Seed};
use libcrux_ml_kem::mlkem768;
use serde_json::Value;

const PRIVATE_LEN: usize = 2400;

/// The cases of one function of the second file.
fn function<'a>(file: &'a Value, name: &str) -> &'a Vec<Value> {
    let mut found = groups(file).iter().filter(|g| g["function"] == name);
    let group = found.next().unwrap_or_else(|| panic!("no group {name}"));
    assert!(found.next().is_none(), "two groups {name}");
    cases(group)
}

#[test]
fn cry_5_acvp_key_generation() {
    let file = load("acvp-ml-kem-768-keygen");
    let mut count = 0;
    for case in groups(&file).iter().flat_map(cases) {
        let (d, z) = (array::<32>(&case["d"]), array::<32>(&case["z"]));
        let seed = [d, z].concat().try_into().unwrap();
        let ek = Seed::copy_of(&seed).encapsulation_key();
        assert_eq!(ek.as_bytes(), &array(&case["expected"]["ek"]), "{}", case["tcId"]);
        // Our API never shows an expanded private key; the library's is the published one.
        let (dk, _) = mlkem768::generate_key_pair(seed).into_parts();
        let expected = array::<PRIVATE_LEN>(&case["expected"]["dk"]);
        assert!(<[u8; PRIVATE_LEN]>::from(dk) == expected, "{}", case["tcId"]);
        count += 1;
    }
    assert_eq!(count, 25);
}

#[test]
fn cry_5_acvp_encapsulation() {
    let file = load("acvp-ml-kem-768-encapdecap");
    let cases = function(&file, "encapsulation");
    for case in cases {
        let ek = EncapsulationKey::from_bytes(&array(&case["ek"])).unwrap();
        let (ct, shared) = ek.encapsulate(&mut Dice(array::<32>(&case["m"]).to_vec()));
        assert_eq!(ct.as_bytes(), &array(&case["expected"]["c"]), "{}", case["tcId"]);
        assert_eq!(shared.expose_secret(), &array(&case["expected"]["k"]), "{}", case["tcId"]);
    }
    assert_eq!(cases.len(), 25);
}

#[test]
fn cry_5_acvp_encapsulation_key_check() {
    let file = load("acvp-ml-kem-768-encapdecap");
    let cases = function(&file, "encapsulationKeyCheck");
    let mut refused = 0;
    for case in cases {
        let good = case["expected"]["testPassed"].as_bool().unwrap();
        assert_eq!(
            EncapsulationKey::from_bytes(&array(&case["ek"])).is_ok(),
            good,
            "{}",
            case["tcId"]
        );
        refused += usize::from(!good);
    }
    assert_eq!((cases.len(), refused), (10, 5));
}

/// The vectors give expanded private keys, which our API never takes: its keys are seeds.
#[test]
fn cry_5_acvp_decapsulation_of_the_primitive() {
    let file = load("acvp-ml-kem-768-encapdecap");
    let cases = function(&file, "decapsulation");
    for case in cases {
        let dk = array::<PRIVATE_LEN>(&case["dk"]).into();
        let ct = Ciphertext::from_bytes(&array(&case["c"]));
        let shared = mlkem768::decapsulate(&dk, &ct.as_bytes().into());
        assert_eq!(shared, array::<32>(&case["expected"]["k"]), "{}", case["tcId"]);
    }
    assert_eq!(cases.len(), 10);
}

/// As above; the check is the library's and nothing of ours calls it.
#[test]
fn cry_5_acvp_private_key_check_of_the_primitive() {
    let file = load("acvp-ml-kem-768-encapdecap");
    let cases = function(&file, "decapsulationKeyCheck");
    let any_ct = [0; 1088].into();
    for case in cases {
        let dk = array::<PRIVATE_LEN>(&case["dk"]).into();
        let good = case["expected"]["testPassed"].as_bool().unwrap();
        assert_eq!(mlkem768::validate_private_key(&dk, &any_ct), good, "{}", case["tcId"]);
    }
    assert_eq!(cases.len(), 10);
}

/// Ties the two halves above together: our decapsulation from a seed agrees with what the
/// published key pair gives.
#[test]
fn cry_5_seed_decapsulates_what_was_made_for_the_published_key() {
    let file = load("acvp-ml-kem-768-keygen");
    let mut count: u8 = 0;
    for case in groups(&file).iter().flat_map(cases) {
        let seed = [array::<32>(&case["d"]), array(&case["z"])].concat().try_into().unwrap();
        let ek = EncapsulationKey::from_bytes(&array(&case["expected"]["ek"])).unwrap();
        let (ct, shared) = ek.encapsulate(&mut Dice(vec![count; 32]));
        assert!(Seed::copy_of(&seed).decapsulate(&ct).ct_eq(&shared), "{}", case["tcId"]);
        count += 1;
    }
    assert_eq!(count, 25);
}
