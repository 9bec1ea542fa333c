//! The frames of TOR-3, one for each `SOCK_SEQPACKET` message.

mod words;

use std::fmt;

use wire::{Codec, Malformed, Reader, Writer};

pub use words::{Backend, Blockage, Isolation, Reason, Stage, Vanguards};

/// Length of the longest frame ([`Dial`]), in bytes.
pub const MAX_FRAME: usize = 63;

const DIAL: u8 = 1;
const ABORT: u8 = 2;
const HELLO: u8 = 3;
const DIALLED: u8 = 4;
const FAILED: u8 = 5;
const STATUS: u8 = 6;

/// One message between core and gate. Integers are big-endian.
///
/// Core to gate: `Dial` (63 bytes), `Abort` (9). Gate to core: `Hello` (22), `Dialled` (9, with one
/// descriptor), `Failed` (10), `Status` (12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Asks for a stream.
    Dial(Dial),
    /// Gives up request `id`: `type(1)=2 ‖ id(8)` = 9 bytes.
    Abort {
        /// Number of the request.
        id: u64,
    },
    /// A gate has started.
    Hello(Hello),
    /// Request `id` is connected, a descriptor is attached: `type(1)=4 ‖ id(8)` = 9 bytes.
    Dialled {
        /// Number of the request.
        id: u64,
    },
    /// Request `id` failed: `type(1)=5 ‖ id(8) ‖ reason(1)` = 10 bytes.
    Failed {
        /// Number of the request.
        id: u64,
        /// Why.
        reason: Reason,
    },
    /// How the gate fares.
    Status(Status),
}

/// A request for one stream.
///
/// `type(1)=1 ‖ id(8) ‖ onion(32) ‖ port(2) ‖ token(16) ‖ deadline_ms(4)` = 63 bytes.
/// `Debug` shows the number alone: the onion key and the token are in no log (TOR-9).
#[derive(Clone, PartialEq, Eq)]
pub struct Dial {
    /// Number of the request, never used twice by one core.
    pub id: u64,
    /// Public key of the v3 onion service; no name crosses (TOR-4).
    pub onion: [u8; 32],
    /// Virtual port, not 0.
    pub port: u16,
    /// Isolation token, fresh for each operation (TOR-6).
    pub token: [u8; 16],
    /// Milliseconds that the dial may take.
    pub deadline_ms: u32,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, onion: _, port: _, token: _, deadline_ms: _ } = self;
        f.debug_struct("Dial").field("id", id).finish_non_exhaustive()
    }
}

/// The first frame of every gate process.
///
/// `type(1)=3 ‖ epoch(16) ‖ version(2) ‖ backend(1) ‖ vanguards(1) ‖ flags(1)` = 22 bytes; flag bit
/// 0 = private network, the others are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// Random number of the gate process.
    pub epoch: [u8; 16],
    /// Version of the frames, [`crate::VERSION`].
    pub version: u16,
    /// What carries the bytes.
    pub backend: Backend,
    /// Which vanguards protect the guards (TOR-11, TOR-20).
    pub vanguards: Vanguards,
    /// The network is a private test network and gives no anonymity (TOR-31).
    pub private_network: bool,
}

/// State of the gate, pushed on every change.
///
/// `type(1)=6 ‖ stage(1) ‖ fraction(2) ‖ blockage(1) ‖ skew_s(5) ‖ isolation(1) ‖ vanguards(1)` = 12
/// bytes; `fraction` in thousandths, `skew_s` = `known(1) ‖ i32(4)`, zero if not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How far it is.
    pub stage: Stage,
    /// Share of the bootstrap that is done, in thousandths (0 to 1000).
    pub fraction: u16,
    /// Why it does not get further; a guess of Tor's (TOR-13).
    pub blockage: Blockage,
    /// Seconds by which our clock is ahead (positive) or behind, when that is known.
    pub skew_s: Option<i32>,
    /// Whether streams with different tokens are proved to be isolated (TOR-19).
    pub isolation: Isolation,
    /// Which vanguards protect the guards.
    pub vanguards: Vanguards,
}

impl Codec for Frame {
    fn encode_into(&self, w: &mut Writer) {
        match self {
            Self::Dial(dial) => {
                w.u8(DIAL).u64(dial.id).bytes(&dial.onion).u16(dial.port);
                w.bytes(&dial.token).u32(dial.deadline_ms);
            }
            Self::Abort { id } => {
                w.u8(ABORT).u64(*id);
            }
            Self::Hello(hello) => {
                w.u8(HELLO).bytes(&hello.epoch).u16(hello.version).u8(hello.backend.to_byte());
                w.u8(hello.vanguards.to_byte()).u8(u8::from(hello.private_network));
            }
            Self::Dialled { id } => {
                w.u8(DIALLED).u64(*id);
            }
            Self::Failed { id, reason } => {
                w.u8(FAILED).u64(*id).u8(reason.to_byte());
            }
            Self::Status(s) => {
                w.u8(STATUS).u8(s.stage.to_byte()).u16(s.fraction).u8(s.blockage.to_byte());
                w.u8(u8::from(s.skew_s.is_some())).bytes(&s.skew_s.unwrap_or(0).to_be_bytes());
                w.u8(s.isolation.to_byte()).u8(s.vanguards.to_byte());
            }
        }
    }

    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.u8()? {
            DIAL => {
                let id = r.u64()?;
                let onion = r.array()?;
                let port = r.u16()?;
                if port == 0 {
                    return Err(Malformed::Field("port"));
                }
                Ok(Self::Dial(Dial { id, onion, port, token: r.array()?, deadline_ms: r.u32()? }))
            }
            ABORT => Ok(Self::Abort { id: r.u64()? }),
            HELLO => Ok(Self::Hello(Hello {
                epoch: r.array()?,
                version: r.u16()?,
                backend: Backend::from_byte(r.u8()?)?,
                vanguards: Vanguards::from_byte(r.u8()?)?,
                private_network: flag(r.u8()?)?,
            })),
            DIALLED => Ok(Self::Dialled { id: r.u64()? }),
            FAILED => Ok(Self::Failed { id: r.u64()?, reason: Reason::from_byte(r.u8()?)? }),
            STATUS => {
                let stage = Stage::from_byte(r.u8()?)?;
                if stage == Stage::Gone {
                    return Err(Malformed::Field("stage")); // a gate that speaks is not gone
                }
                let fraction = r.u16()?;
                if fraction > 1000 {
                    return Err(Malformed::Field("fraction"));
                }
                let blockage = Blockage::from_byte(r.u8()?)?;
                let skew_s = match (flag(r.u8()?)?, i32::from_be_bytes(r.array()?)) {
                    (true, skew) => Some(skew),
                    (false, 0) => None,
                    (false, _) => return Err(Malformed::Reserved),
                };
                let isolation = Isolation::from_byte(r.u8()?)?;
                let vanguards = Vanguards::from_byte(r.u8()?)?;
                Ok(Self::Status(Status { stage, fraction, blockage, skew_s, isolation, vanguards }))
            }
            _ => Err(Malformed::Field("type")),
        }
    }
}

