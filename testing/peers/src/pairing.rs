use crate::{TEXT, TODAY};
use anyhow::{Result, bail};
use crypto::rand_core::SeedableRng;
use handshake::{Established, FirstWord, Introduction, Inviter, accept};
use identity::Identity;
use rand_chacha::ChaCha20Rng;
use ratchet::{Ciphertext, Ratchet};

/// Hours since 1970 at which everything happens.
const NOW: u32 = 480_000;

/// Two people with their identities, who have not met. Identities are made once in a life, like
/// the peer's accounts, and are no part of a set-up.
pub struct People {
    rng: ChaCha20Rng,
    a: Identity,
    b: Identity,
    a_says: Introduction,
    b_says: Introduction,
}

/// Inviter `a` and invited `b`, after the first message of the invited.
pub struct Session {
    /// Where all randomness comes from.
    pub rng: ChaCha20Rng,
    /// The inviter.
    pub a: Ratchet,
    /// The invited.
    pub b: Ratchet,
}

impl People {
    /// Two people out of a seed.
    ///
    /// # Errors
    /// If this machine cannot sign.
    pub fn new(seed: u64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let a = Identity::generate(&mut rng, NOW)?;
        let b = Identity::generate(&mut rng, NOW)?;
        let says = |name: &str, mailbox: u8| Introduction {
            inbox: vec![[mailbox; 32]],
            version: 1,
            name: name.to_owned(),
        };
        Ok(Self { rng, a, b, a_says: says("anna", 1), b_says: says("ben", 2) })
    }

    /// The whole set-up, both sides: invite, M1 to M4 with four hybrid signature checks, code,
    /// session keys, and the first message of the ratchet, encrypted and decrypted.
    ///
    /// # Errors
    /// None that a run without faults can meet.
    pub fn meet(&mut self) -> Result<Session> {
        let Self { rng, a, b, a_says, b_says } = self;
        let inviter = Inviter::new(rng, a, &[[1; 32]], NOW.saturating_add(48))?;
        let invite = inviter.invite();
        let (m2, wait_b) = accept(rng, b, &invite, b_says, inviter.m1(), NOW)?;
        let (m3, wait_a) = inviter.receive_m2(rng, a, a_says, &m2, NOW, |_| false)?;
        let (m4, at_b) = wait_b.receive_m3(rng, b, &m3, NOW, |_| false)?;
        let at_a = wait_a.receive_m4(&m4)?;
        if at_a.sas.code() != at_b.sas.code() {
            bail!("the two sides of a pairing show different words");
        }
        let mut a = ratchet(rng, &at_a);
        let mut b = ratchet(rng, &at_b);
        deliver(rng, &mut b, &mut a)?;
        Ok(Session { rng: rng.clone(), a, b })
    }
}

fn ratchet(rng: &mut ChaCha20Rng, met: &Established) -> Ratchet {
    let (root, sid) = (met.session.ratchet_root(), met.session.sid());
    match met.first {
        FirstWord::Ours => Ratchet::invited(rng, root.expose_secret(), sid),
        FirstWord::Theirs => Ratchet::inviter(root.expose_secret(), sid),
    }
}

impl Session {
    /// A session out of a seed, ready to talk.
    ///
    /// # Errors
    /// None that a run without faults can meet.
    pub fn new(seed: u64) -> Result<Self> {
        People::new(seed)?.meet()
    }

    /// One message each way: both step the ratchet.
    ///
    /// # Errors
    /// None that a run without faults can meet.
    pub fn there_and_back(&mut self) -> Result<()> {
        deliver(&mut self.rng, &mut self.a, &mut self.b)?;
        deliver(&mut self.rng, &mut self.b, &mut self.a)
    }

    /// One more message of the inviter's chain: no step, unless the other side spoke last.
    ///
    /// # Errors
    /// At the 2^24th message in a row.
    pub fn one_way(&mut self) -> Result<()> {
        deliver(&mut self.rng, &mut self.a, &mut self.b)
    }

    /// The message that comes after `lost` others of the inviter's chain.
    ///
    /// # Errors
    /// None that a run without faults can meet.
    pub fn after_lost(&mut self, lost: u32) -> Result<Ciphertext> {
        for _ in 0..lost {
            self.a.encrypt(&mut self.rng, &TEXT)?;
        }
        Ok(self.a.encrypt(&mut self.rng, &TEXT)?)
    }
}

fn deliver(rng: &mut ChaCha20Rng, from: &mut Ratchet, to: &mut Ratchet) -> Result<()> {
    let message = from.encrypt(rng, &TEXT)?;
    let said = to.decrypt(TODAY, &message)?;
    if said.content() != TEXT {
        bail!("another text came out");
    }
    Ok(())
}
