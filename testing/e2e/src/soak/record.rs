//! What one person was told and what they saw, compared with the other's.

use anyhow::{Context, Result};
use serde_json::Value;
use soak::{Difference, Said, Tally, compare};

/// Differences that are planted into a copy of what was seen: each must be found.
pub const CONTROLS: usize = 5;

/// A message of ours, from the moment that the program said that it is queued.
pub(crate) struct Saying {
    pub(crate) id: String,
    pub(crate) text: String,
    /// Where it stands in the sender's history, once that was looked at.
    pub(crate) row: Option<i64>,
    pub(crate) delivered: bool,
    /// Whether its sender was told that it is queued; else nobody knows.
    pub(crate) known: bool,
}

/// A message as a history shows it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) row: i64,
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) state: String,
}

impl Line {
    pub(crate) fn of(value: &Value) -> Result<Self> {
        let text = |name: &str| {
            value[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"))
        };
        let row = value["row"].as_i64().context("no row")?;
        Ok(Self { row, id: text("id")?, text: text("text")?, state: text("state")? })
    }

    pub(crate) fn came_in(&self) -> bool {
        self.state == "received"
    }
}

/// One person's side of a conversation.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) said: Vec<Saying>,
    /// The whole history at the end, oldest first.
    pub(crate) history: Vec<Line>,
}

/// What was found in one direction.
pub(crate) struct Judged {
    pub(crate) tally: Tally,
    pub(crate) findings: Vec<String>,
    pub(crate) under_way: u64,
    pub(crate) caught: usize,
}

/// Each text begins with its number: what is seen is known by that, whatever became of identifiers.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}

/// Compares what `from` said with what `to` sees. What was under way when the run was interrupted
/// may be missing, and is not counted; nor is what was said after it and delivered already, which is
/// not shown before its turn has come (ENG-2).
pub(crate) fn judge(from: &Record, to: &Record, interrupted: bool) -> Judged {
    let mut under_way = false;
    let said: Vec<Said<'_, Option<u64>>> = from
        .said
        .iter()
        .map(|saying| {
            under_way |= interrupted && !saying.delivered;
            let given_up = !saying.known || under_way;
            Said { key: number(&saying.text), text: &saying.text, given_up }
        })
        .collect();
    let seen: Vec<(Option<u64>, Option<&str>)> = to
        .history
        .iter()
        .filter(|line| line.came_in())
        .map(|line| (number(&line.text), Some(line.text.as_str())))
        .collect();
    let under_way = said.iter().filter(|said| said.given_up).count();
    let mut tally = Tally { messages: count(said.len() - under_way), ..Tally::default() };
    let mut findings = Vec::new();
    for difference in compare(&said, seen.iter().copied()) {
        tally.difference(difference);
        findings.push(tell(difference, from));
    }
    let kept: std::collections::BTreeSet<&str> =
        from.history.iter().map(|line| line.id.as_str()).collect();
    for saying in from.said.iter().filter(|saying| saying.known) {
        if !kept.contains(saying.id.as_str()) {
            tally.lost += 1;
            findings.push(format!("forgotten by its sender: {}", short(&saying.text)));
        }
    }
    for line in from.history.iter().filter(|line| line.state == "failed") {
        tally.other += 1;
        findings.push(format!("given up too early: {}", short(&line.text)));
    }
    let caught = if seen.len() < 2 { 0 } else { controls(&said, &seen) };
    Judged { tally, findings, under_way: count(under_way), caught }
}

