//! The server's process: whether it lives, holds its lock, and what the system lets it do.

use super::known::Known;
use super::{Check, size, span};
use crate::clock::Seconds;
use crate::server::DESCRIPTORS;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A server that is well writes its status at least with every empty page.
const SILENT_S: Seconds = 360;
/// Memory below which a flood of connections could end the server.
const LEAST_MEMORY: u64 = 256 << 20;

pub(super) fn server(known: &Known, now: Seconds) -> Check {
    const WHAT: &str = "server";
    const START: &str = "start it: systemctl start pvtcoms-mailbox";
    let (Some(at), Some(pid)) = (known.number("/at"), known.number("/pid")) else {
        return Check::fail(WHAT, "no status file: none has run here", START);
    };
    let age = now.saturating_sub(at);
    if known.text("/state") == Some("stopped") {
        return Check::fail(WHAT, format!("stopped {} ago", span(age)), START);
    }
    if known.process.is_none() {
        let found =
            format!("process {pid} ended without a word, after its last sign {} ago", span(age));
        return Check::fail(
            WHAT,
            found,
            "nothing that was stored is lost: start it; journalctl -u pvtcoms-mailbox",
        );
    }
    if age > SILENT_S {
        let found = format!("process {pid} gave no sign for {}", span(age));
        return Check::fail(
            WHAT,
            found,
            "it hangs, or cannot write its status: journalctl -u pvtcoms-mailbox",
        );
    }
    let since = known.number("/since").map_or(0, |since| at.saturating_sub(since));
    Check::ok(
        WHAT,
        format!("process {pid} runs, up for {}, last sign {} ago", span(since), span(age)),
    )
}

/// Who holds the lock of the data directory, by the kernel's list: trying it would keep a server
/// that starts at this moment from getting it.
pub(super) fn lock(data: &Path, known: &Known) -> Option<Check> {
    const WHAT: &str = "lock";
    let file = fs::metadata(data.join("board/engine/lock")).ok()?;
    let list = fs::read_to_string("/proc/locks").ok()?;
    let held = list.lines().any(|line| {
        let at = line.split_whitespace().find(|word| word.matches(':').count() == 2);
        at.and_then(|at| at.rsplit(':').next()?.parse().ok()) == Some(file.ino())
    });
    match (held, known.running()) {
        (true, true) => Some(Check::ok(WHAT, "held by the server")),
        (true, false) => Some(Check::fail(
            WHAT,
            "held by a process that the status file does not know",
            "two servers on one directory? look with fuser DATA/board/engine/lock",
        )),
        (false, true) => Some(Check::fail(
            WHAT,
            "not held, though the server runs",
            "was the directory put back under it? restart the server",
        )),
        (false, false) => None,
    }
}

/// Open files, memory, core dumps, rights.
pub(super) fn limits(known: &Known) -> Vec<Check> {
    let Some(process) = &known.process else { return Vec::new() };
    let read = |name: &str| fs::read_to_string(process.join(name)).ok();
    let mut checks = Vec::new();
    if let Some(limits) = read("limits") {
        checks.extend(limit(&limits, "Max open files").map(open_files));
        checks.extend(limit(&limits, "Max core file size").map(core_dumps));
    }
    let memory = read("cgroup").and_then(|cgroup| memory_max(&cgroup));
    checks.extend(memory.map(memory_check));
    checks.extend(read("status").map(|status| rights(&status)));
    checks
}

/// The soft limit of a line of `/proc/PID/limits`.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix(name))?;
    let soft = rest.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

fn open_files(limit: u64) -> Check {
    const WHAT: &str = "open files";
    if limit < DESCRIPTORS {
        let found = format!("at most {limit}; {DESCRIPTORS} for all connections that it takes");
        Check::warn(WHAT, found, "LimitNOFILE=20000 in the unit, or ulimit -n")
    } else {
        Check::ok(WHAT, format!("at most {limit}, {DESCRIPTORS} are enough"))
    }
}

fn core_dumps(limit: u64) -> Check {
    const WHAT: &str = "core dumps";
    if limit > 0 {
        Check::warn(
            WHAT,
            "allowed: they would hold the day keys",
            "LimitCORE=0 in the unit, or ulimit -c 0",
        )
    } else {
        Check::ok(WHAT, "none")
    }
}

/// The memory limit of the control group, if there is one.
fn memory_max(cgroup: &str) -> Option<u64> {
    let group = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let path = Path::new("/sys/fs/cgroup").join(group.trim_start_matches('/')).join("memory.max");
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn memory_check(max: u64) -> Check {
    const WHAT: &str = "memory";
    if max < LEAST_MEMORY {
        let found = format!("at most {}", size(max));
        Check::warn(WHAT, found, "MemoryMax=256M or more in the unit")
    } else {
        Check::ok(WHAT, format!("at most {}", size(max)))
    }
}

fn rights(status: &str) -> Check {
    const WHAT: &str = "rights";
    let field = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()
    };
    let shown = |name: &str, value: &str| {
        field(name).is_some_and(|found| found.trim_start_matches('0') == value)
    };
    let mut wrong = Vec::new();
    if shown("Uid:", "") {
        wrong.push("it runs as root");
    }
    if !shown("CapEff:", "") {
        wrong.push("it has capabilities");
    }
    if !shown("NoNewPrivs:", "1") {
        wrong.push("it may gain privileges");
    }
    if !shown("Seccomp:", "2") {
        wrong.push("no filter of system calls");
    }
    if wrong.is_empty() {
        Check::ok(WHAT, "no root, no capabilities, system calls filtered")
    } else {
        Check::warn(WHAT, wrong.join(", "), "run it by deploy/pvtcoms-mailbox.service")
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn doctor_warns_of_limits_and_rights_that_are_wrong_and_of_no_others() {
        let limits = "Max open files            300                  4096                 files\n\
                      Max core file size        unlimited            unlimited            bytes\n";
        assert_eq!(limit(limits, "Max open files"), Some(300));
        assert_eq!(limit(limits, "Max core file size"), Some(u64::MAX));
        assert_eq!(limit(limits, "Max stack size"), None);
        for (check, state) in [
            (open_files(300), State::Warn),
            (open_files(DESCRIPTORS), State::Ok),
            (core_dumps(u64::MAX), State::Warn),
            (core_dumps(0), State::Ok),
            (memory_check(LEAST_MEMORY - 1), State::Warn),
            (memory_check(LEAST_MEMORY), State::Ok),
        ] {
            assert_eq!(check.state, state, "{}", check.line());
        }
        let hardened =
            "Uid:\t998\t998\t998\t998\nNoNewPrivs:\t1\nSeccomp:\t2\nCapEff:\t0000000000000000\n";
        assert_eq!(rights(hardened).state, State::Ok);
        for (field, worse, words) in [
            ("Uid:\t998", "Uid:\t0", "root"),
            ("CapEff:\t0000000000000000", "CapEff:\t0000000000000400", "capabilities"),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "privileges"),
            ("Seccomp:\t2", "Seccomp:\t0", "system calls"),
        ] {
            let check = rights(&hardened.replace(field, worse));
            assert_eq!(check.state, State::Warn, "{worse}");
            assert!(check.found.contains(words), "{worse}: {}", check.found);
        }
    }
}
