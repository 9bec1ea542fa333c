//! `doctor`: every failure that it knows, seen once, beside the real server.

use crate::common::{MAILBOX, Server, dir};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Report {
    code: Option<i32>,
    json: Value,
}

impl Report {
    /// State and finding of a check; "none" if it was left out.
    fn of(&self, what: &str) -> (&str, &str) {
        let check = self.checks().into_iter().find(|(_, name, _)| *name == what);
        check.map_or(("none", ""), |(state, _, found)| (state, found))
    }

    fn failing(&self) -> Vec<&str> {
        let failing = self.checks().into_iter().filter(|(state, ..)| *state == "fail");
        failing.map(|(_, what, _)| what).collect()
    }

    /// State, what was looked at, and what was found.
    fn checks(&self) -> Vec<(&str, &str, &str)> {
        let checks = self.json.get("checks").and_then(Value::as_array).unwrap();
        checks
            .iter()
            .map(|check| (text(check, "state"), text(check, "what"), text(check, "found")))
            .collect()
    }
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap()
}

fn command(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pvtcoms-mailbox"));
    command.arg("doctor").arg("--data").arg(dir.join("data")).args(more);
    command
}

/// What a command that prints JSON found.
fn report(command: &mut Command) -> Report {
    let output = command.output().unwrap();
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    Report { code: output.status.code(), json }
}

fn doctor_with(dir: &Path, more: &[&str]) -> Report {
    report(command(dir, more).arg("--json"))
}

fn doctor(dir: &Path) -> Report {
    doctor_with(dir, &[])
}

/// One thing fails, with these words, and the exit code says so.
fn fails(report: &Report, what: &str, words: &str) {
    let (state, found) = report.of(what);
    assert_eq!((state, report.code), ("fail", Some(1)), "{what}: {:#}", report.json);
    assert!(found.contains(words), "{what}: {found}");
}

/// What the server said of itself, changed.
fn change_status(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("data/status.json");
    let mut status = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut status);
    fs::write(path, status.to_string()).unwrap();
}

/// The server writes it after its first line.
fn wait_for_status(dir: &Path) {
    let path = dir.join("data/status.json");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !path.exists() {
        assert!(std::time::Instant::now() < deadline, "no status file");
        std::thread::yield_now();
    }
}

/// A server that has written its status.
fn running(more: &[&str]) -> (TempDir, Server) {
    let dir = dir();
    let server = Server::start_with(dir.path(), more);
    wait_for_status(dir.path());
    (dir, server)
}

/// Names, sizes, times of change and modes of everything below.
fn everything(dir: &Path) -> BTreeSet<(PathBuf, u64, i64, i64, u32)> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let found = entry.metadata().unwrap();
        all.insert((entry.path(), found.len(), found.ctime(), found.ctime_nsec(), found.mode()));
        if found.is_dir() {
            all.extend(everything(&entry.path()));
        }
    }
    all
}

#[test]
fn doctor_finds_nothing_wrong_with_a_server_that_is_well_and_writes_nothing() {
    let dir = dir();
    let onion = dir.path().join("onion");
    fs::write(&onion, board::address::encode(&MAILBOX)).unwrap();
    // Nothing is deposited, so the server itself writes nothing for five minutes.
    let server = Server::start_with(dir.path(), &["--reserve", "0"]);
    wait_for_status(dir.path());
    let before = everything(&dir.path().join("data"));
    let report = doctor_with(dir.path(), &["--onion-file", onion.to_str().unwrap()]);
    assert_eq!(report.code, Some(0), "{:#}", report.json);
    for what in [
        "data directory",
        "keys directory",
        "server",
        "lock",
        "onion",
        "day keys",
        "disk",
        "clock",
        "effort",
        "socket",
        "pages",
    ] {
        assert_eq!(report.of(what).0, "ok", "{what}: {:#}", report.json);
    }
    for what in ["open files", "core dumps", "rights"] {
        assert_ne!(report.of(what).0, "none", "{what}");
    }
    let text = command(dir.path(), &[]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("ok    server          process ")), "{text}");
    assert_eq!(everything(&dir.path().join("data")), before, "something was written");
    drop(server);
}

