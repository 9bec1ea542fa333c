use crate::introduction::distinct;
use crypto::{Zeroizing, hash, labels, secret};
use data_encoding::BASE32_NOPAD;
use wire::{Malformed, Reader, Writer};

const VERSION: u8 = 1;
const SUITE: u8 = 1;
const CHECK_LEN: usize = 4;
const SCHEME: &str = "PVTCOMS:I";

secret! {
    /// The secret `I` of an invite, 32 bytes: tags and keys of the invite's envelopes and the psk
    /// of its handshake come from it.
    pub struct InviteSecret([u8; 32]);
}

/// A single-use invite (INV-1), 107 or 139 bytes. Whoever holds it can answer it: no `Clone`, no
/// `Debug`.
///
/// ```text
/// ver(1) ‖ suite(1) ‖ count(1) ‖ count × mailbox onion key(32) ‖ I(32) ‖ H("pvtcoms v1 m1" ‖ M1)(32) ‖ expiry(4) ‖ check(4)
/// check = H("pvtcoms v1 invite check" ‖ all bytes before)[..4]
/// ```
pub struct Invite {
    mailboxes: Vec<[u8; 32]>,
    secret: InviteSecret,
    m1_hash: [u8; 32],
    expiry_hours: u32,
}

crypto::opaque!(Invite);

/// Why a text is no invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It does not begin like one.
    #[error("this is not an invite")]
    NotAnInvite,
    /// A character is missing, added or changed.
    #[error("the invite is incomplete or mistyped")]
    Mistyped,
    /// It is of a version or suite that this program does not know.
    #[error("the invite was made by another version of the program")]
    Version,
}

impl Invite {
    pub(crate) fn new(
        mailboxes: &[[u8; 32]],
        secret: &InviteSecret,
        m1: &[u8],
        expiry_hours: u32,
    ) -> Self {
        Self {
            mailboxes: mailboxes.to_vec(),
            secret: InviteSecret::copy_of(secret.expose_secret()),
            m1_hash: m1_hash(m1),
            expiry_hours,
        }
    }

    /// Onion keys of the mailboxes that hold M1, one or two.
    #[must_use]
    pub fn mailboxes(&self) -> &[[u8; 32]] {
        &self.mailboxes
    }

    /// The last hour (since 1970, UTC) at which the invite is good.
    #[must_use]
    pub const fn expiry_hours(&self) -> u32 {
        self.expiry_hours
    }

    /// The hash that pins M1 (INV-2).
    #[must_use]
    pub const fn m1_hash(&self) -> &[u8; 32] {
        &self.m1_hash
    }

    /// The secret `I`.
    #[must_use]
    pub const fn secret(&self) -> &InviteSecret {
        &self.secret
    }

    /// Whether `m1` is the message that this invite pins (INV-2).
    pub(crate) fn pins(&self, m1: &[u8]) -> bool {
        m1_hash(m1) == self.m1_hash
    }

    /// `pvtcoms:i1/` and base32 in lower case without padding: 183 or 234 characters.
    #[must_use]
    pub fn to_uri(&self) -> Zeroizing<String> {
        let bytes = self.to_bytes();
        let mut uri = Zeroizing::new(String::with_capacity(256));
        uri.push_str(SCHEME);
        uri.push_str("1/");
        BASE32_NOPAD.encode_append(&bytes, &mut uri);
        uri.make_ascii_lowercase();
        uri
    }

    /// Reads an invite in either case; spaces around it do not matter. Whether it has run out is
    /// the caller's to judge, who knows the time.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn from_uri(text: &str) -> Result<Self, InviteError> {
        let upper = Zeroizing::new(text.trim().to_ascii_uppercase());
        let rest = upper.strip_prefix(SCHEME).ok_or(InviteError::NotAnInvite)?;
        let (version, code) = rest.split_once('/').ok_or(InviteError::NotAnInvite)?;
        if version != "1" {
            let number = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if number { InviteError::Version } else { InviteError::NotAnInvite });
        }
        let bytes = BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| InviteError::Mistyped)?;
        Self::parse(&Zeroizing::new(bytes))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(139);
        w.u8(VERSION).u8(SUITE).u8(u8::try_from(self.mailboxes.len()).unwrap_or(u8::MAX));
        w.bytes(self.mailboxes.as_flattened()).bytes(self.secret.expose_secret());
        w.bytes(&self.m1_hash).u32(self.expiry_hours);
        let check = check(w.as_slice());
        w.bytes(&check);
        Zeroizing::new(w.into_vec())
    }

    /// INV-1: the check first, since it tells a slip of the hand from everything else.
    fn parse(bytes: &[u8]) -> Result<Self, InviteError> {
        let (body, sum) = bytes.split_last_chunk().ok_or(InviteError::Mistyped)?;
        if check(body) != *sum {
            return Err(InviteError::Mistyped);
        }
        let mut r = Reader::new(body);
        if (r.u8(), r.u8()) != (Ok(VERSION), Ok(SUITE)) {
            return Err(InviteError::Version);
        }
        Self::parse_fields(&mut r).map_err(|_| InviteError::NotAnInvite)
    }

    fn parse_fields(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut mailboxes = Vec::new();
        for _ in 0..r.u8()? {
            mailboxes.push(r.array()?);
        }
        if !distinct(&mailboxes) {
            return Err(Malformed::Field("mailboxes"));
        }
        let secret = InviteSecret::copy_of(r.array_ref()?);
        let invite = Self { mailboxes, secret, m1_hash: r.array()?, expiry_hours: r.u32()? };
        if r.remaining() > 0 { Err(Malformed::Long) } else { Ok(invite) }
    }
}

