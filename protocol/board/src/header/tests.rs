#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use crate::envelope;
use crate::page::{Entry, Layout, MAX_PAGE, Page, PageError, Place, Settings, filling};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const MAILBOX: [u8; 32] = [7; 32];
const SETTINGS: Settings = Settings { interval_s: 10, fill: 8, ttl_h: 336, mailbox: MAILBOX };

/// A chain of pages with these numbers of deposits.
fn chain(deposits: &[usize]) -> Vec<DigestFrame> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut place =
        Place { page: 0, closed_at: 1_000_000, oldest: 0, prev: [0; 32], seed: [2; 32], effort: 1 };
    deposits
        .iter()
        .map(|n| {
            let envelopes = (0..*n).map(|_| envelope::dummy(&mut rng)).collect();
            let page = Page::build(&SETTINGS, &place, envelopes, &mut rng).unwrap();
            place.page += 1;
            place.closed_at += 10;
            place.prev = page.frame.header.head();
            page.frame
        })
        .collect()
}

#[test]
fn brd_13_header_round_trips_in_256_bytes() {
    let header = chain(&[3])[0].header;
    let bytes = header.to_bytes();
    assert_eq!(bytes.len(), HEADER_LEN);
    assert_eq!(PageHeader::from_bytes(&bytes), Ok(header));
    for at in 0..HEADER_LEN {
        let mut other = bytes.clone();
        other[at] ^= 0x80;
        let read = PageHeader::from_bytes(&other);
        assert_ne!(read, Ok(header), "byte {at}");
        if let Ok(read) = read {
            assert_ne!(read.head(), header.head(), "byte {at} is not in the head");
        }
        assert!(!(208..256).contains(&at) || read.is_err(), "reserved byte {at}");
    }
}

#[test]
fn brd_14_a_page_holds_at_most_131072_envelopes_in_whole_chunks() {
    let mut header = chain(&[3])[0].header;
    for (count, fine) in [(0, true), (7, false), (131_072, true), (131_080, false)] {
        header.count = count;
        assert_eq!(PageHeader::from_bytes(&header.to_bytes()).is_ok(), fine, "{count}");
    }
    let entry = Entry { tag: [0; 16], digest: [0; 32] };
    let err = |n: usize| Layout::new(vec![entry; n]).err();
    assert_eq!(err(MAX_PAGE + 8), Some(PageError::TooMany));
    assert_eq!(err(9), Some(PageError::Uneven));
    assert_eq!(err(16), None);
}

#[test]
fn brd_20_pages_are_filled_to_eight_and_to_the_least() {
    let cases = [(0, 8, 0), (1, 8, 7), (8, 8, 0), (9, 8, 7), (9, 64, 55), (1, 9, 15), (65, 64, 7)];
    for (waiting, fill, random) in cases {
        assert_eq!(filling(waiting, fill), random, "{waiting} waiting, fill {fill}");
    }
    assert_eq!(filling(MAX_PAGE, 256), 0);
    assert_eq!(filling(MAX_PAGE - 1, 256), 1);
    assert_eq!(chain(&[0, 1, 17]).iter().map(|f| f.header.count).collect::<Vec<_>>(), [0, 8, 24]);
}

#[test]
fn brd_21_sorted_by_tag_then_digest_whatever_the_arrival() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut same_tag: Vec<_> = (0..8)
        .map(|_| {
            let mut bytes = *envelope::dummy(&mut rng).as_bytes();
            bytes[..16].fill(9);
            crate::envelope::Envelope::from_bytes(&bytes)
        })
        .collect();
    let place = Place { page: 0, closed_at: 0, oldest: 0, prev: [0; 32], seed: [0; 32], effort: 1 };
    let first = Page::build(&SETTINGS, &place, same_tag.clone(), &mut rng).unwrap();
    same_tag.reverse();
    let second = Page::build(&SETTINGS, &place, same_tag, &mut rng).unwrap();
    assert_eq!(first.frame, second.frame);
    assert_eq!(first.answer(0).unwrap().encode(), second.answer(0).unwrap().encode());
}

#[test]
fn brd_37_header_fields_outside_their_range_are_refused() {
    let good = chain(&[3])[0].clone();
    assert_eq!(good.check(&MAILBOX), Ok(()), "positive control");
    assert_eq!(good.check(&[8; 32]), Err(FrameError::WrongMailbox));
    let refused = |change: fn(&mut PageHeader)| {
        let mut header = good.header;
        change(&mut header);
        header.check(&MAILBOX).err()
    };
    assert_eq!(refused(|h| h.interval_s = 0), Some(FrameError::Range("interval_s")));
    assert_eq!(refused(|h| h.interval_s = 301), Some(FrameError::Range("interval_s")));
    assert_eq!(refused(|h| h.fill = 7), Some(FrameError::Range("fill")));
    assert_eq!(refused(|h| h.fill = 257), Some(FrameError::Range("fill")));
    assert_eq!(refused(|h| h.ttl_h = 23), Some(FrameError::Range("ttl_h")));
    assert_eq!(refused(|h| h.ttl_h = 721), Some(FrameError::Range("ttl_h")));
    assert_eq!(refused(|h| h.fill = 16), Some(FrameError::Range("count")));
    assert_eq!(refused(|h| h.effort = 0), Some(FrameError::Range("effort")));
    assert_eq!(refused(|h| h.oldest = 1), Some(FrameError::Range("oldest")));
    assert_eq!(refused(|h| h.epoch += 1), Some(FrameError::Range("epoch")));
    assert_eq!(good.header.check_fresh(1_000_600), Ok(()));
    assert_eq!(good.header.check_fresh(1_000_601), Err(FrameError::Clock));
    assert_eq!(good.header.check_fresh(999_399), Err(FrameError::Clock));
}

