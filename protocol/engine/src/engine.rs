//! The engine itself: state, loading, and the inputs that it takes.

mod again;
mod beacon;
mod establish;
pub(crate) mod files;
mod floor;
mod loops;
mod moving;
mod operate;
mod pace;
mod pair;
mod read;
mod receive;
mod renew;
mod seal;
mod terms;
mod timer;
mod upkeep;
pub(crate) mod view;
mod wish;

use crate::acks::Acks;
use crate::beacon::{BEACON_KEY, Beacons};
use crate::changes::{Changes, Snapshot, Table};
use crate::clock::Now;
use crate::contact::{Contact, ContactId};
use crate::cursor::Cursor;
use crate::file::{FileAt, FileRecord};
use crate::loops::Loops;
use crate::mailbox::finds::KeptPage;
use crate::mailbox::{Kept, Mailbox, Role};
use crate::outbox::{ItemId, Outbox};
use crate::own::Own;
use crate::pace::Rhythm;
use crate::pairing::{InviteId, Pairing};
use crate::profile::{PROFILE_KEY, Profile, RETENTION_DAYS};
use crate::recovery::Recovery;
use crate::renewal::Renewal;
use crate::schedule::{DayHours, Dice, Mode, Slots};
use crate::seen::Seen;
use crate::session::Session;
use crate::steady::{CLOCK_KEY, Steady};
use crate::step::{Answer, OpId, Step};
use crate::watch::Watch;
use board::envelope::Envelope;
use board::frame::Window;
use board::tag::OnionKey;
use crypto::Zeroizing;
use identity::Identity;
use rand_core::CryptoRng;
pub(crate) use receive::Partial;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a profile is made with.
pub struct Settings {
    /// The name that peers are shown at pairing, at most 64 bytes; may be empty.
    pub name: String,
    /// The schedule.
    pub mode: Mode,
    /// Local time minus UTC, in minutes: where the day hours lie.
    pub utc_offset_min: i16,
}

/// Why an engine could not be made or loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Misuse: the name is longer than 64 bytes.
    #[error("the name is longer than 64 bytes")]
    NameTooLong,
    /// A row does not parse: the database is damaged, or of another version.
    #[error("a row of table `{0}` is damaged")]
    DamagedRow(&'static str),
    /// There is no profile in the database.
    #[error("the database holds no profile")]
    NoProfile,
    /// Our bug.
    #[error("a key could not be made")]
    Internal,
}

/// What an operation under way is for.
enum Purpose {
    Put {
        mailbox: OnionKey,
        item: Option<ItemId>,
        envelope: Envelope,
    },
    Fetch {
        mailbox: OnionKey,
        page: u64,
        chunk: u16,
    },
    /// `day` is the UTC day on which it started, from which the window counts back.
    Digest {
        mailbox: OnionKey,
        window: Window,
        day: u32,
    },
}

crypto::opaque!(Engine);

/// One unlocked profile.
pub struct Engine {
    profile: Profile,
    contacts: BTreeMap<ContactId, Contact>,
    sessions: BTreeMap<ContactId, Session>,
    /// What sessions are renewed from: one for each contact, with or without a session.
    recoveries: BTreeMap<ContactId, Recovery>,
    /// Sessions that are being renewed, or were lately.
    renewals: BTreeMap<ContactId, Renewal>,
    /// The UTC day that the resync tags were last moved on to.
    sync_day: u32,
    pairings: BTreeMap<InviteId, Pairing>,
    outbox: Outbox,
    partials: BTreeMap<(ContactId, [u8; 16]), Partial>,
    files: BTreeMap<FileAt, FileRecord>,
    /// Files of which parts are to be queued, and files to report on, before a step ends.
    file_fills: BTreeSet<FileAt>,
    file_reports: BTreeSet<FileAt>,
    /// Items and messages that arrived.
    seen: Seen,
    acks: Acks,
    own: Own,
    mailboxes: BTreeMap<OnionKey, Mailbox>,
    /// Those that are read, in order.
    read: Vec<OnionKey>,
    /// While loading: progress that was saved.
    kept: BTreeMap<OnionKey, Kept>,
    watch: Watch,
    /// Bytes that were put and not stored, real or cover: the next slots repeat them (BRD-36).
    again: BTreeMap<OnionKey, VecDeque<(Option<ItemId>, Envelope)>>,
    loops: Loops,
    beacons: Beacons,
    put_slots: Slots,
    fetch_slots: Slots,
    fast: Dice,
    fast_put: Option<u64>,
    fast_fetch: Option<u64>,
    digest_seed: [u8; 32],
    /// How old things are.
    steady: Steady,
    operations: BTreeMap<OpId, Purpose>,
    next_operation: u64,
    next_upkeep: u64,
}