fn m1_hash(m1: &[u8]) -> [u8; 32] {
    hash(&[labels::M1, m1])
}

fn check(body: &[u8]) -> [u8; CHECK_LEN] {
    let [a, b, c, d, ..] = hash(&[labels::INVITE_CHECK, body]);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(mailboxes: &[[u8; 32]]) -> Invite {
        Invite::new(mailboxes, &InviteSecret::copy_of(&[7; 32]), b"m1", 500_000)
    }

    fn uri_of(bytes: &[u8]) -> String {
        format!("pvtcoms:i1/{}", BASE32_NOPAD.encode(&[bytes, &check(bytes)].concat()))
    }

    #[test]
    fn inv_1_lengths_and_round_trip_in_either_case() {
        for (mailboxes, bytes, chars) in
            [(vec![[1; 32]], 107, 183), (vec![[1; 32], [2; 32]], 139, 234)]
        {
            let invite = invite(&mailboxes);
            assert_eq!(invite.to_bytes().len(), bytes);
            let uri = invite.to_uri();
            assert_eq!(uri.len(), chars);
            assert!(uri.starts_with("pvtcoms:i1/") && !uri.contains(char::is_uppercase));
            for text in [uri.to_string(), uri.to_uppercase(), format!(" {}\n", *uri)] {
                let back = Invite::from_uri(&text).ok().unwrap();
                assert_eq!(back.to_bytes(), invite.to_bytes());
            }
        }
    }

    #[test]
    fn inv_1_every_changed_missing_or_added_character_is_found() {
        let uri = invite(&[[1; 32]]).to_uri();
        for (at, c) in uri.char_indices() {
            let other = if c == 'a' { 'b' } else { 'a' };
            let mut text = uri.to_string();
            text.replace_range(at..=at, &other.to_string());
            let error = Invite::from_uri(&text).err();
            assert_eq!(error.is_some(), text != *uri, "character {at}");
            if at >= 11 {
                assert_eq!(error, Some(InviteError::Mistyped), "character {at}");
            }
            text.remove(at);
            assert!(Invite::from_uri(&text).is_err(), "without character {at}");
            text.insert(at, c);
            text.insert(at, 'q');
            assert!(Invite::from_uri(&text).is_err(), "one more at {at}");
        }
    }

    #[test]
    fn inv_1_foreign_texts_and_versions_are_told_apart() {
        let error = |text: &str| Invite::from_uri(text).err();
        for text in ["", "hello", "https://example.org", "pvtcoms:", "pvtcoms:i/aa", "pvtcoms:ix/"]
        {
            assert_eq!(error(text), Some(InviteError::NotAnInvite), "{text}");
        }
        assert_eq!(error("pvtcoms:i2/aaaa"), Some(InviteError::Version));
        assert_eq!(error("pvtcoms:i1/"), Some(InviteError::Mistyped));
        assert_eq!(error("pvtcoms:i1/0189"), Some(InviteError::Mistyped));

        let good = invite(&[[1; 32], [2; 32]]).to_bytes();
        let body = &good[..135];
        assert!(Invite::from_uri(&uri_of(body)).is_ok());
        for (at, value, why) in [
            (0, 2, InviteError::Version),
            (1, 2, InviteError::Version),
            (2, 0, InviteError::NotAnInvite),
            (2, 1, InviteError::NotAnInvite),
            (2, 3, InviteError::NotAnInvite),
            (2, 255, InviteError::NotAnInvite),
        ] {
            let mut bytes = body.to_vec();
            bytes[at] = value;
            assert_eq!(error(&uri_of(&bytes)), Some(why), "byte {at} = {value}");
        }
        let mut twice = body.to_vec();
        twice.copy_within(3..35, 35);
        assert_eq!(error(&uri_of(&twice)), Some(InviteError::NotAnInvite));
    }
}
