//! The two alternating lists of 256 words (the PGP word list): two syllables at even positions,
//! three at odd ones, so that a skipped or doubled word is heard.

/// Every byte twice: the list's crate lends words for as long as it is lent bytes, and in a pair
/// the first byte reads from the even list and the second from the odd one.
#[expect(clippy::indexing_slicing, clippy::as_conversions, reason = "evaluated by the compiler")]
static PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut i = 0;
    while i < pairs.len() {
        pairs[i] = [i as u8; 2];
        i += 1;
    }
    pairs
};

/// The word for `byte` at `position`, in lower case.
pub(crate) fn word(byte: u8, position: usize) -> &'static str {
    #[expect(clippy::indexing_slicing, reason = "a u8 never exceeds 255")]
    let pair = &PAIRS[usize::from(byte)];
    let odd = position % 2;
    pgp_words::to_words(pair).into_iter().nth(odd).unwrap_or_default()
}

/// The byte that a typed word stands for at `position`; letter case and surrounding spaces do
/// not matter.
pub(crate) fn byte(typed: &str, position: usize) -> Option<u8> {
    let typed = typed.trim();
    (0..=u8::MAX).find(|byte| word(*byte, position).eq_ignore_ascii_case(typed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sas_3_lists_are_complete_distinct_and_read_back() {
        let mut seen = BTreeSet::new();
        for b in 0..=255 {
            for position in 0..2 {
                let w = word(b, position);
                assert!(w.len() > 3 && w.bytes().all(|c| c.is_ascii_lowercase()), "{w}");
                assert!(seen.insert(w), "{w} stands twice");
                assert_eq!(byte(w, position), Some(b));
                assert_eq!(byte(w, position + 1), None, "{w} is of one list only");
            }
        }
        assert_eq!(seen.len(), 512);
    }

    /// The example that is published with the list; a change of the list changes the digest.
    #[test]
    fn sas_3_list_is_the_published_one() {
        let bytes = [0xE5, 0x82, 0x94, 0xF2, 0xE9, 0xA2, 0x27, 0x48, 0x6E, 0x8B];
        let words: Vec<_> = bytes.iter().enumerate().map(|(i, b)| word(*b, i)).collect();
        assert_eq!(
            words.join(" "),
            "topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa"
        );
        let all: String = (0..=255).flat_map(|b| [word(b, 0), " ", word(b, 1), "\n"]).collect();
        let digest = crypto::hash(&[all.as_bytes()]);
        assert_eq!(digest[..4], [162, 77, 11, 203]);
    }
}
