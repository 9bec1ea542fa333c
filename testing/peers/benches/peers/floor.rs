//! What no set-up of this design can be quicker than: its public-key operations and nothing else.

use crypto::rand_core::SeedableRng;
use crypto::sign::{EdSecret, MdSecret, ed_verify, md_verify};
use crypto::{dh, kem};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

const CONTEXT: &[u8] = b"pvtcoms bench";
const SIGNED: &[u8] = b"as long as you like: what is signed is hashed first";

/// Keys, a ciphertext and signatures to work on.
pub(crate) struct Floor {
    rng: ChaCha20Rng,
    x: dh::Private,
    peer_x: dh::Public,
    seed: kem::Seed,
    ek: kem::EncapsulationKey,
    ct: kem::Ciphertext,
    ed: ([u8; 32], [u8; 64]),
    md: (Box<[u8; 1952]>, Box<[u8; 3309]>),
}

impl Floor {
    pub(crate) fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let (x, _) = dh::generate(&mut rng);
        let (_, peer_x) = dh::generate(&mut rng);
        let (seed, ek) = kem::generate(&mut rng);
        let (ct, _) = ek.encapsulate(&mut rng);
        let (ed, md) = (EdSecret::random(&mut rng), MdSecret::random(&mut rng));
        let ed = (ed.public(), ed.sign(SIGNED));
        let md = (md.public(), md.sign(&mut rng, CONTEXT, SIGNED).unwrap());
        Self { rng, x, peer_x, seed, ek, ct, ed, md }
    }

    /// Both sides of M1 to M4, and the pair that the first message brings: six exchanges, three X25519
    /// and two ML-KEM keys, three encapsulations and as many decapsulations, two certificates checked.
    pub(crate) fn run(&mut self) {
        for _ in 0..3 {
            black_box(dh::generate(&mut self.rng));
        }
        for _ in 0..2 {
            black_box(kem::generate(&mut self.rng));
            ed_verify(&self.ed.0, SIGNED, &self.ed.1).unwrap();
            md_verify(&self.md.0, CONTEXT, SIGNED, &self.md.1).unwrap();
        }
        for _ in 0..3 {
            black_box(self.ek.encapsulate(&mut self.rng));
            black_box(self.seed.decapsulate(&self.ct));
        }
        for _ in 0..6 {
            black_box(self.x.agree(&self.peer_x).unwrap());
        }
    }
}
