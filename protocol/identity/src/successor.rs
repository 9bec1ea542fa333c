//! The statement by which an identity names the one that follows it (ID-CERT-3, SAS-4).
//!
//! ```text
//! core      = 0x01 ‖ old fingerprint(32) ‖ new ED.pk(32) ‖ new MD.pk(1952) ‖ hours(4)             2021
//! statement = core ‖ ED_old.sign("pvtcoms v1 successor ed" ‖ H(core))(64)
//!                  ‖ MD_old.sign(ctx "pvtcoms v1 successor md", H(core))(3309)                    5394
//! ```
//!
//! It moves a contact to *changed*, which blocks until the words are compared again; it never
//! moves one to *verified*. It says only that whoever held both old keys made the new ones.

use crate::{IdCert, Identity, IdentityError};
use crypto::rand_core::CryptoRng;
use crypto::{hash, labels, sign};
use wire::{Malformed, Reader, Writer};

/// Length of a statement in bytes: 2021 + 64 + 3309.
pub const STATEMENT_LEN: usize = CORE_LEN + sign::ED_SIG_LEN + sign::MD_SIG_LEN;

const CORE_LEN: usize = 1 + 32 + sign::ED_PK_LEN + sign::MD_PK_LEN + 4;
const VERSION: u8 = 1;

/// Why a statement does not stand. Its maker's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuccessorError {
    /// The bytes do not parse.
    #[error("the statement does not parse: {0}")]
    Malformed(#[from] Malformed),
    /// It is about other identities than the two given.
    #[error("the statement is about other identities")]
    OtherIdentities,
    /// One of the two signatures does not verify.
    #[error("a signature of the statement does not verify")]
    Signature,
}

/// States that `new` follows `old`, signed by both keys of `old`.
///
/// # Errors
/// [`IdentityError::CannotSign`].
pub fn state(
    rng: &mut impl CryptoRng,
    old: &Identity,
    new: &IdCert,
    now_hours: u32,
) -> Result<Vec<u8>, IdentityError> {
    let mut w = Writer::with_capacity(STATEMENT_LEN);
    w.u8(VERSION).bytes(&old.cert().fingerprint().0).bytes(new.ed()).bytes(new.md());
    w.u32(now_hours);
    let digest = hash(&[w.as_slice()]);
    let (ed, md) = old.signers();
    let md_signature =
        md.sign(rng, labels::SUCCESSOR_MD, &digest).map_err(|_| IdentityError::CannotSign)?;
    w.bytes(&ed.sign(&ed_message(&digest))).bytes(md_signature.as_slice());
    Ok(w.into_vec())
}

/// Verifies that `old` names `new` as its successor, and gives the hour at which it says so.
///
/// `new` is a verified certificate, so its owner holds both new keys.
///
/// # Errors
/// [`SuccessorError`].
pub fn verify(statement: &[u8], old: &IdCert, new: &IdCert) -> Result<u32, SuccessorError> {
    let mut r = Reader::new(statement);
    let core = r.take(CORE_LEN)?;
    let ed_signature = r.array()?;
    let md_signature = r.array()?;
    r.finish()?;

    let mut r = Reader::new(core);
    if r.u8()? != VERSION {
        return Err(Malformed::Field("version").into());
    }
    let (from, ed, md) = (r.array()?, r.array()?, r.array()?);
    let hours = r.u32()?;
    if from != old.fingerprint().0 || ed != *new.ed() || md != *new.md() {
        return Err(SuccessorError::OtherIdentities);
    }
    // ID-CERT-3, SAS-4: both old keys, whatever the first says.
    let digest = hash(&[core]);
    let by_ed = sign::ed_verify(old.ed(), &ed_message(&digest), &ed_signature);
    let by_md = sign::md_verify(old.md(), labels::SUCCESSOR_MD, &digest, &md_signature);
    by_ed.and(by_md).map_err(|_| SuccessorError::Signature)?;
    Ok(hours)
}

fn ed_message(digest: &[u8; 32]) -> Vec<u8> {
    [labels::SUCCESSOR_ED, digest].concat()
}