impl Engine {
    /// Makes a new profile. Needs no network (ID-1).
    ///
    /// # Errors
    /// [`EngineError::NameTooLong`], [`EngineError::Internal`].
    pub fn create(
        rng: &mut impl CryptoRng,
        now: Now,
        settings: Settings,
    ) -> Result<(Self, Changes), EngineError> {
        if settings.name.len() > handshake::MAX_NAME_LEN {
            return Err(EngineError::NameTooLong);
        }
        let identity = Identity::generate(rng, now.hours()).map_err(|_| EngineError::Internal)?;
        let hours = DayHours::draw(rng, settings.utc_offset_min);
        let profile = Profile {
            identity,
            name: settings.name,
            mode: settings.mode,
            rhythm: Rhythm::new(hours),
            inbox_version: 0,
            retention: RETENTION_DAYS,
        };
        let mut engine = Self::empty(rng, now, profile);
        let mut step = Step::default();
        step.put(Table::Profile, PROFILE_KEY, engine.profile.to_row());
        engine.save_beacons(&mut step);
        Ok((engine, step.into_changes()))
    }

    fn empty(rng: &mut impl CryptoRng, now: Now, profile: Profile) -> Self {
        let mut run = [0; 16];
        rng.fill_bytes(&mut run);
        let mut seed = || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            seed
        };
        let rhythm = profile.rhythm;
        Self {
            profile,
            contacts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            renewals: BTreeMap::new(),
            sync_day: now.days(),
            pairings: BTreeMap::new(),
            outbox: Outbox::default(),
            partials: BTreeMap::new(),
            files: BTreeMap::new(),
            file_fills: BTreeSet::new(),
            file_reports: BTreeSet::new(),
            seen: Seen::default(),
            acks: Acks::default(),
            own: Own::default(),
            mailboxes: BTreeMap::new(),
            read: Vec::new(),
            kept: BTreeMap::new(),
            watch: Watch::default(),
            again: BTreeMap::new(),
            loops: Loops::default(),
            beacons: Beacons::begin(now, &seed(), run),
            put_slots: Slots::start(seed(), now, &rhythm),
            fetch_slots: Slots::start(seed(), now, &rhythm),
            fast: Dice::from_seed(seed()),
            fast_put: None,
            fast_fetch: None,
            digest_seed: seed(),
            steady: Steady::begin(now),
            operations: BTreeMap::new(),
            next_operation: 0,
            next_upkeep: now.mono_ms,
        }
    }

    /// Loads a profile as it was saved.
    ///
    /// # Errors
    /// [`EngineError::NoProfile`], [`EngineError::DamagedRow`].
    pub fn load(
        rng: &mut impl CryptoRng,
        now: Now,
        snapshot: &Snapshot,
    ) -> Result<Self, EngineError> {
        let profile = snapshot
            .0
            .iter()
            .find(|(table, key, _)| *table == Table::Profile && key == PROFILE_KEY)
            .ok_or(EngineError::NoProfile)
            .and_then(|(table, _, value)| {
                Profile::from_row(value).map_err(|_| EngineError::DamagedRow(table.name()))
            })?;
        let mut engine = Self::empty(rng, now, profile);
        for (table, key, value) in &snapshot.0 {
            engine
                .load_row(now, *table, key, value)
                .map_err(|_| EngineError::DamagedRow(table.name()))?;
        }
        engine.seal_anew();
        engine.sync_mailboxes(now);
        engine.kept.clear();
        let contacts: Vec<ContactId> = engine.contacts.keys().copied().collect();
        for contact in contacts {
            engine.watch_contact(&contact);
            engine.watch_sync(&contact);
            engine.watch_renewed(&contact);
        }
        let pairings: Vec<InviteId> = engine.pairings.keys().copied().collect();
        for pairing in pairings {
            engine.watch_pairing(&pairing);
            engine.look_for_invite(now, &pairing);
        }
        engine.watch_beacons();
        engine.resume_files();
        // A crash between an unblocking and the cursor's next row; saved with the next one.
        engine.unhold();
        Ok(engine)
    }

    fn load_row(
        &mut self,
        now: Now,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), wire::Malformed> {
        use wire::{Codec, Malformed};
        let id = || <[u8; 16]>::from_bytes(key);
        let two = || -> Result<([u8; 16], [u8; 16]), Malformed> {
            let mut r = wire::Reader::new(key);
            let ids = (r.array()?, r.array()?);
            r.finish()?;
            Ok(ids)
        };
        match table {
            Table::Profile if key == CLOCK_KEY => self.steady = Steady::resume(now, value)?,
            Table::Profile if key == BEACON_KEY => self.beacons.resume(value)?,
            Table::Profile => {}
            Table::Mailbox => self.own.load(key, value)?,
            Table::Contact => {
                self.contacts.insert(id()?, Contact::from_row(value)?);
            }
            Table::Invite => {
                self.pairings.insert(id()?, Pairing::from_row(value)?);
            }
            Table::Ratchet if renew::renewal_of(key).is_some() => {
                let renewal = Renewal::from_row(value)?;
                self.renewals.extend(renew::renewal_of(key).map(|id| (id, renewal)));
            }
            Table::Ratchet => {
                let (id, session) = (id()?, Session::from_row(value)?);
                self.acks.note(&id, session.ack_due);
                self.sessions.insert(id, session);
            }
            Table::Recovery => {
                self.recoveries.insert(id()?, Recovery::from_row(value)?);
            }
            Table::Outbox => self.outbox.insert(crate::outbox::Item::from_row(value)?),
            Table::Partial => {
                self.partials.insert(two()?, Partial::from_row(value)?);
            }
            Table::File => {
                self.files.insert(two()?, FileRecord::from_row(value)?);
            }
            Table::FilePart => self.load_file_part(key, value)?,
            Table::Seen => {
                let hour = u32::from_be_bytes(<[u8; 4]>::from_bytes(value)?);
                self.seen.insert(two()?, hour);
            }
            Table::Cursor => {
                let (mailbox, page) = key.split_first_chunk::<32>().ok_or(Malformed::Short)?;
                let kept = self.kept.entry(*mailbox).or_default();
                match page.split_first_chunk::<8>() {
                    None => kept.cursor = Some(Cursor::from_row(value)?),
                    Some((_, [])) => kept.pages.push(KeptPage::from_row(value)?),
                    Some((_, id)) => {
                        kept.held.push((ContactId::from_bytes(id)?, KeptPage::from_row(value)?));
                    }
                }
            }
        }
        Ok(())
    }

    /// When [`Self::handle_timeout`] is wanted, on the monotonic clock.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let slots = [self.put_slots.next(), self.fetch_slots.next(), self.next_upkeep];
        let fast = [self.fast_put, self.fast_fetch].into_iter().flatten();
        let reads = self.mailboxes.values().filter_map(Mailbox::next_due);
        slots.into_iter().chain(fast).chain(reads).min()
    }

    /// Fires every slot that is due.
    pub fn handle_timeout(&mut self, rng: &mut impl CryptoRng, now: Now) -> Step {
        let mut step = Step::default();
        if self.next_upkeep <= now.mono_ms {
            self.upkeep(rng, now, &mut step);
        }
        if self.put_slots.next() <= now.mono_ms {
            self.put_slot(rng, now, &mut step);
            self.put_slots.advance(now, &self.profile.rhythm);
        }
        if self.fetch_slots.next() <= now.mono_ms {
            self.fetch_slot(rng, now, &mut step);
            self.fetch_slots.advance(now, &self.profile.rhythm);
        }
        self.fast_due(rng, now, &mut step);
        self.reads_due(rng, now, &mut step);
        self.files_due(rng, now, &mut step);
        self.arm_fast(now);
        self.settle(&mut step);
        step
    }

    /// Takes an answer to an operation. An answer to one that is not under way changes nothing.
    pub fn handle_answer(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        operation: OpId,
        answer: Answer,
    ) -> Step {
        let mut step = Step::default();
        self.answer(rng, now, operation, answer, &mut step);
        self.files_due(rng, now, &mut step);
        self.arm_fast(now);
        self.settle(&mut step);
        step
    }

    /// Makes the set of mailboxes follow contacts, own mailboxes and pairings.
    fn sync_mailboxes(&mut self, now: Now) {
        let mut roles: BTreeMap<OnionKey, Role> = BTreeMap::new();
        let mut want = |key: &OnionKey, role: Role| {
            let known = roles.entry(*key).or_insert(role);
            *known = (*known).max(role);
        };
        for contact in self.contacts.values() {
            contact.inbox.iter().for_each(|key| want(key, Role::Target));
        }
        for pairing in self.pairings.values() {
            pairing.borrowed().iter().for_each(|key| want(key, Role::Borrowed));
        }
        // Handshakes in the outbox may go to mailboxes of nobody who is a contact yet.
        self.outbox.missing().for_each(|key| want(&key, Role::Target));
        self.own.read().for_each(|key| want(key, Role::Own));
        self.mailboxes.retain(|key, _| roles.contains_key(key));
        self.again.retain(|key, _| roles.contains_key(key));
        for (key, role) in roles {
            let (seed, mode) = (self.digest_seed, self.profile.mode);
            let kept = self.kept.remove(&key).filter(|_| role == Role::Own);
            self.mailboxes
                .entry(key)
                .or_insert_with(|| {
                    let seed = crypto::hash(&[&seed, &key]);
                    let mut mailbox = Mailbox::new(key, role, seed, now, mode);
                    if let Some(kept) = kept {
                        mailbox.resume(kept);
                    }
                    mailbox
                })
                .set_role(role, now, mode);
        }
        let read = self.mailboxes.values().filter(|m| m.role != Role::Target);
        self.read = read.map(|mailbox| mailbox.key).collect();
    }

    fn save_contact(&self, step: &mut Step, id: &ContactId) {
        if let Some(contact) = self.contacts.get(id) {
            step.put(Table::Contact, id, contact.to_row());
        }
    }

    fn save_session(&mut self, step: &mut Step, id: &ContactId) {
        if let Some(session) = self.sessions.get(id) {
            self.acks.note(id, session.ack_due);
            step.put(Table::Ratchet, id, session.to_row());
        }
    }

    fn save_recovery(&self, step: &mut Step, id: &ContactId) {
        if let Some(recovery) = self.recoveries.get(id) {
            step.put(Table::Recovery, id, recovery.to_row());
        }
    }

    fn save_pairing(&self, step: &mut Step, id: &InviteId) {
        if let Some(pairing) = self.pairings.get(id) {
            step.put(Table::Invite, id, pairing.to_row());
        }
    }

    fn save_item(&self, step: &mut Step, id: &ItemId) {
        if let Some(item) = self.outbox.get(id) {
            step.put(Table::Outbox, id, item.to_row());
        }
    }

    fn save_profile(&self, step: &mut Step) {
        step.put(Table::Profile, PROFILE_KEY, self.profile.to_row());
    }

    fn drop_item(&mut self, step: &mut Step, id: &ItemId) {
        if self.outbox.remove(id).is_some() {
            step.delete(Table::Outbox, id);
        }
    }

    /// Remembers an item that arrived, for 16 days (BRD-44).
    fn remember(&mut self, step: &mut Step, now: Now, contact: &ContactId, id: &[u8; 16]) {
        self.remember_from(step, now.hours(), contact, id);
    }

    /// Remembers a message that was shown, for as long as its sender may send it again (BRD-50).
    fn remember_message(&mut self, step: &mut Step, now: Now, contact: &ContactId, id: &[u8; 16]) {
        let hour = now.hours().saturating_add(upkeep::SHOWN_H.saturating_sub(upkeep::SEEN_H));
        self.remember_from(step, hour, contact, id);
    }

    fn remember_from(&mut self, step: &mut Step, hour: u32, contact: &ContactId, id: &[u8; 16]) {
        self.seen.insert((*contact, *id), hour);
        let value = Zeroizing::new(hour.to_be_bytes().to_vec());
        step.put(Table::Seen, &crate::rows::pair(contact, id), value);
    }
}
