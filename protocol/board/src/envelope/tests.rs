use super::parcel::PLAIN_LEN;
use super::*;
use crate::tag::SlotSecret;
use crypto::Zeroizing;
use crypto::rand_core::SeedableRng;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;

const M: OnionKey = [1; 32];
const N: OnionKey = [2; 32];

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn slot() -> SlotSecret {
    SlotSecret::copy_of(&[7; 32])
}

fn parcel(kind: Kind, part: u8, parts: u8, body: &[u8]) -> Parcel {
    let ack = Some(Ack { g: 1, base: 2, map: 3 });
    Parcel { kind, part, parts, ack, floor: 9, mid: [8; 16], body: Zeroizing::new(body.to_vec()) }
}

fn sealed(parcel: &Parcel) -> Result<Envelope, SealError> {
    seal(&mut rng(), &slot().key(&M), slot().tag(&M), &M, parcel)
}

/// Seals a plaintext that no honest sender makes.
fn sealed_raw(change: impl FnOnce(&mut Vec<u8>)) -> Envelope {
    let mut plain = parcel(Kind::Handshake, 0, 1, b"body").encode().unwrap();
    change(&mut plain);
    let tag = slot().tag(&M);
    let sealed = slot().key(&M).seal(&mut rng(), &associated(tag, &M), &plain);
    Envelope::from_bytes(&[&tag.0[..], &sealed].concat().try_into().unwrap())
}

fn opens(envelope: &Envelope) -> bool {
    open(&slot().key(&M), &M, envelope).is_ok()
}

#[test]
fn board_brd_3_every_envelope_has_one_length_and_its_tag() {
    for len in [0, 1, BODY_LEN] {
        let envelope = sealed(&parcel(Kind::Message, 0, 1, &vec![1; len])).unwrap();
        assert_eq!(envelope.as_bytes().len(), ENVELOPE_LEN);
        assert_eq!(envelope.tag(), slot().tag(&M));
        assert_eq!(envelope.digest(), hash(&[envelope.as_bytes()]));
        assert_eq!(open(&slot().key(&M), &M, &envelope).unwrap().body.len(), len);
    }
    let long = parcel(Kind::Message, 0, 1, &[0; BODY_LEN + 1]);
    assert_eq!(sealed(&long).err(), Some(SealError::TooLong));
    let huge = parcel(Kind::Message, 0, 1, &[0; 70_000]);
    assert_eq!(sealed(&huge).err(), Some(SealError::TooLong));
}

/// The same parcel for two mailboxes: no eight bytes in common, and neither opens at the other.
#[test]
fn board_brd_2_brd_3_copies_in_two_mailboxes_share_nothing() {
    let content = parcel(Kind::Message, 0, 1, &[0; BODY_LEN]);
    let at = |m: &OnionKey, rng: &mut ChaCha20Rng| {
        seal(rng, &slot().key(m), slot().tag(m), m, &content).unwrap()
    };
    let mut rng = rng();
    let (one, two) = (at(&M, &mut rng), at(&N, &mut rng));
    let runs: std::collections::BTreeSet<_> = one.as_bytes().windows(8).collect();
    assert!(!two.as_bytes().windows(8).any(|w| runs.contains(w)));
    assert!(open(&slot().key(&M), &N, &one).is_err(), "the mailbox is bound");
    assert!(open(&slot().key(&N), &N, &one).is_err());
    let mut moved = *one.as_bytes();
    moved[..16].copy_from_slice(&slot().tag(&N).0);
    assert!(!opens(&Envelope::from_bytes(&moved)), "the tag is bound");
    assert!(opens(&one));
}

#[test]
fn board_brd_4_the_ledger_of_the_plaintext() {
    let plain = parcel(Kind::Resync, 1, 3, b"xyz").encode().unwrap();
    assert_eq!(plain.len(), PLAIN_LEN);
    let mut want = vec![1, 3, 1, 3, 0, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3];
    want.extend([8; 16]);
    want.extend(b"xyz");
    want.resize(PLAIN_LEN, 0);
    assert_eq!(*plain, want);
    // Positions as above: version, kinds 0 and 7.
    for (at, byte) in [(0, 0), (0, 2), (1, 0), (1, 7)] {
        assert!(!opens(&sealed_raw(|plain| plain[at] = byte)), "byte {at} = {byte}");
    }
    assert!(opens(&sealed_raw(|_| ())), "control");
}

#[test]
fn board_brd_7_padding_length_and_parts_are_checked() {
    assert!(!opens(&sealed_raw(|plain| plain[44] = 1)), "after the body");
    assert!(!opens(&sealed_raw(|plain| plain[PLAIN_LEN - 1] = 1)));
    assert!(!opens(&sealed_raw(|plain| plain[4..6].copy_from_slice(&4001_u16.to_be_bytes()))));
    assert!(opens(&sealed_raw(|plain| plain[4..6].copy_from_slice(&4000_u16.to_be_bytes()))));
    for (kind, most) in [(1, 1), (2, 8), (3, 4), (4, 1), (5, 1)] {
        for part in 0..10 {
            for parts in 0..10 {
                let there = part < parts && parts <= most;
                let envelope =
                    sealed_raw(|plain| (plain[1], plain[2], plain[3]) = (kind, part, parts));
                assert_eq!(opens(&envelope), there, "kind {kind}, part {part} of {parts}");
                let parcel = parcel(Kind::from_byte(kind).unwrap(), part, parts, b"");
                assert_eq!(sealed(&parcel).err(), (!there).then_some(SealError::Parts));
            }
        }
    }
}

