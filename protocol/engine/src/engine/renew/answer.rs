//! What arrives under the resync tags (REK-2, REK-4 to REK-6).

use super::super::Engine;
use super::part;
use crate::clock::Now;
use crate::contact::{Contact, ContactId};
use crate::renewal::{Answer, AnswerId, Leg, Pending};
use crate::session::Session;
use crate::step::Step;
use board::envelope::{Kind, Parcel};
use board::tag::OnionKey;
use crypto::aead::EnvelopeKey;
use handshake::rekey;
use rand_core::CryptoRng;

impl Engine {
    /// The key that opens what the peer puts under a resync tag.
    pub(in crate::engine) fn sync_key(
        &self,
        id: &ContactId,
        day: u32,
        r: u8,
        mailbox: &OnionKey,
    ) -> Option<EnvelopeKey> {
        let inward = self.contacts.get(id)?.outward().back();
        Some(self.recoveries.get(id)?.sync_day(day)?.key(inward, r, mailbox))
    }

    /// Takes what was opened under a resync tag.
    pub(in crate::engine) fn sync_parcel(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        r: u8,
        parcel: &Parcel,
    ) {
        // SAS-4, ID-3: only with whoever was verified and did not change.
        let able = self.contacts.get(id).is_some_and(Contact::may_send);
        if parcel.kind != Kind::Resync || parcel.parts != 1 || !able {
            return;
        }
        match r {
            part::R1 => self.take_r1(rng, now, step, id, &parcel.body),
            part::R2 => self.take_r2(rng, now, step, id, &parcel.body),
            _ => {}
        }
    }

    /// The peer wishes for another session: R2, and the first message of it. The old session stays
    /// until the peer's first message in the new one opens (REK-1).
    fn take_r1(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        r1: &[u8],
    ) {
        let now_s = now.unix_s();
        let Some(answer) = crypto::hash(&[r1]).first_chunk::<16>().copied() else { return };
        // REK-5: R1 comes again until its answer arrives; the answer is the same.
        let again = self.renewals.get_mut(id).and_then(|r| r.comes_again(&answer, now_s));
        match again {
            Some(true) => return self.queue_answer(rng, now, step, id, &answer),
            Some(false) => return,
            None => {}
        }
        let intro = self.introduction();
        let (Some(contact), Some(recovery)) = (self.contacts.get(id), self.recoveries.get(id))
        else {
            return;
        };
        let renewal = self.renewals.entry(*id).or_default();
        // REK-4: of two attempts that cross, that of the smaller fingerprint stays.
        let own = self.profile.identity.cert().fingerprint().0;
        let ours_stays = own < contact.cert.fingerprint().0;
        let yields = ours_stays && renewal.waits_for_ours(now_s);
        // REK-6.
        if yields || !renewal.make_room(now_s) {
            return self.tidy_renewal(id);
        }
        let (identity, peers) = (&self.profile.identity, [&contact.cert]);
        let made = rekey::respond(rng, identity, &peers, recovery.psk(), &intro, r1, now.hours());
        let Ok((r2, renewed)) = made else { return self.tidy_renewal(id) };
        let session = Session::new(rng, contact, &renewed.session, renewed.first, now_s);
        // Where the peer reads, unless an old R1 says so.
        let newer = renewed.peer_intro.version > contact.inbox_version;
        let (inbox, version) = if newer {
            (renewed.peer_intro.inbox, renewed.peer_intro.version)
        } else {
            (contact.inbox.clone(), contact.inbox_version)
        };
        let pending = Some(Pending { r2, session, inbox, version, sent: now_s });
        renewal.answers.push(Answer { id: answer, at: now_s, pending });
        if !ours_stays {
            self.drop_attempt(step, id);
        }
        self.queue_answer(rng, now, step, id, &answer);
    }

    fn queue_answer(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        answer: &AnswerId,
    ) {
        let pending = self.renewals.get_mut(id).and_then(|r| r.pending_mut(answer));
        let Some(pending) = pending else { return };
        let inbox = pending.inbox.clone();
        self.queue_leg(rng, now, step, id, Leg::R2(*answer), &inbox);
        self.queue_leg(rng, now, step, id, Leg::First(*answer), &inbox);
        self.save_renewal(step, id);
        self.watch_renewed(id);
        self.sync_mailboxes(now);
    }

    /// The peer has answered, and has proved itself with that: the new session is there.
    fn take_r2(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        r2: &[u8],
    ) {
        let Some(begun) = self.renewals.get(id).and_then(|r| r.begun.as_ref()) else { return };
        let Some(contact) = self.contacts.get(id) else { return };
        // Also the answer to an attempt that was given up: nothing changes.
        let Ok(renewed) = rekey::finish(&begun.state, &self.profile.identity, r2) else { return };
        let session = Session::new(rng, contact, &renewed.session, renewed.first, now.unix_s());
        let intro = renewed.peer_intro;
        self.complete_renewal(now, step, id, session, (intro.version, intro.inbox), true);
    }
}
