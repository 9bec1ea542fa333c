//! TOR-5: what may come with a frame.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use gate::{Reason, Stage};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketType,
};

use super::link::{LONG, client, next_dial, pair, start_gate};

fn send(end: &OwnedFd, bytes: &[u8], fds: &[&OwnedFd]) {
    let fds: Vec<_> = fds.iter().map(|fd| fd.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    }
    rustix::net::sendmsg(end, &[IoSlice::new(bytes)], &mut control, SendFlags::empty()).unwrap();
}

/// Answers a dial with `fds` and returns whether the client took it.
async fn offer(fds: &[&OwnedFd]) -> Result<(), Reason> {
    let (core, end) = client();
    let gate = start_gate(&end, 1).await;
    core.status().wait_for(|status| status.stage == Stage::Starting).await.unwrap();
    let serve = async {
        let dial = next_dial(&gate).await;
        let mut frame = vec![4];
        frame.extend(dial.id.to_be_bytes());
        send(&end, &frame, fds);
    };
    let (answer, ()) = tokio::join!(core.dial([1; 32], 1, [2; 16], LONG), serve);
    if answer.is_err() {
        // The connection is over: nothing else is ever taken from this gate.
        assert_eq!(core.status().borrow().stage, Stage::Gone);
        assert_eq!(
            core.dial([1; 32], 1, [3; 16], LONG).await.unwrap_err().reason,
            Reason::Internal
        );
    }
    answer.map(drop).map_err(|error| error.reason)
}

#[tokio::test]
async fn tor_5_only_a_unix_stream_is_taken() {
    let (stream, _peer) = pair(SocketType::STREAM);
    assert_eq!(offer(&[&stream]).await, Ok(())); // control

    #[expect(clippy::disallowed_methods, reason = "the control: a socket that must be refused")]
    let tcp = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    assert_eq!(offer(&[&tcp]).await, Err(Reason::Internal));
    let (datagram, _peer) = pair(SocketType::DGRAM);
    assert_eq!(offer(&[&datagram]).await, Err(Reason::Internal));
    let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    assert_eq!(offer(&[&file]).await, Err(Reason::Internal));
}

#[tokio::test]
async fn tor_5_one_descriptor_no_more_no_less() {
    let (one, two) = pair(SocketType::STREAM);
    assert_eq!(offer(&[&one, &two]).await, Err(Reason::Internal));
    assert_eq!(offer(&[&one, &two, &one]).await, Err(Reason::Internal));
    assert_eq!(offer(&[]).await, Err(Reason::Internal));
}

#[tokio::test]
async fn tor_3_the_pair_itself_must_be_seqpacket() {
    let (stream, _peer) = pair(SocketType::STREAM);
    assert!(gate::GateClient::new(stream).is_err());
}
