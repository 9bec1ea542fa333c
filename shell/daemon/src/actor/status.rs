//! The status: evidence, not a claim of being connected (PRD-1, PRD-12).

use super::commit::Running;
use super::contacts::names;
use super::conversation::UNCONFIRMED_S;
use super::mailboxes::mailbox_views;
use super::{Core, Open};
use crate::clock;
use crate::types::error::Failure;
use crate::types::view;
use crate::wording;
use engine::Trust;
use gate::{Blockage, GateStatus, Isolation, Stage, Vanguards};

/// Operations that failed in a row before a mailbox counts as silent (PRD-1, RPC-16).
const SILENT: u32 = 2;

impl Core {
    pub(super) fn status(&mut self) -> Result<view::Status, Failure> {
        let profile = self.profile_state();
        let gate = *self.gate.status().borrow();
        let private_network = self.setting.private_network || gate.private_network;
        let tor = tor_view(&gate, private_network);
        let mut status = view::Status {
            profile,
            line: String::new(),
            mode: None,
            pace: None,
            next_pace: None,
            usual_delay: None,
            tor,
            mailboxes: Vec::new(),
            queued: 0,
            stored: 0,
            unread: 0,
            unconfirmed: 0,
            blocked: Vec::new(),
            silenced: Vec::new(),
            retention: None,
            warnings: warnings(&gate, private_network),
        };
        let mut next_try = None;
        if let Some(open) = &mut self.open {
            next_try = fill(&mut status, open)?;
        }
        status.warnings.extend(self.unsaved.warning());
        if status.unconfirmed > 0 {
            status.warnings.push(wording::unconfirmed(status.unconfirmed));
        }
        status.line = line(&status, &gate, next_try);
        Ok(status)
    }
}

/// Adds what an open profile knows; gives the seconds until the next planned operation.
fn fill(status: &mut view::Status, open: &mut Open) -> Result<Option<u64>, Failure> {
    let now = clock::now();
    let Open { store, running, .. } = open;
    for count in store.counts().map_err(|error| wording::storage(&error))? {
        status.queued = status.queued.saturating_add(count.queued);
        status.stored = status.stored.saturating_add(count.stored);
        status.unread = status.unread.saturating_add(count.unread);
    }
    let engine = match running {
        Running::Engine { engine, .. } => engine,
        Running::Stopped { failure, .. } => {
            status.warnings.insert(0, format!("{} {}", failure.message, failure.hint));
            return Ok(None);
        }
    };
    if let Some(seen) = engine.elsewhere(now) {
        let ago = now.unix_s().saturating_sub(seen);
        status.warnings.insert(0, wording::elsewhere(ago));
    }
    let mode = mode_view(engine.mode());
    status.mode = Some(mode);
    status.retention = Some(engine.retention());
    let (pace, next) = engine.pace(now); // RPC-21
    let pace = pace_view(pace);
    status.pace = Some(pace);
    status.next_pace = next.map(|(pace, in_s)| view::NextPace { pace: pace_view(pace), in_s });
    let (delay, traffic) = (wording::usual_delay(mode, pace), wording::usual_traffic(mode, pace));
    status.usual_delay = Some(format!("{delay}; {traffic}"));
    status.mailboxes = mailbox_views(engine);
    let names = names(engine);
    for contact in engine.contacts() {
        if contact.trust == Trust::Changed {
            status.blocked.extend(names.get(&contact.id).cloned());
        }
        if contact.blocked {
            status.silenced.extend(names.get(&contact.id).cloned());
        }
    }
    let until = now.unix_s().saturating_sub(UNCONFIRMED_S);
    status.unconfirmed = store.waiting_since(until).map_err(|error| wording::storage(&error))?;
    Ok(engine.poll_timeout().map(|due| due.saturating_sub(now.mono_ms) / 1000))
}

fn tor_view(gate: &GateStatus, private_network: bool) -> view::Tor {
    let vanguards = match gate.vanguards {
        Some(Vanguards::Full) => "full",
        Some(Vanguards::Lite) => "lite (your Tor)",
        None => "",
    };
    view::Tor {
        stage: wording::stage(gate.stage).to_owned(),
        percent: u8::try_from(gate.fraction / 10).unwrap_or(100).min(100),
        blockage: wording::blockage(gate.blockage).map(str::to_owned),
        ready: matches!(gate.stage, Stage::Ready | Stage::Waiting),
        vanguards: vanguards.to_owned(),
        private_network,
    }
}

/// What weakens a promise, permanently shown (PRD-12, RPC-7).
fn warnings(gate: &GateStatus, private_network: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if private_network {
        warnings.push(wording::PRIVATE_NETWORK);
    }
    warnings.extend([wording::NO_SANDBOX, wording::NO_KEYSTORE, wording::LOCK_IS_VISIBLE]);
    if gate.vanguards == Some(Vanguards::Lite) {
        warnings.push(wording::VANGUARDS_LITE);
    }
    if gate.isolation == Isolation::Unconfirmed {
        warnings.push(wording::NOT_ISOLATED);
    }
    warnings.into_iter().map(str::to_owned).collect()
}

