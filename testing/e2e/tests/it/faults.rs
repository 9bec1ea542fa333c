//! Programs that die, wrong words, full disks: a clear error, nothing lost.

use super::stage::{PATIENCE, Stage, ground, send, wait_received, wait_state};
use e2e::{Person, resident_bytes, wait_until};
use std::process::Command;

fn kill_9(pids: &[u32]) {
    for pid in pids {
        let done = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(done.success());
    }
}

/// The core is killed again and again while both sides talk; every message arrives once and in
/// order.
#[test]
fn core_killed_at_any_moment_loses_and_doubles_nothing() {
    let stage = Stage::paired();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let mut sent = (Vec::new(), Vec::new());
    let mut last = (String::new(), String::new());
    for round in 0..6 {
        let (victim, other) = if round % 2 == 0 { (alice, bob) } else { (bob, alice) };
        for (from, to, texts, id) in
            [(alice, "bob", &mut sent.0, &mut last.0), (bob, "alice", &mut sent.1, &mut last.1)]
        {
            let text = format!("{} {round}", from.name);
            *id = send(from, to, &text);
            texts.push(text);
        }
        // Another moment of the exchange in every round.
        std::thread::sleep(std::time::Duration::from_millis(300 * round));
        let core = wait_until("a core", PATIENCE, || {
            Ok(Some(victim.children("pvtcomsd")).filter(|pids| !pids.is_empty()))
        })
        .unwrap();
        kill_9(&core);
        wait_until("the new core", PATIENCE, || Ok(victim.unlock().ok())).unwrap();
        assert!(other.run(&["status"]).unwrap().code == 0);
    }
    wait_state(alice, "bob", &last.0, "delivered");
    wait_state(bob, "alice", &last.1, "delivered");
    wait_received(bob, "alice", &sent.0);
    wait_received(alice, "bob", &sent.1);
}

/// Proofs of work are made by the core's worker; without it they are made all the same, and it does
/// not outlive its core.
#[test]
fn brd_15_the_worker_pays_may_die_and_ends_with_its_core() {
    let stage = Stage::paired();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let workers = alice.workers();
    assert_eq!(workers.len(), 1);
    // Pairing was paid for.
    assert!(processor_ticks(workers[0]) > 0, "it has done nothing");
    kill_9(&workers);
    let id = send(alice, "bob", "paid for by the core itself");
    wait_state(alice, "bob", &id, "delivered");
    assert_eq!(bob.received_from("alice").unwrap(), ["paid for by the core itself"]);

    let workers = bob.workers();
    kill_9(&bob.children("pvtcomsd"));
    let gone = |pid: &u32| resident_bytes(*pid) == 0;
    wait_until("the worker's end", PATIENCE, || Ok(workers.iter().all(gone).then_some(())))
        .unwrap();
    wait_until("the new core", PATIENCE, || Ok(bob.unlock().ok())).unwrap();
    assert_eq!((workers.len(), bob.workers().len()), (1, 1));
}

/// Processor time of a process, user's and system's, in the system's ticks.
fn processor_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// TR-1: without a gate nothing leaves and nothing is lost; it goes on when the gate is back.
#[test]
fn tr_1_gate_killed_mid_send_loses_nothing() {
    let stage = Stage::paired();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let id = send(alice, "bob", "through a dying gate");
    kill_9(&alice.children("pvtcoms-tor"));
    wait_state(alice, "bob", &id, "delivered");
    assert_eq!(bob.received_from("alice").unwrap(), ["through a dying gate"]);
}

/// A disk that takes no more: exit 7, nothing half-saved, and on with it when there is room.
#[test]
fn sto_24_full_disk_refuses_and_loses_nothing() {
    let stage = Stage::paired();
    let (alice, bob) = (&stage.alice, &stage.bob);
    alice.stop().unwrap();
    // No file may grow over 1.5 MiB (3072 blocks of 512 bytes): what a full disk is to a database.
    let full = "trap '' XFSZ; ulimit -f 3072;";
    alice.start_after(full, stage.net.net_json()).unwrap();
    alice.unlock().unwrap();
    let text = "x".repeat(40 * 1024);
    let mut saved = 0_usize;
    let refused = loop {
        let answer = alice.run_with(&["--json", "send", "bob", "-"], &text).unwrap();
        if answer.code != 0 {
            break answer;
        }
        saved += 1;
        assert!(saved < 100, "the limit is not in force");
    };
    assert_eq!(refused.code, 7, "{}", refused.err);
    alice.stop().unwrap();
    alice.unlock().unwrap();
    let last = send(alice, "bob", "there is room again");
    wait_until("the last message", PATIENCE * 2, || {
        Ok((alice.state_of("bob", &last)? == "delivered").then_some(()))
    })
    .unwrap();
    let mut texts = vec![text; saved];
    texts.push("there is room again".to_owned());
    wait_received(bob, "alice", &texts);
}

