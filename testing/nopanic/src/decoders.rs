//! The decoders: whatever takes bytes of a peer, a mailbox, an invite, or our own store.

use crate::{Dice, Input};
use board::chain::{RecvChain, SendChain};
use board::envelope::{self, Envelope, PartJoiner};
use board::frame::{FetchAnswer, PutAnswer, RequestHead};
use board::header::{DigestReader, PageHeader};
use board::pow::Puzzle;
use board::tag::SyncChain;
use content::{Content, Joiner};
use core::hint::black_box;
use crypto::Zeroizing;
use crypto::aead::EnvelopeKey;
use engine::changes::{Snapshot, Table};
use engine::{Engine, Now};
use gate::Frame;
use handshake::{
    AwaitingM3, AwaitingM4, Introduction, Invite, Inviter, RecoveryPsk, accept, rekey,
};
use identity::{IdCert, Identity, Sas, UnverifiedCert, successor, word_matches};
use ratchet::{Ciphertext, Ratchet};
use wire::{Codec, Malformed, Reader, Writer};

type Outcome = Option<()>;

/// Lets nothing of a result be optimised away.
fn seen<T, E>(result: Result<T, E>) -> Option<T> {
    black_box(result).ok()
}

#[inline(never)]
pub(crate) fn wire_reader(input: &Input<'_>) -> Outcome {
    let mut r = Reader::new(input.message);
    let n = usize::from(seen(r.u8())?);
    let mut part = seen(r.sub(n))?;
    black_box((part.u16(), part.u32(), part.u64(), part.array::<32>(), part.take(n)).1.is_ok());
    seen(part.zeros(n))?;
    black_box((part.remaining(), part.rest()));
    seen(part.finish())?;
    seen(r.finish())
}

#[inline(never)]
pub(crate) fn wire_codec(input: &Input<'_>) -> Outcome {
    seen(<[u8; 32]>::from_bytes(input.message)).map(|value| {
        black_box(value.to_bytes());
    })
}

#[inline(never)]
pub(crate) fn wire_writer(input: &Input<'_>) -> Outcome {
    let mut w = Writer::new();
    w.u8(1).u16(2).u32(3).u64(4).bytes(input.message).zeros(input.state.len()).pad_to(4096);
    black_box((w.len(), w.is_empty(), w.as_slice().first().copied()));
    black_box(w.into_vec());
    Some(())
}

#[inline(never)]
pub(crate) fn identity_cert(input: &Input<'_>) -> Outcome {
    let cert = seen(UnverifiedCert::from_bytes(input.message))?;
    seen(cert.verify(Some(1))).map(drop)
}

