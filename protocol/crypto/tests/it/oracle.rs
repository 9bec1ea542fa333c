//! Differential tests: our types, made of graviola and libcrux, against implementations that share no code with
//! them and that no program of ours links (RustCrypto's `ml-kem` and `ml-dsa`).
//!
//! Case `i` draws everything from the seed `first + i`. A failure names its seed; run that case
//! alone, or others than the usual ones, with `PVTCOMS_ORACLE_SEED=SEED`.

use super::support::Dice;
use crypto::kem::{Ciphertext, EncapsulationKey, Seed};
use crypto::rand_core::{Rng, SeedableRng};
use crypto::sign::{MdSecret, md_verify};
use ml_dsa::{MlDsa65, SigningKey, VerifyingKey};
use ml_kem::{Decapsulate, KeyExport, MlKem768, TryKeyInit};
use rand_chacha::ChaCha20Rng;

const CASES: u64 = 10_000;
const QUARTER: u64 = CASES / 4;

/// Runs some of the cases, each with a generator of its own; a panic is preceded by the seed.
fn each_case(part: std::ops::Range<u64>, case: impl Fn(&mut ChaCha20Rng)) {
    struct Named(u64);
    impl Drop for Named {
        #[expect(clippy::print_stderr, reason = "who sees it fail needs the seed")]
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed with PVTCOMS_ORACLE_SEED={}", self.0);
            }
        }
    }
    let first: u64 = std::env::var("PVTCOMS_ORACLE_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in part {
        let named = Named(first + seed);
        case(&mut ChaCha20Rng::seed_from_u64(named.0));
    }
}

fn draw<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill_bytes(&mut out);
    out
}

/// `bytes` with one bit flipped.
fn flipped<const N: usize>(rng: &mut ChaCha20Rng, bytes: &[u8; N]) -> [u8; N] {
    let mut bytes = *bytes;
    let at = usize::try_from(rng.next_u32()).unwrap() % N;
    bytes[at] ^= 1 << (rng.next_u32() % 8);
    bytes
}

/// Randomness, wrong in the bits of `twist`.
fn twisted(mut dice: [u8; 32], twist: u8) -> [u8; 32] {
    dice[31] ^= twist;
    dice
}

type TheirDk = ml_kem::DecapsulationKey<MlKem768>;
type TheirEk = ml_kem::EncapsulationKey<MlKem768>;

/// The same seed gives the same keys; each side opens what the other sealed; a changed ciphertext
/// gives both the same unrelated secret, and a changed key is judged alike.
///
/// `twist` is what the other side does wrong: nothing, but in the control.
fn kem_case(rng: &mut ChaCha20Rng, twist: u8) {
    let seed = draw::<64>(rng);
    let ours = Seed::copy_of(&seed);
    let theirs = TheirDk::from_seed(seed.into());
    let ek = ours.encapsulation_key();
    assert!(ek.as_bytes()[..] == theirs.encapsulation_key().to_bytes()[..], "keys");

    // We encapsulate to the key that they made, they decapsulate; and the other way round.
    let their_ek: [u8; 1184] = theirs.encapsulation_key().to_bytes().into();
    let m = draw::<32>(rng);
    let (ct, shared) =
        EncapsulationKey::from_bytes(&their_ek).unwrap().encapsulate(&mut Dice(m.to_vec()));
    assert_eq!(theirs.decapsulate(&(*ct.as_bytes()).into())[..], shared.expose_secret()[..]);
    let m = draw::<32>(rng);
    let (their_ct, their_shared) = TheirEk::new_from_slice(ek.as_bytes())
        .unwrap()
        .encapsulate_deterministic(&twisted(m, twist).into());
    let their_ct = Ciphertext::from_bytes(&their_ct.into());
    assert_eq!(ours.decapsulate(&their_ct).expose_secret()[..], their_shared[..]);
    // The same randomness gives the same bytes.
    let (same_ct, same) = ek.encapsulate(&mut Dice(m.to_vec()));
    assert!(same_ct == their_ct && same.expose_secret()[..] == their_shared[..], "bytes");

    let bad = flipped(rng, ct.as_bytes());
    let rejected = ours.decapsulate(&Ciphertext::from_bytes(&bad));
    assert!(!rejected.ct_eq(&shared), "a changed ciphertext");
    assert_eq!(theirs.decapsulate(&bad.into())[..], rejected.expose_secret()[..]);

    let bad = flipped(rng, ek.as_bytes());
    let verdicts =
        (EncapsulationKey::from_bytes(&bad).is_ok(), TheirEk::new_from_slice(&bad).is_ok());
    assert_eq!(verdicts.0, verdicts.1, "a changed key");
}

