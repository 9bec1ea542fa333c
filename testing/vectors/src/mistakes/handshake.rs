//! Mistakes against `handshake.md` up to M4, and against SAS-2. One pairing, whose states and
//! messages are in `states.json`, meets each of them.

use super::identity::Signers;
use super::{Mistake, flip, input, set};
use crate::dice::Dice;
use crate::hexed::hex;
use crate::reference::{Chain, Mix};
use crate::transcript::NOW;
use crypto::{dh, hash, kem};
use data_encoding::BASE32_NOPAD;
use handshake::{Introduction, Inviter, accept};
use identity::Identity;
use serde_json::{Value, json};
use wire::Codec;

const MAILBOX: [u8; 32] = [0x3a; 32];
/// Where the fields of a plaintext lie (HS-5): idcert(6582) ‖ r(32) ‖ introduction(134) ‖ hours(4).
const R: usize = 6582;
const NAME: usize = 6582 + 32 + 70;
const SECOND_BOX: usize = 6582 + 32 + 4 + 1 + 32;
const HOURS: usize = 6582 + 32 + 134;
const PADDING: usize = HOURS + 4;
const M2_PLAIN: usize = 6864;
const M3_PLAIN: usize = 6896;

/// Two people in the middle of a pairing.
struct Pairing {
    dice: Dice,
    alice: Identity,
    bob: Identity,
    inviter: Inviter,
    m2: Vec<u8>,
    bob_waits: Vec<u8>,
    m3: Vec<u8>,
    alice_waits: Vec<u8>,
    m4: Vec<u8>,
}

/// The states by name, and the mistakes.
pub(super) fn all() -> (Value, Vec<Mistake>) {
    let mut p = Pairing::new();
    let states = json!({
        "alice": hex(&p.alice.to_secret_bytes()), "bob": hex(&p.bob.to_secret_bytes()),
        "inviter": hex(&p.inviter.to_secret_bytes()), "uri": *p.inviter.invite().to_uri(),
        "M1": hex(p.inviter.m1()), "M2": hex(&p.m2), "M3": hex(&p.m3), "M4": hex(&p.m4),
        "awaiting M3": hex(&p.bob_waits), "awaiting M4": hex(&p.alice_waits),
    });
    let mut mistakes = invites(&mut p);
    mistakes.extend(second(&mut p));
    mistakes.extend(third(&mut p));
    mistakes.extend(fourth(&mut p));
    (states, mistakes)
}

/// The introduction of everybody here: two mailboxes and a name of eight bytes.
pub(super) fn introduction() -> Introduction {
    Introduction { inbox: vec![[7; 32], [8; 32]], version: 1, name: "somebody".to_owned() }
}

impl Pairing {
    fn new() -> Self {
        let mut dice = Dice::noting(3);
        let alice = Identity::generate(&mut dice, NOW).unwrap();
        let bob = Identity::generate(&mut dice, NOW).unwrap();
        let inviter = Inviter::new(&mut dice, &alice, &[MAILBOX], NOW + 48).unwrap();
        let (invite, intro) = (inviter.invite(), introduction());
        let (m2, bob_waits) = accept(&mut dice, &bob, &invite, &intro, inviter.m1(), NOW).unwrap();
        let (m3, alice_waits) =
            inviter.receive_m2(&mut dice, &alice, &intro, &m2, NOW, |_| false).unwrap();
        let (m4, _) = bob_waits.receive_m3(&mut dice, &bob, &m3, NOW, |_| false).unwrap();
        let bob_waits = bob_waits.to_secret_bytes().to_vec();
        let alice_waits = alice_waits.to_secret_bytes().to_vec();
        Self { dice, alice, bob, inviter, m2, bob_waits, m3, alice_waits, m4 }
    }

    /// What `who` says in M2 or M3, `len` bytes.
    fn plain(who: &[u8], r: &[u8], hours: u32, len: usize) -> Vec<u8> {
        let intro = introduction().to_bytes();
        let mut plain = [who, r, &intro, &hours.to_be_bytes()].concat();
        plain.resize(len, 0);
        plain
    }

    /// M2 by someone who holds the invite and says `plain`.
    fn m2(&mut self, plain: &[u8]) -> Vec<u8> {
        let m1 = self.inviter.m1();
        let (e, e_b) = dh::generate(&mut self.dice);
        let e_a = dh::Public(m1[..32].try_into().unwrap());
        let ek = kem::EncapsulationKey::from_bytes(m1[32..1216].try_into().unwrap()).unwrap();
        let (ct, kem_ss) = ek.encapsulate(&mut self.dice);
        let mut chain = Chain::pairing(m1, self.inviter.secret().expose_secret());
        let public = [&e_b.0[..], ct.as_bytes()].concat();
        chain.absorb(&public);
        let x_ss = e.agree(&e_a).unwrap();
        let (key, _) =
            chain.mix(&Mix { step: 1, kem_ss, x_ss, x_enc: e_b, x_dec: e_a, ek: &ek, ct: &ct });
        [public, chain.seal(key, plain)].concat()
    }

