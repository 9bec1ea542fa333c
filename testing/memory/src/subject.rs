//! The steps of `vectors/transcript.json`, performed by the product's crates and nothing else.

use crate::dice::Dice;
use anyhow::{Context, Result, anyhow, bail};
use board::chain::{GenerationSecret, RecvChain, SendChain};
use board::envelope::{Kind, Parcel, open, seal, split_handshake};
use board::tag::{Direction, InviteSlots};
use crypto::Zeroizing;
use data_encoding::HEXLOWER;
use handshake::rekey::{self, Initiated};
use handshake::{
    AwaitingM3, AwaitingM4, FirstWord, Introduction, Invite, Inviter, SessionSecret, accept,
};
use identity::{Identity, successor};
use rand_core::Rng;
use ratchet::{Ciphertext, Ratchet};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everybody's state.
#[derive(Default)]
pub(crate) struct Subject {
    people: BTreeMap<String, Identity>,
    sessions: BTreeMap<String, Session>,
    /// Messages made, by step and name.
    made: BTreeMap<(u64, String), Vec<u8>>,
}

#[derive(Default)]
struct Session {
    inviter: Option<Inviter>,
    awaiting_m3: Option<AwaitingM3>,
    awaiting_m4: Option<AwaitingM4>,
    initiated: Option<Initiated>,
    secrets: BTreeMap<String, (SessionSecret, FirstWord)>,
    ratchets: BTreeMap<String, Ratchet>,
    chains: BTreeMap<String, (SendChain, RecvChain)>,
}

impl Subject {
    /// Performs one step.
    pub(crate) fn perform(&mut self, step: &Value) -> Result<()> {
        let mut dice = Dice::new(bytes(&step["dice"])?);
        match text(&step["does"])? {
            "identity" => {
                let person = Identity::generate(&mut dice, number(&step["hours"])?)?;
                self.people.insert(owned(&step["who"])?, person);
            }
            "rotate" => {
                let who = owned(&step["who"])?;
                let person = self.person(&who)?.rotate(&mut dice, number(&step["hours"])?)?;
                self.people.insert(who, person);
            }
            "succeed" => {
                let (old, new) = (self.person(text(&step["who"])?)?, text(&step["new"])?);
                let hours = number(&step["hours"])?;
                successor::state(&mut dice, old, self.person(new)?.cert(), hours)?;
            }
            "invite" => self.invite(step, &mut dice)?,
            "deposit" => self.deposit(step, &mut dice)?,
            "accept" => self.accept(step, &mut dice)?,
            "receive M2" => self.receive_m2(step, &mut dice)?,
            "receive M3" => self.receive_m3(step, &mut dice)?,
            "receive M4" => self.receive_m4(step)?,
            "R1" => self.initiate(step, &mut dice)?,
            "receive R1" => self.respond(step, &mut dice)?,
            "receive R2" => self.finish(step)?,
            "session" => self.session(step, &mut dice)?,
            "encrypt" => {
                let ratchet = self.ratchet(step)?;
                let message = ratchet.encrypt(&mut dice, text(&step["content"])?.as_bytes())?;
                self.note(step, "message", message.as_bytes())?;
            }
            "decrypt" => {
                let message =
                    self.of(step, "message")?.try_into().map_err(|_| anyhow!("length"))?;
                let message = Ciphertext::from_bytes(&message);
                // Some steps of the transcript are refusals.
                let _ = self.ratchet(step)?.decrypt(number(&step["day"])?, &message);
                if step["save"] == true {
                    let ratchet = self.ratchet(step)?;
                    *ratchet = Ratchet::from_secret_bytes(&ratchet.to_secret_bytes())?;
                }
            }
            "post" => self.post(step, &mut dice)?,
            "long check" => {}
            other => bail!("no such step: {other}"),
        }
        Ok(())
    }

    fn invite(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let (session, own) = self.at(step)?;
        let inviter =
            Inviter::new(dice, own, &keys(&step["mailboxes"])?, number(&step["expiry"])?)?;
        let m1 = inviter.m1().to_vec();
        session.inviter = Some(Inviter::from_secret_bytes(&inviter.to_secret_bytes())?);
        self.note(step, "M1", &m1)
    }

