//! The peer: vodozemac, classical 3DH and Olm, in its default configuration. Its messages are
//! passed on as values, without the encoding that a wire would need.

use peers::TEXT;
use vodozemac::olm::{Account, OlmMessage, Session as Olm, SessionConfig};

pub(crate) struct People {
    a: Account,
    b: Account,
}

pub(crate) struct Session {
    a: Olm,
    b: Olm,
}

impl People {
    pub(crate) fn new() -> Self {
        Self { a: Account::new(), b: Account::new() }
    }

    /// A one-time key, 3DH on both sides, and the first message encrypted and decrypted. The
    /// signature that would bind the one-time key to its owner is left out.
    pub(crate) fn meet(&mut self) -> Session {
        self.b.generate_one_time_keys(1);
        let one_time = *self.b.one_time_keys().values().next().unwrap();
        self.b.mark_keys_as_published();
        let config = SessionConfig::version_1();
        let mut a =
            self.a.create_outbound_session(config, self.b.curve25519_key(), one_time).unwrap();
        let first = match a.encrypt(TEXT).unwrap() {
            OlmMessage::PreKey(first) => Some(first),
            OlmMessage::Normal(_) => None,
        };
        let met = self
            .b
            .create_inbound_session(config, self.a.curve25519_key(), &first.unwrap())
            .unwrap();
        assert_eq!(met.plaintext, TEXT);
        Session { a, b: met.session }
    }
}

impl Session {
    /// A session in which both have spoken.
    pub(crate) fn new() -> Self {
        let mut session = People::new().meet();
        deliver(&mut session.b, &mut session.a);
        session
    }

    pub(crate) fn there_and_back(&mut self) {
        deliver(&mut self.a, &mut self.b);
        deliver(&mut self.b, &mut self.a);
    }

    pub(crate) fn one_way(&mut self) {
        deliver(&mut self.a, &mut self.b);
    }
}

fn deliver(from: &mut Olm, to: &mut Olm) {
    let message = from.encrypt(TEXT).unwrap();
    assert_eq!(to.decrypt(&message).unwrap(), TEXT);
}

/// A receiver, and the message that comes after others.
pub(crate) struct Late {
    receiver: Olm,
    message: OlmMessage,
}

impl Late {
    pub(crate) fn new(lost: u32) -> Self {
        let mut session = Session::new();
        session.one_way();
        for _ in 0..lost {
            session.a.encrypt(TEXT).unwrap();
        }
        Self { message: session.a.encrypt(TEXT).unwrap(), receiver: session.b }
    }

    pub(crate) fn receiver(&self) -> Olm {
        Olm::from_pickle(self.receiver.pickle())
    }

    pub(crate) fn decrypt(&self, receiver: &mut Olm) {
        assert_eq!(receiver.decrypt(&self.message).unwrap(), TEXT);
    }
}
