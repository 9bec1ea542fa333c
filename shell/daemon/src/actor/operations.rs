//! Runs the engine's operations, one task each; real ones and cover by the same code (BRD-36).

use crate::work::Solver;
use board::frame::{
    FETCH_ANSWER_LEN, FetchAnswer, HEAD_LEN, PutAnswer, PutRequest, Request, Window,
};
use board::header::DigestReader;
use board::pow::Puzzle;
use engine::{Answer, FailReason, MAILBOX_PORT, OpId, Operation, OperationKind};
use gate::{GateClient, Reason};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Time limit of an operation, from dialling to the last byte (BRD-36).
const OPERATION: Duration = Duration::from_secs(60);
/// A mailbox closes a page every 5 minutes at least (BRD-20): a stream that is silent for two
/// pages and a minute is dead.
const SILENCE: Duration = Duration::from_secs(11 * 60);
/// Answers that may wait for the loop; a mailbox that sends faster waits (PRD-5).
const BACKLOG: usize = 16;
/// Bytes read at once from a digest.
const PIECE: usize = 16 * 1024;

/// What an operation brought.
pub(crate) struct News {
    pub(crate) operation: OpId,
    pub(crate) answer: Answer,
    /// The engine that asked: names of operations start anew when it is loaded again.
    life: u64,
}

/// The operations under way.
pub(crate) struct Operations {
    gate: GateClient,
    news: mpsc::Sender<News>,
    solver: Solver,
    running: BTreeMap<u64, AbortHandle>,
    life: u64,
}

impl Operations {
    pub(crate) fn new(gate: GateClient, solver: Solver) -> (Self, mpsc::Receiver<News>) {
        let (news, receiver) = mpsc::channel(BACKLOG);
        (Self { gate, news, solver, running: BTreeMap::new(), life: 0 }, receiver)
    }

    pub(crate) fn start(&mut self, operation: Operation) {
        self.running.retain(|_, task| !task.is_finished());
        let Operation { id, mailbox, token, kind } = operation;
        let to = Outlet { news: self.news.clone(), operation: id, life: self.life };
        let line = Line { gate: self.gate.clone(), mailbox, token };
        let solver = self.solver.clone();
        let task = tokio::spawn(async move {
            let end = run(kind, line, &solver, &to).await;
            tracing::debug!(operation = id.0, result = result(&end));
            to.send(end).await;
        });
        self.running.insert(id.0, task.abort_handle());
    }

    pub(crate) fn stop(&mut self, operation: OpId) {
        if let Some(task) = self.running.remove(&operation.0) {
            task.abort();
        }
    }

    /// Ends everything; what is on its way from it is [`current`](Self::current) no more.
    pub(crate) fn stop_all(&mut self) {
        for task in std::mem::take(&mut self.running).into_values() {
            task.abort();
        }
        self.life = self.life.wrapping_add(1);
    }

