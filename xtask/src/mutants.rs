//! `cargo xtask mutants`: mistakes planted in copies of the protocol, each of which the ratchet machine must find by its name.
//!
//! The product has no switch for any of them. The sources that the machine needs are copied into a workspace under the build directory,
//! where they stay, so that only what a mistake touches is compiled again. A mistake is a piece of source that must be there exactly
//! once and what stands in its place. The untouched copy must pass: that is the control.

mod planted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use self::planted::{Edit, Mutant, PLANTED};
use crate::project::{Project, output};

/// The crates that the machine is made of.
const COPIED: &[&str] =
    &["protocol/wire", "protocol/crypto", "protocol/ratchet", "testing/machine"];
/// Steps in which a mistake must be found; the control passes as many.
const STEPS: &str = "40000";
const SEED: &str = "1";

/// Plants every mistake in turn.
pub(crate) fn run(project: &Project) -> Result<()> {
    let copy = Copy::make(project)?;
    println!("  control: nothing planted");
    copy.build()?;
    if let Some(failure) = copy.play(None)? {
        bail!("the machine fails without any mistake planted: {}", failure.name);
    }
    for mutant in PLANTED {
        let start = Instant::now();
        let found =
            copy.plant(mutant).and_then(|()| copy.build()).and_then(|()| judge(&copy, mutant));
        copy.restore()?;
        let found = found.with_context(|| format!("planted mistake: {}", mutant.what))?;
        println!("  {:>4.1} s  {}: {found}", start.elapsed().as_secs_f32(), mutant.what);
    }
    println!("mutants: planted={0} caught={0} control=passed", PLANTED.len());
    Ok(())
}

/// The mistake is found by its name, and the game that found it finds it again.
fn judge(copy: &Copy, mutant: &Mutant) -> Result<String> {
    let Some(failure) = copy.play(None)? else { bail!("the machine does not find it") };
    if !mutant.found_as.contains(&failure.name.as_str()) {
        bail!("found as `{}`, not as {:?}", failure.name, mutant.found_as);
    }
    let again = copy.play(Some(&failure.game))?;
    if again.is_none_or(|again| again.line != failure.line) {
        bail!("game {} does not replay exactly", failure.game);
    }
    Ok(failure.name)
}

/// The copied workspace.
struct Copy {
    folder: PathBuf,
    target: PathBuf,
    /// Sources as they are, by their path in the checkout.
    sources: BTreeMap<String, String>,
}

/// `failure: NAME (seed S, game G, step N)`, the last line of the machine.
struct Found {
    line: String,
    name: String,
    game: String,
}

impl Copy {
    fn make(project: &Project) -> Result<Self> {
        let home = project.target().join("mutants");
        let mut copy = Self {
            folder: home.join("tree"),
            target: home.join("target"),
            sources: BTreeMap::new(),
        };
        for member in COPIED {
            copy.gather(project.root(), Path::new(member))?;
        }
        let manifest = workspace(&project.read("Cargo.toml")?)?;
        copy.sources.insert("Cargo.toml".to_owned(), manifest);
        copy.sources.insert("rust-toolchain.toml".to_owned(), project.read("rust-toolchain.toml")?);
        copy.restore()?;
        // Cargo takes out of it what this workspace does not need.
        let lock = copy.folder.join("Cargo.lock");
        std::fs::write(&lock, project.read("Cargo.lock")?)
            .with_context(|| format!("cannot write {}", lock.display()))?;
        Ok(copy)
    }

