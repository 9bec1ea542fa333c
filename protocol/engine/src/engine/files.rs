//! Files: what is common to both directions, how they end, and what views show
//! (`docs/spec/files.md`).

mod receive;
mod send;

use super::Engine;
use crate::changes::{EventKind, Table};
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::ContactId;
use crate::file::{FileAt, FileId, FileRecord, Outcome, Stage, part_key};
use crate::outbox::{ItemId, Load, Owner};
use crate::rows::pair;
use crate::step::Step;
use crypto::Zeroizing;
use rand_core::CryptoRng;
use wire::{Malformed, Reader};

/// A file that has not moved for so long has failed (FIL-13), in seconds.
const GIVE_UP_S: u64 = 14 * 24 * 3600;
/// What is known of a file that has ended is forgotten after this (FIL-14), in seconds.
const REMEMBER_S: u64 = 30 * 24 * 3600;
/// Files of one contact that have ended and are remembered (FIL-14).
const MAX_ENDED: usize = 64;

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Ours: the contact does not know of it yet.
    Offered,
    /// Parts are on their way.
    Moving,
    /// Of the contact: all of it is here and is to be saved in the folder.
    Whole,
    /// It is over.
    Ended(Outcome),
}

/// A file, as views show it.
pub struct FileView {
    /// Identifier.
    pub id: FileId,
    /// To or from whom.
    pub contact: ContactId,
    /// The sender's name for it; not cleaned for display.
    pub name: String,
    /// Its name in the folder, once it was saved there.
    pub saved: String,
    /// Bytes of the whole.
    pub size: u32,
    /// Bytes that have arrived; of an own one, those that the contact has reported.
    pub done: u32,
    /// Whether it goes out from here.
    pub ours: bool,
    /// Where it stands.
    pub state: FileState,
    /// When it was accepted or offered here, Unix seconds.
    pub begun: u64,
}

impl Engine {
    /// All files that are known, those of one contact together.
    pub fn files(&self) -> impl Iterator<Item = FileView> {
        self.files.values().map(|file| self.file_view(file))
    }

    /// Files that are whole and are to be saved in the folder (FIL-12).
    pub fn whole_files(&self) -> impl Iterator<Item = (ContactId, FileId)> {
        let whole = |file: &&FileRecord| file.receiving().is_some_and(|receiving| receiving.whole);
        self.files.values().filter(whole).map(|file| (file.contact, file.id))
    }

    /// The name that its sender gave a whole file, and its bytes.
    #[must_use]
    pub fn whole_file(
        &self,
        contact: ContactId,
        file: FileId,
    ) -> Option<(&str, Zeroizing<Vec<u8>>)> {
        let file = self.files.get(&(contact, file))?;
        let whole = file.receiving().is_some_and(|receiving| receiving.whole);
        let parts: Vec<&[u8]> = file.parts.values().map(|part| part.as_slice()).collect();
        whole.then(|| (file.name.as_str(), Zeroizing::new(parts.concat())))
    }

    fn file_view(&self, file: &FileRecord) -> FileView {
        let part = u32::try_from(board::envelope::BODY_LEN).unwrap_or(u32::MAX);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (state, parts) = match &file.stage {
            Stage::Sending(sending) => {
                let waiting = self.outbox.of(Owner::File(file.contact, file.id)).count();
                let offered = sending.key.is_some();
                let state = if offered { FileState::Offered } else { FileState::Moving };
                (state, sending.next.saturating_sub(count(waiting)))
            }
            Stage::Receiving(receiving) => {
                let state = if receiving.whole { FileState::Whole } else { FileState::Moving };
                (state, count(file.parts.len()))
            }
            Stage::Ended { how, .. } => {
                let parts = if *how == Outcome::Done { file.count() } else { 0 };
                (FileState::Ended(*how), parts)
            }
        };
        let saved = match &file.stage {
            Stage::Ended { saved, .. } => saved.clone(),
            _ => String::new(),
        };
        FileView {
            id: file.id,
            contact: file.contact,
            name: file.name.clone(),
            saved,
            size: file.size,
            done: parts.saturating_mul(part).min(file.size),
            ours: file.ours(),
            state,
            begun: file.begun,
        }
    }

    /// Queues what this step has made due: parts of files, and reports.
    pub(super) fn files_due(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        for at in core::mem::take(&mut self.file_fills) {
            self.fill_file(rng, now, step, &at);
        }
        for at in core::mem::take(&mut self.file_reports) {
            // FIL-10: the newest says all that older ones say.
            self.drop_reports(step, &at);
            if self.contacts.contains_key(&at.0) {
                self.queue(rng, now, step, &at.0, Load::Report(at.1));
            }
        }
    }

    fn drop_reports(&mut self, step: &mut Step, at: &FileAt) {
        let of = self.outbox.about(*at).filter(|item| matches!(item.load, Load::Report(_)));
        let items: Vec<ItemId> = of.map(|item| item.id).collect();
        items.iter().for_each(|item| self.drop_item(step, item));
    }

    /// Ends a file that is under way (FIL-13).
    pub(super) fn cancel_file(
        &mut self,
        now: Now,
        step: &mut Step,
        at: FileAt,
    ) -> Result<Reply, CommandError> {
        let file = self.files.get(&at).ok_or(CommandError::Unknown)?;
        if file.ended() {
            return Err(CommandError::FileOver);
        }
        self.end_file(now, step, &at, Outcome::Cancelled, String::new());
        Ok(Reply::Done)
    }

