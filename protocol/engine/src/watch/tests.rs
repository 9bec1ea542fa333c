use super::*;
use proptest::prelude::*;

fn tag_of(chain: u8, place: &Place) -> Tag {
    let Meaning::Session { contact, n, .. } = place.1 else { panic!("only sessions") };
    let mut tag = [chain; 16];
    tag[1] = place.0[0];
    tag[2] = contact[0];
    tag[3..7].copy_from_slice(&n.to_be_bytes());
    Tag(tag)
}

proptest! {
    #[test]
    fn brd_43_tags_of_an_owner_are_replaced_as_if_all_were_removed_and_added(
        steps in proptest::collection::vec((0_u8..3, 0_u8..2, 0_u32..20, 0_u32..6, 1_u8..3), 1..40)
    ) {
        let mut watch = Watch::default();
        let mut plain: BTreeMap<(OnionKey, [u8; 16]), Meaning> = BTreeMap::new();
        for (who, chain, from, width, boxes) in steps {
            let contact = [who; 16];
            let places: Vec<Place> = (from..from.saturating_add(width))
                .flat_map(|n| (0..boxes).map(move |m| ([m; 32], n)))
                .map(|(mailbox, n)| (mailbox, Meaning::Session { contact, g: 0, n }))
                .collect();
            let before = plain.clone();
            plain.retain(|_, meaning| meaning.owner() != WatchOwner::Contact(contact));
            for place in &places {
                plain.insert((place.0, tag_of(chain, place).0), place.1);
            }
            let owner = WatchOwner::Contact(contact);
            let changed = watch.replace(owner, places, |place| Some(tag_of(chain, place)));
            prop_assert_eq!(&watch.tags, &plain);
            let key = |(place, tag): &(Place, Tag)| (place.0, tag.0);
            let mut fresh: Vec<_> = changed.fresh.iter().map(key).collect();
            let mut gone: Vec<_> = changed.gone.iter().map(key).collect();
            fresh.sort_unstable();
            gone.sort_unstable();
            let without = |a: &BTreeMap<_, Meaning>, b: &BTreeMap<_, Meaning>| -> Vec<_> {
                a.keys().filter(|key| !b.contains_key(*key)).copied().collect()
            };
            prop_assert_eq!(fresh, without(&plain, &before));
            prop_assert_eq!(gone, without(&before, &plain));
        }
    }
}

#[test]
fn brd_43_only_new_tags_are_computed() {
    let mut watch = Watch::default();
    let contact = [1; 16];
    let places = |from: u32| -> Vec<Place> {
        (from..from + 64).map(|n| ([1; 32], Meaning::Session { contact, g: 0, n })).collect()
    };
    let asked = std::cell::Cell::new(0);
    let tag = |place: &Place| {
        asked.set(asked.get() + 1);
        Some(tag_of(0, place))
    };
    watch.replace(WatchOwner::Contact(contact), places(0), tag);
    assert_eq!(asked.take(), 64);
    watch.replace(WatchOwner::Contact(contact), places(1), tag);
    assert_eq!(asked.take(), 2, "the new one, and one that tells whether the chain is the same");
}
