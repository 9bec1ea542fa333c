use super::Server;
use board::envelope::{Envelope, dummy};
use board::frame::{FetchAnswer, PutAnswer, PutRequest, Request, Window};
use board::header::{DigestFrame, DigestReader, PageHeader};
use board::pow::solve_with;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use simnet::{Board, FreeWork, START_UNIX_S, Seen};

const KEY: [u8; 32] = [3; 32];

/// Asks on a circuit of its own.
fn ask(server: &mut Server, at: u64, request: &Request, refuse: bool) -> Vec<u8> {
    let connection = server.accept();
    let answer = server.answer(at, connection, &request.encode(), refuse);
    server.close(connection, true);
    answer
}

fn frames(bytes: &[u8]) -> Vec<DigestFrame> {
    DigestReader::new(KEY).push(bytes).unwrap()
}

fn paid(header: &PageHeader, seed: [u8; 32], epoch: u64, envelope: &Envelope) -> Request {
    let mut nonces = 0_u128..;
    let nonces = || nonces.next().unwrap().to_be_bytes();
    let (nonce, solution) =
        solve_with(&mut FreeWork, &seed, &KEY, envelope, header.effort, nonces).unwrap();
    Request::Put(PutRequest { epoch, nonce, solution, envelope: envelope.clone() })
}

#[test]
fn th_2_boards_are_the_servers_own_code_and_nothing_but_the_puzzle_is_free() {
    let start = START_UNIX_S;
    let mut server = Server::open(KEY, start, 1);
    let stream = server.accept();
    let first =
        frames(&server.answer(start, stream, &Request::Digest(Window::Stream).encode(), false));
    let header = first.last().unwrap().header;
    let hour = start / 3600;
    let mut dice = ChaCha20Rng::seed_from_u64(1);
    let envelopes: Vec<Envelope> = (0..5).map(|_| dummy(&mut dice)).collect();
    let mut put = |request: &Request, refuse: bool| {
        PutAnswer::decode(&ask(&mut server, start + 1, request, refuse)).unwrap().stored
    };
    let good = paid(&header, header.seed, hour, &envelopes[0]);
    assert!(put(&good, false) && put(&good, false), "the same bytes are STORED again");
    assert!(!put(&paid(&header, header.seed, hour - 2, &envelopes[1]), false), "an old epoch");
    assert!(!put(&paid(&header, [9; 32], hour, &envelopes[2]), false), "another seed");
    let Request::Put(unpaid) = paid(&header, header.seed, hour, &envelopes[3]) else { return };
    let unpaid = Request::Put(PutRequest { solution: [0; 16], ..unpaid });
    assert!(!put(&unpaid, false), "no solution");
    let refused = paid(&header, header.seed, hour, &envelopes[4]);
    assert!(!put(&refused, true) && put(&refused, false), "the operator refuses, or does not");

    assert!(server.more(stream).is_empty(), "no page has closed");
    server.tick(start + 10);
    let sent = frames(&server.more(stream));
    let frame = sent.last().unwrap();
    assert_eq!(frame.header.page, header.page + 1);
    let prefix = |envelope: &Envelope| *envelope.as_bytes().first_chunk::<8>().unwrap();
    let stored: Vec<usize> = envelopes.iter().map(|e| frame.find(&prefix(e)).len()).collect();
    assert_eq!(stored, [1, 0, 0, 0, 1], "once, and nothing unpaid");
    let chunk = frame.chunks_of(&prefix(&envelopes[0])).next().unwrap();
    let mut fetch = |chunk, refuse| {
        let request = Request::Fetch { page: frame.header.page, chunk };
        ask(&mut server, start + 11, &request, refuse)
    };
    let (page, header) = (frame.header.page, &frame.header);
    let (good, missing, refused) = (fetch(chunk, false), fetch(999, false), fetch(chunk, true));
    assert_eq!([good.len(), missing.len(), refused.len()], [33_280; 3]);
    let verified = |bytes: &[u8]| FetchAnswer::decode(bytes).unwrap().verify(header, page, chunk);
    assert!(verified(&good).unwrap().contains(&envelopes[0]));
    assert!(verified(&refused).is_err(), "random bytes");

    let seen = server.seen();
    let on = |number| seen.iter().filter(move |(c, _)| *c == number).map(|(_, what)| what);
    let of_first: Vec<&Seen> = on(Some(2)).collect();
    assert!(matches!(
        of_first.as_slice(),
        [Seen::Accept, Seen::Put { size: 4160, stored: true, .. }, Seen::Disk, Seen::Close { .. }]
    ));
    assert_eq!(on(None).filter(|what| matches!(what, Seen::Page { .. })).count(), 2);
}

#[test]
fn th_2_a_board_is_the_same_each_time() {
    let pages = |seed| {
        let mut server = Server::open(KEY, START_UNIX_S, seed);
        let mut dice = ChaCha20Rng::seed_from_u64(1);
        (1..30).for_each(|minute| {
            let now = START_UNIX_S + 60 * minute;
            let all = Request::Digest(Window::LastHour);
            let header = frames(&ask(&mut server, now, &all, false)).last().unwrap().header;
            let put = paid(&header, header.seed, now / 3600, &dummy(&mut dice));
            ask(&mut server, now, &put, false);
            server.tick(now + 10);
        });
        ask(&mut server, START_UNIX_S + 1800, &Request::Digest(Window::LastHour), false)
    };
    assert_eq!(frames(&pages(7)).len(), 30);
    assert!(pages(7) == pages(7), "what clients do must follow from the seed alone (T0)");
    assert!(pages(7) != pages(8), "positive control");
}
