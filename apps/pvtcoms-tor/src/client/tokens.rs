//! The isolation tokens that were seen (TOR-6).

use std::collections::HashSet;

use crate::cli::Fault;

/// More operations than a year has; a core that asks for more is broken, and the gate starts anew.
const MOST: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Tokens(HashSet<[u8; 16]>);

impl Tokens {
    /// Notes `token`, and says whether it is new since the program's start.
    pub(super) fn is_fresh(&mut self, token: [u8; 16]) -> Result<bool, Fault> {
        if self.0.len() >= MOST {
            return Err(Fault::Internal("too many tokens"));
        }
        Ok(self.0.insert(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tor_6_a_token_is_fresh_once(list in proptest::collection::vec(0..20_u8, 0..60)) {
            let mut tokens = Tokens::default();
            let mut seen = std::collections::BTreeSet::new();
            for byte in list {
                prop_assert_eq!(tokens.is_fresh([byte; 16]).unwrap(), seen.insert(byte));
            }
        }
    }
}
