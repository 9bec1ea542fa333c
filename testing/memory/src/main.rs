//! The process that is looked into: lives through the steps that it is told on stdin, with the
//! product's crates alone, and says on stdout where it is. What it is told holds no secret: dice
//! come masked, and everything else it makes itself.
//!
//! ```text
//! a step, in JSON ──► it is performed
//! "drop"          ──► everything is dropped
//! "leak"          ──► the control: a copy of a secret is freed without being wiped
//! ```
//! Each line is answered by `done`.

mod dice;
mod subject;

use anyhow::{Context, Result};
use std::io::{BufRead, Write};
use subject::Subject;

fn main() -> Result<()> {
    let mut subject = Some(Subject::default());
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.as_str() {
            "drop" => drop(subject.take()),
            "leak" => subject::leak(subject.as_ref().context("nothing is held")?)?,
            step => {
                let step = serde_json::from_str(step).context("a step is JSON")?;
                subject.as_mut().context("everything was dropped")?.perform(&step)?;
            }
        }
        writeln!(out, "done")?;
        out.flush()?;
    }
    Ok(())
}
