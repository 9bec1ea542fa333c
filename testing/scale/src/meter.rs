//! What is measured: the engine's part of a step, and its saving in the real store.

use engine::changes::Changes;
use simnet::{Watcher, thread_cpu};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use store::Store;

/// Runs `work`. Callgrind counts what happens inside this function and nothing else, so it must
/// keep its name and its frame.
#[inline(never)]
pub fn measured<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}

/// What a meter shows, and its switch.
#[derive(Clone, Default)]
pub(crate) struct Dial {
    /// Whether what happens is measured.
    pub(crate) on: Rc<Cell<bool>>,
    /// Processor time of what was measured.
    pub(crate) spent: Rc<Cell<Duration>>,
}

/// Saves each step of a client in a real store as well.
pub(crate) struct Meter {
    pub(crate) store: Store,
    pub(crate) dial: Dial,
    /// The control of the check: each save reads all rows of the engine as well.
    pub(crate) walks: bool,
}

impl Meter {
    fn run(&mut self, work: impl FnOnce(&mut Store)) {
        let store = &mut self.store;
        if !self.dial.on.get() {
            return work(store);
        }
        let before = thread_cpu();
        measured(|| work(store));
        let spent = thread_cpu().saturating_sub(before);
        self.dial.spent.set(self.dial.spent.get().saturating_add(spent));
    }
}

impl Watcher for Meter {
    fn think(&mut self, work: &mut dyn FnMut()) {
        self.run(|_| work());
    }

    fn save(&mut self, changes: &Changes) {
        let walks = self.walks;
        self.run(|store| {
            store.save(changes).unwrap();
            if walks {
                store.load().unwrap();
            }
        });
    }
}
