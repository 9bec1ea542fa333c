//! `cargo xtask fuzz`: libFuzzer on every target of `testing/fuzz` (docs/fuzzing.md).
//!
//! Stable Rust and no installed tool: rustc passes LLVM's coverage switches on, and libFuzzer comes as a crate. Each run starts from the
//! committed corpus and the generated inputs, and is written into `fuzz/ledger.tsv` when it ends, or is ended by Ctrl-C.

mod ledger;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use self::ledger::{Ledger, Run};
use crate::programs;
use crate::project::{Project, output, run};

/// What `cargo xtask fuzz` is asked for.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// This target only; may be given more than once
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Inputs to try, for each target
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    runs: u64,
    /// Stop each target after this time
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    seconds: u64,
    /// Targets that run at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Count edges alone and do not trace compares: up to 1.6 times as many inputs in a time, once little is found that is new
    #[arg(long)]
    no_compares: bool,
    /// Reduce the corpora in `fuzz/corpus` to the fewest inputs that reach what is reached, new finds included
    #[arg(long, conflicts_with = "control")]
    minimise: bool,
    /// Look for the fault that is planted in `fuzz/src/bin/control.rs`
    #[arg(long)]
    control: bool,
    /// Runs that were made elsewhere, in the format of `fuzz/ledger.tsv`, to be added to it
    #[arg(long, value_name = "FILE")]
    add: Option<PathBuf>,
}

/// A target as `testing/fuzz` describes it.
struct Target {
    name: String,
    max_len: String,
}

/// Where everything lies.
struct Places {
    programs: PathBuf,
    /// Generated inputs and the committed corpus, as `plan` writes them.
    inputs: Inputs,
    /// What earlier runs on this machine have found, not committed.
    found: PathBuf,
    corpus: PathBuf,
    artifacts: PathBuf,
    /// What `fuzz/instrument.sh` is told: `yes` or `no`.
    compares: &'static str,
}

/// A folder of this process alone, so that two can run at one time; removed at the end.
struct Inputs(PathBuf);

impl Drop for Inputs {
    fn drop(&mut self) {
        let _absent = std::fs::remove_dir_all(&self.0);
    }
}

/// What libFuzzer's programs exit with after SIGINT (`-interrupted_exitcode`).
const INTERRUPTED: i32 = 72;

pub(crate) fn fuzz(project: &Project, options: &Options) -> Result<()> {
    if let Some(file) = &options.add {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let ledger = ledger::add(project, &text)?;
        println!("fuzz: targets={} executions_min={}", ledger.totals().len(), ledger.least());
        return Ok(());
    }
    // A ledger that cannot be read is said now, not after hours.
    Ledger::read(project)?;
    let places = Places::new(project, options.no_compares);
    std::fs::create_dir_all(&places.artifacts).context("cannot make fuzz/artifacts")?;
    build(project, &places)?;
    let targets = plan(project, &places, &options.targets)?;
    if options.control {
        return control(project, &places);
    }
    if options.minimise {
        return targets.iter().try_for_each(|target| minimise(project, &places, target));
    }
    // A terminal sends it to the programs as well, which stop and say what they did.
    let stopped = programs::interruptible()?;
    let crashes = all(project, &places, &targets, options, &stopped)?;
    let ledger = Ledger::read(project)?;
    let least = ledger.least_of(targets.iter().map(|target| target.name.as_str()));
    println!("fuzz: targets={} executions_min={least} crashes={crashes}", targets.len());
    ensure!(
        crashes == 0,
        "{crashes} inputs fail: they lie in fuzz/artifacts; put each into its corpus with the fix"
    );
    ensure!(!stopped.load(Ordering::Relaxed), "stopped; what ran until then is in the ledger");
    Ok(())
}

impl Places {
    fn new(project: &Project, no_compares: bool) -> Self {
        let fuzz = project.root().join("fuzz");
        let target = project.target().join("fuzz");
        // Cargo does not see what the wrapper adds: programs of two kinds in one folder would pass for each other.
        let (build, compares) = if no_compares { ("edges-alone", "no") } else { ("", "yes") };
        Self {
            programs: target.join(build).join("release"),
            inputs: Inputs(target.join("inputs").join(std::process::id().to_string())),
            found: target.join("found"),
            corpus: fuzz.join("corpus"),
            artifacts: fuzz.join("artifacts"),
            compares,
        }
    }

    /// The program of `target` as a command that leaves its findings in `fuzz/artifacts`.
    fn program(&self, project: &Project, target: &str) -> Command {
        let mut command = project.command(self.programs.join(target));
        command.arg(format!("-artifact_prefix={}/{target}-", self.artifacts.display()));
        command.stderr(std::process::Stdio::piped());
        command
    }
}

/// Writes the generated inputs and reads the list of targets, of which `only` those are wanted.
fn plan(project: &Project, places: &Places, only: &[String]) -> Result<Vec<Target>> {
    println!("fuzz: writing inputs");
    let listed = output(project.command(places.programs.join("plan")).arg(&places.inputs.0))?;
    let all: Vec<Target> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, len)| Target { name: name.to_owned(), max_len: len.to_owned() })
        .collect();
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|t| t.name == **name)) {
        let names: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
        bail!("there is no target `{unknown}`: {}", names.join(", "));
    }
    Ok(all.into_iter().filter(|t| only.is_empty() || only.contains(&t.name)).collect())
}

