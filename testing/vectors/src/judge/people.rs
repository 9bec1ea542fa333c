//! The calls of `identity`, `handshake`, `ratchet` and `content`.

use super::{Verdict, list, unknown, verdict, whether};
use crate::dice::Dice;
use crate::hexed::{array, bytes, number, text};
use ::content::{Content, Joiner, Timer, split_text};
use ::handshake::rekey::{Initiated, finish, respond};
use ::handshake::{AwaitingM3, AwaitingM4, Introduction, Invite, Inviter, RecoveryPsk, accept};
use ::identity::{IdCert, Identity, Relation, UnverifiedCert, successor, word_matches};
use ::ratchet::{Ciphertext, Ratchet};
use serde_json::Value;

pub(super) fn identity(name: &str, input: &Value) -> Verdict {
    let cert = |field: &str| IdCert::trusted_from_store(&bytes(&input[field])).unwrap();
    match name {
        "certificate" => {
            let hours = input["hours"].as_u64().map(|hours| u32::try_from(hours).unwrap());
            let parsed = UnverifiedCert::from_bytes(&bytes(&input["bytes"]));
            verdict(parsed.and_then(|cert| cert.verify(hours)))
        }
        "successor" => {
            verdict(successor::verify(&bytes(&input["bytes"]), &cert("old"), &cert("new")))
        }
        "beside a known certificate" => {
            let relation = cert("bytes").relation_to(&cert("known"));
            let fine = matches!(relation, Relation::Same | Relation::Newer | Relation::Stranger);
            whether(fine, &format!("{relation:?}"))
        }
        "word" => {
            let byte = number(&input["byte"]);
            let yes = word_matches(byte, number(&input["position"]), text(&input["typed"]));
            whether(yes, "another word")
        }
        _ => unknown(name),
    }
}

/// What our side of a call says of itself; no vector depends on it.
fn own_introduction() -> Introduction {
    Introduction { inbox: vec![[5; 32]], version: 1, name: "we".to_owned() }
}

pub(super) fn handshake(name: &str, input: &Value) -> Verdict {
    let mut dice = Dice::noting(1);
    let given = || bytes(&input["bytes"]);
    let state = || bytes(&input["state"]);
    let own = || Identity::from_secret_bytes(&bytes(&input["identity"])).unwrap();
    let hours = || number(&input["hours"]);
    let known = |peer: &::identity::Fingerprint| {
        input["known"].as_array().is_some_and(|all| all.iter().any(|one| array(one) == peer.0))
    };
    let intro = own_introduction();
    match name {
        "invite" => verdict(Invite::from_uri(text(&input["text"]))),
        "accept" => {
            let invite = Invite::from_uri(text(&input["text"])).ok().unwrap();
            verdict(accept(&mut dice, &own(), &invite, &intro, &given(), hours()))
        }
        "receive M2" => {
            let state = Inviter::from_secret_bytes(&state()).ok().unwrap();
            verdict(state.receive_m2(&mut dice, &own(), &intro, &given(), hours(), known))
        }
        "receive M3" => {
            let state = AwaitingM3::from_secret_bytes(&state()).ok().unwrap();
            verdict(state.receive_m3(&mut dice, &own(), &given(), hours(), known))
        }
        "receive M4" => {
            let state = AwaitingM4::from_secret_bytes(&state()).ok().unwrap();
            verdict(state.receive_m4(&given()))
        }
        "receive R1" => {
            let peer = IdCert::trusted_from_store(&bytes(&input["peer"])).unwrap();
            let psk = RecoveryPsk::copy_of(&array(&input["psk"]));
            verdict(respond(&mut dice, &own(), &[&peer], &psk, &intro, &given(), hours()))
        }
        "receive R2" => {
            let state = Initiated::from_secret_bytes(&state()).ok().unwrap();
            verdict(finish(&state, &own(), &given()))
        }
        _ => unknown(name),
    }
}

/// After a refusal the state must be what it was (RAT-4).
pub(super) fn ratchet(name: &str, input: &Value) -> Verdict {
    let before = bytes(&input["state"]);
    let mut ratchet = Ratchet::from_secret_bytes(&before).unwrap();
    let verdict = match name {
        "decrypt" => {
            let message = Ciphertext::from_bytes(&array(&input["bytes"]));
            verdict(ratchet.decrypt(number(&input["day"]), &message))
        }
        "encrypt" => {
            let content = vec![0; number(&input["length"])];
            verdict(ratchet.encrypt(&mut Dice::noting(1), &content))
        }
        _ => unknown(name),
    };
    assert!(verdict.is_ok() || *ratchet.to_secret_bytes() == before, "the refusal left a trace");
    verdict
}

pub(super) fn content(name: &str, input: &Value) -> Verdict {
    match name {
        "decode" => verdict(Content::decode(&bytes(&input["bytes"]))),
        "join" => {
            let mut joiner = Joiner::new();
            for part in list(&input["parts"]) {
                let Ok(Content::Part(part)) = Content::decode(&bytes(&part.into())) else {
                    panic!("no part")
                };
                verdict(joiner.add(part))?;
            }
            Ok(())
        }
        "split" => {
            let text = "x".repeat(number(&input["length"]));
            verdict(split_text([0; 16], 0, 0, Timer::OFF, &text))
        }
        _ => unknown(name),
    }
}
