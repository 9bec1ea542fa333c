//! `cargo xtask linkability`: the experiment of `testing/linkability` (docs/linkability.md).

use std::ffi::OsString;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::project::{Project, run as run_program};

/// What to run: the program itself says what there is.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Options of the experiment: `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

/// Builds the experiment in the release profile and runs it; it prints its table and fails if a bound is broken or a control missed.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    eprintln!("linkability: building the experiment (some minutes at first)");
    let build = ["build", "--release", "--locked", "--quiet", "--package", "pvtcoms-linkability"];
    run_program(&mut project.cargo(&build))?;
    let mut program = project.command(project.target().join("release").join("linkability"));
    let start = Instant::now();
    run_program(program.args(&options.options))
        .context("it did not pass, or could not run; the lines above say why")?;
    eprintln!("linkability: {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