    /// M3 by someone who holds the inviter's ephemeral keys and says `plain`.
    fn m3(&mut self, plain: &[u8]) -> Vec<u8> {
        let e = dh::Private::copy_of(self.inviter.to_secret_bytes()[1..33].try_into().unwrap());
        let bob = self.bob.cert();
        let (ct, kem_ss) = bob.k().encapsulate(&mut self.dice);
        let mut chain = chain_at(&self.bob_waits, 2405);
        chain.absorb(ct.as_bytes());
        let (x_ss, x_enc, x_dec) = (e.agree(bob.x()).unwrap(), e.public(), *bob.x());
        let (key, _) =
            chain.mix(&Mix { step: 2, kem_ss, x_ss, x_enc, x_dec, ek: bob.k(), ct: &ct });
        [&ct.as_bytes()[..], &chain.seal(key, plain)].concat()
    }

    /// M4 by someone who holds B's keys and confirms `h`, or with `None` the true one.
    fn m4(&mut self, h: Option<[u8; 32]>) -> Vec<u8> {
        let alice = self.alice.cert();
        let (ct, kem_ss) = alice.k().encapsulate(&mut self.dice);
        let mut chain = chain_at(&self.alice_waits, 1);
        chain.absorb(ct.as_bytes());
        let x_ss = dh::Shared::copy_of(self.alice_waits[65..97].try_into().unwrap());
        let x_enc = dh::Public(self.alice_waits[97..129].try_into().unwrap());
        let (key, _) = chain.mix(&Mix {
            step: 3,
            kem_ss,
            x_ss,
            x_enc,
            x_dec: *alice.x(),
            ek: alice.k(),
            ct: &ct,
        });
        let said = [&b"pvtcoms v1 confirm"[..], &h.unwrap_or(chain.h)].concat();
        [&ct.as_bytes()[..], &chain.seal(key, &said)].concat()
    }
}

/// `h` and `ck` of a waiting state.
fn chain_at(state: &[u8], at: usize) -> Chain {
    let [h, ck] = [at, at + 32].map(|at| state[at..at + 32].try_into().unwrap());
    Chain { h, ck }
}

/// The text of an invite to any M1, with its bytes changed before they are summed.
fn uri(secret: &[u8; 32], m1: &[u8], change: impl Fn(&mut Vec<u8>)) -> String {
    let pin = hash(&[b"pvtcoms v1 m1", m1]);
    let mut body = [&[1, 1, 1][..], &MAILBOX, secret, &pin, &(NOW + 48).to_be_bytes()].concat();
    change(&mut body);
    let check = hash(&[b"pvtcoms v1 invite check", &body]);
    body.extend(&check[..4]);
    format!("pvtcoms:i1/{}", BASE32_NOPAD.encode(&body).to_lowercase())
}

