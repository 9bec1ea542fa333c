//! Files of contacts: offers, parts, reports to the sender (FIL-8 to FIL-12).

use super::super::Engine;
use crate::changes::{EventKind, Table};
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::{Contact, ContactId};
use crate::file::{
    FileAt, FileRecord, MAX_FILES_FROM_ONE, MAX_FROM_ALL, MAX_FROM_ONE, Outcome, Parts, Receiving,
    Stage, part_key,
};
use crate::step::Step;
use crate::watch::{Meaning, Place, WatchOwner};
use board::envelope::{Kind, Parcel};
use board::tag::OnionKey;
use content::{Content, FileProgress, Offer, Report};
use crypto::aead::EnvelopeKey;

/// Envelopes of a file that bring a report, and indices that the base has moved by (FIL-10).
const REPORT_AFTER: u32 = 16;
/// How long the first that was not reported waits for one (FIL-10), in seconds.
const REPORT_AFTER_S: u64 = 30 * 60;

impl Engine {
    /// FIL-8: takes a file, or says at once that it will not be taken.
    pub(in crate::engine) fn take_offer(
        &mut self,
        now: Now,
        step: &mut Step,
        contact: &ContactId,
        offer: Offer,
    ) {
        let at = (*contact, offer.file);
        if self.files.contains_key(&at) {
            return;
        }
        let verified = self.contacts.get(contact).is_some_and(Contact::may_send);
        let fits = self.fits(contact, offer.size);
        let stage = Stage::Receiving(Box::new(Receiving::new(&offer.key)));
        let Offer { file: id, size, hash, name, .. } = offer;
        let (begun, parts) = (now.unix_s(), Parts::new());
        let file = FileRecord {
            contact: *contact,
            id,
            name,
            size,
            hash,
            begun,
            moved: begun,
            stage,
            parts,
        };
        self.files.insert(at, file);
        if verified && fits {
            step.message_event(now, EventKind::FileOffered, Some(*contact), Some(id));
            self.save_file(step, &at);
            self.watch_file(&at);
        } else {
            let how = if verified { Outcome::NoRoom } else { Outcome::Cancelled };
            self.end_file(now, step, &at, how, String::new());
        }
    }

    fn fits(&self, contact: &ContactId, size: u32) -> bool {
        let (mut files, mut of_one, mut of_all) = (0_usize, u64::from(size), u64::from(size));
        for file in self.files.values().filter(|file| file.receiving().is_some()) {
            of_all = of_all.saturating_add(file.size.into());
            if file.contact == *contact {
                of_one = of_one.saturating_add(file.size.into());
                files = files.saturating_add(1);
            }
        }
        files < MAX_FILES_FROM_ONE && of_one <= MAX_FROM_ONE && of_all <= MAX_FROM_ALL
    }

    pub(in crate::engine) fn file_slot_key(
        &self,
        at: &FileAt,
        n: u32,
        mailbox: &OnionKey,
    ) -> Option<EnvelopeKey> {
        let receiving = self.files.get(at)?.receiving()?;
        receiving.chain.slot(n).map(|slot| slot.key(mailbox))
    }

    /// FIL-9: takes a part that opened at index `n`; what is no part changes nothing.
    pub(in crate::engine) fn file_parcel(
        &mut self,
        now: Now,
        step: &mut Step,
        at: FileAt,
        n: u32,
        parcel: Parcel,
    ) {
        let Some(file) = self.files.get_mut(&at) else { return };
        let Ok(part) = u32::try_from(u128::from_be_bytes(parcel.mid)) else { return };
        let fits = file.part_len(part) == Some(parcel.body.len());
        if parcel.kind != Kind::FilePart || parcel.ack.is_some() || !fits {
            return;
        }
        let Some(receiving) = file.receiving_mut() else { return };
        receiving.chain.floor(parcel.floor);
        receiving.chain.consume(n);
        if receiving.unreported == 0 {
            receiving.since = now.unix_s();
        }
        receiving.unreported = receiving.unreported.saturating_add(1);
        // The second, because a sender whose window is used up waits for the base alone.
        let moved = receiving.chain.arrived_base().saturating_sub(receiving.reported);
        let due = receiving.unreported >= REPORT_AFTER || moved >= REPORT_AFTER;
        let fresh = !file.parts.contains_key(&part);
        if fresh {
            step.put(Table::FilePart, &part_key(&at, part), parcel.body.clone());
            file.parts.insert(part, parcel.body);
            file.moved = now.unix_s();
        }
        let have = u32::try_from(file.parts.len()).unwrap_or(u32::MAX);
        let complete = fresh && have == file.count();
        if complete && file.hash_of_parts() != file.hash {
            // FIL-11
            return self.end_file(now, step, &at, Outcome::Damaged, String::new());
        }
        if let Some(receiving) = file.receiving_mut().filter(|_| complete) {
            receiving.whole = true;
        }
        if complete || due {
            self.report(&at);
        }
        self.save_file(step, &at);
        self.watch_file(&at);
    }

