use crate::{Fingerprint, words};
use crypto::{hash, labels};

/// Length of a short authentication string in bytes: 48 bits.
pub const SAS_LEN: usize = 6;

/// Hash iterations of the long check (SAS-5).
const LONG_CHECK_ROUNDS: u32 = 65_536;

/// The short authentication string of one pairing: 48 bits that two people compare (SAS-3).
///
/// Not printable by accident: whoever shows it asks for [`words`](Self::words) or
/// [`digits`](Self::digits).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sas([u8; SAS_LEN]);

impl Sas {
    /// Takes the six bytes that a handshake derived, or that were stored.
    #[must_use]
    pub const fn from_code(code: [u8; SAS_LEN]) -> Self {
        Self(code)
    }

    /// The six bytes.
    #[must_use]
    pub const fn code(&self) -> [u8; SAS_LEN] {
        self.0
    }

    /// Six words, lower case: two syllables at positions 0, 2, 4, three at 1, 3, 5.
    #[must_use]
    pub fn words(&self) -> [&'static str; SAS_LEN] {
        spell(self.0)
    }

    /// The same 48 bits as a decimal number of 15 digits, `"012 345 678 901 234"`.
    #[must_use]
    pub fn digits(&self) -> String {
        let [a, b, c, d, e, f] = self.0;
        let decimal = format!("{:015}", u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
        let mut out = String::with_capacity(19);
        for (i, digit) in decimal.chars().enumerate() {
            if i > 0 && i.is_multiple_of(3) {
                out.push(' ');
            }
            out.push(digit);
        }
        out
    }
}

/// Whether `typed` is the word for `code_byte` at `position` of a code. Letter case and
/// surrounding spaces do not matter; a word of the other list never matches (SAS-3).
#[must_use]
pub fn word_matches(code_byte: u8, position: usize, typed: &str) -> bool {
    words::byte(typed, position) == Some(code_byte)
}

/// Twelve words over two fingerprints, the same for both people, for a check at any later time.
///
/// `d = H("pvtcoms v1 long check" ‖ lower ‖ higher)`, then 65 536 times
/// `d = H("pvtcoms v1 long check" ‖ d ‖ lower ‖ higher)`; the words are `d[..12]` (SAS-5).
#[must_use]
pub fn long_check(a: &Fingerprint, b: &Fingerprint) -> [&'static str; 12] {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let mut digest = hash(&[labels::LONG_CHECK, &low.0, &high.0]);
    // SAS-5: a man in the middle wants two keys of his own whose words collide, and 96 bits leave
    // him 2^48 tries; each is made as slow as a person can bear.
    for _ in 0..LONG_CHECK_ROUNDS {
        digest = hash(&[labels::LONG_CHECK, &digest, &low.0, &high.0]);
    }
    let [code @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest;
    spell(code)
}

fn spell<const N: usize>(code: [u8; N]) -> [&'static str; N] {
    let mut position = 0_usize;
    code.map(|byte| {
        let word = words::word(byte, position);
        position = position.wrapping_add(1);
        word
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sas_3_words_and_digits_show_the_same_48_bits() {
        let sas = Sas::from_code([0xE5, 0x82, 0x94, 0xF2, 0xE9, 0xA2]);
        assert_eq!(
            sas.words(),
            ["topmost", "istanbul", "pluto", "vagabond", "treadmill", "pacific"]
        );
        assert_eq!(sas.digits().replace(' ', ""), 0xE582_94F2_E9A2_u64.to_string());
        assert_eq!(Sas::from_code([0; 6]).digits(), "000 000 000 000 000");
        assert_eq!(Sas::from_code([0xff; 6]).digits(), "281 474 976 710 655");
        assert_eq!(Sas::from_code([0, 0, 0, 0, 3, 0xe8]).digits(), "000 000 000 001 000");
        assert_eq!(sas.code(), [0xE5, 0x82, 0x94, 0xF2, 0xE9, 0xA2]);
    }

    #[test]
    fn sas_3_typed_words_tolerate_case_and_spaces_and_nothing_else() {
        assert!(word_matches(0xE5, 0, "topmost"));
        assert!(word_matches(0xE5, 4, "  TopMost\t"));
        assert!(word_matches(0x82, 1, "Istanbul"));
        for typed in ["", " ", "istanbul", "topmos", "topmostt", "top most", "travesty", "229"] {
            assert!(!word_matches(0xE5, 0, typed), "{typed:?}");
        }
        assert!(!word_matches(0xE5, 1, "topmost"), "the even list does not serve odd positions");
    }

    #[test]
    fn sas_5_long_check_is_symmetric_and_covers_both_fingerprints() {
        let (a, b, c) = (Fingerprint([1; 32]), Fingerprint([2; 32]), Fingerprint([3; 32]));
        assert_eq!(long_check(&a, &b), long_check(&b, &a));
        assert_ne!(long_check(&a, &b), long_check(&a, &c));
        assert_ne!(long_check(&a, &b), long_check(&c, &b));
        let words = long_check(&a, &b);
        assert!(words.iter().enumerate().all(|(i, w)| crate::words::byte(w, i).is_some()));
    }
}
