//! One end of the `SOCK_SEQPACKET` pair: whole messages, at most one descriptor with each.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketType, sockopt,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use crate::frame::MAX_FRAME;

/// Length of the receive buffer: one more than the longest frame, so that a longer one shows.
const BUFFER: usize = MAX_FRAME + 1;

/// What one `recvmsg` brought.
pub(crate) struct Message {
    buffer: [u8; BUFFER],
    len: usize,
    /// The descriptor that came along.
    pub(crate) fd: Option<OwnedFd>,
    /// More came than one message may carry.
    pub(crate) truncated: bool,
}

impl Message {
    /// The message's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

/// tokio has no type for `SOCK_SEQPACKET`. Its datagram type registers the descriptor, which is all
/// that is asked of it; messages go through `sendmsg` and `recvmsg`.
pub(crate) struct SeqSocket(UnixDatagram);

impl SeqSocket {
    /// Takes over one end; it must be a `SOCK_SEQPACKET` Unix socket. Needs a tokio runtime.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        if !is_unix(&fd, SocketType::SEQPACKET) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a Unix SEQPACKET socket"));
        }
        let socket = std::os::unix::net::UnixDatagram::from(fd);
        socket.set_nonblocking(true)?;
        UnixDatagram::from_std(socket).map(Self)
    }

    /// Waits for the next message; `None` at the end of the connection.
    pub(crate) async fn recv(&self) -> io::Result<Option<Message>> {
        let message = self.0.async_io(Interest::READABLE, || recv_now(self.0.as_fd())).await?;
        Ok((message.len > 0).then_some(message))
    }

    /// Sends one message whole, with at most one descriptor.
    pub(crate) async fn send(&self, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.0.async_io(Interest::WRITABLE, || send_now(self.0.as_fd(), bytes, fd)).await
    }
}

/// Whether `fd` is a Unix socket of the given type (TOR-5).
pub(crate) fn is_unix(fd: &OwnedFd, kind: SocketType) -> bool {
    sockopt::socket_domain(fd).is_ok_and(|domain| domain == AddressFamily::UNIX)
        && sockopt::socket_type(fd).is_ok_and(|found| found == kind)
}

fn recv_now(socket: BorrowedFd<'_>) -> io::Result<Message> {
    let mut buffer = [0; BUFFER];
    // Room for two: a second descriptor must be seen, to be refused and closed.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut buffer)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let fd = fds.next();
    let truncated =
        fds.count() > 0 || got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
    Ok(Message { buffer, len: got.bytes, fd, truncated })
}

fn send_now(socket: BorrowedFd<'_>, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = fd.map(|fd| [fd]);
    if let Some(fds) = &fds
        && !control.push(SendAncillaryMessage::ScmRights(fds))
    {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
