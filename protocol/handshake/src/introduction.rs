use crate::HandshakeError;
use wire::{Codec, Malformed, Reader, Writer};

/// Longest name in bytes of UTF-8.
pub const MAX_NAME_LEN: usize = 64;

/// What a side says about itself beside its keys (HS-5): where it reads, and a name.
///
/// ```text
/// version(4) ‖ count(1) ‖ onion key(32) ‖ onion key(32, zero if count = 1) ‖ len(1) ‖ name(64, zero-padded)    134
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Onion keys of the sender's mailboxes, one or two, all different.
    pub inbox: Vec<[u8; 32]>,
    /// Version of this inbox set; a higher one replaces a lower one.
    pub version: u32,
    /// The name that the sender proposes, at most [`MAX_NAME_LEN`] bytes. Peer text: it is
    /// cleaned before it is shown.
    pub name: String,
}

impl Introduction {
    /// Encodes our own introduction.
    pub(crate) fn write(&self, w: &mut Writer) -> Result<(), HandshakeError> {
        if !distinct(&self.inbox) {
            return Err(HandshakeError::Misuse("an inbox set has one or two different mailboxes"));
        }
        if self.name.len() > MAX_NAME_LEN {
            return Err(HandshakeError::Misuse("the name is longer than 64 bytes"));
        }
        self.encode_into(w);
        Ok(())
    }
}

impl Codec for Introduction {
    fn encode_into(&self, w: &mut Writer) {
        let mut field = Writer::new();
        w.u32(self.version).u8(u8::try_from(self.inbox.len()).unwrap_or(u8::MAX));
        w.bytes(field.bytes(self.inbox.as_flattened()).pad_to(64).as_slice());
        let mut field = Writer::new();
        w.u8(u8::try_from(self.name.len()).unwrap_or(u8::MAX));
        w.bytes(field.bytes(self.name.as_bytes()).pad_to(MAX_NAME_LEN).as_slice());
    }

    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let version = r.u32()?;
        let count = r.u8()?;
        let mut inbox = vec![r.array()?];
        match count {
            1 => r.zeros(32)?,
            2 => inbox.push(r.array()?),
            _ => return Err(Malformed::Field("inbox count")),
        }
        if !distinct(&inbox) {
            return Err(Malformed::Field("inbox")); // HS-5
        }
        let len = usize::from(r.u8()?);
        let mut field = r.sub(MAX_NAME_LEN)?;
        let name = str::from_utf8(field.take(len)?).map_err(|_| Malformed::Field("name"))?.into();
        field.zeros(field.remaining())?;
        Ok(Self { inbox, version, name })
    }
}

/// Whether there are one or two mailboxes, all different.
pub(crate) fn distinct(mailboxes: &[[u8; 32]]) -> bool {
    match mailboxes {
        [_] => true,
        [a, b] => a != b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_introduction() -> impl Strategy<Value = Introduction> {
        let inbox = proptest::collection::btree_set(any::<[u8; 32]>(), 1..=2);
        (inbox, any::<u32>(), "\\PC{0,16}").prop_map(|(inbox, version, name)| Introduction {
            inbox: inbox.into_iter().collect(),
            version,
            name,
        })
    }

    proptest! {
        #[test]
        fn hs_5_introduction_has_one_encoding_of_134_bytes(intro in any_introduction()) {
            let bytes = intro.to_bytes();
            prop_assert_eq!(bytes.len(), 134);
            prop_assert_eq!(Introduction::from_bytes(&bytes), Ok(intro));
        }

        #[test]
        fn hs_5_what_decodes_encodes_to_the_same_bytes(intro in any_introduction(), at in 0usize..134, bit in 0u8..8) {
            let mut bytes = intro.to_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(other) = Introduction::from_bytes(&bytes) {
                prop_assert_eq!(other.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn hs_5_bad_introductions_are_refused() {
        let intro = |inbox: &[[u8; 32]], name: &str| Introduction {
            inbox: inbox.to_vec(),
            version: 1,
            name: name.into(),
        };
        let mut w = Writer::new();
        for bad in [
            intro(&[], "a"),
            intro(&[[1; 32]; 2], "a"),
            intro(&[[1; 32], [2; 32], [3; 32]], "a"),
            intro(&[[1; 32]], &"x".repeat(65)),
        ] {
            assert!(matches!(bad.write(&mut w), Err(HandshakeError::Misuse(_))), "{bad:?}");
        }
        let good = intro(&[[1; 32]], "a").to_bytes();
        for (at, value) in
            [(4, 0), (4, 2), (4, 3), (40, 1), (69, 65), (69, 0), (70, 0xff), (133, 1)]
        {
            let mut bytes = good.clone();
            bytes[at] = value;
            // A second mailbox of zeros is a mailbox: only the encoding decides.
            let ok = Introduction::from_bytes(&bytes).is_ok();
            assert_eq!(ok, (at, value) == (4, 2), "byte {at} = {value}");
        }
    }
}
