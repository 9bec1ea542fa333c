//! A person at a command line.

use crate::process::{Running, private_folder, programs, wait_until};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The passphrase of every test profile; it protects nothing.
const PASSPHRASE: &str = "correct horse battery staple demo\n";

/// The variables that say where a profile's folders are, and what they are called here.
const FOLDERS: [(&str, &str); 5] = [
    ("XDG_DATA_HOME", "data"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_RUNTIME_DIR", "run"),
];

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// Exit code (PRD-13).
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The objects of `--json`, one a line.
    ///
    /// # Errors
    /// If a line is no JSON.
    pub fn json(&self) -> Result<Vec<Value>> {
        self.out.lines().map(|line| serde_json::from_str(line).context("not JSON")).collect()
    }
}

/// A person with a profile; its background service ends with this value.
pub struct Person {
    /// Name of person and profile.
    pub name: String,
    folder: PathBuf,
}

impl Person {
    /// A person whose folders are below `folder`.
    ///
    /// # Errors
    /// If the folders cannot be made.
    pub fn arrive(folder: &Path, name: &str) -> Result<Self> {
        for (_, below) in FOLDERS {
            private_folder(&folder.join(below))?;
        }
        Ok(Self { name: name.to_owned(), folder: folder.to_owned() })
    }

    /// Starts the service from a shell that says `before` first, such as a limit or a clock.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_after(&self, before: &str, network: &Path) -> Result<()> {
        let pvtcoms = self.command()?;
        let program = pvtcoms.get_program().to_string_lossy().into_owned();
        let line = format!("{before} {program} --profile {} \"$@\"", self.name);
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, "sh", "daemon", "--background", "--network"]).arg(network);
        shell.envs(pvtcoms.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let done = shell.stdin(Stdio::null()).output()?;
        if !done.status.success() {
            bail!("the service does not start: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }

    /// Ends the service, and core and gate with it.
    ///
    /// # Errors
    /// If the command fails.
    pub fn stop(&self) -> Result<()> {
        self.must(&["stop"]).map(|_| ())
    }

    /// Makes the profile.
    ///
    /// # Errors
    /// If the command fails.
    pub fn init(&self, mode: &str, mailbox: &str, net: &Path) -> Result<()> {
        let net = net.to_string_lossy();
        let arguments = [
            "init",
            "--passphrase-fd",
            "0",
            "--name",
            &self.name,
            "--mode",
            mode,
            "--mailbox",
            mailbox,
            "--network",
            &net,
        ];
        // The profile is made where it is nine in the morning: at night a slot comes every five minutes
        // (BRD-38), and what `fast` mode leaves to the slots would outlast any patience.
        let hour = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 3600 % 24;
        let mut command = self.command()?;
        command.env("TZ", format!("MORNING{:+}", hour.cast_signed() - 9));
        self.succeeded(&arguments, fed(command, &arguments, PASSPHRASE)?).map(|_| ())
    }

    /// Opens the profile.
    ///
    /// # Errors
    /// If the command fails.
    pub fn unlock(&self) -> Result<()> {
        self.must_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE).map(|_| ())
    }

    /// The command `pvtcoms --profile NAME` with this person's folders.
    ///
    /// # Errors
    /// If the programs were not built.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(programs()?.join("pvtcoms"));
        for (variable, below) in FOLDERS {
            command.env(variable, self.folder.join(below));
        }
        command.args(["--profile", &self.name]);
        Ok(command)
    }

    /// Shell words that set this person's folders, for trying by hand.
    #[must_use]
    pub fn environment(&self) -> String {
        let set = |(variable, below): (&str, &str)| {
            format!("{variable}={}", self.folder.join(below).display())
        };
        FOLDERS.map(set).join(" ")
    }

    /// Runs a command with nothing on its standard input.
    ///
    /// # Errors
    /// If it cannot be run at all.
    pub fn run(&self, arguments: &[&str]) -> Result<Answer> {
        self.run_with(arguments, "")
    }

    /// Runs a command with text on its standard input.
    ///
    /// # Errors
    /// If it cannot be run at all.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Result<Answer> {
        fed(self.command()?, arguments, input)
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// With what it printed, if it fails.
    pub fn must(&self, arguments: &[&str]) -> Result<Answer> {
        self.must_with(arguments, "")
    }

    /// Runs a command with text on its standard input; it must succeed.
    ///
    /// # Errors
    /// With what it printed, if it fails.
    pub fn must_with(&self, arguments: &[&str], input: &str) -> Result<Answer> {
        self.succeeded(arguments, self.run_with(arguments, input)?)
    }

    fn succeeded(&self, arguments: &[&str], answer: Answer) -> Result<Answer> {
        if answer.code != 0 {
            let verb = arguments.iter().find(|a| !a.starts_with("--")).unwrap_or(&"");
            bail!("{}: `pvtcoms {verb}` ended with {}: {}", self.name, answer.code, answer.err);
        }
        Ok(answer)
    }

    /// Runs a command with `--json`; it must succeed. Gives its objects.
    ///
    /// # Errors
    /// If it fails, or prints something else.
    pub fn json(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        self.must(&[&["--json"], arguments].concat())?.json()
    }

    /// Pairs with another person: invite, words, both ways.
    ///
    /// # Errors
    /// If a step fails or takes longer than five minutes.
    pub fn pair(&self, other: &Self) -> Result<()> {
        let uri = self.must(&["invite", "new", "--uri", "--name", &other.name])?.out;
        other.must_with(&["accept", "-", "--name", &self.name], &uri)?;
        self.wait_contact(&other.name)?;
        other.wait_contact(&self.name)?;
        self.verify(other)?;
        other.verify(self)
    }

    /// Waits until a contact is there.
    ///
    /// # Errors
    /// If it is not within five minutes.
    pub fn wait_contact(&self, name: &str) -> Result<Value> {
        wait_until(&format!("{}'s contact {name}", self.name), Duration::from_secs(300), || {
            Ok(self.json(&["contacts"])?.into_iter().find(|contact| contact["name"] == name))
        })
    }

    /// Types the words that `other` reads aloud.
    ///
    /// # Errors
    /// If the words are refused.
    pub fn verify(&self, other: &Self) -> Result<()> {
        let words = other.reads_aloud(&self.name)?;
        self.must_with(&["verify", &other.name], &format!("{}\n", words.join(" "))).map(|_| ())
    }

    /// The words that this person reads aloud to `contact`.
    ///
    /// # Errors
    /// If there is nothing to compare.
    pub fn reads_aloud(&self, contact: &str) -> Result<Vec<String>> {
        // Without input the comparison is shown and nothing is decided.
        let shown = self.run(&["--json", "verify", contact])?;
        let first = shown.out.lines().next().with_context(|| format!("no words: {}", shown.err))?;
        let comparison: Value = serde_json::from_str(first)?;
        let words = comparison["read_aloud"].as_array().context("no words")?;
        words.iter().map(|pair| pair[1].as_str().map(str::to_owned).context("no word")).collect()
    }

    /// Follows what comes in.
    ///
    /// # Errors
    /// If the command does not start.
    pub fn follow(&self) -> Result<Follower> {
        let mut running = Running::start(
            self.command()?
                .args(["--json", "inbox", "--follow"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        )?;
        let out = running.child().stdout.take().context("no output")?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str::<Value>(&line) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(value);
                }
            }
        });
        Ok(Follower { seen, _running: running })
    }

    /// Everything that `contact` said, oldest first.
    ///
    /// # Errors
    /// If the command fails.
    pub fn received_from(&self, contact: &str) -> Result<Vec<String>> {
        let all = self.json(&["history", contact, "--limit", "200"])?;
        Ok(all
            .iter()
            .filter(|message| message["state"] == "received")
            .filter_map(|message| message["text"].as_str().map(str::to_owned))
            .collect())
    }

    /// The state of a message of ours.
    ///
    /// # Errors
    /// If the command fails.
    pub fn state_of(&self, contact: &str, id: &str) -> Result<String> {
        let all = self.json(&["history", contact, "--limit", "200"])?;
        let message = all.iter().find(|message| message["id"] == id).context("no such message")?;
        Ok(message["state"].as_str().unwrap_or_default().to_owned())
    }

    /// Process id of the supervisor, from its pid file.
    #[must_use]
    pub fn daemon_id(&self) -> Option<u32> {
        let path = self.folder.join("run").join("pvtcoms").join(&self.name).join("pid");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    /// Process id of the supervisor if it runs, in a list as of [`children`](Self::children).
    #[must_use]
    pub fn supervisor(&self) -> Vec<u32> {
        // The file outlives one that was killed, and the number may be another's by then.
        let runs = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains("pvtcoms") && line.split('\0').any(|word| word == self.name)
        };
        self.daemon_id().filter(runs).into_iter().collect()
    }

    /// Process ids of the children of the supervisor that run `program`.
    #[must_use]
    pub fn children(&self, program: &str) -> Vec<u32> {
        self.daemon_id().map_or_else(Vec::new, |parent| children_of(parent, program))
    }

    /// Process ids of what makes proofs of work for the core.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        let cores = self.children("pvtcomsd").into_iter();
        cores.flat_map(|core| children_of(core, "pvtcomsd")).collect()
    }
}

fn children_of(parent: u32, program: &str) -> Vec<u32> {
    let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let (name, rest) = stat.split_once(") ").unwrap_or_default();
            let parent_of = rest.split(' ').nth(1).and_then(|id| id.parse::<u32>().ok());
            // The kernel keeps fifteen letters of a program's name.
            let short: String = program.chars().take(15).collect();
            parent_of == Some(parent) && name.ends_with(&format!("({short}"))
        })
        .collect()
}

impl Drop for Person {
    fn drop(&mut self) {
        // Nothing that a person started outlives them.
        let _ = self.run(&["stop"]);
    }
}

/// `inbox --follow`.
pub struct Follower {
    seen: Arc<Mutex<Vec<Value>>>,
    _running: Running,
}

impl Follower {
    /// What has come so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs a command with arguments and text on its standard input.
fn fed(mut command: Command, arguments: &[&str], input: &str) -> Result<Answer> {
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no input")?;
    let input = input.to_owned();
    // A thread: a child that prints before it reads must not stop the two of us.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let done = child.wait_with_output()?;
    let _ = writer.join();
    Ok(Answer {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}
