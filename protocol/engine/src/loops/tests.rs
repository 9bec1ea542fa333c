use super::*;
use board::tag::loop_slot;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const M: OnionKey = [7; 32];

fn add(loops: &mut Loops, rng: &mut ChaCha20Rng) -> u64 {
    let slot = loop_slot(rng);
    let tag = slot.tag(&M);
    loops.add(&M, slot, tag)
}

fn one() -> (Loops, u64, Tag) {
    let mut loops = Loops::default();
    let number = add(&mut loops, &mut ChaCha20Rng::seed_from_u64(1));
    let (_, tag) = loops.place(number).unwrap();
    (loops, number, tag)
}

#[test]
fn eng_11_a_loop_is_lost_when_every_page_is_held_in_which_it_must_lie() {
    let (mut loops, number, tag) = one();
    let nothing = |_: &Tag| false;
    assert_eq!(loops.lost(&M, |_| true, nothing), [], "not answered yet");
    loops.stored(&tag, 100);
    assert_eq!(loops.lost(&M, |_| true, nothing), [number]);
    assert_eq!(loops.lost(&[8; 32], |_| true, nothing), [], "another mailbox");
    assert_eq!(loops.lost(&M, |_| true, |seen| *seen == tag), [], "it stood in a page");
    for missing in 99..=105 {
        assert_eq!(loops.lost(&M, |page| page != missing, nothing), [], "{missing} was not read");
    }
    for other in [98, 106] {
        assert_eq!(loops.lost(&M, |page| page != other, nothing), [number], "{other} says nothing");
    }
    loops.remove(number);
    assert_eq!(loops.lost(&M, |_| true, nothing), []);
}

#[test]
fn eng_11_what_left_twice_is_never_taken_for_lost() {
    let (mut loops, _, tag) = one();
    loops.not_stored(&tag);
    loops.stored(&tag, 100);
    assert_eq!(loops.lost(&M, |_| true, |_| false), []);
}

#[test]
fn eng_11_of_more_than_200_the_oldest_makes_room() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut loops = Loops::default();
    for _ in 0..MOST {
        assert_eq!(loops.surplus(), None);
        add(&mut loops, &mut rng);
    }
    assert_eq!(loops.surplus(), Some(0));
}
