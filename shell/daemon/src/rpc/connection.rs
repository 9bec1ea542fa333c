//! One face: its calls in order, its events in between.

use super::line::{LineError, Lines};
use super::message::{self, Refusal};
use crate::actor::{EventPosition, Handle};
use crate::types::error::ErrorKind;
use crate::types::method::{Call, Done};
use crate::wording;
use crypto::Zeroizing;
use jsonrpsee_types::Id;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

/// Events written at once; then calls have their turn.
const BATCH: u32 = 64;

/// Serves one connection to its end.
pub(super) async fn serve(stream: UnixStream, core: Handle) {
    let (read, write) = stream.into_split();
    let news = core.news();
    let connection =
        Connection { lines: Lines::new(read), write, core, news, hello: None, events: None };
    // The peer is gone or was refused: nobody is left to be told.
    let _ = connection.run().await;
}

/// The connection is over.
struct Over;

struct Connection {
    lines: Lines<OwnedReadHalf>,
    write: OwnedWriteHalf,
    core: Handle,
    news: watch::Receiver<u64>,
    /// Whether a person sits at the face; `None` before its `hello`.
    hello: Option<bool>,
    /// The last event that was written, once the face has subscribed.
    events: Option<EventPosition>,
}

impl Connection {
    async fn run(mut self) -> Result<(), Over> {
        loop {
            tokio::select! {
                line = self.lines.next() => match line {
                    Ok(Some(line)) => self.line(&line).await?,
                    Ok(None) | Err(LineError::Io) => return Err(Over),
                    Err(LineError::TooLong) => {
                        self.send(message::error(Id::Null, message::oversize())).await?;
                        return Err(Over);
                    }
                },
                changed = self.news.changed(), if self.events.is_some() => {
                    changed.map_err(|_| Over)?;
                    self.pass_events().await?;
                }
            }
        }
    }

    async fn line(&mut self, line: &[u8]) -> Result<(), Over> {
        match message::parse(line) {
            Ok((id, call)) => self.call(id, call).await,
            Err(Refusal { id, error }) => self.send(message::error(id, error)).await,
        }
    }

    async fn call(&mut self, id: Id<'static>, call: Call) -> Result<(), Over> {
        let result = match call {
            Call::Hello { interactive, .. } => {
                self.hello = Some(interactive);
                self.core.welcome().await
            }
            // RPC-3.
            _ if self.hello.is_none() => {
                Err(wording::failure(ErrorKind::WrongUse, wording::HELLO_FIRST))
            }
            // PRD-18, RPC-3: typed words come from a person.
            Call::VerifyBegin { .. } | Call::VerifyWords { .. } if self.hello != Some(true) => {
                Err(wording::failure(ErrorKind::Unverified, wording::NOT_INTERACTIVE))
            }
            Call::Subscribe { name, after } => return self.subscribe(id, name, after).await,
            call => {
                let (result, written) = self.core.call(call).await;
                self.send(message::answer(id, result)).await?;
                if let Some(written) = written {
                    // The core waits no longer than its patience lasts.
                    let _ = written.send(());
                }
                return Ok(());
            }
        };
        self.send(message::answer(id, result)).await
    }

    async fn subscribe(
        &mut self,
        id: Id<'static>,
        name: String,
        after: Option<String>,
    ) -> Result<(), Over> {
        let result = self.core.subscribe(name, after).await.and_then(|position| {
            self.events = Some(position);
            serde_json::to_value(Done {}).map_err(|_| wording::internal())
        });
        let subscribed = result.is_ok();
        self.send(message::answer(id, result)).await?;
        if subscribed { self.pass_events().await } else { Ok(()) }
    }

    /// Writes the events after the last one that was written. Waits for the reader; the log waits
    /// in the database meanwhile.
    async fn pass_events(&mut self) -> Result<(), Over> {
        let Some(position) = self.events else { return Ok(()) };
        let events = self.core.events(position, BATCH).await.map_err(|_| Over)?;
        for (position, event) in &events {
            self.send(message::notification("event", event)).await?;
            self.events = Some(*position);
        }
        if u32::try_from(events.len()).is_ok_and(|len| len >= BATCH) {
            // There may be more: come back after the calls that wait.
            self.news.mark_changed();
        }
        Ok(())
    }

    async fn send(&mut self, line: Zeroizing<Vec<u8>>) -> Result<(), Over> {
        self.write.write_all(&line).await.map_err(|_| Over)
    }
}