fn invites(p: &mut Pairing) -> Vec<Mistake> {
    let m1 = p.inviter.m1().to_vec();
    let secret = *p.inviter.secret().expose_secret();
    let good = uri(&secret, &m1, |_| ());
    let (before, after) = good.split_at(40);
    let slip = [before, &after.replacen(|c| c != 'a', "a", 1)].concat();
    let text = |text: &str| json!({ "text": text });
    let invite = |name, says, bad: &str, expect| Mistake {
        name,
        rule: "INV-1",
        says,
        call: "handshake invite",
        with: json!({}),
        good: text(&good),
        bad: text(bad),
        expect,
    };
    let accept = |name, rule, says, good: Value, bad: Value, expect| Mistake {
        name,
        rule,
        says,
        call: "handshake accept",
        with: json!({ "identity": "@bob", "text": "@uri", "bytes": "@M1", "hours": NOW }),
        good,
        bad,
        expect,
    };
    // M1 that its maker pinned, and that is none.
    let pinned = |m1: &[u8]| json!({ "text": uri(&secret, m1, |_| ()), "bytes": hex(m1) });
    let unreduced = set(&set(&m1, 32, 0xff), 33, 0xff);
    let zero = [&[0; 32], &m1[32..]].concat();
    let hours = |hours: u32| json!({ "hours": hours });
    vec![
        invite("invite-slip", "a letter is another", &slip, "Mistyped"),
        invite("invite-version", "version 2", &uri(&secret, &m1, |b| b[0] = 2), "Version"),
        invite("invite-suite", "suite 2", &uri(&secret, &m1, |b| b[1] = 2), "Version"),
        invite("invite-no-mailbox", "no mailbox", &uri(&secret, &m1, |b| b[2] = 0), "NotAnInvite"),
        invite(
            "invite-mailbox-twice",
            "the same mailbox twice",
            &uri(&secret, &m1, |b| {
                b[2] = 2;
                b.splice(3..3, MAILBOX);
            }),
            "NotAnInvite",
        ),
        invite("invite-other-text", "another kind of text", "https://example.org/", "NotAnInvite"),
        accept(
            "m1-not-pinned",
            "INV-2",
            "M1 is not the one that the invite pins",
            input(&m1),
            input(&flip(&m1, 1216)),
            "NotAuthentic",
        ),
        accept(
            "invite-expired",
            "INV-3",
            "the invite ran out an hour ago",
            hours(NOW + 48),
            hours(NOW + 49),
            "Expired",
        ),
        accept(
            "m1-ek-unreduced",
            "HS-3",
            "eK is no encapsulation key, and the invite pins it",
            pinned(&m1),
            pinned(&unreduced),
            r#"Malformed(Field("eK"))"#,
        ),
        accept(
            "m1-ea-zero",
            "HS-3",
            "eA contributes nothing, and the invite pins it",
            pinned(&m1),
            pinned(&zero),
            r#"Malformed(Field("eA"))"#,
        ),
        accept(
            "m1-reserved",
            "WIR-3",
            "a reserved byte of M1 is not zero, and the invite pins it",
            pinned(&m1),
            pinned(&set(&m1, 1251, 1)),
            "Malformed(Reserved)",
        ),
        accept(
            "m1-short",
            "HS-3",
            "the last byte of M1 is missing",
            pinned(&m1),
            pinned(&m1[..1251]),
            "Malformed(Short)",
        ),
    ]
}

fn second(p: &mut Pairing) -> Vec<Mistake> {
    let (r, bob) = ([0x42; 32], p.bob.cert().clone());
    let plain = Pairing::plain(bob.as_bytes(), &r, NOW, M2_PLAIN);
    let good = p.m2(&plain);
    let (own, signers) = (p.alice.cert().as_bytes().to_vec(), Signers::of(&p.bob));
    let mut mistake = |name, rule, says, bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "handshake receive M2",
        with: json!({ "identity": "@alice", "state": "@inviter", "hours": NOW }),
        good: input(&good),
        bad: input(&if bad.len() == M2_PLAIN { p.m2(bad) } else { bad.to_vec() }),
        expect,
    };
    let hours = |hours: u32| Pairing::plain(bob.as_bytes(), &r, hours, M2_PLAIN);
    let field = r#"Malformed(Field("hours"))"#;
    let mut twice = plain.clone();
    twice.copy_within(SECOND_BOX - 32..SECOND_BOX, SECOND_BOX);
    let dice = &mut Dice::noting(4);
    let mut cert = |x: &dh::Public, not_after: u32| {
        let cert = signers.certify(dice, x, bob.k(), [0, not_after]);
        Pairing::plain(&cert, &r, NOW, M2_PLAIN)
    };
    let zero_x = cert(&dh::Public([0; 32]), NOW);
    let ran_out = cert(bob.x(), NOW - 1);
    let zero_e = [&[0; 32], &good[32..]].concat();
    let known = |known: &[u8; 32]| json!({ "known": [hex(known)] });
    vec![
        mistake(
            "m2-short",
            "HS-3",
            "the last byte of M2 is missing",
            &good[..7999],
            "Malformed(Short)",
        ),
        mistake(
            "m2-long",
            "HS-3",
            "a byte is left over after M2",
            &[&good[..], &[0]].concat(),
            "Malformed(Long)",
        ),
        mistake(
            "m2-eb-zero",
            "HS-3",
            "eB contributes nothing",
            &zero_e,
            r#"Malformed(Field("eB"))"#,
        ),
        mistake(
            "m2-public-flipped",
            "HS-1",
            "a bit of ct1 is flipped",
            &flip(&good, 32),
            "NotAuthentic",
        ),
        mistake(
            "m2-sealed-flipped",
            "HS-3",
            "a bit of the sealed part is flipped",
            &flip(&good, 1120),
            "NotAuthentic",
        ),
        mistake(
            "m2-certificate",
            "HS-3",
            "a signature of the certificate is wrong",
            &flip(&plain, 6581),
            "BadCertificate(Signature)",
        ),
        mistake(
            "m2-certificate-ran-out",
            "HS-3",
            "the certificate ran out an hour ago",
            &ran_out,
            "BadCertificate(Expired)",
        ),
        mistake(
            "m2-sx-zero",
            "HS-3",
            "sX of the certificate contributes nothing",
            &zero_x,
            r#"Malformed(Field("sX"))"#,
        ),
        mistake(
            "m2-own-identity",
            "HS-3",
            "the certificate is the inviter's own",
            &Pairing::plain(&own, &r, NOW, M2_PLAIN),
            "OwnIdentity",
        ),
        mistake(
            "m2-mailbox-twice",
            "HS-5",
            "the introduction names one mailbox twice",
            &twice,
            r#"Malformed(Field("inbox"))"#,
        ),
        mistake(
            "m2-name",
            "HS-5",
            "the name is not UTF-8",
            &set(&plain, NAME, 0xff),
            r#"Malformed(Field("name"))"#,
        ),
        mistake(
            "m2-name-padding",
            "HS-5",
            "the name is padded with something else than zeros",
            &set(&plain, NAME + 8, 1),
            "Malformed(Reserved)",
        ),
        mistake("m2-hours-ahead", "HS-5", "B's clock is 49 hours ahead", &hours(NOW + 49), field),
        mistake(
            "m2-hours-behind",
            "HS-5",
            "B's clock is 769 hours behind",
            &hours(NOW - 769),
            field,
        ),
        mistake(
            "m2-padding",
            "HS-5",
            "the padding is not zero",
            &set(&plain, PADDING, 1),
            "Malformed(Reserved)",
        ),
        Mistake {
            with: json!({ "identity": "@alice", "state": "@inviter", "hours": NOW, "bytes": "@M2" }),
            good: known(&[0; 32]),
            bad: known(&bob.fingerprint().0),
            ..mistake("m2-known-contact", "HS-3", "B is a contact already", &plain, "KnownContact")
        },
        Mistake {
            with: json!({ "identity": "@alice", "state": "@inviter", "bytes": "@M2" }),
            good: json!({ "hours": NOW + 48 }),
            bad: json!({ "hours": NOW + 49 }),
            ..mistake(
                "m2-late",
                "INV-3",
                "M2 comes an hour after the invite ran out",
                &plain,
                "Expired",
            )
        },
    ]
}

