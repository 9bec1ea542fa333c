//! The real program over its real socket.

use crate::common::{MAILBOX, POLICY, SETTINGS, Server, dir, prefix, random, same_tag};
use board::frame::{FETCH_ANSWER_LEN, PutAnswer, Request, Window};
use board::header::{DigestReader, PageHeader};
use board::page::Settings;
use mailbox::clock;
use mailbox::pages::Pages;
use mailbox::store::DiskStore;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

#[test]
fn brd_11_put_digest_fetch_round_trip() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let header = client.header();
    let (envelope, other) = (random(), random());
    let answer = client.put(&header, &envelope);
    assert!(answer.stored);
    assert!(client.put(&header, &envelope).stored, "BRD-19: the same bytes again");
    let twin = same_tag(&envelope);
    assert!(client.put(&header, &twin).stored, "BRD-19: same tag, other bytes");
    assert!(client.put(&header, &other).stored);

    client.wait_for(&other);
    let kept: Vec<_> =
        client.digest(Window::LastHour).iter().flat_map(|frame| client.page(frame)).collect();
    for envelope in [&envelope, &twin, &other] {
        assert_eq!(kept.iter().filter(|e| *e == envelope).count(), 1, "each exactly once");
    }
    // A read changes nothing, and gives the same bytes (IN-3).
    let (frame, at) = client.wait_for(&envelope);
    let fetch = Request::Fetch { page: frame.header.page, chunk: u16::try_from(at / 8).unwrap() };
    let first = client.exchange(&fetch.encode()).unwrap();
    assert_eq!(first, client.exchange(&fetch.encode()).unwrap());
}

#[test]
fn brd_12_stream_gives_the_last_pages_and_then_each_page_as_it_closes() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let header = client.header();
    let mut stream = client.open().unwrap();
    stream.write_all(&Request::Digest(Window::Stream).encode()).unwrap();
    let mut reader = DigestReader::new(MAILBOX);
    let envelope = random();
    let mut sent = false;
    let mut piece = [0; 1000];
    loop {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "the stream ended");
        let frames = reader.push(&piece[..n]).unwrap();
        if frames.iter().any(|f| !f.find(&prefix(&envelope)).is_empty()) {
            break;
        }
        if !sent {
            assert!(client.put(&header, &envelope).stored);
            sent = true;
        }
    }
    assert!(reader.last().unwrap().page >= 1);
}

#[test]
fn brd_16_what_is_not_there_is_answered_at_full_length_with_random_bytes() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    for (page, chunk) in [(0, 0), (0, u16::MAX), (u64::MAX, 0)] {
        let request = Request::Fetch { page, chunk }.encode();
        let (a, b) = (client.exchange(&request).unwrap(), client.exchange(&request).unwrap());
        assert_eq!((a.len(), b.len()), (FETCH_ANSWER_LEN, FETCH_ANSWER_LEN));
        assert_ne!(a[64..], b[64..]);
        assert!(a[64..].iter().filter(|byte| **byte == 0).count() < 400, "random, not zeros");
    }
    assert!(
        client.exchange(&Request::Digest(Window::Day { back: 13 }).encode()).unwrap().is_empty()
    );
}

#[test]
fn brd_16_malformed_requests_get_no_byte() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let digest = Request::Digest(Window::LastHour).encode();
    assert!(!client.exchange(&digest).unwrap().is_empty(), "positive control");
    // Every byte of a head: another value there is another request or none.
    for at in 0..64 {
        let mut wrong = digest.clone();
        wrong[at] ^= 0x40;
        assert!(client.exchange(&wrong).unwrap().is_empty(), "byte {at} of DIGEST");
    }
    let fetch = Request::Fetch { page: 0, chunk: 0 }.encode();
    for at in 0..64 {
        let mut wrong = fetch.clone();
        wrong[at] ^= 0x40;
        let answer = client.exchange(&wrong).unwrap();
        let expected = if (2..12).contains(&at) { FETCH_ANSWER_LEN } else { 0 };
        assert_eq!(answer.len(), expected, "byte {at} of FETCH");
    }
    let put = client.paid(&client.header(), &random());
    for at in 0..64 {
        let mut wrong = put.clone();
        wrong[at] ^= 0x40;
        let answer = client.exchange(&wrong).unwrap();
        if (2..42).contains(&at) {
            let answer = PutAnswer::decode(&answer).unwrap();
            assert!(!answer.stored, "byte {at} of PUT: bad proof of work is RETRY");
        } else {
            assert!(answer.is_empty(), "byte {at} of PUT");
        }
    }
    // Half a request, then the client's end.
    let mut stream = client.open().unwrap();
    stream.write_all(&put[..1000]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty());
}

