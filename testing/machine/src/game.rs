//! One session under one schedule.

use std::collections::VecDeque;

use crypto::{dh, kem};
use ratchet::{Ciphertext, Ratchet};

use crate::deal::{Deal, Mood, Op};
use crate::dice::{Chance, Dice};
use crate::failure::Kind;
use crate::model::{self, Place, Refusal, Window};
use crate::tally::Tally;
use crate::thief::{Header, Wire};

/// A broken promise and what happened.
pub(crate) type Verdict<T = ()> = Result<T, (Kind, String)>;

/// Lines of the trace that a failure shows.
const TRACE: usize = 40;
const FIRST_DAY: u32 = 20_000;

/// A message that was sent.
pub(crate) struct Letter {
    pub(crate) from: usize,
    pub(crate) at: Place,
    pub(crate) pn: u32,
    pub(crate) content: Vec<u8>,
    pub(crate) message: Ciphertext,
    /// It was put on its way and never taken off.
    pub(crate) delivered: bool,
    pub(crate) accepted: bool,
}

/// One side: the real one, what is on its disk, and the model.
pub(crate) struct Side {
    pub(crate) real: Ratchet,
    pub(crate) saved: Vec<u8>,
    pub(crate) model: model::Side,
    /// Letters on their way to it.
    pub(crate) inbox: Vec<usize>,
}

/// A state that was stolen, and what it must open.
pub(crate) struct Theft {
    pub(crate) from: usize,
    pub(crate) state: Vec<u8>,
    pub(crate) window: Window,
}

pub(crate) struct Game {
    pub(crate) chance: Chance,
    pub(crate) dice: Dice,
    /// What the dice gave for each chain.
    pub(crate) draws: Vec<Vec<u8>>,
    /// B, the invited side, and A, the inviter.
    pub(crate) sides: [Side; 2],
    pub(crate) letters: Vec<Letter>,
    pub(crate) wire: Wire,
    pub(crate) thefts: Vec<Theft>,
    pub(crate) today: u32,
    /// The first and the last day that any clock showed.
    pub(crate) days: (u32, u32),
    pub(crate) tally: Tally,
    pub(crate) trace: VecDeque<String>,
    pub(crate) deal: Deal,
}

impl Game {
    pub(crate) fn new(seed: u64, mood: Mood) -> Self {
        let mut chance = Chance::new(seed);
        let mut dice = Dice::new(chance.next_u64());
        let mut root = [0; 32];
        let mut sid = [0; 32];
        root[..8].copy_from_slice(&chance.next_u64().to_be_bytes());
        sid[..8].copy_from_slice(&chance.next_u64().to_be_bytes());
        // Nobody's pair, in the place of the chain before the first.
        let (_, nobodys) = dh::generate(&mut dice);
        let (_, nobodys_ek) = kem::generate(&mut dice);
        let wire = Wire::new(nobodys.0, *nobodys_ek.as_bytes());
        let mut draws = vec![dice.take()];
        let a = Ratchet::inviter(&root, sid);
        let b = Ratchet::invited(&mut dice, &root, sid);
        draws.push(dice.take());
        let side = |real: Ratchet, model| {
            let saved = real.to_secret_bytes().to_vec();
            Side { real, saved, model, inbox: Vec::new() }
        };
        let sides = [side(b, model::Side::invited()), side(a, model::Side::inviter())];
        let deal = Deal::draw(&mut chance, mood);
        Self {
            chance,
            dice,
            draws,
            sides,
            letters: Vec::new(),
            wire,
            thefts: Vec::new(),
            today: FIRST_DAY,
            days: (FIRST_DAY, FIRST_DAY),
            tally: Tally { games: 1, ..Tally::default() },
            trace: VecDeque::new(),
            deal,
        }
    }

    pub(crate) fn play(&mut self) -> Verdict<Tally> {
        if self.chance.one_in(8) {
            // A waits only at the beginning.
            self.steal(1)?;
        }
        if self.chance.one_in(4) {
            // So does what begins the first chain; side 0 is B.
            self.send(0)?;
            self.twist(1)?;
        }
        for _ in 0..self.deal.length {
            let (op, side) = self.deal.next(&mut self.chance);
            self.step(op, side)?;
        }
        self.arrive_all()?;
        self.nothing_was_lost()?;
        self.try_thefts()?;
        for side in &self.sides {
            self.tally.by_chains += side.model.pushed.0;
            self.tally.by_keys += side.model.pushed.1;
        }
        Ok(self.tally)
    }

    fn step(&mut self, op: Op, side: usize) -> Verdict {
        let inbox = self.sides[side].inbox.len();
        match op {
            Op::Send => self.send(side),
            Op::Oldest | Op::Any | Op::Newest | Op::Lose if inbox == 0 => Ok(()),
            Op::Oldest => self.arrive(side, 0),
            Op::Any => {
                let at = self.chance.below(inbox);
                self.arrive(side, at)
            }
            Op::Newest => self.arrive(side, inbox - 1),
            Op::Lose => {
                let at = self.chance.below(inbox);
                let id = self.sides[side].inbox.swap_remove(at);
                self.tally.lost += 1;
                self.note(|| format!("letter {id} is lost"));
                Ok(())
            }
            Op::Again => self.again(side),
            Op::Damage => self.damage(side),
            Op::Alien => self.alien(side),
            Op::Twist => self.twist(side),
            Op::Crash => self.crash(side),
            Op::Reload => self.reload(side),
            Op::Steal => self.steal(side),
            Op::Days => self.days_pass(side),
            Op::Burst => self.burst(side),
        }
    }

