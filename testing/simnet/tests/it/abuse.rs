//! A verified contact who is hostile: its rows are read off its disk, and whatever it likes is
//! sealed with them and put past all checks. Bob bears it, and Alice notices nothing.

use crate::knowledge::session;
use board::chain::SendChain;
use board::envelope::{self, Kind, Parcel};
use content::{Content, Timer, split_text};
use crypto::Zeroizing;
use engine::Mode;
use engine::changes::Table;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use ratchet::Ratchet;
use simnet::{HOUR, World};

const MALLORY: usize = 0;
const BOB: usize = 1;
const ALICE: usize = 2;

/// What Mallory's device had saved of its session with Bob.
struct Mallory {
    ratchet: Ratchet,
    chain: SendChain,
    rng: ChaCha20Rng,
}

impl Mallory {
    /// Three people, of whom Mallory and Alice are both verified contacts of Bob.
    fn among(seed: u64) -> (World, Self) {
        let mut world = World::verified_pair(seed, Mode::Fast);
        let (alice, mailbox) = (world.add_client("Alice", Mode::Fast), world.add_mailbox());
        world.use_mailbox(alice, mailbox);
        world.pair(ALICE, BOB);
        world.verify(ALICE, BOB);
        for from in [MALLORY, ALICE] {
            world.send(from, BOB, "hello");
        }
        assert!(world.run_until(2 * HOUR, World::all_delivered));
        world.run(HOUR);
        world.switch_off(MALLORY);
        let (ratchet, chain) = session(&world, MALLORY);
        let rng = ChaCha20Rng::seed_from_u64(seed);
        (world, Self { ratchet, chain, rng })
    }

    /// Puts these bytes where Bob takes them for a content of Mallory's.
    fn say(&mut self, world: &mut World, content: &[u8]) {
        self.say_with(world, content, 0);
    }

    fn say_with(&mut self, world: &mut World, content: &[u8], floor: u32) {
        let ciphertext = self.ratchet.encrypt(&mut self.rng, content).unwrap();
        let mut mid = [0; 16];
        self.rng.fill_bytes(&mut mid);
        let parcel = Parcel {
            kind: Kind::Message,
            part: 0,
            parts: 1,
            ack: None,
            floor,
            mid,
            body: Zeroizing::new(ciphertext.as_bytes().to_vec()),
        };
        let mailbox = world.mailboxes[BOB].key;
        let (_, slot) = self.chain.take();
        let (key, tag) = (slot.key(&mailbox), slot.tag(&mailbox));
        let envelope = envelope::seal(&mut self.rng, &key, tag, &mailbox, &parcel).unwrap();
        world.mailboxes[BOB].inject(envelope);
    }

    /// One part of a text, as it would be if the rest had been lost.
    fn part(&mut self, seq: u32, floor: u32, text: &str, which: usize) -> Zeroizing<Vec<u8>> {
        let mut message = [0; 16];
        self.rng.fill_bytes(&mut message);
        let mut part = split_text(message, seq, 1, Timer::OFF, text).unwrap().remove(which);
        part.floor = floor;
        Content::Part(part).encode()
    }
}

fn of_alice(world: &World) -> usize {
    world.clients[BOB].disk.received().iter().filter(|text| text.starts_with("Alice")).count()
}

/// Alice writes, and it arrives.
fn alice_is_heard(world: &mut World) {
    let before = of_alice(world);
    world.send(ALICE, BOB, "Alice: still here");
    assert!(world.run_until(2 * HOUR, |w| of_alice(w) == before + 1), "Alice is stalled");
}

#[test]
fn prd_5_a_flood_of_a_contact_delays_no_other() {
    let (mut world, mut mallory) = Mallory::among(80);
    // As many as Bob looks for at once, again and again, each seen as soon as it is there.
    for round in 0..30_u32 {
        for k in 0..60 {
            let content = mallory.part(round * 60 + k + 1, 0, "spam", 0);
            mallory.say(&mut world, &content);
        }
        alice_is_heard(&mut world);
    }
    world.run(6 * HOUR);
    assert!(world.clients[BOB].disk.received().iter().filter(|t| **t == "spam").count() >= 600);
}

