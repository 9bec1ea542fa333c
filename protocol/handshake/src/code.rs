//! Commitment and code of the short authentication string (SAS-1, SAS-2).

use crypto::kdf::{extract, lp};
use crypto::{dh, hash, kem, labels};
use identity::Sas;

/// `comA = H("pvtcoms v1 sas commit" ‖ rA(32) ‖ H(idcert_A)(32))`.
pub(crate) fn commitment(r_a: &[u8; 32], cert_a: &[u8; 32]) -> [u8; 32] {
    hash(&[labels::SAS_COMMIT, r_a, cert_a])
}

/// Everything that the code depends on. ct2, ct3 and the names are left out on purpose: they are
/// chosen after rB is seen and could be ground.
pub(crate) struct SasInput<'a> {
    pub(crate) m1: &'a [u8],
    pub(crate) e_b: &'a dh::Public,
    pub(crate) ct1: &'a kem::Ciphertext,
    pub(crate) cert_a: &'a [u8; 32],
    pub(crate) cert_b: &'a [u8; 32],
    pub(crate) r_a: &'a [u8; 32],
    pub(crate) r_b: &'a [u8; 32],
}

impl SasInput<'_> {
    /// ```text
    /// T   = H("pvtcoms v1 sas transcript" ‖ LP(M1) ‖ LP(eB.pk) ‖ LP(ct1) ‖ LP(H(idcert_A)) ‖ LP(H(idcert_B)))
    /// sas = HKDF(salt = rA ‖ rB, ikm = T, "pvtcoms v1 sas code")[..6]
    /// ```
    pub(crate) fn code(&self) -> Sas {
        let Self { m1, e_b, ct1, cert_a, cert_b, r_a, r_b } = self;
        let ct1 = ct1.as_bytes().as_slice();
        let mut parts: Vec<&[u8]> = vec![labels::SAS_TRANSCRIPT];
        let lengths = [lp(m1), lp(&e_b.0), lp(ct1), lp(*cert_a), lp(*cert_b)];
        for (len, part) in lengths.iter().zip([*m1, &e_b.0, ct1, *cert_a, *cert_b]) {
            parts.extend([len.as_slice(), part]);
        }
        let t = hash(&parts);
        let mut code = [0; 6];
        extract([**r_a, **r_b].as_flattened(), &[&t]).expand(&[labels::SAS_CODE], &mut code);
        Sas::from_code(code)
    }
}
