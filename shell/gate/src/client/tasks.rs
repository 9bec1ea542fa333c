//! The two tasks behind a client.

use std::sync::Arc;
use std::time::Duration;

use rustix::net::SocketType;
use thiserror::Error;
use tokio::sync::mpsc;
use wire::{Codec, Malformed};

use super::{GateStatus, Shared};
use crate::frame::{Frame, Stage};
use crate::seq::{Message, is_unix};

/// A gate repeats its status every 10 s; after this long without a word it counts as gone.
const SILENCE: Duration = Duration::from_secs(30);

/// Why the connection is over. All but `Closed` are faults of the gate's.
#[derive(Debug, Error)]
enum End {
    #[error("an ill-formed frame")]
    Malformed(#[from] Malformed),
    #[error("a frame that only the core sends")]
    Misbehaved,
    #[error("a descriptor where none belongs, or none where one belongs")]
    Descriptor,
    #[error("a descriptor that is no Unix stream")]
    NotUnix,
    #[error("another version of the frames")]
    Version,
    #[error("the socket failed")]
    Io(#[from] std::io::Error),
    #[error("the connection was closed")]
    Closed,
}

/// Reads the gate's frames until the connection ends, then fails all that is open.
pub(super) async fn read(shared: Arc<Shared>, out: mpsc::UnboundedSender<Frame>) {
    let end = loop {
        match tokio::time::timeout(SILENCE, shared.socket.recv()).await {
            Err(_) => {
                shared.status.send_if_modified(|status| {
                    std::mem::replace(&mut status.stage, Stage::Gone) != Stage::Gone
                });
            }
            Ok(Ok(Some(message))) => match handle(&shared, &out, message) {
                Ok(()) => {}
                Err(end) => break end,
            },
            Ok(Ok(None)) => break End::Closed,
            Ok(Err(error)) => break error.into(),
        }
    };
    tracing::warn!("the connection to the gate is over: {end}");
    shared.book.end();
    shared.status.send_replace(GateStatus::GONE);
}

/// Writes frames in the order in which they were asked for.
pub(super) async fn write(shared: Arc<Shared>, mut frames: mpsc::UnboundedReceiver<Frame>) {
    while let Some(frame) = frames.recv().await {
        if let Err(error) = shared.socket.send(&frame.to_bytes(), None).await {
            tracing::warn!("the gate's socket cannot be written: {error}");
            shared.book.end();
            return;
        }
    }
}

fn handle(
    shared: &Shared,
    out: &mpsc::UnboundedSender<Frame>,
    message: Message,
) -> Result<(), End> {
    if message.truncated {
        return Err(Malformed::Long.into());
    }
    match (Frame::from_bytes(message.bytes())?, message.fd) {
        (Frame::Dialled { id }, Some(fd)) => {
            // TOR-5: anything but a Unix stream is closed and ends the connection.
            if !is_unix(&fd, SocketType::STREAM) {
                return Err(End::NotUnix);
            }
            shared.book.answer(id, Ok(fd));
        }
        (Frame::Dialled { .. }, None) | (_, Some(_)) => return Err(End::Descriptor),
        (Frame::Failed { id, reason }, None) => shared.book.answer(id, Err(reason)),
        (Frame::Hello(hello), None) => {
            if hello.version != crate::VERSION {
                return Err(End::Version);
            }
            // TOR-3: what the dead gate had fails at once. What it had not read yet waits in the
            // socket for its successor, which is told to forget it.
            for id in shared.book.greet(hello.epoch) {
                let _ = out.send(Frame::Abort { id });
            }
            shared.status.send_replace(GateStatus::greeted(&hello));
        }
        (Frame::Status(status), None) => {
            shared.status.send_if_modified(|now| {
                let before = *now;
                // Counts only after a hello, which says what it is the status of.
                if now.backend.is_some() {
                    now.updated(&status);
                }
                *now != before
            });
        }
        (Frame::Dial(_) | Frame::Abort { .. }, None) => return Err(End::Misbehaved),
    }
    Ok(())
}
