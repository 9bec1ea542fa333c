use content::{Content, GenerationRandom, MAX_CONTENT, Malformed, Timer, TimerSetting, split_text};
use proptest::prelude::*;

fn error(bytes: &[u8]) -> Option<Malformed> {
    Content::decode(bytes).err()
}

#[test]
fn content_cnt_1_every_kind_round_trips_and_leftovers_are_refused() {
    let part = split_text([9; 16], 3, 1_700_000_000, Timer::OFF, "hello").unwrap().remove(0);
    let kinds = [
        Content::Part(part),
        Content::Receipt,
        Content::NewGeneration { g: 7, r: GenerationRandom::copy_of(&[3; 32]) },
        Content::InboxSet { version: 5, mailboxes: vec![[1; 32]] },
        Content::InboxSet { version: u32::MAX, mailboxes: vec![[1; 32], [2; 32]] },
        Content::Timer(TimerSetting { counter: 9, timer: Timer::new(3600).unwrap() }),
        Content::Floor { floor: 1 },
        Content::Floor { floor: u32::MAX },
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
    for kind in (5..=255).filter(|kind| ![6, 7, 8, 9].contains(kind)) {
        let Content::Unsupported { kind: got } = Content::decode(&[kind, 1, 2, 3]).unwrap() else {
            panic!("kind {kind} is not known")
        };
        assert_eq!(got, kind);
    }
}

#[test]
fn content_cnt_7_a_floor_of_nothing_is_malformed() {
    assert_eq!(error(&[9, 0, 0, 0, 0]), Some(Malformed::Field("floor")));
    assert_eq!(error(&[9, 0, 0, 0, 1]), None);
}

#[test]
fn content_cnt_8_a_timer_is_off_or_from_5_minutes_to_30_days() {
    let timer = |seconds: u32| [&[6, 0, 0, 0, 1], &seconds.to_be_bytes()[..]].concat();
    let refused = Some(Malformed::Field("timer"));
    for bad in [1, 299, 2_592_001, u32::MAX] {
        assert_eq!(error(&timer(bad)), refused, "{bad}");
        assert_eq!(Timer::new(bad), None);
    }
    for good in [0, 300, 86_400, 2_592_000] {
        assert_eq!(error(&timer(good)), None, "{good}");
    }
    // The timer that a part carries is judged alike.
    let part = split_text([9; 16], 3, 0, Timer::OFF, "hello").unwrap().remove(0);
    let mut bytes = Content::Part(part).encode().to_vec();
    bytes[44] = 1;
    assert_eq!(error(&bytes), refused);
}

proptest! {
    /// CNT-9: whatever was said in whatever order, the highest is left, the same on both sides.
    #[test]
    fn content_cnt_9_settings_have_one_highest_in_any_order(
        all in prop::collection::vec((0..4_u32, prop::sample::select(vec![0, 300, 3600, 86_400])), 1..12),
        turn in any::<prop::sample::Index>(),
    ) {
        let setting = |(counter, seconds): &(u32, u32)| {
            TimerSetting { counter: *counter, timer: Timer::new(*seconds).unwrap() }
        };
        let settle = |said: &[(u32, u32)]| {
            said.iter().map(setting).fold(TimerSetting::default(), |held, new| {
                if new.outranks(held) { new } else { held }
            })
        };
        let mut other = all.clone();
        other.rotate_left(turn.index(all.len()));
        let held = settle(&all);
        prop_assert_eq!(held, settle(&other));
        other.reverse();
        prop_assert_eq!(held, settle(&other));
        prop_assert!(all.iter().map(setting).all(|said| !said.outranks(held)));
        prop_assert!(!held.outranks(held));
    }

    #[test]
    fn content_cnt_1_whatever_decodes_encodes_to_the_same_bytes(
        kind in prop::sample::select(vec![1_u8, 2, 3, 4, 6, 9]), tail in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let bytes = [&[kind], tail.as_slice()].concat();
        if let Ok(content) = Content::decode(&bytes) {
            prop_assert_eq!(&*content.encode(), &bytes);
        }
    }
}