#[inline(never)]
pub(crate) fn identity_stored(input: &Input<'_>) -> Outcome {
    seen(Identity::from_secret_bytes(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn identity_known(input: &Input<'_>) -> Outcome {
    seen(IdCert::trusted_from_store(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn identity_word(input: &Input<'_>) -> Outcome {
    let code = Sas::from_code(*input.state.first_chunk()?).code();
    black_box(word_matches(*code.first()?, input.message.len(), input.text));
    Some(())
}

#[inline(never)]
pub(crate) fn identity_successor(input: &Input<'_>) -> Outcome {
    let old = seen(UnverifiedCert::from_bytes(input.state).and_then(|c| c.verify(None)))?;
    let new = seen(UnverifiedCert::from_bytes(input.identity).and_then(|c| c.verify(None)))?;
    seen(successor::verify(input.message, &old, &new)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_invite(input: &Input<'_>) -> Outcome {
    seen(Invite::from_uri(input.text)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_introduction(input: &Input<'_>) -> Outcome {
    seen(Introduction::from_bytes(input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_m1(input: &Input<'_>) -> Outcome {
    let own = seen(Identity::from_secret_bytes(input.identity))?;
    let invite = seen(Invite::from_uri(input.text))?;
    let intro = seen(Introduction::from_bytes(input.state))?;
    seen(accept(&mut Dice, &own, &invite, &intro, input.message, 1)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_m2(input: &Input<'_>) -> Outcome {
    let own = seen(Identity::from_secret_bytes(input.identity))?;
    let inviter = seen(Inviter::from_secret_bytes(input.state))?;
    let intro = seen(Introduction::from_bytes(input.text.as_bytes()))?;
    seen(inviter.receive_m2(&mut Dice, &own, &intro, input.message, 1, |_| false)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_m3(input: &Input<'_>) -> Outcome {
    let own = seen(Identity::from_secret_bytes(input.identity))?;
    let invited = seen(AwaitingM3::from_secret_bytes(input.state))?;
    seen(invited.receive_m3(&mut Dice, &own, input.message, 1, |_| false)).map(drop)
}

#[inline(never)]
pub(crate) fn handshake_m4(input: &Input<'_>) -> Outcome {
    let inviter = seen(AwaitingM4::from_secret_bytes(input.state))?;
    seen(inviter.receive_m4(input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn rekey_r1(input: &Input<'_>) -> Outcome {
    let own = seen(Identity::from_secret_bytes(input.identity))?;
    let peer = seen(UnverifiedCert::from_bytes(input.state).and_then(|c| c.verify(None)))?;
    let intro = seen(Introduction::from_bytes(input.text.as_bytes()))?;
    let psk = RecoveryPsk::copy_of(&[1; RecoveryPsk::LEN]);
    seen(rekey::respond(&mut Dice, &own, &[&peer], &psk, &intro, input.message, 1)).map(drop)
}

#[inline(never)]
pub(crate) fn rekey_r2(input: &Input<'_>) -> Outcome {
    let own = seen(Identity::from_secret_bytes(input.identity))?;
    let begun = seen(rekey::Initiated::from_secret_bytes(input.state))?;
    seen(rekey::finish(&begun, &own, input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn ratchet_stored(input: &Input<'_>) -> Outcome {
    seen(Ratchet::from_secret_bytes(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn ratchet_message(input: &Input<'_>) -> Outcome {
    let mut state = seen(Ratchet::from_secret_bytes(input.state))?;
    let message = Ciphertext::from_bytes(input.message.first_chunk()?);
    seen(state.decrypt(1, &message)).map(drop)
}

#[inline(never)]
pub(crate) fn content_decode(input: &Input<'_>) -> Outcome {
    seen(Content::decode(input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn content_join(input: &Input<'_>) -> Outcome {
    let Content::Part(part) = seen(Content::decode(input.message))? else { return None };
    let mut joiner = Joiner::new();
    seen(joiner.add(part)).map(drop)
}

#[inline(never)]
pub(crate) fn content_join_stored(input: &Input<'_>) -> Outcome {
    seen(Joiner::from_secret_bytes(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn board_request(input: &Input<'_>) -> Outcome {
    seen(RequestHead::decode(input.message.first_chunk()?)).map(drop)
}

#[inline(never)]
pub(crate) fn board_puzzle(input: &Input<'_>) -> Outcome {
    seen(Puzzle::from_bytes(input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn board_put_answer(input: &Input<'_>) -> Outcome {
    seen(PutAnswer::decode(input.message)).map(drop)
}

#[inline(never)]
pub(crate) fn board_fetch_answer(input: &Input<'_>) -> Outcome {
    let header = seen(PageHeader::from_bytes(input.state))?;
    let answer = seen(FetchAnswer::decode(input.message))?;
    seen(answer.verify(&header, 1, 1)).map(drop)
}

#[inline(never)]
pub(crate) fn board_header(input: &Input<'_>) -> Outcome {
    let header = seen(PageHeader::from_bytes(input.message))?;
    seen(header.check(&[1; 32]))
}

#[inline(never)]
pub(crate) fn board_digest(input: &Input<'_>) -> Outcome {
    let mut reader = DigestReader::new([1; 32]);
    for frame in seen(reader.push(input.message))? {
        for chunk in frame.chunks_of(&[1; 8]) {
            black_box(chunk);
        }
    }
    seen(reader.finish())
}

#[inline(never)]
pub(crate) fn board_envelope(input: &Input<'_>) -> Outcome {
    let envelope = Envelope::from_bytes(input.message.first_chunk()?);
    let key = EnvelopeKey::copy_of(input.state.first_chunk()?);
    let parcel = seen(envelope::open(&key, &[1; 32], &envelope))?;
    let other = Envelope::from_bytes(input.identity.first_chunk()?);
    let mut joiner = seen(PartJoiner::new(parcel))?;
    seen(joiner.add(seen(envelope::open(&key, &[1; 32], &other))?))?;
    black_box(joiner.whole());
    Some(())
}

#[inline(never)]
pub(crate) fn board_address(input: &Input<'_>) -> Outcome {
    seen(board::address::decode(input.text)).map(drop)
}

#[inline(never)]
pub(crate) fn board_sync_stored(input: &Input<'_>) -> Outcome {
    seen(SyncChain::from_secret_bytes(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn board_send_stored(input: &Input<'_>) -> Outcome {
    seen(SendChain::from_secret_bytes(input.state)).map(drop)
}

#[inline(never)]
pub(crate) fn board_recv_stored(input: &Input<'_>) -> Outcome {
    let result: Result<RecvChain, Malformed> = RecvChain::from_secret_bytes(input.state);
    seen(result).map(drop)
}

#[inline(never)]
pub(crate) fn gate_frame(input: &Input<'_>) -> Outcome {
    seen(Frame::from_bytes(input.message)).map(drop)
}

/// A profile with one row of each table, each as it may be.
#[inline(never)]
pub(crate) fn engine_rows(input: &Input<'_>) -> Outcome {
    let row = |table: &Table| {
        (*table, black_box(input.message).to_vec(), Zeroizing::new(black_box(input.state).to_vec()))
    };
    let rows = Snapshot(Table::ALL.iter().map(row).collect());
    let now = Now { mono_ms: 1, unix_ms: 1 };
    seen(Engine::load(&mut Dice, now, &rows)).map(drop)
}
