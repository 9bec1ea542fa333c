//! Identities, invite, handshake, words.

use super::{Gives, Made, Player, agree, gives, introduction, who};
use crate::dice::Dice;
use crate::hexed::{array, hex, number, text};
use crate::reference::{Chain, Mix};
use crypto::{dh, kem};
use handshake::{Established, Invite, Inviter, accept};
use identity::{IdCert, Identity, Sas, long_check, successor};
use serde_json::{Value, json};

impl Player {
    pub(super) fn identity(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let person = Identity::generate(dice, number(&step["hours"])).unwrap();
        let gives = shown(person.cert());
        self.people.insert(who(step), person);
        gives
    }

    pub(super) fn rotate(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let old = &self.people[text(&step["who"])];
        let new = old.rotate(dice, number(&step["hours"])).unwrap();
        let mut gives = shown(new.cert());
        let relation = format!("{:?}", new.cert().relation_to(old.cert()));
        gives.insert("relation".to_owned(), relation.into());
        self.people.insert(who(step), new);
        gives
    }

    /// The old identity names the new one; the other person checks it.
    pub(super) fn succeed(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (old, new) = (&self.people[text(&step["who"])], &self.people[text(&step["new"])]);
        let statement = successor::state(dice, old, new.cert(), number(&step["hours"])).unwrap();
        let hours = successor::verify(&statement, old.cert(), new.cert()).unwrap();
        let relation = format!("{:?}", new.cert().relation_to(old.cert()));
        gives(json!({ "statement": hex(&statement), "hours": hours, "relation": relation }))
    }

    pub(super) fn long_check(&mut self, step: &Value) -> Gives {
        let name = |who: &str| self.people[text(&step[who])].cert().fingerprint();
        gives(json!({ "words": long_check(&name("who"), &name("peer")) }))
    }

    pub(super) fn invite(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (session, own) = self.at(step);
        let mailboxes: Vec<[u8; 32]> =
            step["mailboxes"].as_array().unwrap().iter().map(array).collect();
        let inviter = Inviter::new(dice, own, &mailboxes, number(&step["expiry"])).unwrap();
        let state = inviter.to_secret_bytes();
        let gives = gives(json!({
            "M1": hex(inviter.m1()), "uri": *inviter.invite().to_uri(),
            "I": hex(inviter.secret().expose_secret()), "state": hex(&state),
        }));
        session.inviter = Some(inviter);
        gives
    }

    pub(super) fn accept(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let m1 = self.of(step, "M1");
        let (session, own) = self.at(step);
        let invite = Invite::from_uri(text(&step["uri"])).unwrap_or_else(|e| panic!("{e}"));
        let (m2, waits) =
            accept(dice, own, &invite, &introduction(step), &m1, number(&step["hours"])).unwrap();

        // dice: eB(32) ‖ m(32) ‖ rB(32)
        let e_b = dh::Private::copy_of(dice.drawn().first_chunk().unwrap());
        let (e_a, ek) = keys_of_m1(&m1);
        let (ct, kem_ss) = ek.encapsulate(&mut Dice::noted(dice.drawn()[32..64].to_vec()));
        let mut chain = Chain::pairing(&m1, invite.secret().expose_secret());
        let start = (chain.h, chain.ck);
        chain.absorb(&m2[..1120]);
        let x_ss = e_b.agree(&e_a).unwrap();
        let (_, mix) = chain.mix(&Mix {
            step: 1,
            kem_ss,
            x_ss,
            x_enc: e_b.public(),
            x_dec: e_a,
            ek: &ek,
            ct: &ct,
        });
        agree("ct1", &m2[32..1120], ct.as_bytes());
        chain.absorb(&m2[1120..]);
        let state = waits.to_secret_bytes();
        agree("h after M2", &state[2405..2437], &chain.h);
        agree("ck after M2", &state[2437..2469], &chain.ck);
        let gives = gives(json!({
            "h0": hex(&start.0), "ck0": hex(&start.1), "mix": mix, "M2": hex(&m2),
            "h": hex(&chain.h), "state": hex(&state),
        }));
        (session.chain, session.e_b, session.awaiting_m3) = (Some(chain), Some(e_b), Some(waits));
        gives
    }

