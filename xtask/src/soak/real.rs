//! `cargo xtask soak --real`: people talk in pairs over real `tor` processes while programs are killed.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use e2e::soak::{CONTROLS, Options, Outcome, Progress};

use super::runs::{Run, Runs};
use crate::project::Project;

/// Runs it until `cancel`, or Ctrl-C, ends it; what was done until then is judged, printed and written
/// into the list of runs.
pub(super) fn run(
    project: &Project,
    wanted: &super::Options,
    cancel: Arc<AtomicBool>,
) -> Result<()> {
    let &super::Options { seed, pairs, kill_every, messages, minutes, .. } = wanted;
    let folder = fresh_folder()?;
    let limit = minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    let messages = messages.unwrap_or(super::REAL);
    let options =
        Options { messages, pairs, seed, kill_every, limit, folder: folder.clone(), cancel };
    let outcome = e2e::soak::run(&options, tell);
    println!();
    let listed = |outcome: Outcome| {
        let mut runs = Runs::read(project)?;
        runs.add(project, Run::new(project, (seed, pairs), &outcome))?;
        report(&outcome)?;
        println!("{}", runs.total());
        Ok(())
    };
    match outcome.and_then(listed) {
        Ok(()) => std::fs::remove_dir_all(&folder).context("the soak's folder stays"),
        Err(error) => {
            println!("logs: {}", folder.display());
            Err(error)
        }
    }
}

/// `/tmp/pvtcoms-soak-PID` or where temporary files lie, private and empty: below the target directory
/// the path of a socket could become too long.
fn fresh_folder() -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = std::env::temp_dir().join(format!("pvtcoms-soak-{}", std::process::id()));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// One line that is written over itself; the stages of the start have one each.
fn tell(progress: &Progress) {
    let Progress { elapsed, said, delivered, killed, last } = progress;
    let seconds = elapsed.as_secs_f32();
    if *said == 0 {
        println!("{seconds:>7.1} s  {last}");
        return;
    }
    print!(
        "\r{seconds:>7.0} s  {said} said, {delivered} delivered, {killed} killed, last: {last:<24}"
    );
    // Nobody waits for this line.
    let _ = std::io::stdout().flush();
}

fn report(outcome: &Outcome) -> Result<()> {
    let Outcome { tally, findings, under_way, took, core_memory, caught } = outcome;
    println!("  {}", tally.happened());
    for finding in findings {
        println!("  {finding}");
    }
    if *under_way > 0 {
        println!("  {under_way} messages were under way at the end; they are not counted");
    }
    println!(
        "  {:.0} s, {} MB in the larger core, planted differences found: {caught} of {CONTROLS}",
        took.as_secs_f32(),
        core_memory.div_ceil(1_000_000),
    );
    println!("{tally}");
    if !findings.is_empty() {
        bail!("what is seen and what was said differ");
    }
    if *caught < CONTROLS && tally.messages > 100 {
        bail!("the comparison is blind: it does not find what was planted");
    }
    Ok(())
}
