//! A mailbox's address as people see it: `<56 letters>.onion`, base32 of
//! `key(32) ‖ checksum(2) ‖ version(1)=3` with
//! `checksum = SHA3-256(".onion checksum" ‖ key ‖ version)[0..2]` (Tor's rend-spec-v3).

use crypto::sha3_256;
use data_encoding::BASE32_NOPAD_NOCASE;
use wire::Reader;

/// What may stand before an address where a mailbox is offered as a link.
const SCHEME: &str = "pvtcoms-mailbox:";
const SUFFIX: &str = ".onion";
const VERSION: u8 = 3;

/// The text is no address of a v3 onion service: a fault of whoever typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not 56 letters of base32 and `.onion`.
    #[error("not a v3 onion address")]
    NotOnion,
    /// The checksum does not fit: a letter is wrong.
    #[error("the address is mistyped")]
    Mistyped,
}

/// The address of the onion service with public key `key`, 62 characters.
#[must_use]
pub fn encode(key: &[u8; 32]) -> String {
    let bytes = [key.as_slice(), &checksum(key), &[VERSION]].concat();
    let mut address = BASE32_NOPAD_NOCASE.encode(&bytes).to_ascii_lowercase();
    address.push_str(SUFFIX);
    address
}

/// Reads an address, in either case, with or without `pvtcoms-mailbox:` before it.
///
/// # Errors
/// [`AddressError`].
pub fn decode(text: &str) -> Result<[u8; 32], AddressError> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix(SCHEME).unwrap_or(&text);
    let letters = text.strip_suffix(SUFFIX).ok_or(AddressError::NotOnion)?;
    let bytes =
        BASE32_NOPAD_NOCASE.decode(letters.as_bytes()).map_err(|_| AddressError::NotOnion)?;
    let mut r = Reader::new(&bytes);
    let parts = (r.array::<32>(), r.array::<2>(), r.u8());
    let ((Ok(key), Ok(found), Ok(version)), Ok(())) = (parts, r.finish()) else {
        return Err(AddressError::NotOnion);
    };
    if found != checksum(&key) || version != VERSION {
        return Err(AddressError::Mistyped);
    }
    Ok(key)
}

fn checksum(key: &[u8; 32]) -> [u8; 2] {
    let [a, b, ..] = sha3_256(&[b".onion checksum".as_slice(), key, &[VERSION]].concat());
    [a, b]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Tor Project's own site.
    const KNOWN: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    #[test]
    fn known_address_reads_and_writes() {
        let key = decode(KNOWN).unwrap();
        assert_eq!(encode(&key), KNOWN);
        assert_eq!(decode(&format!(" pvtcoms-mailbox:{}\n", KNOWN.to_uppercase())), Ok(key));
    }

    #[test]
    fn every_mistyped_letter_is_noticed() {
        for at in 0..56 {
            let mut letters = KNOWN.as_bytes().to_vec();
            letters[at] = if letters[at] == b'a' { b'b' } else { b'a' };
            assert!(decode(std::str::from_utf8(&letters).unwrap()).is_err(), "{at}");
        }
        for text in [
            "",
            ".onion",
            "example.org",
            KNOWN.trim_start_matches('2'),
            KNOWN.trim_end_matches(".onion"),
        ] {
            assert_eq!(decode(text), Err(AddressError::NotOnion));
        }
    }
}
