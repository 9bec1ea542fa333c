//! TOR-29: nothing is left running.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::programs::program;

/// `tornet up`, and the numbers of its `tor` processes.
fn up() -> (Child, Vec<u32>) {
    let mut runner = Command::new(program("tornet"))
        .arg("up")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(runner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let dir = PathBuf::from(line.trim_end());
    let dir = dir.parent().unwrap();
    let tors: Vec<u32> = (0..tornet::RELAYS)
        .map(|i| std::fs::read_to_string(dir.join(format!("auth{i}/pid"))).unwrap())
        .map(|pid| pid.trim().parse().unwrap())
        .collect();
    assert!(tors.iter().all(|pid| is_tor(*pid)), "control: they run");
    (runner, tors)
}

fn is_tor(pid: u32) -> bool {
    let proc = Path::new("/proc").join(pid.to_string());
    let name = std::fs::read_to_string(proc.join("comm")).unwrap_or_default();
    let state = std::fs::read_to_string(proc.join("stat")).unwrap_or_default();
    name.trim_end() == "tor" && !state.contains(") Z ")
}

fn all_end_within(tors: &[u32], limit: Duration) {
    let start = Instant::now();
    while tors.iter().any(|pid| is_tor(*pid)) {
        assert!(start.elapsed() < limit, "tor processes are left");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn tor_29_a_killed_runner_leaves_no_tor() {
    let (mut runner, tors) = up();
    runner.kill().unwrap(); // SIGKILL
    runner.wait().unwrap();
    all_end_within(&tors, Duration::from_secs(30));
}

#[test]
fn tor_29_an_interrupted_runner_ends_its_tors_itself() {
    let (mut runner, tors) = up();
    rustix::process::kill_process(Pid::from_child(&runner), Signal::INT).unwrap();
    let status = runner.wait().unwrap();
    assert_eq!(status.code(), Some(0)); // `up` was asked to run until then
    assert!(tors.iter().all(|pid| !is_tor(*pid)));
}
