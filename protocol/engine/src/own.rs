//! The own mailboxes: those that contacts write to, and those that were left (BRD-40, BRD-48).

use crate::rows::{done, open_row, row};
use board::tag::OnionKey;
use crypto::Zeroizing;
use std::collections::BTreeMap;
use wire::{Codec, Malformed};

/// Mailboxes of an inbox set (BRD-40).
const INBOX: usize = 2;
/// Mailboxes that were left and are still read. One more, and the oldest is forgotten.
const LEFT: usize = 2;
/// How long a mailbox keeps what it is given (BRD-22), in seconds: whatever a contact put there
/// before it knew of the new set has expired after that.
const RETENTION_S: u64 = 14 * 24 * 3600;

/// Refused: the profile has this mailbox already, or as many as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// A mailbox that takes no part any more, and how it is to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Its rows go.
    Forgotten(OnionKey),
    /// It is read until this Unix second.
    Left(OnionKey, u64),
}

/// The own mailboxes of a profile.
#[derive(Default)]
pub(crate) struct Own {
    inbox: Vec<OnionKey>,
    /// Until when each is read, in Unix seconds.
    left: BTreeMap<OnionKey, u64>,
}

impl Own {
    /// Where contacts write.
    pub(crate) fn inbox(&self) -> &[OnionKey] {
        &self.inbox
    }

    /// Where something of ours may lie.
    pub(crate) fn read(&self) -> impl Iterator<Item = &OnionKey> {
        self.inbox.iter().chain(self.left.keys())
    }

    /// Whether something of ours may lie there.
    pub(crate) fn contains(&self, key: &OnionKey) -> bool {
        self.inbox.contains(key) || self.left.contains_key(key)
    }

    /// Until when a mailbox is read that was left.
    pub(crate) fn left_until(&self, key: &OnionKey) -> Option<u64> {
        self.left.get(key).copied()
    }

    /// Contacts write there from now on.
    pub(crate) fn join(&mut self, key: OnionKey) -> Result<(), Full> {
        if self.inbox.contains(&key) || self.inbox.len() >= INBOX {
            return Err(Full);
        }
        self.left.remove(&key);
        self.inbox.push(key);
        Ok(())
    }

    /// Contacts write there no more; it is read until what it was given has expired. One that was
    /// left already is forgotten. Nothing if it is none of ours.
    pub(crate) fn leave(&mut self, key: &OnionKey, now_s: u64) -> Vec<Gone> {
        if self.left.remove(key).is_some() {
            return vec![Gone::Forgotten(*key)];
        }
        let Some(at) = self.inbox.iter().position(|own| own == key) else { return Vec::new() };
        self.inbox.remove(at);
        let until = now_s.saturating_add(RETENTION_S);
        let mut gone = vec![Gone::Left(*key, until)];
        if self.left.len() >= LEFT
            && let Some((_, oldest)) = self.left.iter().map(|(key, until)| (*until, *key)).min()
        {
            self.left.remove(&oldest);
            gone.push(Gone::Forgotten(oldest));
        }
        self.left.insert(*key, until);
        gone
    }

    /// Forgets those in which nothing of ours can lie any more.
    pub(crate) fn expire(&mut self, now_s: u64) -> Vec<OnionKey> {
        // No longer than promised, also after a clock that was years ahead was set right.
        let over = |until: u64| until <= now_s || until > now_s.saturating_add(2 * RETENTION_S);
        self.left.extract_if(.., |_, until| over(*until)).map(|(key, _)| key).collect()
    }

    /// The value of a mailbox's row: nothing for one of the inbox set, else `until u64` of one that
    /// was left.
    pub(crate) fn to_row(until: Option<u64>) -> Zeroizing<Vec<u8>> {
        let Some(until) = until else { return Zeroizing::new(Vec::new()) };
        let mut w = row(9);
        w.u64(until);
        done(w)
    }

    /// Takes a row in. More than [`INBOX`] and [`LEFT`] are none that was written here.
    pub(crate) fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let key = <OnionKey>::from_bytes(key)?;
        if value.is_empty() {
            return self.join(key).map_err(|Full| Malformed::Field("inbox set"));
        }
        let mut r = open_row(value)?;
        let until = r.u64()?;
        r.finish()?;
        if self.left.len() >= LEFT || self.inbox.contains(&key) {
            return Err(Malformed::Field("mailboxes left"));
        }
        self.left.insert(key, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_767_268_800;

    #[test]
    fn brd_48_what_was_left_is_read_for_the_retention_and_then_forgotten() {
        let mut own = Own::default();
        own.join([1; 32]).unwrap();
        own.join([2; 32]).unwrap();
        assert_eq!(own.join([3; 32]), Err(Full));
        assert_eq!(own.join([1; 32]), Err(Full));
        assert_eq!(own.leave(&[1; 32], NOW), [Gone::Left([1; 32], NOW + RETENTION_S)]);
        assert!(own.inbox() == [[2; 32]] && own.contains(&[1; 32]));
        assert!(own.read().eq(&[[2; 32], [1; 32]]));
        assert!(own.expire(NOW + RETENTION_S - 1).is_empty());
        assert_eq!(own.expire(NOW + RETENTION_S), [[1; 32]]);
        assert!(!own.contains(&[1; 32]));
        assert!(own.leave(&[1; 32], NOW).is_empty());
    }

    #[test]
    fn brd_48_one_that_was_left_can_be_taken_back_or_forgotten_at_once() {
        let mut own = Own::default();
        for key in [[1; 32], [2; 32]] {
            own.join(key).unwrap();
            own.leave(&key, NOW);
        }
        own.join([1; 32]).unwrap();
        assert!(own.left_until(&[1; 32]).is_none());
        assert_eq!(own.leave(&[2; 32], NOW), [Gone::Forgotten([2; 32])]);
    }

    #[test]
    fn brd_48_no_more_than_two_that_were_left_are_read() {
        let mut own = Own::default();
        let mut forgotten = Vec::new();
        for at in 1..=4 {
            let key = [u8::try_from(at).unwrap(); 32];
            own.join(key).unwrap();
            forgotten.extend(own.leave(&key, NOW + at).into_iter().skip(1));
        }
        assert_eq!(forgotten, [Gone::Forgotten([1; 32]), Gone::Forgotten([2; 32])]);
        assert_eq!(own.read().count(), 2);
    }

    #[test]
    fn brd_48_rows_load_and_too_many_do_not() {
        let mut own = Own::default();
        own.load(&[1; 32], &[]).unwrap();
        own.load(&[2; 32], &Own::to_row(Some(7))).unwrap();
        assert_eq!(own.left_until(&[2; 32]), Some(7));
        own.load(&[3; 32], &[]).unwrap();
        own.load(&[4; 32], &Own::to_row(Some(8))).unwrap();
        assert!(own.load(&[5; 32], &[]).is_err());
        assert!(own.load(&[5; 32], &Own::to_row(Some(8))).is_err());
        assert!(own.load(&[6; 32], &[1]).is_err());
    }
}
