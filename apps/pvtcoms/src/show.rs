//! View models as text for people.

use crate::output::{Out, plain};
use daemon::types::view::{
    Contact, FailedWhy, File, FileState, Invite, InviteState, Mailbox, Message, MessageState, Mode,
    NextPace, Pace, Status, Trust,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Both times are shown when they differ by more than this (PRD-10), in seconds.
const CLOCKS_AGREE: u64 = 120;

/// A moment on this device's clock: `30 Nov 18:40`.
pub(crate) fn time(unix: u64) -> String {
    let zone = TimeZone::system();
    i64::try_from(unix).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).map_or_else(
        || "unknown time".to_owned(),
        |moment| moment.to_zoned_datetime(zone).strftime("%-d %b %H:%M").to_string(),
    )
}

/// Local time minus UTC at this moment, in minutes.
pub(crate) fn utc_offset() -> i16 {
    let seconds = TimeZone::system().to_offset(Timestamp::now()).seconds();
    i16::try_from(seconds / 60).unwrap_or(0)
}

/// A length of time: `12 s`, `4 min`, `3 h`, `2 d`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A file: identifier, way, name, how far it is.
pub(crate) fn file(file: &File) -> String {
    let way = if file.ours { "to" } else { "from" };
    let name = plain(file.saved.as_ref().unwrap_or(&file.name));
    let far = u64::from(file.done).saturating_mul(100).checked_div(file.size.into()).unwrap_or(0);
    let (contact, state) = (plain(&file.contact), file_state(file));
    format!("{} {way} {contact}  {name}  {} bytes, {far} %  {state}", file.id, file.size)
}

/// Where a file stands, in words.
pub(crate) fn file_state(file: &File) -> &'static str {
    match (file.state, file.ours) {
        (FileState::Offered, _) => "waits until the contact knows of it",
        (FileState::Moving, _) => "on its way",
        (FileState::Whole, _) => "here, being saved",
        (FileState::Done, true) => "delivered",
        (FileState::Done, false) => "saved in your folder",
        (FileState::Cancelled, _) => "ended here",
        (FileState::Refused, true) => "not wanted by the contact",
        (FileState::Refused, false) => "withdrawn by the contact",
        (FileState::NoRoom, true) => "the contact has too much on its way",
        (FileState::NoRoom, false) => "too much was on its way",
        (FileState::Damaged, _) => "what came was not what was offered",
        (FileState::Failed, _) => "given up: it did not move for 14 days",
    }
}

/// The sentence that goes with a mode (PRD-11).
pub(crate) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Steady => {
            "steady: messages take minutes; even a mailbox that records everything cannot tell \
             who talks to whom"
        }
        Mode::Fast => {
            "fast: messages take seconds; a mailbox that records everything can link some of them"
        }
    }
}

const fn visits(pace: Pace) -> &'static str {
    match pace {
        Pace::DayHours => "every 45 s in sixteen hours of the day, every five minutes otherwise",
        Pace::Every30 => "every 30 seconds, day and night",
        Pace::Every60 => "every minute, day and night",
        Pace::Every300 => "every five minutes, day and night",
    }
}

/// How often mailboxes are visited.
pub(crate) fn pace(pace: Pace) -> String {
    format!("mailboxes are visited {}", visits(pace))
}

/// What was chosen instead, and when that holds.
pub(crate) fn next_pace(next: NextPace) -> String {
    format!("in {} they will be visited {}", span(next.in_s), visits(next.pace))
}

/// The status line and all that belongs to it (product.md 7).
pub(crate) fn status(status: &Status, out: &Out) -> String {
    let mut lines = vec![plain(&status.line)];
    if status.tor.private_network && !status.line.contains(PRIVATE) {
        lines.push(out.alarm(PRIVATE));
    }
    for name in status.blocked.iter().filter(|_| !status.line.contains("BLOCKED")) {
        lines.push(out.alarm(&format!("BLOCKED {}: key changed", plain(name))));
    }
    if !status.silenced.is_empty() {
        let names: Vec<String> = status.silenced.iter().map(|name| plain(name)).collect();
        lines.push(format!("blocked here: {}", names.join(", ")));
    }
    if let Some(schedule) = status.mode {
        lines.push(mode(schedule).to_owned());
        lines.extend(status.pace.map(pace));
        lines.extend(status.next_pace.map(next_pace));
    }
    if let Some(delay) = &status.usual_delay {
        lines.push(plain(delay));
    }
    lines.extend(status.mailboxes.iter().map(|mailbox| self::mailbox(mailbox, out)));
    lines.push(format!(
        "{} queued · {} stored · {} unread",
        status.queued, status.stored, status.unread
    ));
    if status.unconfirmed > 0 {
        lines.push(format!("{} not confirmed yet for more than 24 h", status.unconfirmed));
    }
    lines.extend(status.warnings.iter().map(|warning| out.alarm(&plain(warning))));
    lines.join("\n")
}

