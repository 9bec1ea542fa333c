//! What a run ends with, and what is wanted of it.

use std::fmt;
use std::time::Duration;

/// The rates are ours divided by the peer's in the same run.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Durable deposits, beside the storage engine's own group commit.
    pub put: f64,
    /// Chunks of the pages of five minutes, beside a plain server that answers from memory.
    pub fetch: f64,
    /// Digests of these pages, beside the same.
    pub digest: f64,
    /// Memory of the server for each open and idle STREAM, in bytes.
    pub idle_bytes: u64,
    /// What the schedule of a client in `steady` needs of a core, in per cent of the day.
    pub schedule: f64,
}

const PUT: f64 = 0.9;
const READ: f64 = 0.8;
const IDLE_BYTES: u64 = 1024;
const SCHEDULE: f64 = 1.0;

impl Figures {
    /// One sentence for each bound that is broken.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, ratio, least) in
            [("PUT", self.put, PUT), ("FETCH", self.fetch, READ), ("DIGEST", self.digest, READ)]
        {
            if !reaches(ratio, least) {
                faults.push(format!("{name} is {ratio:.3} of its peer, wanted is {least}"));
            }
        }
        if self.idle_bytes > IDLE_BYTES {
            let bytes = self.idle_bytes;
            faults.push(format!("an idle connection takes {bytes} bytes, wanted is {IDLE_BYTES}"));
        }
        if !reaches(SCHEDULE, self.schedule) {
            let percent = self.schedule;
            faults.push(format!("the schedule takes {percent:.3} % of a core, wanted is 1 %"));
        }
        faults
    }
}

/// What is no number reaches nothing.
fn reaches(figure: f64, least: f64) -> bool {
    figure >= least
}

impl fmt::Display for Figures {
    /// Ratios are cut, not rounded: one that reads 0.80 is at least that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [put, fetch, digest] =
            [self.put, self.fetch, self.digest].map(|ratio| (ratio * 100.0).floor() / 100.0);
        let idle = self.idle_bytes;
        write!(f, "mailbox: put={put:.2} fetch={fetch:.2} digest={digest:.2} idle_bytes={idle}")
    }
}

/// What a board of two weeks takes.
#[derive(Debug, Clone, Copy)]
pub struct Large {
    /// Envelopes that lie on it.
    pub envelopes: u64,
    /// Resident memory after chunks of every age were read, in bytes.
    pub resident: u64,
    /// From the start of the program to the socket that listens.
    pub restart: Duration,
    /// The expiry of a short day beside all the others, and of the same day alone.
    pub beside: Duration,
    /// See there.
    pub alone: Duration,
}

/// The bounds are for so many envelopes; with fewer of them, figures are taken in proportion.
const ENVELOPES: f64 = 1e7;
const RESIDENT_MB: f64 = 500.0;
const RESTART_S: f64 = 10.0;
/// Times that expiry may take because of what stays; and what is too short to be compared.
const EXPIRY: f64 = 2.0;
const SHORT: Duration = Duration::from_millis(50);

impl Large {
    fn in_proportion(&self, figure: f64) -> f64 {
        // A count of envelopes is far below 2^52.
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "below 2^52")]
        let here = self.envelopes as f64;
        figure * (ENVELOPES / here).max(1.0)
    }

    fn resident_mb(&self) -> f64 {
        f64::from(u32::try_from(self.resident >> 20).unwrap_or(u32::MAX))
    }

    /// One sentence for each bound that is broken.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let resident = self.in_proportion(self.resident_mb());
        if !reaches(RESIDENT_MB, resident) {
            faults.push(format!("memory is {resident:.0} MB for 10^7 envelopes, wanted is 500"));
        }
        let restart = self.in_proportion(self.restart.as_secs_f64());
        if !reaches(RESTART_S, restart) {
            faults.push(format!("a restart takes {restart:.1} s for 10^7 envelopes, wanted is 10"));
        }
        if self.beside > self.alone.max(SHORT).mul_f64(EXPIRY) {
            let (beside, alone) = (self.beside, self.alone);
            faults.push(format!("expiry takes {beside:?} beside other days, {alone:?} alone"));
        }
        faults
    }
}

impl fmt::Display for Large {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mb, restart) = (self.resident_mb(), self.restart.as_secs_f64());
        let (at_mb, at_restart) = (self.in_proportion(mb), self.in_proportion(restart));
        write!(
            f,
            "large: envelopes={} resident_mb={mb:.0} restart_s={restart:.1} expiry_ms={} at_10^7: {at_mb:.0} MB {at_restart:.1} s",
            self.envelopes,
            self.beside.as_millis()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Figures =
        Figures { put: 0.9, fetch: 0.8, digest: 0.8, idle_bytes: 1024, schedule: 0.99 };

    #[test]
    fn what_meets_every_bound_has_no_fault() {
        assert!(GOOD.faults().is_empty(), "{:?}", GOOD.faults());
    }

    #[test]
    fn each_doctored_figure_is_named() {
        let doctored = [
            ("PUT", Figures { put: 0.89, ..GOOD }),
            ("FETCH", Figures { fetch: 0.79, ..GOOD }),
            ("DIGEST", Figures { digest: f64::NAN, ..GOOD }),
            ("idle", Figures { idle_bytes: 1025, ..GOOD }),
            ("schedule", Figures { schedule: 1.01, ..GOOD }),
            ("schedule", Figures { schedule: f64::NAN, ..GOOD }),
        ];
        for (name, figures) in doctored {
            let faults = figures.faults();
            assert!(matches!(faults.as_slice(), [one] if one.contains(name)), "{name}: {faults:?}");
        }
    }

    #[test]
    fn the_last_line_cuts_and_does_not_round() {
        let figures = Figures { put: 1.0, fetch: 0.799, digest: 0.856, ..GOOD };
        let line = "mailbox: put=1.00 fetch=0.79 digest=0.85 idle_bytes=1024";
        assert_eq!(figures.to_string(), line);
    }

    const BOARD: Large = Large {
        envelopes: 10_000_000,
        resident: 500 << 20,
        restart: Duration::from_secs(10),
        beside: Duration::from_millis(100),
        alone: Duration::from_millis(1),
    };

    #[test]
    fn each_doctored_figure_of_a_large_board_is_named() {
        assert!(BOARD.faults().is_empty(), "{:?}", BOARD.faults());
        let doctored = [
            ("memory", Large { resident: 501 << 20, ..BOARD }),
            ("restart", Large { restart: Duration::from_millis(10_001), ..BOARD }),
            ("expiry", Large { beside: Duration::from_millis(101), ..BOARD }),
        ];
        for (name, large) in doctored {
            let faults = large.faults();
            assert!(matches!(faults.as_slice(), [one] if one.contains(name)), "{name}: {faults:?}");
        }
    }

    #[test]
    fn a_board_of_half_the_size_is_taken_in_proportion() {
        let half = Large { envelopes: 5_000_000, ..BOARD };
        assert_eq!(half.faults().len(), 2, "memory and restart: {:?}", half.faults());
        // A larger one is not made smaller.
        assert!(Large { envelopes: 20_000_000, ..BOARD }.faults().is_empty());
    }
}
