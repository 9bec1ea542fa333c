//! The real programs, for verbs that start them on a private network.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::project::{Project, run as run_command};

/// Builds them, and from here on makes Ctrl-C end what they are started for: it sets the flag that is
/// given, and [`e2e::interrupted`] says so.
pub(crate) fn ready(project: &Project) -> Result<Arc<AtomicBool>> {
    println!("building the programs (the first time takes a quarter of an hour on two cores)");
    // All targets, as the tests are built: whoever does both compiles once.
    run_command(&mut project.cargo(&["build", "--workspace", "--all-targets", "--locked"]))?;
    interruptible()
}

/// Builds them as they are released, and has those started; else like [`ready`].
pub(crate) fn ready_as_released(project: &Project) -> Result<Arc<AtomicBool>> {
    println!(
        "building the programs as they are released (the first time takes a quarter of an hour on two cores)"
    );
    let build = ["build", "--release", "--locked"].into_iter();
    let only = e2e::PROGRAMS.into_iter().flat_map(|program| ["--package", program]);
    run_command(&mut project.cargo(&build.chain(only).collect::<Vec<_>>()))?;
    e2e::use_programs_of(&project.target().join("release"));
    interruptible()
}

/// What Ctrl-C sets from now on; for whoever waits through `e2e` too.
pub(crate) fn interruptible() -> Result<Arc<AtomicBool>> {
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancel);
    ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        e2e::interrupt();
    })?;
    Ok(cancel)
}
