//! What a run ends with, and what is wanted of it.

use std::fmt;

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
}
