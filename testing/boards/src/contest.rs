//! Two contenders for the same work, by turns.

use anyhow::Result;

/// Rates of both, one a round. What else the machine does hits both alike.
pub struct Contest {
    ours: Vec<f64>,
    peers: Vec<f64>,
}

impl Contest {
    /// Lets both run so many rounds; each gives its rate. Who begins changes every round.
    ///
    /// # Errors
    /// The first of a contender.
    pub fn run(
        rounds: u32,
        mut ours: impl FnMut() -> Result<f64>,
        mut peer: impl FnMut() -> Result<f64>,
    ) -> Result<Self> {
        let mut contest = Self { ours: Vec::new(), peers: Vec::new() };
        for round in 0..rounds {
            if round % 2 == 0 {
                contest.ours.push(ours()?);
                contest.peers.push(peer()?);
            } else {
                contest.peers.push(peer()?);
                contest.ours.push(ours()?);
            }
        }
        Ok(contest)
    }

    /// Our median rate divided by the peer's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        median(&self.ours) / median(&self.peers)
    }

    /// Says both medians and the ratio.
    pub fn tell(&self, name: &str, peer: &str) {
        let (ours, theirs, ratio) = (median(&self.ours), median(&self.peers), self.ratio());
        println!("  {name:<22} {ours:>8.0}/s   {peer} {theirs:>8.0}/s   ratio {ratio:.3}");
    }
}

/// The middle one; no number if there is none.
pub(crate) fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_medians_and_one_bad_round_changes_nothing() {
        let mut ours = [80.0, 3.0, 90.0].into_iter();
        let mut peers = [100.0, 1000.0, 90.0].into_iter();
        let contest =
            Contest::run(3, || Ok(ours.next().unwrap()), || Ok(peers.next().unwrap())).unwrap();
        assert!((contest.ratio() - 0.8).abs() < 1e-9);
    }

    #[test]
    fn who_begins_changes() {
        let order = std::cell::RefCell::new(String::new());
        let turn = |who| {
            order.borrow_mut().push(who);
            Ok(1.0)
        };
        Contest::run(3, || turn('a'), || turn('b')).unwrap();
        assert_eq!(order.into_inner(), "abbaab");
    }

    #[test]
    fn nothing_measured_is_no_number() {
        assert!(median(&[]).is_nan());
    }
}
