//! The state of one session and what happens to it (RAT-2).

use crate::chain::{ChainKey, Own, Peer, RootKey, Stepped, begin};
use crate::message::{Authentic, Body, Ciphertext, MAX_N, Parsed, StepKeys, no_ciphertext};
use crate::skipped::{MAX_SKIP, Skipped};
use crypto::aead::MessageKey;
use crypto::kdf::HASH_LEN;
use crypto::rand_core::CryptoRng;
use crypto::{dh, kem};
use wire::Malformed;

/// One side of a session. Holds every key, so no `Clone`, no `Debug`.
///
/// ```compile_fail,E0599
/// fn copy(session: &ratchet::Ratchet) -> ratchet::Ratchet {
///     session.clone()
/// }
/// ```
/// ```compile_fail,E0277
/// fn print(session: &ratchet::Ratchet) {
///     println!("{session:?}");
/// }
/// ```
pub struct Ratchet {
    pub(crate) sid: [u8; 32],
    pub(crate) root: RootKey,
    pub(crate) turn: Turn,
    pub(crate) receiving: Option<Receiving>,
    pub(crate) skipped: Skipped,
}

/// Who has to step next. A pair of ours lives from the step that made it until the peer has
/// answered it: then it is of no more use, and is erased with the state that held it.
pub(crate) enum Turn {
    /// The inviter, before the invited side's first message: the key of that chain.
    Wait(ChainKey),
    /// The peer has stepped: our next message begins a chain.
    Reply {
        /// What it steps to.
        peer: Peer,
        /// Length of our previous chain.
        pn: u32,
    },
    /// Our chain is under way.
    Send(Sending),
}

/// Our sending chain.
pub(crate) struct Sending {
    pub(crate) own: Own,
    pub(crate) ct: kem::Ciphertext,
    /// Of `own` and `ct`; not saved.
    keys: StepKeys,
    pub(crate) chain: ChainKey,
    pub(crate) n: u32,
    pub(crate) pn: u32,
}

impl Sending {
    /// The chain at message `n`.
    pub(crate) fn new(own: Own, ct: kem::Ciphertext, chain: ChainKey, (n, pn): (u32, u32)) -> Self {
        let keys = StepKeys::new(&own.public, &own.ek, &ct);
        Self { own, ct, keys, chain, n, pn }
    }
}

/// The peer's chain, at the next number that is expected.
pub(crate) struct Receiving {
    pub(crate) dh: dh::Public,
    pub(crate) chain: ChainKey,
    pub(crate) n: u32,
    /// What the chain brought. Not saved: the first message after a load brings it again.
    pub(crate) keys: Option<StepKeys>,
}

/// Why a message was not encrypted. The state is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// Misuse: the content is longer than [`crate::MAX_CONTENT`].
    #[error("the content is too long for one message")]
    TooLong,
    /// Misuse: the inviter speaks only after the invited side's first message (RAT-4).
    #[error("nothing has been received yet")]
    NotYet,
    /// The chain is at its last number (RAT-6); a message from the peer starts the next.
    #[error("the sending chain is exhausted")]
    Exhausted,
    /// Our fault: the stored peer key contributes nothing, though it was checked when it came.
    #[error("the stored peer key contributes nothing")]
    PeerKey,
}

/// Why a message was not decrypted. The state is as it was.
///
/// The kinds are for tests and counters. They print alike, and nothing is ever sent because of
/// one (RAT-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The bytes have no meaning.
    #[error("not a message of this session")]
    Malformed(Malformed),
    /// Not made by the peer in this session.
    #[error("not a message of this session")]
    NotAuthentic,
    /// The key of this message was used, or is too old, or was pushed out.
    #[error("not a message of this session")]
    Replayed,
    /// More than [`crate::MAX_SKIP`] messages would be passed over.
    #[error("not a message of this session")]
    TooManySkipped,
}

crypto::opaque!(Ratchet, Turn, Sending, Receiving, Run);

impl Ratchet {
    /// The inviter's side, which waits for the first message.
    #[must_use]
    pub fn inviter(root: &[u8; 32], sid: [u8; 32]) -> Self {
        let Stepped { root, chain } = begin(root, &sid);
        Self::new(root, sid, Turn::Wait(chain))
    }