    /// Whether the engine that is running asked for this.
    pub(crate) const fn current(&self, news: &News) -> bool {
        news.life == self.life
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// The way back to the loop.
struct Outlet {
    news: mpsc::Sender<News>,
    operation: OpId,
    life: u64,
}

impl Outlet {
    async fn send(&self, answer: Answer) {
        // Fails only when the loop has ended, and then nobody wants to know.
        let _ = self.news.send(News { operation: self.operation, answer, life: self.life }).await;
    }
}

/// What a dial needs; used for one operation.
struct Line {
    gate: GateClient,
    mailbox: [u8; 32],
    token: [u8; 16],
}

impl Line {
    async fn dial(&self) -> Result<UnixStream, FailReason> {
        self.gate
            .dial(self.mailbox, MAILBOX_PORT, self.token, OPERATION)
            .await
            .map_err(|error| reason(error.reason))
    }

    /// Sends `request` and reads an answer of exactly `len` bytes.
    async fn exchange(&self, request: &Request, len: usize) -> Result<Vec<u8>, FailReason> {
        let work = async {
            let mut stream = self.dial().await?;
            stream.write_all(&request.encode()).await.map_err(|_| FailReason::Closed)?;
            let mut answer = vec![0; len];
            stream.read_exact(&mut answer).await.map_err(|_| FailReason::Closed)?;
            Ok(answer)
        };
        timeout(OPERATION, work).await.unwrap_or(Err(FailReason::Timeout))
    }
}

async fn run(kind: OperationKind, line: Line, solver: &Solver, to: &Outlet) -> Answer {
    let answer = match kind {
        OperationKind::Put { envelope, seed, epoch, effort } => {
            let puzzle = Puzzle::new(&seed, &line.mailbox, &envelope, effort);
            match solver.solve(puzzle).await {
                Some((nonce, solution)) => {
                    let put = Request::Put(PutRequest { epoch, nonce, solution, envelope });
                    line.exchange(&put, HEAD_LEN).await.and_then(|bytes| {
                        PutAnswer::decode(&bytes).map(Answer::Put).map_err(|_| FailReason::Garbage)
                    })
                }
                None => Err(FailReason::Internal),
            }
        }
        OperationKind::Fetch { page, chunk } => {
            let request = Request::Fetch { page, chunk };
            line.exchange(&request, FETCH_ANSWER_LEN).await.and_then(|bytes| {
                FetchAnswer::decode(&bytes)
                    .map(|answer| Answer::Fetch(Box::new(answer)))
                    .map_err(|_| FailReason::Garbage)
            })
        }
        OperationKind::Digest(window) => digest(window, &line, to).await.map(|()| Answer::Ended),
    };
    answer.unwrap_or_else(Answer::Failed)
}

/// Passes every frame on as it comes. A window is read within the time limit; a stream until it is
/// stopped, ends, or falls silent.
async fn digest(window: Window, line: &Line, to: &Outlet) -> Result<(), FailReason> {
    if matches!(window, Window::Stream) {
        let open = timeout(OPERATION, ask(window, line)).await;
        return pass_on(open.unwrap_or(Err(FailReason::Timeout))?, line, to).await;
    }
    let whole = async { pass_on(ask(window, line).await?, line, to).await };
    timeout(OPERATION, whole).await.unwrap_or(Err(FailReason::Timeout))
}

async fn ask(window: Window, line: &Line) -> Result<UnixStream, FailReason> {
    let mut stream = line.dial().await?;
    let request = Request::Digest(window).encode();
    stream.write_all(&request).await.map_err(|_| FailReason::Closed)?;
    Ok(stream)
}

async fn pass_on(mut stream: UnixStream, line: &Line, to: &Outlet) -> Result<(), FailReason> {
    let mut reader = DigestReader::new(line.mailbox);
    let mut piece = vec![0; PIECE];
    loop {
        let read = timeout(SILENCE, stream.read(&mut piece)).await;
        let len = read.map_err(|_| FailReason::Timeout)?.map_err(|_| FailReason::Closed)?;
        let Some(bytes) = piece.get(..len).filter(|bytes| !bytes.is_empty()) else { break };
        for frame in reader.push(bytes).map_err(|_| FailReason::Garbage)? {
            to.send(Answer::Frame(Box::new(frame))).await;
        }
    }
    reader.finish().map_err(|_| FailReason::Garbage)
}

const fn reason(reason: Reason) -> FailReason {
    match reason {
        Reason::NoTor => FailReason::NoTor,
        Reason::Blocked => FailReason::Blocked,
        Reason::Clock => FailReason::Clock,
        Reason::Timeout => FailReason::Timeout,
        Reason::NoDescriptor => FailReason::NotFound,
        Reason::Refused => FailReason::Refused,
        Reason::Unreachable | Reason::NeedsPow => FailReason::Unreachable,
        Reason::ReusedToken | Reason::Aborted | Reason::Internal => FailReason::Internal,
    }
}

/// One word for the log: neither place nor size.
const fn result(answer: &Answer) -> &'static str {
    match answer {
        Answer::Put(PutAnswer { stored: true, .. }) => "stored",
        Answer::Put(_) => "retry",
        Answer::Fetch(_) => "fetched",
        Answer::Frame(_) => "frame",
        Answer::Ended => "ended",
        Answer::Failed(_) => "failed",
    }
}
