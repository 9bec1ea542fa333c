use super::*;
use crate::passphrase::{CEILING, DEFAULT_COST, FLOOR};
use crypto::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn stretched(passphrase: &[u8]) -> Stretched {
    let cheap = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    Stretched::from_passphrase(passphrase, &[5; 16], cheap).unwrap()
}

/// A file whose slots `used` open under "0", "1", and so on.
fn with_used(used: &[u8], rng: &mut ChaCha20Rng) -> Slots {
    let (mut profile, mut salt) = ([0; 16], [0; 16]);
    rng.fill_bytes(&mut profile);
    rng.fill_bytes(&mut salt);
    let header = header(FLOOR, &profile, &salt);
    let mut slots = Slots { header, salt, cost: FLOOR, slots: [[0; SLOT_LEN]; 4] };
    slots.slots.iter_mut().for_each(|slot| rng.fill_bytes(slot));
    let key = DbKey::random(rng);
    for (name, index) in used.iter().enumerate() {
        slots.write(*index, &stretched(name.to_string().as_bytes()), &key, rng);
    }
    slots
}

/// Offsets after the header at which all files hold the same byte.
fn constant_bytes(files: &[Vec<u8>]) -> Vec<usize> {
    (HEADER_LEN..FILE_LEN)
        .filter(|at| files.iter().all(|file| file[*at] == files[0][*at]))
        .collect()
}

#[test]
fn sto_11_number_of_used_slots_does_not_show() {
    for used in [&[2][..], &[0, 3], &[0, 1, 2, 3]] {
        let mut rng = rng(1);
        let files: Vec<_> = (0..64).map(|_| with_used(used, &mut rng).to_bytes()).collect();
        assert!(files.iter().all(|file| file.len() == FILE_LEN));
        assert_eq!(constant_bytes(&files), [], "{used:?}");
        let first = Slots::parse(&files[0]).unwrap();
        for (name, index) in used.iter().enumerate() {
            let opened = first.try_all(&stretched(name.to_string().as_bytes())).unwrap();
            assert_eq!(opened.index, *index);
        }
        assert!(first.try_all(&stretched(b"nobody's")).is_none());
    }
}

#[test]
fn sto_11_control_a_zeroed_unused_slot_shows() {
    let mut rng = rng(1);
    let files: Vec<_> = (0..64)
        .map(|_| {
            let mut slots = with_used(&[2], &mut rng);
            slots.slots[1] = [0; SLOT_LEN];
            slots.to_bytes()
        })
        .collect();
    assert_eq!(constant_bytes(&files).len(), SLOT_LEN);
}

#[test]
fn sto_11_the_place_of_the_first_slot_is_drawn() {
    let key = DbKey::copy_of(&[1; 32]);
    let mut places = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let slots = Slots::create(&key, b"pass", FLOOR, &mut rng(seed)).unwrap();
        places.insert(slots.open(b"pass").unwrap().index);
    }
    assert!(places.len() > 1);
}

#[test]
fn sto_12_every_bit_of_the_header_closes_every_slot() {
    let file = with_used(&[0, 1, 2, 3], &mut rng(2)).to_bytes();
    let opens = |file: &[u8], name: &[u8]| {
        Slots::parse(file).is_ok_and(|slots| slots.try_all(&stretched(name)).is_some())
    };
    let mut parsed = 0;
    for bit in 0..HEADER_LEN * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        parsed += usize::from(Slots::parse(&flipped).is_ok());
        for name in [b"0", b"1", b"2", b"3"] {
            assert!(opens(&file, name), "control");
            assert!(!opens(&flipped, name), "bit {bit}");
        }
    }
    // Profile id and salt at least are caught by the slots themselves, not by their format.
    assert!(parsed >= 256);
}

#[test]
fn sto_10_every_bit_of_a_slot_closes_it() {
    let slots = with_used(&[1], &mut rng(3));
    let a = stretched(b"0");
    assert!(slots.try_all(&a).is_some());
    for bit in 0..SLOT_LEN * 8 {
        let mut file = slots.to_bytes();
        file[HEADER_LEN + SLOT_LEN + bit / 8] ^= 1 << (bit % 8);
        assert!(Slots::parse(&file).unwrap().try_all(&a).is_none(), "bit {bit}");
    }
}

