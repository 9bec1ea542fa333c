use crate::pair::{AT_TURN, copy, fresh, met, read};
use proptest::prelude::*;
use ratchet::{Malformed, Ratchet};

#[test]
fn ratchet_rat_2_every_state_survives_saving() {
    let mut p = fresh(30);
    let check = |r: &Ratchet, turn: u8| {
        let bytes = r.to_secret_bytes();
        assert_eq!(bytes[AT_TURN], turn);
        assert_eq!(*copy(r).to_secret_bytes(), *bytes);
        for cut in [0, 1, 40, bytes.len() - 1] {
            assert!(Ratchet::from_secret_bytes(&bytes[..cut]).is_err());
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Ratchet::from_secret_bytes(&long).err(), Some(Malformed::Long));
    };
    check(&p.a, 0);
    check(&p.b, 2);
    p.b_sends(b"late");
    p.b_says(b"first").unwrap();
    check(&p.a, 1);
    p.a_says(b"x").unwrap();
    check(&p.a, 2);
    check(&p.b, 1);
    assert!(p.a.to_secret_bytes().len() < 2048, "without much skipped, a small row");
}

#[test]
fn ratchet_rat_2_a_saved_session_goes_on() {
    let mut p = met(31);
    let late = p.a_sends(b"late");
    for _ in 0..3 {
        (p.a, p.b) = (copy(&p.a), copy(&p.b));
        p.a_says(b"x").unwrap();
        (p.a, p.b) = (copy(&p.a), copy(&p.b));
        p.b_says(b"y").unwrap();
    }
    assert_eq!(read(&mut copy(&p.b), &late).unwrap(), b"late");
}

proptest! {
    /// A damaged row is refused or gives some state; it never panics, and what it gives is saved
    /// as it was read.
    #[test]
    fn ratchet_rat_2_damaged_states_do_no_harm(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), tail in any::<bool>(),
    ) {
        let mut p = met(32);
        p.a_sends(b"late");
        p.a_says(b"x").unwrap();
        let mut bytes = p.b.to_secret_bytes();
        // Half of the tries at the end, where counts and skipped keys are.
        let i = if tail { bytes.len() - 1 - at.index(160) } else { at.index(bytes.len()) };
        bytes[i] = byte;
        if let Ok(state) = Ratchet::from_secret_bytes(&bytes) {
            prop_assert_eq!(&*state.to_secret_bytes(), &*bytes);
        }
    }
}
