//! The session and its messages.

use super::{Gives, Line, Player, agree, gives, refused, state, who};
use crate::dice::Dice;
use crate::hexed::{hex, number, text};
use crate::reference::{Mix, begin, body_keys, bound, message_key, mix};
use board::chain::{GenerationSecret, RecvChain, SendChain};
use board::tag::Direction;
use crypto::{dh, kem};
use handshake::FirstWord;
use ratchet::{CIPHERTEXT_LEN, Ciphertext, Ratchet};
use serde_json::{Value, json};

/// Where root and chain key lie in the state of a side that sends, and of one that waits (ratchet.md, section 4).
const ROOT: std::ops::Range<usize> = 33..65;
const SEND_CK: std::ops::Range<usize> = 1250..1282;
const WAIT_CK: std::ops::Range<usize> = 66..98;

impl Player {
    /// Both sides set up ratchet and tag chains; the invited side (`who`) draws the pair of its first chain.
    pub(super) fn session(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (invited, inviter) = (who(step), text(&step["peer"]).to_owned());
        let (session, _) = self.at(step);
        let secret = |name: &str| &session.made[name].secret;
        assert!(secret(&invited).ct_eq(secret(&inviter)), "the two sides differ");
        assert_eq!(session.made[&invited].transcript, session.made[&inviter].transcript);
        let secret = secret(&invited);
        let (sid, root) = (secret.sid(), secret.ratchet_root());
        let (board, sync, psk) = (secret.board_root(), secret.sync_root(), secret.recovery_psk());
        let generation = GenerationSecret::first(board.expose_secret());

        assert_eq!(session.made[&invited].first, FirstWord::Ours);
        assert_eq!(session.made[&inviter].first, FirstWord::Theirs);
        let waits = Ratchet::inviter(root.expose_secret(), sid);
        let sends = Ratchet::invited(dice, root.expose_secret(), sid);

        let (next, ck) = begin(root.expose_secret(), &sid);
        (session.root, session.sid) = (next, sid);
        let (dh, seed) = pair_of(dice.drawn());
        let line = Line { dh: dh.public(), ek: seed.encapsulation_key(), ck };
        session.lines.insert(invited.clone(), line);
        agree("root", &sends.to_secret_bytes()[ROOT], &next);
        agree("root", &waits.to_secret_bytes()[ROOT], &next);
        agree("first chain", &sends.to_secret_bytes()[SEND_CK], &ck);
        agree("first chain", &waits.to_secret_bytes()[WAIT_CK], &ck);
        let gives = gives(json!({
            "sid": hex(&sid), "ratchet root": hex(root.expose_secret()),
            "board root": hex(board.expose_secret()), "sync root": hex(sync.expose_secret()),
            "recovery psk": hex(psk.expose_secret()), "SK[0]": hex(generation.expose_secret()),
            "root key": hex(&next), "ck": hex(&ck), "waiting state": hex(&waits.to_secret_bytes()),
            "sending state": hex(&sends.to_secret_bytes()),
        }));
        for (name, ratchet, d) in
            [(inviter, waits, Direction::ToInvited), (invited, sends, Direction::ToInviter)]
        {
            let chains =
                (SendChain::new(&generation, 0, d), RecvChain::new(&generation, 0, d.back()));
            session.chains.insert(name.clone(), chains);
            session.ratchets.insert(name, ratchet);
        }
        gives
    }

    pub(super) fn encrypt(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (name, peer) = (who(step), text(&step["peer"]).to_owned());
        let (session, _) = self.at(step);
        let content = text(&step["content"]).as_bytes();
        let ratchet = session.ratchets.get_mut(&name).unwrap();
        let message = ratchet.encrypt(dice, content).unwrap();
        let saved = ratchet.to_secret_bytes();
        // Randomness is drawn by a message that begins a chain, and by no other.
        let stepped = match dice.drawn() {
            [] => Value::Null,
            drawn => session.step(&name, &peer, drawn),
        };
        let line = session.lines.get_mut(&name).unwrap();
        let (mk, next) = message_key(&line.ck);
        let (header, sealed) = message.as_bytes().split_at(2316);
        let mut body = u16::try_from(content.len()).unwrap().to_be_bytes().to_vec();
        body.extend(content);
        body.resize(1636, 0);
        let (siv, keys) = body_keys(&mk, &session.sid, header, &body);
        agree("siv", &sealed[..32], &siv);
        agree("root", &saved[ROOT], &session.root);
        agree("chain key", &saved[SEND_CK], &next);
        agree("dh", &header[12..44], &line.dh.0);
        let mut gives = gives(json!({
            "mix": stepped, "ck": hex(&line.ck), "mk": hex(mk.expose_secret()), "siv": hex(&siv),
            "key and nonce": hex(&keys), "message": hex(message.as_bytes()), "state": state(&saved),
        }));
        // The same in the whole chain, so shown with its first message.
        if header[4..8] == [0; 4] {
            gives.insert("step keys".to_owned(), hex(&bound(header)[12..]));
        }
        line.ck = next;
        gives
    }

    pub(super) fn decrypt(&mut self, step: &Value) -> Gives {
        let message: [u8; CIPHERTEXT_LEN] = self.of(step, "message").try_into().unwrap();
        let name = who(step);
        let (session, _) = self.at(step);
        let ratchet = session.ratchets.get_mut(&name).unwrap();
        let read = ratchet.decrypt(number(&step["day"]), &Ciphertext::from_bytes(&message));
        let mut out = match read {
            Ok(text) => {
                gives(json!({ "content": String::from_utf8(text.content().to_vec()).unwrap() }))
            }
            Err(error) => refused(&error),
        };
        let saved = ratchet.to_secret_bytes();
        out.insert("state".to_owned(), state(&saved));
        if step["save"] == true {
            // What an older release has written must load.
            session.ratchets.insert(name, Ratchet::from_secret_bytes(&saved).unwrap());
            out.insert("saved".to_owned(), hex(&saved));
        }
        out
    }
}

impl super::Session {
    /// The reference's sending step (RAT-3). dice: dh(32) ‖ seed(64) ‖ m(32).
    fn step(&mut self, name: &str, peer: &str, drawn: &[u8]) -> Value {
        let (private, seed) = pair_of(drawn);
        let to = &self.lines[peer];
        let (ct, kem_ss) = to.ek.encapsulate(&mut Dice::noted(drawn[96..].to_vec()));
        let mixed = mix(
            &self.root,
            &self.sid,
            &Mix {
                step: 0x10,
                kem_ss,
                x_ss: private.agree(&to.dh).unwrap(),
                x_enc: private.public(),
                x_dec: to.dh,
                ek: &to.ek,
                ct: &ct,
            },
        );
        self.root = mixed.next;
        let line = Line { dh: private.public(), ek: seed.encapsulation_key(), ck: mixed.key };
        self.lines.insert(name.to_owned(), line);
        mixed.shown
    }
}

/// dh(32) ‖ seed(64)
fn pair_of(drawn: &[u8]) -> (dh::Private, kem::Seed) {
    let private = dh::Private::copy_of(drawn.first_chunk().unwrap());
    (private, kem::Seed::copy_of(drawn[32..96].try_into().unwrap()))
}