/// Plants one difference of each kind and counts those that are found.
fn controls(said: &[Said<'_, Option<u64>>], seen: &[(Option<u64>, Option<&str>)]) -> usize {
    let of = |said: &[Said<'_, Option<u64>>], seen: &[(Option<u64>, Option<&str>)]| {
        let mut tally = Tally::default();
        compare(said, seen.iter().copied()).into_iter().for_each(|d| tally.difference(d));
        tally
    };
    let honest = of(said, seen);
    let phantom = Said { key: Some(u64::MAX), text: "nobody said this", given_up: false };
    let lost = of(&[said, &[phantom]].concat(), seen);
    let twice = of(said, &[seen, &seen[..1]].concat());
    let mut swapped = seen.to_vec();
    let last = swapped.len() - 1;
    swapped.swap(0, last);
    let mut altered = seen.to_vec();
    altered[0].1 = Some("other words");
    let stranger = of(said, &[seen, &[(Some(u64::MAX), Some("never said"))]].concat());
    [
        lost.lost == honest.lost + 1,
        twice.duplicated == honest.duplicated + 1,
        of(said, &swapped).reordered > honest.reordered,
        of(said, &altered).other == honest.other + 1,
        stranger.other == honest.other + 1,
    ]
    .into_iter()
    .filter(|caught| *caught)
    .count()
}

fn tell(difference: Difference, from: &Record) -> String {
    let (what, place) = match difference {
        Difference::Lost(place) => ("lost", place),
        Difference::Duplicated(place) => ("shown twice", place),
        Difference::Reordered(place) => ("shown after a later one", place),
        Difference::Altered(place) => ("shown with other words", place),
        Difference::Stranger => return "something is shown that was never said".to_owned(),
    };
    let saying = from.said.get(place);
    let (id, text) = saying.map_or(("", ""), |saying| (&saying.id, &saying.text));
    format!("{what}: number {place}, {id}, {}", short(text))
}

fn short(text: &str) -> String {
    text.chars().take(24).collect()
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(k: usize) -> String {
        format!("{k} words of a message")
    }

    fn line(k: usize, state: &str) -> Line {
        let row = i64::try_from(k).unwrap();
        Line { row, id: format!("m_{k}"), text: text(k), state: state.to_owned() }
    }

    /// Two people of whom one has said five things.
    fn honest() -> (Record, Record) {
        let saying = |k| Saying {
            id: format!("m_{k}"),
            text: text(k),
            row: None,
            delivered: true,
            known: true,
        };
        let said = (0..5).map(saying).collect();
        let history = (0..5).map(|k| line(k, "delivered")).collect();
        let seen = (0..5).map(|k| line(k, "received")).collect();
        (Record { said, history }, Record { said: Vec::new(), history: seen })
    }

    fn found(change: impl FnOnce(&mut Record, &mut Record)) -> [u64; 4] {
        let (mut from, mut to) = honest();
        change(&mut from, &mut to);
        let Judged { tally, findings, .. } = judge(&from, &to, false);
        assert_eq!(count(findings.len()), tally.differences());
        [tally.lost, tally.duplicated, tally.reordered, tally.other]
    }

    #[test]
    fn soak_real_control_a_sound_run_shows_nothing_and_every_planted_difference() {
        assert_eq!(found(|_, _| ()), [0; 4]);
        let (from, to) = honest();
        let judged = judge(&from, &to, false);
        assert_eq!((judged.tally.messages, judged.caught), (5, CONTROLS));
    }

    #[test]
    fn soak_real_control_a_receiver_whose_store_is_broken_is_found() {
        assert_eq!(found(|_, to| drop(to.history.remove(2))), [1, 0, 0, 0]);
        assert_eq!(found(|_, to| to.history.push(line(1, "received"))), [0, 1, 0, 0]);
        assert_eq!(found(|_, to| to.history.swap(0, 1)), [0, 0, 1, 0]);
        assert_eq!(found(|_, to| to.history[3].text.push('!')), [0, 0, 0, 1]);
    }

    #[test]
    fn soak_real_control_a_message_that_was_never_sent_is_missed() {
        let phantom = |from: &mut Record, _: &mut Record| {
            from.said.push(Saying {
                id: "m_9".to_owned(),
                text: text(9),
                row: None,
                delivered: false,
                known: true,
            });
        };
        // Not seen by the one, and not in the history of the other.
        assert_eq!(found(phantom), [2, 0, 0, 0]);
    }

    #[test]
    fn soak_real_control_a_sender_that_forgets_or_gives_up_is_found() {
        assert_eq!(found(|from, _| drop(from.history.pop())), [1, 0, 0, 0]);
        assert_eq!(found(|from, _| "failed".clone_into(&mut from.history[4].state)), [0, 0, 0, 1]);
    }

    #[test]
    fn soak_real_what_was_under_way_when_it_was_interrupted_may_be_missing() {
        let (mut from, mut to) = honest();
        from.said[4].delivered = false;
        to.history.pop();
        let judged = judge(&from, &to, true);
        assert_eq!((judged.tally.messages, judged.under_way, judged.tally.lost), (4, 1, 0));
        assert_eq!(judge(&from, &to, false).tally.lost, 1, "control");

        // The third is under way; the fourth has arrived, and waits for it.
        from.said[2].delivered = false;
        to.history.truncate(2);
        let judged = judge(&from, &to, true);
        assert_eq!((judged.tally.messages, judged.under_way, judged.tally.lost), (2, 3, 0));
        to.history.truncate(1);
        assert_eq!(judge(&from, &to, true).tally.lost, 1, "the second was not under way");
    }
}
