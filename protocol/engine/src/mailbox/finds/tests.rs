use super::*;
use proptest::prelude::*;

pub(in crate::mailbox) fn header(page: u64) -> PageHeader {
    PageHeader {
        interval_s: 10,
        fill: 8,
        ttl_h: 336,
        page,
        closed_at: page,
        oldest: 0,
        epoch: 0,
        count: 64,
        effort: 1,
        mailbox: [1; 32],
        prev: [0; 32],
        tags_hash: [0; 32],
        root: [0; 32],
        seed: [0; 32],
    }
}

#[test]
fn brd_34_prd_5_owners_take_turns_whatever_one_of_them_floods() {
    let mut finds = Finds::default();
    let (flood, quiet) = (For::Contact([1; 16]), For::Contact([2; 16]));
    for page in 0..100 {
        finds.note(&header(page), 0, [u8::try_from(page).unwrap(); 16], flood);
    }
    finds.note(&header(100), 3, [200; 16], quiet);
    finds.note(&header(101), 3, [201; 16], quiet);
    let mut order = Vec::new();
    for _ in 0..4 {
        let at = finds.next().unwrap();
        finds.start(at);
        finds.fetched(at);
        order.push(at);
    }
    assert_eq!(order, [(0, 0), (100, 3), (1, 0), (101, 3)]);
}

#[test]
fn brd_43_at_most_eight_chunks_are_fetched_for_one_tag() {
    let mut finds = Finds::default();
    let owner = For::Contact([1; 16]);
    for page in 0..20 {
        finds.note(&header(page), 0, [7; 16], owner);
    }
    for page in 0..8 {
        assert_eq!(finds.next(), Some((page, 0)));
        finds.start((page, 0));
        finds.fetched((page, 0));
        finds.note(&header(page + 100), 0, [7; 16], owner);
    }
    assert_eq!(finds.next(), None, "also when the first ones were fetched");
    finds.forget(&[7; 16]);
    finds.note(&header(50), 0, [7; 16], owner);
    assert_eq!(finds.next(), Some((50, 0)), "control: another life of the tag");
}

#[test]
fn brd_43_copies_of_what_has_arrived_are_not_fetched() {
    let mut finds = Finds::default();
    for page in 0..5 {
        finds.note(&header(page), 1, [7; 16], For::Contact([1; 16]));
    }
    finds.note(&header(2), 1, [8; 16], For::Contact([2; 16]));
    finds.start((0, 1));
    finds.forget(&[7; 16]);
    finds.fetched((0, 1));
    assert_eq!(finds.pages().collect::<Vec<_>>(), [2], "somebody else waits for this one");
    assert_eq!(finds.next(), Some((2, 1)));
}

/// What the rows of a mailbox would be after these changes.
fn save(rows: &mut BTreeMap<u64, BTreeSet<u16>>, finds: &mut Finds) {
    for (page, row) in finds.take_changed() {
        match row {
            Some(row) => rows.insert(page, KeptPage::from_row(&row).unwrap().chunks),
            None => rows.remove(&page),
        };
    }
}

proptest! {
    #[test]
    fn brd_34_brd_44_queue_and_rows_agree_with_what_was_found(
        steps in proptest::collection::vec((0_u8..6, 0_u64..4, 0_u16..3, 0_u8..5), 1..80)
    ) {
        let mut finds = Finds::default();
        let mut rows = BTreeMap::new();
        for (what, page, chunk, t) in steps {
            let at = (page, chunk);
            match what {
                0 | 1 => finds.note(&header(page), chunk, [t; 16], For::Contact([t % 3; 16])),
                2 => finds.start(at),
                3 => finds.fetched(at),
                4 => finds.failed(at, t == 0),
                _ => finds.forget(&[t; 16]),
            }
            save(&mut rows, &mut finds);
            let mut free: Vec<(u32, u64, u16)> = Vec::new();
            let mut all: BTreeMap<u64, BTreeSet<u16>> = BTreeMap::new();
            for (page, found) in &finds.pages {
                for (chunk, found) in &found.chunks {
                    all.entry(*page).or_default().insert(*chunk);
                    prop_assert!(found.busy || found.owner().is_some());
                    if !found.busy {
                        free.push((found.tries, *page, *chunk));
                    }
                }
            }
            prop_assert_eq!(&rows, &all, "what is saved is what is known");
            let queued = finds.free.values().flat_map(|queue| &queue.chunks);
            let mut queued: Vec<_> = queued.copied().collect();
            queued.sort_unstable();
            free.sort_unstable();
            prop_assert_eq!(queued, free.clone(), "what is free is queued, once");
            let turns: BTreeMap<For, u64> = finds.turns.iter().map(|(turn, of)| (*of, *turn)).collect();
            prop_assert_eq!(turns.len(), finds.turns.len());
            let owners = finds.free.iter().map(|(owner, queue)| (*owner, queue.turn));
            prop_assert!(owners.eq(turns));
            prop_assert_eq!(finds.next().is_some(), !free.is_empty());
            prop_assert_eq!(finds.fewest_tries(), free.iter().map(|(tries, ..)| *tries).min());
        }
    }
}