/// The status line of product.md 7, as every face shows it.
fn line(status: &view::Status, gate: &GateStatus, next_try: Option<u64>) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(status.blocked.iter().map(|name| format!("BLOCKED {name}: key changed")));
    match status.profile {
        view::ProfileState::Absent => parts.push(wording::NO_PROFILE_LINE.to_owned()),
        view::ProfileState::Locked => parts.push(wording::LOCKED_LINE.to_owned()),
        view::ProfileState::Unlocked => {}
    }
    parts.push(tor_words(status, gate));
    if status.profile == view::ProfileState::Unlocked && status.tor.ready {
        if status.mailboxes.is_empty() {
            parts.push(wording::NO_MAILBOX_LINE.to_owned());
        }
        // One that was left is of interest only as the reason for leaving it.
        let shown = status.mailboxes.iter().filter(|m| m.left_until.is_none() || m.alarm);
        let mailboxes = shown.zip('A'..='Z');
        parts.extend(mailboxes.map(|(mailbox, letter)| mailbox_words(mailbox, letter, next_try)));
    }
    if status.queued > 0 {
        parts.push(format!("{} queued", status.queued));
    }
    if status.tor.private_network {
        parts.push(wording::PRIVATE_NETWORK.to_owned());
    }
    parts.join(" · ")
}

fn tor_words(status: &view::Status, gate: &GateStatus) -> String {
    if gate.blockage == Blockage::Clock {
        return wording::clock_off(gate.skew_s);
    }
    if let Some(blockage) = &status.tor.blockage {
        return wording::blocked(blockage);
    }
    match gate.stage {
        Stage::Starting | Stage::Connecting | Stage::Directory => {
            format!("Tor {} % {}", status.tor.percent, status.tor.stage)
        }
        Stage::Gone | Stage::Ready | Stage::Waiting => format!("Tor {}", status.tor.stage),
    }
}

/// PRD-1: when it last answered; after two failures, since when it has not, why, and what is next.
fn mailbox_words(mailbox: &view::Mailbox, letter: char, next_try: Option<u64>) -> String {
    if mailbox.alarm {
        let left = mailbox.left_until.map_or("", |_| "; contacts are told to use your other one");
        return format!("mailbox {letter} ALARM: it showed what no honest mailbox shows{left}");
    }
    if let Some(skew) = mailbox.skew_s {
        return format!("mailbox {letter} {}", wording::clocks_apart(skew));
    }
    let answered = mailbox.answered_ago.map(wording::span);
    if mailbox.failures < SILENT {
        return answered.map_or_else(
            || format!("mailbox {letter} not asked yet"),
            |ago| format!("mailbox {letter} answered {ago} ago"),
        );
    }
    let since = answered.map_or_else(String::new, |ago| format!(" for {ago}"));
    let reason = mailbox.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let next = next_try
        .map_or_else(String::new, |seconds| format!(", next try {}", wording::countdown(seconds)));
    format!("mailbox {letter} no answer{since}{reason}{next}")
}

pub(super) const fn mode_of(mode: view::Mode) -> engine::Mode {
    match mode {
        view::Mode::Steady => engine::Mode::Steady,
        view::Mode::Fast => engine::Mode::Fast,
    }
}

pub(super) const fn mode_view(mode: engine::Mode) -> view::Mode {
    match mode {
        engine::Mode::Steady => view::Mode::Steady,
        engine::Mode::Fast => view::Mode::Fast,
    }
}

pub(super) const fn pace_of(pace: view::Pace) -> engine::Pace {
    match pace {
        view::Pace::DayHours => engine::Pace::DayHours,
        view::Pace::Every30 => engine::Pace::Every30,
        view::Pace::Every60 => engine::Pace::Every60,
        view::Pace::Every300 => engine::Pace::Every300,
    }
}

pub(super) const fn pace_view(pace: engine::Pace) -> view::Pace {
    match pace {
        engine::Pace::DayHours => view::Pace::DayHours,
        engine::Pace::Every30 => view::Pace::Every30,
        engine::Pace::Every60 => view::Pace::Every60,
        engine::Pace::Every300 => view::Pace::Every300,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(change: impl FnOnce(&mut view::Mailbox)) -> String {
        let mut mailbox = view::Mailbox {
            address: String::new(),
            answered_ago: Some(250),
            failures: 1,
            reason: Some("it cannot be reached".to_owned()),
            alarm: false,
            skew_s: None,
            left_until: None,
        };
        change(&mut mailbox);
        mailbox_words(&mailbox, 'A', Some(40))
    }

    #[test]
    fn rpc_16_the_line_is_evidence() {
        assert_eq!(words(|m| m.answered_ago = None), "mailbox A not asked yet");
        assert_eq!(words(|_| {}), "mailbox A answered 4 min ago");
        assert_eq!(
            words(|m| m.failures = 2),
            "mailbox A no answer for 4 min (it cannot be reached), next try 0:40"
        );
        assert_eq!(
            words(|m| m.skew_s = Some(-7200)),
            "mailbox A disagrees about the time: the clock here is 2 h behind. Set it; messages \
             may wait until then"
        );
        let alarmed = words(|m| (m.alarm, m.skew_s) = (true, Some(1)));
        assert!(alarmed.contains("ALARM"), "{alarmed}");
        let left = words(|m| (m.alarm, m.left_until) = (true, Some(1)));
        assert!(left.ends_with("contacts are told to use your other one"), "{left}");
    }
}
