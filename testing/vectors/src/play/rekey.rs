//! The re-key (REK-1).

use super::{Gives, Made, Player, agree, gives, introduction, who};
use crate::dice::Dice;
use crate::hexed::{hex, number, text};
use crate::reference::{Chain, Mix};
use crypto::{dh, kem};
use handshake::rekey::{self, Initiated};
use handshake::{RecoveryPsk, Renewed};
use identity::IdCert;
use serde_json::{Value, json};

impl Player {
    /// The recovery psk comes from the session that `psk of` names.
    fn psk(&self, step: &Value) -> RecoveryPsk {
        let first = &self.sessions[text(&step["psk of"])];
        first.made.values().next().unwrap().secret.recovery_psk()
    }

    fn peer(&self, step: &Value) -> IdCert {
        self.people[text(&step["peer"])].cert().clone()
    }

    pub(super) fn rekey_initiate(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (psk, peer) = (self.psk(step), self.peer(step));
        let (session, own) = self.at(step);
        let intro = introduction(step);
        let (r1, waits) =
            rekey::initiate(dice, own.statics(), &peer, &psk, &intro, number(&step["hours"]))
                .unwrap();

        // dice: e(32) ‖ eK(64) ‖ m(32)
        let drawn = dice.drawn();
        let e = dh::Private::copy_of(drawn.first_chunk().unwrap());
        let (ct, kem_ss) = peer.k().encapsulate(&mut Dice::noted(drawn[96..].to_vec()));
        agree("ctR", &r1[1216..2304], ct.as_bytes());
        let parts = [own.cert().fingerprint().0, peer.fingerprint().0];
        let parts = [&parts[0][..], &parts[1][..]];
        let mut chain = Chain::start(b"pvtcoms v1 rekey", &parts, psk.expose_secret());
        let start = (chain.h, chain.ck);
        chain.absorb(&r1[..2304]);
        let (_, mix) = chain.mix(&Mix {
            step: 0x21,
            kem_ss,
            x_ss: e.agree(peer.x()).unwrap(),
            x_enc: e.public(),
            x_dec: *peer.x(),
            ek: peer.k(),
            ct: &ct,
        });
        chain.absorb(&r1[2304..]);
        let state = waits.to_secret_bytes();
        agree("h after R1", &state[97..129], &chain.h);
        agree("ck after R1", &state[129..161], &chain.ck);
        let gives = gives(json!({
            "recovery psk": hex(psk.expose_secret()), "h0": hex(&start.0), "ck0": hex(&start.1),
            "mix": mix, "R1": hex(&r1), "h": hex(&chain.h), "state": hex(&state),
        }));
        (session.chain, session.initiated) = (Some(chain), Some(waits));
        gives
    }

    pub(super) fn rekey_respond(&mut self, step: &Value, dice: &mut Dice) -> Gives {
        let (psk, peer, r1) = (self.psk(step), self.peer(step), self.of(step, "R1"));
        let name = who(step);
        let (session, own) = self.at(step);
        let intro = introduction(step);
        let (r2, made) =
            rekey::respond(dice, own, &[&peer], &psk, &intro, &r1, number(&step["hours"])).unwrap();

        // dice: e'(32) ‖ m1(32) ‖ mI(32)
        let drawn = dice.drawn();
        let e = dh::Private::copy_of(drawn.first_chunk().unwrap());
        let e_i = dh::Public(*r1.first_chunk().unwrap());
        let ek = kem::EncapsulationKey::from_bytes(r1[32..1216].try_into().unwrap()).unwrap();
        let (ct1, kem_ss) = ek.encapsulate(&mut Dice::noted(drawn[32..64].to_vec()));
        let (ct_i, ss_i) = peer.k().encapsulate(&mut Dice::noted(drawn[64..].to_vec()));
        let chain = session.chain.as_mut().unwrap();
        chain.absorb(&r2[..2208]);
        let (_, ephemeral) = chain.mix(&Mix {
            step: 0x22,
            kem_ss,
            x_ss: e.agree(&e_i).unwrap(),
            x_enc: e.public(),
            x_dec: e_i,
            ek: &ek,
            ct: &ct1,
        });
        let (_, fixed) = chain.mix(&Mix {
            step: 0x23,
            kem_ss: ss_i,
            x_ss: e.agree(peer.x()).unwrap(),
            x_enc: e.public(),
            x_dec: *peer.x(),
            ek: peer.k(),
            ct: &ct_i,
        });
        chain.absorb(&r2[2208..]);
        agree("session", made.session.expose_secret(), &chain.session());
        let mut gives = renewed(&made);
        gives
            .extend([("mixes".to_owned(), json!([ephemeral, fixed])), ("R2".to_owned(), hex(&r2))]);
        session.made.insert(name, of(made));
        gives
    }

    pub(super) fn rekey_finish(&mut self, step: &Value) -> Gives {
        let r2 = self.of(step, "R2");
        let name = who(step);
        let (session, own) = self.at(step);
        let waits: &Initiated = session.initiated.as_ref().unwrap();
        let made = rekey::finish(waits, own, &r2).unwrap();
        let gives = renewed(&made);
        session.made.insert(name, of(made));
        gives
    }
}

fn renewed(made: &Renewed) -> Gives {
    gives(json!({
        "h": hex(&made.transcript), "day": made.day,
        "session secret": hex(made.session.expose_secret()),
        "peer": hex(&made.peer.fingerprint().0), "peer name": made.peer_intro.name,
    }))
}

fn of(made: Renewed) -> Made {
    Made { secret: made.session, first: made.first, transcript: made.transcript }
}
