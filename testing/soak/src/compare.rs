//! One direction of a conversation: what its sender was told is queued, what the other side shows.

use std::collections::{BTreeMap, BTreeSet};

/// A message that somebody was told is queued.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a, K> {
    /// What names it on both sides.
    pub key: K,
    /// Its words.
    pub text: &'a str,
    /// Given up or taken back, so that it may be missing.
    pub given_up: bool,
}

/// How what is seen differs from what was said. The number is the how-manieth message of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It was said, and is not seen.
    Lost(usize),
    /// It is seen again.
    Duplicated(usize),
    /// It is seen after one that was said later.
    Reordered(usize),
    /// Other words are seen than were said.
    Altered(usize),
    /// Something is seen that was never said.
    Stranger,
}

/// Compares what one person said to another with what the other sees, in the order of the screen.
/// Words that are not at hand any more (`None`) are not compared.
///
/// First what is wrong with what is seen, in its order, then what is lost.
pub fn compare<'a, K: Ord + Copy>(
    said: &[Said<'_, K>],
    seen: impl IntoIterator<Item = (K, Option<&'a str>)>,
) -> Vec<Difference> {
    let places: BTreeMap<K, usize> =
        said.iter().enumerate().map(|(place, said)| (said.key, place)).collect();
    let mut differences = Vec::new();
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut last = None;
    for (key, text) in seen {
        let Some(place) = places.get(&key).copied() else {
            differences.push(Difference::Stranger);
            continue;
        };
        if !found.insert(place) {
            differences.push(Difference::Duplicated(place));
        } else if last > Some(place) {
            differences.push(Difference::Reordered(place));
        }
        last = last.max(Some(place));
        if text.is_some_and(|text| said.get(place).is_some_and(|said| said.text != text)) {
            differences.push(Difference::Altered(place));
        }
    }
    for (place, said) in said.iter().enumerate() {
        if !said.given_up && !found.contains(&place) {
            differences.push(Difference::Lost(place));
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

    fn said() -> Vec<Said<'static, usize>> {
        let all = TEXTS.iter().enumerate();
        all.map(|(key, text)| Said { key, text, given_up: key == 3 }).collect()
    }

    fn found(seen: &[(usize, &str)]) -> Vec<Difference> {
        compare(&said(), seen.iter().map(|(key, text)| (*key, Some(*text))))
    }

    #[test]
    fn soak_what_is_as_it_was_said_differs_in_nothing() {
        let all = [(0, "one"), (1, "two"), (2, "three"), (3, "four")];
        assert_eq!(found(&all), []);
        assert_eq!(found(&all[..3]), [], "what was given up may be missing");
        assert_eq!(compare(&said(), (0..4).map(|key| (key, None))), [], "words that are gone");
    }

    #[test]
    fn soak_each_difference_is_told_by_its_name() {
        let lost = [(0, "one"), (2, "three")];
        assert_eq!(found(&lost), [Difference::Lost(1)]);
        let twice = [(0, "one"), (1, "two"), (0, "one"), (2, "three")];
        assert_eq!(found(&twice), [Difference::Duplicated(0)]);
        let swapped = [(1, "two"), (0, "one"), (2, "three")];
        assert_eq!(found(&swapped), [Difference::Reordered(0)]);
        let altered = [(0, "one"), (1, "too"), (2, "three")];
        assert_eq!(found(&altered), [Difference::Altered(1)]);
        let stranger = [(0, "one"), (7, "seven"), (1, "two"), (2, "three")];
        assert_eq!(found(&stranger), [Difference::Stranger]);
    }

    #[test]
    fn soak_several_differences_are_all_told() {
        let worst = [(2, "three"), (2, "three"), (0, "zero"), (9, "nine")];
        let expected = [
            Difference::Duplicated(2),
            Difference::Reordered(0),
            Difference::Altered(0),
            Difference::Stranger,
            Difference::Lost(1),
        ];
        assert_eq!(found(&worst), expected);
    }
}
