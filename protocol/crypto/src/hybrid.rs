//! The combiner of X25519 and ML-KEM-768, used in every step of the handshake and the ratchet.

use crate::kdf::{Pair, extract, hash, lp};
use crate::{dh, kem, labels};

/// Everything one hybrid step absorbs (HS-2, CR-1).
///
/// ```text
/// ctx = H("pvtcoms v1 combiner" ‖ step u8 ‖ LP(h) ‖ LP(x_enc) ‖ LP(x_dec) ‖ LP(ek) ‖ LP(ct))
/// PRK = HKDF-Extract(salt, kem_ss(32) ‖ x_ss(32) ‖ ctx(32))
/// out = HKDF-Expand(PRK, "pvtcoms v1 mix" ‖ step, 64)
/// ```
///
/// The output is as strong as the stronger of the two exchanges, and it is bound to the
/// transcript, both X25519 keys, the encapsulation key and the ciphertext, whatever the KEM binds.
pub struct Step<'a> {
    /// The chaining key or root key that came before.
    pub salt: &'a [u8; 32],
    /// The transcript hash, or the session id.
    pub transcript: &'a [u8; 32],
    /// Which step of the protocol this is.
    pub step: u8,
    /// The encapsulated secret.
    pub kem_ss: &'a kem::Shared,
    /// The Diffie-Hellman secret.
    pub x_ss: &'a dh::Shared,
    /// X25519 key of the side that encapsulated.
    pub x_enc: &'a dh::Public,
    /// X25519 key of the side that decapsulates.
    pub x_dec: &'a dh::Public,
    /// The key that was encapsulated to.
    pub ek: &'a kem::EncapsulationKey,
    /// The ciphertext.
    pub ct: &'a kem::Ciphertext,
}

impl Step<'_> {
    /// Derives 64 bytes: the next chaining or root key, and the key of this step.
    #[must_use]
    pub fn mix(&self) -> Pair {
        let (ek, ct) = (self.ek.as_bytes(), self.ct.as_bytes());
        let step = [self.step];
        let ctx = hash(&[
            labels::COMBINER,
            &step,
            &lp(self.transcript),
            self.transcript,
            &lp(&self.x_enc.0),
            &self.x_enc.0,
            &lp(&self.x_dec.0),
            &self.x_dec.0,
            &lp(ek),
            ek,
            &lp(ct),
            ct,
        ]);
        let prk =
            extract(self.salt, &[self.kem_ss.expose_secret(), self.x_ss.expose_secret(), &ctx]);
        Pair::expand(&prk, &[labels::MIX, &step])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    /// CR-1, HS-2: whichever input changes, the output changes.
    #[test]
    fn hs_2_combiner_absorbs_every_field() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
        let (_, ek_a) = kem::generate(&mut rng);
        let (_, ek_b) = kem::generate(&mut rng);
        let (ct_a, _) = ek_a.encapsulate(&mut rng);
        let (ct_b, _) = ek_a.encapsulate(&mut rng);
        let run = |i: usize| {
            let at = |k: usize| u8::from(i == k);
            let out = Step {
                salt: &[at(1); 32],
                transcript: &[at(2); 32],
                step: at(3),
                kem_ss: &kem::Shared::copy_of(&[at(4); 32]),
                x_ss: &dh::Shared::copy_of(&[at(5); 32]),
                x_enc: &dh::Public([at(6); 32]),
                x_dec: &dh::Public([at(7); 32]),
                ek: if i == 8 { &ek_b } else { &ek_a },
                ct: if i == 9 { &ct_b } else { &ct_a },
            }
            .mix();
            (*out.first(), *out.second())
        };
        let base = run(0);
        assert_eq!(base, run(0));
        assert_ne!(base.0, base.1);
        for i in 1..=9 {
            let other = run(i);
            assert!(base.0 != other.0 && base.1 != other.1, "field {i} is not absorbed");
        }
    }
}