const fn flag(byte: u8) -> Result<bool, Malformed> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Field("flag")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word<T: Copy + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
        proptest::sample::select(all)
    }

    fn frames() -> impl Strategy<Value = Frame> {
        let dial = (any::<u64>(), any::<[u8; 32]>(), 1_u16.., any::<[u8; 16]>(), any::<u32>())
            .prop_map(|(id, onion, port, token, deadline_ms)| {
                Frame::Dial(Dial { id, onion, port, token, deadline_ms })
            });
        let hello = (
            any::<[u8; 16]>(),
            any::<u16>(),
            word(Backend::ALL),
            word(Vanguards::ALL),
            any::<bool>(),
        )
            .prop_map(|(epoch, version, backend, vanguards, private_network)| {
                Frame::Hello(Hello { epoch, version, backend, vanguards, private_network })
            });
        let status = (
            word(&Stage::ALL[1..]),
            0..=1000_u16,
            word(Blockage::ALL),
            any::<Option<i32>>(),
            word(Isolation::ALL),
            word(Vanguards::ALL),
        )
            .prop_map(|(stage, fraction, blockage, skew_s, isolation, vanguards)| {
                Frame::Status(Status { stage, fraction, blockage, skew_s, isolation, vanguards })
            });
        let failed =
            (any::<u64>(), word(Reason::ALL)).prop_map(|(id, reason)| Frame::Failed { id, reason });
        prop_oneof![
            dial,
            hello,
            status,
            failed,
            any::<u64>().prop_map(|id| Frame::Abort { id }),
            any::<u64>().prop_map(|id| Frame::Dialled { id }),
        ]
    }

    proptest! {
        #[test]
        fn tor_3_frames_round_trip_and_fit(frame in frames()) {
            let bytes = frame.to_bytes();
            prop_assert!(bytes.len() <= MAX_FRAME);
            prop_assert!(Frame::from_bytes(&bytes) == Ok(frame));
        }

        #[test]
        fn tor_3_any_flipped_byte_is_an_error_or_another_frame(
            frame in frames(), at in any::<prop::sample::Index>(), mask in 1..=255_u8,
        ) {
            let mut bytes = frame.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            if let Ok(other) = Frame::from_bytes(&bytes) {
                prop_assert!(other != frame);
                prop_assert_eq!(other.to_bytes(), bytes);
            }
        }

        #[test]
        fn tor_3_foreign_bytes_never_panic_and_have_one_encoding(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Ok(frame) = Frame::from_bytes(&bytes) {
                prop_assert_eq!(frame.to_bytes(), bytes);
            }
        }

        #[test]
        fn tor_3_short_and_long_frames_are_refused(frame in frames(), cut in any::<prop::sample::Index>()) {
            let mut bytes = frame.to_bytes();
            prop_assert!(Frame::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
            bytes.push(0);
            prop_assert!(Frame::from_bytes(&bytes).is_err());
        }
    }

    #[test]
    fn tor_3_lengths_are_those_of_the_ledger() {
        let dial = Dial { id: 1, onion: [2; 32], port: 7701, token: [3; 16], deadline_ms: 4 };
        assert_eq!(Frame::Dial(dial).to_bytes().len(), MAX_FRAME);
        assert_eq!(Frame::Abort { id: 1 }.to_bytes().len(), 9);
        assert_eq!(Frame::Dialled { id: 1 }.to_bytes().len(), 9);
        assert_eq!(Frame::Failed { id: 1, reason: Reason::Clock }.to_bytes().len(), 10);
    }

    #[test]
    fn tor_3_words_that_do_not_exist_are_refused() {
        let status = Status {
            stage: Stage::Ready,
            fraction: 1000,
            blockage: Blockage::None,
            skew_s: None,
            isolation: Isolation::Confirmed,
            vanguards: Vanguards::Full,
        };
        let good = Frame::Status(status).to_bytes();
        assert_eq!(good.len(), 12);
        for (at, byte) in [(0, 7), (1, 0), (2, 0xff), (4, 99), (5, 2), (9, 1), (10, 3), (11, 0)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(Frame::from_bytes(&bad).is_err(), "byte {at}");
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_byte(reason.to_byte()), Ok(*reason));
        }
        assert!(Reason::from_byte(0).is_err() && Reason::from_byte(12).is_err());
    }
}
