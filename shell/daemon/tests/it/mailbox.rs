//! A mailbox in memory: real frames, real pages, real proof of work; no disk.

use board::envelope::Envelope;
use board::frame::{FetchAnswer, HEAD_LEN, PutAnswer, RequestHead, Window};
use board::header::EPOCH_S;
use board::page::{Page, Place, Settings};
use board::pow;
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use wire::Codec;

/// Seconds between two pages.
const INTERVAL: u16 = 1;

pub(crate) struct Mailbox {
    settings: Settings,
    state: Mutex<State>,
    pages: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    pages: Vec<Page>,
    waiting: Vec<Envelope>,
    /// Tag and digest of everything that was ever stored.
    stored: Vec<([u8; 16], [u8; 32])>,
    retries: usize,
}

pub(crate) struct Dice;

impl TryRng for Dice {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(getrandom::u32().unwrap())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(getrandom::u64().unwrap())
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(dst).unwrap();
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

impl Mailbox {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let settings = Settings { interval_s: INTERVAL, fill: 8, ttl_h: 336, mailbox: key };
        let mailbox = Self { settings, state: Mutex::default(), pages: watch::Sender::new(0) };
        mailbox.close_page();
        mailbox
    }

    pub(crate) fn key(&self) -> [u8; 32] {
        self.settings.mailbox
    }

    /// Closes pages for ever; an empty one only to begin with.
    pub(crate) async fn keep_closing(&self) {
        loop {
            tokio::time::sleep(Duration::from_secs(INTERVAL.into())).await;
            if !self.state.lock().unwrap().waiting.is_empty() {
                self.close_page();
            }
        }
    }

    /// Tags that were stored with two different contents: a key was used twice.
    pub(crate) fn tags_used_twice(&self) -> usize {
        let mut stored = self.state.lock().unwrap().stored.clone();
        stored.sort_unstable();
        stored.dedup();
        stored.windows(2).filter(|two| two[0].0 == two[1].0).count()
    }

    pub(crate) fn stored(&self) -> usize {
        self.state.lock().unwrap().stored.len()
    }

    /// Puts an envelope there past the RPC of anybody.
    pub(crate) fn plant(&self, envelope: &Envelope) {
        self.state.lock().unwrap().store(envelope.clone());
    }

    fn close_page(&self) {
        let mut state = self.state.lock().unwrap();
        let closed_at = now();
        let waiting = std::mem::take(&mut state.waiting);
        let place = Place {
            page: state.pages.len().try_into().unwrap(),
            closed_at,
            oldest: 0,
            prev: state.pages.last().map_or([0; 32], |page| page.frame.header.head()),
            seed: seed(closed_at / EPOCH_S),
            effort: 1,
        };
        let page = Page::build(&self.settings, &place, waiting, &mut Dice).unwrap();
        state.pages.push(page);
        self.pages.send_replace(state.pages.len());
    }

    pub(crate) async fn serve(&self, mut stream: UnixStream) {
        let mut head = [0; HEAD_LEN];
        if stream.read_exact(&mut head).await.is_err() {
            return; // given up
        }
        match RequestHead::decode(&head).expect("the core sends good requests") {
            RequestHead::Put { epoch, nonce, solution } => {
                let mut bytes = [0; 4096];
                stream.read_exact(&mut bytes).await.unwrap();
                let envelope = Envelope::from_bytes(&bytes);
                let answer = self.put(epoch, &nonce, &solution, envelope);
                let _ = stream.write_all(&answer.encode()).await;
            }
            RequestHead::Fetch { page, chunk } => {
                let bytes = {
                    let state = self.state.lock().unwrap();
                    let found = state.pages.get(usize::try_from(page).unwrap());
                    found.and_then(|page| page.answer(chunk)).map_or_else(
                        || FetchAnswer::unknown(page, chunk, &mut Dice),
                        |answer| answer.encode(),
                    )
                };
                let _ = stream.write_all(&bytes).await;
            }
            RequestHead::Digest(window) => self.digest(stream, window).await,
        }
    }

    fn put(
        &self,
        epoch: u64,
        nonce: &[u8; 16],
        solution: &[u8; 16],
        envelope: Envelope,
    ) -> PutAnswer {
        let stored = epoch == now() / EPOCH_S
            && pow::verify(&seed(epoch), &self.settings.mailbox, &envelope, 1, nonce, solution);
        let mut state = self.state.lock().unwrap();
        if stored {
            state.store(envelope);
        } else {
            state.retries += 1;
        }
        let open_page = state.pages.len().try_into().unwrap();
        PutAnswer { stored, open_page, head: state.pages.last().unwrap().frame.header.head() }
    }

    async fn digest(&self, mut stream: UnixStream, window: Window) {
        let mut sent = 0;
        let mut closed = self.pages.subscribe();
        loop {
            let frames: Vec<u8> = {
                let state = self.state.lock().unwrap();
                let fresh = &state.pages[sent..];
                sent = state.pages.len();
                fresh.iter().flat_map(|page| page.frame.to_bytes()).collect()
            };
            if stream.write_all(&frames).await.is_err() || window != Window::Stream {
                return;
            }
            tokio::select! {
                changed = closed.changed() => changed.unwrap(),
                _ = stream.read_u8() => return, // the client has closed
            }
        }
    }
}

impl State {
    fn store(&mut self, envelope: Envelope) {
        let (tag, digest) = (envelope.tag().0, crypto::hash(&[envelope.as_bytes()]));
        if !self.stored.contains(&(tag, digest)) {
            self.stored.push((tag, digest));
            self.waiting.push(envelope);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn seed(epoch: u64) -> [u8; 32] {
    crypto::hash(&[b"seed", &epoch.to_be_bytes()])
}

#[test]
fn sto_24_a_key_that_was_used_twice_is_noticed() {
    let mailbox = Mailbox::new([1; 32]);
    let mut bytes = [7; 4096];
    mailbox.plant(&Envelope::from_bytes(&bytes));
    mailbox.plant(&Envelope::from_bytes(&bytes));
    assert_eq!(mailbox.tags_used_twice(), 0);
    bytes[100] = 8; // same tag, other bytes
    mailbox.plant(&Envelope::from_bytes(&bytes));
    assert_eq!((mailbox.tags_used_twice(), mailbox.stored()), (1, 2));
}
