//! What every scenario starts with.

use e2e::{Mailbox, Person, wait_until};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tornet::Tornet;

/// How long a message may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A network, a mailbox, two paired people in `fast` mode.
pub(crate) struct Stage {
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) mailbox: Mailbox,
    pub(crate) net: Arc<Tornet>,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn with(mailbox: Mailbox, folder: TempDir, net: Arc<Tornet>) -> Self {
        let alice = arrive(folder.path(), "alice", &mailbox, &net);
        let bob = arrive(folder.path(), "bob", &mailbox, &net);
        mailbox.wait_published().unwrap();
        Self { alice, bob, mailbox, net, folder }
    }

    pub(crate) fn set() -> Self {
        let (folder, net) = ground();
        let mailbox = Mailbox::start(&folder.path().join("mailbox"), net.net_json(), 1).unwrap();
        Self::with(mailbox, folder, net)
    }

    pub(crate) fn paired() -> Self {
        let stage = Self::set();
        stage.alice.pair(&stage.bob).unwrap();
        stage
    }
}

/// A short path: a Unix socket's path has at most 107 bytes.
pub(crate) fn ground() -> (TempDir, Arc<Tornet>) {
    let folder = tempfile::Builder::new().prefix("pvt").tempdir().unwrap();
    (folder, Tornet::shared().unwrap())
}

/// A person with a profile at `mailbox`.
pub(crate) fn arrive(folder: &Path, name: &str, mailbox: &Mailbox, net: &Tornet) -> Person {
    let person = Person::arrive(&folder.join(name), name).unwrap();
    person.init("fast", mailbox.onion(), net.net_json()).unwrap();
    person
}

/// Sends a text and gives its id.
pub(crate) fn send(from: &Person, to: &str, text: &str) -> String {
    let answer = from.must_with(&["--json", "send", to, "-"], text).unwrap().json().unwrap();
    answer[0]["message"].as_str().unwrap().to_owned()
}

/// Waits until a message reaches a state.
pub(crate) fn wait_state(from: &Person, to: &str, id: &str, state: &str) {
    wait_until(&format!("{state} of {id}"), PATIENCE, || {
        Ok((from.state_of(to, id)? == state).then_some(()))
    })
    .unwrap();
}

/// Waits until everything is shown, and compares. That the last message is delivered is not
/// enough: messages are shown in order, and an earlier one may still be on its way.
pub(crate) fn wait_received(by: &Person, from: &str, texts: &[String]) {
    wait_until(&format!("{} texts from {from}", texts.len()), PATIENCE, || {
        Ok((by.received_from(from)?.len() >= texts.len()).then_some(()))
    })
    .unwrap();
    assert_eq!(by.received_from(from).unwrap(), texts);
}
