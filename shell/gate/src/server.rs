//! The gate's half: receives requests, sends answers.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use thiserror::Error;
use wire::{Codec, Malformed};

use crate::frame::{Dial, Frame, Hello, Reason, Status};
use crate::seq::SeqSocket;

/// What the core asks.
pub enum Request {
    /// For a stream.
    Dial(Dial),
    /// To give up a request.
    Abort {
        /// Number of the request.
        id: u64,
    },
}

/// Why the gate can serve no longer. Each of them ends the gate; the supervisor restarts it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The core sent bytes that are no frame: a fault of the core's.
    #[error("the core sent an ill-formed frame")]
    Malformed(#[from] Malformed),
    /// The core sent a frame that only a gate sends, or one with a descriptor: a fault of the core's.
    #[error("the core sent a frame that it may not send")]
    Misbehaved,
    /// The socket failed.
    #[error("the socket to the core failed")]
    Io(#[from] io::Error),
}

/// The gate's end of the pair.
pub struct GateServer {
    socket: SeqSocket,
}

impl GateServer {
    /// Takes over the gate's end and says hello. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError::Io`] if `fd` is no `SOCK_SEQPACKET` Unix socket, or sending fails.
    pub async fn new(fd: OwnedFd, hello: Hello) -> Result<Self, ServerError> {
        let server = Self { socket: SeqSocket::new(fd)? };
        server.send(&Frame::Hello(hello)).await?;
        Ok(server)
    }

    /// Waits for the next request; `None` when the core has closed its end.
    ///
    /// # Errors
    /// [`ServerError`]; the connection is of no use afterwards.
    pub async fn recv(&self) -> Result<Option<Request>, ServerError> {
        let Some(message) = self.socket.recv().await? else { return Ok(None) };
        if message.truncated {
            return Err(Malformed::Long.into());
        }
        if message.fd.is_some() {
            return Err(ServerError::Misbehaved);
        }
        // TOR-3: an ill-formed frame ends the gate.
        match Frame::from_bytes(message.bytes())? {
            Frame::Dial(dial) => Ok(Some(Request::Dial(dial))),
            Frame::Abort { id } => Ok(Some(Request::Abort { id })),
            _ => Err(ServerError::Misbehaved),
        }
    }

    /// Answers request `id` with a connected stream; our copy of `stream` is closed.
    ///
    /// # Errors
    /// [`ServerError::Io`] if the socket fails.
    pub async fn dialled(&self, id: u64, stream: OwnedFd) -> Result<(), ServerError> {
        let bytes = Frame::Dialled { id }.to_bytes();
        Ok(self.socket.send(&bytes, Some(stream.as_fd())).await?)
    }

    /// Answers request `id` with a reason.
    ///
    /// # Errors
    /// [`ServerError::Io`] if the socket fails.
    pub async fn failed(&self, id: u64, reason: Reason) -> Result<(), ServerError> {
        self.send(&Frame::Failed { id, reason }).await
    }

    /// Tells the core how the gate fares.
    ///
    /// # Errors
    /// [`ServerError::Io`] if the socket fails.
    pub async fn status(&self, status: Status) -> Result<(), ServerError> {
        self.send(&Frame::Status(status)).await
    }

    async fn send(&self, frame: &Frame) -> Result<(), ServerError> {
        Ok(self.socket.send(&frame.to_bytes(), None).await?)
    }
}
