//! Mailboxes that are made elsewhere: the server's own code, on this world's clock.

use crate::faults::Fate;
use crate::gate::Origin;
use crate::mailbox::SimMailbox;
use crate::observe::{Errand, Seen};
use crate::traffic::{Stream, turn};
use crate::world::World;
use board::frame::{FetchAnswer, PutAnswer, PutRequest, Request};
use board::pow::{SOLUTION_LEN, Work, solve_with};
use board::tag::OnionKey;
use engine::{Answer, OperationKind};

/// A board behind the address of a mailbox. It gets the bytes that a client sends and gives those
/// that it answers; the way there, and what goes wrong on it, is the world's.
pub trait Board {
    /// A circuit came; gives its number here.
    fn accept(&mut self) -> u64;

    /// Answers a request. One that is to be refused is answered as if the server could not do it.
    fn answer(&mut self, unix_s: u64, connection: u64, request: &[u8], refuse: bool) -> Vec<u8>;

    /// What a stream is sent since the last time.
    fn more(&mut self, connection: u64) -> Vec<u8>;

    /// A circuit ended, with its answer or broken off.
    fn close(&mut self, connection: u64, answered: bool);

    /// Does what is due.
    fn tick(&mut self, unix_s: u64);

    /// Whether pages closed since it was asked.
    fn has_closed(&mut self) -> bool;

    /// What its observer saw since it was asked, and on which circuit. Puts come without their truth.
    fn seen(&mut self) -> Vec<(Option<u64>, Seen)>;
}

/// A puzzle that is as quick to solve as to check, for clients and boards of a simulation. All else
/// of the proof of work is as it must be: seed, epoch, mailbox, envelope, and how many nonces it takes
/// to reach the effort.
#[derive(Debug, Clone, Copy)]
pub struct FreeWork;

impl FreeWork {
    fn solution(challenge: &[u8]) -> [u8; SOLUTION_LEN] {
        *crypto::hash(&[b"free", challenge]).first_chunk().expect("a hash is longer")
    }
}

impl Work for FreeWork {
    fn solutions(&mut self, challenge: &[u8]) -> Vec<[u8; SOLUTION_LEN]> {
        vec![Self::solution(challenge)]
    }

    fn accepts(&self, challenge: &[u8], solution: &[u8; SOLUTION_LEN]) -> bool {
        *solution == Self::solution(challenge)
    }
}

impl World {
    /// Adds a mailbox whose board is made elsewhere, for its key and from this second on. Its
    /// operator can refuse and be out of reach; for what else goes wrong at a mailbox, and for those
    /// that lie, there is [`World::add_mailbox`].
    pub fn add_board(&mut self, make: impl FnOnce(OnionKey, u64) -> Box<dyn Board>) -> usize {
        let at = self.add_mailbox();
        let board = make(self.mailboxes[at].key, self.unix_s());
        self.mailboxes[at].board = Some(board);
        at
    }

    /// A request is at a board.
    pub(crate) fn ask(
        &mut self,
        origin: Origin,
        at: usize,
        kind: OperationKind,
        delay: u64,
        errand: Option<Errand>,
        fate: &Fate,
    ) {
        assert!(!fate.lies(), "a board that is made elsewhere does not lie");
        let unix_s = self.unix_s();
        if let (Some(observer), OperationKind::Put { envelope, .. }) = (&mut self.observer, &kind) {
            observer.count(envelope);
        }
        let key = self.mailboxes[at].key;
        let board = board(&mut self.mailboxes[at]);
        let connection = board.accept();
        let (request, refuse) = request(&key, &kind, fate);
        let mut bytes = board.answer(unix_s, connection, &request, refuse);
        if let Some(observer) = &mut self.observer {
            observer.enter(at, connection, origin.client, errand);
        }
        self.circuits.insert(origin, (at, connection));
        self.look_on(self.now, at);
        self.spread(at);
        if let OperationKind::Digest(window) = kind {
            return self.open_stream(Stream::new(origin, at, delay, key), bytes, window, fate.flip);
        }
        self.hang_up(&origin);
        turn(&mut bytes, fate.flip);
        let answer = match kind {
            OperationKind::Put { .. } => PutAnswer::decode(&bytes).map(Answer::Put),
            _ => FetchAnswer::decode(&bytes).map(|answer| Answer::Fetch(Box::new(answer))),
        };
        self.deliver(origin, delay, fate, answer);
    }

    /// Does what is due at a board; says whether the mailbox has one.
    pub(crate) fn tick(&mut self, at: usize) -> bool {
        let unix_s = self.unix_s();
        let Some(board) = &mut self.mailboxes[at].board else { return false };
        board.tick(unix_s);
        self.spread(at);
        true
    }

    /// Pages that closed go to every stream.
    fn spread(&mut self, at: usize) {
        if board(&mut self.mailboxes[at]).has_closed() {
            self.look_on(self.now, at);
            self.publish(at, None);
        }
    }

    /// What a stream is sent by its board.
    pub(crate) fn more(&mut self, origin: &Origin) -> Vec<u8> {
        let Some((at, connection)) = self.circuits.get(origin).copied() else { return Vec::new() };
        board(&mut self.mailboxes[at]).more(connection)
    }

    /// A circuit is over, at the mailbox too.
    pub(crate) fn end_circuit(&mut self, at: u64, origin: &Origin, lost: bool) {
        if let Some((mailbox, connection)) = self.circuits.remove(origin) {
            board(&mut self.mailboxes[mailbox]).close(connection, !lost);
            self.look_on(at, mailbox);
        } else if let Some(observer) = &mut self.observer {
            observer.close(at, origin, lost);
        }
    }

    /// Every circuit of a client is gone.
    pub(crate) fn cut(&mut self, client: usize) {
        let gone: Vec<Origin> =
            self.circuits.keys().filter(|origin| origin.client == client).copied().collect();
        gone.iter().for_each(|origin| self.end_circuit(self.now, origin, true));
        if let Some(observer) = &mut self.observer {
            observer.cut(self.now, client);
        }
    }

    /// Takes over what a board's observer saw.
    fn look_on(&mut self, now: u64, at: usize) {
        let seen = board(&mut self.mailboxes[at]).seen();
        if let Some(observer) = &mut self.observer {
            seen.into_iter()
                .for_each(|(connection, what)| observer.tell(now, at, connection, what));
        }
    }
}

fn board(mailbox: &mut SimMailbox) -> &mut Box<dyn Board> {
    mailbox.board.as_mut().expect("the mailbox is one of this crate")
}

/// The bytes of a request, with its proof of work, and whether the operator refuses it.
fn request(key: &OnionKey, kind: &OperationKind, fate: &Fate) -> (Vec<u8>, bool) {
    match kind {
        OperationKind::Put { envelope, seed, epoch, effort } => {
            let mut nonces = 0_u128..;
            let nonces = || nonces.next().unwrap_or_default().to_be_bytes();
            let solved = solve_with(&mut FreeWork, seed, key, envelope, *effort, nonces);
            let (nonce, solution) = solved.expect("the board asks for less than clients do");
            let (epoch, envelope) = (*epoch, envelope.clone());
            let put = PutRequest { epoch, nonce, solution, envelope };
            (Request::Put(put).encode(), fate.retry)
        }
        OperationKind::Fetch { page, chunk } => {
            (Request::Fetch { page: *page, chunk: *chunk }.encode(), fate.garbage_fetch)
        }
        OperationKind::Digest(window) => (Request::Digest(*window).encode(), false),
    }
}
