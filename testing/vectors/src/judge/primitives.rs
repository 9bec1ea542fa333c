//! The calls of `wire` and `crypto`.

use super::{Verdict, unknown, verdict};
use crate::hexed::{array, bytes, number};
use crypto::aead::{EnvelopeKey, OneTimeKey};
use crypto::password::{Cost, Stretched};
use crypto::sign::{ed_verify, md_verify};
use crypto::{dh, kem};
use serde_json::Value;
use wire::{Codec, Reader};

pub(super) fn wire(name: &str, input: &Value) -> Verdict {
    let given = bytes(&input["bytes"]);
    match name {
        "four bytes" => verdict(<[u8; 4]>::from_bytes(&given)),
        "four zeros" => verdict(Reader::new(&given).zeros(4)),
        _ => unknown(name),
    }
}

pub(super) fn crypto(name: &str, input: &Value) -> Verdict {
    match name {
        "x25519" => {
            let private = dh::Private::copy_of(&array(&input["private"]));
            verdict(private.agree(&dh::Public(array(&input["bytes"]))))
        }
        "encapsulation key" => verdict(kem::EncapsulationKey::from_bytes(&array(&input["bytes"]))),
        "one-time open" => {
            let key = OneTimeKey::copy_of(&array(&input["key"]));
            verdict(key.open(&bytes(&input["ad"]), &bytes(&input["bytes"])))
        }
        "envelope open" => {
            let key = EnvelopeKey::copy_of(&array(&input["key"]));
            verdict(key.open(&bytes(&input["ad"]), &bytes(&input["bytes"])))
        }
        "ed25519" => verdict(ed_verify(
            &array(&input["public"]),
            &bytes(&input["message"]),
            &array(&input["signature"]),
        )),
        "ml-dsa" => verdict(md_verify(
            &array(&input["public"]),
            &bytes(&input["context"]),
            &bytes(&input["message"]),
            &array(&input["signature"]),
        )),
        "argon2id" => {
            let cost = Cost {
                memory_kib: number(&input["memory_kib"]),
                passes: number(&input["passes"]),
                lanes: number(&input["lanes"]),
            };
            verdict(Stretched::from_passphrase(b"passphrase", &[0; 16], cost))
        }
        _ => unknown(name),
    }
}
