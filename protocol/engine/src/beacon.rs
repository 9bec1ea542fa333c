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
    slots: BeaconSlots,
    /// When this copy of the profile came to be, in Unix seconds.
    since: u64,
    /// When another copy was last seen, and when people were last told; 0 is never.
    seen: u64,
    told: u64,
    /// Oldest first, this run last once it has sent one.
    runs: Vec<Run>,
    /// Newest last.
    used: Vec<Used>,
    /// This run.
    run: [u8; 16],
    /// When each mailbox was given one in this run, on the monotonic clock.
    put: BTreeMap<OnionKey, u64>,
    /// Tags at which one came in this run.
    came: BTreeSet<Spot>,
    /// The day that is read, with the one before and the one after.
    pub(crate) day: u32,
    /// Whether the row is on the disk.
    pub(crate) saved: bool,
}

crypto::opaque!(Beacons);

impl Beacons {
    /// For a profile that has none yet.
    pub(crate) fn begin(now: Now, secret: &[u8; 32], run: [u8; 16]) -> Self {
        Self {
            slots: BeaconSlots::new(secret),
            since: now.unix_s(),
            seen: 0,
            told: 0,
            runs: Vec::new(),
            used: Vec::new(),
            run,
            put: BTreeMap::new(),
            came: BTreeSet::new(),
            day: now.days(),
            saved: false,
        }
    }

    /// Goes on from what was saved.
    pub(crate) fn resume(&mut self, saved: &[u8]) -> Result<(), Malformed> {
        let row = Row::parse(saved)?;
        self.slots = row.slots;
        (self.seen, self.told, self.runs, self.used) = (row.seen, row.told, row.runs, row.used);
        // A copy that was made of a backup begins when it is first loaded.
        if row.since != 0 {
            (self.since, self.saved) = (row.since, true);
        }
        Ok(())
    }

    /// Tags and keys.
    pub(crate) const fn slots(&self) -> &BeaconSlots {
        &self.slots
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
        let i = self.take_tag(rng, now.days())?;
        self.put.insert(*mailbox, now.mono_ms);
        let number = match self.runs.last_mut().filter(|run| run.id == self.run) {
            Some(run) => {
                run.sent = run.sent.saturating_add(1);
                run.sent
            }
            None => {
                if self.runs.len() >= RUNS {
                    self.runs.remove(0);
                }
                self.runs.push(Run { id: self.run, sent: 1 });
                1
            }
        };
        Some((i, Beacon { run: self.run, number, at: now.unix_s() }))
    }

    /// A tag of the day that this copy has not used, at random: so two copies rarely use the same.
    fn take_tag(&mut self, rng: &mut impl CryptoRng, day: u32) -> Option<u8> {
        if !self.used.iter().any(|used| used.day == day) {
            if self.used.len() >= DAYS {
                self.used.remove(0);
            }
            self.used.push(Used { day, map: 0 });
        }
        let used = self.used.iter_mut().find(|used| used.day == day)?;
        let from = rng.next_u32();
        let mut order = (0..u32::from(BEACON_TAGS)).map(|i| from.wrapping_add(i) % 64);
        let i = order.find(|i| used.map & bit(*i) == 0)?;
        used.map |= bit(i);
        u8::try_from(i).ok()
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
        let known = |run: &Run| run.id == beacon.run && beacon.number <= run.sent;
        if self.runs.iter().any(known) || beacon.at <= self.since.saturating_add(SKEW_S) {
            return Judgement::Own;
        }
        let at = beacon.at.min(now.unix_s());
        self.seen = self.seen.max(at).min(now.unix_s());
        if self.told != 0 && now.unix_s().abs_diff(self.told) < TOLD_AGAIN_S {
            return Judgement::Known;
        }
        self.told = now.unix_s();
        Judgement::News
    }

    /// When another copy was last seen, in Unix seconds, if it was lately.
    pub(crate) fn elsewhere(&self, now: Now) -> Option<u64> {
        let lately = self.seen != 0 && now.unix_s().abs_diff(self.seen) < SPOKEN_OF_S;
        lately.then_some(self.seen)
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        write_row(&self.slots, [self.since, self.seen, self.told], &self.used, &self.runs)
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

/// The row: `ver(1) ‖ B(32) ‖ since u64 ‖ seen u64 ‖ told u64 ‖ days u8 ‖ days × ( day u32 ‖ map u64 ) ‖
/// runs u16 ‖ runs × ( id(16) ‖ sent u32 )`; at most 5229 bytes.
struct Row {
    slots: BeaconSlots,
    since: u64,
    seen: u64,
    told: u64,
    used: Vec<Used>,
    runs: Vec<Run>,
}

crypto::opaque!(Row);

impl Row {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let slots = BeaconSlots::new(r.array_ref()?);
        let (since, seen, told) = (r.u64()?, r.u64()?, r.u64()?);
        let days = r.u8()?;
        if usize::from(days) > DAYS {
            return Err(Malformed::Field("days of beacons"));
        }
        let mut used = Vec::with_capacity(DAYS);
        for _ in 0..days {
            used.push(Used { day: r.u32()?, map: r.u64()? });
        }
        let count = r.u16()?;
        if usize::from(count) > RUNS {
            return Err(Malformed::Field("runs"));
        }
        let mut runs = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            runs.push(Run { id: r.array()?, sent: r.u32()? });
        }
        r.finish()?;
        Ok(Self { slots, since, seen, told, used, runs })
    }
}

fn write_row(
    slots: &BeaconSlots,
    times: [u64; 3],
    used: &[Used],
    runs: &[Run],
) -> Zeroizing<Vec<u8>> {
    let mut w = row(runs.len().saturating_mul(20).saturating_add(128));
    w.bytes(slots.expose_secret());
    for time in times {
        w.u64(time);
    }
    // At most DAYS and RUNS.
    w.u8(u8::try_from(used.len()).unwrap_or(u8::MAX));
    for used in used {
        w.u32(used.day).u64(used.map);
    }
    w.u16(u16::try_from(runs.len()).unwrap_or(u16::MAX));
    for run in runs {
        w.bytes(&run.id).u32(run.sent);
    }
    done(w)
}

/// What a backup has of the row: the secret, and nothing of what this copy did.
pub(crate) fn carried(row: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    Ok(write_row(&Row::parse(row)?.slots, [0; 3], &[], &[]))
}

#[cfg(test)]
mod tests;
