//! Files of ours: offer, parts, reports of the contact (FIL-3 to FIL-6).

use super::super::Engine;
use super::super::wish::may_write;
use crate::changes::Table;
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::{Contact, ContactId};
use crate::file::{FileAt, FileRecord, MAX_OUTGOING, Outcome, Parts, Sending, Stage, part_key};
use crate::outbox::{Deposit, Group, ItemId, Load, Owner, Sealed};
use crate::step::Step;
use board::chain::WINDOW;
use board::envelope::{self, BODY_LEN, Kind, Parcel};
use board::tag::OnionKey;
use content::{Content, FileEnd, FileKey, FileProgress, MAX_FILE, MAX_FILE_NAME, Offer, Report};
use crypto::Zeroizing;
use rand_core::CryptoRng;
use std::collections::BTreeMap;

impl Engine {
    /// FIL-5: takes all of a file, so that its source may vanish, and queues its offer.
    pub(in crate::engine) fn send_file(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        contact: ContactId,
        name: String,
        bytes: &[u8],
    ) -> Result<Reply, CommandError> {
        may_write(self.contacts.get(&contact).ok_or(CommandError::Unknown)?)?;
        // FIL-3
        let size = u32::try_from(bytes.len()).ok().filter(|size| *size <= MAX_FILE);
        let size = size.ok_or(CommandError::FileTooLong)?;
        if size == 0 {
            return Err(CommandError::FileEmpty);
        }
        if name.is_empty() || name.len() > MAX_FILE_NAME {
            return Err(CommandError::FileName);
        }
        let under_way = self.files.values().filter(|file| file.sending().is_some());
        let under_way = under_way.map(|file| u64::from(file.size)).fold(0, u64::saturating_add);
        if under_way.saturating_add(size.into()) > MAX_OUTGOING {
            return Err(CommandError::FilesUnderWay);
        }
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let at = (contact, id);
        let parts: Parts =
            (0..).zip(bytes.chunks(BODY_LEN).map(|part| Zeroizing::new(part.to_vec()))).collect();
        for (part, bytes) in &parts {
            step.put(Table::FilePart, &part_key(&at, *part), bytes.clone());
        }
        let stage = Stage::Sending(Box::new(Sending::new(FileKey::random(rng))));
        let (hash, begun) = (crypto::hash(&[bytes]), now.unix_s());
        let file = FileRecord { contact, id, name, size, hash, begun, moved: begun, stage, parts };
        self.files.insert(at, file);
        self.save_file(step, &at);
        self.queue(rng, now, step, &contact, Load::Offer(id));
        Ok(Reply::File(id))
    }

    /// The offer, as it is sealed. A file that is over has none: the item that carries it is gone
    /// with it.
    pub(in crate::engine) fn offer_of(&self, at: FileAt) -> Content {
        let file = self.files.get(&at);
        let key = file.and_then(FileRecord::sending).and_then(|sending| sending.key.as_ref());
        let (Some(file), Some(key)) = (file, key) else { return Content::Receipt };
        Content::FileOffer(Offer {
            file: file.id,
            key: FileKey::copy_of(key.expose_secret()),
            size: file.size,
            hash: file.hash,
            sent: file.begun,
            name: file.name.clone(),
        })
    }

    /// The contact knows of the file: its parts may leave (FIL-5), and its secret goes (FIL-4).
    pub(in crate::engine) fn offer_arrived(&mut self, now: Now, step: &mut Step, at: FileAt) {
        let Some(file) = self.files.get_mut(&at) else { return };
        file.moved = now.unix_s();
        let Some(sending) = file.sending_mut() else { return };
        sending.key = None;
        self.file_fills.insert(at);
        self.save_file(step, &at);
    }

    /// Queues parts, as many as may be under way (FIL-5).
    pub(super) fn fill_file(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        at: &FileAt,
    ) {
        let owner = Owner::File(at.0, at.1);
        let Some(file) = self.files.get_mut(at) else { return };
        let count = file.count();
        let Some(sending) = file.sending_mut().filter(|s| s.key.is_none()) else { return };
        let waiting = u32::try_from(self.outbox.of(owner).count()).unwrap_or(u32::MAX);
        let free = WINDOW.saturating_sub(waiting);
        let first = sending.next;
        let next = first.saturating_add(free).min(count);
        if next <= first {
            return;
        }
        sending.next = next;
        for part in first..next {
            let item = self.make_item(rng, now, owner, Load::FilePart(part));
            self.save_item(step, &item);
        }
        self.save_file(step, at);
        self.sync_mailboxes(now);
    }

    /// Whether parts of a file may leave at this moment (SAS-4, ID-3, FIL-6).
    pub(in crate::engine) fn part_sendable(&self, group: &Group, at: FileAt) -> bool {
        let able = self.contacts.get(&at.0).is_some_and(Contact::may_send);
        let sending = self.files.get(&at).and_then(FileRecord::sending);
        able && sending.is_some_and(|s| group.sealed || s.has_room(group.first))
    }