fn third(p: &mut Pairing) -> Vec<Mistake> {
    let r_a = p.inviter.to_secret_bytes()[97..129].to_vec();
    let alice = p.alice.cert().as_bytes().to_vec();
    let plain = Pairing::plain(&alice, &r_a, NOW, M3_PLAIN);
    let good = p.m3(&plain);
    let new = Identity::from_secret_bytes(&p.bob.to_secret_bytes()).unwrap();
    let once = new.rotate(&mut p.dice, NOW).unwrap();
    let twice = once.rotate(&mut p.dice, NOW).unwrap();
    let mut mistake = |name, rule, says, bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "handshake receive M3",
        with: json!({ "identity": "@bob", "state": "@awaiting M3", "hours": NOW }),
        good: input(&good),
        bad: input(&if bad.len() == M3_PLAIN { p.m3(bad) } else { bad.to_vec() }),
        expect,
    };
    let who = |who: &Identity| json!({ "identity": hex(&who.to_secret_bytes()) });
    let hours = Pairing::plain(&alice, &r_a, NOW + 1, M3_PLAIN);
    vec![
        mistake(
            "m3-commitment",
            "SAS-2",
            "A opens another rA than it committed to",
            &flip(&plain, R),
            "CommitmentMismatch",
        ),
        mistake(
            "m3-hours",
            "HS-5",
            "M3 repeats another hour than that of M2",
            &hours,
            r#"Malformed(Field("hours"))"#,
        ),
        mistake("m3-flipped", "HS-1", "a bit of ct2 is flipped", &flip(&good, 0), "NotAuthentic"),
        Mistake {
            with: json!({ "state": "@awaiting M3", "hours": NOW, "bytes": "@M3" }),
            good: who(&once),
            bad: who(&twice),
            ..mistake(
                "m3-keys-gone",
                "ID-CERT-5",
                "B rotated its keys twice since M2",
                &plain,
                "KeysGone",
            )
        },
    ]
}

fn fourth(p: &mut Pairing) -> Vec<Mistake> {
    let (good, bad) = (p.m4(None), p.m4(Some([0; 32])));
    let mistake = |name, says, bad: &[u8]| Mistake {
        name,
        rule: "HS-6",
        says,
        call: "handshake receive M4",
        with: json!({ "state": "@awaiting M4" }),
        good: input(&good),
        bad: input(bad),
        expect: "NotAuthentic",
    };
    vec![
        mistake("m4-confirmation", "M4 confirms another transcript", &bad),
        mistake("m4-flipped", "a bit of M4 is flipped", &flip(&good, 1153)),
    ]
}