    /// A file is over: its bytes and secrets go, and the other side is told, if it knows of it.
    fn end_file(&mut self, now: Now, step: &mut Step, at: &FileAt, how: Outcome, saved: String) {
        let Some(file) = self.files.get_mut(at) else { return };
        let ours = file.ours();
        let parts: Vec<u32> = core::mem::take(&mut file.parts).into_keys().collect();
        file.stage = Stage::Ended { ours, how, saved };
        file.moved = now.unix_s();
        for part in parts {
            step.delete(Table::FilePart, &part_key(at, part));
        }
        let offer = self.outbox.about(*at).find(|item| matches!(item.load, Load::Offer(_)));
        let unknown = offer.is_some_and(|item| item.sealed.is_none() && item.repeats == 0);
        let parts = self.outbox.of(Owner::File(at.0, at.1));
        let items: Vec<ItemId> = parts.chain(self.outbox.about(*at)).map(|item| item.id).collect();
        items.iter().for_each(|item| self.drop_item(step, item));
        if how.report(ours).is_some() && !unknown {
            self.file_reports.insert(*at);
        }
        let received = how == Outcome::Done && !ours;
        let kind = if received { EventKind::FileReceived } else { EventKind::FileEnded };
        step.message_event(now, kind, Some(at.0), Some(at.1));
        self.save_file(step, at);
        self.watch_file(at);
        self.forget_ended(step, &at.0);
    }

    /// Ends all files with a contact.
    pub(super) fn end_files(&mut self, now: Now, step: &mut Step, contact: &ContactId) {
        let files = self.files_of(contact).filter(|file| !file.ended());
        let at: Vec<FileAt> = files.map(|file| (file.contact, file.id)).collect();
        for at in at {
            self.end_file(now, step, &at, Outcome::Cancelled, String::new());
        }
    }

    /// Ends all files with a contact who is told nothing of it: its key changed, or it is locked.
    pub(super) fn void_files(&mut self, now: Now, step: &mut Step, contact: &ContactId) {
        self.end_files(now, step, contact);
        self.file_reports.retain(|(of, _)| of != contact);
    }

    /// ENG-5: forgets all files of a contact.
    pub(super) fn forget_files(&mut self, step: &mut Step, contact: &ContactId) {
        let all: Vec<FileAt> = self.files_of(contact).map(|f| (f.contact, f.id)).collect();
        for at in all {
            let Some(file) = self.files.remove(&at) else { continue };
            step.delete(Table::File, &pair(&at.0, &at.1));
            for part in file.parts.keys() {
                step.delete(Table::FilePart, &part_key(&at, *part));
            }
            let items: Vec<ItemId> =
                self.outbox.of(Owner::File(at.0, at.1)).map(|item| item.id).collect();
            items.iter().for_each(|item| self.drop_item(step, item));
            self.file_fills.remove(&at);
            self.file_reports.remove(&at);
            self.watch_file(&at);
        }
    }

    fn files_of(&self, contact: &ContactId) -> impl Iterator<Item = &FileRecord> {
        self.files.range((*contact, [0; 16])..=(*contact, [0xff; 16])).map(|(_, file)| file)
    }

    /// FIL-14: of the files that have ended, the newest are remembered.
    fn forget_ended(&mut self, step: &mut Step, contact: &ContactId) {
        let ended = self.files_of(contact).filter(|file| file.ended());
        let mut ended: Vec<(u64, FileId)> = ended.map(|file| (file.moved, file.id)).collect();
        ended.sort_unstable();
        let over = ended.len().saturating_sub(MAX_ENDED);
        for (_, id) in ended.into_iter().take(over) {
            self.files.remove(&(*contact, id));
            step.delete(Table::File, &pair(contact, &id));
        }
    }

    /// What time does to files: failing, forgetting, late reports.
    pub(super) fn files_upkeep(&mut self, now: Now, step: &mut Step) {
        let age = |file: &FileRecord| now.unix_s().saturating_sub(file.moved);
        let stale = |file: &&FileRecord| !file.ended() && age(file) >= GIVE_UP_S;
        let stale: Vec<FileAt> =
            self.files.values().filter(stale).map(|file| (file.contact, file.id)).collect();
        for at in stale {
            self.end_file(now, step, &at, Outcome::Failed, String::new());
        }
        let old = |file: &&FileRecord| file.ended() && age(file) >= REMEMBER_S;
        let old: Vec<FileAt> =
            self.files.values().filter(old).map(|file| (file.contact, file.id)).collect();
        for at in old {
            self.files.remove(&at);
            step.delete(Table::File, &pair(&at.0, &at.1));
        }
        self.report_late(now);
    }

    fn save_file(&self, step: &mut Step, at: &FileAt) {
        if let Some(file) = self.files.get(at) {
            step.put(Table::File, &pair(&at.0, &at.1), file.to_row());
        }
    }

    /// A row of a part, of a file whose row was loaded before.
    pub(super) fn load_file_part(&mut self, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let mut r = Reader::new(key);
        let (at, part) = ((r.array()?, r.array()?), r.u32()?);
        r.finish()?;
        let file = self.files.get_mut(&at).ok_or(Malformed::Field("file"))?;
        if file.part_len(part) != Some(value.len()) || file.ended() {
            return Err(Malformed::Field("part"));
        }
        file.parts.insert(part, Zeroizing::new(value.to_vec()));
        Ok(())
    }

    /// After loading: goes on where the rows end (FIL-15).
    pub(super) fn resume_files(&mut self) {
        let sending = self.files.iter().filter(|(_, file)| file.sending().is_some());
        let sending: Vec<FileAt> = sending.map(|(at, _)| *at).collect();
        self.file_fills.extend(sending);
        self.watch_files();
    }
}