/// The banner of TOR-31.
pub(crate) const PRIVATE: &str = "PRIVATE TEST NETWORK: not anonymous";

/// An own mailbox.
pub(crate) fn mailbox(mailbox: &Mailbox, out: &Out) -> String {
    let answer = match (mailbox.answered_ago, mailbox.failures) {
        (Some(ago), 0) => format!("answered {} ago", span(ago)),
        (Some(ago), _) => format!("no answer for {}", span(ago)),
        (None, 0) => "not asked yet".to_owned(),
        (None, _) => "never answered".to_owned(),
    };
    let reason = mailbox.reason.as_deref().filter(|_| mailbox.failures > 0);
    let reason = reason.map(|reason| format!(", {} failures: {}", mailbox.failures, plain(reason)));
    let alarm = if mailbox.alarm {
        out.alarm(" · ALARM: it answered what no honest mailbox answers")
    } else {
        String::new()
    };
    let clock =
        mailbox.skew_s.map(|skew| out.alarm(&format!(" · set the clock: {}", self::skew(skew))));
    let left = mailbox.left_until.map(|until| format!(" · left: read until {}", time(until)));
    let (reason, clock) = (reason.unwrap_or_default(), clock.unwrap_or_default());
    let left = left.unwrap_or_default();
    format!("mailbox {} {answer}{reason}{alarm}{clock}{left}", plain(&mailbox.address))
}

/// How far this device's clock is from a mailbox's.
pub(crate) fn skew(seconds: i64) -> String {
    let way = if seconds > 0 { "ahead" } else { "behind" };
    format!("it is {} {way} of the mailbox's", span(seconds.unsigned_abs()))
}

/// A contact. Its trust stands before its name, where no name can imitate it.
pub(crate) fn contact(contact: &Contact, out: &Out) -> String {
    let trust = match &contact.trust {
        Trust::Unverified => out.alarm("unverified: compare words with `pvtcoms verify`"),
        Trust::Verified { since } => format!("verified {}", time(*since)),
        Trust::Changed => out.alarm("CHANGED: nothing is sent until words are compared"),
        Trust::Locked => out.alarm("LOCKED: three wrong tries; make a new invite"),
    };
    let trust =
        if contact.blocked { format!("{trust} · {}", out.alarm("BLOCKED")) } else { trust };
    let mut text = format!("[{trust}] {}  {}", plain(&contact.name), out.faint(&contact.id));
    if contact.timer > 0 {
        text.push_str(&format!(" · {}", timer(contact.timer)));
    }
    if contact.unread > 0 {
        text.push_str(&format!(" · {} unread", contact.unread));
    }
    if contact.pending > 0 {
        text.push_str(&format!(" · {} not delivered yet", contact.pending));
    }
    text
}

/// How long messages of a conversation stay.
pub(crate) fn timer(seconds: u32) -> String {
    match seconds {
        0 => "timer off".to_owned(),
        _ => format!("timer {}", span(seconds.into())),
    }
}

/// The mark of a state (product.md 6).
pub(crate) fn mark(state: MessageState) -> char {
    match state {
        MessageState::Queued => '○',
        MessageState::Stored => '◐',
        MessageState::Delivered => '●',
        MessageState::Failed => '✕',
        MessageState::Received => ' ',
    }
}

/// The word for a state.
pub(crate) fn state(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Stored => "stored",
        MessageState::Delivered => "delivered",
        MessageState::Failed => "failed",
        MessageState::Received => "received",
    }
}

/// Why a message failed (PRD-10).
pub(crate) fn why(why: Option<FailedWhy>) -> &'static str {
    match why {
        Some(FailedWhy::Recalled) => "taken back",
        Some(FailedWhy::NotStored) => "no mailbox had it within 14 days",
        Some(FailedWhy::NotConfirmed) => "not confirmed in 14 days",
        None => "the reason is not known",
    }
}

/// A message. Every further line of its text is set in, so that no text can imitate another
/// message.
pub(crate) fn message(message: &Message, out: &Out) -> String {
    message_cut(message, out, usize::MAX)
}

/// A message of which at most `limit` characters are shown; says what is left out and how to read
/// it.
pub(crate) fn message_cut(message: &Message, out: &Out, limit: usize) -> String {
    let who = match message.state {
        MessageState::Received => plain(&message.contact),
        _ => "you".to_owned(),
    };
    let mut text: String = plain(&message.text).chars().take(limit).collect();
    if message.text.chars().nth(limit).is_some() {
        let whole = message.text.len().div_ceil(1024);
        let next = format!("… cut here, {whole} KiB: `pvtcoms history` shows all of it");
        text.push_str(&format!("\n{}", out.faint(&next)));
    }
    let text = text.replace('\n', "\n      | ");
    let mut line = format!("{} {} {who}: {text}", time(message.saved), mark(message.state));
    if message.state == MessageState::Received
        && message.sent.abs_diff(message.saved) > CLOCKS_AGREE
    {
        line.push_str(&out.faint(&format!("  (sent {})", time(message.sent))));
    }
    if message.state == MessageState::Failed {
        let why = why(message.why);
        line.push_str(&format!("  failed: {why}; `pvtcoms send --retry {}`", message.id));
    } else if message.unconfirmed {
        line.push_str("  not confirmed yet");
    }
    if let Some(gone_in) = message.gone_in {
        line.push_str(&out.faint(&format!("  gone in {}", span(gone_in))));
    } else if message.timer > 0 && message.state == MessageState::Received {
        line.push_str(&out.faint(&format!("  goes {} after reading", span(message.timer.into()))));
    }
    line
}

