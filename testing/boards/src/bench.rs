//! One run, from the cheapest measurement to the dearest.

use crate::commit::Commit;
use crate::contest::Contest;
use crate::figures::Figures;
use crate::load::{Asked, rate};
use crate::process::Process;
use crate::published::{Published, SETTINGS};
use crate::raw::Raw;
use crate::schedule::Day;
use crate::{idle, peer, published, whole};
use anyhow::{Context as _, Result, ensure};
use board::page::MAX_PAGE;
use std::path::Path;
use std::time::Duration;

/// Rounds of a contest. With an odd number the middle one is a round.
const ROUNDS: u32 = 9;
/// Clients that read at one time.
const READERS: usize = 8;
/// How often each chunk is fetched, and the digest is read, in a round.
const FETCHES: usize = 8;
const DIGESTS: usize = 2000;
/// Rounds of deposits, from the envelope to the word that it is durable, and how many of the largest pages
/// those of a round fill.
const PUT_ROUNDS: u32 = 5;
const PAGES: u32 = 2;
/// Rounds of whole deposits, how many in each, and how many at one time.
const WHOLE_ROUNDS: u32 = 3;
const WHOLE: usize = 256;
const DEPOSITORS: usize = 128;

/// Measures everything in `folder`, which is made, with the server's `program`.
///
/// # Errors
/// If something could not be measured.
pub fn run(folder: &Path, program: &Path) -> Result<Figures> {
    std::fs::create_dir(folder).context("the folder is there already")?;
    idle::permit()?;

    println!("a client's day in steady, in the simulator");
    let day = Day::live()?;
    day.tell();

    println!("deposits, from the envelope to the word that it is durable; the engine alone");
    let put = deposits(folder)?;

    let board = folder.join("published");
    std::fs::create_dir(&board)?;
    published::store(&board)?;
    let server = Process::mailbox(program, &board, &SETTINGS.mailbox)?;
    let published = Published::read(&server)?;
    let idle_bytes = idle::bytes(&server, published.digest_len())?;
    println!("idle connections: {idle_bytes} bytes each");

    println!("reads of recent pages, over sockets; a server that has the answers in memory");
    let answers = folder.join("answers");
    peer::save(&answers, &published.answers()?)?;
    let peer = Process::peer(folder.join("peer"), &answers)?;
    let fetch = reads("FETCH", &server, &peer, &published.fetches(FETCHES))?;
    let digest = reads("DIGEST", &server, &peer, &published.digests(DIGESTS))?;
    ensure!(Published::read(&server)?.answers()? == published.answers()?, "an answer has changed");
    drop(peer);

    whole_deposits(folder, &server, &published)?;
    drop(server);
    std::fs::remove_dir_all(folder).context("the boards stay")?;
    Ok(Figures { put, fetch, digest, idle_bytes, schedule: day.percent() })
}

fn deposits(folder: &Path) -> Result<f64> {
    let ours = Commit::start(&folder.join("commit"))?;
    let raw = Raw::open(&folder.join("raw"))?;
    let deposits = PAGES * u32::try_from(MAX_PAGE)?;
    let contest = Contest::run(PUT_ROUNDS, || ours.rate(PAGES), || raw.rate(deposits))?;
    contest.tell("PUT", "engine");
    Ok(contest.ratio())
}

fn reads(name: &str, server: &Process, peer: &Process, asked: &[Asked]) -> Result<f64> {
    let (server_before, peer_before) = (server.cpu()?, peer.cpu()?);
    let turn = |of: &Process| rate(&of.socket, asked, READERS);
    let contest = Contest::run(ROUNDS, || turn(server), || turn(peer))?;
    contest.tell(name, "memory");
    let operations = f64::from(ROUNDS) * f64::from(u32::try_from(asked.len())?);
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / operations;
    let (ours, peers) = (each(server.cpu()? - server_before), each(peer.cpu()? - peer_before));
    println!("  {name:<22} {ours:>8.1} us of processor time, the peer's {peers:.1} us");
    Ok(contest.ratio())
}

/// For people: what the proof of work and the sockets leave of the rate.
fn whole_deposits(folder: &Path, server: &Process, published: &Published) -> Result<()> {
    println!("whole deposits: socket, proof of work, durable; the engine alone");
    let header = published.last().context("no page")?.header;
    let rounds = usize::try_from(WHOLE_ROUNDS)?;
    let solved = whole::solve(&header, rounds * WHOLE)?;
    let mut rounds = solved.chunks(WHOLE);
    let raw = Raw::open(&folder.join("raw-too"))?;
    let contest = Contest::run(
        WHOLE_ROUNDS,
        || rate(&server.socket, rounds.next().context("no more")?, DEPOSITORS),
        || raw.rate(u32::try_from(WHOLE)?),
    )?;
    contest.tell("PUT, whole", "engine");
    let verifying = whole::verifying()?.as_secs_f64() * 1e6;
    println!("  of which the verification of one proof of work takes {verifying:.0} us");
    Ok(())
}
