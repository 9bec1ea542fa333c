//! `cargo xtask deny`: advisories, bans, licences and sources of everything in the lock files (SUP-1 to SUP-5), without a network.
//!
//! The advisory database is a snapshot that lies beside the checkout. A clone without it runs the checks that need none, and says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use toml::{Table, Value};

use crate::natives;
use crate::project::{Project, output, run as run_program};

/// What has a lock file: the product with its tests, and the fuzzer's programs.
const WORKSPACES: [&str; 2] = [PRODUCT, "fuzz/Cargo.toml"];
const PRODUCT: &str = "Cargo.toml";

/// The snapshot, from the root of the checkout.
const SNAPSHOT: &str = "../shared/data/advisory-db.tar.gz";

/// The folder that cargo-deny wants for the database's URL.
const DATABASE: &str = "advisory-db-3157b0e258782691";

/// A snapshot older than this is worth a warning.
const OLD_DAYS: i32 = 120;

/// One crate at a version with an advisory: the control of the whole chain from the snapshot to the verdict.
const CONTROL: &str = "xtask/fixtures/known-bad/metadata.json";
const CONTROL_FINDS: &str = "RUSTSEC-2024-0344";

/// Runs every check; fails if one does.
pub(crate) fn run(project: &Project) -> Result<()> {
    let version =
        project.cargo(&["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(version.is_ok_and(|s| s.success()), "cargo-deny is missing: tools/install.sh test");

    let rules: Table =
        toml::from_str(&project.read("deny.toml")?).context("cannot read deny.toml")?;
    let today = today();
    reviews(&rules, today)?;
    // SUP-4: the one vulnerability that is excused stays where it is excused.
    let core = output(&mut project.cargo(&[
        "tree",
        "--locked",
        "-p",
        "pvtcomsd",
        "-e",
        "normal,build",
        "--prefix",
        "none",
    ]))?;
    ensure!(
        !core.lines().any(|l| l.starts_with("rsa ")),
        "rsa (RUSTSEC-2023-0071) has reached pvtcomsd"
    );
    natives::check(project, today)?;
    for manifest in WORKSPACES {
        let fetch = ["fetch", "--locked", "--quiet", "--manifest-path", manifest];
        run_program(&mut project.cargo(&fetch))?;
    }

    let folder = project.target().join("deny");
    let snapshot = project.root().join(SNAPSHOT);
    if !snapshot.exists() {
        println!(
            "deny: no advisory snapshot at {SNAPSHOT}: advisories are NOT checked here (online: cargo deny check advisories)"
        );
        let config = configure(&folder, "deny.toml", &rules, None, false)?;
        return deny(project, &config, &["bans", "licenses", "sources"]);
    }
    let newest = unpack(&snapshot, &folder)?;
    let age = days(newest, today);
    println!("deny: checked against RustSec as of {newest}, {age} days old");
    if age > OLD_DAYS {
        println!("deny: WARNING: the advisory snapshot is older than {OLD_DAYS} days");
    }
    let config = configure(&folder, "deny.toml", &rules, Some(&folder), false)?;
    control(project, &config)?;
    inform(project, &configure(&folder, "inform.toml", &rules, Some(&folder), true)?)?;
    deny(project, &config, &["advisories", "bans", "licenses", "sources"])
}

/// The day, in UTC.
pub(crate) fn today() -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

/// Global options stand before `check`; duplicates of a crate are listed by `cargo tree -d` and are not repeated here, and what
/// one of the two needs to be excused is no mistake in the other.
fn deny(project: &Project, config: &Path, which: &[&str]) -> Result<()> {
    for manifest in WORKSPACES {
        println!("deny: {manifest}");
        let mut command = project.cargo(&["deny", "--offline", "--locked", "--workspace"]);
        command.args(["--manifest-path", manifest, "--config"]).arg(config);
        command.args(["check", "--hide-inclusion-graph", "--allow", "duplicate"]);
        command.args(["--allow", "license-exception-not-encountered"]);
        if manifest != PRODUCT {
            command.args(["--allow", "advisory-not-detected"]);
        }
        run_program(command.args(which))?;
    }
    Ok(())
}

/// Unpacks the snapshot as the git repository that cargo-deny insists on, and returns the date of its newest advisory.
fn unpack(snapshot: &Path, folder: &Path) -> Result<Date> {
    let database = folder.join(DATABASE);
    if database.exists() {
        std::fs::remove_dir_all(&database).context("cannot remove the old advisory database")?;
    }
    std::fs::create_dir_all(&database).context("cannot create the advisory database's folder")?;
    run_program(Command::new("tar").arg("-xzf").arg(snapshot).arg("-C").arg(&database))?;
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        let as_nobody = [
            "-c",
            "user.name=snapshot",
            "-c",
            "user.email=snapshot@localhost",
            "-c",
            "commit.gpgsign=false",
        ];
        command.arg("-C").arg(&database).args(as_nobody).args(args);
        run_program(&mut command)
    };
    git(&["init", "--quiet", "-b", "main"])?;
    git(&["add", "--force", "--all"])?;
    git(&["commit", "--quiet", "--no-verify", "-m", "snapshot"])?;
    let newest = newest_advisory(&database.join("crates"))?;
    // cargo-deny takes the age from this file's time; without it old data passes as fresh.
    run_program(
        Command::new("touch")
            .arg("-d")
            .arg(newest.to_string())
            .arg(database.join(".git/FETCH_HEAD")),
    )?;
    Ok(newest)
}

fn newest_advisory(folder: &Path) -> Result<Date> {
    let mut newest = None;
    for krate in std::fs::read_dir(folder).context("the snapshot has no folder `crates`")? {
        for advisory in std::fs::read_dir(krate?.path())? {
            let text = std::fs::read_to_string(advisory?.path())?;
            let date = text
                .lines()
                .find_map(|l| l.strip_prefix("date = \"")?.strip_suffix('"')?.parse().ok());
            newest = newest.max(date);
        }
    }
    newest.context("the snapshot has no dated advisory")
}

/// Writes the rules with the place of the database filled in. `all` shows also what the rules hide in foreign crates (SUP-4).
fn configure(
    folder: &Path,
    name: &str,
    rules: &Table,
    database: Option<&Path>,
    all: bool,
) -> Result<PathBuf> {
    let mut rules = rules.clone();
    let advisories = rules
        .get_mut("advisories")
        .and_then(Value::as_table_mut)
        .context("deny.toml has no [advisories]")?;
    if let Some(database) = database {
        advisories.insert("db-path".to_owned(), Value::String(database.display().to_string()));
    }
    if all {
        for scope in ["unmaintained", "unsound"] {
            advisories.insert(scope.to_owned(), Value::String("all".to_owned()));
        }
    }
    std::fs::create_dir_all(folder).context("cannot create the folder for cargo-deny")?;
    let path = folder.join(name);
    std::fs::write(&path, toml::to_string(&rules)?)
        .context("cannot write the configuration for cargo-deny")?;
    Ok(path)
}

/// The known-bad crate must be found, else a green result means nothing.
fn control(project: &Project, config: &Path) -> Result<()> {
    let mut command = project.cargo(&["deny", "--offline", "--metadata-path", CONTROL, "--config"]);
    let out = command
        .arg(config)
        .args(["check", "advisories"])
        .output()
        .context("cannot start cargo deny")?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(
        !out.status.success() && said.contains(CONTROL_FINDS),
        "the control {CONTROL_FINDS} was not found:\n{said}"
    );
    println!("deny: control caught ({CONTROL_FINDS} in {CONTROL})");
    Ok(())
}

/// Prints the unmaintained and unsound crates among all dependencies; information, no verdict.
fn inform(project: &Project, config: &Path) -> Result<()> {
    let mut command = project.cargo(&[
        "deny",
        "--offline",
        "--locked",
        "--workspace",
        "--format",
        "json",
        "--config",
    ]);
    let out = command.arg(config).args(["check", "--hide-inclusion-graph", "advisories"]).output();
    let said = out.context("cannot start cargo deny")?.stderr;
    let mut seen = std::collections::BTreeSet::new();
    for line in String::from_utf8_lossy(&said).lines() {
        let Ok(finding) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text = |path: &str| {
            finding.pointer(path).and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let advisory = (
            text("/fields/code"),
            text("/fields/advisory/id"),
            text("/fields/advisory/package"),
            text("/fields/message"),
        );
        if let (Some(code), Some(id), Some(package), Some(message)) = advisory {
            seen.insert(format!("deny: for information: {package} {code}: {id} {message}"));
        }
    }
    for line in seen {
        println!("{line}");
    }
    Ok(())
}

/// SUP-4: every excuse in `ignore` has a reason and a day of review that has not passed.
fn reviews(rules: &Table, today: Date) -> Result<()> {
    let ignored = rules.get("advisories").and_then(|a| a.get("ignore")).and_then(Value::as_array);
    for entry in ignored.into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let id = text("id").unwrap_or("an entry without id");
        let due = text("reason")
            .and_then(|r| r.split_once("Review by "))
            .and_then(|(_, day)| day.trim().parse::<Date>().ok());
        match due {
            None => bail!("deny.toml ignores {id} without \"Review by YYYY-MM-DD\""),
            Some(due) if due < today => {
                bail!("deny.toml ignores {id}: its review was due on {due}")
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whole days from one date to another.
pub(crate) fn days(from: Date, to: Date) -> i32 {
    from.until((Unit::Day, to)).map_or(i32::MAX, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_advisories_need_a_review_that_has_not_passed() {
        let today = "2026-11-23".parse().unwrap();
        let rules = |reason: &str| -> Table {
            toml::from_str(&format!(
                "[advisories]\nignore = [{{ id = \"RUSTSEC-1\", reason = \"{reason}\" }}]"
            ))
            .unwrap()
        };
        assert!(reviews(&rules("no fix. Review by 2027-02-01"), today).is_ok());
        assert!(
            reviews(&rules("no fix. Review by 2026-11-22"), today)
                .unwrap_err()
                .to_string()
                .contains("due on 2026-11-22")
        );
        assert!(reviews(&rules("no fix"), today).unwrap_err().to_string().contains("without"));
        let real: Table =
            toml::from_str(&Project::find().unwrap().read("deny.toml").unwrap()).unwrap();
        assert!(reviews(&real, "2020-01-01".parse().unwrap()).is_ok());
        assert!(reviews(&real, "2099-01-01".parse().unwrap()).is_err());
    }

    #[test]
    fn sc_3_floors_stand_in_the_bans() {
        let bans = Project::find().unwrap().read("deny.toml").unwrap();
        for floor in [
            "openssl-src:<300.5.5",
            "libsqlite3-sys:<0.38",
            "openssl:<0.10.70",
            "curve25519-dalek:<4.1.3",
            "rustls-webpki:<0.103.1",
            "bytes:<",
            "time:<",
        ] {
            assert!(bans.contains(&format!("crate = \"{floor}")), "{floor}");
        }
    }

    #[test]
    fn days_are_whole() {
        assert_eq!(days("2026-08-20".parse().unwrap(), "2026-11-23".parse().unwrap()), 95);
    }
}
