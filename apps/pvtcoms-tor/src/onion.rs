//! The address of a v3 onion service, made from its key and never from a name (TOR-4).

use data_encoding::BASE32;
use sha3::{Digest, Sha3_256};

/// Version of the address format.
const VERSION: u8 = 3;

/// `base32(key ‖ checksum ‖ 3) ‖ ".onion"`, where `checksum` is the first two bytes of
/// `SHA3-256(".onion checksum" ‖ key ‖ 3)`: 56 + 6 characters.
pub(crate) fn address(key: &[u8; 32]) -> String {
    let mut hash = Sha3_256::new();
    hash.update(b".onion checksum");
    hash.update(key);
    hash.update([VERSION]);
    let digest = hash.finalize();
    let mut bytes = key.to_vec();
    bytes.extend(digest.iter().take(2));
    bytes.push(VERSION);
    let mut address = BASE32.encode(&bytes).to_ascii_lowercase();
    address.push_str(".onion");
    address
}

/// The key of an onion address, if it is one of version 3.
pub(crate) fn key(text: &str) -> Option<[u8; 32]> {
    let base32 = text.strip_suffix(".onion")?.to_ascii_uppercase();
    let bytes = BASE32.decode(base32.as_bytes()).ok()?;
    let (key, _) = bytes.split_first_chunk::<32>()?;
    (address(key) == text).then_some(*key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tor_4_the_address_of_a_known_service() {
        let known = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        let key = key(known).unwrap();
        assert_eq!(address(&key), known);
    }

    proptest! {
        #[test]
        fn tor_4_address_and_key_are_one(bytes: [u8; 32]) {
            let address = address(&bytes);
            prop_assert_eq!(address.len(), 62);
            prop_assert_eq!(key(&address), Some(bytes));
        }

        #[test]
        fn tor_4_a_wrong_character_is_no_address(bytes: [u8; 32], at in 0..56_usize) {
            let mut text = address(&bytes).into_bytes();
            text[at] = if text[at] == b'a' { b'b' } else { b'a' };
            prop_assert_eq!(key(&String::from_utf8(text).unwrap()), None);
        }
    }
}
