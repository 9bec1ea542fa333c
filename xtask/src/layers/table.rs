//! The rules themselves.

/// One member of the workspace.
pub(super) struct Crate {
    pub(super) name: &'static str,
    /// The top folder it lies in, which says what it is permitted.
    pub(super) folder: &'static str,
    /// The members it may import.
    pub(super) may: &'static [&'static str],
    /// The members it must not reach by any way.
    pub(super) never: &'static [&'static str],
}

const WIRE: &str = "pvtcoms-wire";
const CRYPTO: &str = "pvtcoms-crypto";
const IDENTITY: &str = "pvtcoms-identity";
const HANDSHAKE: &str = "pvtcoms-handshake";
const RATCHET: &str = "pvtcoms-ratchet";
const CONTENT: &str = "pvtcoms-content";
const BOARD: &str = "pvtcoms-board";
const ENGINE: &str = "pvtcoms-engine";
const RAW: &str = "pvtcoms-raw";
const GATE: &str = "pvtcoms-gate";
const STORE: &str = "pvtcoms-store";
const DAEMON: &str = "pvtcoms-daemon";
const TORNET: &str = "pvtcoms-tornet";
const PEERS: &str = "pvtcoms-peers";

/// Everything that knows a person, a secret or a message.
const SECRETS: &[&str] = &[CRYPTO, IDENTITY, HANDSHAKE, RATCHET, CONTENT, ENGINE, STORE];

/// The arrows, lowest layer first.
pub(super) const CRATES: &[Crate] = &[
    Crate { name: WIRE, folder: "protocol", may: &[], never: &[] },
    Crate { name: CRYPTO, folder: "protocol", may: &[WIRE], never: &[] },
    Crate { name: IDENTITY, folder: "protocol", may: &[CRYPTO, WIRE], never: &[] },
    Crate { name: RATCHET, folder: "protocol", may: &[CRYPTO, WIRE], never: &[] },
    Crate { name: CONTENT, folder: "protocol", may: &[CRYPTO, WIRE], never: &[] },
    Crate { name: BOARD, folder: "protocol", may: &[CRYPTO, WIRE], never: &[] },
    Crate {
        name: HANDSHAKE,
        folder: "protocol",
        may: &[IDENTITY, BOARD, CRYPTO, WIRE],
        never: &[RATCHET, CONTENT],
    },
    Crate {
        name: ENGINE,
        folder: "protocol",
        may: &[HANDSHAKE, RATCHET, CONTENT, BOARD, IDENTITY, CRYPTO, WIRE],
        never: &[],
    },
    Crate { name: RAW, folder: "shell", may: &[], never: &[] },
    Crate { name: GATE, folder: "shell", may: &[WIRE, RAW], never: SECRETS },
    Crate { name: STORE, folder: "shell", may: &[ENGINE, CRYPTO, WIRE, RAW], never: &[GATE] },
    Crate {
        name: DAEMON,
        folder: "shell",
        may: &[ENGINE, STORE, GATE, BOARD, CONTENT, IDENTITY, CRYPTO, WIRE, RAW],
        never: &[],
    },
    Crate { name: "pvtcomsd", folder: "apps", may: &[DAEMON, GATE, STORE, RAW], never: &[] },
    Crate { name: "pvtcoms", folder: "apps", may: &[DAEMON, RAW], never: SECRETS },
    Crate { name: "pvtcoms-tor", folder: "apps", may: &[GATE, WIRE, RAW], never: SECRETS },
    Crate {
        name: "pvtcoms-mailbox",
        folder: "apps",
        may: &[BOARD, CRYPTO, WIRE],
        never: &[IDENTITY, HANDSHAKE, RATCHET, CONTENT, ENGINE],
    },
    Crate { name: TORNET, folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-soak", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-simnet", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-nopanic", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-timing", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-memory", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-linkability", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-machine", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-e2e", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-fuzz", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-vectors", folder: "testing", may: &[], never: &[] },
    Crate { name: PEERS, folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-scale", folder: "testing", may: &[], never: &[] },
    Crate { name: "pvtcoms-boards", folder: "testing", may: &[], never: &[] },
    Crate { name: "xtask", folder: "xtask", may: &[TORNET, "pvtcoms-e2e"], never: SECRETS },
];

/// Programs that show and ask, and hold nothing.
pub(super) const FACES: &[&str] = &["pvtcoms"];

/// Libraries that one crate alone may name.
pub(super) struct Owner {
    pub(super) what: &'static str,
    pub(super) libraries: &'static [&'static str],
    pub(super) by: &'static str,
    /// Tests may name them too, as oracles.
    pub(super) tests_may: bool,
    /// Exceptions: a member, and the one library it may name.
    pub(super) except: &'static [(&'static str, &'static str)],
}