/// An invite without its URI.
pub(crate) fn invite(invite: &Invite, out: &Out) -> String {
    let state = match invite.state {
        InviteState::Depositing => "waiting for the mailbox; not to be handed out yet".to_owned(),
        InviteState::Ready => format!("works once, until {}", time(invite.expires)),
        InviteState::Answered => "answered, the handshake goes on".to_owned(),
        InviteState::Accepting => "taken, the handshake goes on".to_owned(),
        InviteState::Used => "used".to_owned(),
        InviteState::Reused | InviteState::Refused => out.alarm(ALREADY_USED),
        InviteState::Dead => "ended: it ran out, was withdrawn or was spoiled".to_owned(),
    };
    let name = if invite.name.is_empty() { String::new() } else { format!(" for {}", invite.name) };
    let contact = invite.contact.as_deref();
    let contact = contact.map(|contact| format!(" · contact {}", plain(contact)));
    format!("{}{}  {state}{}", invite.id, plain(&name), contact.unwrap_or_default())
}

/// ID-2, in the words of PRD-8.
pub(crate) const ALREADY_USED: &str = "This invite was already used. If that was not you or your \
                                       contact, treat it as intercepted.";

/// The QR code of an invite: half-block characters, quiet zone, upper case for the small
/// alphanumeric mode (PRD-7). Black and white are set, so that it reads on dark and light.
pub(crate) fn qr(uri: &str) -> Option<String> {
    let code = qrcode::QrCode::new(uri.to_ascii_uppercase()).ok()?;
    let drawn = code
        .render::<qrcode::render::unicode::Dense1x2>()
        .dark_color(qrcode::render::unicode::Dense1x2::Light)
        .light_color(qrcode::render::unicode::Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    Some(
        drawn
            .lines()
            .map(|line| format!("\u{1b}[97;40m{line}\u{1b}[0m"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;

    fn out() -> Out {
        let cli = Cli::try_parse_from(["pvtcoms", "--no-color", "status"]).expect("parses");
        Out::new(&cli.global)
    }

    fn sample(state: MessageState, text: &str) -> Message {
        Message {
            id: "m_1".into(),
            row: 1,
            contact: "alice".into(),
            state,
            text: text.into(),
            sent: 1_000_000,
            saved: 1_000_000,
            unconfirmed: false,
            why: None,
            timer: 0,
            gone_in: None,
        }
    }

    #[test]
    fn a_text_cannot_imitate_another_message() {
        let shown = message(&sample(MessageState::Received, "a\n12 Jan 13:46 ● you: yes"), &out());
        let second = shown.lines().nth(1).expect("two lines");
        assert!(second.starts_with("      | "), "{second}");
    }

    #[test]
    fn prd_10_both_times_are_shown_when_they_differ() {
        let mut late = sample(MessageState::Received, "hi");
        assert!(!message(&late, &out()).contains("(sent "));
        late.saved += CLOCKS_AGREE;
        assert!(!message(&late, &out()).contains("(sent "));
        late.saved += 1;
        assert!(message(&late, &out()).contains("(sent "));
    }

    #[test]
    fn prd_1_an_unconfirmed_message_says_so() {
        let mut old = sample(MessageState::Stored, "hi");
        old.unconfirmed = true;
        let shown = message(&old, &out());
        assert!(shown.contains("◐ you: hi") && shown.ends_with("not confirmed yet"), "{shown}");
    }

    #[test]
    fn prd_7_the_qr_code_is_small_and_in_two_fixed_colours() {
        let uri = format!("pvtcoms:i1/{}", "a2".repeat(110));
        let drawn = qr(&uri).expect("fits");
        let width = drawn.lines().next().expect("lines").chars().filter(|c| "█▀▄ ".contains(*c));
        assert!(width.count() <= 69, "alphanumeric mode stays below version 12");
        assert!(drawn.lines().all(|line| line.starts_with("\u{1b}[97;40m")));
    }

    #[test]
    fn spans_are_short() {
        for (seconds, text) in [(12, "12 s"), (240, "4 min"), (7200, "2 h"), (200_000, "2 d")] {
            assert_eq!(span(seconds), text);
        }
    }
}