/// A clock that is a day off: whether Tor or the mailbox notices first, the status says what is
/// wrong, and what was queued arrives once the clock is right.
#[test]
fn brd_37_tor_13_a_clock_a_day_off_is_told_and_nothing_is_lost() {
    let stage = Stage::paired();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let line = || alice.json(&["status"]).map(|s| s[0]["line"].as_str().unwrap_or("").to_owned());
    assert!(!line().unwrap().contains("clock"), "control");
    alice.stop().unwrap();
    // The library by itself: the program `faketime` waits for all that a service leaves running.
    let tomorrow = "export FAKETIME=+25h DONT_FAKE_MONOTONIC=1; \
                    export LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1);";
    alice.start_after(tomorrow, stage.net.net_json()).unwrap();
    alice.unlock().unwrap();
    wait_until("a word about the clock", PATIENCE, || Ok(line()?.contains("clock").then_some(())))
        .unwrap();
    let id = send(alice, "bob", "from tomorrow");
    alice.stop().unwrap();
    alice.start_after("", stage.net.net_json()).unwrap();
    alice.unlock().unwrap();
    wait_state(alice, "bob", &id, "delivered");
    wait_received(bob, "alice", &["from tomorrow".to_owned()]);
}

/// A dead network: `send` says that it is queued, `--wait` ends with 3, and the status says why.
#[test]
fn tr_1_tor_absent_is_said_and_nothing_is_lost() {
    let (folder, net) = ground();
    // The same network, but at ports where nobody listens.
    let text = std::fs::read_to_string(net.net_json()).unwrap();
    let dead = folder.path().join("dead.json");
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    silence(&mut value);
    std::fs::write(&dead, value.to_string()).unwrap();
    let alice = Person::arrive(&folder.path().join("alice"), "alice").unwrap();
    let nowhere = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    alice.init("fast", nowhere, &dead).unwrap();
    let invited = alice.run(&["invite", "new", "--uri", "--timeout", "5"]).unwrap();
    assert_eq!(invited.code, 3, "{}", invited.err);
    assert!(invited.out.is_empty(), "an invite that is not deposited must not be shown");
    let status = alice.json(&["status"]).unwrap();
    assert_eq!(status[0]["tor"]["ready"], false);
    assert!(!status[0]["line"].as_str().unwrap().contains("connected"));
}

/// Whether a process works for the profile `alice`.
fn alice_owns(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("alice"))
}

/// Moves every port of the network to one where nobody listens.
fn silence(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.starts_with("127.0.0.1:") => {
            "127.0.0.1:9".clone_into(text);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(silence),
        serde_json::Value::Object(all) => all.values_mut().for_each(silence),
        _ => {}
    }
}

/// Wrong passphrase, second daemon, stale socket: each with its exit code and a next step.
#[test]
fn wrong_use_is_told_with_a_next_step() {
    let stage = Stage::set();
    let (folder, net) = (stage.folder.path(), stage.net.net_json());
    let alice = stage.alice;
    alice.must(&["lock"]).unwrap();
    let wrong = wait_until("the locked core", PATIENCE, || {
        let answer = alice.run_with(&["unlock", "--passphrase-fd", "0"], "not it\n")?;
        Ok(Some(answer).filter(|answer| answer.code == 6))
    })
    .unwrap();
    assert!(wrong.err.to_lowercase().contains("passphrase"), "{}", wrong.err);
    assert_eq!(alice.run(&["contacts"]).unwrap().code, 6);
    alice.unlock().unwrap();

    let second = alice.run(&["daemon", "--foreground"]).unwrap();
    assert_ne!(second.code, 0);
    assert!(second.err.contains("alice"), "{}", second.err);

    // SIGKILL leaves a socket behind that nobody serves; the next daemon takes its place.
    let supervisor = alice.daemon_id().unwrap();
    kill_9(&[supervisor]);
    wait_until("the end of the orphans", PATIENCE, || {
        let orphans = Command::new("pgrep").args(["-f", &folder.display().to_string()]).output()?;
        let orphans = String::from_utf8_lossy(&orphans.stdout).into_owned();
        let ours = |pid: &&str| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            matches!(name.trim(), "pvtcomsd" | "pvtcoms") && alice_owns(pid)
        };
        Ok(orphans.lines().find(ours).is_none().then_some(()))
    })
    .unwrap();
    // The next verb starts a new service.
    wait_until("the next service", PATIENCE, || Ok(alice.unlock().ok())).unwrap();
    let status = alice.json(&["status"]).unwrap();
    assert_eq!(status[0]["tor"]["private_network"], true, "a profile never changes networks");
    assert!(folder.exists() && net.exists());
}
