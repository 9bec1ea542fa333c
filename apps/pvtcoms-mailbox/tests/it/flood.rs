//! Many at once: deposits that nobody paid for, reads while nothing is taken, ten thousand streams.

use crate::common::{Client, MAILBOX, Server, dir, random};
use board::frame::{HEAD_LEN, PutAnswer, PutRequest, Request, RequestHead, Window};
use board::header::{DigestReader, HEADER_LEN, PageHeader};
use board::pow::{NONCE_LEN, SOLUTION_LEN};
use crypto::rand_core::Rng;
use mailbox::seal::os_rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

type Solved = ([u8; NONCE_LEN], [u8; SOLUTION_LEN]);

/// Deposits that nobody paid for: with a random solution, of an hour that is over, or with a
/// solution of another envelope, by turns.
fn unpaid(header: &PageHeader, solved: &Solved, n: usize) -> Vec<u8> {
    let (mut epoch, (nonce, mut solution)) = (header.epoch, *solved);
    match n % 3 {
        0 => os_rng().fill_bytes(&mut solution),
        1 => epoch -= 2,
        _ => {}
    }
    Request::Put(PutRequest { epoch, nonce, solution, envelope: random() }).encode()
}

/// Nonce and solution for an envelope that is not deposited.
fn solved(client: &Client, header: &PageHeader) -> Solved {
    let bytes = client.paid(header, &random());
    let head = RequestHead::decode(bytes.first_chunk().unwrap()).unwrap();
    let RequestHead::Put { nonce, solution, .. } = head else { panic!("no PUT") };
    (nonce, solution)
}

fn is_stored(answer: &[u8]) -> bool {
    assert_eq!(answer.len(), HEAD_LEN);
    PutAnswer::decode(answer).unwrap().stored
}

#[test]
fn brd_15_brd_23_a_hundred_unpaid_deposits_for_each_paid_one_keep_none_from_being_stored() {
    const PAID: usize = 12;
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let header = client.header();
    let old = random();
    assert!(client.put(&header, &old).stored);
    let (frame, at) = client.wait_for(&old);
    let fetch =
        Request::Fetch { page: frame.header.page, chunk: u16::try_from(at / 8).unwrap() }.encode();
    let read = client.exchange(&fetch).unwrap();
    let envelopes: Vec<_> = (0..PAID).map(|_| random()).collect();
    let paid: Vec<_> = envelopes.iter().map(|envelope| client.paid(&header, envelope)).collect();
    let solved = solved(&client, &header);

    let (client, header, solved, fetch, read) = (&client, &header, &solved, &fetch, &read);
    thread::scope(|scope| {
        for part in 0..8 {
            scope.spawn(move || {
                for n in (0..PAID * 100).skip(part).step_by(8) {
                    let answer = client.exchange(&unpaid(header, solved, n)).unwrap();
                    assert!(!is_stored(&answer), "nobody paid for it");
                }
            });
        }
        for request in paid {
            scope.spawn(move || assert!(is_stored(&client.exchange(&request).unwrap())));
        }
        scope.spawn(move || {
            for _ in 0..100 {
                assert_eq!(&client.exchange(fetch).unwrap(), read, "reads go on, unchanged");
                assert!(!client.digest(Window::LastTenMinutes).is_empty());
            }
        });
    });
    for envelope in &envelopes {
        let (frame, at) = client.wait_for(envelope);
        assert!(&client.page(&frame)[at] == envelope);
    }
}

#[test]
fn brd_16_reads_are_served_while_every_deposit_is_refused() {
    let dir = dir();
    let envelope = random();
    let server = Server::start(dir.path());
    let client = server.client();
    assert!(client.put(&client.header(), &envelope).stored);
    let (frame, _) = client.wait_for(&envelope);
    server.terminate();

    let server = Server::start_with(dir.path(), &["--reserve", "900000000000"]);
    let client = server.client();
    let header = client.header();
    let put = client.paid(&header, &random());
    let (client, put, frame) = (&client, &put, &frame);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                (0..100).for_each(|_| assert!(!is_stored(&client.exchange(put).unwrap())));
            });
        }
        for _ in 0..50 {
            assert!(client.page(frame).contains(&envelope));
            assert!(client.digest(Window::LastHour).len() > 1);
        }
    });
}

/// Memory of the process in bytes, as the kernel counts it.
fn resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn brd_17_ten_thousand_open_streams_take_little_memory_and_keep_nobody_out() {
    // The server inherits the limit as it was, and takes what the system lets it have by itself.
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let dir = dir();
    let server = Server::start(dir.path());
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    // Fewer where the system lets nobody have so many.
    let streams = maximum.map_or(10_000, |most| most.saturating_sub(500).min(10_000));
    let client = server.client();
    let header = client.header();
    let open = || {
        let mut stream = client.open().unwrap();
        stream.write_all(&Request::Digest(Window::Stream).encode()).unwrap();
        let mut first = [0; HEADER_LEN];
        stream.read_exact(&mut first).unwrap();
        stream
    };
    let warm: Vec<UnixStream> = (0..100).map(|_| open()).collect();
    let before = resident(server.pid());
    let mut open: Vec<UnixStream> = (0..streams).map(|_| open()).collect();
    let each = (resident(server.pid()) - before) / streams;
    println!("{streams} streams, {each} bytes each; the limit was {current:?}");
    assert!(each < 4096, "{each} bytes for an idle stream");

    let envelope = random();
    assert!(client.put(&header, &envelope).stored);
    let (frame, _) = client.wait_for(&envelope);
    assert!(client.page(&frame).contains(&envelope));
    // Each stream gets the page.
    for stream in open.iter_mut().chain(&mut { warm }) {
        let mut reader = DigestReader::new(MAILBOX);
        let mut piece = [0; 1024];
        while reader.last().is_none_or(|last| last.page < frame.header.page) {
            let n = stream.read(&mut piece).unwrap();
            assert!(n > 0, "a stream ended");
            reader.push(&piece[..n]).unwrap();
        }
    }
}