#[test]
fn brd_37_unsorted_or_other_tags_are_refused() {
    let good = chain(&[30])[0].clone();
    let mut unsorted = good.clone();
    unsorted.prefixes.swap(0, 1);
    assert_eq!(unsorted.check(&MAILBOX), Err(FrameError::Unsorted));
    // Even when the header vouches for the wrong order.
    unsorted.header.tags_hash = hash(&[unsorted.prefixes.as_flattened()]);
    assert_eq!(unsorted.check(&MAILBOX), Err(FrameError::Unsorted));
    let mut other = good.clone();
    other.prefixes[0] = [0; 8];
    assert_eq!(other.check(&MAILBOX), Err(FrameError::TagsHash));
    let mut short = good;
    short.prefixes.truncate(24);
    assert_eq!(short.check(&MAILBOX), Err(FrameError::Range("count")));
}

proptest! {
    #[test]
    fn brd_12_reader_gives_the_same_frames_however_the_bytes_are_cut(
        pages in prop::collection::vec(0usize..40, 1..5), cuts in prop::collection::vec(1usize..700, 1..40),
    ) {
        let frames = chain(&pages);
        let bytes: Vec<u8> = frames.iter().flat_map(Codec::to_bytes).collect();
        let (mut reader, mut got, mut rest) = (DigestReader::new(MAILBOX), Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            got.extend(reader.push(now).unwrap());
            rest = later;
            if rest.is_empty() { break; }
        }
        prop_assert_eq!(got, frames);
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn brd_37_a_stream_with_any_bit_flipped_never_gives_another_page(
        at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let frames = chain(&[5, 0, 12]);
        let mut bytes: Vec<u8> = frames.iter().flat_map(Codec::to_bytes).collect();
        let i = at.index(bytes.len());
        bytes[i] ^= 1 << bit;
        let mut reader = DigestReader::new(MAILBOX);
        let got = reader.push(&bytes).unwrap_or_default();
        // The last page's own header can lie undetected until the next page contradicts it.
        for (page, frame) in got.iter().zip(&frames).take(got.len().saturating_sub(1)) {
            prop_assert_eq!(page, frame);
        }
        let last = bytes.len() - frames[2].to_bytes().len();
        if i < last {
            prop_assert!(got.len() < 3);
            prop_assert!(reader.finish().is_err());
        }
    }
}

#[test]
fn brd_37_a_fork_ends_the_stream_after_the_pages_before_it() {
    let frames = chain(&[5, 6, 7]);
    let mut forked = frames[1].clone();
    forked.header.seed = [99; 32];
    let mut reader = DigestReader::new(MAILBOX);
    let bytes: Vec<u8> =
        [&frames[0], &forked, &frames[2]].iter().flat_map(|f| f.to_bytes()).collect();
    assert_eq!(reader.push(&bytes).unwrap(), [frames[0].clone(), forked]);
    assert_eq!(reader.push(&[]), Err(FrameError::Fork));
    assert_eq!(reader.push(&frames[2].to_bytes()), Err(FrameError::Fork));
    let mut gap = DigestReader::new(MAILBOX);
    gap.push(&frames[0].to_bytes()).unwrap();
    assert_eq!(gap.push(&frames[2].to_bytes()), Err(FrameError::Fork));
    let mut cut = DigestReader::new(MAILBOX);
    cut.push(&frames[0].to_bytes()[..300]).unwrap();
    assert_eq!(cut.finish(), Err(FrameError::Incomplete));
}

#[test]
fn brd_12_a_count_that_lies_is_refused_before_anything_is_kept() {
    let mut bytes = chain(&[8])[0].to_bytes();
    bytes[40..44].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut reader = DigestReader::new(MAILBOX);
    assert_eq!(reader.push(&bytes[..256]), Err(FrameError::Malformed(Malformed::Field("count"))));
}

#[test]
fn brd_43_find_gives_all_positions_of_a_prefix_and_their_chunks() {
    let mut entries: Vec<Entry> =
        (0..40_u8).map(|i| Entry { tag: [i / 2 * 2; 16], digest: [i; 32] }).collect();
    for entry in &mut entries[10..30] {
        entry.tag = [11; 16];
    }
    let place = Place { page: 0, closed_at: 0, oldest: 0, prev: [0; 32], seed: [0; 32], effort: 1 };
    let frame = Layout::new(entries).unwrap().frame(&SETTINGS, &place);
    assert_eq!(frame.find(&[11; 8]), 10..30);
    assert_eq!(frame.chunks_of(&[11; 8]).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(frame.find(&[4; 8]), 4..6);
    assert_eq!(frame.chunks_of(&[4; 8]).collect::<Vec<_>>(), [0]);
    assert!(frame.find(&[12; 8]).is_empty());
    assert_eq!(frame.chunks_of(&[12; 8]).count(), 0);
    assert_eq!(frame.chunks_of(&[255; 8]).count(), 0);
}
