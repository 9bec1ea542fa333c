use content::{Content, GenerationRandom, MAX_CONTENT, Malformed, split_text};
use proptest::prelude::*;

fn error(bytes: &[u8]) -> Option<Malformed> {
    Content::decode(bytes).err()
}

#[test]
fn content_cnt_1_every_kind_round_trips_and_leftovers_are_refused() {
    let part = split_text([9; 16], 3, 1_700_000_000, "hello").unwrap().remove(0);
    let kinds = [
        Content::Part(part),
        Content::Receipt,
        Content::NewGeneration { g: 7, r: GenerationRandom::copy_of(&[3; 32]) },
        Content::InboxSet { version: 5, mailboxes: vec![[1; 32]] },
        Content::InboxSet { version: u32::MAX, mailboxes: vec![[1; 32], [2; 32]] },
    ];
    for content in kinds {
        let bytes = content.encode();
        assert!(bytes.len() <= MAX_CONTENT);
        assert_eq!(*Content::decode(&bytes).unwrap().encode(), *bytes);
        assert_eq!(error(&[&bytes[..], &[0]].concat()), Some(Malformed::Long));
        for cut in 1..bytes.len() {
            assert!(error(&bytes[..cut]).is_some(), "{cut} bytes are no content");
        }
    }
    assert_eq!(error(&[]), Some(Malformed::Short));
    assert_eq!(error(&[0]), Some(Malformed::Field("kind")));
}

#[test]
fn content_cnt_1_an_inbox_set_has_one_or_two_different_mailboxes() {
    let set = |count: u8, keys: &[[u8; 32]]| [&[4, 0, 0, 0, 1, count], &*keys.concat()].concat();
    let refused = Some(Malformed::Field("mailboxes"));
    assert_eq!(error(&set(0, &[])), refused);
    assert_eq!(error(&set(3, &[[1; 32], [2; 32], [3; 32]])), refused);
    assert_eq!(error(&set(2, &[[1; 32], [1; 32]])), refused);
    assert_eq!(error(&set(2, &[[1; 32], [2; 32]])), None);
}

#[test]
fn content_cnt_2_unknown_kinds_are_unsupported_and_no_error() {
    for kind in (5..=255).filter(|kind| ![7, 8].contains(kind)) {
        let Content::Unsupported { kind: got } = Content::decode(&[kind, 1, 2, 3]).unwrap() else {
            panic!("kind {kind} is not known")
        };
        assert_eq!(got, kind);
    }
}

proptest! {
    #[test]
    fn content_cnt_1_whatever_decodes_encodes_to_the_same_bytes(
        kind in 1..=4_u8, tail in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let bytes = [&[kind], tail.as_slice()].concat();
        if let Ok(content) = Content::decode(&bytes) {
            prop_assert_eq!(&*content.encode(), &bytes);
        }
    }
}
