//! A session that is being renewed: what was begun here and what was answered, as stored state
//! (REK-1 to REK-7). The transitions are in `engine/renew.rs`.
//!
//! ```text
//!  begun here   nothing --R1--> Begun --R2--> the contact's session, not heard yet
//!  by the peer  nothing --R1--> Pending --its first message--> the contact's session
//! ```

use crate::rows::row;
use crate::rows::{done, get_bytes, get_flag, get_keys, open_row, put_bytes, put_flag, put_keys};
use crate::session::Session;
use board::tag::OnionKey;
use crypto::Zeroizing;
use handshake::rekey::Initiated;
use wire::{Malformed, Reader, Writer};

/// A day, in seconds.
const DAY_S: u64 = 24 * 3600;
/// An attempt is repeated and begun anew no sooner than after this (REK-3, REK-5), in seconds.
const AGAIN_S: u64 = DAY_S;
/// R1 and R2 are of use for as long as their tags are read (BRD-46), in seconds.
const LIFE_S: u64 = 14 * DAY_S;
/// An R1 that was answered is remembered for two days more, in seconds.
const REMEMBER_S: u64 = LIFE_S + 2 * DAY_S;
/// Of two attempts that cross, the one that is to stay is waited for so long (REK-4), in seconds.
const YIELD_S: u64 = 2 * DAY_S;
/// What was answered is deposited again no sooner than after this (REK-5), in seconds.
const REPEAT_S: u64 = 12 * 3600;
/// Renewals of one contact that are answered in a day (REK-6).
const ANSWERS: usize = 4;

/// Names an R1 that was answered: the first half of its hash.
pub(crate) type AnswerId = [u8; 16];

/// Which of its messages an item of a renewal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// What was begun here.
    R1,
    /// The answer to what the peer has begun.
    R2(AnswerId),
    /// The first message of the session that the answer makes.
    First(AnswerId),
}

/// Why the session that there is does not do (REK-3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Nothing was acknowledged for a day.
    pub(crate) silent: bool,
    /// The peer writes at our tags, and its messages are not of this session.
    pub(crate) deaf: bool,
    /// The peer has read what this copy has not written: nothing more is written with it (BRD-47).
    pub(crate) older: bool,
}

/// An attempt of ours.
pub(crate) struct Begun {
    pub(crate) state: Initiated,
    pub(crate) r1: Vec<u8>,
    /// When it was begun, Unix seconds.
    pub(crate) at: u64,
    /// When R1 was last queued, Unix seconds.
    pub(crate) sent: u64,
}

/// A session that an answer made, until the peer has shown that it has it.
pub(crate) struct Pending {
    pub(crate) r2: Vec<u8>,
    pub(crate) session: Session,
    /// Where the peer reads, by its own word, and the version of that.
    pub(crate) inbox: Vec<OnionKey>,
    pub(crate) version: u32,
    /// When the answer was last queued, Unix seconds.
    pub(crate) sent: u64,
}

/// An R1 of the peer that was answered.
pub(crate) struct Answer {
    pub(crate) id: AnswerId,
    /// When, Unix seconds.
    pub(crate) at: u64,
    /// Nothing once some session has been renewed since.
    pub(crate) pending: Option<Pending>,
}

/// The renewals of one contact's session that are under way, and what bounds the next ones.
#[derive(Default)]
pub(crate) struct Renewal {
    pub(crate) fault: Fault,
    /// When our attempt made the session, until the peer is heard in it, Unix seconds.
    pub(crate) unheard: Option<u64>,
    /// When an attempt was last begun, Unix seconds.
    pub(crate) last: Option<u64>,
    pub(crate) begun: Option<Begun>,
    /// Oldest first, at most [`ANSWERS`].
    pub(crate) answers: Vec<Answer>,
}

crypto::opaque!(Begun, Pending, Answer, Renewal);

/// What is to be done about a session at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Begin an attempt.
    Begin,
    /// Deposit R1 again.
    Repeat,
    /// Give the attempt up.
    Drop,
}

impl Renewal {
    /// Whether there is nothing to remember.
    pub(crate) const fn is_empty(&self) -> bool {
        let Fault { silent, deaf, older } = self.fault;
        !(silent || deaf || older)
            && self.unheard.is_none()
            && self.last.is_none()
            && self.begun.is_none()
            && self.answers.is_empty()
    }

    /// REK-3: what is to be done now, if there is a session or not.
    pub(crate) fn due(&self, now_s: u64, session: bool) -> Due {
        let over = |since: u64, wait: u64| now_s.abs_diff(since) >= wait;
        let Fault { silent, deaf, older } = self.fault;
        let unheard = self.unheard.is_some_and(|since| over(since, AGAIN_S));
        let wanted = !session || silent || deaf || older || unheard;
        match &self.begun {
            Some(begun) if !wanted || over(begun.at, LIFE_S) => Due::Drop,
            Some(begun) if over(begun.sent, AGAIN_S) => Due::Repeat,
            Some(_) => Due::Nothing,
            // Whoever has answered lets the peer come first.
            None if self.pending().any(|(answer, _)| !over(answer.at, AGAIN_S)) => Due::Nothing,
            None if wanted && self.last.is_none_or(|last| over(last, AGAIN_S)) => Due::Begin,
            None => Due::Nothing,
        }
    }

    /// REK-4: whether our attempt, which is to stay, is waited for before another is answered.
    pub(crate) fn waits_for_ours(&self, now_s: u64) -> bool {
        self.begun.as_ref().is_some_and(|begun| now_s.abs_diff(begun.at) < YIELD_S)
    }

