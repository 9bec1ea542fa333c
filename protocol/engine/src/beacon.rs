//! Signs of life that every copy of a profile can read, so that one which runs elsewhere is
//! noticed (ENG-9).

use crate::clock::{HOUR, Now};
use crate::rows::{done, open_row, row};
use board::envelope::Parcel;
use board::tag::{BEACON_TAGS, BeaconSlots, OnionKey};
use crypto::Zeroizing;
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Malformed, Reader, Writer};

/// Key of the row of [`crate::changes::Table::Profile`] that says what beacons were sent.
pub(crate) const BEACON_KEY: &[u8] = b"beacon";

/// Between two beacons to one mailbox.
const PAUSE_MS: u64 = 6 * HOUR;
/// Runs of this copy whose beacons are known: more than can lie at the tags that are read.
const RUNS: usize = 256;
/// Days whose used tags are remembered, so that no tag is used twice after a clock went back.
const DAYS: usize = 4;
/// How far the clocks of two devices may be apart, in seconds: what was put before a copy was made
/// is no sign that the other one goes on.
const SKEW_S: u64 = 600;
/// People are told again after this, in seconds.
const TOLD_AGAIN_S: u64 = 24 * 3600;
/// Another copy is spoken of for so long after its last beacon, in seconds.
const SPOKEN_OF_S: u64 = 3 * 24 * 3600;

/// Where a beacon lies: mailbox, UTC day, number of the tag.
pub(crate) type Spot = (OnionKey, u32, u8);

/// One beacon, 12 bytes in the body of its parcel, whose `mid` is the run: `number u32 ‖ at u64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beacon {
    /// 16 random bytes of a start of the engine.
    pub(crate) run: [u8; 16],
    /// Counts the beacons of a run, from 1.
    number: u32,
    /// When it was made, in Unix seconds of its device.
    at: u64,
}

impl Beacon {
    pub(crate) fn body(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(12);
        w.u32(self.number).u64(self.at);
        done(w)
    }

    pub(crate) fn of(parcel: &Parcel) -> Result<Self, Malformed> {
        let mut r = Reader::new(&parcel.body);
        let (number, at) = (r.u32()?, r.u64()?);
        r.finish()?;
        Ok(Self { run: parcel.mid, number, at })
    }
}

/// How many beacons a run has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    id: [u8; 16],
    sent: u32,
}

/// Which tags of a day have been used: bit `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    day: u32,
    map: u64,
}

/// The beacons of a profile: what was sent here, and what another copy was seen to send.
pub(crate) struct Beacons {
    row: Row,
    /// This run.
    run: [u8; 16],
    /// When each mailbox was given one in this run, on the monotonic clock.
    put: BTreeMap<OnionKey, u64>,
    /// Tags at which one came in this run.
    came: BTreeSet<Spot>,
    /// The day that is read, with the one before and the one after.
    day: u32,
    /// Whether the row is on the disk.
    pub(crate) saved: bool,
}

/// What is saved of them.
struct Row {
    slots: BeaconSlots,
    /// When this copy of the profile came to be, in Unix seconds; 0 in a backup.
    since: u64,
    /// When another copy was last seen, and when people were last told; 0 is never.
    seen: u64,
    told: u64,
    /// Newest last.
    used: Vec<Used>,
    /// Oldest first, this run last once it has sent one.
    runs: Vec<Run>,
}

crypto::opaque!(Beacons, Row);

impl Beacons {
    /// For a profile that has none yet.
    pub(crate) fn begin(now: Now, secret: &[u8; 32], run: [u8; 16]) -> Self {
        Self {
            row: Row { since: now.unix_s(), ..Row::new(BeaconSlots::new(secret)) },
            run,
            put: BTreeMap::new(),
            came: BTreeSet::new(),
            day: now.days(),
            saved: false,
        }
    }

    /// Goes on from what was saved.
    pub(crate) fn resume(&mut self, saved: &[u8]) -> Result<(), Malformed> {
        let begun = core::mem::replace(&mut self.row, Row::from_bytes(saved)?);
        self.saved = self.row.since != 0;
        if !self.saved {
            // A copy that was made of a backup begins when it is first loaded.
            self.row.since = begun.since;
        }
        Ok(())
    }

    /// Tags and keys.
    pub(crate) const fn slots(&self) -> &BeaconSlots {
        &self.row.slots
    }

    /// Tags that are waited for at a mailbox: those of a day before and after as well, for a clock
    /// that differs.
    pub(crate) fn spots(&self, mailbox: OnionKey) -> impl Iterator<Item = Spot> {
        let days = self.day.saturating_sub(1)..=self.day.saturating_add(1);
        let spots = days.flat_map(move |day| (0..BEACON_TAGS).map(move |i| (mailbox, day, i)));
        spots.filter(|spot| !self.came.contains(spot))
    }

    /// Moves the days on that are read; says whether they are others now.
    pub(crate) fn turn(&mut self, today: u32) -> bool {
        let turned = self.day != today;
        if turned {
            self.day = today;
            self.came.retain(|(_, day, _)| day.abs_diff(today) <= 1);
        }
        turned
    }

