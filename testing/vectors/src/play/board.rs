//! Tags and envelopes.

use super::{Gives, Player, gives, who};
use crate::dice::Dice;
use crate::hexed::{array, hex, number, text};
use board::envelope::{Kind, Parcel, PartJoiner, open, seal, split_handshake};
use board::tag::{Direction, InviteSlots};
use crypto::Zeroizing;
use rand_core::Rng;
use serde_json::{Value, json};

impl Player {
    /// A handshake message in envelopes at invite tags (BRD-2, BRD-6).
    pub(super) fn deposit(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let message = self.of(step, text(&step["message"]));
        let mailbox = array(&step["mailbox"]);
        let slots = InviteSlots::new(&array(&step["I"]));
        let d = Direction::from_byte(number(&step["d"])).unwrap();
        let first: u8 = number(&step["i"]);
        // dice: mid(16), then a nonce(24) for each envelope
        let mut mid = [0; 16];
        dice.fill_bytes(&mut mid);
        let (mut envelopes, mut joiner) = (Vec::new(), None::<PartJoiner>);
        for parcel in split_handshake(mid, Kind::Handshake, &message).unwrap() {
            let i = first + parcel.part;
            let (tag, key) = (slots.tag(d, i, &mailbox), slots.key(d, i, &mailbox));
            let envelope = seal(dice, &key, tag, &mailbox, &parcel).unwrap();
            let opened = open(&key, &mailbox, &envelope).unwrap();
            match &mut joiner {
                None => joiner = Some(PartJoiner::new(opened).unwrap()),
                Some(joiner) => joiner.add(opened).unwrap(),
            }
            envelopes.push(json!({
                "i": i, "tag": hex(&tag.0), "key": hex(key.expose_secret()),
                "envelope": hex(envelope.as_bytes()),
            }));
        }
        assert!(*joiner.unwrap().whole().unwrap() == message, "the parts do not join");
        gives(json!({ "envelopes": envelopes }))
    }

    /// A ratchet message in an envelope of the sender's tag chain; the reader opens it.
    pub(super) fn post(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let body = self.of(step, "message");
        let (name, peer) = (who(step), text(&step["peer"]).to_owned());
        let mailbox = array(&step["mailbox"]);
        let (session, _) = self.at(step);
        let (n, slot) = session.chains.get_mut(&name).unwrap().0.take();
        let (tag, key) = (slot.tag(&mailbox), slot.key(&mailbox));
        // dice: mid(16) ‖ nonce(24)
        let mut mid = [0; 16];
        dice.fill_bytes(&mut mid);
        let parcel = Parcel {
            kind: Kind::Message,
            part: 0,
            parts: 1,
            ack: None,
            floor: 0,
            mid,
            body: Zeroizing::new(body.clone()),
        };
        let envelope = seal(dice, &key, tag, &mailbox, &parcel).unwrap();
        let reader = &mut session.chains.get_mut(&peer).unwrap().1;
        let (_, waited) = reader.slots().find(|(m, _)| *m == n).unwrap();
        assert_eq!(waited.tag(&mailbox), tag, "the reader waits elsewhere");
        let opened = open(&waited.key(&mailbox), &mailbox, &envelope).unwrap();
        assert!(*opened.body == body, "the envelope holds something else");
        reader.consume(n);
        gives(json!({
            "n": n, "S[n]": hex(slot.expose_secret()), "tag": hex(&tag.0),
            "key": hex(key.expose_secret()), "envelope": hex(envelope.as_bytes()),
        }))
    }
}
