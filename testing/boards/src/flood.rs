//! What deposits that somebody paid for have to wait while a hundred times as many come that nobody
//! did (BRD-23).
//!
//! Proofs of work are real Equi-X and solved before anything is measured: clients solve on machines
//! of their own, here they would take the server's processors.

use crate::load::{Asked, exchange};
use crate::process::Process;
use crate::published::{Published, SETTINGS};
use crate::{published, whole};
use anyhow::{Context as _, Result, ensure};
use board::envelope::dummy;
use board::frame::{PutAnswer, PutRequest, Request};
use board::header::PageHeader;
use board::pow::{EquixWork, Work as _};
use mailbox::seal::os_rng;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Turns of each kind: quiet, flood, quiet, flood ..
const ROUNDS: usize = 3;
/// Paid deposits of a turn, and how far apart.
const PAID: usize = 200;
const PACE: Duration = Duration::from_millis(50);
/// Unpaid ones for each of them.
const TIMES: usize = 100;
/// Connections of the flood that are open at one time.
const FLOODERS: usize = 32;
/// The flood's tenth request is a read: what the people do meanwhile.
const READ_EVERY: usize = 10;

/// What the paid deposits waited, in seconds, shortest first.
struct Waited(Vec<f64>);

impl Waited {
    /// The one that so many of a hundred do not exceed.
    fn at(&self, percent: usize) -> f64 {
        let last = self.0.len() - 1;
        self.0.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
    }

    fn tell(&self, name: &str) {
        let [half, most, worst] = [50, 99, 100].map(|percent| self.at(percent) * 1e3);
        println!("  {name:<22} p50 {half:>6.1} ms   p99 {most:>6.1} ms   worst {worst:>6.1} ms");
    }
}

/// Measures with the server's `program` in `folder`, which is made. Gives how many times the quiet
/// p99 of a paid deposit it is in a flood.
///
/// # Errors
/// If something could not be measured, a paid deposit was refused or an unpaid one taken.
pub fn flood(folder: &Path, program: &Path) -> Result<f64> {
    std::fs::create_dir(folder).context("the folder is there already")?;
    let board = folder.join("flooded");
    std::fs::create_dir(&board)?;
    published::store(&board)?;
    let server = Process::mailbox(program, &board, &SETTINGS.mailbox)?;
    let published = Published::read(&server)?;
    let header = published.last().context("no page")?.header;
    let reads = published.fetches(1);
    println!("{} proofs of work, solved before anything is measured", 2 * ROUNDS * PAID);
    let paid = whole::solve(&header, 2 * ROUNDS * PAID)?;
    let unpaid = Unpaid::new(header)?;

    let (mut quiet, mut flooded) = (Vec::new(), Vec::new());
    for turn in paid.chunks(2 * PAID) {
        let (first, second) = turn.split_at(PAID);
        quiet.extend(deposit(&server, first)?);
        flooded.extend(during(&server, second, &unpaid, &reads)?);
    }
    let [quiet, flooded] = [quiet, flooded].map(|mut waited| {
        waited.sort_by(f64::total_cmp);
        Waited(waited)
    });
    quiet.tell("quiet");
    flooded.tell("in the flood");
    drop(server);
    std::fs::remove_dir_all(folder).context("the boards stay")?;
    Ok(flooded.at(99) / quiet.at(99))
}

/// Deposits at an even pace, each on a thread of its own, so that one that waits delays none.
fn deposit(server: &Process, paid: &[Asked]) -> Result<Vec<f64>> {
    let start = Instant::now();
    let one = |due: Instant, asked: &Asked| -> Result<f64> {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let (asking, mut answer) = (Instant::now(), Vec::new());
        exchange(&server.socket, &asked.request, &mut answer)?;
        ensure!(PutAnswer::decode(&answer)?.stored, "a paid deposit was refused");
        Ok(asking.elapsed().as_secs_f64())
    };
    thread::scope(|scope| {
        let mut due = start;
        let mut waiting = Vec::new();
        for asked in paid {
            due += PACE;
            waiting.push(scope.spawn(move || one(due, asked)));
        }
        waiting.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// The same beside the flood.
fn during(server: &Process, paid: &[Asked], unpaid: &Unpaid, reads: &[Asked]) -> Result<Vec<f64>> {
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (start, cpu) = (Instant::now(), server.cpu()?);
    let pace = PACE / u32::try_from(TIMES)?;
    let flooder = || -> Result<()> {
        let mut answer = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let n = sent.fetch_add(1, Ordering::Relaxed);
            let due = start + pace * u32::try_from(n)?;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            answer.clear();
            exchange(&server.socket, &unpaid.request(n), &mut answer)?;
            ensure!(!PutAnswer::decode(&answer)?.stored, "an unpaid deposit was taken");
            if n % READ_EVERY == 0 {
                let read = reads.get(n / READ_EVERY % reads.len()).context("no reads")?;
                answer.clear();
                exchange(&server.socket, &read.request, &mut answer)?;
                ensure!(answer.len() == read.answer_len, "a read was not answered");
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let flooders: Vec<_> = (0..FLOODERS).map(|_| scope.spawn(flooder)).collect();
        let waited = deposit(server, paid);
        over.store(true, Ordering::Relaxed);
        flooders.into_iter().try_for_each(|flooder| flooder.join().unwrap())?;
        let (took, spent) = (start.elapsed().as_secs_f64(), server.cpu()? - cpu);
        let sent = f64::from(u32::try_from(sent.load(Ordering::Relaxed))?);
        let each = spent.as_secs_f64() * 1e6 / sent;
        println!(
            "  flood of {:.0} a second, {:.0} times the paid ones; {each:.0} us of the server each",
            sent / took,
            sent / f64::from(u32::try_from(paid.len())?),
        );
        waited
    })
}

/// Deposits that nobody paid for, from the cheapest for the server to the dearest.
struct Unpaid {
    header: PageHeader,
    /// Solves another puzzle, so that only the whole verification tells that it does not pay.
    solution: [u8; 16],
}

impl Unpaid {
    fn new(header: PageHeader) -> Result<Self> {
        let mut work = EquixWork::default();
        let solved = (0..u8::MAX).find_map(|n| work.solutions(&[n; 16]).first().copied());
        Ok(Self { header, solution: solved.context("no solution")? })
    }

    fn request(&self, n: usize) -> Vec<u8> {
        let nonce = whole::nonce();
        let (epoch, solution) = match n % 4 {
            // Of an hour that is over.
            0 => (self.header.epoch - 2, self.solution),
            // No solution of anything.
            1 => (self.header.epoch, nonce),
            _ => (self.header.epoch, self.solution),
        };
        let envelope = dummy(&mut os_rng());
        Request::Put(PutRequest { epoch, nonce, solution, envelope }).encode()
    }
}
