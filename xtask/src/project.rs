//! Where the checkout lies, where it is built, and how programs are run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// This checkout.
pub(crate) struct Project {
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    /// Finds the checkout by the place of this package, and the build directory by `CARGO_TARGET_DIR`, else
    /// `~/.cache/pvtcoms/target` (the Makefile's default as well).
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here.parent().context("xtask does not lie in a checkout")?.to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(given) => root.join(given),
            None => {
                let home =
                    std::env::home_dir().context("no home directory: set CARGO_TARGET_DIR")?;
                home.join(".cache/pvtcoms/target")
            }
        };
        Ok(Self { root, target })
    }

    /// The folder with the root `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that is checked out, with a `+` if what runs differs from it.
    pub(crate) fn revision(&self) -> String {
        let git = |args: &[&str]| output(self.command("git").args(args)).unwrap_or_default();
        let changed = git(&["status", "--porcelain", "--", "protocol", "shell", "apps"]);
        let commit = git(&["rev-parse", "--short=12", "HEAD"]);
        format!("{}{}", commit.trim(), if changed.is_empty() { "" } else { "+" })
    }

    /// The build directory, handed to every program run here.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Reads a file of the checkout.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// A program that will run at the root with the one build directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).stdin(Stdio::null());
        command
    }

    /// Cargo with `args`.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }

    /// The members of the workspace with what their manifests declare; needs no network and no lock.
    pub(crate) fn manifests(&self) -> Result<Metadata> {
        let mut command = MetadataCommand::new();
        command.manifest_path(self.root.join("Cargo.toml")).no_deps();
        command.exec().context("cargo metadata failed")
    }

    /// Everything in the lock file, for all platforms.
    pub(crate) fn everything(&self) -> Result<Metadata> {
        let mut command = MetadataCommand::new();
        command.manifest_path(self.root.join("Cargo.toml"));
        command.other_options(vec!["--locked".to_owned()]);
        command.exec().context("cargo metadata failed")
    }
}

/// Runs a program with its output on the terminal; anything but success is an error that names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", describe(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", describe(command));
    }
    Ok(())
}

/// Runs a program and returns its standard output; anything but success is an error with its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("cannot start {}", describe(command)))?;
    if !out.status.success() {
        bail!(
            "{} failed: {}\n{}",
            describe(command),
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    String::from_utf8(out.stdout).with_context(|| format!("{} printed no text", describe(command)))
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
