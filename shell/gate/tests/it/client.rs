use gate::{Blockage, Isolation, Reason, ServerError, Stage, Status, Vanguards};
use rustix::net::SocketType;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::link::{LONG, client, next_abort, next_dial, pair, start_gate};

#[tokio::test]
async fn tor_3_a_dial_brings_a_connected_stream() {
    let (core, end) = client();
    let gate = start_gate(&end, 1).await;
    let serve = async {
        let dial = next_dial(&gate).await;
        assert_eq!((dial.onion, dial.port, dial.token), ([7; 32], 7701, [9; 16]));
        assert_eq!(dial.deadline_ms, 60_000);
        let (ours, theirs) = pair(SocketType::STREAM);
        gate.dialled(dial.id, theirs).await.unwrap();
        std::os::unix::net::UnixStream::from(ours)
    };
    let (stream, mut peer) = tokio::join!(core.dial([7; 32], 7701, [9; 16], LONG), serve);
    let mut stream = stream.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut got = [0; 4];
    std::io::Read::read_exact(&mut peer, &mut got).unwrap();
    assert_eq!(&got, b"ping");
    drop(peer);
    assert_eq!(stream.read(&mut got).await.unwrap(), 0);
}

#[tokio::test]
async fn tor_3_every_reason_reaches_the_caller() {
    let (core, end) = client();
    let gate = start_gate(&end, 1).await;
    for reason in Reason::ALL {
        let serve = async {
            let dial = next_dial(&gate).await;
            gate.failed(dial.id, *reason).await.unwrap();
        };
        let (answer, ()) = tokio::join!(core.dial([1; 32], 1, [2; 16], LONG), serve);
        assert_eq!(answer.unwrap_err().reason, *reason);
    }
}

#[tokio::test]
async fn tor_3_a_dropped_dial_is_aborted_and_its_crossed_stream_closed() {
    let (core, end) = client();
    let gate = start_gate(&end, 1).await;
    let call = tokio::spawn({
        let core = core.clone();
        async move { core.dial([1; 32], 1, [2; 16], LONG).await }
    });
    let dial = next_dial(&gate).await;
    call.abort();
    assert_eq!(next_abort(&gate).await, dial.id);
    let (ours, theirs) = pair(SocketType::STREAM);
    gate.dialled(dial.id, theirs).await.unwrap();
    let ours = std::os::unix::net::UnixStream::from(ours);
    ours.set_nonblocking(true).unwrap();
    let mut ours = tokio::net::UnixStream::from_std(ours).unwrap();
    assert_eq!(ours.read(&mut [0]).await.unwrap(), 0); // closed by the core
}

#[tokio::test]
async fn tor_3_a_new_epoch_fails_what_the_old_gate_had() {
    let (core, end) = client();
    let first = start_gate(&end, 1).await;
    let had = tokio::spawn({
        let core = core.clone();
        async move { core.dial([1; 32], 1, [2; 16], LONG).await }
    });
    let dial = next_dial(&first).await;
    drop(first); // it dies; the supervisor's copy of its end stays open
    let second = start_gate(&end, 2).await;
    assert_eq!(had.await.unwrap().unwrap_err().reason, Reason::Aborted);
    assert_eq!(next_abort(&second).await, dial.id);
    let serve = async {
        let dial = next_dial(&second).await;
        second.failed(dial.id, Reason::Refused).await.unwrap();
    };
    let (answer, ()) = tokio::join!(core.dial([1; 32], 1, [3; 16], LONG), serve);
    assert_eq!(answer.unwrap_err().reason, Reason::Refused);
}

#[tokio::test]
async fn tor_3_a_request_from_before_the_first_gate_is_served_by_it() {
    let (core, end) = client();
    let call = core.dial([1; 32], 1, [2; 16], LONG);
    let serve = async {
        let gate = start_gate(&end, 1).await;
        let dial = next_dial(&gate).await;
        gate.failed(dial.id, Reason::NoDescriptor).await.unwrap();
    };
    let (answer, ()) = tokio::join!(call, serve);
    assert_eq!(answer.unwrap_err().reason, Reason::NoDescriptor);
}

#[tokio::test(start_paused = true)]
async fn tor_2_without_a_gate_a_dial_ends_at_its_deadline() {
    let (core, end) = client();
    let before = tokio::time::Instant::now();
    let answer = core.dial([1; 32], 1, [2; 16], Duration::from_secs(5)).await;
    assert_eq!(answer.unwrap_err().reason, Reason::NoTor);
    assert!(before.elapsed() < Duration::from_secs(8));
    assert_eq!(core.status().borrow().stage, Stage::Gone);
    drop(end);
}

#[tokio::test]
async fn tor_13_status_is_what_the_gate_said_last() {
    let (core, end) = client();
    let mut status = core.status();
    let gate = start_gate(&end, 1).await;
    let seen = *status.wait_for(|status| status.stage == Stage::Starting).await.unwrap();
    assert!(seen.private_network);
    let said = Status {
        stage: Stage::Directory,
        fraction: 420,
        blockage: Blockage::Clock,
        skew_s: Some(-10_800),
        isolation: Isolation::Confirmed,
        vanguards: Vanguards::Full,
    };
    gate.status(said).await.unwrap();
    let seen = *status.wait_for(|status| status.fraction == 420).await.unwrap();
    assert_eq!((seen.blockage, seen.skew_s), (Blockage::Clock, Some(-10_800)));
}

#[tokio::test(start_paused = true)]
async fn tor_13_a_silent_gate_is_gone() {
    let (core, end) = client();
    let gate = start_gate(&end, 1).await;
    let mut status = core.status();
    status.wait_for(|status| status.stage == Stage::Starting).await.unwrap();
    status.wait_for(|status| status.stage == Stage::Gone).await.unwrap(); // 30 s of virtual time
    drop(gate);
}

#[tokio::test]
async fn tor_3_an_ill_formed_frame_ends_the_gate() {
    let (core, end) = pair(SocketType::SEQPACKET);
    let gate = start_gate(&end, 1).await;
    let bad = [1_u8; 7];
    rustix::net::send(&core, &bad, rustix::net::SendFlags::empty()).unwrap();
    assert!(matches!(gate.recv().await, Err(ServerError::Malformed(_))));
}
