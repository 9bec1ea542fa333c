//! The unkind part of a game: doubles, damage, strangers, crashes, thieves; and the reckoning at its end.

use std::collections::BTreeMap;

use ratchet::{CIPHERTEXT_LEN, Ciphertext, Ratchet};

use crate::failure::Kind;
use crate::game::{Game, Letter, Theft, Verdict, verdict};
use crate::layout::State;
use crate::model::{self, MAX_OLD_CHAINS, MAX_SKIP, MAX_STORED, Power, SKIPPED_DAYS, Turn};
use crate::thief::{Broken, Thief};
use crate::twist::{HEADER_LEN, Twist, craft};

/// Most thefts in a game.
const THEFTS: usize = 3;

impl Game {
    /// Any letter to this side that was ever sent: a double, or one that was thought lost.
    pub(crate) fn again(&mut self, side: usize) -> Verdict {
        let letters: Vec<usize> = self.letters_to(side).collect();
        let Some(id) = self.chance.pick(&letters) else { return Ok(()) };
        self.hand_over(side, id)
    }

    fn letters_to(&self, side: usize) -> impl Iterator<Item = usize> {
        let from = 1 - side;
        self.letters.iter().enumerate().filter(move |(_, l)| l.from == from).map(|(id, _)| id)
    }

    /// A letter to this side, with something changed on its way.
    pub(crate) fn damage(&mut self, side: usize) -> Verdict {
        let waiting = self.sides[side].inbox.clone();
        let all: Vec<usize> = self.letters_to(side).collect();
        let from = if self.chance.one_in(4) { &all } else { &waiting };
        let (Some(id), Some(other)) = (self.chance.pick(from), self.chance.pick(&all)) else {
            return Ok(());
        };
        let honest = *self.letters[id].message.as_bytes();
        let mut bytes = honest;
        // ver to ct by field, siv, body, tag; or any byte.
        let fields = [0..4, 4..8, 8..12, 12..44, 44..1228, 1228..2316, 2316..2348, 2348..3984];
        match self.chance.below(12) {
            at @ 0..8 => {
                let byte = fields[at].start + self.chance.below(fields[at].len());
                bytes[byte] ^= 1 << self.chance.below(8);
            }
            8 => bytes[CIPHERTEXT_LEN - 1 - self.chance.below(16)] ^= 0x80,
            // The header of one, the body of another.
            9 => bytes[HEADER_LEN..]
                .copy_from_slice(&self.letters[other].message.as_bytes()[HEADER_LEN..]),
            // Another number.
            10 => bytes[4..8].copy_from_slice(&u32_below(self, 3000).to_be_bytes()),
            _ => bytes[HEADER_LEN..].fill(0),
        }
        if bytes == honest {
            return Ok(());
        }
        self.tally.damaged += 1;
        self.refuse(side, &Ciphertext::from_bytes(&bytes), &format!("letter {id}, damaged"))
    }

    /// Its own words, those of another session, and the peer's under another sid.
    pub(crate) fn alien(&mut self, side: usize) -> Verdict {
        self.tally.alien += 1;
        match self.chance.below(3) {
            0 => {
                let own: Vec<usize> = self.letters_to(1 - side).collect();
                let Some(id) = self.chance.pick(&own) else { return Ok(()) };
                let message = self.letters[id].message.clone();
                self.refuse(side, &message, &format!("its own letter {id}"))
            }
            1 => {
                let message = self.foreign();
                self.refuse(side, &message, "a letter of another session")
            }
            _ => self.other_sid(side),
        }
    }

    /// What a stranger says in a session of its own.
    fn foreign(&mut self) -> Ciphertext {
        let dice = &mut self.dice;
        let mut stranger = Ratchet::invited(dice, &[7; 32], [8; 32]);
        let message = stranger.encrypt(dice, b"from a stranger").unwrap();
        dice.take();
        message
    }

    /// RAT-5: the same keys under another session's id open nothing that they would open under their own.
    fn other_sid(&mut self, side: usize) -> Verdict {
        let waiting = self.sides[side].inbox.clone();
        let Some(id) = self.chance.pick(&waiting) else { return Ok(()) };
        self.load(side)?;
        let mut state = State::parse(&self.sides[side].saved);
        state.sid[31] ^= 1;
        let opened = state.load().decrypt(self.today, &self.letters[id].message).is_ok();
        self.note(|| format!("side {side} gets letter {id} under another sid"));
        verdict(!opened, Kind::Alien, || format!("letter {id} was accepted under another sid"))
    }