    fn deposit(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let message = self.of(step, text(&step["message"])?)?;
        let mut inviters = self.sessions.values().filter_map(|session| session.inviter.as_ref());
        let inviter = inviters.next().context("no invite")?;
        let slots = InviteSlots::new(inviter.secret().expose_secret());
        let d = Direction::from_byte(number(&step["d"])?).context("direction")?;
        let (first, mailbox): (u8, _) = (number(&step["i"])?, key(&step["mailbox"])?);
        let mut mid = [0; 16];
        dice.fill_bytes(&mut mid);
        for parcel in split_handshake(mid, Kind::Handshake, &message)? {
            let i = first.checked_add(parcel.part).context("part")?;
            let (tag, key) = (slots.tag(d, i, &mailbox), slots.key(d, i, &mailbox));
            open(&key, &mailbox, &seal(dice, &key, tag, &mailbox, &parcel)?)?;
        }
        Ok(())
    }

    fn accept(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let m1 = self.of(step, "M1")?;
        let (session, own) = self.at(step)?;
        let uri = session.inviter.as_ref().context("no invite")?.invite().to_uri();
        let (invite, hours) = (Invite::from_uri(&uri)?, number(&step["hours"])?);
        let (m2, waits) = accept(dice, own, &invite, &introduction(step)?, &m1, hours)?;
        session.awaiting_m3 = Some(AwaitingM3::from_secret_bytes(&waits.to_secret_bytes())?);
        self.note(step, "M2", &m2)
    }

    fn receive_m2(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let m2 = self.of(step, "M2")?;
        let (session, own) = self.at(step)?;
        let (inviter, intro) = (session.inviter.as_ref().context("no M1")?, introduction(step)?);
        let (m3, waits) =
            inviter.receive_m2(dice, own, &intro, &m2, number(&step["hours"])?, |_| false)?;
        session.awaiting_m4 = Some(AwaitingM4::from_secret_bytes(&waits.to_secret_bytes())?);
        self.note(step, "M3", &m3)
    }

    fn receive_m3(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let (m3, who) = (self.of(step, "M3")?, owned(&step["who"])?);
        let (session, own) = self.at(step)?;
        let waits = session.awaiting_m3.as_ref().context("no M2")?;
        let (m4, made) = waits.receive_m3(dice, own, &m3, number(&step["hours"])?, |_| false)?;
        session.secrets.insert(who, (made.session, made.first));
        self.note(step, "M4", &m4)
    }

    fn receive_m4(&mut self, step: &Value) -> Result<()> {
        let (m4, who) = (self.of(step, "M4")?, owned(&step["who"])?);
        let session = self.session_of(step)?;
        let made = session.awaiting_m4.as_ref().context("no M3")?.receive_m4(&m4)?;
        session.secrets.insert(who, (made.session, made.first));
        Ok(())
    }

    fn initiate(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let own = self.person(text(&step["who"])?)?;
        let peer = self.person(text(&step["peer"])?)?.cert();
        let psk = self.psk(step)?.recovery_psk();
        let (intro, hours) = (introduction(step)?, number(&step["hours"])?);
        let (r1, waits) = rekey::initiate(dice, own.statics(), peer, &psk, &intro, hours)?;
        self.session_of(step)?.initiated = Some(waits);
        self.note(step, "R1", &r1)
    }

    fn respond(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let (r1, who) = (self.of(step, "R1")?, owned(&step["who"])?);
        let (own, peer) = (self.person(&who)?, self.person(text(&step["peer"])?)?.cert());
        let psk = self.psk(step)?.recovery_psk();
        let (intro, hours) = (introduction(step)?, number(&step["hours"])?);
        let (r2, made) = rekey::respond(dice, own, &[peer], &psk, &intro, &r1, hours)?;
        self.session_of(step)?.secrets.insert(who, (made.session, made.first));
        self.note(step, "R2", &r2)
    }

    fn finish(&mut self, step: &Value) -> Result<()> {
        let (r2, who) = (self.of(step, "R2")?, owned(&step["who"])?);
        let (session, own) = self.at(step)?;
        let made = rekey::finish(session.initiated.as_ref().context("no R1")?, own, &r2)?;
        session.secrets.insert(who, (made.session, made.first));
        Ok(())
    }

