//! How the connections ask the loop.

use crate::types::error::Failure;
use crate::types::method::Call;
use crate::types::view;
use crate::wording;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

/// The number of an event; the log is read onwards from it.
pub(crate) type EventPosition = i64;

/// A result, and whom to tell that it was written, if somebody waits for that.
pub(crate) type Answered = (Result<Value, Failure>, Option<oneshot::Sender<()>>);

/// One question to the loop.
pub(super) enum Ask {
    Welcome(oneshot::Sender<Result<Value, Failure>>),
    Call(Box<Call>, oneshot::Sender<Answered>),
    Subscribe {
        name: String,
        after: Option<String>,
        answer: oneshot::Sender<Result<EventPosition, Failure>>,
    },
    Events {
        after: EventPosition,
        limit: u32,
        answer: oneshot::Sender<Result<Vec<(EventPosition, view::Event)>, Failure>>,
    },
}

/// The way to ask the loop; cheap to clone.
#[derive(Clone)]
pub(crate) struct Handle {
    asks: mpsc::Sender<Ask>,
    news: watch::Receiver<u64>,
}

impl Handle {
    pub(super) const fn new(asks: mpsc::Sender<Ask>, news: watch::Receiver<u64>) -> Self {
        Self { asks, news }
    }

    /// Changes whenever the event log has grown.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// The answer to `hello`.
    pub(crate) async fn welcome(&self) -> Result<Value, Failure> {
        self.ask(Ask::Welcome).await.unwrap_or_else(Err)
    }

    /// Does a call. A caller that gets a sender fires it once the answer is written.
    pub(crate) async fn call(&self, call: Call) -> Answered {
        let asked = self.ask(|answer| Ask::Call(Box::new(call), answer)).await;
        asked.unwrap_or_else(|failure| (Err(failure), None))
    }

    /// Where a subscription starts.
    pub(crate) async fn subscribe(
        &self,
        name: String,
        after: Option<String>,
    ) -> Result<EventPosition, Failure> {
        self.ask(|answer| Ask::Subscribe { name, after, answer }).await?
    }

    /// Up to `limit` events after a position, oldest first.
    pub(crate) async fn events(
        &self,
        after: EventPosition,
        limit: u32,
    ) -> Result<Vec<(EventPosition, view::Event)>, Failure> {
        self.ask(|answer| Ask::Events { after, limit, answer }).await?
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Failure> {
        let (answer, receiver) = oneshot::channel();
        self.asks.send(make(answer)).await.map_err(|_| wording::ending())?;
        receiver.await.map_err(|_| wording::ending())
    }
}
