use crypto::rand_core::{TryCryptoRng, TryRng};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;
use std::convert::Infallible;

/// What lies at `path`, seen from this package. Asked when the test runs: checkouts share a build
/// directory, and a program that is the same in two of them is built in one.
pub(crate) fn here(path: &str) -> String {
    format!("{}/{path}", std::env::var("CARGO_MANIFEST_DIR").unwrap())
}

/// A file of `vectors/upstream`.
pub(crate) fn load(name: &str) -> Value {
    let path = here(&format!("../../vectors/upstream/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap()
}

/// All groups of a file.
pub(crate) fn groups(file: &Value) -> &Vec<Value> {
    file["testGroups"].as_array().unwrap()
}

/// All cases of a group.
pub(crate) fn cases(group: &Value) -> &Vec<Value> {
    group["tests"].as_array().unwrap()
}

/// A field in hexadecimal.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

/// A field in hexadecimal of exactly `N` bytes.
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

/// Whether a case is to be accepted.
pub(crate) fn valid(case: &Value) -> bool {
    case["result"] == "valid"
}

/// A generator that gives the bytes of a vector and no more.
pub(crate) struct Dice(pub(crate) Vec<u8>);

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("keys and nonces are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("keys and nonces are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

impl Drop for Dice {
    /// A vector whose randomness is not used up tested something else than it says.
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.0.is_empty(), "{} bytes left", self.0.len());
    }
}
