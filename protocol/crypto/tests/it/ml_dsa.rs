use super::support::{Dice, array, cases, groups, hex, load};
use crypto::sign::{MD_SIG_LEN, MdSecret, md_verify};
use libcrux_ml_dsa::ml_dsa_65;
use serde_json::Value;

/// Whether a group is of the interface that our API has: external, pure. Left out, with the
/// number of their cases asserted below: HashML-DSA (`preHash`), which nothing of ours uses, and
/// the internal interface (with or without an external mu), which the library does not export
/// without its feature for such tests.
fn external_pure(group: &Value) -> bool {
    group["signatureInterface"] == "external" && group["preHash"] == "pure"
}

#[test]
fn cry_8_acvp_ml_dsa_key_generation() {
    let file = load("acvp-ml-dsa-65-keygen");
    let mut count = 0;
    for case in groups(&file).iter().flat_map(cases) {
        let seed = array::<32>(&case["seed"]);
        let public = MdSecret::copy_of(&seed).public();
        assert!(*public == array(&case["expected"]["pk"]), "{}", case["tcId"]);
        let keys = ml_dsa_65::generate_key_pair(seed);
        let expected = array::<4032>(&case["expected"]["sk"]);
        assert!(*keys.signing_key.as_ref() == expected, "{}", case["tcId"]);
        count += 1;
    }
    assert_eq!(count, 25);
}

/// The vectors give expanded private keys, which our API never takes: its keys are seeds.
#[test]
fn cry_8_acvp_ml_dsa_signing_of_the_primitive() {
    let file = load("acvp-ml-dsa-65-siggen");
    let (mut hedged, mut plain, mut left_out) = (0, 0, 0);
    for group in groups(&file) {
        if !external_pure(group) {
            left_out += cases(group).len();
            continue;
        }
        for case in cases(group) {
            let deterministic = group["deterministic"].as_bool().unwrap();
            let rnd = if deterministic { [0; 32] } else { array(&case["rnd"]) };
            let sk = ml_dsa_65::MLDSA65SigningKey::new(array(&case["sk"]));
            let (message, context) = (hex(&case["message"]), hex(&case["context"]));
            let signature = ml_dsa_65::sign(&sk, &message, &context, rnd).unwrap();
            let expected = array::<MD_SIG_LEN>(&case["expected"]["signature"]);
            assert!(*signature.as_ref() == expected, "{}", case["tcId"]);
            *if deterministic { &mut plain } else { &mut hedged } += 1;
        }
    }
    assert_eq!((hedged, plain, left_out), (5, 5, 30));
}

#[test]
fn cry_8_acvp_ml_dsa_verification() {
    let file = load("acvp-ml-dsa-65-sigver");
    let (mut accepted, mut refused, mut left_out) = (0, 0, 0);
    for group in groups(&file) {
        if !external_pure(group) {
            left_out += cases(group).len();
            continue;
        }
        for case in cases(group) {
            let good = case["expected"]["testPassed"].as_bool().unwrap();
            let (message, context) = (hex(&case["message"]), hex(&case["context"]));
            let verdict =
                md_verify(&array(&case["pk"]), &context, &message, &array(&case["signature"]));
            assert_eq!(verdict.is_ok(), good, "{}", case["tcId"]);
            *if good { &mut accepted } else { &mut refused } += 1;
        }
    }
    assert_eq!((accepted, refused, left_out), (3, 12, 45));
}

/// Ties the halves together: our hedged signature is the library's with the same randomness, and
/// it verifies under the published public key of the same seed.
#[test]
fn cry_8_seed_signs_for_the_published_key() {
    let file = load("acvp-ml-dsa-65-keygen");
    let mut count: u8 = 0;
    for case in groups(&file).iter().flat_map(cases) {
        let seed = array::<32>(&case["seed"]);
        let rnd = [count; 32];
        let mut dice = Dice(rnd.to_vec());
        let signature = MdSecret::copy_of(&seed).sign(&mut dice, b"context", b"message").unwrap();
        let keys = ml_dsa_65::generate_key_pair(seed);
        let theirs = ml_dsa_65::sign(&keys.signing_key, b"message", b"context", rnd).unwrap();
        assert!(*signature == *theirs.as_ref(), "{}", case["tcId"]);
        let public = array(&case["expected"]["pk"]);
        assert_eq!(md_verify(&public, b"context", b"message", &signature), Ok(()));
        count += 1;
    }
    assert_eq!(count, 25);
}