#[test]
fn brd_15_unpaid_or_stale_deposits_are_told_to_retry_and_not_stored() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let header = client.header();
    let mut stale = header;
    stale.epoch -= 2;
    assert!(!client.put(&stale, &random()).stored);
    let mut other_seed = header;
    other_seed.seed = [9; 32];
    assert!(!client.put(&other_seed, &random()).stored);
    assert!(client.put(&header, &random()).stored, "positive control");
}

#[test]
fn brd_16_a_full_disk_is_retry() {
    let dir = dir();
    let server = Server::start_with(dir.path(), &["--reserve", "900000000000"]);
    let client = server.client();
    assert!(!client.put(&client.header(), &random()).stored);
}

#[test]
fn brd_17_one_server_a_socket_and_a_crashed_ones_socket_is_replaced() {
    let dir = dir();
    let server = Server::start(dir.path());
    let mode = std::fs::metadata(dir.path().join("sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let same_data = Server::command(dir.path()).output().unwrap();
    assert!(!same_data.status.success());
    let said = String::from_utf8(same_data.stderr).unwrap();
    assert!(said.contains("another server uses this data directory"), "{said}");
    assert!(!server.client().header().mailbox.is_empty(), "the first one still answers");
    server.kill_9();
    assert!(dir.path().join("sock").exists());
    let server = Server::start(dir.path());
    assert_eq!(server.client().header().mailbox, MAILBOX);
    drop(server);

    let elsewhere = crate::common::dir();
    let _foreign = UnixListener::bind(elsewhere.path().join("sock")).unwrap();
    let taken = Server::command(elsewhere.path()).output().unwrap();
    let said = String::from_utf8(taken.stderr).unwrap();
    assert!(said.contains("another server listens"), "{said}");
}

#[test]
fn brd_18_sigterm_finishes_and_tells_the_totals() {
    let dir = dir();
    let server = Server::start(dir.path());
    let client = server.client();
    let header = client.header();
    let envelope = random();
    assert!(client.put(&header, &envelope).stored);
    let mut stream = client.open().unwrap();
    stream.write_all(&Request::Digest(Window::Stream).encode()).unwrap();
    let (code, last) = server.terminate();
    assert_eq!(code, Some(0));
    let totals: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&totals["event"], &totals["stored"]), (&"stopped".into(), &1.into()));
    assert!(!dir.path().join("sock").exists());
    // The open stream ended with whole frames.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let mut reader = DigestReader::new(MAILBOX);
    reader.push(&rest).unwrap();
    assert_eq!(reader.finish(), Ok(()));
    let server = Server::start(dir.path());
    let (frame, at) = server.client().wait_for(&envelope);
    assert!(server.client().page(&frame)[at] == envelope);
}

