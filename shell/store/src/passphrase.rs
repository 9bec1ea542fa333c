//! From what people type to a key: the same for a profile and for a backup.

use crate::StoreError;
use crypto::Zeroizing;
use crypto::password::{Cost, Stretched};
use unicode_normalization::UnicodeNormalization;

/// Most bytes of a passphrase (STO-13).
const MAX_PASSPHRASE: usize = 1024;

/// Cost of a new profile on a desktop: 256 MiB, three passes, one lane (STO-12).
pub const DEFAULT_COST: Cost = Cost { memory_kib: 256 * 1024, passes: 3, lanes: 1 };
pub(crate) const FLOOR: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
pub(crate) const CEILING: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 4 };

/// STO-12: judged before Argon2id runs, because a hostile file chooses these numbers.
///
/// # Errors
/// [`StoreError::Weak`], [`StoreError::Excessive`].
pub(crate) fn judge(cost: Cost) -> Result<(), StoreError> {
    let within = |low: Cost, high: Cost| {
        low.memory_kib <= high.memory_kib && low.passes <= high.passes && low.lanes <= high.lanes
    };
    if !within(FLOOR, cost) {
        return Err(StoreError::Weak);
    }
    if !within(cost, CEILING) {
        return Err(StoreError::Excessive);
    }
    Ok(())
}

/// `A = Argon2id(NFC(passphrase))`; the caller has judged the cost.
///
/// # Errors
/// [`StoreError::Passphrase`]; [`StoreError::NoMemory`].
pub(crate) fn stretch(
    passphrase: &[u8],
    salt: &[u8; 16],
    cost: Cost,
) -> Result<Stretched, StoreError> {
    let text = str::from_utf8(passphrase).map_err(|_| StoreError::Passphrase)?;
    if text.is_empty() || text.len() > MAX_PASSPHRASE {
        return Err(StoreError::Passphrase); // STO-13
    }
    // NFC makes UTF-8 at most three times longer; reserved, so that growing leaves no copy.
    let mut normal = Zeroizing::new(String::with_capacity(MAX_PASSPHRASE.saturating_mul(3)));
    normal.extend(text.nfc());
    Stretched::from_passphrase(normal.as_bytes(), salt, cost).map_err(|_| StoreError::NoMemory)
}
