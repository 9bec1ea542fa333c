//! Loops go out and come round, or the mailbox is asked where they are (BRD-33, ENG-11).

use super::Engine;
use super::read::raise_alarm;
use crate::clock::Now;
use crate::step::Step;
use crate::watch::{Meaning, WatchOwner};
use board::envelope::{self, Envelope, Kind, Parcel};
use board::tag::{OnionKey, loop_slot};
use crypto::Zeroizing;
use rand_core::CryptoRng;

impl Engine {
    /// An envelope to ourselves.
    pub(super) fn make_loop(
        &mut self,
        rng: &mut impl CryptoRng,
        target: &OnionKey,
    ) -> Option<Envelope> {
        if let Some(oldest) = self.loops.surplus() {
            self.end_loop(oldest);
        }
        let slot = loop_slot(rng);
        let mut mid = [0; 16];
        rng.fill_bytes(&mut mid);
        let body = Zeroizing::new(Vec::new());
        let parcel = Parcel { kind: Kind::Loop, part: 0, parts: 1, ack: None, floor: 0, mid, body };
        let (key, tag) = (slot.key(target), slot.tag(target));
        let sealed = envelope::seal(rng, &key, tag, target, &parcel).ok()?;
        let number = self.loops.add(target, slot, tag);
        self.watch_loop(number);
        Some(sealed)
    }

    /// Waits for a loop no more.
    pub(super) fn end_loop(&mut self, number: u64) {
        self.loops.remove(number);
        self.watch_loop(number);
    }

    fn watch_loop(&mut self, number: u64) {
        let waiting = self.loops.place(number);
        let place = waiting.map(|(mailbox, _)| (mailbox, Meaning::Loop { number }));
        let places = place.into_iter().collect();
        let tag = |_: &_| waiting.map(|(_, tag)| tag);
        let changed = self.watch.replace(WatchOwner::Loop(number), places, tag);
        self.watch_changed(&changed);
    }

    /// Raises the alarm of a mailbox that said STORED and shows the loop in none of its pages.
    pub(super) fn judge_loops(&mut self, now: Now, step: &mut Step, key: &OnionKey) {
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return };
        let held = |page: u64| mailbox.frame(page).is_some();
        let lost = self.loops.lost(key, held, |tag| mailbox.finds.knows(&tag.0));
        if !lost.is_empty() {
            raise_alarm(mailbox, now, step);
        }
        for number in lost {
            self.end_loop(number);
        }
    }
}