    /// The peer makes its next message by hand, with a fault in it; then it sends the true one.
    pub(crate) fn twist(&mut self, side: usize) -> Verdict {
        let peer = &self.sides[1 - side];
        let Turn::Send { chain, n, pn } = peer.model.turn else { return Ok(()) };
        let Some(like) = self.letters.iter().rev().find(|l| l.at.chain == chain) else {
            return Ok(());
        };
        let place = model::Place { chain, n };
        if self.sides[side].model.clone().hear(place, pn, self.today).is_err() {
            return Ok(());
        }
        let state = State::parse(&peer.saved);
        // What begins the session's first chain is judged by its ciphertext as well (RAT-4).
        let twist = match self.sides[side].model.turn {
            Turn::Wait => Twist::Ciphertext,
            _ => [Twist::Padding, Twist::Length, Twist::Siv][self.chance.below(3)],
        };
        let crafted = [twist, Twist::Nothing].map(|twist| craft(&state, &like.message, twist));
        let [Some(bad), Some(good)] = crafted else { return Ok(()) };
        self.tally.twisted += 1;
        self.refuse(side, &bad, &format!("a message with false {twist:?}"))?;
        // The control: by the same hand, without the fault.
        self.load(side)?;
        let mut copy = State::parse(&self.sides[side].saved).load();
        let accepted = copy.decrypt(self.today, &good).is_ok();
        verdict(accepted, Kind::ByHand, || "a message made by hand is refused".to_owned())
    }

    /// It does something and falls over before it has saved: nothing has left, nothing was shown.
    pub(crate) fn crash(&mut self, side: usize) -> Verdict {
        let waiting = self.sides[side].inbox.clone();
        let today = self.today;
        let party = &mut self.sides[side];
        if self.chance.one_in(2) {
            let _lost = party.real.encrypt(&mut self.dice, b"never left");
            self.dice.take();
        } else if let Some(id) = self.chance.pick(&waiting) {
            let _unseen = party.real.decrypt(today, &self.letters[id].message);
        }
        self.tally.crashes += 1;
        self.note(|| format!("side {side} crashes"));
        self.load(side)
    }

    pub(crate) fn reload(&mut self, side: usize) -> Verdict {
        let party = &mut self.sides[side];
        let bytes = party.real.to_secret_bytes();
        let parsed = State::parse(&bytes).to_bytes();
        let same = *party.saved == **bytes && parsed == **bytes;
        self.tally.reloads += 1;
        self.note(|| format!("side {side} is saved and loaded"));
        verdict(same, Kind::Reload, || format!("side {side} is not what was saved"))?;
        self.load(side)
    }

    /// From the disk.
    fn load(&mut self, side: usize) -> Verdict {
        let party = &mut self.sides[side];
        party.real = Ratchet::from_secret_bytes(&party.saved)
            .map_err(|error| (Kind::Reload, format!("side {side} cannot be loaded: {error}")))?;
        let same = *party.saved == **party.real.to_secret_bytes();
        verdict(same, Kind::Reload, || format!("side {side} is not what was loaded"))
    }

    pub(crate) fn steal(&mut self, side: usize) -> Verdict {
        if self.thefts.len() < THEFTS {
            self.load(side)?;
            let party = &self.sides[side];
            let (state, window) = (party.saved.clone(), party.model.window());
            match party.model.turn {
                Turn::Wait => self.tally.stolen_wait += 1,
                Turn::Reply { .. } => self.tally.stolen_reply += 1,
                Turn::Send { .. } => self.tally.stolen_send += 1,
            }
            self.thefts.push(Theft { from: side, state, window });
            self.note(|| format!("the state of side {side} is stolen"));
        }
        Ok(())
    }

    /// Days pass, or a clock goes back, or a key becomes as old as it may be and a late letter comes on that day or the next.
    pub(crate) fn days_pass(&mut self, side: usize) -> Verdict {
        match self.chance.below(8) {
            0 => self.set_day(self.today - 5),
            1..4 => {
                let days = u32_below(self, 12);
                self.set_day(self.today + days);
            }
            _ => {
                let late: Vec<_> =
                    self.sides[side].model.late.iter().map(|(at, day)| (*at, *day)).collect();
                let Some((at, day)) = self.chance.pick(&late) else { return Ok(()) };
                let too_old = u32_below(self, 2);
                self.set_day(day + SKIPPED_DAYS + too_old);
                if let Some(id) = self.letters.iter().position(|l| l.at == at) {
                    self.sides[side].inbox.retain(|waiting| *waiting != id);
                    self.hand_over(side, id)?;
                }
            }
        }
        if self.chance.one_in(2) { self.daily_call() } else { Ok(()) }
    }

    fn set_day(&mut self, today: u32) {
        self.today = today;
        self.days = (self.days.0.min(today), self.days.1.max(today));
        self.note(|| format!("it is day {today}"));
    }

    fn daily_call(&mut self) -> Verdict {
        for side in 0..2 {
            let party = &mut self.sides[side];
            let forgot = party.real.forget_expired(self.today);
            party.saved = party.real.to_secret_bytes().to_vec();
            let same = forgot == party.model.forget_expired(self.today);
            let left = State::parse(&party.saved).skipped.iter().map(|s| s.keys.len()).sum();
            let same = same && party.model.late.len() == left;
            verdict(same, Kind::Limit, || format!("side {side} keeps {left} keys"))?;
        }
        Ok(())
    }

