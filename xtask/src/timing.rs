//! `cargo xtask timing`: runs the measurements of `testing/timing`, which fails by itself.

use anyhow::Result;

use crate::project::{Project, run as start};

/// Builds the program as it is released and runs it; no part of `ci`, since a busy machine blurs the figures.
pub(crate) fn run(project: &Project) -> Result<()> {
    println!("building (2 min the first time)");
    start(&mut project.cargo(&[
        "run",
        "--locked",
        "--quiet",
        "--release",
        "--package",
        "pvtcoms-timing",
    ]))
}
