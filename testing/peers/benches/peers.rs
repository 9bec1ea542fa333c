//! `cargo xtask bench --peers`: our protocol beside vodozemac's Olm, in one process and one run.
//!
//! Criterion gives the times for people. The ratios come from a contest of their own, in which the
//! two take turns every millisecond, so that what else the machine does hits both alike.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "bench code")]

#[path = "peers/contest.rs"]
mod contest;
#[path = "peers/floor.rs"]
mod floor;
#[path = "peers/olm.rs"]
mod olm;

use contest::Contest;
use criterion::{BatchSize, Criterion};
use peers::{People, Session, TEXT, TODAY};
use std::hint::black_box;

/// Messages passed over before the one that is decrypted: the most that our limits allow.
const LOST: u32 = ratchet::MAX_SKIP;

fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
        .sample_size(30)
        .configure_from_args()
}

fn times(c: &mut Criterion) {
    let mut group = c.benchmark_group("setup, both sides");
    let (mut ours, mut olm) = (People::new(1).unwrap(), olm::People::new());
    group.bench_function("pvtcoms", |b| b.iter(|| black_box(ours.meet().unwrap())));
    group.bench_function("vodozemac", |b| b.iter(|| black_box(olm.meet())));
    group.finish();

    let mut group = c.benchmark_group("ping-pong, there and back");
    let (mut ours, mut olm) = (Session::new(2).unwrap(), olm::Session::new());
    group.bench_function("pvtcoms", |b| b.iter(|| ours.there_and_back().unwrap()));
    group.bench_function("vodozemac", |b| b.iter(|| olm.there_and_back()));
    group.finish();

    let mut group = c.benchmark_group("burst, one message");
    let (mut ours, mut olm) = (Session::new(3).unwrap(), olm::Session::new());
    group.bench_function("pvtcoms", |b| b.iter(|| ours.one_way().unwrap()));
    group.bench_function("vodozemac", |b| b.iter(|| olm.one_way()));
    group.finish();

    let mut group = c.benchmark_group("decrypt after 1000 lost");
    let (ours, olm) = (OursLate::new(), olm::Late::new(LOST));
    group.bench_function("pvtcoms", |b| {
        b.iter_batched_ref(|| ours.receiver(), |r| ours.decrypt(r), BatchSize::PerIteration);
    });
    group.bench_function("vodozemac", |b| {
        b.iter_batched_ref(|| olm.receiver(), |r| olm.decrypt(r), BatchSize::PerIteration);
    });
    group.finish();
}

/// A receiver, and the message that comes after [`LOST`] others.
struct OursLate {
    receiver: crypto::Zeroizing<Vec<u8>>,
    message: ratchet::Ciphertext,
}

impl OursLate {
    fn new() -> Self {
        let mut session = Session::new(4).unwrap();
        session.one_way().unwrap();
        let message = session.after_lost(LOST).unwrap();
        Self { receiver: session.b.to_secret_bytes(), message }
    }

    fn receiver(&self) -> ratchet::Ratchet {
        ratchet::Ratchet::from_secret_bytes(&self.receiver).unwrap()
    }

    fn decrypt(&self, receiver: &mut ratchet::Ratchet) {
        assert_eq!(receiver.decrypt(TODAY, &self.message).unwrap().content(), TEXT);
    }
}

/// The four ratios, and the line that ends the bench.
fn ratios() {
    println!("\nratios: ours to vodozemac, best of alternating rounds");
    let (mut ours, mut olm) = (Session::new(2).unwrap(), olm::Session::new());
    let pingpong = Contest { name: "ping-pong", target: 1.10, rounds: 3000, batch: 1 }.run(
        || (),
        |()| ours.there_and_back().unwrap(),
        || (),
        |()| olm.there_and_back(),
    );
    let (mut ours, mut olm) = (Session::new(3).unwrap(), olm::Session::new());
    let burst = Contest { name: "burst", target: 0.70, rounds: 3000, batch: 10 }.run(
        || (),
        |()| ours.one_way().unwrap(),
        || (),
        |()| olm.one_way(),
    );
    let (mut ours, mut olm) = (People::new(1).unwrap(), olm::People::new());
    let setup = Contest { name: "set-up", target: 1.30, rounds: 1500, batch: 1 }.run(
        || (),
        |()| drop(black_box(ours.meet().unwrap())),
        || (),
        |()| drop(black_box(olm.meet())),
    );
    let (mut ours, mut olm) = (floor::Floor::new(), olm::People::new());
    Contest { name: "of it keys", target: 1.30, rounds: 1500, batch: 1 }.run(
        || (),
        |()| ours.run(),
        || (),
        |()| drop(black_box(olm.meet())),
    );
    let (ours, olm) = (OursLate::new(), olm::Late::new(LOST));
    let skip = Contest { name: "skip 1000", target: 2.5, rounds: 1000, batch: 1 }.run(
        || ours.receiver(),
        |r| ours.decrypt(r),
        || olm.receiver(),
        |r| olm.decrypt(r),
    );
    let peers::Sizes { after_setup, worst } = peers::sizes().unwrap();
    println!(
        "peers: pingpong={pingpong:.2} burst={burst:.2} setup={setup:.2} skip={skip:.2} state={after_setup} worst={worst}"
    );
}

fn main() {
    times(&mut criterion());
    // With anything else (a filter, `--test`, `--profile-time`) the reader wants no ratios.
    if std::env::args().skip(1).all(|arg| arg == "--bench") {
        ratios();
    }
}
