//! Mistakes against REK-1.

use super::handshake::introduction;
use super::{Mistake, flip, input, set};
use crate::dice::Dice;
use crate::hexed::hex;
use crate::reference::{Chain, Mix};
use crate::transcript::NOW;
use crypto::{dh, kem};
use handshake::RecoveryPsk;
use handshake::rekey::{initiate, respond};
use identity::{IdCert, Identity};
use serde_json::{Value, json};
use wire::Codec;

const PSK: [u8; 32] = [0x77; 32];
/// H(idcert)(32) ‖ introduction(134) ‖ hours(4), then zeros.
const PADDING: usize = 32 + 134 + 4;
const R1_PLAIN: usize = 1680;

pub(super) fn all() -> Vec<Mistake> {
    let dice = &mut Dice::noting(5);
    let alice = Identity::generate(dice, NOW).unwrap();
    let bob = Identity::generate(dice, NOW).unwrap();
    let newer = alice.rotate(dice, NOW).unwrap();
    let psk = RecoveryPsk::copy_of(&PSK);
    let (r1, waits) =
        initiate(dice, alice.statics(), bob.cert(), &psk, &introduction(), NOW).unwrap();
    let (r2, _) = respond(dice, &bob, &[alice.cert()], &psk, &introduction(), &r1, NOW).unwrap();

    let plain = |hours: u32| {
        let intro = introduction().to_bytes();
        let mut plain = [&alice.cert().hash()[..], &intro, &hours.to_be_bytes()].concat();
        plain.resize(R1_PLAIN, 0);
        plain
    };
    let good = forge(dice, &alice, bob.cert(), &plain(NOW));
    let mut zeros = |says: &[u8]| forge(dice, &alice, bob.cert(), says);
    let (padding, ahead, behind) =
        (zeros(&set(&plain(NOW), PADDING, 1)), zeros(&plain(NOW + 49)), zeros(&plain(NOW - 769)));
    let with = |but: &str| {
        let mut with = json!({
            "identity": hex(&bob.to_secret_bytes()), "peer": hex(alice.cert().as_bytes()),
            "psk": hex(&PSK), "hours": NOW,
        });
        with.as_object_mut().unwrap().remove(but);
        with
    };
    let first = |name, says, bad: &[u8], expect| Mistake {
        name,
        rule: "REK-1",
        says,
        call: "handshake receive R1",
        with: with("nothing"),
        good: input(&good),
        bad: input(bad),
        expect,
    };
    let other = |name, says, but: &str, good: Value, bad: Value, expect| Mistake {
        with: {
            let mut with = with(but);
            with["bytes"] = hex(&r1);
            with
        },
        good,
        bad,
        ..first(name, says, &r1, expect)
    };
    let peer = |cert: &IdCert| json!({ "peer": hex(cert.as_bytes()) });
    let secret = |psk: &[u8; 32]| json!({ "psk": hex(psk) });
    let hours = r#"Malformed(Field("hours"))"#;
    let unreduced = set(&set(&good, 32, 0xff), 33, 0xff);
    let second = |name, says, bad: &[u8], expect| Mistake {
        name,
        rule: "REK-1",
        says,
        call: "handshake receive R2",
        with: json!({
            "identity": hex(&alice.to_secret_bytes()), "state": hex(&waits.to_secret_bytes()),
        }),
        good: input(&r2),
        bad: input(bad),
        expect,
    };
    let zero = [&[0; 32], &r2[32..]].concat();
    vec![
        first(
            "r1-flipped",
            "a bit of the sealed part is flipped",
            &flip(&good, 2304),
            "NotAuthentic",
        ),
        first(
            "r1-ek-unreduced",
            "eK is no encapsulation key",
            &unreduced,
            r#"Malformed(Field("eK"))"#,
        ),
        first("r1-padding", "the padding is not zero", &padding, "Malformed(Reserved)"),
        first("r1-hours-ahead", "the initiator's clock is 49 hours ahead", &ahead, hours),
        first("r1-hours-behind", "R1 is 769 hours old, as a replay is", &behind, hours),
        other(
            "r1-psk",
            "another recovery psk",
            "psk",
            secret(&PSK),
            secret(&[1; 32]),
            "NotAuthentic",
        ),
        other(
            "r1-certificate",
            "the initiator's certificate is not known here",
            "peer",
            peer(alice.cert()),
            peer(newer.cert()),
            "UnknownCertificate",
        ),
        second("r2-e-zero", "e' contributes nothing", &zero, r#"Malformed(Field("e'"))"#),
        second("r2-flipped", "a bit of ctI is flipped", &flip(&r2, 1120), "NotAuthentic"),
    ]
}

/// R1 by the letter, with any plaintext.
fn forge(dice: &mut Dice, alice: &Identity, bob: &IdCert, plain: &[u8]) -> Vec<u8> {
    let (e, e_public) = dh::generate(dice);
    let (_, ek) = kem::generate(dice);
    let (ct, kem_ss) = bob.k().encapsulate(dice);
    let names = [alice.cert().fingerprint().0, bob.fingerprint().0];
    let names = [&names[0][..], &names[1][..]];
    let mut chain = Chain::start(b"pvtcoms v1 rekey", &names, &PSK);
    let public = [&e_public.0[..], ek.as_bytes(), ct.as_bytes()].concat();
    chain.absorb(&public);
    let (x_ss, x_dec) = (e.agree(bob.x()).unwrap(), *bob.x());
    let (key, _) =
        chain.mix(&Mix { step: 0x21, kem_ss, x_ss, x_enc: e_public, x_dec, ek: bob.k(), ct: &ct });
    [public, chain.seal(key, plain)].concat()
}
