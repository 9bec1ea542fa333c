#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use crate::backup::record::Stamp;
use crypto::rand_core::SeedableRng;
use engine::changes::Table;
use rand_chacha::ChaCha20Rng;

/// Below the floor: what is tested here costs nothing.
const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

fn record(n: u64) -> Record {
    let value = vec![u8::try_from(n % 251).unwrap(); 30_000].into();
    Record::Row { table: Table::Seen, key: n.to_be_bytes().into(), value }
}

/// A file of a beginning, `rows` rows of 30 kB and an end.
fn file(rows: u64, seed: u64) -> Vec<u8> {
    let opened = make(b"pass", CHEAP, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
    let mut writer = SegmentWriter::begin(Vec::new(), opened).unwrap();
    let begin = Record::Begin(Stamp { made: 7, private_network: false });
    writer.push(&begin.encode()).unwrap();
    (0..rows).for_each(|n| writer.push(&record(n).encode()).unwrap());
    writer.push(&Record::End { rows, messages: 0 }.encode()).unwrap();
    writer.finish().unwrap()
}

/// Reads a file whole, as restoring does, but at any cost.
fn read(bytes: &[u8], passphrase: &[u8]) -> Result<u64, BackupError> {
    let mut from = bytes;
    let opened = match open(&mut from, passphrase) {
        Err(BackupError::Cost) => {
            let header = *bytes.first_chunk::<HEADER_LEN>().unwrap();
            Fields::read(&header).unwrap().unlock(header, passphrase)?
        }
        opened => opened?,
    };
    let mut reader = RecordReader::new(from, opened, u64::try_from(bytes.len()).unwrap())?;
    let mut rows = 0;
    loop {
        match reader.record()?.0 {
            Record::End { rows: told, .. } => {
                reader.finish()?;
                assert_eq!(told, rows);
                return Ok(rows);
            }
            Record::Row { key, value, .. } => {
                let Record::Row { key: k, value: v, .. } = record(rows) else { panic!() };
                assert!(k == key && *v == *value, "row {rows}");
                rows += 1;
            }
            _ => {}
        }
    }
}

fn segment(n: usize) -> usize {
    HEADER_LEN + n * SEALED
}

fn at(n: usize) -> u64 {
    u64::try_from(segment(n)).unwrap()
}

#[test]
fn bak_4_sizes_are_few_and_waste_at_most_a_quarter() {
    let sizes: std::collections::BTreeSet<u64> = (0..100_000).map(padded).collect();
    assert_eq!(sizes.iter().take(6).copied().collect::<Vec<_>>(), [16, 20, 24, 28, 32, 40]);
    assert!(sizes.len() < 60, "{}", sizes.len());
    for needed in 16..100_000 {
        let padded = padded(needed);
        assert!(padded >= needed && padded - needed <= needed / 4, "{needed}: {padded}");
    }
    assert_eq!(padded(u64::MAX), u64::MAX);
    for rows in [0, 1, 30, 34, 36, 100] {
        let file = file(rows, 1);
        let segments = u64::try_from((file.len() - HEADER_LEN) / SEALED).unwrap();
        assert_eq!(padded(segments), segments);
        assert_eq!(read(&file, b"pass"), Ok(rows));
    }
}

/// A change of the header costs one run of Argon2id at most; magic, version and zeros none.
#[test]
fn bak_1_bak_2_every_bit_of_the_header_matters() {
    let good = file(1, 1);
    for bit in 0..HEADER_LEN * 8 {
        let mut file = good.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..8 | 10..12 | 104..128 => BackupError::NotABackup,
            8..10 => BackupError::NewerVersion,
            // The cost: more than is allowed, less than is possible, or another key.
            12..24 => {
                let cost = Cost { memory_kib: 1 << 16, ..CHEAP };
                let header = file.first_chunk::<HEADER_LEN>().unwrap();
                let told = Fields::read(header).unwrap().cost;
                if told.memory_kib > cost.memory_kib || told.passes > 64 || told.lanes > 4 {
                    let error = open(&mut &file[..], b"pass").err();
                    assert_eq!(error, Some(BackupError::Cost), "bit {bit}");
                    continue;
                }
                let error = read(&file, b"pass").unwrap_err();
                let impossible = BackupError::Store(StoreError::NoMemory);
                assert!(error == BackupError::WrongPassphrase || error == impossible, "bit {bit}");
                continue;
            }
            _ => BackupError::WrongPassphrase,
        };
        assert_eq!(read(&file, b"pass"), Err(expected), "bit {bit}");
    }
    assert_eq!(read(&good, b"Pass"), Err(BackupError::WrongPassphrase));
    assert_eq!(read(&good, b""), Err(BackupError::WrongPassphrase));
    assert_eq!(read(&good, b"pass"), Ok(1), "control");
}

