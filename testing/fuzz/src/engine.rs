//! The rows of a profile, as the database gives them back.

use crate::choices::Choices;
use crypto::Zeroizing;
use engine::changes::{Snapshot, Table};
use engine::{Engine, Mode, Now};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use simnet::{HOUR, World};
use std::sync::LazyLock;

type Row = (Table, Vec<u8>, Vec<u8>);

/// Every row of a profile in the middle of everything: a contact, an invite, a message that waits
/// and a text of which some parts have come.
static PROFILE: LazyLock<(Vec<Row>, Now)> = LazyLock::new(|| {
    let mut world = World::verified_pair(5, Mode::Fast);
    world.invite(0, "Carol");
    world.send(0, 1, "waits");
    world.send(1, 0, &"long ".repeat(5000));
    let some_parts = |world: &World| rows(world).iter().any(|row| row.0 == Table::Partial);
    assert!(world.run_until(6 * HOUR, some_parts), "no part came");
    world.send(0, 1, "waits as well");
    (rows(&world), world.clock())
});

fn rows(world: &World) -> Vec<Row> {
    let Snapshot(rows) = world.clients[0].disk.snapshot();
    rows.into_iter().map(|(table, key, value)| (table, key, value.to_vec())).collect()
}

/// A profile with one edited row, alone or among the others, and its first moments.
/// `which(1) ‖ alone(1) ‖ edits`
pub fn row(data: &[u8]) {
    let (rows, now) = &*PROFILE;
    let mut choices = Choices::new(data);
    let edited = usize::from(choices.byte()) % rows.len();
    let alone = !choices.byte().is_multiple_of(8);
    let value = choices.edit(&rows[edited].2);
    let wanted = |at: &usize| !alone || *at == edited || rows[*at].0 == Table::Profile;
    let snapshot = (0..rows.len()).filter(wanted).map(|at| {
        let (table, key, valid) = &rows[at];
        let value = if at == edited { &value } else { valid };
        (*table, key.clone(), Zeroizing::new(value.clone()))
    });
    let mut rng = ChaCha20Rng::from_seed([23; 32]);
    let Ok(mut engine) = Engine::load(&mut rng, *now, &Snapshot(snapshot.collect())) else {
        return;
    };
    let later = engine.poll_timeout().unwrap_or(now.mono_ms);
    let passed = later.saturating_sub(now.mono_ms);
    let then = Now { mono_ms: later, unix_ms: now.unix_ms.saturating_add(passed) };
    let _step = engine.handle_timeout(&mut rng, then);
}

pub fn row_seeds() -> Vec<Vec<u8>> {
    let row = |which| [vec![which, 1], vec![which, 1, 0, 0, 1, 1], vec![which, 0, 4, 0, 9, 0]];
    let count = PROFILE.0.len().min(256);
    (0..=255).take(count).flat_map(row).collect()
}
