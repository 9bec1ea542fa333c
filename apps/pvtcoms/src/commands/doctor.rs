//! `doctor`: looks at everything that must be right, each with a next step (PRD-12).

use crate::fault::{Fault, Outcome};
use crate::output::{plain, print};
use crate::paths::complaint;
use crate::reach::Face;
use crate::show;
use crate::supervisor::{PidFile, locate};
use daemon::types::error::ErrorKind;
use daemon::types::method::Call;
use daemon::types::view::{ProfileState, Status};
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Ok,
    Warn,
    Fail,
}

/// One line.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    grade: Grade,
    found: String,
    /// What to do; empty when all is well.
    next: String,
    /// What a failure of this means for the exit code.
    #[serde(skip)]
    kind: ErrorKind,
}

impl Check {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        let (found, next) = (found.into(), String::new());
        Self { check, grade: Grade::Ok, found, next, kind: ErrorKind::Internal }
    }

    fn warn(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        let (found, next) = (found.into(), next.into());
        Self { check, grade: Grade::Warn, found, next, kind: ErrorKind::Internal }
    }

    fn fail(
        check: &'static str,
        kind: ErrorKind,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let (found, next) = (found.into(), next.into());
        Self { check, grade: Grade::Fail, found, next, kind }
    }
}

/// Checks everything; starts nothing.
///
/// # Errors
/// The kind of the first check that failed.
pub(crate) fn run(face: &Face<'_>, report: bool) -> Outcome {
    let mut checks = vec![build()];
    checks.extend(["pvtcomsd", "pvtcoms-tor"].map(program));
    checks.extend(folders(face, report));
    checks.extend(service(face));
    if report {
        print(&system())?;
    }
    for check in &checks {
        face.out.item(check, || line(face, check))?;
    }
    let Some(worst) = checks.iter().find(|check| check.grade == Grade::Fail) else {
        return Ok(());
    };
    Err(Fault::new(worst.kind, format!("{}: {}", worst.check, worst.found), &*worst.next))
}

fn line(face: &Face<'_>, check: &Check) -> String {
    let grade = match check.grade {
        Grade::Ok => "ok   ".to_owned(),
        Grade::Warn => "warn ".to_owned(),
        Grade::Fail => face.out.alarm("fail "),
    };
    let next = if check.next.is_empty() {
        String::new()
    } else {
        format!("\n       Next: {}", check.next)
    };
    format!("{grade}{}: {}{next}", check.check, plain(&check.found))
}

fn build() -> Check {
    Check::ok("build", format!("pvtcoms {}", env!("CARGO_PKG_VERSION")))
}

/// For the report: the system, without the name of the machine.
fn system() -> String {
    let name = rustix::system::uname();
    format!(
        "{} {} {}",
        name.sysname().to_string_lossy(),
        name.release().to_string_lossy(),
        name.machine().to_string_lossy()
    )
}

fn program(name: &'static str) -> Check {
    match locate(name) {
        Ok(_) => Check::ok(name, "found"),
        Err(fault) => {
            let failure = fault.failure();
            Check::fail(name, failure.kind, failure.message, failure.hint)
        }
    }
}

/// PRD-16: 0700 and ours. The report names no path: it may hold the user's name.
fn folders(face: &Face<'_>, report: bool) -> Vec<Check> {
    let names = ["data folder", "state folder", "cache folder", "run folder"];
    let look = |(check, path): (&'static str, &std::path::Path)| {
        let shown = if report { "it".to_owned() } else { path.display().to_string() };
        match std::fs::symlink_metadata(path) {
            Err(_) => Check::ok(check, "not made yet"),
            Ok(facts) => match complaint(&facts) {
                None => Check::ok(check, "closed to others"),
                Some((what, next)) => Check::fail(
                    check,
                    ErrorKind::Storage,
                    format!("{shown} {what}"),
                    next.replace("FOLDER", &shown),
                ),
            },
        }
    };
    let mut checks: Vec<Check> = names.into_iter().zip(face.paths.folders()).map(look).collect();
    if let Err(fault) = face.paths.check_socket() {
        let failure = fault.failure();
        checks.push(Check::fail("socket", failure.kind, failure.message, failure.hint));
    }
    checks
}

