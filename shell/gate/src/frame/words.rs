//! Words of the gate, one byte each on the wire. Zero is never a word of these lists except where
//! it means "nothing".

use std::fmt;
use wire::Malformed;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$vdoc:meta])* $variant:ident = $byte:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every word of the list, in the order of the bytes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The byte on the wire.
            #[must_use]
            pub const fn to_byte(self) -> u8 {
                match self { $(Self::$variant => $byte,)+ }
            }

            /// Reads the byte of the wire.
            ///
            /// # Errors
            /// [`Malformed::Field`] for a byte that is no word.
            pub const fn from_byte(byte: u8) -> Result<Self, Malformed> {
                match byte { $($byte => Ok(Self::$variant),)+ _ => Err(Malformed::Field($field)) }
            }

            /// The word as programs print and parse it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Why a dial failed (TOR-3). Says nothing about a place (TOR-9).
    Reason, "reason" {
        /// There is no Tor to use: the proxy does not listen, or no gate answers.
        NoTor = 1, "no_tor";
        /// Tor does not get through to its network.
        Blocked = 2, "blocked";
        /// The clock is too wrong for Tor's directory.
        Clock = 3, "clock";
        /// The deadline passed.
        Timeout = 4, "timeout";
        /// The onion service has published no descriptor, or none that can be read.
        NoDescriptor = 5, "no_descriptor";
        /// The onion service is there and refused the port or the stream.
        Refused = 6, "refused";
        /// The onion service has a descriptor and could not be reached.
        Unreachable = 7, "unreachable";
        /// The onion service wants proof of work at introduction, more than this gate gives.
        NeedsPow = 8, "needs_pow";
        /// The token was used before: a fault of the caller (TOR-6).
        ReusedToken = 9, "reused_token";
        /// The caller gave up, or the gate that had the request is gone.
        Aborted = 10, "aborted";
        /// A fault of the gate's, or one of its limits (TOR-8).
        Internal = 11, "internal";
    }
}

words! {
    /// How far the gate is (TOR-13).
    Stage, "stage" {
        /// No gate has spoken yet, or none does any more. Never on the wire.
        Gone = 0, "gone";
        /// The program runs, Tor does not.
        Starting = 1, "starting";
        /// Tor connects to its first relays.
        Connecting = 2, "connecting";
        /// Tor fetches the directory.
        Directory = 3, "directory";
        /// Tor could build a circuit. Says nothing about a mailbox (PRD-1).
        Ready = 4, "ready";
        /// A proxy that does not tell its progress is in use: the first mailbox round trip will show (TOR-20).
        Waiting = 5, "waiting";
    }
}

words! {
    /// Why Tor does not get further. Tor's diagnosis is a guess: shown as "Tor reports: …" (TOR-13).
    Blockage, "blockage" {
        /// Nothing is known to be wrong.
        None = 0, "none";
        /// No connection to the internet.
        Offline = 1, "offline";
        /// Connections open, but are filtered.
        Filtering = 2, "filtering";
        /// The Tor network is not reached, for another reason.
        CantReachTor = 3, "cant_reach_tor";
        /// The clock is wrong.
        Clock = 4, "clock";
        /// The directory cannot be fetched.
        CantBootstrap = 5, "cant_bootstrap";
        /// Nothing listens where the SOCKS proxy should be.
        NoProxy = 6, "no_proxy";
        /// What listens there is not Tor, or does not isolate (TOR-19).
        NotTor = 7, "not_tor";
        /// Another fault of the program or of its files.
        Fault = 8, "fault";
    }
}

words! {
    /// What carries the bytes.
    Backend, "backend" {
        /// The embedded Tor client.
        Arti = 1, "arti";
        /// A SOCKS port that the user runs.
        Socks = 2, "socks";
    }
}

words! {
    /// Which vanguards protect the guards.
    Vanguards, "vanguards" {
        /// Two layers, as the embedded client does always (TOR-11).
        Full = 1, "full";
        /// One layer, as C tor does (TOR-20).
        Lite = 2, "lite";
    }
}

words! {
    /// Whether different tokens are known to use different circuits.
    Isolation, "isolation" {
        /// Not known yet.
        Unknown = 0, "unknown";
        /// Confirmed: by construction, or by the proxy's answers to the probe (TOR-19).
        Confirmed = 1, "confirmed";
        /// The proxy is too old to say so; the user accepted it.
        Unconfirmed = 2, "not confirmed";
    }
}
