//! `status`, `mode` and `retention`.

use crate::args::{ModeName, PaceName};
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::method::{Call, Done};
use daemon::types::view::{ProfileState, Status};
use serde::Serialize;
use std::time::Duration;

/// Pause between two looks at the status.
const LOOK: Duration = Duration::from_secs(1);

/// Prints the status once, or again at every change.
pub(crate) fn run(face: &Face<'_>, follow: bool) -> Outcome {
    let mut client = reach(face)?;
    let mut shown = ask(face, &mut client)?;
    print(face, &shown)?;
    if !follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(LOOK);
        match ask(face, &mut client) {
            Ok(next) => {
                if compared(&next) != compared(&shown) {
                    print(face, &next)?;
                    shown = next;
                }
            }
            Err(Fault::Gone) => client = super::waiting::again(face, false)?.0,
            Err(fault) => return Err(fault),
        }
    }
}

/// A profile that was never made has no status, and nothing is started for it.
fn reach(face: &Face<'_>) -> Outcome<Client> {
    match face.find(false)? {
        Some((client, _)) => Ok(client),
        None if !face.paths.has_profile() => Err(face.absent()),
        None => Ok(face.reach(false)?.0),
    }
}

fn ask(face: &Face<'_>, client: &mut Client) -> Outcome<Status> {
    let mut status: Status = client.call(Call::Status {})?;
    // What the supervisor has given up belongs to the conditions that weaken a promise (PRD-12).
    if let Ok(fault) = std::fs::read_to_string(face.paths.fault()) {
        status.warnings.push(fault.trim().to_owned());
    }
    Ok(status)
}

fn print(face: &Face<'_>, status: &Status) -> Outcome {
    face.out.item(status, || show::status(status, face.out))?;
    match status.profile {
        ProfileState::Absent => face.out.note("There is no profile yet. Next: pvtcoms init"),
        ProfileState::Locked => {
            face.out.note("LOCKED: messages wait at the mailbox (14 days). Next: pvtcoms unlock");
        }
        ProfileState::Unlocked => {}
    }
    Ok(())
}

/// A status without what changes with every second.
fn compared(status: &Status) -> Status {
    let mut status = status.clone();
    status.line = status.line.chars().filter(|c| !c.is_ascii_digit()).collect();
    for mailbox in &mut status.mailboxes {
        mailbox.answered_ago = mailbox.answered_ago.map(|_| 0);
    }
    status
}

/// The schedule, as `mode` prints it.
#[derive(Serialize)]
struct Schedule {
    mode: daemon::types::view::Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pace: Option<daemon::types::view::Pace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_pace: Option<daemon::types::view::NextPace>,
}

/// How long messages stay on this device, as `retention` prints it.
#[derive(Serialize)]
struct Retention {
    /// 0 is for ever.
    days: u16,
}

/// Shows or sets how long messages stay on this device.
pub(crate) fn retention(face: &Face<'_>, days: Option<u16>) -> Outcome {
    let mut client = face.open(true)?;
    let days = match days {
        Some(days) => {
            let _: Done = client.call(Call::Retention { days })?;
            days
        }
        None => {
            let status: Status = client.call(Call::Status {})?;
            status.retention.ok_or_else(|| face.absent())?
        }
    };
    face.out.item(&Retention { days }, || match days {
        0 => "messages stay on this device until they are removed".to_owned(),
        1 => "messages stay on this device for a day".to_owned(),
        days => format!("messages stay on this device for {days} days"),
    })
}

/// Shows or sets the schedule.
pub(crate) fn mode(face: &Face<'_>, name: Option<ModeName>, pace: Option<PaceName>) -> Outcome {
    let mut client = face.open(true)?;
    if let Some(name) = name {
        let _: Done = client.call(Call::ModeSet { mode: name.into() })?;
    }
    if let Some(pace) = pace {
        let _: Done = client.call(Call::PaceSet { pace: pace.into() })?;
    }
    if let (Some(name), None) = (name, pace) {
        let schedule = Schedule { mode: name.into(), pace: None, next_pace: None };
        return face.out.item(&schedule, || show::mode(name.into()).to_owned());
    }
    let status: Status = client.call(Call::Status {})?;
    let mode = status.mode.ok_or_else(|| face.absent())?;
    let (pace, next_pace) = (status.pace, status.next_pace);
    face.out.item(&Schedule { mode, pace, next_pace }, || {
        let mut lines = vec![show::mode(mode).to_owned()];
        lines.extend(pace.map(show::pace));
        lines.extend(next_pace.map(show::next_pace));
        lines.extend(status.usual_delay.as_deref().map(plain));
        lines.join("\n")
    })
}
