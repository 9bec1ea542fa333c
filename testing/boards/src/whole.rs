//! Whole deposits: over the socket, with a proof of work that the server verifies.

use crate::load::Asked;
use crate::published::SETTINGS;
use anyhow::{Context as _, Result};
use board::envelope::dummy;
use board::frame::{HEAD_LEN, PutRequest, Request};
use board::header::PageHeader;
use board::pow::{EquixWork, solve_with, verify};
use crypto::rand_core::Rng as _;
use mailbox::seal::os_rng;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that solve; no more of them help on the two cores that the figures are for.
const SOLVERS: usize = 2;

/// Deposits that are paid for, by the seed of `header`.
pub(crate) fn solve(header: &PageHeader, deposits: usize) -> Result<Vec<Asked>> {
    let left = AtomicUsize::new(deposits);
    let solver = || -> Result<Vec<Asked>> {
        let mut work = EquixWork::compiled();
        let mut solved = Vec::new();
        while let Ok(before) =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
        {
            if before % 256 == 0 {
                println!("  {before} proofs of work to solve");
            }
            solved.push(put(&mut work, header)?);
        }
        Ok(solved)
    };
    let mut all = Vec::new();
    thread::scope(|scope| {
        let solvers: Vec<_> = (0..SOLVERS).map(|_| scope.spawn(solver)).collect();
        for solver in solvers {
            all.append(&mut solver.join().unwrap()?);
        }
        Ok(all)
    })
}

fn put(work: &mut EquixWork, header: &PageHeader) -> Result<Asked> {
    let envelope = dummy(&mut os_rng());
    let (seed, mailbox, effort) = (&header.seed, &SETTINGS.mailbox, header.effort);
    let (nonce, solution) =
        solve_with(work, seed, mailbox, &envelope, effort, nonce).context("no solution")?;
    let put = PutRequest { epoch: header.epoch, nonce, solution, envelope };
    Ok(Asked { request: Request::Put(put).encode(), answer_len: HEAD_LEN })
}

/// Where a solver begins, at random.
pub(crate) fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    os_rng().fill_bytes(&mut nonce);
    nonce
}

/// What one verification takes.
pub(crate) fn verifying() -> Result<Duration> {
    const TIMES: u32 = 200;
    let (seed, mailbox, envelope) = ([1; 32], &SETTINGS.mailbox, dummy(&mut os_rng()));
    let mut work = EquixWork::default();
    let (nonce, solution) =
        solve_with(&mut work, &seed, mailbox, &envelope, 1, nonce).context("no solution")?;
    let start = Instant::now();
    for _ in 0..TIMES {
        anyhow::ensure!(verify(&seed, mailbox, &envelope, 1, &nonce, &solution), "not accepted");
    }
    Ok(start.elapsed() / TIMES)
}
