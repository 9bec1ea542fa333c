use super::*;
use crypto::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeSet;

const M: OnionKey = [1; 32];
const N: OnionKey = [2; 32];

/// The formulas written a second time, on the primitive that the specification names.
fn expand(k: &[u8; 32], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    Prk::from_key(k).expand(&[info], &mut out);
    out
}

#[test]
fn board_brd_1_kdf_is_label_zero_context() {
    let mut out = [0; 32];
    kdf(&[7; 32], "chain", &[&[1], &[2, 3]], &mut out);
    assert_eq!(out, expand(&[7; 32], b"pvtcoms board v1 kdf chain\x00\x01\x02\x03"));
    // HKDF-Expand of a PRK as long as the hash is one HMAC.
    let mut mac = [0; 32];
    crypto::kdf::hmac(&[7; 32], &[b"pvtcoms board v1 kdf chain\x00\x01\x02\x03\x01"], &mut mac);
    assert_eq!(out, mac);
}

#[test]
fn board_brd_2_tags_and_keys_follow_the_formulas() {
    let slot = SlotSecret::copy_of(&[7; 32]);
    let with = |head: &str, ctx: &[u8], m: &OnionKey| {
        expand(&[7; 32], &[b"pvtcoms board v1 kdf ", head.as_bytes(), &[0], ctx, m].concat())
    };
    assert_eq!(slot.tag(&M).0, with("tag", &[], &M)[..16]);
    assert_eq!(slot.key(&M).expose_secret(), &with("outer", &[], &M));
    let invite = InviteSlots::new(&[7; 32]);
    let (d, i) = (Direction::ToInvited, 5);
    assert_eq!(invite.tag(d, i, &M).0, with("invite tag", &[1, 5], &M)[..16]);
    assert_eq!(invite.key(d, i, &M).expose_secret(), &with("invite outer", &[1, 5], &M));
    let beacon = BeaconSlots::new(&[7; 32]);
    assert_eq!(beacon.tag(9, 5, &M).0, with("beacon tag", &[0, 0, 0, 9, 5], &M)[..16]);
    assert_eq!(beacon.key(9, 5, &M).expose_secret(), &with("beacon outer", &[0, 0, 0, 9, 5], &M));
    let day = SyncDay(SyncKey::copy_of(&[7; 32]));
    let d = Direction::ToInviter;
    assert_eq!(day.tag(d, 3, &M).0, with("sync tag", &[0, 3], &M)[..16]);
    assert_eq!(day.key(d, 3, &M).expose_secret(), &with("sync outer", &[0, 3], &M));
}

/// Copies at two mailboxes share no tag and no key; nor do two indices, directions or uses.
#[test]
fn board_brd_2_no_two_places_share_a_tag_or_key() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut seen = BTreeSet::new();
    let mut count: usize = 0;
    let mut add = |tag: Tag, key: EnvelopeKey| {
        count = count.saturating_add(2);
        seen.insert(tag.0);
        seen.insert(*key.expose_secret().first_chunk().unwrap());
    };
    let invite = InviteSlots::new(&[7; 32]);
    let sync = SyncChain::new(&[7; 32]);
    let beacon = BeaconSlots::new(&[7; 32]);
    for mailbox in [M, N] {
        for t in 0..3 {
            for i in 0..BEACON_TAGS {
                add(beacon.tag(t, i, &mailbox), beacon.key(t, i, &mailbox));
            }
        }
        for d in [Direction::ToInviter, Direction::ToInvited] {
            for i in 0..INVITE_TAGS {
                add(invite.tag(d, i, &mailbox), invite.key(d, i, &mailbox));
            }
            for t in 0..3 {
                let day = sync.day(t).unwrap();
                for r in 0..SYNC_TAGS {
                    add(day.tag(d, r, &mailbox), day.key(d, r, &mailbox));
                }
            }
        }
    }
    let one = loop_slot(&mut rng);
    let two = loop_slot(&mut rng);
    for slot in [&one, &two] {
        for mailbox in [M, N] {
            add(slot.tag(&mailbox), slot.key(&mailbox));
        }
    }
    assert_eq!(seen.len(), count);
}

#[test]
fn board_brd_10_resync_keys_are_erased_after_fourteen_days() {
    let mut chain = SyncChain::new(&[9; 32]);
    let tag = |chain: &SyncChain, t| chain.day(t).map(|d| d.tag(Direction::ToInviter, 0, &M));
    let (day_5, day_6, day_20) = (tag(&chain, 5), tag(&chain, 6), tag(&chain, 20));
    chain.erase_before(20).unwrap();
    assert_eq!(tag(&chain, 5), Err(NoSuchDay));
    assert_eq!(tag(&chain, 6), day_6);
    assert_eq!(tag(&chain, 20), day_20);
    assert!(day_5.is_ok() && day_5 != day_6);
    chain.erase_before(3).unwrap(); // a clock that goes back brings nothing back, erases nothing
    assert_eq!(tag(&chain, 5), Err(NoSuchDay));
    assert_eq!(tag(&chain, 6), day_6);
    // A clock far ahead neither stalls nor destroys.
    assert_eq!(chain.erase_before(u32::MAX), Err(NoSuchDay));
    assert_eq!(tag(&chain, u32::MAX), Err(NoSuchDay));
    let again = SyncChain::from_secret_bytes(&chain.to_secret_bytes()).unwrap();
    assert_eq!(tag(&again, 20), day_20);
    assert!(SyncChain::from_secret_bytes(&[0; 35]).is_err());
    assert!(SyncChain::from_secret_bytes(&[0; 37]).is_err());
}

#[test]
fn board_brd_2_directions_are_bytes() {
    for d in [Direction::ToInviter, Direction::ToInvited] {
        assert_eq!(Direction::from_byte(d.byte()), Ok(d));
        assert_ne!(d.back(), d);
    }
    assert!(Direction::from_byte(2).is_err());
}