    /// The invited side, which sends first; draws the pair that its first chain brings (RAT-3).
    pub fn invited(rng: &mut impl CryptoRng, root: &[u8; 32], sid: [u8; 32]) -> Self {
        let Stepped { root, chain } = begin(root, &sid);
        let sending = Sending::new(Own::generate(rng), no_ciphertext(), chain, (0, 0));
        Self::new(root, sid, Turn::Send(sending))
    }

    fn new(root: RootKey, sid: [u8; 32], turn: Turn) -> Self {
        Self { sid, root, turn, receiving: None, skipped: Skipped::new(Vec::new()) }
    }

    /// Whether [`encrypt`](Self::encrypt) would not answer [`EncryptError::NotYet`].
    #[must_use]
    pub const fn can_send(&self) -> bool {
        !matches!(self.turn, Turn::Wait(_))
    }

    /// Encrypts one message and erases its key. Steps the ratchet if the peer has stepped (RAT-3).
    ///
    /// # Errors
    /// [`EncryptError`]; the state is then as it was.
    pub fn encrypt(
        &mut self,
        rng: &mut impl CryptoRng,
        content: &[u8],
    ) -> Result<Ciphertext, EncryptError> {
        let body = Body::pad(content).ok_or(EncryptError::TooLong)?;
        // RAT-3: the pair is made when it is first needed, so that it lives as short as possible.
        if let Turn::Reply { peer, pn } = &self.turn {
            let (own, ct, step) =
                peer.step(rng, &self.root, &self.sid).map_err(|_| EncryptError::PeerKey)?;
            let sending = Sending::new(own, ct, step.chain, (0, *pn));
            self.root = step.root;
            self.turn = Turn::Send(sending);
        }
        let Turn::Send(s) = &mut self.turn else { return Err(EncryptError::NotYet) };
        // RAT-6
        let after = s.n.checked_add(1).filter(|n| *n <= MAX_N).ok_or(EncryptError::Exhausted)?;
        let (mk, next) = s.chain.advance();
        let message = Ciphertext::seal(&mk, &self.sid, (s.n, s.pn), &s.keys, &body);
        s.chain = next;
        s.n = after;
        Ok(message)
    }

    /// Decrypts one message, in whatever order messages come. `today` is days since 1970.
    ///
    /// All work is done beside the state, and installed after the message has proved authentic
    /// and well-formed (RAT-4).
    ///
    /// # Errors
    /// [`DecryptError`]; the state is then as it was.
    pub fn decrypt(&mut self, today: u32, message: &Ciphertext) -> Result<Authentic, DecryptError> {
        let message = &message.parse().map_err(DecryptError::Malformed)?;
        let known = self.receiving.as_ref().and_then(|current| current.keys.as_ref());
        let digest = message.digest(known);
        if let Some(mk) = self.skipped.get(&message.dh, message.n, today) {
            let content = open(&self.sid, mk, message, &digest)?;
            self.skipped.erase(&message.dh, message.n); // RAT-7
            self.trim(today);
            return Ok(content);
        }
        match &mut self.receiving {
            Some(current) if current.dh == message.dh => {
                let run = Run::to(&current.chain, current.n, message.n)?;
                let content = open(&self.sid, &run.last, message, &digest)?;
                self.skipped.add(&message.dh, run.skipped, today);
                (current.chain, current.n) = (run.chain, run.n);
                current.keys.get_or_insert_with(|| message.step_keys(digest));
                self.trim(today);
                Ok(content)
            }
            _ if self.skipped.knows(&message.dh) => Err(DecryptError::Replayed), // RAT-7
            _ => match &self.turn {
                Turn::Wait(_) => self.decrypt_first(today, message, digest),
                Turn::Send(_) => self.decrypt_stepping(today, message, digest),
                // The peer steps only after it has our new pair, which does not exist yet.
                Turn::Reply { .. } => Err(DecryptError::NotAuthentic),
            },
        }
    }

    /// Forgets keys of messages that have not come for [`crate::SKIPPED_DAYS`] days (RAT-6); says
    /// whether the state changed. To be called once a day, for sessions in which nothing comes.
    pub fn forget_expired(&mut self, today: u32) -> bool {
        self.skipped.expire(today)
    }

