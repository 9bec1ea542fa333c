//! Reading digests: streams and windows, and what is found in their pages (BRD-35, 37, 43).

use super::{Engine, Purpose};
use crate::changes::{EventKind, Table};
use crate::clock::Now;
use crate::contact::{ContactId, is_blocked};
use crate::mailbox::{Role, Seen};
use crate::step::{Effect, OpId, OperationKind, Step};
use board::frame::Window;
use board::header::DigestFrame;
use board::tag::OnionKey;
use rand_core::CryptoRng;

impl Engine {
    /// Opens and closes digest streams and windows (BRD-35).
    pub(super) fn reads_due(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        let mode = self.profile.mode;
        let keys: Vec<OnionKey> = self.mailboxes.keys().copied().collect();
        for key in keys {
            let closing = self.mailboxes.get_mut(&key).map(|m| m.take_closing(now));
            for id in closing.into_iter().flatten() {
                self.operations.remove(&id);
                step.effect(Effect::Stop(id));
            }
            while let Some(window) =
                self.mailboxes.get_mut(&key).and_then(|m| m.take_due(now, mode))
            {
                let purpose = Purpose::Digest { mailbox: key, window, day: now.days() };
                let id = self.start(rng, step, key, OperationKind::Digest(window), purpose);
                if let Some(mailbox) =
                    self.mailboxes.get_mut(&key).filter(|_| window == Window::Stream)
                {
                    mailbox.stream_opened(id, now);
                }
            }
        }
    }

    pub(super) fn digest_frame(
        &mut self,
        now: Now,
        step: &mut Step,
        key: OnionKey,
        window: Window,
        frame: DigestFrame,
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&key) else { return };
        mailbox.health.worked(now);
        let page = frame.header.page;
        match mailbox.take_frame(frame, window, now) {
            Seen::Known | Seen::Early => return,
            Seen::Fork if !mailbox.alarm => {
                mailbox.alarm = true;
                step.event(now, EventKind::MailboxAlarm, None);
            }
            Seen::Fork | Seen::New => {}
        }
        if mailbox.role != Role::Target {
            self.look_in(&key, page);
        }
        self.settle(step, &key);
    }

    /// Notes the chunks of a page that hold something of ours.
    fn look_in(&mut self, key: &OnionKey, page: u64) {
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return };
        let Some(frame) = mailbox.frame(page) else { return };
        let mut seen: Vec<(Option<ContactId>, u16)> = Vec::new();
        for prefix in &frame.prefixes {
            for meaning in self.watch.with_prefix(key, prefix) {
                let blocked = meaning.contact().filter(|id| is_blocked(&self.contacts, id));
                seen.extend(frame.chunks_of(prefix).map(|chunk| (blocked, chunk)));
            }
        }
        for (blocked, chunk) in seen {
            mailbox.note(page, chunk, blocked);
        }
    }

    /// Looks for tags that became known after their pages were read; those of a contact who is
    /// blocked are noted only.
    pub(super) fn look_back(
        &mut self,
        fresh: &[(OnionKey, board::tag::Tag)],
        blocked: Option<ContactId>,
    ) {
        for (key, tag) in fresh {
            let Some(mailbox) = self.mailboxes.get_mut(key) else { continue };
            let Some(prefix) = tag.0.first_chunk::<8>() else { continue };
            let found: Vec<(u64, u16)> = mailbox
                .frames()
                .flat_map(|frame| {
                    let page = frame.header.page;
                    frame.chunks_of(prefix).map(move |chunk| (page, chunk))
                })
                .collect();
            for (page, chunk) in found {
                mailbox.note(page, chunk, blocked);
            }
        }
    }

    pub(super) fn settle(&mut self, step: &mut Step, key: &OnionKey) {
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return };
        if mailbox.role != Role::Own {
            return;
        }
        if let Some(cursor) = mailbox.settle() {
            step.put(Table::Cursor, key, cursor.to_row());
            self.cursors.insert(*key, cursor.clone());
        }
    }

    pub(super) fn digest_ended(
        &mut self,
        now: Now,
        step: &mut Step,
        key: OnionKey,
        window: Window,
        id: OpId,
    ) {
        let mode = self.profile.mode;
        if let Some(mailbox) = self.mailboxes.get_mut(&key) {
            match window {
                Window::Stream => mailbox.stream_lost(id, now, mode),
                _ => mailbox.window_read(),
            }
        }
        self.settle(step, &key);
    }
}