    pub(super) fn receive_m2(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let m2 = self.of(step, "M2");
        let (session, own) = self.at(step);
        let inviter = session.inviter.as_ref().unwrap();
        let hours = number(&step["hours"]);
        let (m3, waits) =
            inviter.receive_m2(dice, own, &introduction(step), &m2, hours, |_| false).unwrap();

        let e_a = dh::Private::copy_of(inviter.to_secret_bytes()[1..33].try_into().unwrap());
        let peer = waits.peer();
        let (ct, kem_ss) = peer.k().encapsulate(&mut Dice::noted(dice.drawn().to_vec()));
        agree("ct2", &m3[..1088], ct.as_bytes());
        let chain = session.chain.as_mut().unwrap();
        chain.absorb(ct.as_bytes());
        let (_, mix) = chain.mix(&Mix {
            step: 2,
            kem_ss,
            x_ss: e_a.agree(peer.x()).unwrap(),
            x_enc: e_a.public(),
            x_dec: *peer.x(),
            ek: peer.k(),
            ct: &ct,
        });
        chain.absorb(&m3[1088..]);
        let state = waits.to_secret_bytes();
        agree("h after M3", &state[1..33], &chain.h);
        agree("ck after M3", &state[33..65], &chain.ck);
        let gives = gives(json!({
            "mix": mix, "M3": hex(&m3), "h": hex(&chain.h), "sas": words(waits.sas()),
            "state": hex(&state),
        }));
        session.awaiting_m4 = Some(waits);
        gives
    }

    pub(super) fn receive_m3(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let m3 = self.of(step, "M3");
        let name = who(step);
        let (session, own) = self.at(step);
        let waits = session.awaiting_m3.as_ref().unwrap();
        let hours = number(&step["hours"]);
        let (m4, made) = waits.receive_m3(dice, own, &m3, hours, |_| false).unwrap();

        let e_b = session.e_b.as_ref().unwrap();
        let (ct, kem_ss) = made.peer.k().encapsulate(&mut Dice::noted(dice.drawn().to_vec()));
        agree("ct3", &m4[..1088], ct.as_bytes());
        let chain = session.chain.as_mut().unwrap();
        chain.absorb(ct.as_bytes());
        let (key, mix) = chain.mix(&Mix {
            step: 3,
            kem_ss,
            x_ss: e_b.agree(made.peer.x()).unwrap(),
            x_enc: e_b.public(),
            x_dec: *made.peer.x(),
            ek: made.peer.k(),
            ct: &ct,
        });
        let said = [&b"pvtcoms v1 confirm"[..], &chain.h].concat();
        agree("M4", &m4[1088..], &chain.seal(key, &said));
        agree("session", made.session.expose_secret(), &chain.session());
        let mut gives = established(&made);
        gives.extend([("mix".to_owned(), mix), ("M4".to_owned(), hex(&m4))]);
        session.made.insert(name, of(made));
        gives
    }

    pub(super) fn receive_m4(&mut self, step: &Value) -> Gives {
        let m4 = self.of(step, "M4");
        let name = who(step);
        let (session, _) = self.at(step);
        let made = session.awaiting_m4.as_ref().unwrap().receive_m4(&m4).unwrap();
        agree("session", made.session.expose_secret(), &session.chain.as_ref().unwrap().session());
        let gives = established(&made);
        session.made.insert(name, of(made));
        gives
    }
}

/// eA and eK of M1.
fn keys_of_m1(m1: &[u8]) -> (dh::Public, kem::EncapsulationKey) {
    let ek = kem::EncapsulationKey::from_bytes(m1[32..1216].try_into().unwrap()).unwrap();
    (dh::Public(*m1.first_chunk().unwrap()), ek)
}

fn shown(cert: &IdCert) -> Gives {
    gives(json!({
        "idcert": hex(cert.as_bytes()), "hash": hex(&cert.hash()),
        "fingerprint": hex(&cert.fingerprint().0),
    }))
}

fn words(sas: Sas) -> Value {
    json!({ "code": hex(&sas.code()), "words": sas.words(), "digits": sas.digits() })
}

fn established(made: &Established) -> Gives {
    gives(json!({
        "sas": words(made.sas), "h": hex(&made.transcript), "day": made.day,
        "session secret": hex(made.session.expose_secret()),
        "peer": hex(&made.peer.fingerprint().0), "peer name": made.peer_intro.name,
    }))
}

fn of(made: Established) -> Made {
    Made { secret: made.session, first: made.first, transcript: made.transcript }
}
