//! Requests to a mailbox and what it answers.

use crate::choices::Choices;
use board::envelope::{ENVELOPE_LEN, Envelope, dummy};
use board::frame::{FetchAnswer, HEAD_LEN, PutAnswer, PutRequest, Request, RequestHead, Window};
use board::page::{Page, Place, Settings};
use board::pow;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::LazyLock;

/// The first 64 bytes of a request (BRD-11): one value, one encoding.
pub fn request(data: &[u8]) {
    let head: [u8; HEAD_LEN] = Choices::new(data).array();
    let Ok(read) = RequestHead::decode(&head) else { return };
    let request = match read {
        RequestHead::Put { epoch, nonce, solution } => {
            let envelope = Envelope::from_bytes(&[0; ENVELOPE_LEN]);
            Request::Put(PutRequest { epoch, nonce, solution, envelope })
        }
        RequestHead::Digest(window) => Request::Digest(window),
        RequestHead::Fetch { page, chunk } => Request::Fetch { page, chunk },
    };
    assert_eq!(request.encode()[..HEAD_LEN], head);
}

/// The answer to a PUT: one value, one encoding.
pub fn put_answer(data: &[u8]) {
    if let Ok(answer) = PutAnswer::decode(data) {
        assert_eq!(answer.encode(), data);
    }
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let mut rng = dice();
    let deposits = (0..21).map(|_| dummy(&mut rng)).collect();
    Page::build(&SETTINGS, &PLACE, deposits, &mut rng).unwrap()
});

static ANSWERS: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [0, 1, 2].map(|chunk| PAGE.answer(chunk).unwrap().encode()));

pub(crate) const SETTINGS: Settings =
    Settings { interval_s: 60, fill: 8, ttl_h: 24, mailbox: [3; 32] };
pub(crate) const PLACE: Place =
    Place { page: 9, closed_at: 1_800_000_000, oldest: 2, prev: [4; 32], seed: [5; 32], effort: 1 };

pub(crate) fn dice() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([19; 32])
}

/// The answer to a FETCH: one value, one encoding, and only the true chunk verifies (BRD-14).
/// `chunk(1) ‖ edits`
pub fn fetch_answer(data: &[u8]) {
    let mut choices = Choices::new(data);
    let chunk = choices.byte() % 3;
    let valid = &ANSWERS[usize::from(chunk)];
    let bytes = choices.edit(valid);
    let Ok(answer) = FetchAnswer::decode(&bytes) else { return };
    assert_eq!(answer.encode(), bytes);
    let header = &PAGE.frame.header;
    assert_eq!(answer.verify(header, header.page, chunk.into()).is_ok(), bytes == *valid);
}

static PAID: LazyLock<Envelope> = LazyLock::new(|| dummy(&mut dice()));

/// Nonce and solution of a PUT (BRD-15): what pays for an effort pays for half of it.
pub fn work(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (effort, nonce, solution) = (choices.u32(), choices.array(), choices.array());
    let pays = |effort| pow::verify(&[5; 32], &[3; 32], &PAID, effort, &nonce, &solution);
    assert!(!pays(effort) || pays(effort / 2));
}

pub fn request_seeds() -> Vec<Vec<u8>> {
    let envelope = Envelope::from_bytes(&[0; ENVELOPE_LEN]);
    let put = PutRequest { epoch: 1, nonce: [2; 16], solution: [3; 16], envelope };
    let requests = [
        Request::Put(put),
        Request::Digest(Window::Stream),
        Request::Digest(Window::Day { back: 13 }),
        Request::Fetch { page: 5, chunk: 6 },
    ];
    requests.iter().map(|request| request.encode()[..HEAD_LEN].to_vec()).collect()
}

pub fn put_answer_seeds() -> Vec<Vec<u8>> {
    [true, false].map(|stored| PutAnswer { stored, open_page: 7, head: [8; 32] }.encode()).to_vec()
}

pub fn fetch_answer_seeds() -> Vec<Vec<u8>> {
    // None; version, depth, chunk, page; a path; an envelope; a length.
    let edits: [&[u8]; 7] = [
        &[],
        &[0, 0, 1, 1],
        &[0, 0, 3, 1],
        &[0, 0, 11, 1],
        &[0, 0, 64, 1],
        &[0, 1, 0, 1],
        &[4, 0, 64, 0],
    ];
    (0..3).flat_map(|chunk| edits.map(|e| [&[chunk], e].concat())).collect()
}

pub fn work_seeds() -> Vec<Vec<u8>> {
    let mut nonces = (6..).map(|n| [n; 16]);
    let nonces = || nonces.next().unwrap();
    let (nonce, solution) = pow::solve(&[5; 32], &[3; 32], &PAID, 1, nonces).unwrap();
    let paid = [&[0, 0, 0, 1], &nonce[..], &solution].concat();
    vec![paid, vec![0; 36], vec![1; 36]]
}
