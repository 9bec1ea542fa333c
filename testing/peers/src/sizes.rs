use crate::{Session, TODAY};
use anyhow::Result;

/// Bytes of a session's state at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The larger of the two sides, after set-up.
    pub after_setup: usize,
    /// The largest that a peer can make it: as many skipped keys in as many chains as are kept.
    pub worst: usize,
}

/// Measures the state after set-up and the worst that losses can make of it.
///
/// # Errors
/// None that a run without faults can meet.
pub fn sizes() -> Result<Sizes> {
    let mut session = Session::new(5)?;
    let size = |s: &Session| s.a.to_secret_bytes().len().max(s.b.to_secret_bytes().len());
    let after_setup = size(&session);
    let mut worst = after_setup;
    // Losses in every chain that is remembered, more of them than are remembered in all.
    for _ in 0..=ratchet::MAX_OLD_CHAINS {
        let late = session.after_lost(ratchet::MAX_SKIP)?;
        session.b.decrypt(TODAY, &late)?;
        worst = worst.max(size(&session));
        let answer = session.b.encrypt(&mut session.rng, &crate::TEXT)?;
        worst = worst.max(size(&session));
        session.a.decrypt(TODAY, &answer)?;
    }
    // Few in each of the old ones, the rest in the newest: every chain's own bytes count as well.
    let mut session = Session::new(6)?;
    for _ in 0..ratchet::MAX_OLD_CHAINS {
        let late = session.after_lost(1)?;
        session.b.decrypt(TODAY, &late)?;
        let answer = session.b.encrypt(&mut session.rng, &crate::TEXT)?;
        session.a.decrypt(TODAY, &answer)?;
    }
    for _ in 0..3 {
        let late = session.after_lost(ratchet::MAX_SKIP)?;
        session.b.decrypt(TODAY, &late)?;
        let keys = session.b.to_secret_bytes().len();
        worst = worst.max(keys);
    }
    session.b.encrypt(&mut session.rng, &crate::TEXT)?;
    Ok(Sizes { after_setup, worst: worst.max(size(&session)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rat_6_state_is_3_kb_after_setup_and_45_kb_at_worst() {
        let Sizes { after_setup, worst } = sizes().unwrap();
        assert!(after_setup <= 3_000, "{after_setup} bytes after set-up");
        assert!(worst <= 45_000, "{worst} bytes at worst");
        // Otherwise the worst has not been reached.
        assert!(worst >= ratchet::MAX_STORED * 40, "{worst}");
    }
}
