//! A board with five minutes of pages, as a thousand people in `steady` leave it, and all of its
//! answers, as the server gives them.

use crate::load::{Asked, exchange};
use crate::peer::Answers;
use crate::process::Process;
use anyhow::{Result, ensure};
use board::envelope::dummy;
use board::frame::{FETCH_ANSWER_LEN, FetchAnswer, Request, Window};
use board::header::{DigestFrame, DigestReader};
use board::page::Settings;
use mailbox::clock;
use mailbox::effort::Policy;
use mailbox::pages::Pages;
use mailbox::seal::os_rng;
use mailbox::store::{DiskStore, Store};
use std::path::Path;
use std::sync::Arc;

/// The server's own defaults; its key is of no importance.
pub(crate) const SETTINGS: Settings =
    Settings { interval_s: 10, fill: 8, ttl_h: 336, mailbox: [7; 32] };
/// A disk without limits.
pub(crate) const POLICY: Policy = Policy { base: 1, max: 256, people: 1_000, soft: 0, reserve: 0 };
/// Pages, all of the last five minutes, so that they are in the window of ten until the reads are
/// through; and deposits in each. With the first, empty one they make a digest of 37 KB.
const PAGES: u64 = 30;
const IN_A_PAGE: usize = 120;

/// Stores the pages in `folder`, with the server's library and its clock set back.
pub(crate) fn store(folder: &Path) -> Result<()> {
    let store = DiskStore::open(&folder.join("board"), &folder.join("keys"))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let interval = u64::from(SETTINGS.interval_s);
    let start = clock::now() - (PAGES + 1) * interval;
    let mut pages = Pages::open(store, SETTINGS, POLICY, start)?;
    pages.tick(start)?;
    for page in 0..PAGES {
        let at = start + page * interval;
        let envelopes = (0..IN_A_PAGE).map(|_| dummy(&mut os_rng())).collect();
        pages.put(envelopes, at)?;
        ensure!(pages.tick(at + interval)?, "a page did not close");
    }
    Ok(())
}

/// What can be read of the board.
pub(crate) struct Published {
    frames: Vec<DigestFrame>,
    /// The digest of the last ten minutes, and what it is asked with.
    digest: (Vec<u8>, Vec<u8>),
    chunks: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Published {
    /// Reads everything, and checks it as a client does.
    pub(crate) fn read(server: &Process) -> Result<Self> {
        let request = Request::Digest(Window::LastTenMinutes).encode();
        let digest = ask(server, &request)?;
        let mut reader = DigestReader::new(SETTINGS.mailbox);
        let frames = reader.push(&digest)?;
        reader.finish()?;
        let mut chunks = Vec::new();
        for frame in &frames {
            let header = &frame.header;
            for chunk in 0..u16::try_from(header.chunks())? {
                let page = header.page;
                let request = Request::Fetch { page, chunk }.encode();
                let answer = ask(server, &request)?;
                let checked = FetchAnswer::decode(&answer)?;
                ensure!(checked.verify(header, page, chunk).is_ok(), "a wrong chunk");
                chunks.push((request, answer));
            }
        }
        Ok(Self { frames, digest: (request, digest), chunks })
    }

    /// What the peer shall answer.
    pub(crate) fn answers(&self) -> Result<Answers> {
        let all = self.chunks.iter().chain([&self.digest]);
        all.map(|(request, answer)| Ok((request.as_slice().try_into()?, answer.clone()))).collect()
    }

    /// Every chunk `times` times, spread over the pages.
    pub(crate) fn fetches(&self, times: usize) -> Vec<Asked> {
        // Prime to the number of chunks, so that all of them come.
        const STRIDE: usize = 617;
        let len = self.chunks.len();
        let order = (0..times * len).map(|i| i * STRIDE % len);
        let asked = order
            .filter_map(|at| self.chunks.get(at))
            .map(|(request, _)| Asked { request: request.clone(), answer_len: FETCH_ANSWER_LEN });
        asked.collect()
    }

    /// The digest so many times.
    pub(crate) fn digests(&self, times: usize) -> Vec<Asked> {
        let (request, answer) = &self.digest;
        let asked = || Asked { request: request.clone(), answer_len: answer.len() };
        std::iter::repeat_with(asked).take(times).collect()
    }

    /// Bytes with which a STREAM begins.
    pub(crate) fn digest_len(&self) -> usize {
        self.digest.1.len()
    }

    /// The header that a deposit answers.
    pub(crate) fn last(&self) -> Option<&DigestFrame> {
        self.frames.last()
    }
}

fn ask(server: &Process, request: &[u8]) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    exchange(&server.socket, request, &mut answer)?;
    Ok(answer)
}
