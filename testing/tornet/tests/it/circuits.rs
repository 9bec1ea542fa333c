//! What the host of a mailbox sees of circuits (BRD-36, TOR-6, TOR-7): C tor tells it the number of
//! the circuit that each stream comes on, and when a circuit ends.

use std::collections::BTreeSet;
use std::time::Duration;

use gate::{GateClient, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tornet::{Options, Profile, Tornet};

use super::programs::{Gate, LONG, PORT, token};
use super::service::{DEAD, Other, Seen, Service, soon};

/// Operations of the test, and how many of them are under way at once (BRD-32).
const OPERATIONS: usize = 200;
const AT_ONCE: usize = 8;
/// Dials of a client's life that the service refuses; as many are given up, or nearly.
const REFUSED: usize = 3;

/// The first byte of each stream says whose it is.
const OURS: u8 = 1;
const OTHERS: u8 = 2;

/// A network, a mailbox's host, the gate that is watched, and a gate of other people.
struct Scene {
    service: Service,
    gate: Gate,
    others: Gate,
    network: Tornet,
}

impl Scene {
    async fn set() -> Self {
        let options = Options { profile: Profile::Interop, ..Options::default() };
        let network = tokio::task::block_in_place(|| Tornet::start(&options).unwrap());
        let service = Service::start(&network).await;
        let gate = Gate::in_network(network.net_json());
        let others = Gate::in_network(network.net_json());
        gate.ready().await;
        others.ready().await;
        let key = service.key;
        for gate in [&gate, &others] {
            let dial = || gate.core.dial(key, PORT, token(), LONG);
            drop(soon("the service's descriptor", dial).await);
        }
        Self { service, gate, others, network }
    }

    /// Waits until what the host has seen is so, while others use the network. A relay of C tor
    /// that ends several circuits at once sends the second DESTROY of a channel only with the next
    /// cell that goes there; in a network without traffic that may be never.
    async fn while_others_talk(&self, what: &str, so: impl FnMut(&Seen) -> bool) -> Seen {
        let talk = async {
            loop {
                let _ = operation(&self.others.core, self.service.key, OTHERS).await;
            }
        };
        tokio::select! {
            seen = self.service.until(what, so) => seen,
            () = talk => panic!("others fell silent"),
        }
    }
}

/// One exchange on a circuit of its own, as the mailbox protocol makes it.
async fn operation(core: &GateClient, key: [u8; 32], who: u8) -> std::io::Result<()> {
    let dialled = core.dial(key, PORT, token(), LONG).await;
    let mut stream = dialled.map_err(|_| std::io::ErrorKind::NotConnected)?;
    let request = [who; 4160];
    stream.write_all(&request).await?;
    let mut answer = [0; 4160];
    tokio::time::timeout(LONG, stream.read_exact(&mut answer)).await??;
    assert_eq!(answer, request);
    Ok(())
}

/// These many operations, eight at once.
async fn operations(core: &GateClient, key: [u8; 32], how_many: usize) {
    for _ in 0..how_many / AT_ONCE {
        let all = (0..AT_ONCE).map(|_| operation(core, key, OURS));
        futures::future::try_join_all(all).await.unwrap();
    }
}

fn no_two_share(circuits: &[u32]) -> bool {
    circuits.iter().collect::<BTreeSet<_>>().len() == circuits.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_6_brd_36_two_hundred_operations_share_no_circuit_and_leave_none() {
    let scene = Scene::set().await;
    operations(&scene.gate.core, scene.service.key, OPERATIONS).await;
    let circuits = scene.service.seen().of(OURS);
    assert_eq!(circuits.len(), OPERATIONS);
    assert!(no_two_share(&circuits));
    let all_ended = |seen: &Seen| circuits.iter().all(|circuit| seen.ended.contains(circuit));
    scene.while_others_talk("the end of every circuit", all_ended).await;

    // Control: streams of one isolation name share a circuit, and the host sees that they do.
    let other = Other::start(&scene.network).await;
    let host = scene.service.address();
    let mut streams = Vec::new();
    for (name, who) in [("one", 3), ("one", 3), ("another", 4)] {
        streams.push(other.stream(name, &host, who).await);
    }
    let came = |seen: &Seen| seen.of(3).len() == 2 && seen.of(4).len() == 1;
    let seen = scene.service.until("three streams of a C tor client", came).await;
    assert!(!no_two_share(&seen.of(3)), "one name, one circuit");
    assert!(no_two_share(&[seen.of(3)[0], seen.of(4)[0]]));
}

/// An operation that is under way: an open stream that has brought a byte.
async fn begun(core: &GateClient, key: [u8; 32], who: u8) -> UnixStream {
    let mut stream = core.dial(key, PORT, token(), LONG).await.unwrap();
    stream.write_all(&[who]).await.unwrap();
    tokio::time::timeout(LONG, stream.read_exact(&mut [0])).await.unwrap().unwrap();
    stream
}

/// A client's life until its network or its process ends: operations that are over, dials that the
/// service refused, dials that were given up half-way, and streams that are open. Gives the open
/// ones and their circuits, once every other circuit of the client has ended by itself.
async fn life(scene: &Scene) -> (Vec<UnixStream>, BTreeSet<u32>) {
    let (core, key) = (&scene.gate.core, scene.service.key);
    operations(core, key, 2 * AT_ONCE).await;
    let before = scene.service.seen().unused();
    let mut given_up = 0;
    for _ in 0..REFUSED {
        let no_time = Duration::from_millis(150);
        let dead = core.dial(key, DEAD, token(), LONG);
        let short = core.dial(key, PORT, token(), no_time);
        let (dead, short) = tokio::join!(dead, short);
        assert_eq!(dead.unwrap_err().reason, Reason::Refused);
        given_up += usize::from(short.is_err());
    }
    assert!(given_up > 0, "control: dials were given up");
    let stood = |seen: &Seen| seen.unused() >= before + REFUSED + given_up;
    scene.service.until("the circuits of dials that failed", stood).await;

    let before = scene.service.seen().of(OURS).len();
    let open = futures::future::join_all((0..3).map(|_| begun(core, key, OURS))).await;
    let circuits = scene.service.seen().of(OURS).split_off(before);
    assert_eq!(circuits.len(), open.len());
    let circuits = circuits.into_iter().collect();
    let no_other = |seen: &Seen| left_of_ours(seen) == circuits;
    scene.while_others_talk("the end of all circuits but the open ones", no_other).await;
    (open, circuits)
}

/// Circuits that have not ended and are not known to be other people's.
fn left_of_ours(seen: &Seen) -> BTreeSet<u32> {
    let others = seen.of(OTHERS);
    seen.left().into_iter().filter(|circuit| !others.contains(circuit)).collect()
}

/// Breaks the client's connections while its schedule goes on, and waits until the host has seen it.
async fn broken(scene: &mut Scene, open: &BTreeSet<u32>, breaking: impl FnOnce(&mut Gate)) -> Seen {
    let before = scene.service.seen();
    assert_eq!(left_of_ours(&before), *open, "of what was before, only this can end together");
    let (core, key) = (scene.gate.core.clone(), scene.service.key);
    let schedule = tokio::spawn(async move {
        loop {
            let all = (0..AT_ONCE).map(|_| operation(&core, key, OURS));
            futures::future::join_all(all).await;
        }
    });
    let more = before.of(OURS).len() + AT_ONCE / 2;
    let under_way = |seen: &Seen| seen.of(OURS).len() >= more;
    let at = scene.service.until("operations under way", under_way).await;
    breaking(&mut scene.gate);
    schedule.abort();
    let gone = |seen: &Seen| open.iter().all(|circuit| seen.ended.contains(circuit));
    let seen = scene.while_others_talk("the end of the open circuits", gone).await;
    assert!(open.iter().all(|circuit| !at.ended.contains(circuit)), "they ended with the break");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_7_what_ends_with_a_cut_network_or_a_killed_client_was_under_way() {
    let mut scene = Scene::set().await;
    let key = scene.service.key;

    // The network is cut, and is there again.
    let (open, circuits) = life(&scene).await;
    let theirs = begun(&scene.others.core, key, OTHERS).await;
    let their_circuit = *scene.service.seen().of(OTHERS).last().unwrap();
    let seen = broken(&mut scene, &circuits, |gate| assert!(gate.cut() > 0)).await;
    assert!(!seen.ended.contains(&their_circuit), "control: other people's network was not cut");
    drop((open, theirs));
    let core = &scene.gate.core;
    soon("an operation after the cut", || operation(core, key, OURS)).await;
    operations(core, key, AT_ONCE).await;
    assert!(no_two_share(&scene.service.seen().of(OURS)));

    // The client is killed.
    let (_open, circuits) = life(&scene).await;
    broken(&mut scene, &circuits, Gate::kill).await;

    // Control: a C tor client, which keeps circuits, has some that end together with it although
    // nothing is under way, and this is seen.
    let mut other = Other::start(&scene.network).await;
    let host = scene.service.address();
    for name in ["one", "two", "three"] {
        drop(other.stream(name, &host, 3).await);
    }
    let came = |seen: &Seen| seen.of(3).len() == 3;
    let kept = scene.service.until("three streams of a C tor client", came).await.of(3);
    let mine: BTreeSet<_> = kept.into_iter().collect();
    let only_kept = |seen: &Seen| left_of_ours(seen) == mine;
    scene.while_others_talk("the circuits that C tor keeps", only_kept).await;
    other.tor.kill_9().unwrap();
    let gone = |seen: &Seen| mine.iter().all(|circuit| seen.ended.contains(circuit));
    scene.while_others_talk("the end of the circuits that C tor kept", gone).await;
}
