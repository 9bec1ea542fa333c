//! `cargo xtask vectors`: makes the test vectors of ours anew, or says how the committed ones differ.
//!
//! The work is a program of its own (`testing/vectors`), so that this one need not link the protocol.

use anyhow::{Context as _, Result};

use crate::project::{self, Project};

pub(crate) fn run(project: &Project, check: bool) -> Result<()> {
    println!("vectors: building the generator, then making every vector (a few seconds)");
    let mut command =
        project.cargo(&["run", "--quiet", "--locked", "--package", "pvtcoms-vectors"]);
    if check {
        command.args(["--", "--check"]);
    }
    project::run(&mut command).context(if check {
        "the committed vectors are not what this code makes; `cargo xtask vectors` writes them anew"
    } else {
        "the vectors were not made"
    })
}