#[test]
fn brd_41_gaps_of_any_size_cost_nothing_and_stall_nobody() {
    let (mut world, mut mallory) = Mallory::among(81);
    for (seq, floor, board_floor) in
        [(1_000_000, 0, 0), (2, u32::MAX, 0), (u32::MAX, u32::MAX, 0), (3, 0, 1_000_000)]
    {
        let content = mallory.part(seq, floor, "gap", 0);
        mallory.say_with(&mut world, &content, board_floor);
        world.run(HOUR);
        alice_is_heard(&mut world);
    }
    // More ratchet messages lost than are ever skipped.
    for _ in 0..5000 {
        mallory.ratchet.encrypt(&mut mallory.rng, b"never sent").unwrap();
    }
    let content = mallory.part(7, 0, "after the gap", 0);
    mallory.say(&mut world, &content);
    world.run(HOUR);
    assert!(!world.clients[BOB].disk.received().contains(&"after the gap"));
    alice_is_heard(&mut world);
    world.switch_on(BOB);
    alice_is_heard(&mut world);
}

#[test]
fn cnt_3_texts_that_are_never_completed_are_held_up_to_a_limit() {
    let (mut world, mut mallory) = Mallory::among(82);
    let long = "x".repeat(content::MAX_TEXT);
    for k in 0..14_u32 {
        for _ in 0..60 {
            let content = mallory.part(k + 1, 0, &long, 0);
            mallory.say(&mut world, &content);
        }
        world.run(20 * 60_000);
    }
    world.run(4 * HOUR);
    let held: usize =
        world.clients[BOB].disk.values(Table::Partial).iter().map(|r| r.1.len()).sum();
    assert!(held > 100_000, "control: some of it is held, {held}");
    assert!(held < 1_200_000, "{held} bytes of a contact wait");
    alice_is_heard(&mut world);
    world.switch_on(BOB);
    alice_is_heard(&mut world);
}

/// A peer that says more behind a lost message than is kept: what was acknowledged is shown, before its
/// turn.
#[test]
fn eng_2_long_texts_behind_a_lost_message_are_shown_early_rather_than_lost() {
    let (mut world, mut mallory) = Mallory::among(83);
    let before = world.clients[BOB].disk.received().len();
    let texts: Vec<String> = (0..6).map(|k| k.to_string().repeat(content::MAX_TEXT)).collect();
    // Each by its first character.
    let shown = |world: &World| -> String {
        let texts = world.clients[BOB].disk.received();
        texts[before..].iter().filter_map(|text| text.chars().next()).collect()
    };
    for (seq, text) in (9_u32..).zip(&texts) {
        let message = [u8::try_from(seq).unwrap(); 16];
        let parts = split_text(message, seq, 1, Timer::OFF, text).unwrap();
        for some in parts.chunks(55) {
            world.run(20 * 60_000);
            some.iter().for_each(|p| mallory.say(&mut world, &Content::Part(p.clone()).encode()));
        }
        world.run(HOUR);
        assert!(seq > 11 || shown(&world).is_empty(), "there is room for three");
    }
    assert_eq!(shown(&world), "012345");
    let lost = mallory.part(8, 0, "late", 0);
    mallory.say(&mut world, &lost);
    world.run(HOUR);
    assert_eq!(shown(&world), "012345l");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn cnt_1_cnt_2_whatever_a_contact_says_nobody_else_is_stalled(
        seed in any::<u64>(),
        said in proptest::collection::vec(
            (0_u8..10, proptest::collection::vec(any::<u8>(), 0..200)),
            1..40,
        )
    ) {
        let (mut world, mut mallory) = Mallory::among(seed % 1000);
        for (kind, mut bytes) in said {
            bytes.insert(0, kind);
            // Where Bob is sent, there has to be a mailbox in this world.
            if !matches!(Content::decode(&bytes), Ok(Content::InboxSet { .. })) {
                mallory.say(&mut world, &bytes);
            }
        }
        world.run(2 * HOUR);
        alice_is_heard(&mut world);
        let reload = world.clients[BOB].disk.snapshot();
        world.switch_on(BOB);
        prop_assert!(!reload.0.is_empty());
        alice_is_heard(&mut world);
    }
}