#[test]
fn board_brd_2_dummies_open_for_nobody_and_differ() {
    let mut rng = rng();
    let (one, two) = (dummy(&mut rng), dummy(&mut rng));
    assert!(one.as_bytes() != two.as_bytes() && !opens(&one));
}

fn join(parts: impl IntoIterator<Item = Parcel>) -> Option<Vec<u8>> {
    let mut parts = parts.into_iter();
    let mut joiner = PartJoiner::new(parts.next()?).unwrap();
    for parcel in parts {
        assert!(joiner.whole().is_none(), "before the last part");
        joiner.add(parcel).unwrap();
    }
    joiner.whole().map(|whole| whole.to_vec())
}

#[test]
fn board_brd_6_messages_are_split_and_joined_in_any_order() {
    let bytes: Vec<u8> = (0..7999_u32).map(|i| i.to_be_bytes()[3]).collect();
    let split = |kind, len: usize| split_handshake([4; 16], kind, bytes.get(..len).unwrap());
    for (len, parts) in [(1, 1), (4000, 1), (4001, 2), (7999, 2)] {
        let mut all = split(Kind::Handshake, len).unwrap();
        assert_eq!(all.len(), parts);
        all.reverse();
        assert_eq!(join(all).unwrap(), bytes[..len]);
    }
    let long = vec![1; 32_001];
    let count = |kind, len: usize| {
        split_handshake([0; 16], kind, long.get(..len).unwrap()).map(|all| all.len())
    };
    assert_eq!(count(Kind::Handshake, 32_000), Ok(8));
    assert_eq!(count(Kind::Handshake, 32_001), Err(SplitError::TooLong));
    assert_eq!(count(Kind::Resync, 16_000), Ok(4));
    assert_eq!(count(Kind::Resync, 16_001), Err(SplitError::TooLong));
    assert_eq!(count(Kind::Handshake, 0), Err(SplitError::Empty));
}

#[test]
fn board_brd_6_parts_of_other_items_are_refused() {
    let all = || split_handshake([4; 16], Kind::Handshake, &[7; 9000]).unwrap();
    let mut joiner = PartJoiner::new(all().remove(2)).unwrap();
    let changes: [fn(&mut Parcel); 5] = [
        |p| p.mid[0] = 0,
        |p| p.kind = Kind::Resync,
        |p| p.parts = 4,
        |p| p.part = 3,
        |p| p.body.truncate(3999),
    ];
    for change in changes {
        let mut parcel = all().remove(0);
        change(&mut parcel);
        assert_eq!(joiner.add(parcel).err(), Some(JoinError));
    }
    joiner.add(all().remove(2)).unwrap(); // once more: ignored
    joiner.add(all().remove(0)).unwrap();
    assert!(joiner.whole().is_none());
    joiner.add(all().remove(1)).unwrap();
    assert_eq!(joiner.whole().unwrap().to_vec(), [7; 9000]);
}

proptest! {
    #[test]
    fn board_brd_4_round_trips(
        kind in prop::sample::select(vec![Kind::Message, Kind::Handshake, Kind::Resync, Kind::FilePart, Kind::Loop, Kind::Beacon]),
        (g, base, map) in any::<(u16, u32, u64)>(), floor in any::<u32>(), mid in any::<[u8; 16]>(),
        body in prop::collection::vec(any::<u8>(), 0..=BODY_LEN),
    ) {
        let ack = Some(Ack { g, base, map }).filter(|a| (a.g, a.base, a.map) != (0, 0, 0));
        let parts = kind.max_parts();
        let part = parts.saturating_sub(1);
        let body = Zeroizing::new(body);
        let envelope = sealed(&Parcel { kind, part, parts, ack, floor, mid, body: body.clone() }).unwrap();
        let got = open(&slot().key(&M), &M, &envelope).unwrap();
        prop_assert_eq!((got.kind, got.part, got.parts), (kind, part, parts));
        prop_assert_eq!((got.ack, got.floor, got.mid), (ack, floor, mid));
        prop_assert_eq!(&*got.body, &*body);
    }

    /// BRD-8: all failures are one, whatever was changed.
    #[test]
    fn board_brd_8_any_byte_flipped_is_refused_alike(at in 0..ENVELOPE_LEN, bits in 1..=255_u8) {
        let mut bytes = *sealed(&parcel(Kind::Message, 0, 1, b"text")).unwrap().as_bytes();
        bytes[at] ^= bits;
        prop_assert_eq!(open(&slot().key(&M), &M, &Envelope::from_bytes(&bytes)).err(), Some(OpenError));
    }
}
