use content::{
    Content, JoinError, Joiner, MAX_CONTENT, MAX_TEXT, Malformed, PART_LEN, Part, TextError, Timer,
    split_text,
};
use proptest::prelude::*;

fn parts(text: &str) -> Vec<Part> {
    split_text([1; 16], 7, 1234, Timer::OFF, text).unwrap()
}

fn copy(of: &Joiner) -> Joiner {
    Joiner::from_secret_bytes(&of.to_secret_bytes()).unwrap()
}

fn refused(by: &mut Joiner, part: Part) -> JoinError {
    let before = by.to_secret_bytes();
    let error = by.add(part).unwrap_err();
    assert_eq!(*before, *by.to_secret_bytes(), "a refused part changed the joiner");
    error
}

#[test]
fn content_cnt_3_parts_fit_one_message_and_texts_have_a_limit() {
    assert_eq!(split_text([0; 16], 0, 0, Timer::OFF, "").err(), Some(TextError::Empty));
    let most = "x".repeat(MAX_TEXT);
    assert_eq!(
        split_text([0; 16], 0, 0, Timer::OFF, &(most.clone() + "x")).err(),
        Some(TextError::TooLong)
    );
    let all = parts(&most);
    assert_eq!(all.len(), 165);
    assert!(all[..164].iter().all(|p| p.bytes.len() == PART_LEN));
    let mut joiner = Joiner::new();
    let mut text = None;
    for part in all {
        let bytes = Content::Part(part).encode();
        assert!(bytes.len() <= MAX_CONTENT);
        let Content::Part(part) = Content::decode(&bytes).unwrap() else { panic!("not a part") };
        assert!(text.is_none());
        text = joiner.add(part).unwrap();
    }
    assert_eq!(text.unwrap(), most);
}

#[test]
fn content_cnt_4_refuses_parts_of_texts_that_cannot_be() {
    let good = parts(&"y".repeat(PART_LEN + 1)).remove(1);
    let changed = |change: fn(&mut Part)| {
        let mut part = good.clone();
        change(&mut part);
        let mut joiner = Joiner::new();
        assert_eq!(joiner.add(part.clone()).err(), Some(JoinError::Inconsistent));
        Content::decode(&Content::Part(part).encode()).err()
    };
    let field = Some(Malformed::Field("part"));
    assert_eq!(changed(|p| p.index = 2), field);
    assert_eq!(changed(|p| p.count = 1), field);
    assert_eq!(changed(|p| p.count = 3), field);
    assert_eq!(changed(|p| p.total = 0), field);
    assert_eq!(changed(|p| p.total = u32::MAX), field);
    assert_eq!(changed(|p| p.bytes.clear()), Some(Malformed::Short));
    assert_eq!(changed(|p| p.bytes.push(b'y')), Some(Malformed::Long));
    assert!(Content::decode(&Content::Part(good).encode()).is_ok());
}

#[test]
fn content_cnt_5_refuses_parts_that_contradict_the_others() {
    let text = "z".repeat(PART_LEN * 2);
    let mut joiner = Joiner::new();
    assert_eq!(joiner.add(parts(&text).remove(0)).unwrap(), None);
    let changes: [fn(&mut Part); 6] = [
        |p| p.message[0] = 9,
        |p| p.seq += 1,
        |p| p.sent += 1,
        |p| p.timer = Timer::new(300).unwrap(),
        |p| p.total -= 1,
        |p| (p.count, p.total) = (3, p.total + 1),
    ];
    for change in changes {
        let mut part = parts(&text).remove(1);
        change(&mut part);
        assert_eq!(refused(&mut joiner, part), JoinError::Inconsistent);
    }
    // The same place with other bytes; the same part once more is ignored.
    let mut other = parts(&text).remove(0);
    other.bytes[0] = b'!';
    assert_eq!(refused(&mut joiner, other), JoinError::Inconsistent);
    assert_eq!(joiner.add(parts(&text).remove(0)).unwrap(), None);
    assert_eq!(joiner.add(parts(&text).remove(1)).unwrap().unwrap(), text);
    assert_eq!(joiner.add(parts(&text).remove(1)).unwrap(), None, "the text is given once");
}

#[test]
fn content_cnt_6_the_whole_must_be_utf_8() {
    // Row 12 of HOS-10: overlong, surrogate, cut off.
    for bad in [&[0xc0, 0x80][..], &[0xed, 0xa0, 0x80], &[0xe2, 0x82]] {
        let mut part = parts("ab").remove(0);
        part.bytes = bad.to_vec();
        part.total = u32::try_from(bad.len()).unwrap();
        assert_eq!(refused(&mut Joiner::new(), part), JoinError::NotUtf8);
    }
    // A character that is cut in two by the parts is whole again.
    let text = "x".repeat(PART_LEN - 1) + "é";
    let mut joiner = Joiner::new();
    let [one, two] = <[Part; 2]>::try_from(parts(&text)).ok().unwrap();
    assert!(std::str::from_utf8(&one.bytes).is_err());
    assert_eq!(joiner.add(two).unwrap(), None);
    assert_eq!(joiner.add(one).unwrap().unwrap(), text);
}

/// CNT-7: number and floor travel; the floor is of the moment, so parts may differ in it.
#[test]
fn content_cnt_7_every_part_carries_the_number_and_a_floor() {
    let mut joiner = Joiner::new();
    let mut text = None;
    for (floor, mut part) in (5..).zip(parts(&"v".repeat(PART_LEN * 2))) {
        assert_eq!((part.seq, part.floor), (7, 0));
        part.floor = floor;
        let bytes = Content::Part(part).encode();
        let Content::Part(part) = Content::decode(&bytes).unwrap() else { panic!("not a part") };
        assert_eq!((part.seq, part.floor), (7, floor));
        text = joiner.add(part).unwrap();
    }
    assert!(text.is_some());
}

proptest! {
    #[test]
    fn content_cnt_5_any_order_with_repetitions_and_restarts_gives_the_text(
        text in "\\PC{1,4000}", order in any::<prop::sample::Index>(), twice in any::<bool>(),
    ) {
        let mut all = parts(&text);
        let n = all.len();
        all.rotate_left(order.index(n));
        let mut joiner = Joiner::new();
        let mut got = None;
        for (i, part) in all.iter().enumerate() {
            joiner = copy(&joiner);
            got = joiner.add(part.clone()).unwrap();
            prop_assert_eq!(got.is_some(), i + 1 == n);
            if twice {
                prop_assert_eq!(joiner.add(part.clone()).unwrap(), None);
            }
        }
        prop_assert_eq!(got.unwrap(), text);
    }

    #[test]
    fn content_cnt_5_damaged_joiners_do_no_harm(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut joiner = Joiner::new();
        joiner.add(parts(&"w".repeat(PART_LEN * 3)).remove(1)).unwrap();
        let mut bytes = joiner.to_secret_bytes();
        let i = at.index(48);
        bytes[i] = byte;
        if let Ok(again) = Joiner::from_secret_bytes(&bytes) {
            prop_assert_eq!(&*again.to_secret_bytes(), &*bytes);
        }
        let cut = 1 + cut.index(bytes.len() - 1);
        prop_assert!(Joiner::from_secret_bytes(&bytes[..cut]).is_err());
    }
}
