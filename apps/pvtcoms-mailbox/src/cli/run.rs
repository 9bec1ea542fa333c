use super::doctor::doctor;
use super::report::Report;
use super::{Cli, Command, Serve, Status, onion_key};
use crate::committer::{Committer, Reserve};
use crate::counters::{Counters, STATUS_FILE, write_status};
use crate::desk::Desk;
use crate::observe::Observer;
use crate::pages::Pages;
use crate::server::{self, Shared};
use crate::store::{DiskStore, Store};
use crate::{clock, socket};
use anyhow::{Context, Result};
use board::page::Settings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, absolute};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often a file that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Threads for reading the store and checking proofs of work.
const BLOCKING_THREADS: usize = 4;

/// Does what the command line says; gives the exit code.
///
/// # Errors
/// A sentence for the operator.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Serve(options) => serve(&options).map(|()| ExitCode::SUCCESS),
        Command::Status(options) => status(&options).map(|()| ExitCode::SUCCESS),
        Command::Doctor(options) => doctor(options),
    }
}

fn status(options: &Status) -> Result<()> {
    let path = options.data.join(STATUS_FILE);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("no server has written {} yet", path.display()))?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn serve(options: &Serve) -> Result<()> {
    raise_descriptors();
    let mailbox = match (&options.onion, &options.onion_file) {
        (Some(key), _) => *key,
        (None, Some(file)) => wait_for_onion(file)?,
        (None, None) => anyhow::bail!("--onion or --onion-file is needed"),
    };
    let settings = Settings {
        interval_s: options.interval,
        fill: options.fill,
        ttl_h: options.ttl_hours,
        mailbox,
    };
    let policy = options.policy();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.data)
        .with_context(|| format!("cannot make {}", options.data.display()))?;
    let keys = options.keys.clone().unwrap_or_else(|| options.data.join("keys"));
    let store: Arc<dyn Store> = Arc::new(
        DiskStore::open(&options.data.join("board"), &keys)
            .with_context(|| format!("cannot open the board in {}", options.data.display()))?,
    );
    let reserve = Reserve { dir: options.data.clone(), bytes: policy.reserve };
    let mut pages = Pages::open(Arc::clone(&store), settings, policy, clock::now())?;
    pages.set_free(reserve.free());
    pages.tick(clock::now()).context("cannot close the first page")?;
    // After the lock of the data directory: the socket of a running server is never replaced.
    let listener = socket::listen(&options.listen, options.group)?;

    let report = Report {
        settings,
        policy,
        view: pages.view(),
        counters: Arc::new(Counters::default()),
        since: clock::now(),
        socket: absolute(&options.listen)?,
        keys: absolute(&keys)?,
        store: Arc::clone(&store),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()?;
    let totals = runtime.block_on(board(options, report, reserve, store, pages, listener))?;
    tell(options.json, "stopped", &totals);
    Ok(())
}

async fn board(
    options: &Serve,
    report: Report,
    reserve: Reserve,
    store: Arc<dyn Store>,
    pages: Pages,
    listener: std::os::unix::net::UnixListener,
) -> Result<Value> {
    let listener = UnixListener::from_std(listener)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let observer = match &options.observe {
        Some(file) => {
            warn(&format!("writing down every request to {}", file.display()));
            Observer::to_file(file).with_context(|| format!("cannot write {}", file.display()))?
        }
        None => Observer::default(),
    };
    let (stop, stopping) = watch::channel(false);
    let (closing, closed) = watch::channel(pages.open_page());
    let (committer, thread) =
        Committer::start(pages, reserve, Arc::clone(&report.counters), closing, warn)?;
    let (view, counters) = (Arc::clone(&report.view), Arc::clone(&report.counters));
    let shared = Arc::new(Shared {
        desk: Desk::new(store, view, report.settings, counters, observer),
        committer: committer.clone(),
        closed: closed.clone(),
        stopping,
    });
    let address = board::address::encode(&report.settings.mailbox);
    tell(
        options.json,
        "listening",
        &json!({ "mailbox": address, "open_page": *closed.borrow(), "socket": options.listen }),
    );

    let serving = server::serve(&listener, &shared);
    let signalled = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        // The batch under way is finished and answered before the connections end.
        let ending = tokio::task::spawn_blocking(move || {
            committer.stop();
            thread.join()
        });
        let _ended = ending.await;
        stop.send_replace(true);
    };
    let reporting = keep_status(options, &report, closed);
    tokio::select! {
        ((), ()) = async { tokio::join!(serving, signalled) } => {}
        () = reporting => {}
    }
    // Nobody is surprised by a socket that is gone; a socket that stays is replaced at the start.
    let _left = fs::remove_file(&options.listen);
    write_status(&options.data, &report.describe("stopped"))?;
    Ok(report.counters.to_json())
}

/// Writes the status file at every page; never returns.
async fn keep_status(options: &Serve, report: &Report, mut closed: watch::Receiver<u64>) {
    loop {
        if let Err(e) = write_status(&options.data, &report.describe("running")) {
            warn(&format!("cannot write {STATUS_FILE}: {e}"));
        }
        if closed.changed().await.is_err() {
            // The committer ended; the server is about to.
            std::future::pending::<()>().await;
        }
        let page = *closed.borrow_and_update();
        if options.json {
            tell(true, "page", &json!({ "open_page": page }));
        }
    }
}

fn wait_for_onion(file: &Path) -> Result<[u8; 32]> {
    let mut said = false;
    loop {
        match fs::read_to_string(file) {
            // The writer may be in the middle of it.
            Ok(text) if !text.trim().is_empty() => {
                return onion_key(&text).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()));
            }
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot read {}", file.display()));
            }
            _ => {}
        }
        if !said {
            warn(&format!("waiting for the onion service's address in {}", file.display()));
            said = true;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Takes all descriptors that the system lets the program have: each connection needs one. A
/// system that says no has its reasons, and `doctor` shows the limit.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// One line for people on standard error, or one for programs on standard output.
fn tell(as_json: bool, event: &str, details: &Value) {
    if as_json {
        let mut line = json!({ "event": event });
        if let (Some(line), Some(details)) = (line.as_object_mut(), details.as_object()) {
            line.extend(details.clone());
        }
        let _reader_gone = writeln!(io::stdout(), "{line}");
    } else {
        warn(&format!("{event} {details}"));
    }
}

fn warn(text: &str) {
    let _reader_gone = writeln!(io::stderr(), "pvtcoms-mailbox: {text}");
}