    /// REK-6: makes room for an answer, if one may be given.
    pub(crate) fn make_room(&mut self, now_s: u64) -> bool {
        let full = self.answers.len() >= ANSWERS;
        let oldest = self.answers.first().map(|answer| now_s.abs_diff(answer.at));
        if full && oldest.is_some_and(|age| age >= DAY_S) {
            self.answers.remove(0);
        }
        self.answers.len() < ANSWERS
    }

    /// REK-5: whether the answer to this R1, which has come once more, is to be deposited again.
    /// `None`: this R1 is new.
    pub(crate) fn comes_again(&mut self, id: &AnswerId, now_s: u64) -> Option<bool> {
        let answer = self.answers.iter_mut().find(|answer| answer.id == *id)?;
        let pending = answer.pending.as_mut().filter(|p| now_s.abs_diff(p.sent) >= REPEAT_S);
        Some(pending.is_some_and(|pending| {
            pending.sent = now_s;
            true
        }))
    }

    /// Forgets what is of no more use; says whether that was anything.
    pub(crate) fn expire(&mut self, now_s: u64) -> bool {
        let over = |since: u64, wait: u64| now_s.abs_diff(since) >= wait;
        let last = self.last.take_if(|last| over(*last, AGAIN_S)).is_some();
        let before = self.answers.len();
        self.answers.retain(|answer| !over(answer.at, REMEMBER_S));
        let mut changed = last || self.answers.len() != before;
        for answer in &mut self.answers {
            changed |= answer.pending.take_if(|_| over(answer.at, LIFE_S)).is_some();
        }
        changed
    }

    /// A session was renewed: of all that was under way only the names stay.
    pub(crate) fn complete(&mut self, unheard: Option<u64>) {
        self.fault = Fault::default();
        self.unheard = unheard;
        self.begun = None;
        for answer in &mut self.answers {
            answer.pending = None;
        }
    }

    /// What was answered and not confirmed.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (&Answer, &Pending)> {
        self.answers.iter().filter_map(|answer| Some((answer, answer.pending.as_ref()?)))
    }

    /// The session that the answer of this name made.
    pub(crate) fn pending_mut(&mut self, id: &AnswerId) -> Option<&mut Pending> {
        self.answers.iter_mut().find(|answer| answer.id == *id)?.pending.as_mut()
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let begun = self.begun.as_ref().map(|begun| (begun, begun.state.to_secret_bytes()));
        let sessions: Vec<_> =
            self.answers.iter().map(|a| a.pending.as_ref().map(|p| p.session.to_row())).collect();
        let size = sessions
            .iter()
            .flatten()
            .fold(16 * 1024_usize, |sum, s| sum.saturating_add(s.len()).saturating_add(4096));
        let mut w = row(size);
        let Fault { silent, deaf, older } = self.fault;
        [silent, deaf, older].into_iter().for_each(|flag| put_flag(&mut w, flag));
        put_time(&mut w, self.unheard);
        put_time(&mut w, self.last);
        put_flag(&mut w, begun.is_some());
        if let Some((begun, state)) = &begun {
            put_bytes(&mut w, state);
            put_bytes(&mut w, &begun.r1);
            w.u64(begun.at).u64(begun.sent);
        }
        w.u8(u8::try_from(self.answers.len()).unwrap_or(u8::MAX)); // at most ANSWERS
        for (answer, session) in self.answers.iter().zip(&sessions) {
            w.bytes(&answer.id).u64(answer.at);
            put_flag(&mut w, session.is_some());
            if let (Some(pending), Some(session)) = (&answer.pending, session) {
                put_bytes(&mut w, session);
                put_bytes(&mut w, &pending.r2);
                put_keys(&mut w, &pending.inbox);
                w.u32(pending.version).u64(pending.sent);
            }
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let fault =
            Fault { silent: get_flag(&mut r)?, deaf: get_flag(&mut r)?, older: get_flag(&mut r)? };
        let (unheard, last) = (get_time(&mut r)?, get_time(&mut r)?);
        let begun = if get_flag(&mut r)? {
            Some(Begun {
                state: Initiated::from_secret_bytes(get_bytes(&mut r)?)
                    .map_err(|_| Malformed::Field("re-key"))?,
                r1: get_bytes(&mut r)?.to_vec(),
                at: r.u64()?,
                sent: r.u64()?,
            })
        } else {
            None
        };
        let count = r.u8()?;
        if usize::from(count) > ANSWERS {
            return Err(Malformed::Field("answers"));
        }
        let answers = (0..count).map(|_| get_answer(&mut r)).collect::<Result<_, _>>()?;
        r.finish()?;
        Ok(Self { fault, unheard, last, begun, answers })
    }
}

fn get_answer(r: &mut Reader<'_>) -> Result<Answer, Malformed> {
    let (id, at) = (r.array()?, r.u64()?);
    let pending = if get_flag(r)? {
        Some(Pending {
            session: Session::from_row(get_bytes(r)?)?,
            r2: get_bytes(r)?.to_vec(),
            inbox: get_keys(r)?,
            version: r.u32()?,
            sent: r.u64()?,
        })
    } else {
        None
    };
    Ok(Answer { id, at, pending })
}

/// Appends a time, or that there is none.
fn put_time(w: &mut Writer, time: Option<u64>) {
    put_flag(w, time.is_some());
    w.u64(time.unwrap_or_default());
}

fn get_time(r: &mut Reader<'_>) -> Result<Option<u64>, Malformed> {
    let (is, time) = (get_flag(r)?, r.u64()?);
    Ok(is.then_some(time))
}

#[cfg(test)]
mod tests;
