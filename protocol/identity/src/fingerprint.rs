use crypto::{hash, labels, sign};
use std::fmt;

/// Names an identity: `H("pvtcoms v1 identity" ‖ ED.pk(32) ‖ MD.pk(1952))`, 32 bytes (ID-CERT-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a pair of identity keys.
    #[must_use]
    pub fn of(ed: &[u8; sign::ED_PK_LEN], md: &[u8; sign::MD_PK_LEN]) -> Self {
        Self(hash(&[labels::FINGERPRINT, ed, md]))
    }
}

/// The first four bytes: enough to tell two apart in a test, too little to name a person in a log.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d, ..]) = self;
        write!(f, "Fingerprint({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_cert_1_fingerprint_covers_both_keys_and_debug_is_short() {
        let base = Fingerprint::of(&[1; 32], &[2; 1952]);
        assert_ne!(base, Fingerprint::of(&[3; 32], &[2; 1952]));
        assert_ne!(base, Fingerprint::of(&[1; 32], &[3; 1952]));
        assert_eq!(format!("{:?}", Fingerprint([0xab; 32])), "Fingerprint(abababab..)");
    }
}
