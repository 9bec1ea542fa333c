//! Directories, keys, disk, and the file with the onion service's address.

use super::known::Known;
use super::{Check, Where, size};
use crate::cli::onion_key;
use crate::clock::{DAY_S, Seconds};
use crate::committer::free_bytes;
use crate::seal::key_file;
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Least that must be free for the key of the next day.
const KEY_ROOM: u64 = 1_000_000;
/// What a deposit takes on disk, with its records.
const BYTES_EACH: u64 = 4_608;
/// Before this age of a server its totals are no rate.
const RATE_AFTER_S: Seconds = 3_600;
/// Below this many days until the disk is full it is time to do something.
const SOON_DAYS: u64 = 7;

pub(super) fn directories(place: &Where, known: &Known) -> Vec<Check> {
    let owner = known.user().or_else(|| fs::metadata(&place.data).ok().map(|m| m.uid()));
    vec![
        directory("data directory", &place.data, owner),
        directory("keys directory", &known.keys(place), owner),
    ]
}

fn directory(what: &'static str, path: &Path, owner: Option<u32>) -> Check {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => {
            return Check::fail(what, format!("{shown} is no directory"), "is the option right?");
        }
        Err(e) => {
            return Check::fail(
                what,
                format!("{shown}: {e}"),
                "is the option right, the disk mounted, and are you the server's user?",
            );
        }
    };
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Check::fail(
            what,
            format!("{shown} has mode {mode:04o}"),
            "others can read: chmod 700",
        );
    }
    if owner.is_some_and(|owner| owner != found.uid()) {
        return Check::fail(
            what,
            format!("{shown} belongs to user {}, the server runs as another", found.uid()),
            "chown it to the server's user",
        );
    }
    let disk = statvfs(path).ok();
    if disk.as_ref().is_some_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY)) {
        return Check::fail(
            what,
            format!("{shown} is mounted read-only"),
            "the disk may have failed: look at dmesg",
        );
    }
    if disk.is_some_and(|disk| free_bytes(&disk) < KEY_ROOM) {
        return Check::fail(
            what,
            format!("the disk of {shown} is full"),
            "make room: at the next day's start it needs some",
        );
    }
    Check::ok(what, format!("{shown}, mode {mode:04o}, user {}", found.uid()))
}

/// BRD-26: a day without its key cannot be opened, and the server does not start.
pub(super) fn day_keys(place: &Where, known: &Known, now: Seconds) -> Option<Check> {
    const WHAT: &str = "day keys";
    let (keys, days) = (known.keys(place), known.days());
    let ttl = known.number("/ttl_h")?.saturating_mul(3_600);
    // A day that has expired since the server last said so has lost its key rightly.
    let kept = |day: &u64| day.saturating_mul(DAY_S).saturating_add(ttl) > now;
    let whole = |found: Metadata| found.len() == 32 && found.permissions().mode() & 0o077 == 0;
    let good = |day: &u64| fs::metadata(key_file(&keys, *day)).is_ok_and(whole);
    let bad: Vec<u64> = days.iter().filter(|day| kept(day) && !good(day)).copied().collect();
    Some(if bad.is_empty() {
        Check::ok(WHAT, format!("one for each of {} days", days.len()))
    } else {
        Check::fail(
            WHAT,
            format!(
                "missing, not 32 bytes, or not of mode 0600: days {bad:?} in {}",
                keys.display()
            ),
            "is --keys right and its disk mounted? what these days hold is lost without them",
        )
    })
}

pub(super) fn onion(place: &Where, known: &Known) -> Option<Check> {
    const WHAT: &str = "onion";
    let file = place.onion_file.as_ref()?;
    let shown = file.display();
    let read = fs::read_to_string(file).map_err(|e| e.to_string());
    Some(match read.and_then(|text| onion_key(&text)) {
        Err(e) => {
            Check::fail(WHAT, format!("{shown}: {e}"), "put the address there that Tor shows")
        }
        Ok(key) if known.mailbox().is_some_and(|mailbox| mailbox != key) => Check::fail(
            WHAT,
            format!("{shown} names another onion than the board's"),
            "a board serves one onion for life: put back its address, or begin a new data directory",
        ),
        Ok(key) => Check::ok(WHAT, board::address::encode(&key)),
    })
}

/// BRD-16, BRD-23: below the reserve nothing is taken, below the soft limit it gets dearer.
pub(super) fn disk(place: &Where, known: &Known) -> Check {
    const WHAT: &str = "disk";
    let Ok(disk) = statvfs(&place.data) else {
        return Check::fail(WHAT, "the system does not say how full it is", "is it mounted?");
    };
    let free = free_bytes(&disk);
    let reserve = known.number("/reserve_bytes").unwrap_or(512 << 20);
    let soft = known.number("/soft_limit_bytes").unwrap_or(4 * (512 << 20));
    let found = format!("{} free, {} kept in reserve", size(free), size(reserve));
    if free < reserve {
        return Check::fail(
            WHAT,
            found,
            "deposits are told to retry: make room, or a smaller --reserve",
        );
    }
    if disk.f_files > 0 && disk.f_favail < 1_000 {
        return Check::fail(
            WHAT,
            format!("{found}, hardly an inode left"),
            "remove small files, or a new file system",
        );
    }
    let Some(rate) = bytes_a_day(known) else {
        let found = format!("{found}; the server has not run for an hour, so no rate yet");
        return below_soft(free < soft, found);
    };
    let days = known.number("/ttl_h").unwrap_or(0).div_ceil(24);
    let needed = rate.saturating_mul(days);
    let room = free.saturating_sub(reserve);
    if room.saturating_add(used(&place.data.join("board"))) >= needed {
        return below_soft(
            free < soft,
            format!("{found}; at {} a day enough for all pages that it keeps", size(rate)),
        );
    }
    let left = room.checked_div(rate).unwrap_or(u64::MAX);
    let found = format!("{found}; at {} a day full in {left} days", size(rate));
    if left < SOON_DAYS {
        Check::warn(WHAT, found, "a larger disk, or fewer --ttl-hours")
    } else {
        below_soft(free < soft, found)
    }
}

fn below_soft(below: bool, found: String) -> Check {
    if below {
        Check::warn(
            "disk",
            found,
            "below the soft limit deposits get dearer for everybody: make room",
        )
    } else {
        Check::ok("disk", found)
    }
}

/// What deposits and filling take in a day, by the totals since the server's start.
fn bytes_a_day(known: &Known) -> Option<u64> {
    let ran = known.number("/at")?.checked_sub(known.number("/since")?)?;
    let filling = known.number("/totals/pages")?.saturating_mul(known.number("/fill")?);
    let envelopes = known.number("/totals/stored")?.saturating_add(filling);
    let bytes = envelopes.saturating_mul(BYTES_EACH).saturating_mul(DAY_S);
    if ran < RATE_AFTER_S { None } else { bytes.checked_div(ran) }
}

/// Bytes that a directory takes, with what is below it. What cannot be read counts as nothing.
fn used(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok().map(|found| (entry, found)));
    sizes.fold(0, |sum: u64, (entry, found)| {
        let below = if found.is_dir() { used(&entry.path()) } else { 0 };
        sum.saturating_add(found.blocks().saturating_mul(512)).saturating_add(below)
    })
}