#[test]
fn doctor_tells_no_server_a_dead_one_and_one_that_stopped() {
    let dir = dir();
    let report = doctor(dir.path());
    fails(&report, "data directory", "No such file");
    fails(&report, "server", "no status file");
    assert!(!dir.path().join("data").exists(), "it makes no directory");

    let server = Server::start(dir.path());
    wait_for_status(dir.path());
    server.kill_9();
    let report = doctor(dir.path());
    fails(&report, "server", "ended without a word");
    assert_eq!(report.failing(), ["server"]);
    Server::start(dir.path()).terminate();
    fails(&doctor(dir.path()), "server", "stopped ");
}

#[test]
fn doctor_finds_modes_keys_and_another_onion() {
    let (dir, server) = running(&[]);
    let (data, keys) = (dir.path().join("data"), dir.path().join("data/keys"));
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(&data, 0o755);
    fails(&doctor(dir.path()), "data directory", "mode 0755");
    mode(&data, 0o700);
    mode(&keys, 0o750);
    fails(&doctor(dir.path()), "keys directory", "mode 0750");
    mode(&keys, 0o700);

    let elsewhere = dir.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    fails(&doctor_with(dir.path(), &["--keys", elsewhere]), "day keys", "missing");
    let key = fs::read_dir(&keys).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&key).unwrap();
    fs::write(&key, &whole[..31]).unwrap();
    fails(&doctor(dir.path()), "day keys", "not 32 bytes");
    fs::write(&key, &whole).unwrap();

    let onion = dir.path().join("onion");
    let onion = ["--onion-file", onion.to_str().unwrap()];
    fails(&doctor_with(dir.path(), &onion), "onion", "No such file");
    fs::write(onion[1], board::address::encode(&[8; 32])).unwrap();
    fails(&doctor_with(dir.path(), &onion), "onion", "another onion");
    fs::write(onion[1], "nonsense").unwrap();
    fails(&doctor_with(dir.path(), &onion), "onion", "");
    assert_eq!(doctor(dir.path()).code, Some(0), "control: all is well again");
    drop(server);
}

#[test]
fn doctor_finds_a_full_disk_a_wrong_clock_and_a_silent_server() {
    let (dir, server) = running(&[]);
    let status = fs::read(dir.path().join("data/status.json")).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        fs::write(dir.path().join("data/status.json"), &status).unwrap();
        change_status(dir.path(), change);
        doctor(dir.path())
    };
    let lots = u64::MAX / 2;
    fails(&with(&|status| status["reserve_bytes"] = lots.into()), "disk", "kept in reserve");
    let soft = with(&|status| status["soft_limit_bytes"] = lots.into());
    assert_eq!((soft.of("disk").0, soft.code), ("warn", Some(0)));
    let busy = with(&|status| {
        status["since"] = (status["at"].as_u64().unwrap() - 7_200).into();
        status["totals"]["stored"] = 1_000_000_000_000_u64.into();
    });
    assert_eq!(busy.of("disk").0, "warn");
    assert!(busy.of("disk").1.contains("full in 0 days"), "{}", busy.of("disk").1);

    let later = |status: &mut Value| {
        status["last_page_at"] = (status["at"].as_u64().unwrap() + 5_000).into();
    };
    fails(&with(&later), "clock", "in the future");
    let silent =
        |status: &mut Value| status["at"] = (status["at"].as_u64().unwrap() - 1_000).into();
    fails(&with(&silent), "server", "gave no sign");
    let dear = with(&|status| status["effort"]["now"] = 8.into());
    assert_eq!((dear.of("effort").0, dear.code), ("warn", Some(0)));
    // A process of that number, but another program.
    let other = with(&|status| status["pid"] = std::process::id().into());
    fails(&other, "server", "ended without a word");
    fails(&other, "lock", "does not know");
    let small = with(&|_| {});
    assert_eq!(small.code, Some(0), "control");
    drop(server);
}