    /// Seals a part for every mailbox of its recipient, under the next index of the file's chain
    /// (FIL-4).
    pub(in crate::engine) fn seal_part(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ItemId,
        at: FileAt,
    ) -> Option<()> {
        let Load::FilePart(part) = self.outbox.get(id)?.load else { return None };
        let contact = self.contacts.get(&at.0)?;
        let file = self.files.get_mut(&at)?;
        let body = file.parts.get(&part)?.clone();
        let sending = file.sending_mut()?;
        let floor = sending.floor();
        let (n, slot) = sending.chain.take();
        sending.sent.insert(n, *id);
        let mid = u128::from(part).to_be_bytes();
        let parcel =
            Parcel { kind: Kind::FilePart, part: 0, parts: 1, ack: None, floor, mid, body };
        let seal = |mailbox: &OnionKey, rng: &mut _| -> Option<Deposit> {
            let (key, tag) = (slot.key(mailbox), slot.tag(mailbox));
            let envelope = envelope::seal(rng, &key, tag, mailbox, &parcel).ok()?;
            Some(Deposit { envelope: Some(envelope), ..Deposit::new(*mailbox) })
        };
        let deposits = contact.inbox.iter().map(|m| seal(m, rng)).collect::<Option<_>>()?;
        self.outbox.change(id, |item| {
            item.sealed = Some(Sealed { g: 0, n, at: now.unix_s() });
            item.deposits = deposits;
        });
        self.save_file(step, &at);
        self.save_item(step, id);
        Some(())
    }

    /// FIL-6: what was stored and is not reported goes anew, as far as there is room.
    pub(in crate::engine) fn repeat_parts(
        &mut self,
        step: &mut Step,
        late: BTreeMap<FileAt, Vec<(u32, ItemId)>>,
    ) {
        for (at, mut items) in late {
            let able = self.contacts.get(&at.0).is_some_and(Contact::may_send);
            let file = self.files.get_mut(&at).filter(|_| able);
            let Some(sending) = file.and_then(FileRecord::sending_mut) else { continue };
            let room = usize::try_from(sending.room()).unwrap_or(0);
            items.sort_unstable();
            items.truncate(room);
            for (n, _) in &items {
                sending.sent.remove(n);
            }
            let items: Vec<ItemId> = items.into_iter().map(|(_, id)| id).collect();
            for id in &items {
                self.outbox.change(id, |item| item.repeats = item.repeats.saturating_add(1));
            }
            if !items.is_empty() {
                self.unseal(step, &at.0, &items);
                self.save_file(step, &at);
            }
        }
    }

    /// ENG-1, for a part.
    pub(in crate::engine) fn seal_part_anew(&mut self, at: FileAt, id: &ItemId, reserve: u32) {
        let Some(contact) = self.contacts.get(&at.0) else { return };
        let Some(sending) = self.files.get_mut(&at).and_then(FileRecord::sending_mut) else {
            return;
        };
        if sending.room() > reserve {
            sending.sent.retain(|_, item| item != id);
            self.outbox.change(id, |item| item.unseal(&contact.inbox));
        }
    }

    /// BRD-48: the contact reads other mailboxes; what waits goes there.
    pub(in crate::engine) fn move_files(&mut self, step: &mut Step, contact: &ContactId) {
        let files = self.files_of(contact).filter(|file| file.sending().is_some());
        let files: Vec<FileAt> = files.map(|file| (file.contact, file.id)).collect();
        for at in files {
            let of = self.outbox.of(Owner::File(at.0, at.1));
            let items: Vec<ItemId> = of.map(|item| item.id).collect();
            if let Some(sending) = self.files.get_mut(&at).and_then(FileRecord::sending_mut) {
                sending.sent.clear();
            }
            self.unseal(step, contact, &items);
            self.save_file(step, &at);
        }
    }

    /// How far the contact is with a file of ours, or that it, or one of the contact's, ends.
    pub(in crate::engine) fn take_report(
        &mut self,
        now: Now,
        step: &mut Step,
        contact: &ContactId,
        report: Report,
    ) {
        let at = (*contact, report.file);
        let Some(file) = self.files.get_mut(&at) else { return };
        let how = match (report.progress, &mut file.stage) {
            (FileProgress::Have { base, map }, Stage::Sending(sending)) => {
                let done = sending.reported(base, map);
                if !done.is_empty() {
                    file.moved = now.unix_s();
                }
                done.iter().for_each(|item| self.drop_item(step, item));
                self.file_fills.insert(at);
                self.save_file(step, &at);
                return;
            }
            (FileProgress::End(FileEnd::Withdrawn), Stage::Receiving(_)) => Outcome::Refused,
            (FileProgress::End(FileEnd::Whole), Stage::Sending(_)) => Outcome::Done,
            (FileProgress::End(FileEnd::Declined), Stage::Sending(_)) => Outcome::Refused,
            (FileProgress::End(FileEnd::NoRoom), Stage::Sending(_)) => Outcome::NoRoom,
            (FileProgress::End(FileEnd::Damaged), Stage::Sending(_)) => Outcome::Damaged,
            // FIL-13: of the side that it does not come from, or of a file that is over.
            _ => return,
        };
        self.end_file(now, step, &at, how, String::new());
    }
}