pub(super) const OWNERS: &[Owner] = &[
    Owner {
        what: "a cryptographic primitive",
        libraries: &[
            "libcrux-*",
            "*-dalek",
            "chacha20poly1305",
            "chacha20",
            "poly1305",
            "aes-gcm",
            "hkdf",
            "hmac",
            "sha2",
            "sha3",
            "blake2",
            "blake3",
            "argon2",
            "ml-kem",
            "ml-dsa",
            "ring",
            "aws-lc-rs",
            "graviola",
        ],
        by: CRYPTO,
        tests_may: true,
        // The checksum of an onion address, over public bytes: the gate links no cryptography of ours.
        except: &[("pvtcoms-tor", "sha3")],
    },
    Owner {
        what: "the proof of work",
        libraries: &["equix", "hashx"],
        by: BOARD,
        tests_may: false,
        except: &[],
    },
    Owner {
        what: "SQLCipher",
        libraries: &["rusqlite", "libsqlite3-sys"],
        by: STORE,
        tests_may: false,
        except: &[],
    },
    Owner {
        what: "the network",
        libraries: &[
            "arti",
            "arti-*",
            "tor-*",
            "rustls",
            "socket2",
            "mio",
            "curl",
            "ureq",
            "hyper",
            "hyper-util",
        ],
        by: "pvtcoms-tor",
        tests_may: false,
        except: &[],
    },
    Owner {
        what: "another messenger's protocol",
        libraries: &["vodozemac", "libsignal*"],
        by: PEERS,
        tests_may: false,
        except: &[],
    },
    Owner {
        what: "the mailbox's engine",
        libraries: &["fjall"],
        by: "pvtcoms-mailbox",
        tests_may: false,
        // Measured by itself, beside the server that uses it.
        except: &[("pvtcoms-boards", "fjall")],
    },
];

/// Libraries that a folder, or everybody, must do without.
pub(super) struct Ban {
    /// `None`: everywhere, tests included.
    pub(super) folder: Option<&'static str>,
    pub(super) libraries: &'static [&'static str],
    pub(super) reason: &'static str,
}

pub(super) const BANS: &[Ban] = &[
    Ban {
        folder: Some("protocol"),
        libraries: &["getrandom", "rand", "fastrand"],
        reason: "the core is told the dice",
    },
    // They judge libcrux in tests; what judges must not be what is judged.
    Ban {
        folder: Some("protocol"),
        libraries: &["ml-kem", "ml-dsa"],
        reason: "an oracle of tests is never linked in the product",
    },
    Ban {
        folder: Some("protocol"),
        libraries: &[
            "tokio",
            "tokio-*",
            "futures",
            "futures-*",
            "async-*",
            "smol",
            "rayon",
            "crossbeam*",
        ],
        reason: "protocol/ has no threads and no async",
    },
    Ban {
        folder: Some("protocol"),
        libraries: &[
            "jiff", "time", "chrono", "rustix", "nix", "libc", "tempfile", "memmap2", "tracing*",
            "log",
        ],
        reason: "protocol/ has no clock, no disk and no log",
    },
    Ban {
        folder: Some("protocol"),
        libraries: &["serde", "serde_*", "bincode", "postcard", "ciborium*", "rkyv", "borsh"],
        reason: "a secret that nothing can serialize is serialized nowhere by accident (SE-2)",
    },
    Ban {
        folder: None,
        libraries: &[
            "reqwest",
            "native-tls",
            "hickory-*",
            "trust-dns-*",
            "sentry*",
            "*opentelemetry*",
        ],
        reason: "nothing resolves names or reports home (TR-1, SE-3)",
    },
];
