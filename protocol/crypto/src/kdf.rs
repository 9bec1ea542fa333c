//! SHA-256, HMAC and HKDF (RFC 6234, 2104, 5869).

use crate::stack::{HASHES, overwrite, scrubbed};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Length of a SHA-256 digest in bytes.
pub const HASH_LEN: usize = 32;

/// SHA-256 over the concatenation of `parts`. For public data: the digest is an ordinary array.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> [u8; HASH_LEN] {
    let mut h = Sha256::new();
    for part in parts {
        h.update(part);
    }
    h.finalize().into()
}

/// `H(first)` and `H(first ‖ rest)`, for public data: what both begin with is hashed once.
#[must_use]
pub fn hash_of_both(first: &[u8], rest: &[u8]) -> ([u8; HASH_LEN], [u8; HASH_LEN]) {
    let mut h = Sha256::new();
    h.update(first);
    (h.clone().finalize().into(), h.chain_update(rest).finalize().into())
}

/// SHA3-256, for the checksum of an onion address alone; all else is [`hash`].
#[must_use]
pub fn sha3_256(data: &[u8]) -> [u8; HASH_LEN] {
    libcrux_sha3::sha256(data)
}

/// `LP(x) = u32(len x)`, the length prefix of a part that is hashed beside others (CRY-3).
///
/// Inputs longer than `u32::MAX` do not occur (every frame is bounded); they saturate.
#[must_use]
pub fn lp(x: &[u8]) -> [u8; 4] {
    u32::try_from(x.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// HMAC-SHA-256 over the concatenation of `parts`.
pub fn hmac(key: &[u8; 32], parts: &[&[u8]], out: &mut [u8; 32]) {
    scrubbed::<HASHES, _>(|| {
        let mut mac = keyed::<Hmac<Sha256>>(key);
        for part in parts {
            mac.update(part);
        }
        out.copy_from_slice(&mac.finalize().into_bytes());
    });
}

/// An HMAC-SHA-256 key, hashed once for several messages; wiped on drop.
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Takes the key in.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// `HMAC(key, message)`.
    pub fn tag(&self, message: &[u8], out: &mut [u8; 32]) {
        let mut tag = self.0.clone().chain_update(message).finalize().into_bytes();
        out.copy_from_slice(&tag);
        tag.as_mut_slice().zeroize();
    }
}

/// What the library left on the stack for its tags goes with it, once for all of them.
impl Drop for HmacKey {
    fn drop(&mut self) {
        overwrite::<HASHES>();
    }
}

/// `HKDF-Extract(salt, ikm)` with SHA-256.
#[must_use]
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Prk {
    scrubbed::<HASHES, _>(|| {
        let mut ctx = hkdf::HkdfExtract::<Sha256>::new(Some(salt));
        for part in ikm {
            ctx.input_ikm(part);
        }
        Prk(ctx.finalize().1)
    })
}

/// A pseudo-random key: what [`extract`] gives and `HKDF-Expand` takes.
pub struct Prk(Hkdf<Sha256>);

impl Prk {
    /// Takes 32 bytes that are a uniform key already.
    #[must_use]
    pub fn from_key(key: &[u8; 32]) -> Self {
        // A key of HASH_LEN bytes is always accepted; Extract of it stands in the other branch.
        Hkdf::from_prk(key).map_or_else(|_| extract(&[], &[key]), Self)
    }

    /// `HKDF-Expand(self, concatenation of info, N)`, written into `out`.
    ///
    /// `N` is at most 255 × 32 bytes, checked when the program is compiled.
    pub fn expand<const N: usize>(&self, info: &[&[u8]], out: &mut [u8; N]) {
        const { assert!(N <= 255 * HASH_LEN, "HKDF-SHA-256 gives at most 8160 bytes") };
        let fits = scrubbed::<HASHES, _>(|| self.0.expand_multi_info(info, out).is_ok());
        debug_assert!(fits, "the length was checked at compile time");
    }
}

/// HKDF with SHA-512 in one step: `out = Expand(Extract(salt, ikm), info)`; for what a
/// passphrase opens.
pub fn hkdf_sha512<const N: usize>(salt: &[u8], ikm: &[&[u8]], info: &[&[u8]], out: &mut [u8; N]) {
    const { assert!(N <= 255 * 64, "HKDF-SHA-512 gives at most 16320 bytes") };
    let fits = scrubbed::<HASHES, _>(|| {
        let mut ctx = hkdf::HkdfExtract::<Sha512>::new(Some(salt));
        for part in ikm {
            ctx.input_ikm(part);
        }
        ctx.finalize().1.expand_multi_info(info, out).is_ok()
    });
    debug_assert!(fits, "the length was checked at compile time");
}

crate::opaque!(HmacKey, Prk, Pair);

/// Compares byte strings in constant time; unequal lengths are unequal at once (CR-3).
#[must_use]
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// HMAC accepts keys of every length, so this never falls back; the fallback keys with nothing
/// and can therefore never agree with a peer.
fn keyed<M: KeyInit>(key: &[u8; 32]) -> M {
    M::new_from_slice(key).unwrap_or_else(|_| M::new(&Default::default()))
}

/// 64 derived bytes in two halves, wiped on drop.
pub struct Pair(Box<Zeroizing<[u8; 64]>>);

impl Pair {
    /// Expands 64 bytes.
    #[must_use]
    pub fn expand(prk: &Prk, info: &[&[u8]]) -> Self {
        let mut both = Box::new(Zeroizing::new([0; 64]));
        prk.expand(info, &mut both);
        Self(both)
    }

    /// Takes 64 bytes that were derived elsewhere.
    #[must_use]
    pub(crate) const fn from_halves(both: Box<Zeroizing<[u8; 64]>>) -> Self {
        Self(both)
    }

    /// Bytes 0 to 31.
    #[must_use]
    pub fn first(&self) -> &[u8; 32] {
        self.0.first_chunk().unwrap_or(&[0; 32])
    }

    /// Bytes 32 to 63.
    #[must_use]
    pub fn second(&self) -> &[u8; 32] {
        self.0.last_chunk().unwrap_or(&[0; 32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cry_3_rfc5869_case_1() {
        let prk = extract(&(0..13).collect::<Vec<u8>>(), &[&[0x0b; 22]]);
        let mut okm = [0; 42];
        prk.expand(&[&(0xf0..=0xf9).collect::<Vec<u8>>()], &mut okm);
        assert_eq!(okm[..4], [0x3c, 0xb2, 0x5f, 0x25]);
        assert_eq!(okm[38..], [0x87, 0x18, 0x58, 0x65]);
    }

    #[test]
    fn cry_3_parts_are_concatenated() {
        assert_eq!(hash(&[b"ab", b"c"]), hash(&[b"abc"]));
        let long = [5; 200];
        for at in 0..=200 {
            let (first, rest) = long.split_at(at);
            assert_eq!(crate::kdf::hash_of_both(first, rest), (hash(&[first]), hash(&[&long])));
        }
        let (mut a, mut b) = ([0; 32], [0; 32]);
        hmac(&[1; 32], &[b"ab", b"c"], &mut a);
        hmac(&[1; 32], &[b"abc"], &mut b);
        assert_eq!(a, b);
        hmac(&[2; 32], &[b"abc"], &mut b);
        assert_ne!(a, b);
        let key = HmacKey::new(&[1; 32]);
        key.tag(b"abc", &mut b);
        assert_eq!(a, b);
        key.tag(b"d", &mut b);
        hmac(&[1; 32], &[b"d"], &mut a);
        assert_eq!(a, b);
    }
}
