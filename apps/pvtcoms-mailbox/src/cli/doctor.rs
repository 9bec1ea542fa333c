use super::Doctor;
use crate::doctor::{State, Where, examine};
use anyhow::Result;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// Prints what was looked at, a line each; code 1 if something fails.
pub(super) fn doctor(options: Doctor) -> Result<ExitCode> {
    let Doctor { data, keys, listen, onion_file, json } = options;
    let checks = examine(&Where { data, keys, listen, onion_file });
    let fine = checks.iter().all(|check| check.state != State::Fail);
    let text = if json {
        let checks: Vec<_> = checks.iter().map(crate::doctor::Check::to_json).collect();
        format!("{:#}\n", json!({ "fine": fine, "checks": checks }))
    } else {
        checks.iter().map(|check| check.line() + "\n").collect()
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
