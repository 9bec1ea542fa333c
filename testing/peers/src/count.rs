//! `pvtcoms-count SCENARIO`: runs one scenario once, for callgrind.

use anyhow::{Context as _, Result};
use peers::SCENARIOS;

fn main() -> Result<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let scenario = SCENARIOS.iter().find(|s| s.name == wanted).with_context(|| {
        let names: Vec<_> = SCENARIOS.iter().map(|s| s.name).collect();
        format!("usage: pvtcoms-count {}", names.join(" | "))
    })?;
    (scenario.run)()
}