    /// The next beacon for a mailbox and the number of its tag, if one is due and the day has a tag
    /// left. It must be saved before it leaves: what is not in the row is another copy's.
    pub(crate) fn next(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        mailbox: &OnionKey,
    ) -> Option<(u8, Beacon)> {
        let last = self.put.get(mailbox);
        if last.is_some_and(|at| now.mono_ms.saturating_sub(*at) < PAUSE_MS) {
            return None;
        }
        let i = self.row.take_tag(rng, now.days())?;
        self.put.insert(*mailbox, now.mono_ms);
        Some((i, Beacon { run: self.run, number: self.row.count(self.run), at: now.unix_s() }))
    }

    /// A beacon came at a tag: it is not looked for again in this run.
    pub(crate) fn arrived(&mut self, spot: Spot) {
        self.came.insert(spot);
    }

    /// Judges a beacon: whether it is another copy's, and if so, whether people are to be told.
    ///
    /// Another copy's is what this one's row does not know, since nothing leaves before it is
    /// saved; and nothing of the time before this copy was made.
    pub(crate) fn judge(&mut self, now: Now, beacon: &Beacon) -> Judgement {
        let row = &mut self.row;
        let known = |run: &Run| run.id == beacon.run && beacon.number <= run.sent;
        if row.runs.iter().any(known) || beacon.at <= row.since.saturating_add(SKEW_S) {
            return Judgement::Own;
        }
        // A clock that is years ahead is spoken of no longer than another.
        row.seen = row.seen.max(beacon.at).min(now.unix_s());
        if row.told != 0 && now.unix_s().abs_diff(row.told) < TOLD_AGAIN_S {
            return Judgement::Known;
        }
        row.told = now.unix_s();
        Judgement::News
    }

    /// When another copy was last seen, in Unix seconds, if it was lately.
    pub(crate) fn elsewhere(&self, now: Now) -> Option<u64> {
        let seen = self.row.seen;
        (seen != 0 && now.unix_s().abs_diff(seen) < SPOKEN_OF_S).then_some(seen)
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        self.row.to_bytes()
    }
}

const fn bit(i: u32) -> u64 {
    match 1_u64.checked_shl(i) {
        Some(bit) => bit,
        None => 0,
    }
}

/// What a beacon says about the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Sent here.
    Own,
    /// Sent by another copy, of which people were told.
    Known,
    /// Sent by another copy, of which people are to be told.
    News,
}

impl Row {
    const fn new(slots: BeaconSlots) -> Self {
        Self { slots, since: 0, seen: 0, told: 0, used: Vec::new(), runs: Vec::new() }
    }

    /// A tag of the day that this copy has not used, at random: so two copies rarely use the same.
    fn take_tag(&mut self, rng: &mut impl CryptoRng, day: u32) -> Option<u8> {
        if !self.used.iter().any(|used| used.day == day) {
            push_bounded(&mut self.used, DAYS, Used { day, map: 0 });
        }
        let used = self.used.iter_mut().find(|used| used.day == day)?;
        let from = rng.next_u32();
        let mut order = (0..u32::from(BEACON_TAGS)).map(|i| from.wrapping_add(i) % 64);
        let i = order.find(|i| used.map & bit(*i) == 0)?;
        used.map |= bit(i);
        u8::try_from(i).ok()
    }

    /// One more beacon of the run that is on; gives its number.
    fn count(&mut self, run: [u8; 16]) -> u32 {
        if let Some(run) = self.runs.last_mut().filter(|last| last.id == run) {
            run.sent = run.sent.saturating_add(1);
            return run.sent;
        }
        push_bounded(&mut self.runs, RUNS, Run { id: run, sent: 1 });
        1
    }

    /// `ver(1) ‖ B(32) ‖ since u64 ‖ seen u64 ‖ told u64 ‖ days u8 ‖ days × ( day u32 ‖ map u64 ) ‖
    /// runs u16 ‖ runs × ( id(16) ‖ sent u32 )`; at most 5228 bytes.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(self.runs.len().saturating_mul(20).saturating_add(128));
        w.bytes(self.slots.expose_secret()).u64(self.since).u64(self.seen).u64(self.told);
        // At most DAYS and RUNS.
        w.u8(u8::try_from(self.used.len()).unwrap_or(u8::MAX));
        for used in &self.used {
            w.u32(used.day).u64(used.map);
        }
        w.u16(u16::try_from(self.runs.len()).unwrap_or(u16::MAX));
        for run in &self.runs {
            w.bytes(&run.id).u32(run.sent);
        }
        done(w)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let mut row = Self::new(BeaconSlots::new(r.array_ref()?));
        (row.since, row.seen, row.told) = (r.u64()?, r.u64()?, r.u64()?);
        let days = r.u8()?;
        if usize::from(days) > DAYS {
            return Err(Malformed::Field("days of beacons"));
        }
        for _ in 0..days {
            row.used.push(Used { day: r.u32()?, map: r.u64()? });
        }
        let runs = r.u16()?;
        if usize::from(runs) > RUNS {
            return Err(Malformed::Field("runs"));
        }
        for _ in 0..runs {
            row.runs.push(Run { id: r.array()?, sent: r.u32()? });
        }
        r.finish()?;
        Ok(row)
    }
}

/// Appends to a list of at most `most`; the oldest goes.
fn push_bounded<T>(list: &mut Vec<T>, most: usize, item: T) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(item);
}

/// What a backup has of the row: the secret, and nothing of what this copy did.
pub(crate) fn carried(row: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    Ok(Row::new(Row::from_bytes(row)?.slots).to_bytes())
}

#[cfg(test)]
mod tests;