    /// RAT-4: the invited side's first chain. It answers nothing; the pair that it brings is used
    /// with our first message, so all of it is judged here.
    fn decrypt_first(
        &mut self,
        today: u32,
        message: &Parsed<'_>,
        digest: [u8; HASH_LEN],
    ) -> Result<Authentic, DecryptError> {
        let Turn::Wait(chain) = &self.turn else { return Err(DecryptError::NotAuthentic) };
        if message.pn != 0 {
            return Err(DecryptError::Malformed(Malformed::Field("pn")));
        }
        if message.ciphertext() != no_ciphertext() {
            return Err(DecryptError::Malformed(Malformed::Field("ct")));
        }
        let peer = message.peer()?;
        if !peer.dh.contributes() {
            return Err(DecryptError::NotAuthentic);
        }
        let run = Run::to(chain, 0, message.n)?;
        let content = open(&self.sid, &run.last, message, &digest)?;
        self.begin_reading(today, peer, run, message.step_keys(digest), 0);
        Ok(content)
    }

    /// RAT-4: the peer has stepped to our pair.
    fn decrypt_stepping(
        &mut self,
        today: u32,
        message: &Parsed<'_>,
        digest: [u8; HASH_LEN],
    ) -> Result<Authentic, DecryptError> {
        let Turn::Send(Sending { own, n: pn, .. }) = &self.turn else {
            return Err(DecryptError::NotAuthentic);
        };
        let pn = *pn;
        let rest = match &self.receiving {
            // A peer that had sent fewer than have come would be another peer.
            Some(current) if message.pn < current.n => {
                return Err(DecryptError::Malformed(Malformed::Field("pn")));
            }
            Some(current) => skip(&current.chain, current.n, message.pn)?.0,
            None if message.pn == 0 => Vec::new(),
            None => return Err(DecryptError::Malformed(Malformed::Field("pn"))),
        };
        let peer = message.peer()?;
        let step =
            own.step(&self.root, &self.sid, message).map_err(|_| DecryptError::NotAuthentic)?;
        let run = Run::to(&step.chain, 0, message.n)?;
        let content = open(&self.sid, &run.last, message, &digest)?;

        if let Some(old) = &self.receiving {
            self.skipped.add(&old.dh, rest, today);
        }
        self.root = step.root;
        self.begin_reading(today, peer, run, message.step_keys(digest), pn);
        Ok(content)
    }

    /// Installs a new chain of the peer, which has opened; it is ours to answer.
    fn begin_reading(&mut self, today: u32, peer: Peer, run: Run, keys: StepKeys, pn: u32) {
        let Run { skipped, chain, n, .. } = run;
        self.skipped.add(&peer.dh, skipped, today);
        self.receiving = Some(Receiving { dh: peer.dh, chain, n, keys: Some(keys) });
        self.turn = Turn::Reply { peer, pn };
        self.trim(today);
    }

    fn trim(&mut self, today: u32) {
        self.skipped.trim(self.receiving.as_ref().map(|r| &r.dh), today);
    }
}

fn open(
    sid: &[u8; 32],
    mk: &MessageKey,
    message: &Parsed<'_>,
    digest: &[u8; HASH_LEN],
) -> Result<Authentic, DecryptError> {
    let body = message.open(mk, sid, digest).map_err(|_| DecryptError::NotAuthentic)?;
    body.unpad().map_err(DecryptError::Malformed)
}

/// A receiving chain run forward to the message that is being opened, not installed yet.
struct Run {
    skipped: Vec<(u32, MessageKey)>,
    last: MessageKey,
    chain: ChainKey,
    n: u32,
}

impl Run {
    fn to(chain: &ChainKey, from: u32, n: u32) -> Result<Self, DecryptError> {
        if n < from {
            return Err(DecryptError::Replayed); // RAT-7
        }
        let (skipped, at) = skip(chain, from, n)?;
        let (last, chain) = at.as_ref().unwrap_or(chain).advance();
        Ok(Self { skipped, last, chain, n: n.saturating_add(1) })
    }
}

/// The keys of messages `from..to`, and the chain at `to` (none if it has not moved). Linear.
#[expect(clippy::type_complexity, reason = "a pair that is taken apart where it is made")]
fn skip(
    chain: &ChainKey,
    from: u32,
    to: u32,
) -> Result<(Vec<(u32, MessageKey)>, Option<ChainKey>), DecryptError> {
    // RAT-6
    if to.saturating_sub(from) > MAX_SKIP {
        return Err(DecryptError::TooManySkipped);
    }
    let mut keys = Vec::new();
    let mut at: Option<ChainKey> = None;
    for n in from..to {
        let (mk, next) = at.as_ref().unwrap_or(chain).advance();
        keys.push((n, mk));
        at = Some(next);
    }
    Ok((keys, at))
}