    fn session(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let (invited, inviter) = (owned(&step["who"])?, owned(&step["peer"])?);
        let session = self.session_of(step)?;
        for (name, d) in [(inviter, Direction::ToInvited), (invited, Direction::ToInviter)] {
            let (secret, first) = session.secrets.get(&name).context("no handshake")?;
            let (root, sid) = (secret.ratchet_root(), secret.sid());
            let ratchet = match first {
                FirstWord::Ours => Ratchet::invited(dice, root.expose_secret(), sid),
                FirstWord::Theirs => Ratchet::inviter(root.expose_secret(), sid),
            };
            let generation = GenerationSecret::first(secret.board_root().expose_secret());
            let chains =
                (SendChain::new(&generation, 0, d), RecvChain::new(&generation, 0, d.back()));
            drop(secret.sync_root());
            session.ratchets.insert(name.clone(), ratchet);
            session.chains.insert(name, chains);
        }
        Ok(())
    }

    fn post(&mut self, step: &Value, dice: &mut Dice) -> Result<()> {
        let body = Zeroizing::new(self.of(step, "message")?);
        let (who, peer, mailbox) =
            (owned(&step["who"])?, owned(&step["peer"])?, key(&step["mailbox"])?);
        let session = self.session_of(step)?;
        let (n, slot) = session.chains.get_mut(&who).context("no chain")?.0.take();
        let mut mid = [0; 16];
        dice.fill_bytes(&mut mid);
        let parcel =
            Parcel { kind: Kind::Message, part: 0, parts: 1, ack: None, floor: 0, mid, body };
        let envelope = seal(dice, &slot.key(&mailbox), slot.tag(&mailbox), &mailbox, &parcel)?;
        let reader = &mut session.chains.get_mut(&peer).context("no chain")?.1;
        let (_, waited) = reader.slots().find(|(m, _)| *m == n).context("not waited for")?;
        open(&waited.key(&mailbox), &mailbox, &envelope)?;
        reader.consume(n);
        Ok(())
    }

    fn note(&mut self, step: &Value, name: &str, message: &[u8]) -> Result<()> {
        self.made.insert((number(&step["step"])?, name.to_owned()), message.to_vec());
        Ok(())
    }

    /// A message of the step that this one is about.
    fn of(&self, step: &Value, name: &str) -> Result<Vec<u8>> {
        self.made.get(&(number(&step["of"])?, name.to_owned())).cloned().context("no such message")
    }

    fn person(&self, name: &str) -> Result<&Identity> {
        self.people.get(name).with_context(|| format!("nobody is called {name}"))
    }

    fn session_of(&mut self, step: &Value) -> Result<&mut Session> {
        Ok(self.sessions.entry(owned(&step["session"])?).or_default())
    }

    fn at(&mut self, step: &Value) -> Result<(&mut Session, &Identity)> {
        let session = self.sessions.entry(owned(&step["session"])?).or_default();
        let who = text(&step["who"])?;
        Ok((session, self.people.get(who).with_context(|| format!("nobody is called {who}"))?))
    }

    fn ratchet(&mut self, step: &Value) -> Result<&mut Ratchet> {
        let who = owned(&step["who"])?;
        self.session_of(step)?.ratchets.get_mut(&who).context("no session")
    }

    /// The session whose recovery key a re-key uses.
    fn psk(&self, step: &Value) -> Result<&SessionSecret> {
        let session = self.sessions.get(text(&step["psk of"])?).context("no session")?;
        Ok(&session.secrets.values().next().context("no handshake")?.0)
    }
}

/// The control: the secret of a session as it would be left by a program that wipes nothing.
pub(crate) fn leak(subject: &Subject) -> Result<()> {
    let session = subject.sessions.get("first").context("no session")?;
    let (secret, _) = session.secrets.values().next().context("no handshake")?;
    drop(std::hint::black_box(secret.expose_secret().to_vec()));
    Ok(())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text: {value}"))
}

fn owned(value: &Value) -> Result<String> {
    Ok(text(value)?.to_owned())
}

fn number<T: TryFrom<u64>>(value: &Value) -> Result<T> {
    let number = value.as_u64().and_then(|number| T::try_from(number).ok());
    number.with_context(|| format!("no such number: {value}"))
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    Ok(HEXLOWER.decode(text(value)?.as_bytes())?)
}

fn key(value: &Value) -> Result<[u8; 32]> {
    bytes(value)?.try_into().map_err(|_| anyhow!("a key has 32 bytes"))
}

fn keys(value: &Value) -> Result<Vec<[u8; 32]>> {
    value.as_array().context("no list")?.iter().map(key).collect()
}

fn introduction(step: &Value) -> Result<Introduction> {
    let intro = &step["introduction"];
    Ok(Introduction {
        inbox: keys(&intro["inbox"])?,
        version: number(&intro["version"])?,
        name: owned(&intro["name"])?,
    })
}