#[test]
fn doctor_finds_a_socket_that_is_gone_open_to_all_or_not_the_servers() {
    let (dir, server) = running(&[]);
    let socket = dir.path().join("sock");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    fails(&doctor(dir.path()), "socket", "mode 0666");
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();

    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let at = |path: &Path| format!("unix:{}", path.display());
    fails(&doctor_with(dir.path(), &["--listen", &at(&file)]), "socket", "no socket");
    // Nobody answers there.
    let dead = dir.path().join("dead");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    fs::set_permissions(&dead, Permissions::from_mode(0o600)).unwrap();
    fails(&doctor_with(dir.path(), &["--listen", &at(&dead)]), "pages", "refused");
    fs::remove_file(&socket).unwrap();
    fails(&doctor(dir.path()), "socket", "No such file");
    drop(server);
}

/// The report of a `doctor` that sees `mounted` as a file system in memory with these options. Only
/// it sees that: the mount is of a namespace of its own, which needs no rights on Debian.
fn doctor_on(dir: &Path, mounted: &Path, options: &str, more: &[&str]) -> Report {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]).arg(
        "status=$(cat \"$2/status.json\") && mount -t tmpfs -o \"$1\" tmpfs \"$3\" && if [ \"$2\" = \"$3\" ]; then \
         echo \"$status\" > \"$2/status.json\"; fi && shift 3 && exec \"$@\"",
    );
    let data = dir.join("data");
    command.arg("sh").arg(format!("mode=700,{options}")).arg(&data).arg(mounted);
    command.arg(env!("CARGO_BIN_EXE_pvtcoms-mailbox")).args(["doctor", "--json", "--data"]);
    report(command.arg(&data).args(more))
}

#[test]
fn doctor_finds_a_disk_that_is_read_only_full_or_has_no_inodes() {
    let (dir, server) = running(&["--reserve", "0"]);
    let (data, keys) = (dir.path().join("data"), dir.path().join("usb"));
    fs::create_dir(&keys).unwrap();
    let elsewhere = ["--keys", keys.to_str().unwrap()];
    let on_keys = |options| doctor_on(dir.path(), &keys, options, &elsewhere);
    fails(&on_keys("ro"), "keys directory", "mounted read-only");
    fails(&on_keys("size=64k"), "keys directory", "is full");
    assert_eq!(on_keys("size=4m").of("keys directory").0, "ok", "control");

    let on_data = |options| doctor_on(dir.path(), &data, options, &[]);
    fails(&on_data("nr_inodes=500"), "disk", "hardly an inode left");
    assert_eq!(on_data("nr_inodes=5000").of("disk").0, "ok", "control");
    assert_eq!(doctor(dir.path()).code, Some(0), "nobody else saw that");
    drop(server);
}

#[test]
fn doctor_finds_a_directory_of_another_user() {
    let (dir, server) = running(&[]);
    // Root's own home, if whoever runs this is not root; else a directory that root gives away.
    let theirs = if rustix::process::getuid().is_root() {
        let theirs = dir.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::set_permissions(&theirs, Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&theirs, Some(12_345), None).unwrap();
        theirs
    } else {
        PathBuf::from("/root")
    };
    let report = doctor_with(dir.path(), &["--keys", theirs.to_str().unwrap()]);
    fails(&report, "keys directory", "the server runs as another");
    drop(server);
}

#[test]
fn doctor_warns_of_few_open_files() {
    let (dir, server) = running(&[]);
    let pid = server.pid().to_string();
    let limited = Command::new("prlimit").args(["--nofile=300:300", "--pid", &pid]).status();
    assert!(limited.unwrap().success());
    let report = doctor(dir.path());
    let (state, found) = report.of("open files");
    assert_eq!((state, report.code), ("warn", Some(0)), "{:#}", report.json);
    assert!(found.starts_with("at most 300;"), "{found}");
    drop(server);
}
