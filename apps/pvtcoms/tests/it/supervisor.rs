//! The supervisor with shell scripts in the place of its children.

use crate::desk::{Desk, until};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use tempfile::TempDir;

/// Notes its pid, arguments and descriptors; then what `$T/NAME.does` says, else it waits for the
/// end of its lifeline.
const CHILD: &str = r#"#!/bin/sh
name=$(basename "$0")
echo "$*" > "$T/$name.args"
(cd /proc/$$/fd && echo [0-9]) > "$T/$name.fds"
echo $$ >> "$T/$name.pids"
if [ -f "$T/$name.does" ]; then . "$T/$name.does"; fi
LIFELINE
"#;

/// A copy of the program with stand-ins beside it, and a home for it.
struct Yard {
    desk: Desk,
    _programs: TempDir,
}

impl Yard {
    fn new() -> Self {
        let programs = tempfile::tempdir().unwrap();
        let program = programs.path().join("pvtcoms");
        std::fs::copy(env!("CARGO_BIN_EXE_pvtcoms"), &program).unwrap();
        // Like the real ones: the core reads its lifeline, the gate the socket that joins them.
        write_program(
            &programs.path().join("pvtcomsd"),
            &CHILD.replace("LIFELINE", "exec cat <&5"),
        );
        let gate = CHILD.replace("LIFELINE", "exec cat <&3");
        write_program(&programs.path().join("pvtcoms-tor"), &gate);
        Self { desk: Desk::with(program).with_profile(), _programs: programs }
    }

    fn note(&self, name: &str) -> String {
        std::fs::read_to_string(self.desk.path().join(name)).unwrap_or_default()
    }

    fn pids(&self, name: &str) -> Vec<Pid> {
        let note = self.note(&format!("{name}.pids"));
        note.lines().map(|line| Pid::from_raw(line.parse().unwrap()).unwrap()).collect()
    }

    /// The pid of the `n`th life of a child, counted from 1, once it has begun.
    fn life(&self, name: &str, n: usize) -> Pid {
        until(name, || self.pids(name).get(n - 1).copied())
    }

    fn does(&self, name: &str, script: &str) {
        std::fs::write(self.desk.path().join(format!("{name}.does")), script).unwrap();
    }

    fn runs(&self) -> Child {
        let child = self.desk.start(&["daemon"]);
        self.life("pvtcomsd", 1);
        self.life("pvtcoms-tor", 1);
        child
    }

    fn listens(&self) -> bool {
        UnixStream::connect(self.desk.run_folder().join("rpc.sock")).is_ok()
    }

    fn nothing_is_left(&self) {
        for name in ["pvtcomsd", "pvtcoms-tor"] {
            for pid in self.pids(name) {
                until("the end of a child", || gone(pid).then_some(()));
            }
        }
        for file in ["rpc.sock", "pid", "fault"] {
            assert!(!self.desk.run_folder().join(file).exists(), "{file} is left");
        }
    }
}

fn write_program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn gone(pid: Pid) -> bool {
    test_kill_process(pid).is_err()
}

