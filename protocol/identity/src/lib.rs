//! Identity of a device: Ed25519 and ML-DSA-65 keys, the certificate of its agreement keys, and
//! the words that two people compare.
//!
//! A signature exists here and nowhere else: over a certificate ([`IdCert`]) and over a
//! [`successor`] statement (ID-CERT-3). Rules ID-CERT-1 to ID-CERT-5 of `docs/spec/identity.md`,
//! SAS-3 to SAS-5 of `docs/spec/sas.md`.

mod cert;
mod device;
mod fingerprint;
mod sas;
mod stored;
pub mod successor;
mod words;

pub use cert::{CERT_LEN, CertError, IdCert, Relation, UnverifiedCert};
pub use device::{CERT_HOURS, Identity, IdentityError, ROTATE_HOURS, Statics};
pub use fingerprint::Fingerprint;
pub use sas::{SAS_LEN, Sas, long_check, word_matches};
pub use stored::StoredError;
