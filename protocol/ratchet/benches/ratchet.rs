//! `cargo bench -p pvtcoms-ratchet`: one message of 1 KiB, encrypted and decrypted.
#![expect(clippy::unwrap_used, reason = "bench code")]

use criterion::{Criterion, criterion_group, criterion_main};
use crypto::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use ratchet::Ratchet;
use std::hint::black_box;

const TEXT: [u8; 1024] = [7; 1024];

/// Inviter and invited, after the invited side's first message.
fn pair(rng: &mut ChaCha20Rng) -> (Ratchet, Ratchet) {
    let mut a = Ratchet::inviter(&[1; 32], [2; 32]);
    let mut b = Ratchet::invited(rng, &[1; 32], [2; 32]);
    let first = b.encrypt(rng, &TEXT).unwrap();
    a.decrypt(0, &first).unwrap();
    (a, b)
}

/// Every message steps the ratchet: two messages an iteration, one each way.
fn pingpong(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (mut a, mut b) = pair(&mut rng);
    c.benchmark_group("pingpong").throughput(criterion::Throughput::Elements(2)).bench_function(
        "there and back, 1 KiB",
        |bench| {
            bench.iter(|| {
                let there = a.encrypt(&mut rng, &TEXT).unwrap();
                black_box(b.decrypt(0, &there).unwrap());
                let back = b.encrypt(&mut rng, &TEXT).unwrap();
                black_box(a.decrypt(0, &back).unwrap());
            });
        },
    );
}

/// One side talks: no message steps.
fn burst(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    c.benchmark_group("burst").bench_function("1 KiB", |bench| {
        let (mut a, mut b) = pair(&mut rng);
        bench.iter(|| {
            // A chain has 2^24 numbers; a new session is a rare and small part of the time.
            let message = a.encrypt(&mut rng, &TEXT).or_else(|_| {
                (a, b) = pair(&mut rng);
                a.encrypt(&mut rng, &TEXT)
            });
            black_box(b.decrypt(0, &message.unwrap()).unwrap());
        });
    });
}

criterion_group!(benches, pingpong, burst);
criterion_main!(benches);
