use super::support::{array, cases, groups, hex, load, valid};
use crypto::dh::{NotContributory, Private, Public};
use crypto::sign::{BadSignature, ed_verify};

/// "Acceptable" cases (twist, non-canonical and low-order points) compute like any other, except
/// that a zero result is refused.
#[test]
fn cry_4_wycheproof_x25519() {
    let file = load("wycheproof-x25519_test");
    let (mut agreed, mut zero) = (0, 0);
    for case in groups(&file).iter().flat_map(cases) {
        let private = Private::copy_of(&array(&case["private"]));
        let shared = private.agree(&Public(array(&case["public"])));
        let expected = array::<32>(&case["shared"]);
        if expected == [0; 32] {
            assert!(!valid(case));
            assert_eq!(shared.err(), Some(NotContributory), "{}", case["tcId"]);
            zero += 1;
        } else {
            assert_eq!(shared.unwrap().expose_secret(), &expected, "{}", case["tcId"]);
            agreed += 1;
        }
    }
    assert_eq!((agreed, zero), (487, 31));
    assert_eq!(file["numberOfTests"], 518);
}

/// A signature of another length than 64 bytes cannot be given to our API at all.
#[test]
fn cry_8_wycheproof_ed25519() {
    let file = load("wycheproof-ed25519_test");
    let (mut accepted, mut refused, mut no_signature) = (0, 0, 0);
    for group in groups(&file) {
        let public = array(&group["publicKey"]["pk"]);
        for case in cases(group) {
            let Ok(signature) = hex(&case["sig"]).try_into() else {
                assert!(!valid(case), "{}", case["tcId"]);
                no_signature += 1;
                continue;
            };
            let verdict = ed_verify(&public, &hex(&case["msg"]), &signature);
            let expected = if valid(case) { Ok(()) } else { Err(BadSignature) };
            assert_eq!(verdict, expected, "{}", case["tcId"]);
            *if valid(case) { &mut accepted } else { &mut refused } += 1;
        }
    }
    assert_eq!((accepted, refused, no_signature), (88, 51, 12));
    assert_eq!(file["numberOfTests"], 151);
}