    /// Much in a row; then, if there was enough, the first message that stands too far ahead, and the last that does not.
    pub(crate) fn burst(&mut self, side: usize) -> Verdict {
        let count = self.deal.bursts[self.chance.below(self.deal.bursts.len())];
        let first = self.letters.len();
        for _ in 0..count {
            self.send(side)?;
        }
        let to = 1 - side;
        if self.chance.one_in(2) {
            // Most are lost for ever, so that the end of the game is short.
            let mut inbox = std::mem::take(&mut self.sides[to].inbox);
            let before = inbox.len();
            inbox.retain(|id| *id < first || self.chance.one_in(50));
            self.tally.lost += u64::try_from(before - inbox.len()).unwrap();
            self.sides[to].inbox = inbox;
        }
        let theirs = self.sides[to].model.theirs;
        for ahead in [MAX_SKIP + 1, MAX_SKIP] {
            let place = |l: &Letter| {
                let next = theirs.filter(|t| t.chain == l.at.chain).map_or(0, |t| t.n);
                l.from == side && l.at.n == next + ahead
            };
            if let Some(id) = (first..self.letters.len()).find(|id| place(&self.letters[*id])) {
                self.sides[to].inbox.retain(|waiting| *waiting != id);
                self.hand_over(to, id)?;
            }
        }
        Ok(())
    }

    /// What is still on its way arrives, in any order.
    pub(crate) fn arrive_all(&mut self) -> Verdict {
        // In turns, as nothing can be overtaken by a chain that answers it.
        for side in [0, 1] {
            while !self.sides[side].inbox.is_empty() {
                let at = self.chance.below(self.sides[side].inbox.len());
                self.arrive(side, at)?;
            }
        }
        Ok(())
    }

    /// Without asking the model: whatever arrived was accepted, unless a limit of RAT-6 may excuse that.
    pub(crate) fn nothing_was_lost(&self) -> Verdict {
        let mut length = BTreeMap::new();
        let mut total = [0_usize; 2];
        for letter in &self.letters {
            *length.entry((letter.from, letter.at.chain)).or_insert(0_u32) += 1;
            total[letter.from] += 1;
        }
        for (id, letter) in self.letters.iter().enumerate() {
            if !letter.delivered || letter.accepted {
                continue;
            }
            let newer = length.range((letter.from, letter.at.chain)..=(letter.from, u32::MAX));
            let excused = newer.count() > MAX_OLD_CHAINS + 1
                || length.iter().any(|((from, _), n)| *from == letter.from && *n > MAX_SKIP)
                || total[letter.from] > MAX_STORED
                || self.days.1 - self.days.0 > SKIPPED_DAYS;
            verdict(excused, Kind::Lost, || format!("letter {id} was never accepted"))?;
        }
        Ok(())
    }

    /// Every stolen state opens what its window says, for every thief, message by message.
    pub(crate) fn try_thefts(&mut self) -> Verdict {
        if self.thefts.is_empty() {
            return Ok(());
        }
        let broken = Broken::look_up(&self.wire, &self.draws).map_err(|chain| {
            (Kind::Send, format!("the pair of chain {chain} was not drawn when it began"))
        })?;
        for Theft { from, state, window } in &self.thefts {
            let thief = Thief::new(state, &self.wire, &broken);
            let with_keys = thief.with_keys();
            for power in Power::ALL {
                let mut opened = vec![false; self.letters.len()];
                for (id, text) in with_keys.iter().chain(&thief.with_steps(power)) {
                    opened[*id] = true;
                    let same = self.letters[*id].content == *text;
                    verdict(same, Kind::Garbled, || format!("a thief reads another {id}"))?;
                }
                for (id, (letter, opened)) in self.letters.iter().zip(opened).enumerate() {
                    let what = || {
                        format!(
                            "state of side {from} and letter {id} of side {}: {:?}",
                            letter.from, letter.at
                        )
                    };
                    let open = window.opens(power, letter.at);
                    verdict(open || !opened, Kind::OpensMore(power), what)?;
                    verdict(!open || opened, Kind::OpensLess(power), what)?;
                    match (power, open) {
                        (Power::Both, _) => {
                            let others = window.opens(Power::Nothing, letter.at);
                            self.tally.control += u64::from(open && !others);
                        }
                        (_, true) => self.tally.open += 1,
                        (_, false) => self.tally.closed += 1,
                    }
                }
            }
        }
        Ok(())
    }
}

fn u32_below(game: &mut Game, n: usize) -> u32 {
    u32::try_from(game.chance.below(n)).unwrap()
}