fn end(child: Child, signal: Signal) -> (Option<i32>, String) {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn sbx_2_children_get_their_descriptors_and_no_others() {
    let yard = Yard::new();
    let daemon = yard.runs();
    let data = yard.desk.data_folder();
    assert_eq!(
        yard.note("pvtcomsd.args").trim(),
        format!("--rpc-fd 3 --gate-fd 4 --lifeline-fd 5 --data {} --profile p", data.display())
    );
    let state = yard.desk.path().join("state/pvtcoms/p/tor");
    let cache = yard.desk.path().join("cache/pvtcoms/p/tor");
    assert_eq!(
        yard.note("pvtcoms-tor.args").trim(),
        format!("client --fd 3 --state {} --cache {}", state.display(), cache.display())
    );
    // The shell holds its script above 9, which the pattern leaves out.
    assert_eq!(yard.note("pvtcomsd.fds").trim(), "0 1 2 3 4 5");
    assert_eq!(yard.note("pvtcoms-tor.fds").trim(), "0 1 2 3");
    let socket = std::fs::metadata(yard.desk.run_folder().join("rpc.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    end(daemon, Signal::TERM);
}

#[test]
fn tor_31_a_private_network_is_passed_to_both() {
    let yard = Yard::new();
    std::fs::write(yard.desk.data_folder().join("network.json"), "{}").unwrap();
    let daemon = yard.runs();
    assert!(yard.note("pvtcomsd.args").trim().ends_with(" --private-network"));
    let network = yard.desk.data_folder().join("network.json");
    assert!(yard.note("pvtcoms-tor.args").contains(&format!("--network {}", network.display())));
    end(daemon, Signal::TERM);
}

#[test]
fn what_dies_is_restarted_in_its_place() {
    let yard = Yard::new();
    let daemon = yard.runs();
    kill_process(yard.life("pvtcoms-tor", 1), Signal::KILL).unwrap();
    let gate = yard.life("pvtcoms-tor", 2);
    assert!(!gone(yard.life("pvtcomsd", 1)), "a gate's death is not the core's");
    kill_process(yard.life("pvtcomsd", 1), Signal::KILL).unwrap();
    assert!(yard.listens(), "no face sees the socket vanish");
    yard.life("pvtcomsd", 2);
    // A gate says hello once: the new core gets a new one.
    yard.life("pvtcoms-tor", 3);
    assert!(gone(gate));
    let (code, log) = end(daemon, Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(log.contains("supervisor: core ended (signal: 9 (SIGKILL)); again in 1 s"), "{log}");
    yard.nothing_is_left();
}

#[test]
fn a_signal_ends_everything_in_order() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let yard = Yard::new();
        let (code, log) = end(yard.runs(), signal);
        assert_eq!(code, Some(0), "{log}");
        yard.nothing_is_left();
    }
}

#[test]
fn a_child_that_will_not_end_is_ended() {
    let yard = Yard::new();
    yard.does("pvtcomsd", "trap '' TERM");
    let (code, _) = end(yard.runs(), Signal::TERM);
    assert_eq!(code, Some(0));
    yard.nothing_is_left();
}

#[test]
fn children_end_with_a_supervisor_that_was_killed_and_the_next_one_starts() {
    let yard = Yard::new();
    let mut first = yard.runs();
    first.kill().unwrap();
    first.wait().unwrap();
    for name in ["pvtcomsd", "pvtcoms-tor"] {
        let pid = yard.life(name, 1);
        until("the lifeline's end", || gone(pid).then_some(()));
    }
    assert!(yard.desk.run_folder().join("rpc.sock").exists(), "control: it is stale");
    let second = yard.desk.start(&["daemon"]);
    yard.life("pvtcomsd", 2);
    assert!(yard.listens());
    assert_eq!(end(second, Signal::TERM).0, Some(0));
    yard.nothing_is_left();
}

#[test]
fn a_second_supervisor_of_the_profile_is_refused() {
    let yard = Yard::new();
    let daemon = yard.runs();
    let second = yard.desk.run(&["daemon"]);
    assert_eq!(second.code, 1);
    let expected = format!("runs already (process {})", daemon.id());
    assert!(second.err.contains(&expected), "{}", second.err);
    assert!(yard.listens(), "the first one goes on");
    assert_eq!(yard.pids("pvtcomsd").len(), 1);
    end(daemon, Signal::TERM);
}

#[test]
fn sto_17_a_locked_core_is_back_at_once() {
    let yard = Yard::new();
    yard.does("pvtcomsd", "rm \"$T/pvtcomsd.does\"; exit 0");
    let daemon = yard.runs();
    yard.life("pvtcomsd", 2);
    let (_, log) = end(daemon, Signal::TERM);
    assert!(!log.contains("again in"), "{log}");
}

#[test]
fn a_core_that_was_asked_to_shut_down_ends_everything() {
    let yard = Yard::new();
    yard.does("pvtcomsd", "until [ -s \"$T/pvtcoms-tor.pids\" ]; do :; done; exit 10");
    let daemon = yard.runs();
    let output = daemon.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(yard.pids("pvtcomsd").len(), 1);
    yard.nothing_is_left();
}

#[test]
fn the_same_storage_or_sandbox_fault_three_times_ends_it_and_says_why() {
    for (code, why) in [(7, "the disk is read-only"), (8, "no Landlock")] {
        let yard = Yard::new();
        yard.does("pvtcomsd", &format!("echo '{why}' >&2; exit {code}"));
        let ran = yard.desk.run(&["daemon"]);
        assert_eq!(ran.code, code);
        assert!(ran.err.contains(&format!("The core cannot run here: {why}")), "{}", ran.err);
        assert_eq!(yard.pids("pvtcomsd").len(), 3);
        yard.nothing_is_left();
    }
}

#[test]
fn without_a_gate_the_core_goes_on_and_the_reason_is_kept() {
    let yard = Yard::new();
    yard.does("pvtcoms-tor", "echo 'no Landlock' >&2; exit 8");
    let daemon = yard.runs();
    let fault = yard.desk.run_folder().join("fault");
    let text = until("the reason", || std::fs::read_to_string(&fault).ok());
    assert_eq!(text, "tor is not restarted: no Landlock");
    assert!(!gone(yard.life("pvtcomsd", 1)));
    let doctor = yard.desk.run(&["doctor", "--quiet"]);
    assert!(doctor.out.contains("fail supervisor: tor is not restarted"), "{}", doctor.out);
    end(daemon, Signal::TERM);
    yard.nothing_is_left();
}

#[test]
fn the_background_service_starts_and_stops() {
    let yard = Yard::new();
    let ran = yard.desk.run(&["daemon", "--background"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "runs\n"), "{}", ran.err);
    assert!(yard.listens());
    yard.life("pvtcomsd", 1);
    let stopped = yard.desk.run(&["stop"]);
    assert_eq!((stopped.code, stopped.out.as_str()), (0, "stopped\n"), "{}", stopped.err);
    yard.nothing_is_left();
    assert_eq!(yard.desk.run(&["stop"]).out, "not running\n");
}

#[test]
fn a_service_that_cannot_start_says_why_to_the_verb_that_started_it() {
    let yard = Yard::new();
    let data = yard.desk.data_folder();
    std::fs::write(data.join("gate.json"), "{").unwrap();
    let ran = yard.desk.run(&["inbox"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("gate.json cannot be understood"), "{}", ran.err);
    std::fs::remove_file(data.join("gate.json")).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = yard.desk.run(&["inbox"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("chmod 700"), "{}", ran.err);
}

#[test]
fn a_missing_program_is_named() {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("pvtcoms");
    std::fs::copy(env!("CARGO_BIN_EXE_pvtcoms"), &program).unwrap();
    let ran = Desk::with(program).run(&["daemon"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("The program pvtcomsd is missing"), "{}", ran.err);
}

#[test]
fn prd_16_a_path_that_no_socket_can_have_is_refused() {
    let yard = Yard::new();
    let long = yard.desk.path().join("x".repeat(100));
    std::fs::create_dir_all(&long).unwrap();
    let ran = yard.desk.command(&["daemon"]).env("XDG_RUNTIME_DIR", &long).output().unwrap();
    assert_eq!(ran.status.code(), Some(7));
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(err.contains("the system allows 107"), "{err}");
}
