//! The command line.

mod doctor;
mod report;
mod run;

pub use run::run;

use crate::effort::Policy;
use board::pow::MAX_EFFORT;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The oblivious mailbox server of pvtcoms.
///
/// Stores public pages of opaque envelopes. It opens no network: an onion service (`pvtcoms-tor
/// host` or C tor) forwards to its Unix socket.
#[derive(Parser)]
#[command(version, name = "pvtcoms-mailbox")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A subcommand.
#[derive(Subcommand)]
pub enum Command {
    /// Serve a board until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Print the totals that a server wrote at its last page.
    Status(Status),
    /// Look for what is wrong, and say what to do about it. Writes nothing; code 1 if something is.
    Doctor(Doctor),
}

/// Options of `serve`. Settings are the same for every client: they stand in each page header.
#[derive(Args)]
pub struct Serve {
    /// Where to listen: `unix:PATH`.
    #[arg(long, value_name = "unix:PATH", value_parser = socket_path)]
    pub listen: PathBuf,
    /// Directory of the board; made if missing.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Directory of the day keys, on another device if you like [default: DATA/keys].
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// The onion service that forwards here: its address, or its key in hex.
    #[arg(long, value_name = "ADDRESS", value_parser = onion_key, required_unless_present = "onion_file")]
    pub onion: Option<[u8; 32]>,
    /// A file with that address or key; waited for if it is not there yet.
    #[arg(long, value_name = "FILE", conflicts_with = "onion")]
    pub onion_file: Option<PathBuf>,
    /// Seconds between pages.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=300))]
    pub interval: u16,
    /// Least number of envelopes in a page; random ones are added.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(8..=256))]
    pub fill: u16,
    /// Hours that a page is kept.
    #[arg(long, value_name = "HOURS", default_value_t = 336, value_parser = clap::value_parser!(u16).range(24..=720))]
    pub ttl_hours: u16,
    /// Proof of work for a deposit on a quiet board: 1 costs a client about a tenth of a second.
    /// It rises with the deposits and with the disk, for everybody.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_EFFORT)))]
    pub effort: u32,
    /// The most that it rises to; clients do up to 1000.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_EFFORT)))]
    pub max_effort: u32,
    /// How many people the board is for: with more than two deposits a minute for each, the proof
    /// of work rises.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub people: u32,
    /// Megabytes of disk to leave free; below it deposits are told to retry.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    pub reserve: u64,
    /// Megabytes of free disk from which on the proof of work rises [default: 4 x the reserve].
    #[arg(long, value_name = "MB")]
    pub soft_limit: Option<u64>,
    /// Let the socket's group connect too (mode 0660), for a Tor that runs as another user.
    #[arg(long)]
    pub group: bool,
    /// Write down everything that the protocol shows to an operator, one JSON object a line. Any
    /// operator could; clients are built so that it helps nobody.
    #[arg(long, value_name = "FILE")]
    pub observe: Option<PathBuf>,
    /// Tell on standard output what happens, one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Options of `status`.
#[derive(Args)]
pub struct Status {
    /// Directory of the board.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

impl Serve {
    /// What decides over the effort (BRD-23).
    fn policy(&self) -> Policy {
        let megabytes = |mb: u64| mb.saturating_mul(1 << 20);
        Policy {
            base: self.effort,
            max: self.max_effort,
            people: self.people,
            soft: megabytes(self.soft_limit.unwrap_or_else(|| self.reserve.saturating_mul(4))),
            reserve: megabytes(self.reserve),
        }
    }
}

/// Options of `doctor`.
#[derive(Args)]
pub struct Doctor {
    /// Directory of the board.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Directory of the day keys [default: where the server last had it].
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// The socket [default: where the server last listened].
    #[arg(long, value_name = "unix:PATH", value_parser = socket_path)]
    pub listen: Option<PathBuf>,
    /// The file with the onion service's address.
    #[arg(long, value_name = "FILE")]
    pub onion_file: Option<PathBuf>,
    /// Answer with one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn socket_path(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("expected unix:PATH".into()),
    }
}

/// Reads an onion address, or 64 hexadecimal digits.
///
/// # Errors
/// A sentence for the operator.
pub fn onion_key(text: &str) -> Result<[u8; 32], String> {
    let text = text.trim();
    let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    if let Some(key) = hex.and_then(|bytes| bytes.try_into().ok()) {
        return Ok(key);
    }
    board::address::decode(text).map_err(|e| e.to_string())
}
