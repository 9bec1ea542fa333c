//! `kill -9` of the real process under load, in rounds (BRD-18, BRD-31).

use crate::common::{Client, Server, dir, random};
use board::envelope::Envelope;
use board::frame::{HEAD_LEN, PutAnswer, Window};
use board::header::PageHeader;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 5;
const WRITERS: usize = 6;
const A_ROUND: usize = 40;

/// Deposits until the server is gone; keeps what was answered STORED.
fn write(client: &Client, header: &PageHeader, stored: &Mutex<Vec<Envelope>>) {
    loop {
        let envelope = random();
        let request = client.paid(header, &envelope);
        let Ok(answer) = client.exchange(&request) else { return };
        if answer.len() != HEAD_LEN {
            return;
        }
        if PutAnswer::decode(&answer).unwrap().stored {
            stored.lock().unwrap().push(envelope);
        }
    }
}

#[test]
fn brd_31_every_stored_envelope_survives_kill_9_and_the_chain_is_unbroken() {
    let dir = dir();
    let stored = Arc::new(Mutex::new(Vec::new()));
    let mut heads: BTreeMap<u64, [u8; 32]> = BTreeMap::new();
    for round in 1..=ROUNDS {
        let server = Server::start(dir.path());
        let header = server.client().header();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (client, stored) = (server.client(), Arc::clone(&stored));
                thread::spawn(move || write(&client, &header, &stored))
            })
            .collect();
        while stored.lock().unwrap().len() < round * A_ROUND {
            for frame in server.client().digest(Window::Day { back: 0 }) {
                let head = frame.header.head();
                // BRD-21: a page that was seen never becomes another.
                assert_eq!(*heads.entry(frame.header.page).or_insert(head), head);
            }
            thread::sleep(Duration::from_millis(50));
        }
        server.kill_9();
        writers.into_iter().for_each(|w| w.join().unwrap());
    }

    let server = Server::start(dir.path());
    let client = server.client();
    let stored = stored.lock().unwrap();
    client.wait_for(stored.last().unwrap());
    // The reader checks that each page follows the one before it; none is missing.
    let frames: Vec<_> = [1, 0]
        .iter()
        .flat_map(|back| {
            let bytes = client
                .exchange(&board::frame::Request::Digest(Window::Day { back: *back }).encode());
            let mut reader = board::header::DigestReader::new(crate::common::MAILBOX);
            reader.push(&bytes.unwrap()).unwrap()
        })
        .collect();
    assert!(frames.iter().zip(0..).all(|(frame, number)| frame.header.page == number));
    let mut found = 0;
    let pages: BTreeMap<u64, Vec<Envelope>> =
        frames.iter().map(|f| (f.header.page, client.page(f))).collect();
    for (number, head) in &heads {
        let frame = frames.iter().find(|f| f.header.page == *number).expect("a page was lost");
        assert_eq!(frame.header.head(), *head, "page {number} changed");
    }
    for envelope in stored.iter() {
        let times = pages.values().flatten().filter(|e| *e == envelope).count();
        assert_eq!(times, 1, "a stored envelope was lost or doubled");
        found += times;
    }
    assert!(found >= ROUNDS * A_ROUND);
    assert!(!pages.values().flatten().any(|e| *e == random()), "negative control");
}
