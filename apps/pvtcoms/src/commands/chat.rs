//! `chat`: one conversation, line by line.

use super::waiting;
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::{plain, print};
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done, Sent};
use daemon::types::view::{Contact, Event, Message, MessageState};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How much of the conversation is shown at the start.
const BEFORE: u32 = 10;
/// Characters shown of each message of before, and of each that comes: a long text must not push
/// the conversation off the screen.
const CUT_BEFORE: usize = 240;
const CUT: usize = 4000;
/// How long one look for events lasts before the keyboard has its turn.
const TURN: Duration = Duration::from_millis(100);

/// Prints what comes from the contact and what becomes of own lines; sends each line typed.
pub(crate) fn run(face: &Face<'_>, contact: String) -> Outcome {
    let mut client = face.open(true)?;
    let name = local_name(&mut client, &contact)?;
    let page: Vec<Message> =
        client.call(Call::History { contact: contact.clone(), before: None, limit: BEFORE })?;
    for message in &page {
        face.out.item(message, || show::message_cut(message, face.out, CUT_BEFORE))?;
        read(&mut client, message, CUT_BEFORE)?;
    }
    face.out.note("Each line is sent. Ctrl-D ends.");
    let mut chat = Chat { face, contact, name, lines: keyboard(), typed: None, last: None };
    loop {
        match chat.go_on(&mut client) {
            Err(Fault::Gone) => client = waiting::again(face, true)?.0,
            other => return other,
        }
    }
}

/// The name that events carry, for a name or identifier that was typed.
fn local_name(client: &mut Client, contact: &str) -> Outcome<String> {
    let all: Vec<Contact> = client.call(Call::Contacts {})?;
    all.into_iter()
        .find(|known| known.name == contact || known.id == contact)
        .map(|known| known.name)
        .ok_or_else(|| Fault::wrong_use("There is no such contact.", "See `pvtcoms contacts`."))
}

/// A person sees it: a timer that waits for that begins (ENG-7), unless only a part was shown.
fn read(client: &mut Client, message: &Message, shown: usize) -> Outcome {
    let waits = message.state == MessageState::Received && message.gone_in.is_none();
    if !waits || message.timer == 0 || message.text.chars().nth(shown).is_some() {
        return Ok(());
    }
    match client.call::<Done>(Call::Read { message: message.id.clone() }) {
        // It has gone meanwhile, or its identifier was chosen to be that of another one.
        Err(fault) if fault.is(ErrorKind::WrongUse) => Ok(()),
        other => other.map(drop),
    }
}

/// Lines as they are typed; ends with standard input.
fn keyboard() -> Receiver<String> {
    let (sender, lines) = channel();
    drop(std::thread::spawn(move || {
        while let Ok(Some(line)) = ask::stdin_line() {
            if sender.send(line).is_err() {
                break;
            }
        }
    }));
    lines
}

struct Chat<'a> {
    face: &'a Face<'a>,
    /// As it was given.
    contact: String,
    /// As events carry it.
    name: String,
    lines: Receiver<String>,
    /// A line that is not known to be saved.
    typed: Option<String>,
    /// The last event that was shown.
    last: Option<String>,
}

impl Chat<'_> {
    /// Goes on until standard input or the connection ends.
    fn go_on(&mut self, client: &mut Client) -> Outcome {
        let after = self.last.clone();
        let _: Done = client.call(Call::Subscribe { name: String::new(), after })?;
        loop {
            if self.typed.is_none() {
                self.typed = match self.lines.try_recv() {
                    Ok(line) => Some(line).filter(|line| !line.trim().is_empty()),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                };
            }
            if let Some(text) = self.typed.clone() {
                self.send(client, text)?;
                self.typed = None;
                continue;
            }
            let turn = Instant::now().checked_add(TURN);
            while let Some(event) = client.event(turn)? {
                self.show(client, &event)?;
                self.last = Some(event.id);
            }
        }
    }

    fn send(&self, client: &mut Client, text: String) -> Outcome {
        let contact = self.contact.clone();
        match client.call::<Sent>(Call::Send { contact, text, key: String::new() }) {
            Ok(_) => Ok(()),
            // The next line may be shorter, or later.
            Err(fault) if fault.is(ErrorKind::TooLong) || fault.is(ErrorKind::Rate) => {
                self.face.out.fault(&fault);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    fn show(&self, client: &mut Client, event: &Event) -> Outcome {
        if event.contact.as_deref() != Some(&self.name) {
            return Ok(());
        }
        let out = self.face.out;
        match &event.message {
            Some(message) if message.state == MessageState::Received => {
                out.item(message, || show::message_cut(message, out, CUT))?;
                read(client, message, CUT)
            }
            Some(message) if message.state == MessageState::Queued => Ok(()),
            Some(message) => out.item(message, || {
                let text = plain(&message.text);
                let first = text.lines().next().unwrap_or_default();
                let (mark, word) = (show::mark(message.state), show::state(message.state));
                out.faint(&format!("{mark} {word}: {first}"))
            }),
            None => print(&out.alarm(&plain(&event.text))),
        }
    }
}