#[test]
fn bak_1_weak_and_huge_costs_are_refused_before_they_are_paid() {
    let good = file(0, 1);
    let allowed = |memory: u32, passes: u32, lanes: u32| {
        let mut file = good.clone();
        for (place, value) in [(12, memory), (16, passes), (20, lanes)] {
            file[place..place + 4].copy_from_slice(&value.to_be_bytes());
        }
        open(&mut &file[..], b"pass").err() != Some(BackupError::Cost)
    };
    assert!(allowed(65_536, 3, 1), "control");
    for (memory, passes, lanes) in [
        (65_535, 3, 1),
        (65_536, 2, 1),
        (65_536, 3, 0),
        (1_048_577, 3, 1),
        (65_536, 17, 1),
        (65_536, 3, 5),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        assert!(!allowed(memory, passes, lanes), "{memory} {passes} {lanes}");
    }
}

#[test]
fn bak_3_a_turned_bit_is_found_in_its_segment() {
    let good = file(20, 1);
    assert_eq!(good.len(), segment(16));
    for n in 0..16 {
        for offset in [0, 4099 * (n + 1) % SEALED, SEALED - 1] {
            let mut file = good.clone();
            file[segment(n) + offset] ^= 0x80;
            assert_eq!(read(&file, b"pass"), Err(BackupError::Damaged { at: at(n) }), "{n}");
        }
    }
}

#[test]
fn bak_3_a_cut_is_found_at_every_border_and_between() {
    let good = file(20, 1);
    for length in [0, 1, HEADER_LEN - 1] {
        assert_eq!(read(&good[..length], b"pass"), Err(BackupError::NotABackup));
    }
    for n in 0..16 {
        let cut = Err(BackupError::Truncated { at: at(n) });
        for more in [0, 1, SEALED - 1] {
            assert_eq!(read(&good[..segment(n) + more], b"pass"), cut, "{n} {more}");
        }
    }
}

#[test]
fn bak_3_swaps_splices_and_what_follows_the_end_are_found() {
    let good = file(20, 1);
    let parts = |order: &[usize]| {
        let segments = order.iter().flat_map(|n| good[segment(*n)..segment(n + 1)].to_vec());
        good[..HEADER_LEN].iter().copied().chain(segments).collect::<Vec<u8>>()
    };
    let order: Vec<usize> = (0..16).collect();
    assert_eq!(read(&parts(&order), b"pass"), Ok(20), "control");
    let mut swapped = order.clone();
    swapped.swap(2, 3);
    assert_eq!(read(&parts(&swapped), b"pass"), Err(BackupError::Damaged { at: at(2) }));
    let mut doubled = order.clone();
    doubled.insert(4, 3);
    assert_eq!(read(&parts(&doubled), b"pass"), Err(BackupError::Damaged { at: at(4) }));
    let mut less = order.clone();
    less.remove(0);
    assert_eq!(read(&parts(&less), b"pass"), Err(BackupError::Damaged { at: at(0) }));

    let end = Err(BackupError::Appended { at: at(16) });
    assert_eq!(read(&[&good[..], &[0]].concat(), b"pass"), end);
    assert_eq!(read(&[&good[..], &[0; SEALED]].concat(), b"pass"), end);
    assert_eq!(read(&[&good[..], &good[segment(15)..]].concat(), b"pass"), end);

    // A segment of another file under the same passphrase.
    let other = file(20, 2);
    let mut spliced = good.clone();
    spliced[segment(5)..segment(6)].copy_from_slice(&other[segment(5)..segment(6)]);
    assert_eq!(read(&spliced, b"pass"), Err(BackupError::Damaged { at: at(5) }));
}

/// Authentic, and yet no backup: written by somebody who has the passphrase and another program.
#[test]
fn bak_6_what_no_backup_says_is_refused() {
    let written = |bytes: &[u8]| {
        let opened = make(b"pass", CHEAP, &mut ChaCha20Rng::seed_from_u64(3)).unwrap();
        let mut writer = SegmentWriter::begin(Vec::new(), opened).unwrap();
        writer.push(bytes).unwrap();
        writer.finish().unwrap()
    };
    let end = Record::End { rows: 0, messages: 0 }.encode().to_vec();
    assert_eq!(read(&written(&end), b"pass"), Ok(0), "control");
    for bad in [
        &[0; 5][..],
        &[9, 0, 0, 0, 0],
        &[2, 0xff, 0xff, 0xff, 0xff],
        &[2, 0, 0, 0, 1, 1],
        &[end.clone(), vec![1]].concat(),
        &[end.clone(), vec![0; 2 * SEGMENT], vec![1]].concat(),
    ] {
        assert_eq!(read(&written(bad), b"pass"), Err(BackupError::Content), "{:?}", &bad[..5]);
    }
    let newer = [1, 0, 0, 0, 11, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read(&written(&newer), b"pass"), Err(BackupError::NewerVersion));
}

/// What a version has written must load for ever: these are the bytes of version 1.
#[test]
fn bak_1_bak_6_the_bytes_of_version_1_stay_what_they_are() {
    let digest: String =
        crypto::hash(&[&file(20, 1)]).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "106d99bdb06746e8d2743bdedfbd06129ff727427251b89bcd1b9b8156964c30");
}
