//! The calls of `board`.

use super::{Verdict, list, unknown, verdict, whether};
use crate::hexed::{array, bytes, number};
use board::envelope::{Envelope, PartJoiner, open};
use board::frame::{FetchAnswer, PutAnswer, RequestHead};
use board::header::{DigestReader, PageHeader};
use board::pow;
use board::tag::SyncChain;
use crypto::aead::EnvelopeKey;
use serde_json::Value;
use wire::Codec;

pub(super) fn board(name: &str, input: &Value) -> Verdict {
    let given = || bytes(&input["bytes"]);
    match name {
        "open" => verdict(opened(input, &given())),
        "join" => {
            let mut joiner: Option<PartJoiner> = None;
            for envelope in list(&input["envelopes"]) {
                let parcel = opened(input, &bytes(&envelope.into())).unwrap();
                match &mut joiner {
                    None => joiner = Some(PartJoiner::new(parcel).map_err(|e| format!("{e:?}"))?),
                    Some(joiner) => verdict(joiner.add(parcel))?,
                }
            }
            Ok(())
        }
        "request" => verdict(RequestHead::decode(&array(&input["bytes"]))),
        "answer to PUT" => verdict(PutAnswer::decode(&given())),
        "answer to FETCH" => {
            let answer = match FetchAnswer::decode(&given()) {
                Ok(answer) => answer,
                Err(error) => return Err(format!("{error:?}")),
            };
            let header = PageHeader::from_bytes(&bytes(&input["header"])).unwrap();
            verdict(answer.verify(&header, number(&input["page"]), number(&input["chunk"])))
        }
        "digest" => {
            let mut reader = DigestReader::new(array(&input["mailbox"]));
            verdict(reader.push(&given()))?;
            verdict(reader.finish())
        }
        "fresh header" => {
            let header = PageHeader::from_bytes(&given()).unwrap();
            verdict(header.check_fresh(number(&input["now"])))
        }
        "proof of work" => {
            let envelope = Envelope::from_bytes(&array(&input["envelope"]));
            let paid = pow::verify(
                &array(&input["seed"]),
                &array(&input["mailbox"]),
                &envelope,
                number(&input["effort"]),
                &array(&input["nonce"]),
                &array(&input["solution"]),
            );
            whether(paid, "not paid")
        }
        "resync day" => {
            let chain = SyncChain::new(&array(&input["sync root"]));
            verdict(chain.day(number(&input["day"])))
        }
        _ => unknown(name),
    }
}

fn opened(
    input: &Value,
    envelope: &[u8],
) -> Result<board::envelope::Parcel, board::envelope::OpenError> {
    let key = EnvelopeKey::copy_of(&array(&input["key"]));
    let envelope = Envelope::from_bytes(envelope.try_into().unwrap());
    open(&key, &array(&input["mailbox"]), &envelope)
}
