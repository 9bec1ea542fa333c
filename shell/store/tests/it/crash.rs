//! A writer is killed at any point; what it released must be there (STO-24).

use crate::common::{ALICE, Home, PASSPHRASE, message, put};
use engine::changes::{Changes, MessageState, Table};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use store::{ProfileDir, Store};

const ROUNDS: u64 = 30;

/// Kills a writer after a few of its steps, `ROUNDS` times, and counts the rounds in which the
/// last step that it released is not in the database.
fn rounds_with_a_loss(order: &str, rounds: u64) -> u64 {
    let (home, store) = Home::with_profile();
    drop(store);
    let mut saved = 0;
    let mut lost = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "crash::child_that_writes"])
            .env("STORE_TEST_PROFILE", &home.path)
            .env("STORE_TEST_ORDER", order)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut released = saved;
        let wanted = 1 + round * 7 % 23;
        let mut seen = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some(step) = line.strip_prefix("released ") else { continue };
            released = step.parse().unwrap();
            seen += 1;
            if seen == wanted {
                // Somewhere in the following steps.
                (0..round * 97 % 1009).for_each(|_| std::hint::spin_loop());
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= wanted, "the writer ended by itself");

        let store = home.unlock().unwrap();
        saved = step(&store);
        lost += u64::from(saved < released);
        // Whole or not at all: as many messages as the counter says.
        let messages = store.history(&ALICE, None, u32::MAX).unwrap();
        assert_eq!(u64::try_from(messages.len()).unwrap(), saved);
    }
    lost
}

fn step(store: &Store) -> u64 {
    let value = store.load().unwrap().0.pop().map(|(_, _, value)| value);
    value.map_or(0, |value| u64::from_be_bytes(value.as_slice().try_into().unwrap()))
}

#[test]
fn sto_24_no_released_step_is_missing_after_a_kill() {
    assert_eq!(rounds_with_a_loss("save first", ROUNDS), 0);
}

#[test]
fn sto_24_control_a_writer_that_releases_before_it_saves_is_caught() {
    assert!(rounds_with_a_loss("release first", 10) > 0);
}

#[test]
#[ignore = "in a process of its own, killed by the tests above"]
fn child_that_writes() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let save_first = std::env::var("STORE_TEST_ORDER").unwrap() == "save first";
    let dir = ProfileDir::open(Path::new(&path)).unwrap();
    let _lock = dir.lock().unwrap();
    let mut store = Store::unlock(&dir, PASSPHRASE).unwrap();
    let mut out = std::io::stdout();
    let mut release = |step: u64| {
        writeln!(out, "\nreleased {step}").unwrap();
        out.flush().unwrap();
    };
    for next in step(&store) + 1.. {
        if !save_first {
            release(next);
        }
        store
            .save(&Changes(vec![
                message(ALICE, next, MessageState::Queued, "text"),
                put(Table::Ratchet, b"counter", &next.to_be_bytes()),
            ]))
            .unwrap();
        if save_first {
            release(next);
        }
    }
}
