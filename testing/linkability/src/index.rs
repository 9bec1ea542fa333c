//! A log as an attacker reads it: what lies in which page, and who asked for it when.

use crate::transcript::{Asked, Log, Operation};
use std::collections::BTreeMap;

/// Envelopes in a chunk.
const CHUNK: usize = 8;

/// Names a chunk: mailbox, page, chunk.
pub(crate) type Chunk = (usize, u64, u16);

/// A log with its tables.
pub(crate) struct Index {
    closed: BTreeMap<(usize, u64), u64>,
    fetches: BTreeMap<Chunk, Vec<u64>>,
    places: BTreeMap<(usize, [u8; 8]), Chunk>,
    /// Times of puts, and of fetches with the age of their page, by mailbox.
    pub(crate) puts: Vec<u64>,
    pub(crate) reads: Vec<(u64, u64)>,
    /// Times at which a mark was seen.
    marks: BTreeMap<u64, Vec<u64>>,
    /// Ends of circuits.
    ends: Vec<u64>,
}

impl Index {
    pub(crate) fn new(log: &Log) -> Self {
        let mut index = Self {
            closed: BTreeMap::new(),
            fetches: BTreeMap::new(),
            places: BTreeMap::new(),
            puts: Vec::new(),
            reads: Vec::new(),
            marks: BTreeMap::new(),
            ends: Vec::new(),
        };
        for page in &log.pages {
            index.closed.insert((page.mailbox, page.page), page.at);
            for (at, tag) in page.tags.iter().enumerate() {
                let chunk = u16::try_from(at / CHUNK).unwrap();
                index.places.insert((page.mailbox, *tag), (page.mailbox, page.page, chunk));
            }
        }
        for operation in &log.operations {
            match operation.asked {
                Asked::Put { .. } => index.puts.push(operation.accept),
                Asked::Fetch { page, chunk, .. } => {
                    let age = index.age(operation).unwrap_or(u64::MAX);
                    index.reads.push((operation.accept, age));
                    let chunk = (operation.mailbox, page, chunk);
                    index.fetches.entry(chunk).or_default().push(operation.accept);
                }
                Asked::Digest(_) => {}
            }
            if let Some(mark) = operation.mark {
                index.marks.entry(mark).or_default().push(operation.accept);
            }
            if operation.close < u64::MAX && operation.close > operation.accept + 2000 {
                index.ends.push(operation.close);
            }
        }
        index.ends.sort_unstable();
        index
    }

    /// How old the page of a fetch was, in milliseconds.
    pub(crate) fn age(&self, operation: &Operation) -> Option<u64> {
        let Asked::Fetch { page, .. } = operation.asked else { return None };
        let closed = self.closed.get(&(operation.mailbox, page))?;
        Some(operation.accept.saturating_sub(*closed))
    }

    /// Where the envelope of a put lies.
    pub(crate) fn chunk(&self, operation: &Operation) -> Option<Chunk> {
        match operation.asked {
            Asked::Put { tag, .. } => {
                let prefix = tag.first_chunk::<8>()?;
                self.places.get(&(operation.mailbox, *prefix)).copied()
            }
            Asked::Fetch { page, chunk, .. } => Some((operation.mailbox, page, chunk)),
            Asked::Digest(_) => None,
        }
    }

    /// When a chunk was asked for.
    pub(crate) fn fetches(&self, chunk: Option<Chunk>) -> &[u64] {
        chunk.and_then(|chunk| self.fetches.get(&chunk)).map_or(&[], Vec::as_slice)
    }

    /// When a page closed.
    pub(crate) fn closed(&self, chunk: Option<Chunk>) -> Option<u64> {
        let (mailbox, page, _) = chunk?;
        self.closed.get(&(mailbox, page)).copied()
    }

    /// When a mark was seen.
    pub(crate) fn marked(&self, mark: Option<u64>) -> &[u64] {
        mark.and_then(|mark| self.marks.get(&mark)).map_or(&[], Vec::as_slice)
    }

    /// Puts between two moments.
    pub(crate) fn puts_between(&self, from: u64, to: u64) -> &[u64] {
        let at = |when: u64| self.puts.partition_point(|put| *put < when);
        &self.puts[at(from)..at(to).max(at(from))]
    }

    /// Fetches between two moments, with the ages of their pages.
    pub(crate) fn reads_between(&self, from: u64, to: u64) -> &[(u64, u64)] {
        let at = |when: u64| self.reads.partition_point(|(read, _)| *read < when);
        &self.reads[at(from)..at(to).max(at(from))]
    }
}