#[test]
fn sto_10_a_slot_opens_in_its_own_place_only() {
    let mut slots = with_used(&[1], &mut rng(4));
    slots.slots.swap(1, 2);
    assert!(slots.try_all(&stretched(b"0")).is_none());
    slots.slots.swap(1, 2);
    assert!(slots.try_all(&stretched(b"0")).is_some());
}

/// Argon2id with any of the refused numbers would run for hours or ask for terabytes.
#[test]
fn sto_12_cost_is_judged_before_argon2_runs() {
    let file = with_used(&[0], &mut rng(5)).to_bytes();
    assert!(Slots::parse(&file).is_ok());
    let ordered = |cost: Cost| {
        let key = DbKey::copy_of(&[0; 32]);
        Slots::create(&key, b"pass", cost, &mut rng(6)).err()
    };
    let written = |cost: Cost| {
        let mut file = file.clone();
        file[12..16].copy_from_slice(&cost.memory_kib.to_be_bytes());
        file[16..20].copy_from_slice(&cost.passes.to_be_bytes());
        file[20..24].copy_from_slice(&cost.lanes.to_be_bytes());
        Slots::parse(&file).err()
    };
    for weak in [
        Cost { memory_kib: FLOOR.memory_kib - 1, ..FLOOR },
        Cost { passes: 2, ..FLOOR },
        Cost { lanes: 0, ..FLOOR },
        Cost { memory_kib: 0, passes: u32::MAX, lanes: 1 },
    ] {
        assert_eq!(
            (written(weak), ordered(weak)),
            (Some(StoreError::Weak), Some(StoreError::Weak))
        );
    }
    for huge in [
        Cost { memory_kib: CEILING.memory_kib + 1, ..FLOOR },
        Cost { memory_kib: u32::MAX, ..FLOOR },
        Cost { passes: 17, ..FLOOR },
        Cost { passes: u32::MAX, ..FLOOR },
        Cost { lanes: 5, ..FLOOR },
    ] {
        let refused = Some(StoreError::Excessive);
        assert_eq!((written(huge), ordered(huge)), (refused.clone(), refused));
    }
    assert_eq!(written(CEILING), None);
    assert_eq!(judge(DEFAULT_COST), Ok(()));
}

#[test]
fn sto_9_only_its_own_format_is_read() {
    let file = with_used(&[0], &mut rng(7)).to_bytes();
    let set = |at: usize, value: u8| {
        let mut file = file.clone();
        file[at] = value;
        Slots::parse(&file).err()
    };
    assert_eq!(set(0, b'Q'), Some(StoreError::Format));
    assert_eq!(set(9, 2), Some(StoreError::Format));
    assert_eq!(set(10, 2), Some(StoreError::Format));
    assert_eq!(set(10, 1), Some(StoreError::NoKeystore));
    assert_eq!(set(11, 1), Some(StoreError::Format));
    assert_eq!(set(63, 1), Some(StoreError::Format));
    for len in [0, 1, 64, 639] {
        assert_eq!(Slots::parse(&file[..len]).err(), Some(StoreError::Format));
    }
    assert_eq!(Slots::parse(&[file, vec![0]].concat()).err(), Some(StoreError::Format));
}

#[test]
fn sto_14_a_passphrase_that_opens_another_slot_is_refused() {
    let mut slots = Slots::create(&DbKey::copy_of(&[1; 32]), b"one", FLOOR, &mut rng(8)).unwrap();
    let first = slots.open(b"one").unwrap();
    let other = (first.index + 1) & 3;
    let two = slots.stretch(b"two").unwrap();
    slots.write(other, &two, &DbKey::copy_of(&[2; 32]), &mut rng(9));
    let before = slots.to_bytes();
    assert_eq!(slots.change(b"one", b"two", &mut rng(10)), Err(StoreError::SamePassphrase));
    assert_eq!(slots.change(b"one", b"one", &mut rng(10)), Err(StoreError::SamePassphrase));
    assert_eq!(slots.to_bytes(), before);
    slots.change(b"one", b"three", &mut rng(10)).unwrap();
    assert_eq!(slots.open(b"three").unwrap().index, first.index);
    assert_eq!(slots.open(b"two").unwrap().key.expose_secret(), &[2; 32]);
    assert_eq!(slots.open(b"one").err(), Some(StoreError::WrongPassphrase));
}
