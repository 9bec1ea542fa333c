//! What people do: invite, compare words, write.

use crate::world::{HOUR, World};
use crypto::Zeroizing;
use engine::changes::MessageState;
use engine::{
    Command, CommandError, ContactId, FileId, FileState, FileView, InviteId, InviteState,
    MessageId, Reply, Trust,
};

impl World {
    /// Gives a client a command.
    ///
    /// # Errors
    /// What the engine answers.
    ///
    /// # Panics
    /// If the client is off.
    pub fn command(&mut self, client: usize, command: Command) -> Result<Reply, CommandError> {
        let done =
            self.drive(client, |engine, rng, now| match engine.handle_command(rng, now, command) {
                Ok((reply, step)) => (Ok(reply), step),
                Err(error) => (Err(error), engine::Step::default()),
            });
        done.expect("the client is off")
    }

    /// Gives a client a command, and again if it could not be saved, as people do.
    ///
    /// # Panics
    /// If the engine refuses it.
    pub fn insist(&mut self, client: usize, command: impl Fn() -> Command) -> Reply {
        loop {
            let unsaved = self.clients[client].unsaved;
            let reply = self.command(client, command()).expect("refused");
            if self.clients[client].unsaved == unsaved {
                return reply;
            }
        }
    }

    /// Gives a client a mailbox.
    pub fn use_mailbox(&mut self, client: usize, mailbox: usize) {
        let key = self.mailboxes[mailbox].key;
        self.insist(client, || Command::AddMailbox(key));
    }

    /// Makes an invite and waits until it can be handed out.
    pub fn invite(&mut self, client: usize, name: &str) -> (InviteId, Zeroizing<String>) {
        let wish = || Command::NewInvite { name: name.to_owned(), hours: 48 };
        let Reply::Invite(id) = self.insist(client, wish) else { panic!() };
        let ready = |world: &Self| world.invite_state(client, id) == InviteState::Ready;
        assert!(self.run_until(6 * HOUR, ready), "the invite never became ready");
        let uri = self.clients[client].engine().invites().find(|i| i.id == id).unwrap().uri;
        (id, uri.unwrap())
    }

    /// Takes an invite.
    pub fn accept(&mut self, client: usize, uri: &str, name: &str) -> InviteId {
        let uri = || Zeroizing::new(uri.to_owned());
        let wish = || Command::Accept { uri: uri(), name: name.to_owned() };
        let Reply::Invite(id) = self.insist(client, wish) else { panic!() };
        id
    }

    /// Where an invite stands.
    #[must_use]
    pub fn invite_state(&self, client: usize, id: InviteId) -> InviteState {
        self.clients[client].engine().invites().find(|i| i.id == id).unwrap().state
    }

    /// The contact of this name.
    #[must_use]
    pub fn contact(&self, client: usize, name: &str) -> Option<(ContactId, Trust)> {
        let mut contacts = self.clients[client].engine().contacts();
        contacts.find(|c| c.name == name).map(|c| (c.id, c.trust))
    }

    /// Pairs two clients up to unverified contacts, each under the other's number as a name.
    pub fn pair(&mut self, a: usize, b: usize) {
        let (name_a, name_b) = (format!("{a}"), format!("{b}"));
        let (_, uri) = self.invite(a, &name_b);
        self.accept(b, &uri, &name_a);
        let both = |w: &Self| w.contact(a, &name_b).is_some() && w.contact(b, &name_a).is_some();
        assert!(self.run_until(24 * HOUR, both), "the handshake never ended");
    }

    /// The words that a client reads aloud.
    pub fn words(&mut self, client: usize, contact: ContactId) -> [String; 3] {
        match self.insist(client, || Command::BeginVerify(contact)) {
            Reply::Comparison { read_aloud, .. } => read_aloud.map(|(_, word)| word.to_owned()),
            other => panic!("{other:?}"),
        }
    }

    /// Both read their words aloud, and both type what they hear.
    pub fn verify(&mut self, a: usize, b: usize) {
        let (of_a, of_b) = (self.peer(a, b), self.peer(b, a));
        let (from_a, from_b) = (self.words(a, of_a), self.words(b, of_b));
        for (client, contact, words) in [(a, of_a, from_b), (b, of_b, from_a)] {
            let done = self.insist(client, || Command::Verify { contact, words: words.clone() });
            assert_eq!(done, Reply::Verified);
        }
    }

    /// Whom `client` calls `peer`, after [`Self::pair`].
    #[must_use]
    pub fn peer(&self, client: usize, peer: usize) -> ContactId {
        self.contact(client, &format!("{peer}")).unwrap().0
    }

    /// The same, if the client is on.
    #[must_use]
    pub fn peer_on_disk(&self, client: usize, peer: usize) -> Option<ContactId> {
        let engine = self.clients[client].engine.as_ref()?;
        engine.contacts().find(|c| c.name == peer.to_string()).map(|c| c.id)
    }

    /// Queues a text.
    pub fn send(&mut self, from: usize, to: usize, text: &str) -> MessageId {
        let contact = self.peer(from, to);
        let text = || Zeroizing::new(text.to_owned());
        match self.insist(from, || Command::Send { contact, text: text() }) {
            Reply::Message(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Queues a file.
    pub fn send_file(&mut self, from: usize, to: usize, name: &str, bytes: &[u8]) -> FileId {
        let contact = self.peer(from, to);
        let wish = || Command::SendFile {
            contact,
            name: name.to_owned(),
            bytes: Zeroizing::new(bytes.to_vec()),
        };
        match self.insist(from, wish) {
            Reply::File(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// A file as its sender or receiver sees it.
    #[must_use]
    pub fn file(&self, client: usize, id: FileId) -> Option<FileView> {
        self.clients[client].engine().files().find(|file| file.id == id)
    }

    /// Where a file stands.
    ///
    /// # Panics
    /// If it is not known there.
    #[must_use]
    pub fn file_state(&self, client: usize, id: FileId) -> FileState {
        self.file(client, id).unwrap().state
    }

    /// Two clients, each with a mailbox of its own.
    #[must_use]
    pub fn two(seed: u64, mode: engine::Mode) -> Self {
        let mut world = Self::new(seed);
        for name in ["Alice", "Bob"] {
            let (client, mailbox) = (world.add_client(name, mode), world.add_mailbox());
            world.use_mailbox(client, mailbox);
        }
        world
    }

    /// Whether every message of every client was delivered.
    #[must_use]
    pub fn all_delivered(&self) -> bool {
        let states = self.clients.iter().flat_map(|client| client.disk.sent_states());
        states.into_iter().all(|state| state == MessageState::Delivered)
    }

    /// Two verified clients, each with a mailbox of its own.
    #[must_use]
    pub fn verified_pair(seed: u64, mode: engine::Mode) -> Self {
        let mut world = Self::two(seed, mode);
        world.pair(0, 1);
        world.verify(0, 1);
        world
    }
}
