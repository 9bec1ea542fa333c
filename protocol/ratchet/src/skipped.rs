//! Keys of messages that have not come yet (RAT-6).

use crypto::aead::MessageKey;
use crypto::dh;
use std::collections::BTreeMap;

/// Most messages that one skip may pass over.
pub const MAX_SKIP: u32 = 1000;
/// Most keys that a session stores.
pub const MAX_STORED: usize = 1000;
/// Most chains before the current one that may have keys stored.
pub const MAX_OLD_CHAINS: usize = 5;
/// Days that a key is kept.
pub const SKIPPED_DAYS: u32 = 30;

/// Keys by chain, oldest chain first, and by number. That is also the order of their making: a
/// chain gets no more keys once the next has begun.
pub(crate) struct Skipped {
    pub(crate) chains: Vec<Chain>,
    /// No key is from before this day: most calls of [`Self::expire`] need look at nothing else.
    oldest: u32,
}

/// The keys of one chain, which is known by the peer's DH key.
pub(crate) struct Chain {
    pub(crate) dh: dh::Public,
    pub(crate) keys: BTreeMap<u32, Key>,
}

/// A key and the day on which it was put aside.
pub(crate) struct Key {
    pub(crate) day: u32,
    pub(crate) mk: MessageKey,
}

crypto::opaque!(Skipped, Chain, Key);

const fn too_old(day: u32, today: u32) -> bool {
    today.saturating_sub(day) > SKIPPED_DAYS
}

impl Skipped {
    pub(crate) fn new(chains: Vec<Chain>) -> Self {
        let mut skipped = Self { chains, oldest: u32::MAX };
        skipped.find_oldest();
        skipped
    }

    fn find_oldest(&mut self) {
        let days = self.chains.iter().flat_map(|chain| chain.keys.values()).map(|key| key.day);
        self.oldest = days.min().unwrap_or(u32::MAX);
    }

    /// The key of message `n` of chain `dh`, if it is stored and not too old.
    pub(crate) fn get(&self, dh: &dh::Public, n: u32, today: u32) -> Option<&MessageKey> {
        let key = self.chains.iter().find(|c| c.dh == *dh)?.keys.get(&n)?;
        (!too_old(key.day, today)).then_some(&key.mk)
    }

    /// Whether keys of this chain are stored.
    pub(crate) fn knows(&self, dh: &dh::Public) -> bool {
        self.chains.iter().any(|c| c.dh == *dh)
    }

    /// Erases a key (RAT-7).
    pub(crate) fn erase(&mut self, dh: &dh::Public, n: u32) {
        if let Some(chain) = self.chains.iter_mut().find(|c| c.dh == *dh) {
            chain.keys.remove(&n);
        }
        self.chains.retain(|c| !c.keys.is_empty());
    }

    /// Puts keys of the newest chain aside.
    pub(crate) fn add(&mut self, dh: &dh::Public, keys: Vec<(u32, MessageKey)>, today: u32) {
        if keys.is_empty() {
            return;
        }
        self.oldest = self.oldest.min(today);
        let keys = keys.into_iter().map(|(n, mk)| (n, Key { day: today, mk }));
        if self.chains.last().is_none_or(|c| c.dh != *dh) {
            self.chains.push(Chain { dh: *dh, keys: BTreeMap::new() });
        }
        if let Some(chain) = self.chains.last_mut() {
            chain.keys.extend(keys);
        }
    }

    /// Enforces the limits, oldest out first; `current` is the receiving chain.
    pub(crate) fn trim(&mut self, current: Option<&dh::Public>, today: u32) {
        self.expire(today);
        let live = self.chains.iter().any(|c| Some(&c.dh) == current);
        let kept = MAX_OLD_CHAINS.saturating_add(usize::from(live));
        let mut surplus = self.chains.len().saturating_sub(kept);
        self.chains.retain(|_| {
            let keep = surplus == 0;
            surplus = surplus.saturating_sub(1);
            keep
        });
        let mut excess = self.len().saturating_sub(MAX_STORED);
        for chain in &mut self.chains {
            while excess > 0 && chain.keys.pop_first().is_some() {
                excess = excess.saturating_sub(1);
            }
        }
        self.chains.retain(|c| !c.keys.is_empty());
    }

    /// Forgets keys that are too old; says whether there were any.
    pub(crate) fn expire(&mut self, today: u32) -> bool {
        if !too_old(self.oldest, today) {
            return false;
        }
        let before = self.len();
        for chain in &mut self.chains {
            chain.keys.retain(|_, key| !too_old(key.day, today));
        }
        self.chains.retain(|c| !c.keys.is_empty());
        self.find_oldest();
        self.len() != before
    }

    /// Keys stored.
    pub(crate) fn len(&self) -> usize {
        self.chains.iter().fold(0, |sum, c| c.keys.len().saturating_add(sum))
    }
}
