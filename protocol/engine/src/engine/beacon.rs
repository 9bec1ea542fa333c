//! Beacons take the place of loops, and say whether the profile runs elsewhere (ENG-9).

use super::Engine;
use crate::beacon::{BEACON_KEY, Beacon, Judgement, Spot};
use crate::changes::{EventKind, Table};
use crate::clock::Now;
use crate::step::Step;
use crate::watch::{Meaning, Place, WatchOwner};
use board::envelope::{self, Envelope, Kind, Parcel};
use board::tag::OnionKey;
use rand_core::CryptoRng;

impl Engine {
    /// When another copy of this profile was last seen at work, in Unix seconds, if that was in the
    /// last three days (ENG-9).
    #[must_use]
    pub fn elsewhere(&self, now: Now) -> Option<u64> {
        self.beacons.elsewhere(now)
    }

    /// A beacon in the place of a loop, if one is due at this mailbox.
    pub(super) fn make_beacon(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        target: &OnionKey,
    ) -> Option<Envelope> {
        let (i, beacon) = self.beacons.next(rng, now, target)?;
        let (mid, body) = (beacon.run, beacon.body());
        let parcel =
            Parcel { kind: Kind::Beacon, part: 0, parts: 1, ack: None, floor: 0, mid, body };
        let slots = self.beacons.slots();
        let (key, tag) = (slots.key(now.days(), i, target), slots.tag(now.days(), i, target));
        let sealed = envelope::seal(rng, &key, tag, target, &parcel).ok()?;
        self.save_beacons(step);
        Some(sealed)
    }

    /// Opens what lies at the tag of a beacon.
    pub(super) fn open_beacon(
        &mut self,
        now: Now,
        step: &mut Step,
        spot: Spot,
        envelope: &Envelope,
    ) {
        let (mailbox, day, i) = spot;
        let key = self.beacons.slots().key(day, i, &mailbox);
        let Ok(parcel) = envelope::open(&key, &mailbox, envelope) else { return };
        self.beacons.arrived(spot);
        self.watch_beacons();
        let Ok(beacon) = Beacon::of(&parcel) else { return };
        match self.beacons.judge(now, &beacon) {
            Judgement::Own => return,
            Judgement::Known => {}
            Judgement::News => step.event(now, EventKind::ProfileElsewhere, None),
        }
        self.save_beacons(step);
    }

    /// Moves the tags on when a day is over, and saves the row of a profile that had none.
    pub(super) fn tend_beacons(&mut self, now: Now, step: &mut Step) {
        if self.beacons.turn(now.days()) {
            self.watch_beacons();
        }
        if !self.beacons.saved {
            self.save_beacons(step);
        }
    }

    /// Waits for beacons at every own mailbox.
    pub(super) fn watch_beacons(&mut self) {
        let mut places: Vec<Place> = Vec::new();
        for key in self.own.read() {
            for (mailbox, day, i) in self.beacons.spots(*key) {
                places.push((mailbox, Meaning::Beacon { day, i }));
            }
        }
        let slots = self.beacons.slots();
        let tag = |(mailbox, meaning): &Place| match meaning {
            Meaning::Beacon { day, i } => Some(slots.tag(*day, *i, mailbox)),
            _ => None,
        };
        let changed = self.watch.replace(WatchOwner::Beacons, places, tag);
        self.watch_changed(&changed);
    }

    pub(super) fn save_beacons(&mut self, step: &mut Step) {
        self.beacons.saved = true;
        step.put(Table::Profile, BEACON_KEY, self.beacons.to_row());
    }
}