    /// FIL-12: the file lies in the folder under `name`.
    pub(in crate::engine) fn file_saved(
        &mut self,
        now: Now,
        step: &mut Step,
        at: FileAt,
        name: String,
    ) -> Result<Reply, CommandError> {
        let file = self.files.get(&at).ok_or(CommandError::Unknown)?;
        if !file.receiving().is_some_and(|receiving| receiving.whole) {
            return Err(CommandError::FileOver);
        }
        self.end_file(now, step, &at, Outcome::Done, name);
        Ok(Reply::Done)
    }

    /// Reports that have waited long enough (FIL-10).
    pub(super) fn report_late(&mut self, now: Now) {
        let late = |file: &&FileRecord| {
            file.receiving().is_some_and(|receiving| {
                let waited = now.unix_s().saturating_sub(receiving.since);
                receiving.unreported > 0 && waited >= REPORT_AFTER_S
            })
        };
        let late: Vec<FileAt> =
            self.files.values().filter(late).map(|file| (file.contact, file.id)).collect();
        late.iter().for_each(|at| self.report(at));
    }

    fn report(&mut self, at: &FileAt) {
        if let Some(receiving) = self.files.get_mut(at).and_then(FileRecord::receiving_mut) {
            receiving.unreported = 0;
            receiving.reported = receiving.chain.arrived_base();
        }
        self.file_reports.insert(*at);
    }

    /// What is to be said of a file when its report is sealed.
    pub(in crate::engine) fn report_of(&self, at: FileAt) -> Content {
        let progress = self.files.get(&at).and_then(|file| match &file.stage {
            Stage::Receiving(receiving) => Some(FileProgress::Have {
                base: receiving.chain.arrived_base(),
                map: receiving.chain.ack_map(),
            }),
            Stage::Ended { ours, how, .. } => how.report(*ours).map(FileProgress::End),
            Stage::Sending(_) => None,
        });
        progress.map_or(Content::Receipt, |progress| {
            Content::FileReport(Report { file: at.1, progress })
        })
    }

    /// Waits for the tags of a file's window at every own mailbox, or no more if it is over.
    pub(super) fn watch_file(&mut self, at: &FileAt) {
        let (contact, file) = *at;
        let chain =
            self.files.get(at).and_then(FileRecord::receiving).map(|receiving| &receiving.chain);
        let mut places: Vec<Place> = Vec::new();
        for (n, _) in chain.into_iter().flat_map(|chain| chain.slots()) {
            let meaning = Meaning::File { contact, file, n };
            self.own.read().for_each(|mailbox| places.push((*mailbox, meaning)));
        }
        let tag = |(mailbox, meaning): &Place| match meaning {
            Meaning::File { n, .. } => Some(chain?.slot(*n)?.tag(mailbox)),
            _ => None,
        };
        let changed = self.watch.replace(WatchOwner::File(*at), places, tag);
        self.watch_changed(&changed);
    }

    /// Waits for the tags of all files, after a start or when the own mailboxes change.
    pub(in crate::engine) fn watch_files(&mut self) {
        let receiving = self.files.iter().filter(|(_, file)| file.receiving().is_some());
        let receiving: Vec<FileAt> = receiving.map(|(at, _)| *at).collect();
        receiving.iter().for_each(|at| self.watch_file(at));
    }
}