fn service(face: &Face<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Ok(fault) = std::fs::read_to_string(face.paths.fault()) {
        let next = "Put that right, then `pvtcoms stop`, then `pvtcoms status`.";
        checks.push(Check::fail("supervisor", ErrorKind::Unreachable, fault.trim(), next));
    }
    let asked = face.find(false).and_then(|found| match found {
        Some((mut client, welcome)) => Ok(Some((client.call(Call::Status {})?, welcome))),
        None => Ok(None),
    });
    match asked {
        Ok(Some((status, welcome))) => {
            checks.push(match welcome.build == env!("CARGO_PKG_VERSION") {
                true => Check::ok("service", "answers"),
                false => Check::warn(
                    "service",
                    format!("answers, as version {}", welcome.build),
                    "Restart it: `pvtcoms stop`, then `pvtcoms status`.",
                ),
            });
            checks.extend(core(&status));
        }
        Ok(None) if matches!(PidFile::holder(&face.paths), Ok(Some(_))) => {
            let next = "Wait a moment; if it stays so, `pvtcoms stop`.";
            checks.push(Check::warn("service", "is starting or ending", next));
        }
        Ok(None) => {
            let next = "Any verb starts it; `pvtcoms daemon` runs it in the foreground.";
            checks.push(Check::warn("service", "does not run", next));
        }
        Err(fault) => {
            let failure = fault.failure();
            checks.push(Check::fail("service", failure.kind, failure.message, failure.hint));
        }
    }
    checks
}

/// What the core and the gate say. Warnings of the core hold no name; mailboxes are numbered.
fn core(status: &Status) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match status.profile {
        ProfileState::Unlocked => Check::ok("profile", "open"),
        ProfileState::Locked => Check::warn("profile", "locked", "pvtcoms unlock"),
        ProfileState::Absent => Check::warn("profile", "not made yet", "pvtcoms init"),
    });
    let tor = &status.tor;
    checks.push(match (&tor.blockage, tor.ready) {
        (Some(blockage), _) => Check::fail(
            "Tor",
            ErrorKind::Unreachable,
            blockage.clone(),
            "Check the clock and the connection; where Tor is blocked, use --bridge or --socks.",
        ),
        (None, true) => Check::ok("Tor", format!("ready, vanguards {}", tor.vanguards)),
        (None, false) => Check::warn(
            "Tor",
            format!("{} % {}", tor.percent, tor.stage),
            "Wait: `pvtcoms status --follow` shows how far it is.",
        ),
    });
    if tor.private_network {
        let next = "For real use make another profile: `pvtcoms --profile NAME init`.";
        checks.push(Check::warn("network", show::PRIVATE, next));
    }
    for (mailbox, number) in status.mailboxes.iter().zip(1_u32..) {
        let found = match (mailbox.alarm, mailbox.answered_ago, mailbox.failures) {
            (true, _, _) => "ALARM: it answered what no honest mailbox answers".to_owned(),
            _ if mailbox.skew_s.is_some() => "disagrees about the time".to_owned(),
            (_, Some(ago), 0) => format!("answered {} ago", show::span(ago)),
            (_, _, failures) => {
                let reason = mailbox.reason.as_deref().unwrap_or("no answer yet");
                format!("{failures} failures: {reason}")
            }
        };
        let found = format!("mailbox {number} {found}");
        checks.push(if mailbox.left_until.is_some() {
            let next = "Nothing to do: contacts are told to use the other one.";
            Check::warn("mailbox", format!("{found}; it was left"), next)
        } else if mailbox.alarm {
            let next = "Add another with `pvtcoms mailbox add`, then remove this one.";
            Check::fail("mailbox", ErrorKind::Unreachable, found, next)
        } else if let Some(skew) = mailbox.skew_s {
            let next = format!("Set this computer's clock: {}.", show::skew(skew));
            Check::fail("mailbox", ErrorKind::Unreachable, found, next)
        } else if mailbox.failures > 0 {
            Check::warn("mailbox", found, "See `pvtcoms mailbox list`; a second one helps.")
        } else {
            Check::ok("mailbox", found)
        });
    }
    if status.profile == ProfileState::Unlocked && status.mailboxes.is_empty() {
        checks.push(Check::warn("mailbox", "there is none", "pvtcoms mailbox add ADDRESS.onion"));
    }
    checks.extend(status.warnings.iter().map(|warning| {
        Check::warn("protection", warning.clone(), "Permanent here: see the threat model.")
    }));
    checks
}