    /// Counts one step, and remembers it.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        self.tally.steps += 1;
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back(what());
    }

    /// RAT-3: one message, saved before it leaves.
    pub(crate) fn send(&mut self, side: usize) -> Verdict {
        let id = self.letters.len();
        let content = self.content(id, side);
        let party = &mut self.sides[side];
        let sent = party.real.encrypt(&mut self.dice, &content);
        let draws = self.dice.take();
        let Some((at, pn)) = party.model.say() else {
            let still = *party.saved == **party.real.to_secret_bytes();
            let refused = sent.is_err() && !party.real.can_send() && still && draws.is_empty();
            self.note(|| format!("side {side} cannot send yet"));
            return verdict(refused, Kind::Send, || format!("side {side} spoke before it heard"));
        };
        self.note(|| format!("side {side} sends letter {id}: chain {} n {}", at.chain, at.n));
        let message = sent.map_err(|error| (Kind::Send, format!("letter {id}: {error}")))?;
        self.sides[side].saved = self.sides[side].real.to_secret_bytes().to_vec();
        self.tally.messages += 1;

        let header = Header::of(&message);
        let seen = self.wire.see(id, &message);
        let chain = usize::try_from(at.chain).unwrap();
        if chain == self.draws.len() {
            self.draws.push(draws);
        } else if !draws.is_empty() {
            return Err((Kind::Send, format!("letter {id} drew keys in the middle of a chain")));
        }
        if (seen, header.n, header.pn) != (chain, at.n, pn) {
            let what = format!("letter {id} is chain {seen} n {} pn {}", header.n, header.pn);
            return Err((Kind::Send, what));
        }
        let (delivered, accepted) = (false, false);
        self.letters.push(Letter { from: side, at, pn, content, message, delivered, accepted });
        self.sides[1 - side].inbox.push(id);
        Ok(())
    }

    /// Words that no other letter has.
    fn content(&mut self, id: usize, side: usize) -> Vec<u8> {
        let mut content = format!("letter {id} of side {side}").into_bytes();
        let more = if self.chance.one_in(16) {
            ratchet::MAX_CONTENT - content.len()
        } else {
            self.chance.below(64)
        };
        content.resize(content.len() + more, b'.');
        content
    }

    /// The letter at this place of the inbox arrives, undamaged.
    pub(crate) fn arrive(&mut self, side: usize, at: usize) -> Verdict {
        let id = self.sides[side].inbox.remove(at);
        self.hand_over(side, id)
    }

    /// An undamaged letter of the peer, perhaps not for the first time.
    pub(crate) fn hand_over(&mut self, side: usize, id: usize) -> Verdict {
        let today = self.today;
        let letter = &mut self.letters[id];
        letter.delivered = true;
        let party = &mut self.sides[side];
        let was_late = party.model.late.contains_key(&letter.at);
        let expected = party.model.hear(letter.at, letter.pn, today);
        let got = party.real.decrypt(today, &letter.message);
        let place = letter.at;
        let before = letter.accepted;
        match (&expected, &got) {
            (Ok(()), Ok(text)) => {
                let same = text.content() == letter.content;
                letter.accepted = true;
                party.saved = party.real.to_secret_bytes().to_vec();
                self.tally.accepted += 1;
                self.tally.late += u64::from(was_late);
                self.note(|| format!("letter {id} is accepted: {place:?}"));
                verdict(same, Kind::Garbled, || format!("letter {id} says something else"))?;
                verdict(!before, Kind::Twice, || format!("letter {id} is accepted again"))
            }
            (Ok(()), Err(error)) => {
                Err((Kind::Lost, format!("letter {id} is refused: {place:?}: {error:?}")))
            }
            (Err(_), Ok(_)) if before => {
                Err((Kind::Twice, format!("letter {id} is accepted again: {place:?}")))
            }
            (Err(why), Ok(_)) => {
                Err((Kind::Limit, format!("letter {id} is accepted: {place:?}, though {why:?}")))
            }
            (Err(why), Err(_)) => {
                match why {
                    Refusal::Gone if before => self.tally.again += 1,
                    Refusal::Gone => self.tally.pushed_out += 1,
                    Refusal::Expired => self.tally.expired += 1,
                    Refusal::TooFar => self.tally.too_far += 1,
                }
                self.note(|| format!("letter {id} is refused: {place:?}: {why:?}"));
                self.untouched(side)
            }
        }
    }

    /// Something that must not be accepted, nor change anything.
    pub(crate) fn refuse(&mut self, side: usize, message: &Ciphertext, what: &str) -> Verdict {
        let got = self.sides[side].real.decrypt(self.today, message);
        self.note(|| format!("side {side} gets {what}"));
        verdict(got.is_err(), Kind::Alien, || format!("side {side} accepted {what}"))?;
        self.untouched(side)
    }

    /// RAT-4: what was refused has changed nothing.
    fn untouched(&self, side: usize) -> Verdict {
        let party = &self.sides[side];
        let same = *party.saved == **party.real.to_secret_bytes();
        verdict(same, Kind::Touched, || format!("side {side} changed though it refused"))
    }
}

pub(crate) fn verdict(good: bool, kind: Kind, what: impl FnOnce() -> String) -> Verdict {
    if good { Ok(()) } else { Err((kind, what())) }
}
