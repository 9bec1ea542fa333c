//! Mistakes against `identity.md` and `sas.md`.

use super::{Mistake, flip, input, set};
use crate::dice::Dice;
use crate::hexed::hex;
use crate::transcript::NOW;
use crypto::sign::{EdSecret, MdSecret};
use crypto::{dh, hash, kem};
use identity::{CERT_LEN, IdCert, Identity, successor};
use serde_json::{Value, json};

/// Where the fields of a certificate lie (ID-CERT-1).
const MD_PK: usize = 33;
const SK: usize = 2017;
const ED_SIG: usize = 3209;
const MD_SIG: usize = 3273;

/// The keys that sign, in whoever's hands they are.
pub(super) struct Signers {
    pub(super) ed: EdSecret,
    pub(super) md: MdSecret,
}

impl Signers {
    /// Those of an identity.
    pub(super) fn of(who: &Identity) -> Self {
        let bytes = who.to_secret_bytes();
        Self {
            ed: EdSecret::copy_of(bytes[1..33].try_into().unwrap()),
            md: MdSecret::copy_of(bytes[33..65].try_into().unwrap()),
        }
    }

    /// A certificate over whatever stands in it.
    pub(super) fn certify(
        &self,
        dice: &mut Dice,
        x: &dh::Public,
        k: &kem::EncapsulationKey,
        [epoch, not_after]: [u32; 2],
    ) -> Vec<u8> {
        let core = [
            &[1][..],
            &self.ed.public(),
            self.md.public().as_slice(),
            &x.0,
            k.as_bytes(),
            &epoch.to_be_bytes(),
            &not_after.to_be_bytes(),
        ]
        .concat();
        let digest = hash(&[&core]);
        let by_ed = self.ed.sign(&[b"pvtcoms v1 idcert ed", &digest[..]].concat());
        let by_md = self.md.sign(dice, b"pvtcoms v1 idcert md", &digest).unwrap();
        [&core[..], &by_ed, by_md.as_slice()].concat()
    }
}

pub(super) fn all() -> Vec<Mistake> {
    let dice = &mut Dice::noting(2);
    let alice = Identity::generate(dice, NOW).unwrap();
    let mallory = Identity::generate(dice, NOW).unwrap();
    let good = alice.cert().as_bytes().to_vec();
    let other = mallory.cert().as_bytes();
    let mut exchanged = good.clone();
    exchanged[MD_PK..MD_PK + 1952].copy_from_slice(&other[MD_PK..MD_PK + 1952]);
    let unreduced = set(&set(&good, SK, 0xff), SK + 1, 0xff);
    let cert = |name, rule, says, bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "identity certificate",
        with: json!({ "hours": NOW }),
        good: input(&good),
        bad: input(bad),
        expect,
    };

    let statement = successor::state(dice, &alice, mallory.cert(), NOW).unwrap();
    let bob = Identity::generate(dice, NOW).unwrap();
    let by_another = successor::state(dice, &bob, mallory.cert(), NOW).unwrap();
    let mut forged = by_another;
    forged[1..33].copy_from_slice(&alice.cert().fingerprint().0);
    let about_bob = successor::state(dice, &alice, bob.cert(), NOW).unwrap();
    let names = json!({
        "old": hex(&good), "new": hex(other),
    });
    let successor = |name, says, bad: &[u8], expect| Mistake {
        name,
        rule: "ID-CERT-3",
        says,
        call: "identity successor",
        with: names.clone(),
        good: input(&statement),
        bad: input(bad),
        expect,
    };

    let newer = alice.rotate(dice, NOW + 720).unwrap();
    let again = Signers::of(&alice).certify(dice, alice.cert().x(), alice.cert().k(), [0, NOW]);
    let half = Signers { ed: Signers::of(&alice).ed, md: Signers::of(&mallory).md };
    let half = half.certify(dice, mallory.cert().x(), mallory.cert().k(), [9, NOW]);
    let beside = |name, rule, says, known: &IdCert, good: &[u8], bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "identity beside a known certificate",
        with: json!({ "known": hex(known.as_bytes()) }),
        good: input(good),
        bad: input(bad),
        expect,
    };
    let (old, new) = (alice.cert(), newer.cert());
    let new_bytes = new.as_bytes();
    let word = |name, says, bad: &str| Mistake {
        name,
        rule: "SAS-3",
        says,
        call: "identity word",
        with: json!({ "byte": 0xe5, "position": 0 }),
        good: typed("  TopMost "),
        bad: typed(bad),
        expect: "another word",
    };
    vec![
        cert(
            "certificate-version",
            "ID-CERT-1",
            "version 2",
            &set(&good, 0, 2),
            r#"Malformed(Field("version"))"#,
        ),
        cert(
            "certificate-sk",
            "ID-CERT-1",
            "sK is no encapsulation key",
            &unreduced,
            r#"Malformed(Field("sK"))"#,
        ),
        cert(
            "certificate-short",
            "ID-CERT-1",
            "the last byte is missing",
            &good[..CERT_LEN - 1],
            "Malformed(Short)",
        ),
        cert(
            "certificate-ed-signature",
            "ID-CERT-2",
            "the Ed25519 signature is wrong, the other is right",
            &flip(&good, ED_SIG),
            "Signature",
        ),
        cert(
            "certificate-md-signature",
            "ID-CERT-2",
            "the ML-DSA signature is wrong, the other is right",
            &flip(&good, MD_SIG),
            "Signature",
        ),
        cert(
            "certificate-md-exchanged",
            "ID-CERT-2",
            "the ML-DSA key is another person's",
            &exchanged,
            "Signature",
        ),
        Mistake {
            with: input(&good),
            good: json!({ "hours": NOW + 1440 }),
            bad: json!({ "hours": NOW + 1441 }),
            ..cert(
                "certificate-expired",
                "ID-CERT-5",
                "the certificate ran out an hour ago",
                &good,
                "Expired",
            )
        },
        successor(
            "successor-signature",
            "the old identity's name stands over another's signatures",
            &forged,
            "Signature",
        ),
        successor(
            "successor-other",
            "the statement is about other keys than the new certificate",
            &about_bob,
            "OtherIdentities",
        ),
        beside(
            "certificate-older",
            "ID-CERT-4",
            "an earlier epoch than the known one",
            new,
            new_bytes,
            &good,
            "NotNewer",
        ),
        beside(
            "certificate-same-epoch",
            "ID-CERT-4",
            "another certificate of the known epoch",
            old,
            new_bytes,
            &again,
            "NotNewer",
        ),
        beside(
            "certificate-half",
            "SAS-4",
            "the known Ed25519 key beside another ML-DSA key, both signatures right",
            old,
            new_bytes,
            &half,
            "Half",
        ),
        word("sas-other-word", "another word of the right list", "tonic"),
        word("sas-other-list", "the word of the list for odd positions", "travesty"),
    ]
}

fn typed(word: &str) -> Value {
    json!({ "typed": word })
}
