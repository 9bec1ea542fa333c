use super::*;
use crate::tag::{OnionKey, Tag};
use proptest::prelude::*;
use std::collections::BTreeSet;

const M: OnionKey = [1; 32];
const D: Direction = Direction::ToInviter;

fn pair() -> (SendChain, RecvChain) {
    let secret = GenerationSecret::first(&[5; 32]);
    (SendChain::new(&secret, 0, D), RecvChain::new(&secret, 0, D))
}

fn watched(recv: &RecvChain) -> Vec<(u32, Tag)> {
    recv.slots().map(|(n, slot)| (n, slot.tag(&M))).collect()
}

fn copy(recv: &RecvChain) -> RecvChain {
    RecvChain::from_secret_bytes(&recv.to_secret_bytes()).unwrap()
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|w| w == secret)
}

#[test]
fn board_brd_2_chain_follows_the_formulas() {
    let once = |k: &[u8; 32], label: &str, ctx: &[u8]| {
        let mut out = [0; 32];
        let info = [b"pvtcoms board v1 kdf ", label.as_bytes(), &[0], ctx, &[1]].concat();
        crypto::kdf::hmac(k, &[&info], &mut out);
        out
    };
    let sk0 = once(&[5; 32], "root", &[]);
    assert_eq!(GenerationSecret::first(&[5; 32]).expose_secret(), &sk0);
    let ck0 = once(&sk0, "chain", &[1, 0x01, 0x02]);
    let ck1 = once(&ck0, "next", &[]);
    let mut chain = SendChain::new(&GenerationSecret::copy_of(&sk0), 0x0102, Direction::ToInvited);
    let (n, slot) = chain.take();
    assert_eq!((n, slot.expose_secret()), (0, &once(&ck0, "slot", &[])));
    let (n, slot) = chain.take();
    assert_eq!((n, slot.expose_secret()), (1, &once(&ck1, "slot", &[])));
    assert_eq!(
        (chain.g(), chain.direction(), chain.next_index()),
        (0x0102, Direction::ToInvited, 2)
    );
}

#[test]
fn board_brd_9_generations_follow_the_formula_and_share_nothing() {
    let first = GenerationSecret::first(&[5; 32]);
    let (mut prk, mut next) = ([0; 32], [0; 32]);
    crypto::kdf::hmac(first.expose_secret(), &[&[9; 32]], &mut prk);
    crypto::kdf::hmac(&prk, &[b"pvtcoms board v1 generation\x01"], &mut next);
    assert_eq!(first.next(&[9; 32]).expose_secret(), &next);
    assert!(!first.next(&[9; 32]).ct_eq(&first.next(&[8; 32])), "r makes the generation");
    let tags = |g, d| SendChain::new(&first, g, d).take().1.tag(&M);
    let all = BTreeSet::from([
        tags(0, Direction::ToInviter),
        tags(0, Direction::ToInvited),
        tags(1, Direction::ToInviter),
        SendChain::new(&first.next(&[9; 32]), 1, D).take().1.tag(&M),
    ]);
    assert_eq!(all.len(), 4);
}

#[test]
fn board_brd_10_used_secrets_are_nowhere_in_the_state() {
    let (mut send, mut recv) = pair();
    for _ in 0..100 {
        let before = send.to_secret_bytes();
        let ck = before.last_chunk::<32>().unwrap();
        let (n, slot) = send.take();
        assert!(!holds(&send.to_secret_bytes(), ck), "the chain key outlived its index");
        assert!(!holds(&send.to_secret_bytes(), slot.expose_secret()));
        assert!(!holds(&recv.to_secret_bytes(), ck), "the reader holds slots, no chain keys");
        // Control: the reader holds this slot until it is consumed.
        assert!(holds(&recv.to_secret_bytes(), slot.expose_secret()));
        assert!(recv.consume(n));
        assert!(!holds(&recv.to_secret_bytes(), slot.expose_secret()));
        assert!(!recv.consume(n), "once");
    }
}

#[test]
fn board_brd_43_the_reader_watches_64_indices_that_the_sender_takes() {
    let (mut send, mut recv) = pair();
    let sent: Vec<_> = (0..70).map(|_| send.take()).map(|(n, s)| (n, s.tag(&M))).collect();
    assert_eq!(watched(&recv), sent[..64]);
    recv.consume(3);
    assert_eq!(watched(&recv).len(), 63, "the window waits for its base");
    recv.consume(0);
    assert_eq!(watched(&recv).last(), Some(&sent[64]));
    assert!(!recv.consume(65) && !recv.consume(u32::MAX), "outside of the window");
}

#[test]
fn board_brd_42_acks_say_what_has_arrived() {
    let (_, mut recv) = pair();
    assert_eq!((recv.arrived_base(), recv.ack_map()), (0, 0));
    recv.consume(0);
    assert_eq!((recv.arrived_base(), recv.ack_map()), (1, 0));
    recv.consume(2);
    recv.consume(4);
    recv.consume(64);
    assert_eq!((recv.arrived_base(), recv.ack_map()), (1, 1 | 1 << 2 | 1 << 62));
    recv.consume(1);
    assert_eq!((recv.arrived_base(), recv.ack_map()), (3, 1 | 1 << 60));
}

