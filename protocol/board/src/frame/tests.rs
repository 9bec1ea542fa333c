use super::*;
use crate::envelope;
use crate::page::{Page, Place, Settings};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const SETTINGS: Settings = Settings { interval_s: 10, fill: 8, ttl_h: 336, mailbox: [7; 32] };

fn page(deposits: usize) -> Page {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let place =
        Place { page: 5, closed_at: 7_200, oldest: 0, prev: [1; 32], seed: [2; 32], effort: 1 };
    let deposits = (0..deposits).map(|_| envelope::dummy(&mut rng)).collect();
    Page::build(&SETTINGS, &place, deposits, &mut rng).unwrap()
}

fn head(request: &Request) -> [u8; HEAD_LEN] {
    *request.encode().first_chunk().unwrap()
}

fn put() -> Request {
    let envelope = envelope::dummy(&mut ChaCha20Rng::seed_from_u64(2));
    Request::Put(PutRequest { epoch: 9, nonce: [3; 16], solution: [4; 16], envelope })
}

#[test]
fn brd_11_requests_have_two_lengths_and_round_trip() {
    assert_eq!(put().encode().len(), PUT_LEN);
    assert_eq!(
        RequestHead::decode(&head(&put())),
        Ok(RequestHead::Put { epoch: 9, nonce: [3; 16], solution: [4; 16] })
    );
    let days = (0..=13).map(|back| Window::Day { back });
    for window in days.chain([Window::Stream, Window::LastTenMinutes, Window::LastHour]) {
        let request = Request::Digest(window);
        assert_eq!(request.encode().len(), HEAD_LEN);
        assert_eq!(RequestHead::decode(&head(&request)), Ok(RequestHead::Digest(window)));
    }
    let fetch = Request::Fetch { page: u64::MAX, chunk: 77 };
    assert_eq!(fetch.encode().len(), HEAD_LEN);
    let read = RequestHead::Fetch { page: u64::MAX, chunk: 77 };
    assert_eq!(RequestHead::decode(&head(&fetch)), Ok(read));
}

#[test]
fn brd_16_heads_that_do_not_exist_are_refused() {
    let digest = head(&Request::Digest(Window::Stream));
    for (at, value) in [(0, 0), (0, 2), (1, 0), (1, 4), (2, 4), (3, 1), (4, 1), (63, 128)] {
        let mut wrong = digest;
        wrong[at] = value;
        assert!(RequestHead::decode(&wrong).is_err(), "byte {at} = {value}");
    }
    let mut back = head(&Request::Digest(Window::Day { back: 13 }));
    assert!(RequestHead::decode(&back).is_ok());
    back[3] = 14;
    assert!(RequestHead::decode(&back).is_err());
    for at in 42..HEAD_LEN {
        let mut wrong = head(&put());
        wrong[at] = 1;
        assert!(RequestHead::decode(&wrong).is_err(), "reserved byte {at} of PUT");
    }
    for at in 12..HEAD_LEN {
        let mut wrong = head(&Request::Fetch { page: 1, chunk: 1 });
        wrong[at] = 1;
        assert!(RequestHead::decode(&wrong).is_err(), "reserved byte {at} of FETCH");
    }
}

proptest! {
    #[test]
    fn brd_11_a_head_that_is_read_is_written_back_alike(bytes: [u8; 32], ver in 0u8..3, op in 0u8..5, back in 0u8..16) {
        let mut head_bytes = [0; HEAD_LEN];
        head_bytes[..32].copy_from_slice(&bytes);
        head_bytes[0] = ver;
        head_bytes[1] = op;
        if op == 2 { head_bytes[2..].fill(0); head_bytes[2] = bytes[2] % 5; head_bytes[3] = back; }
        if op == 3 { head_bytes[12..].fill(0); }
        if let Ok(read) = RequestHead::decode(&head_bytes) {
            let request = match read {
                RequestHead::Put { epoch, nonce, solution } => {
                    let envelope = envelope::dummy(&mut ChaCha20Rng::seed_from_u64(0));
                    Request::Put(PutRequest { epoch, nonce, solution, envelope })
                }
                RequestHead::Digest(window) => Request::Digest(window),
                RequestHead::Fetch { page, chunk } => Request::Fetch { page, chunk },
            };
            prop_assert_eq!(head(&request), head_bytes);
        }
    }

    #[test]
    fn brd_12_any_flip_of_a_put_answer_is_refused_or_another_answer(at in 0usize..64, bit in 0u8..8) {
        let answer = PutAnswer { stored: true, open_page: 3, head: [5; 32] };
        let mut bytes = answer.encode();
        prop_assert_eq!(bytes.len(), HEAD_LEN);
        prop_assert_eq!(PutAnswer::decode(&bytes), Ok(answer));
        bytes[at] ^= 1 << bit;
        prop_assert_ne!(PutAnswer::decode(&bytes), Ok(answer));
    }
}

