//! `cargo xtask bench --mailbox`: the mailbox server beside peers in the same run, its memory, and what a client's schedule costs.

use anyhow::{Context as _, Result};

use crate::project::{self, Project};

const PACKAGE: &str = "pvtcoms-boards";
const SERVER: &str = "pvtcoms-mailbox";

/// Builds both programs in the release profile and lets the one measure the other. It prints everything itself, the last line begins
/// with `mailbox:`, or, for `what` = `flood` and `large`, with that word, and it fails where a bound is broken.
pub(crate) fn run(project: &Project, what: &str) -> Result<()> {
    println!(
        "the mailbox beside its peers: the first build takes some minutes, the run about five"
    );
    project::run(&mut project.cargo(&[
        "build",
        "--release",
        "--locked",
        "--bins",
        "--package",
        SERVER,
        "--package",
        PACKAGE,
    ]))?;
    let programs = project.target().join("release");
    // On the disk of the build directory: the system's own for temporary files may be in memory.
    let folder = project.target().join("boards");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("an earlier run left its boards")?;
    }
    project::run(
        project.command(programs.join(PACKAGE)).arg(what).arg(folder).arg(programs.join(SERVER)),
    )
}