#[test]
fn board_brd_41_floor_forgets_what_never_came_and_is_bounded() {
    let (mut send, mut recv) = pair();
    let lost = send.take().1;
    recv.consume(1);
    recv.consume(5);
    recv.floor(4);
    assert_eq!((recv.arrived_base(), recv.ack_map()), (4, 1));
    assert!(!holds(&recv.to_secret_bytes(), lost.expose_secret()));
    recv.floor(2); // behind: nothing
    assert_eq!((recv.arrived_base(), watched(&recv).len()), (4, 63));
    recv.floor(5); // onto one that has arrived: the base passes over it
    assert_eq!(recv.arrived_base(), 6);
    recv.floor(u32::MAX); // dishonest: counts as the end of the window
    assert_eq!((recv.arrived_base(), watched(&recv).len()), (70, 64));
    for _ in 0..69 {
        send.take();
    }
    assert_eq!(watched(&recv).first(), Some(&(70, send.take().1.tag(&M))));
}

#[test]
fn board_brd_2_chains_survive_saving() {
    let (mut send, mut recv) = pair();
    send.take();
    let bytes = send.to_secret_bytes();
    let mut again = SendChain::from_secret_bytes(&bytes).unwrap();
    assert_eq!(again.take().1.tag(&M), send.take().1.tag(&M));
    recv.consume(7);
    assert_eq!(watched(&copy(&recv)), watched(&recv));
    let state = recv.to_secret_bytes();
    for (bytes, is_send) in [(&bytes, true), (&state, false)] {
        for cut in 0..bytes.len() {
            let short = bytes.get(..cut).unwrap();
            assert!(if is_send {
                SendChain::from_secret_bytes(short).is_err()
            } else {
                RecvChain::from_secret_bytes(short).is_err()
            });
        }
    }
    // A window that is not 64 long, and indices that do not rise.
    let mut bad = recv.to_secret_bytes();
    bad[6] = bad[6].wrapping_add(1);
    assert!(RecvChain::from_secret_bytes(&bad).is_err());
    let mut bad = recv.to_secret_bytes();
    bad[41 + 36 + 3] = 0;
    assert!(RecvChain::from_secret_bytes(&bad).is_err());
}

proptest! {
    /// Against a model that is a set of numbers.
    #[test]
    fn board_brd_42_any_order_of_arrivals_and_floors_agrees_with_the_model(
        ops in prop::collection::vec((any::<bool>(), 0..70_u32), 0..200),
    ) {
        let (_, mut recv) = pair();
        let mut arrived = BTreeSet::new();
        let mut base = 0_u32;
        for (is_floor, ahead) in ops {
            let n = base.saturating_add(ahead).saturating_sub(3);
            if is_floor && ahead % 8 == 0 {
                let end = base.saturating_add(WINDOW);
                recv.floor(n);
                base = base.max(n.min(end));
            } else {
                let new = n >= base && n < base.saturating_add(WINDOW) && arrived.insert(n);
                prop_assert_eq!(recv.consume(n), new);
            }
            while arrived.contains(&base) {
                base = base.saturating_add(1);
            }
            prop_assert_eq!(recv.arrived_base(), base);
            let ack = crate::envelope::Ack { g: 0, base, map: recv.ack_map() };
            for n in 0..base.saturating_add(80) {
                prop_assert_eq!(ack.covers(n), n < base || arrived.contains(&n), "index {}", n);
            }
            recv = copy(&recv);
            prop_assert_eq!(recv.arrived_base(), base);
        }
    }
}

#[test]
fn fil_4_the_chain_of_a_file_follows_the_formulas_and_meets_no_other() {
    let once = |k: &[u8; 32], label: &str| {
        let mut out = [0; 32];
        let info = [b"pvtcoms board v1 kdf ", label.as_bytes(), &[0], &[1]].concat();
        crypto::kdf::hmac(k, &[&info], &mut out);
        out
    };
    let secret = FileSecret::copy_of(&[5; 32]);
    let ck0 = once(&[5; 32], "file chain");
    let (mut send, recv) = (SendChain::of_file(&secret), RecvChain::of_file(&secret));
    let (n, slot) = send.take();
    assert_eq!((n, slot.expose_secret()), (0, &once(&ck0, "slot")));
    let (_, slot) = send.take();
    assert_eq!(slot.expose_secret(), &once(&once(&ck0, "next"), "slot"));
    assert!(recv.slot(1).unwrap().ct_eq(&slot));
    // A session whose secret has the same bytes waits at other tags.
    let session = RecvChain::new(&GenerationSecret::copy_of(&[5; 32]), 0, D);
    let tags: BTreeSet<Tag> = watched(&session).into_iter().map(|(_, tag)| tag).collect();
    assert!(watched(&recv).iter().all(|(_, tag)| !tags.contains(tag)));
}
