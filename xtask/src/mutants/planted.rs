//! The mistakes.

/// One mistake in the protocol.
pub(super) struct Mutant {
    pub(super) what: &'static str,
    pub(super) edits: &'static [Edit],
    /// Names under which the machine may find it (`machine::Kind`).
    pub(super) found_as: &'static [&'static str],
}

/// A piece of source that is there once, and what is planted in its place.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

const CHAIN: &str = "protocol/ratchet/src/chain.rs";
const MESSAGE: &str = "protocol/ratchet/src/message.rs";
const SESSION: &str = "protocol/ratchet/src/session.rs";
const SKIPPED: &str = "protocol/ratchet/src/skipped.rs";
const AEAD: &str = "protocol/crypto/src/aead.rs";

pub(super) const PLANTED: &[Mutant] = &[
    Mutant {
        what: "RAT-3: the root step leaves ML-KEM out",
        edits: &[Edit {
            file: CHAIN,
            from: "step: RATCHET_STEP, kem_ss, x_ss",
            to: "step: RATCHET_STEP, kem_ss: &kem::Shared::copy_of(&[0; 32]), x_ss",
        }],
        found_as: &["quantum thief opens more"],
    },
    Mutant {
        what: "RAT-3: the root step leaves X25519 out",
        edits: &[Edit {
            file: CHAIN,
            from: "step: RATCHET_STEP, kem_ss, x_ss",
            to: "step: RATCHET_STEP, kem_ss, x_ss: &dh::Shared::copy_of(&[0; 32])",
        }],
        found_as: &["thief without ML-KEM opens more"],
    },
    Mutant {
        what: "RAT-3: the next chain key is the message key",
        edits: &[Edit { file: CHAIN, from: "[0x02]", to: "[0x01]" }],
        found_as: &["classical thief opens more"],
    },
    Mutant {
        what: "RAT-3: the root key stays the same",
        edits: &[
            Edit {
                file: SESSION,
                from: "self.root = step.root;\n            self.turn = Turn::Send",
                to: "self.turn = Turn::Send",
            },
            Edit {
                file: SESSION,
                from: "self.root = step.root;\n        self.begin_reading",
                to: "self.begin_reading",
            },
        ],
        found_as: &["thief without both opens more"],
    },
    Mutant {
        what: "RAT-3: the handshake's root stays the root key of the first chain",
        edits: &[Edit {
            file: CHAIN,
            from: "stepped(&Pair::expand(&Prk::from_key(root), &[labels::RATCHET_FIRST, sid]))",
            to: "Stepped { root: RootKey::copy_of(root), ..stepped(&Pair::expand(&Prk::from_key(root), &[labels::RATCHET_FIRST, sid])) }",
        }],
        found_as: &["classical thief opens more"],
    },
    Mutant {
        what: "RAT-4: the first chain may carry a ciphertext",
        edits: &[Edit {
            file: SESSION,
            from: "if message.ciphertext() != no_ciphertext() {",
            to: "if false {",
        }],
        found_as: &["alien"],
    },
    Mutant {
        what: "RAT-4: the chain is installed before the message is opened",
        edits: &[
            Edit {
                file: SESSION,
                from: "let content = open(&self.sid, &run.last, message, &digest)?;\n                self.skipped",
                to: "(current.chain, current.n) = (run.chain, run.n);\n                let content = open(&self.sid, &run.last, message, &digest)?;\n                self.skipped",
            },
            Edit {
                file: SESSION,
                from: "(current.chain, current.n) = (run.chain, run.n);\n                current.keys",
                to: "current.keys",
            },
        ],
        found_as: &["touched"],
    },
    Mutant {
        what: "RAT-4: the root key is installed before the message is opened",
        edits: &[
            Edit {
                file: SESSION,
                from: "let run = Run::to(&step.chain, 0, message.n)?;",
                to: "self.root = step.root;\n        let run = Run::to(&step.chain, 0, message.n)?;",
            },
            Edit {
                file: SESSION,
                from: "self.root = step.root;\n        self.begin_reading",
                to: "self.begin_reading",
            },
        ],
        found_as: &["touched"],
    },
    Mutant {
        what: "RAT-6: a skip has no bound",
        edits: &[Edit {
            file: SESSION,
            from: "if to.saturating_sub(from) > MAX_SKIP {",
            to: "if to.saturating_sub(from) > MAX_N {",
        }],
        found_as: &["limit"],
    },
    Mutant {
        what: "RAT-6: any number of keys is stored",
        edits: &[Edit {
            file: SKIPPED,
            from: "self.len().saturating_sub(MAX_STORED)",
            to: "self.len().saturating_sub(usize::MAX)",
        }],
        found_as: &["limit", "reload"],
    },
    Mutant {
        what: "RAT-6: keys of any number of old chains are stored",
        edits: &[Edit {
            file: SKIPPED,
            from: "let kept = MAX_OLD_CHAINS",
            to: "let kept = MAX_STORED",
        }],
        found_as: &["limit", "reload"],
    },
    Mutant {
        what: "RAT-6: keys never grow too old",
        edits: &[Edit {
            file: SKIPPED,
            from: "today.saturating_sub(day) > SKIPPED_DAYS",
            to: "today.saturating_sub(day) == u32::MAX",
        }],
        found_as: &["limit"],
    },
    Mutant {
        what: "RAT-7: a key that was put aside stays after its use",
        edits: &[Edit {
            file: SESSION,
            from: "self.skipped.erase(&message.dh, message.n); // RAT-7",
            to: "",
        }],
        found_as: &["twice"],
    },
    Mutant {
        what: "RAT-1: padding is not looked at",
        edits: &[Edit { file: MESSAGE, from: "r.zeros(r.remaining())?;", to: "r.rest();" }],
        found_as: &["alien"],
    },
    Mutant {
        what: "RAT-5: the body is not bound to the session",
        edits: &[
            Edit { file: MESSAGE, from: "siv_seal(mk, sid,", to: "siv_seal(mk, &[0; 32]," },
            Edit { file: MESSAGE, from: "siv_open(mk, sid,", to: "siv_open(mk, &[0; 32]," },
        ],
        found_as: &["alien", "by hand"],
    },
    Mutant {
        what: "RAT-5: keys that begin like those of the chain are taken for them",
        edits: &[Edit {
            file: MESSAGE,
            from: "Some(known) if known.bytes.as_slice() == self.keys =>",
            to: "Some(known) if known.bytes[..32] == self.keys[..32] =>",
        }],
        found_as: &["alien"],
    },
    Mutant {
        what: "RAT-5: the siv is not compared",
        edits: &[Edit { file: AEAD, from: "if ct_eq(siv, &again)", to: "if true" }],
        found_as: &["alien"],
    },
];
