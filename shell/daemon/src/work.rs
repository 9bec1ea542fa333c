//! The proof of work (BRD-15), in a process of its own.
//!
//! Equi-X makes a program of each challenge. Compiled, it is solved in a tenth of the time, and a
//! flooder would compile it; but then memory is written and executed, which the process that holds
//! the keys does not do (ADR 0015). So a worker solves, which is told what the mailbox sees and
//! nothing else. Whatever it does, the core checks its answer, and solves by itself without it.
//!
//! ```text
//! core ── puzzle(100) ──► worker          one at a time;
//! core ◄── nonce(16) ‖ solution(16) ──    the end of the pipe ends the worker
//! ```

use crate::dice;
use board::pow::{EquixWork, NONCE_LEN, Payment, Puzzle, SOLUTION_LEN};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wire::Codec;

/// How long a worker may take: some seconds, and one more for each unit of effort, which a slow
/// machine does in a tenth of it.
const PATIENCE: Duration = Duration::from_secs(10);
const EACH: Duration = Duration::from_secs(1);

/// The core's ends of the pipes to a worker.
pub struct Worker {
    /// Puzzles go in here.
    pub puzzles: OwnedFd,
    /// What pays comes out here.
    pub payments: OwnedFd,
}

/// The worker: solves puzzle after puzzle until there are no more.
///
/// # Errors
/// If a pipe fails or ends within a puzzle, or dice that never fall well give no solution.
pub fn serve(mut puzzles: impl Read, mut payments: impl Write) -> io::Result<()> {
    let mut work = EquixWork::compiled();
    let mut bytes = [0; Puzzle::LEN];
    while puzzles.read(bytes.get_mut(..1).unwrap_or_default())? > 0 {
        puzzles.read_exact(bytes.get_mut(1..).unwrap_or_default())?;
        let puzzle = Puzzle::from_bytes(&bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let (nonce, solution) =
            puzzle.solve(&mut work, dice::draw).ok_or(io::ErrorKind::InvalidData)?;
        payments.write_all(&nonce)?;
        payments.write_all(&solution)?;
        payments.flush()?;
    }
    Ok(())
}

type Job = (Puzzle, oneshot::Sender<Option<Payment>>);

/// Solves one puzzle at a time: the others wait, and so keep the machine usable.
#[derive(Clone)]
pub(crate) struct Solver(mpsc::Sender<Job>);

impl Solver {
    /// Starts it on the current tokio runtime, with a worker if there is one.
    pub(crate) fn start(worker: Option<Worker>) -> Self {
        let (jobs, inbox) = mpsc::channel(1);
        let link = worker.and_then(|worker| Link::new(worker).ok());
        tokio::spawn(run(link, inbox));
        Self(jobs)
    }

    /// What pays for the puzzle; nothing if dice never fall well, or if everything ends.
    pub(crate) async fn solve(&self, puzzle: Puzzle) -> Option<Payment> {
        let (answer, solved) = oneshot::channel();
        self.0.send((puzzle, answer)).await.ok()?;
        solved.await.ok()?
    }
}

/// A task of its own, so that who gives a puzzle up leaves no answer to it in the pipe.
async fn run(mut link: Option<Link>, mut jobs: mpsc::Receiver<Job>) {
    while let Some((puzzle, answer)) = jobs.recv().await {
        if answer.is_closed() {
            continue;
        }
        let paid = match &mut link {
            Some(link) => link.solve(&puzzle).await,
            None => None,
        };
        let paid = match paid {
            Some(paid) => Some(paid),
            None => {
                if link.take().is_some() {
                    tracing::warn!("the worker has failed; proofs of work are made without it");
                }
                interpreted(puzzle).await
            }
        };
        // Who asked may have given up.
        let _ = answer.send(paid);
    }
}

async fn interpreted(puzzle: Puzzle) -> Option<Payment> {
    let solve = move || puzzle.solve(&mut EquixWork::default(), dice::draw);
    tokio::task::spawn_blocking(solve).await.ok()?
}

/// A worker that has not failed yet.
struct Link {
    puzzles: pipe::Sender,
    payments: pipe::Receiver,
}

impl Link {
    fn new(Worker { puzzles, payments }: Worker) -> io::Result<Self> {
        Ok(Self {
            puzzles: pipe::Sender::from_owned_fd(puzzles)?,
            payments: pipe::Receiver::from_owned_fd(payments)?,
        })
    }

    /// The worker's answer, if it is one, and in time.
    async fn solve(&mut self, puzzle: &Puzzle) -> Option<Payment> {
        let patience = PATIENCE.saturating_add(EACH.saturating_mul(puzzle.effort));
        let paid = timeout(patience, self.ask(puzzle)).await.ok()?.ok()?;
        puzzle.accepts(&EquixWork::default(), &paid).then_some(paid)
    }

    async fn ask(&mut self, puzzle: &Puzzle) -> io::Result<Payment> {
        let (mut nonce, mut solution) = ([0; NONCE_LEN], [0; SOLUTION_LEN]);
        self.puzzles.write_all(&puzzle.to_bytes()).await?;
        self.payments.read_exact(&mut nonce).await?;
        self.payments.read_exact(&mut solution).await?;
        Ok((nonce, solution))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn puzzle(k: u8) -> Puzzle {
        Puzzle { seed: [k; 32], mailbox: [2; 32], digest: [3; 32], effort: 1 }
    }

    fn pays(k: u8, paid: Option<Payment>) -> bool {
        paid.is_some_and(|paid| puzzle(k).accepts(&EquixWork::default(), &paid))
    }

    /// A worker that does `life` with the other ends of its pipes.
    fn worker(life: impl FnOnce(io::PipeReader, io::PipeWriter) + Send + 'static) -> Worker {
        let (theirs, puzzles) = io::pipe().unwrap();
        let (payments, to) = io::pipe().unwrap();
        thread::spawn(move || life(theirs, to));
        Worker { puzzles: puzzles.into(), payments: payments.into() }
    }

    #[test]
    fn brd_15_a_worker_solves_until_there_are_no_more_puzzles() {
        let asked: Vec<u8> = (0..3).flat_map(|k| puzzle(k).to_bytes()).collect();
        let mut paid = Vec::new();
        serve(asked.as_slice(), &mut paid).unwrap();
        let (paid, rest) = paid.as_chunks::<{ NONCE_LEN + SOLUTION_LEN }>();
        assert!(paid.len() == 3 && rest.is_empty());
        for (k, paid) in (0..).zip(paid) {
            let nonce = *paid.first_chunk().unwrap();
            assert!(pays(k, Some((nonce, *paid.last_chunk().unwrap()))));
        }
        let cut = serve(&asked[..150], &mut Vec::new()).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn brd_15_the_core_asks_its_worker_and_who_gives_up_leaves_nothing_behind() {
        let (count, counted) = std::sync::mpsc::channel();
        let solver = Solver::start(Some(worker(move |puzzles, payments| {
            let _ = count.send(serve(puzzles, payments).is_ok());
        })));
        assert!(pays(0, solver.solve(puzzle(0)).await));
        let given_up = tokio::time::timeout(Duration::from_millis(1), solver.solve(puzzle(1)));
        assert!(given_up.await.is_err());
        assert!(pays(2, solver.solve(puzzle(2)).await));
        drop(solver);
        let ended = tokio::task::spawn_blocking(move || counted.recv_timeout(PATIENCE));
        assert_eq!(ended.await.unwrap(), Ok(true), "the worker ends with the core, and not before");
    }

    #[tokio::test]
    async fn brd_15_a_worker_that_is_missing_dies_or_lies_costs_time_and_nothing_else() {
        let zeros = |mut puzzles: io::PipeReader, mut payments: io::PipeWriter| {
            let mut bytes = [0; Puzzle::LEN];
            while puzzles.read_exact(&mut bytes).is_ok() {
                let _ = payments.write_all(&[0; NONCE_LEN + SOLUTION_LEN]);
            }
        };
        let dies = |puzzles, payments| drop((puzzles, payments));
        for worker in [None, Some(worker(dies)), Some(worker(zeros))] {
            let solver = Solver::start(worker);
            assert!(pays(0, solver.solve(puzzle(0)).await));
            assert!(pays(1, solver.solve(puzzle(1)).await));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn brd_15_a_worker_that_hangs_is_not_waited_for() {
        let (until, end) = std::sync::mpsc::channel::<()>();
        let solver = Solver::start(Some(worker(move |puzzles, payments| {
            let _ = end.recv();
            drop((puzzles, payments));
        })));
        assert!(pays(0, solver.solve(puzzle(0)).await));
        drop(until);
    }
}