    fn gather(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(root.join(folder))
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = folder.join(entry?.file_name());
            if root.join(&path).is_dir() {
                self.gather(root, &path)?;
            } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
                let text = std::fs::read_to_string(root.join(&path))
                    .with_context(|| format!("cannot read {}", path.display()))?;
                self.sources.insert(path.to_string_lossy().into_owned(), text);
            }
        }
        Ok(())
    }

    /// Puts everything back as it is in the checkout.
    fn restore(&self) -> Result<()> {
        self.sources.iter().try_for_each(|(path, text)| self.write(path, text))
    }

    /// Writes what differs, so that nothing else is compiled again.
    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let folder = path.parent().context("a file lies in a folder")?;
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn plant(&self, mutant: &Mutant) -> Result<()> {
        for (path, text) in planted(&self.sources, mutant)? {
            self.write(&path, &text)?;
        }
        Ok(())
    }

    fn build(&self) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--offline", "--quiet", "--package", "pvtcoms-machine"]);
        // A planted mistake leaves names unused.
        cargo.env("CARGO_TARGET_DIR", &self.target).env("RUSTFLAGS", "--cap-lints=allow");
        output(cargo.current_dir(&self.folder)).map(|_| ())
    }

    /// Runs the machine; what it found.
    fn play(&self, game: Option<&str>) -> Result<Option<Found>> {
        let program = self.target.join("debug").join("machine");
        let out = Command::new(&program)
            .args([STEPS, SEED].into_iter().chain(game))
            .output()
            .with_context(|| format!("cannot start {}", program.display()))?;
        if out.status.success() {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&out.stdout);
        let found = said.lines().last().and_then(found);
        let all = || format!("{said}{}", String::from_utf8_lossy(&out.stderr));
        found.map(Some).with_context(|| format!("the machine broke down:\n{}", all()))
    }
}

fn found(line: &str) -> Option<Found> {
    let (name, place) = line.strip_prefix("failure: ")?.split_once(" (seed ")?;
    let (_, game) = place.split_once(", game ")?;
    let (game, _) = game.split_once(',')?;
    Some(Found { line: line.to_owned(), name: name.to_owned(), game: game.to_owned() })
}

/// The root manifest with the copied members alone.
fn workspace(manifest: &str) -> Result<String> {
    let mut manifest: Table = manifest.parse().context("cannot read the root Cargo.toml")?;
    let members = COPIED.iter().map(|member| Value::from(*member)).collect();
    manifest
        .get_mut("workspace")
        .and_then(Value::as_table_mut)
        .context("the root Cargo.toml has no [workspace]")?
        .insert("members".to_owned(), Value::Array(members));
    Ok(manifest.to_string())
}

/// The files that a mistake changes, changed.
fn planted(
    sources: &BTreeMap<String, String>,
    mutant: &Mutant,
) -> Result<BTreeMap<String, String>> {
    let mut changed = BTreeMap::new();
    for Edit { file, from, to } in mutant.edits {
        let text = changed.get(*file).or_else(|| sources.get(*file));
        let text = text.with_context(|| format!("{file} does not exist"))?;
        let times = text.matches(from).count();
        if times != 1 {
            bail!(
                "`{}`: {file} contains the piece {times} times; write it anew in xtask/src/mutants/planted.rs:\n{from}",
                mutant.what
            );
        }
        changed.insert((*file).to_owned(), text.replacen(from, to, 1));
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick half of the check: every piece is where the mistake is to be planted.
    #[test]
    fn every_mistake_can_be_planted() {
        let project = Project::find().unwrap();
        let mut copy =
            Copy { folder: PathBuf::new(), target: PathBuf::new(), sources: BTreeMap::new() };
        for member in COPIED {
            copy.gather(project.root(), Path::new(member)).unwrap();
        }
        for mutant in PLANTED {
            planted(&copy.sources, mutant).unwrap();
        }
    }

    #[test]
    fn a_piece_must_be_there_exactly_once() {
        let sources = BTreeMap::from([("a.rs".to_owned(), "one two two".to_owned())]);
        let mutant = |from: &'static str| Mutant {
            what: "x",
            edits: Vec::leak(vec![Edit { file: "a.rs", from, to: "three" }]),
            found_as: &[],
        };
        assert_eq!(
            planted(&sources, &mutant("one")).unwrap().get("a.rs").unwrap(),
            "three two two"
        );
        assert!(planted(&sources, &mutant("two")).is_err());
        assert!(planted(&sources, &mutant("four")).is_err());
    }

    #[test]
    fn the_machines_last_line_is_understood() {
        let line = found("failure: quantum thief opens more (seed 1, game 42, step 7)").unwrap();
        assert_eq!((line.name.as_str(), line.game.as_str()), ("quantum thief opens more", "42"));
        assert!(found("machine: steps=1").is_none());
    }
}
