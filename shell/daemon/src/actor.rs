//! The loop: one task owns engine and store; everything else asks it over a channel.
//!
//! ```text
//! faces ── Ask ──►┐                    ┌── commit(step): save, then effects ──► operations ──► gate
//! clock ──────────┤ handle_* ► Step ───┤
//! mailboxes ─News►┘                    └── save failed: nothing left; the engine is loaded again
//! ```

mod calls;
mod commit;
mod contacts;
mod conversation;
mod events;
mod files;
mod handle;
mod invites;
mod mailboxes;
mod operations;
mod profile;
mod status;
mod transfer;

pub(crate) use handle::{EventPosition, Handle};

use crate::clock;
use crate::work::Solver;
use commit::Running;
use gate::GateClient;
use handle::Ask;
use operations::{News, Operations};
use std::sync::Arc;
use std::time::Duration;
use store::{ProfileDir, Store};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// Calls that may wait for the loop; further faces wait before they are read.
const BACKLOG: usize = 32;
/// How long the loop waits for the answer of `lock` or `shutdown` to be written.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// `lock`: a fresh, locked core takes over (STO-17).
    Locked,
    /// `shutdown`: everything ends.
    Shutdown,
    /// The supervisor is gone, or has sent a signal.
    Ended,
}

impl Exit {
    /// The program's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Locked | Self::Ended => crate::types::EXIT_LOCKED,
            Self::Shutdown => crate::types::EXIT_SHUTDOWN,
        }
    }
}

/// What stays the same for the life of the process.
pub(crate) struct Setting {
    pub(crate) dir: Arc<ProfileDir>,
    pub(crate) cost: crypto::password::Cost,
    pub(crate) private_network: bool,
    /// Held while a thread opens the database: nobody may take the profile meanwhile, and the
    /// process may not end, because SQLCipher frees its heap at exit whoever still uses it.
    pub(crate) opening: Arc<Mutex<()>>,
}

/// An unlocked profile.
struct Open {
    store: Store,
    running: Running,
    /// When old messages are forgotten and the log is emptied next (STO-31), monotonic.
    tidy_at: u64,
}

/// The loop's state.
pub(crate) struct Core {
    setting: Setting,
    gate: GateClient,
    open: Option<Open>,
    /// A backup or restore under way.
    transfer: Option<transfer::Transfer>,
    operations: Operations,
    /// Why a file that came could not be saved, and when it is tried again (FIL-12).
    unsaved: files::Unsaved,
    /// Counts the steps that brought events.
    news: watch::Sender<u64>,
}

/// The loop, ready to run, and the way to ask it.
pub(crate) struct Loop {
    core: Core,
    asks: mpsc::Receiver<Ask>,
    answers: mpsc::Receiver<News>,
}

/// Makes a loop over a profile that is not open.
pub(crate) fn new(setting: Setting, gate: GateClient, solver: Solver) -> (Loop, Handle) {
    let (operations, answers) = Operations::new(gate.clone(), solver);
    let (sender, asks) = mpsc::channel(BACKLOG);
    let (news, receiver) = watch::channel(0);
    let core = Core {
        setting,
        gate,
        open: None,
        transfer: None,
        operations,
        unsaved: files::Unsaved::default(),
        news,
    };
    (Loop { core, asks, answers }, Handle::new(sender, receiver))
}

impl Loop {
    /// Runs until a face ends it.
    pub(crate) async fn run(mut self) -> Exit {
        loop {
            let wake = clock::sleep_towards(self.core.next_due());
            tokio::select! {
                ask = self.asks.recv() => {
                    let Some(ask) = ask else { return Exit::Ended };
                    if let Some((exit, written)) = self.core.ask(ask).await {
                        // Nothing is open any more: only the answer is still to be written.
                        let _ = tokio::time::timeout(FAREWELL, written).await;
                        return exit;
                    }
                }
                Some(news) = self.answers.recv() => self.core.answered(news),
                () = wake => self.core.tick(),
            }
            self.core.save_files();
        }
    }
}

/// The end of the loop, and the news that the last answer was written.
type Farewell = (Exit, oneshot::Receiver<()>);
