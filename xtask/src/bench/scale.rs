//! `cargo xtask bench --scale`: what a message costs must not grow with the history. Instructions of engine and store are counted by callgrind
//! for a profile with 100,000 messages and 200 contacts, and for one with 100 and 2; catching up is timed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::count::Program;
use crate::project::{self, Project};

const PACKAGE: &str = "pvtcoms-scale";
/// Contacts and messages of the two profiles.
const SMALL: [&str; 2] = ["2", "100"];
const LARGE: [&str; 2] = ["200", "100000"];
/// What a message may cost in the large profile, in hundredths of what it costs in the small one.
const BOUND: u64 = 130;
/// Envelopes that wait from each of the 200 contacts: 10,000 in all. Each may have 56 under way.
const WAITING: &str = "50";
/// Milliseconds of processor time, and bytes of memory, that catching up may take.
const CATCH_UP_MS: u64 = 60_000;
const MEMORY: u64 = 100_000_000;

/// Measures, and fails where a bound is exceeded, or if a send that reads all rows goes unnoticed.
pub(crate) fn run(project: &Project) -> Result<()> {
    let bench = Bench::set(project)?;
    let [send, receive, control] =
        ["send", "receive", "walking-send"].map(|scenario| bench.ratio(scenario));
    let (send, receive, control) = (send?, receive?, control?);
    let [envelopes, ms, grown] = bench.catch_up()?;
    std::fs::remove_dir_all(&bench.folder).context("the profiles stay")?;
    let memory = grown.div_ceil(1_000_000);
    println!("catch-up: envelopes={envelopes} cpu_ms={ms} memory_mb={memory}");
    println!("control: send={}, caught={}", hundredths(control), u8::from(control > BOUND));
    println!("scale: send={} receive={}", hundredths(send), hundredths(receive));
    if control <= BOUND {
        bail!("a send that reads all rows was not noticed");
    }
    if send.max(receive) > BOUND {
        bail!("a message costs more than {} times as much with a long history", hundredths(BOUND));
    }
    if ms > CATCH_UP_MS || grown > MEMORY {
        bail!("catching up may take {CATCH_UP_MS} ms and {MEMORY} bytes");
    }
    Ok(())
}

struct Bench {
    program: Program,
    folder: PathBuf,
}

impl Bench {
    /// Builds the program and makes both profiles.
    fn set(project: &Project) -> Result<Self> {
        let program =
            Program::build_bin(project, PACKAGE, "pvtcoms-scale", "*scale*meter*measured*")?;
        let folder = project.target().join("scale");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("an earlier run left its profiles")?;
        }
        std::fs::create_dir_all(&folder)?;
        let bench = Self { program, folder };
        for [contacts, messages] in [SMALL, LARGE] {
            println!("a profile with {messages} messages and {contacts} contacts");
            let profile = bench.profile(contacts);
            project::run(
                Command::new(&bench.program.path)
                    .arg("prepare")
                    .arg(profile)
                    .args([contacts, messages]),
            )?;
        }
        Ok(bench)
    }

    fn profile(&self, contacts: &str) -> PathBuf {
        self.folder.join(contacts)
    }

    /// A copy to spoil.
    fn copy(&self, contacts: &str) -> Result<String> {
        let copy = self.folder.join("copy");
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        copy_folder(&self.profile(contacts), &copy)?;
        copy.into_os_string().into_string().ok().context("the path is no text")
    }

    /// What a scenario costs in the large profile, in hundredths of what it costs in the small one.
    fn ratio(&self, scenario: &str) -> Result<u64> {
        let [small, large] = [SMALL, LARGE].map(|[contacts, _]| {
            let copy = self.copy(contacts)?;
            self.program.count(&[scenario, &copy, contacts])
        });
        let (small, large) = (small?, large?);
        println!("  {scenario:<12} {small:>12} instructions, {large:>12} with the long history");
        large.saturating_mul(100).checked_div(small).context("nothing was counted")
    }

    /// Envelopes, milliseconds of processor time, and bytes by which the memory grew.
    fn catch_up(&self) -> Result<[u64; 3]> {
        let [contacts, _] = LARGE;
        let copy = self.copy(contacts)?;
        let mut command = Command::new(&self.program.path);
        let said = project::output(command.args(["catch-up", &copy, contacts, WAITING]))?;
        let numbers: Vec<u64> = said.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        numbers.try_into().ok().context("pvtcoms-scale said something else")
    }
}

/// Files keep their permissions: the store insists on its own.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &there)?;
        } else {
            std::fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}

/// 117 as 1.17.
fn hundredths(ratio: u64) -> String {
    format!("{}.{:02}", ratio.div_euclid(100), ratio.rem_euclid(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_read_well() {
        assert_eq!([100, 130, 97, 1405].map(hundredths), ["1.00", "1.30", "0.97", "14.05"]);
    }

    #[test]
    fn a_copy_has_everything() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        std::fs::create_dir_all(from.join("below")).unwrap();
        std::fs::write(from.join("below/file"), "text").unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("below/file")).unwrap(), "text");
    }
}
