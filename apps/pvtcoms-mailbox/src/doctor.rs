//! What an operator wants to know when something seems wrong (`pvtcoms-mailbox doctor`).
//!
//! It only reads: directories, `/proc`, the status file, and one digest over the socket, as any
//! client would. The store is not opened, since its lock belongs to the server.

mod answer;
mod files;
mod known;
mod process;

use crate::clock::{self, Seconds};
use known::Known;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to look at.
pub struct Where {
    /// The board's directory.
    pub data: PathBuf,
    /// Directory of the day keys; where the server last had it, if not given.
    pub keys: Option<PathBuf>,
    /// The socket; where the server last listened, if not given.
    pub listen: Option<PathBuf>,
    /// A file with the onion service's address, to be compared.
    pub onion_file: Option<PathBuf>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, but not for long or not as well as it could.
    Warn,
    /// People notice, or will at the next start.
    Fail,
}

impl State {
    /// The word that stands at the start of the line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
pub struct Check {
    /// How bad it is.
    pub state: State,
    /// What was looked at.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it; empty if nothing.
    pub next: &'static str,
}

impl Check {
    fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Ok, what, found: found.into(), next: "" }
    }

    fn warn(what: &'static str, found: impl Into<String>, next: &'static str) -> Self {
        Self { state: State::Warn, what, found: found.into(), next }
    }

    fn fail(what: &'static str, found: impl Into<String>, next: &'static str) -> Self {
        Self { state: State::Fail, what, found: found.into(), next }
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { state, what, found, next } = self;
        json!({ "state": state.name(), "what": what, "found": found, "next": next })
    }

    /// For people, on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { state, what, found, next } = self;
        let arrow = if next.is_empty() { "" } else { " -> " };
        format!("{:<5} {what:<15} {found}{arrow}{next}", state.name())
    }
}

/// Looks at everything, writes nothing, and needs no more rights than reading.
#[must_use]
pub fn examine(place: &Where) -> Vec<Check> {
    let now = clock::now();
    let known = Known::read(&place.data);
    let mut checks = files::directories(place, &known);
    checks.push(process::server(&known, now));
    checks.extend(process::lock(&place.data, &known));
    checks.extend(files::onion(place, &known));
    checks.extend(files::day_keys(place, &known, now));
    checks.push(files::disk(place, &known));
    checks.push(clock_check(&known, now));
    checks.extend(known.effort());
    if known.running() {
        checks.extend(answer::socket(place, &known, now));
        checks.extend(process::limits(&known));
    }
    checks
}

/// Clients refuse pages that are off by ten minutes, and pages never go back in time (BRD-37, 13).
fn clock_check(known: &Known, now: Seconds) -> Check {
    /// 2026-01-01: no board is older.
    const FIRST: Seconds = 1_767_225_600;
    const WHAT: &str = "clock";
    let newest = known.number("/last_page_at").max(known.number("/at")).unwrap_or(0);
    if now < FIRST {
        Check::fail(WHAT, "it is before 2026", "set the clock and keep it right (NTP)")
    } else if newest > now {
        let found =
            format!("the newest page is {} in the future", span(newest.saturating_sub(now)));
        Check::fail(
            WHAT,
            found,
            "the clock was set back: mend it; pages keep the later time until it has passed",
        )
    } else {
        Check::ok(
            WHAT,
            format!("later than everything written here, by {}", span(now.saturating_sub(newest))),
        )
    }
}

/// A time for people.
fn span(seconds: Seconds) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds.div_euclid(60)),
        7_200..=172_799 => format!("{} h", seconds.div_euclid(3_600)),
        _ => format!("{} days", seconds.div_euclid(86_400)),
    }
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999_999_999 => format!("{} MB", bytes.div_euclid(1_000_000)),
        _ => format!("{} GB", bytes.div_euclid(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctor_finds_a_clock_before_2026() {
        let nothing = Known::read(&PathBuf::from("/nonexistent"));
        let state = |now| clock_check(&nothing, now).state;
        assert_eq!((state(1_767_225_599), state(1_767_225_600)), (State::Fail, State::Ok));
    }
}
