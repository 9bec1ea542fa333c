//! Reaching the core: the supervisor is started when none runs, the profile opened when it is
//! locked and somebody can give the passphrase.

use crate::args::Global;
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::Out;
use crate::paths::Paths;
use crate::rpc::Client;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done, Welcome};
use daemon::types::view::ProfileState;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a supervisor may take until its socket is there.
const START: Duration = Duration::from_secs(20);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// What every verb works with.
pub(crate) struct Face<'a> {
    pub(crate) paths: Paths,
    pub(crate) global: &'a Global,
    pub(crate) out: &'a Out,
}

impl Face<'_> {
    /// A connection if somebody listens, else nothing. Starts nothing.
    pub(crate) fn find(&self, interactive: bool) -> Outcome<Option<(Client, Welcome)>> {
        self.paths.check_socket()?;
        match Client::connect(&self.paths.socket()) {
            Ok(mut client) => {
                let welcome = client.hello(interactive).map_err(|fault| self.explain(fault))?;
                Ok(Some((client, welcome)))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(Fault::storage(
                format!("The service's socket cannot be used: {error}. Nothing was done."),
                "Run `pvtcoms doctor`.",
            )),
        }
    }

    /// A connection; starts the supervisor when none runs.
    pub(crate) fn reach(&self, interactive: bool) -> Outcome<(Client, Welcome)> {
        if let Some(found) = self.find(interactive)? {
            return Ok(found);
        }
        if self.global.no_start {
            return Err(Fault::new(
                ErrorKind::Internal,
                "The background service does not run. Nothing was done.",
                "Run `pvtcoms daemon`, or leave out --no-start.",
            ));
        }
        self.start(&[])?;
        self.find(interactive)?.ok_or_else(|| self.ended(None))
    }

    /// A connection to an open profile.
    pub(crate) fn open(&self, interactive: bool) -> Outcome<Client> {
        if !self.paths.has_profile() && self.find(interactive)?.is_none() {
            return Err(self.absent());
        }
        let (mut client, welcome) = self.reach(interactive)?;
        match welcome.profile {
            ProfileState::Unlocked => {}
            ProfileState::Absent => return Err(self.absent()),
            ProfileState::Locked => self.unlock(&mut client)?,
        }
        Ok(client)
    }

    /// Opens the profile with a passphrase from the descriptor or the terminal.
    pub(crate) fn unlock(&self, client: &mut Client) -> Outcome {
        let passphrase = ask::passphrase(self.global)?;
        let _: Done = client.call(Call::Unlock { passphrase: passphrase.as_str().to_owned() })?;
        Ok(())
    }

    /// There is no profile.
    pub(crate) fn absent(&self) -> Fault {
        Fault::new(
            ErrorKind::Profile,
            format!("There is no profile \"{}\". Nothing was done.", self.paths.profile),
            "Make one with `pvtcoms init`, or name another with --profile.",
        )
    }

    /// Starts a supervisor in the background and waits until it listens.
    pub(crate) fn start(&self, arguments: &[String]) -> Outcome {
        self.paths.prepare()?;
        let mut child = self.spawn(arguments)?;
        let deadline = Instant::now().checked_add(START);
        while Client::connect(&self.paths.socket()).is_err() {
            // Another face may have started one at the same moment: then ours has ended and that
            // one listens.
            if let Some(status) = child.try_wait().ok().flatten()
                && Client::connect(&self.paths.socket()).is_err()
            {
                return Err(self.ended(status.code()));
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(self.ended(None));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn spawn(&self, arguments: &[String]) -> Outcome<Child> {
        let failed = |error: io::Error| {
            Fault::storage(
                format!("The background service could not be started: {error}. Nothing was done."),
                "Run `pvtcoms daemon` to see more.",
            )
        };
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(self.paths.log())
            .map_err(failed)?;
        let program = std::env::current_exe().map_err(failed)?;
        Command::new(program)
            .args(["daemon", "--detached", "--profile", &self.paths.profile])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)
    }

    /// A core that hangs up on `hello` has ended: what the supervisor wrote says why.
    fn explain(&self, fault: Fault) -> Fault {
        if matches!(fault, Fault::Gone) { self.ended(None) } else { fault }
    }

    /// The service ended, or never began: its last words say why.
    fn ended(&self, code: Option<i32>) -> Fault {
        let said = std::fs::read_to_string(self.paths.log()).unwrap_or_default();
        let last = |start: &str| said.lines().rev().find_map(|line| line.strip_prefix(start));
        let kind = match code {
            Some(1) => ErrorKind::WrongUse,
            Some(7) => ErrorKind::Storage,
            Some(8) => ErrorKind::Sandbox,
            _ => ErrorKind::Internal,
        };
        Fault::new(
            kind,
            format!(
                "The background service has ended: {}",
                last("pvtcoms: ").unwrap_or("it left no reason.")
            ),
            last("Next: ").map_or_else(
                || format!("See {}, or run `pvtcoms daemon`.", self.paths.log().display()),
                str::to_owned,
            ),
        )
    }
}
