//! A board of two weeks of a thousand people: what the server needs for it (PERF-4).

use crate::figures::Large;
use crate::load::{Asked, rate};
use crate::process::Process;
use crate::published::{POLICY, SETTINGS};
use anyhow::{Context as _, Result, ensure};
use board::envelope::{Envelope, dummy};
use board::frame::{FETCH_ANSWER_LEN, Request};
use mailbox::clock::{self, Seconds};
use mailbox::committer::free_bytes;
use mailbox::pages::Pages;
use mailbox::seal::os_rng;
use mailbox::store::{DiskStore, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Days, and pages of one. A mailbox keeps 14 days, of which the first is the short one: with another
/// full day it would be over when the server starts.
const DAYS: u64 = 13;
const PAGES_A_DAY: u64 = 8640;
/// Deposits in a page, and its envelopes and chunks when it is filled: 13 days hold 10.8 million.
const IN_A_PAGE: usize = 91;
const FILLED: u64 = 96;
const CHUNKS: u64 = 12;
const ENVELOPES_A_DAY: u64 = PAGES_A_DAY * FILLED;
/// A day on disk, with what the engine keeps beside it, and what must stay free.
const BYTES_A_DAY: u64 = 3_600 << 20;
const SPARE: u64 = 8 << 30;
/// Chunks of all ages that are read.
const FETCHES: u64 = 20_000;
const READERS: usize = 8;
/// Pages of a day that expires beside the days, and alone.
const SHORT_DAY: u64 = 1000;
/// The most that a run takes, in seconds.
const LONGEST: u64 = 3600;

/// Measures with the server's `program` in `folder`, which is made; with as many days as the disk
/// has room for.
///
/// # Errors
/// If something could not be measured.
pub fn large(folder: &Path, program: &Path) -> Result<Large> {
    ensure!(
        clock::now() % 86_400 < 86_400 - LONGEST,
        "midnight (UTC) is near, at which the day that is to expire is over: begin after it"
    );
    std::fs::create_dir(folder).context("the folder is there already")?;
    let measured = measure(folder, program);
    std::fs::remove_dir_all(folder).context("the boards stay")?;
    measured
}

fn measure(folder: &Path, program: &Path) -> Result<Large> {
    let free = free_bytes(&rustix::fs::statvfs(folder)?);
    let days = (free.saturating_sub(SPARE) / BYTES_A_DAY).min(DAYS);
    ensure!(days >= 1, "the disk has no room for a day of {} MB", BYTES_A_DAY >> 20);
    println!("{} envelopes, {days} of {DAYS} days fit on the disk", days * ENVELOPES_A_DAY);

    // The short day is the oldest, so that it is the one that expires.
    let now = clock::now();
    let today = now - now % 86_400;
    let begin = today - days * 86_400;
    let (large, small) = (folder.join("large"), folder.join("small"));
    for board in [&large, &small] {
        fill(board, begin - 10 * SHORT_DAY, SHORT_DAY)?;
    }
    for day in 0..days {
        fill(&large, begin + day * 86_400, PAGES_A_DAY)?;
        println!("  {} of {} envelopes", (day + 1) * ENVELOPES_A_DAY, days * ENVELOPES_A_DAY);
    }
    // One more page, so that the short day is not the open one.
    fill(&small, begin, 1)?;

    let start = Instant::now();
    let server = Process::mailbox(program, &large, &SETTINGS.mailbox)?;
    let restart = start.elapsed();
    println!("  a start takes {:.2} s, and {} MB", restart.as_secs_f64(), mb(server.resident()?));
    let reads = fetches(SHORT_DAY + days * PAGES_A_DAY);
    let chunks = rate(&server.socket, &reads, READERS)?;
    let resident = server.resident()?;
    println!("  {chunks:.0} chunks a second of pages of every age; then {} MB", mb(resident));
    drop(server);

    let after = begin + u64::from(SETTINGS.ttl_h) * 3600;
    let [(beside, gone), (alone, gone_alone)] = [expiry(&large, after)?, expiry(&small, after)?];
    println!(
        "  a day of {SHORT_DAY} pages expires in {beside:?}, and its files are gone after {gone:?}; alone on its board in \
         {alone:?} and {gone_alone:?}"
    );
    Ok(Large { envelopes: days * ENVELOPES_A_DAY, resident, restart, beside, alone })
}

fn open(folder: &Path, now: Seconds) -> Result<Pages> {
    let store = DiskStore::open(&folder.join("board"), &folder.join("keys"))?;
    let store: Arc<dyn Store> = Arc::new(store);
    Ok(Pages::open(store, SETTINGS, POLICY, now)?)
}

/// Pages one after the other, each durable at its close.
fn fill(folder: &Path, begin: Seconds, pages: u64) -> Result<()> {
    let interval = u64::from(SETTINGS.interval_s);
    let mut board = open(folder, begin)?;
    board.tick(begin)?;
    for page in 0..pages {
        let at = begin + page * interval;
        let envelopes: Vec<Envelope> = (0..IN_A_PAGE).map(|_| dummy(&mut os_rng())).collect();
        let _durable_at_the_close = board.write(envelopes, at)?;
        ensure!(board.tick(at + interval)?, "a page did not close");
    }
    Ok(())
}

/// Chunks of pages of all ages, in an order that no cache likes.
fn fetches(pages: u64) -> Vec<Asked> {
    const STRIDE: u64 = 48_271;
    let one = |i: u64| {
        let (page, chunk) = (i * STRIDE % pages, u16::try_from(i % CHUNKS).unwrap_or_default());
        Asked { request: Request::Fetch { page, chunk }.encode(), answer_len: FETCH_ANSWER_LEN }
    };
    (0..FETCHES).map(one).collect()
}

/// How long deposits wait for the days that are over at `now`, which is the short one; and how long it
/// takes until its files are gone, beside them.
fn expiry(folder: &Path, now: Seconds) -> Result<(Duration, Duration)> {
    let mut board = open(folder, now)?;
    let oldest = board.view().read().unwrap().oldest();
    // What was written before is not waited for by the syncs of an expiry.
    rustix::fs::sync();
    let start = Instant::now();
    board.tick(now)?;
    let took = start.elapsed();
    let left = board.view().read().unwrap().oldest();
    ensure!(left >= oldest + SHORT_DAY, "from page {oldest} only {left} expired");
    drop(board);
    Ok((took, start.elapsed()))
}

const fn mb(bytes: u64) -> u64 {
    bytes >> 20
}