#[test]
fn brd_24_nothing_about_a_connection_is_kept_unless_somebody_observes() {
    let dir = dir();
    let log = dir.path().join("seen.jsonl");
    let server = Server::start_with(dir.path(), &["--observe", log.to_str().unwrap()]);
    let client = server.client();
    let envelope = random();
    assert!(client.put(&client.header(), &envelope).stored);
    let tag: String = prefix(&envelope).iter().map(|b| format!("{b:02x}")).collect();
    client.wait_for(&envelope);
    server.terminate();
    let seen = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> =
        seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let put = lines.iter().find(|line| line["event"] == "put" && line["tag"] == tag.as_str());
    let put = put.expect("positive control");
    let of_it = lines.iter().filter(|line| line["connection"] == put["connection"]);
    let events: Vec<_> = of_it.map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["accept", "put", "disk", "close"]);
    let shown = |line: &serde_json::Value| {
        line["event"] == "page" && line["tags"].as_array().unwrap().contains(&tag.as_str().into())
    };
    assert_eq!(lines.iter().filter(|line| shown(line)).count(), 1, "{seen}");
    std::fs::remove_file(&log).unwrap();

    let server = Server::start(dir.path());
    let client = server.client();
    assert!(client.put(&client.header(), &random()).stored);
    server.terminate();
    let kept: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(kept, ["data"]);
    let status = std::fs::read_to_string(dir.path().join("data/status.json")).unwrap();
    assert!(status.contains("\"connections\": 2") && status.contains("stopped"), "{status}");
}

#[test]
fn brd_23_effort_stands_in_every_header_and_is_asked_of_everybody() {
    let dir = dir();
    let server = Server::start_with(dir.path(), &["--effort", "3"]);
    let client = server.client();
    let header = client.header();
    assert_eq!(header.effort, 3);
    let cheap = PageHeader { effort: 1, ..header };
    let refused = (0..20).map(|_| random()).find(|e| !client.put(&cheap, e).stored);
    let refused = refused.expect("about two in three that were solved for effort 1");
    assert!(client.put(&header, &refused).stored, "positive control");
}

#[test]
fn brd_23_effort_rises_under_load_and_headers_of_the_last_hour_still_pay() {
    let dir = dir();
    let server = Server::start_with(dir.path(), &["--people", "1", "--max-effort", "2"]);
    let client = server.client();
    let first = client.header();
    assert_eq!(first.effort, 1);
    let envelopes: Vec<_> = (0..11).map(|_| random()).collect();
    envelopes.iter().for_each(|e| assert!(client.put(&first, e).stored));
    // More than ten in five minutes, for one person: twice the effort, for everybody.
    client.wait_for(&envelopes[10]);
    assert_eq!(client.header().effort, 2);
    let late = (0..8).map(|_| random()).all(|e| client.put(&first, &e).stored);
    assert!(late, "who read a header an hour ago is not refused");
    server.terminate();
    let status = std::fs::read_to_string(dir.path().join("data/status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let expected = serde_json::json!({ "now": 2, "lowest_that_pays": 1, "base": 1, "max": 2 });
    assert_eq!(status["effort"], expected);

    // A dearer board after a restart refuses nobody who read the header before it.
    let server = Server::start_with(dir.path(), &["--effort", "40"]);
    let client = server.client();
    assert!(client.put(&first, &random()).stored);
    let refused = PageHeader { seed: [9; 32], ..first };
    assert!(!client.put(&refused, &random()).stored, "control");
}

/// Memory of the process in kB, as the kernel counts it.
fn resident_kb(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn brd_27_ten_thousand_envelopes_need_less_than_60_mb() {
    let dir = dir();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let settings = Settings { interval_s: 1, ..SETTINGS };
    let start = clock::now() - 200;
    {
        let store = DiskStore::open(&data.join("board"), &data.join("keys")).unwrap();
        let mut pages = Pages::open(Arc::new(store), settings, POLICY, start).unwrap();
        for second in 0..100 {
            pages.put((0..100).map(|_| random()).collect(), start + second).unwrap();
        }
        pages.tick(start + 100).unwrap();
    }
    let server = Server::start(dir.path());
    let client = server.client();
    let frames = client.digest(Window::LastHour);
    let count: u32 = frames.iter().map(|f| f.header.count).sum();
    assert!(count >= 10_000, "{count}");
    for frame in &frames {
        let chunk = u16::try_from(frame.header.chunks().saturating_sub(1)).unwrap();
        client.fetch(frame.header.page, chunk);
    }
    let header = client.header();
    (0..10).for_each(|_| assert!(client.put(&header, &random()).stored));
    let kb = resident_kb(server.pid());
    println!("{kb} kB at most with {count} envelopes");
    assert!(kb < 60_000, "{kb} kB");
}
