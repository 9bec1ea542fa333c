//! Page headers, digests and the hash tree over a page.

use crate::choices::Choices;
use crate::frames::{PLACE, SETTINGS, dice};
use board::header::{DigestFrame, DigestReader, EPOCH_S, HEADER_LEN, PREFIX_LEN, PageHeader};
use board::merkle::{self, Hash, Tree};
use board::page::{CHUNK, Page};
use crypto::hash;
use std::array::from_fn;
use std::sync::LazyLock;
use wire::Codec;

/// A header (BRD-13): one value, one encoding; its checks take anything.
pub fn header(data: &[u8]) {
    let Ok(header) = PageHeader::from_bytes(data) else { return };
    assert_eq!(header.to_bytes(), data);
    let fine = header.check(&header.mailbox).is_ok();
    assert!(!fine || header.oldest <= header.page);
    assert!(header.check_follows(&header).is_err(), "no page follows itself");
    let _fresh = header.check_fresh(PLACE.closed_at).is_ok();
}

/// The answer to a DIGEST, in pieces of any size: the reader gives the same frames as the parser
/// of whole ones, and after a fault nothing more.
///
/// `mend(1) ‖ piece(1) ‖ bytes`; a mended stream has right hashes and links, so that the checks
/// behind them are reached.
pub fn digest(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (mend, piece) = (choices.byte() & 1 == 1, usize::from(choices.byte()) + 1);
    let stream = if mend { mended(choices.rest()) } else { choices.rest().to_vec() };
    let mut reader = DigestReader::new(SETTINGS.mailbox);
    let mut read = Vec::new();
    let mut failed = false;
    for bytes in stream.chunks(piece) {
        match reader.push(bytes) {
            Ok(frames) => {
                assert!(!failed || frames.is_empty(), "frames after a fault");
                read.extend(frames);
            }
            Err(_) => failed = true,
        }
    }
    let whole: Vec<u8> = read.iter().flat_map(Codec::to_bytes).collect();
    assert!(stream.starts_with(&whole));
    for frame in &read {
        assert_eq!(frame.check(&SETTINGS.mailbox), Ok(()));
    }
    for pair in read.windows(2) {
        assert_eq!(pair[1].header.check_follows(&pair[0].header), Ok(()));
    }
    assert_eq!(reader.last(), read.last().map(|frame| &frame.header));
    assert_eq!(reader.finish().is_ok(), !failed && whole.len() == stream.len());
    for frame in &read {
        find(frame);
    }
}

/// BRD-21: every prefix is found where it stands.
fn find(frame: &DigestFrame) {
    for (at, prefix) in frame.prefixes.iter().enumerate() {
        assert!(frame.find(prefix).contains(&at));
        assert!(frame.chunks_of(prefix).any(|chunk| usize::from(chunk) == at / CHUNK));
    }
}

/// A stream in which mailbox, epoch, hash of the tags and link to the page before are right.
fn mended(mut bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut last: Option<PageHeader> = None;
    while let Some((head, rest)) = bytes.split_at_checked(HEADER_LEN) {
        let Ok(mut header) = PageHeader::from_bytes(head) else { break };
        let len = header.count as usize * PREFIX_LEN;
        let Some((prefixes, rest)) = rest.split_at_checked(len) else { break };
        header.mailbox = SETTINGS.mailbox;
        header.epoch = header.closed_at / EPOCH_S;
        header.tags_hash = hash(&[prefixes]);
        if let Some(before) = &last {
            header.prev = before.head();
            header.page = before.page.wrapping_add(1);
        }
        stream.extend(header.to_bytes());
        stream.extend_from_slice(prefixes);
        last = Some(header);
        bytes = rest;
    }
    stream.extend_from_slice(bytes);
    stream
}

static LEAVES: LazyLock<[Hash; 40]> =
    LazyLock::new(|| from_fn(|i| merkle::leaf(&[[i as u8; 32]; CHUNK])));

/// A tree, and a path through it that may be wrong. `leaves(1) ‖ leaf(1) ‖ edits of the path`
pub fn tree(data: &[u8]) {
    let mut choices = Choices::new(data);
    let count = choices.byte() % 40;
    let leaves = &LEAVES[..usize::from(count)];
    let tree = Tree::new(leaves.to_vec());
    let at = choices.byte();
    let path = tree.path(at.into());
    assert_eq!(path.is_some(), at < count);
    let Some(path) = path else { return };
    let edited = choices.edit(path.as_flattened());
    let (hashes, _) = edited.as_chunks::<32>();
    let leaf = &leaves[usize::from(at)];
    let arrives = merkle::climb(leaf, at.into(), hashes) == tree.root();
    assert_eq!(arrives, hashes == path);
}

fn page(place: board::page::Place, deposits: usize) -> Page {
    let mut rng = dice();
    let deposits = (0..deposits).map(|_| board::envelope::dummy(&mut rng)).collect();
    Page::build(&SETTINGS, &place, deposits, &mut rng).unwrap()
}

/// Two pages in a row, one of them empty.
fn stream() -> [Vec<u8>; 2] {
    let first = page(PLACE, 9);
    let next = board::page::Place {
        page: PLACE.page + 1,
        prev: first.frame.header.head(),
        closed_at: PLACE.closed_at + 60,
        ..PLACE
    };
    [first.frame.to_bytes(), page(next, 0).frame.to_bytes()]
}

pub fn header_seeds() -> Vec<Vec<u8>> {
    stream().iter().map(|frame| frame[..HEADER_LEN].to_vec()).collect()
}

pub fn digest_seeds() -> Vec<Vec<u8>> {
    let both = stream().concat();
    let seed = |mend: u8, piece: u8, len: usize| [&[mend, piece], &both[..len]].concat();
    let whole = both.len();
    vec![seed(0, 255, whole), seed(0, 6, whole), seed(1, 99, whole), seed(1, 255, whole - 1)]
}

pub fn tree_seeds() -> Vec<Vec<u8>> {
    vec![vec![0, 0], vec![1, 0], vec![5, 4], vec![39, 20, 0, 0, 3, 1], vec![8, 7, 4, 0, 32, 0]]
}