/// Builds the programs. The compiler is wrapped so that our own crates alone are instrumented.
fn build(project: &Project, places: &Places) -> Result<()> {
    println!("fuzz: building the programs (the first time takes minutes)");
    let fuzz = project.root().join("fuzz");
    // Not `--locked`: a dependency that the product gains stands in the product's lock file, and cargo adds it to this one.
    let mut cargo = project.cargo(&["build", "--release", "--quiet"]);
    cargo.current_dir(&fuzz).env("RUSTC_WRAPPER", fuzz.join("instrument.sh"));
    cargo.env("CARGO_TARGET_DIR", places.programs.parent().unwrap_or(project.target()));
    cargo.env("PVTCOMS_FUZZ_COMPARES", places.compares);
    run(&mut cargo)
}

/// Runs the targets, some at a time, in their order, and says how many failed.
fn all(
    project: &Project,
    places: &Places,
    targets: &[Target],
    options: &Options,
    stopped: &AtomicBool,
) -> Result<u64> {
    let waiting = Mutex::new(targets.iter());
    let take = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let worker = || -> Result<u64> {
        let mut crashes: u64 = 0;
        while !stopped.load(Ordering::Relaxed)
            && let Some(target) = take()
        {
            let run = one(project, places, target, options)?;
            crashes = run.crashes.saturating_add(crashes);
            ledger::add(project, &run.line())?;
        }
        Ok(crashes)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        let mut crashes: u64 = 0;
        for worker in workers {
            let Ok(done) = worker.join() else { bail!("a worker panicked") };
            crashes = done?.saturating_add(crashes);
        }
        Ok(crashes)
    })
}

fn one(project: &Project, places: &Places, target: &Target, options: &Options) -> Result<Run> {
    let name = &target.name;
    let found = places.found.join(name);
    std::fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let start = Instant::now();
    let mut command = places.program(project, name);
    command.args(["-len_control=0", "-print_final_stats=1", "-verbosity=1"]);
    command.arg(format!("-max_len={}", target.max_len)).arg(format!("-runs={}", options.runs));
    command.arg(format!("-max_total_time={}", options.seconds));
    command.args([&found, &places.inputs.0.join(name)]);
    let (status, log) = followed(command, name).with_context(|| format!("cannot run {name}"))?;
    let executions: u64 = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
        .with_context(|| format!("{name} gave no figures:\n{log}"))?;
    let seconds = start.elapsed().as_secs().max(1);
    let fine = status.success() || status.code() == Some(INTERRUPTED);
    let crashes = u64::from(!fine);
    if crashes > 0 {
        println!("{log}");
    }
    let rate = executions.checked_div(seconds).unwrap_or_default();
    println!("{name:24} executions={executions} per_second={rate} crashes={crashes}");
    Ok(Run::new(project, name, executions, seconds, crashes))
}

/// Runs a program to its end and gives what it said; how far it is, which libFuzzer says at powers of two, is shown.
fn followed(mut program: Command, name: &str) -> std::io::Result<(ExitStatus, String)> {
    let mut child = program.spawn()?;
    let mut log = String::new();
    for line in child.stderr.take().into_iter().flat_map(|said| BufReader::new(said).split(b'\n')) {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if let Some((executions, _)) = line.split_once("\tpulse") {
            println!("{name:24} {executions}");
        }
        log.push_str(&line);
        log.push('\n');
    }
    Ok((child.wait()?, log))
}

/// Replaces a committed corpus by the smallest set that reaches as much.
fn minimise(project: &Project, places: &Places, target: &Target) -> Result<()> {
    let name = &target.name;
    let found = places.found.join(name);
    let fresh = places.found.join(format!("{name}.fresh"));
    let _absent = std::fs::remove_dir_all(&fresh);
    for folder in [&found, &fresh] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = places.program(project, name);
    command.arg("-set_cover_merge=1").arg(format!("-max_len={}", target.max_len));
    command.args([&fresh, &places.inputs.0.join(name), &found]);
    run(command.stderr(std::process::Stdio::null()))?;
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(&fresh).context("cannot list a corpus")? {
        inputs.push(read(&entry?.path())?);
    }
    std::fs::remove_dir_all(&fresh).context("cannot remove the fresh corpus")?;
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let hex = |input: &Vec<u8>| input.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let text: String = inputs.iter().map(|input| hex(input) + "\n").collect();
    let file = places.corpus.join(format!("{name}.hex"));
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{name:24} inputs={}", inputs.len());
    Ok(())
}

/// The planted fault must be found, in a build where forged tags pass.
fn control(project: &Project, places: &Places) -> Result<()> {
    const MAGIC: &[u8] = b"PVT!";
    let mut command = places.program(project, "control");
    let input = places.artifacts.join("control-found");
    let _absent = std::fs::remove_file(&input);
    command.arg(format!("-exact_artifact_path={}", input.display()));
    let out =
        command.args(["-runs=20000000", "-seed=1"]).output().context("cannot start control")?;
    ensure!(!out.status.success(), "the planted fault was not found in 20,000,000 inputs");
    let log = String::from_utf8_lossy(&out.stderr);
    ensure!(log.contains("the planted fault"), "control failed otherwise:\n{log}");
    let found = read(&input)?;
    ensure!(found.starts_with(MAGIC), "the recorded input is not the one that fails");
    refused_in_release(project)?;
    let input = String::from_utf8_lossy(&found);
    println!("fuzz: control=found input={input:?} release_with_hook=refused");
    Ok(())
}

/// A release build with the flag that makes forged tags pass does not compile.
fn refused_in_release(project: &Project) -> Result<()> {
    let mut cargo = project.cargo(&["check", "--release", "--locked", "--package"]);
    cargo.arg("pvtcoms-crypto").env("RUSTFLAGS", "--cfg fuzzing");
    let out = cargo.env("CARGO_TARGET_DIR", project.target().join("fuzz/refused")).output();
    let out = out.context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&out.stderr).contains("cfg(fuzzing) opens forgeries");
    ensure!(!out.status.success() && said, "a release build takes cfg(fuzzing): see TAGS_PASS");
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