#[test]
fn cry_5_ml_kem_agrees_with_another_implementation() {
    each_case(0..CASES, |rng| kem_case(rng, 0));
}

/// Bits that are flipped at random rarely leave the modulus: here a coefficient is put above it.
#[test]
fn cry_5_unreduced_keys_are_refused_by_both() {
    each_case(0..CASES, |rng| {
        let mut ek = *Seed::random(rng).encapsulation_key().as_bytes();
        // Coefficient i lies in 12 bits; bytes 3j to 3j+2 hold two of them.
        let at = 3 * usize::try_from(rng.next_u32() % 384).unwrap();
        let value = 3329 + rng.next_u32() % (4096 - 3329);
        let [_, _, high, low] = value.to_be_bytes();
        ek[at] = low;
        ek[at + 1] = (ek[at + 1] & 0xf0) | high;
        assert!(EncapsulationKey::from_bytes(&ek).is_err(), "ours takes {value}");
        assert!(TheirEk::new_from_slice(&ek).is_err(), "theirs takes {value}");
    });
}

/// The same seed gives the same key, the same randomness the same signature; each verifies the
/// other's; what is changed is refused by both.
fn dsa_case(rng: &mut ChaCha20Rng, twist: u8) {
    let (seed, rnd) = (draw::<32>(rng), draw::<32>(rng));
    let ours = MdSecret::copy_of(&seed);
    let theirs = SigningKey::<MlDsa65>::from_seed(&seed.into());
    let (public, their_public) = (ours.public(), theirs.expanded_key().verifying_key());
    assert!(public[..] == their_public.encode()[..], "keys");

    let length = usize::try_from(rng.next_u32() % 200).unwrap();
    let (message, context) = (&draw::<200>(rng)[..length], &draw::<16>(rng)[..length / 13]);
    let signature = ours.sign(&mut Dice(rnd.to_vec()), context, message).unwrap();
    let their_signature = theirs
        .expanded_key()
        .sign_randomized(message, context, &mut Dice(twisted(rnd, twist).to_vec()))
        .unwrap()
        .encode();
    assert!(signature[..] == their_signature[..], "signatures");
    let verify = |public: &[u8; 1952], context: &[u8], message: &[u8], signature: &[u8; 3309]| {
        let key = VerifyingKey::<MlDsa65>::decode(&(*public).into());
        let theirs = ml_dsa::Signature::decode(&(*signature).into())
            .is_some_and(|s| key.verify_with_context(message, context, &s));
        let ours = md_verify(public, context, message, signature).is_ok();
        assert_eq!(ours, theirs, "verdicts");
        ours
    };
    assert!(verify(&public, context, message, &signature), "the true one");
    // One of the four is changed, each in its turn.
    let changed = match rng.next_u32() % 4 {
        0 => verify(&flipped(rng, &public), context, message, &signature),
        1 => verify(&public, &[context, &[0]].concat(), message, &signature),
        2 => verify(&public, context, &[message, &[0]].concat(), &signature),
        _ => verify(&public, context, message, &flipped(rng, &signature)),
    };
    assert!(!changed, "something changed is accepted");
}

/// Four tests of one kind, so that processors share the work and none runs long.
#[test]
fn cry_8_ml_dsa_agrees_with_another_implementation_first_quarter() {
    each_case(0..QUARTER, |rng| dsa_case(rng, 0));
}

#[test]
fn cry_8_ml_dsa_agrees_with_another_implementation_second_quarter() {
    each_case(QUARTER..2 * QUARTER, |rng| dsa_case(rng, 0));
}

#[test]
fn cry_8_ml_dsa_agrees_with_another_implementation_third_quarter() {
    each_case(2 * QUARTER..3 * QUARTER, |rng| dsa_case(rng, 0));
}

#[test]
fn cry_8_ml_dsa_agrees_with_another_implementation_last_quarter() {
    each_case(3 * QUARTER..CASES, |rng| dsa_case(rng, 0));
}

/// An implementation that strays by one bit of its randomness does not get through a single case.
#[test]
fn cry_5_cry_8_control_another_that_strays_by_one_bit_is_caught() {
    for case in [kem_case, dsa_case] {
        let caught = std::panic::catch_unwind(|| case(&mut ChaCha20Rng::seed_from_u64(0), 1));
        assert!(caught.is_err());
    }
}