#[test]
fn brd_12_answers_of_other_lengths_are_refused() {
    let put = PutAnswer { stored: false, open_page: 3, head: [5; 32] }.encode();
    assert!(PutAnswer::decode(&put[..63]).is_err());
    assert!(PutAnswer::decode(&[&put[..], &[0]].concat()).is_err());
    let fetch = page(8).answer(0).unwrap().encode();
    assert_eq!(fetch.len(), FETCH_ANSWER_LEN);
    assert!(FetchAnswer::decode(&fetch[..FETCH_ANSWER_LEN - 1]).is_err());
    assert!(FetchAnswer::decode(&[&fetch[..], &[0]].concat()).is_err());
}

#[test]
fn brd_14_every_chunk_of_every_page_size_verifies() {
    for deposits in [1, 8, 9, 17, 40, 64, 65] {
        let page = page(deposits);
        let header = page.frame.header;
        assert_eq!(usize::try_from(header.chunks()), Ok(deposits.div_ceil(8)));
        let mut seen = Vec::new();
        for chunk in 0..u16::try_from(header.chunks()).unwrap() {
            let bytes = page.answer(chunk).unwrap().encode();
            let answer = FetchAnswer::decode(&bytes).unwrap();
            let envelopes = answer.verify(&header, 5, chunk).ok().unwrap();
            seen.extend(envelopes.iter().map(|e| *e.as_bytes().first_chunk::<8>().unwrap()));
            assert_eq!(answer.verify(&header, 6, chunk).err(), Some(FetchError::OtherChunk));
            assert_eq!(answer.verify(&header, 5, chunk + 1).err(), Some(FetchError::OtherChunk));
        }
        assert_eq!(seen, page.frame.prefixes);
        assert!(page.answer(u16::try_from(header.chunks()).unwrap()).is_none());
    }
}

#[test]
fn brd_14_a_chunk_that_does_not_lead_to_the_root_is_discarded() {
    let page = page(40);
    let genuine = page.answer(2).unwrap().encode();
    // A byte of every field: version, depth, chunk, page, reserved, path, unused path, envelopes.
    for at in [0, 1, 3, 11, 12, 63, 64, 64 + 95, 64 + 96, 64 + 447, 512, 4607, 33_279] {
        let mut forged = genuine.clone();
        forged[at] ^= 1;
        let envelopes =
            FetchAnswer::decode(&forged).ok().and_then(|a| a.verify(&page.frame.header, 5, 2).ok());
        assert!(envelopes.is_none(), "byte {at}");
    }
    let honest = FetchAnswer::decode(&genuine).unwrap();
    assert!(honest.verify(&page.frame.header, 5, 2).is_ok(), "positive control");
    // The right bytes at the wrong place of the same page.
    let mut moved = page.answer(1).unwrap().encode();
    moved[3] = 2;
    let moved = FetchAnswer::decode(&moved).unwrap();
    assert_eq!(moved.verify(&page.frame.header, 5, 2).err(), Some(FetchError::NotInPage));
}

#[test]
fn brd_16_an_unknown_chunk_is_answered_at_full_length_and_discarded() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let bytes = FetchAnswer::unknown(5, 4, &mut rng);
    assert_eq!(bytes.len(), FETCH_ANSWER_LEN);
    let answer = FetchAnswer::decode(&bytes).unwrap();
    assert_eq!(answer.verify(&page(40).frame.header, 5, 4).err(), Some(FetchError::NotInPage));
    assert_ne!(bytes, FetchAnswer::unknown(5, 4, &mut rng));
}
