use engine::Mode;
use simnet::{Crash, HOUR, MINUTE, World};

/// Pairing, comparison, and messages both ways; the crash falls where it is told to.
fn scenario(crash: Option<(usize, Crash)>) -> World {
    let mut world = World::two(40, Mode::Fast);
    if let Some((client, crash)) = crash {
        world.clients[client].crash = Some(crash);
    }
    world.pair(0, 1);
    world.verify(0, 1);
    for k in 0..3 {
        world.send(0, 1, &format!("{k}{}", "x".repeat(1700 * k)));
        world.send(1, 0, &format!("{k}"));
    }
    let done = world.run_until(12 * HOUR, |w| {
        w.all_delivered() && w.clients.iter().all(|c| c.disk.received().len() >= 3)
    });
    assert!(done, "{crash:?}: something was lost");
    world.run(10 * MINUTE);
    let expected: Vec<String> = (0..3).map(|k| format!("{k}{}", "x".repeat(1700 * k))).collect();
    assert!(world.clients[1].disk.received() == expected, "{crash:?}");
    assert_eq!(world.clients[0].disk.received(), ["0", "1", "2"], "{crash:?}");
    world
}

/// Runs the scenario once for each step that `client` saves, with a crash there.
fn everywhere(client: usize, crash: impl Fn(u64) -> Crash) {
    let first = World::two(40, Mode::Fast).clients[client].steps;
    let last = scenario(None).clients[client].steps;
    assert!(last > first + 20, "the scenario saves {last} steps");
    for step in first + 1..=last {
        let world = scenario(Some((client, crash(step))));
        assert_eq!(world.clients[client].loads, 1, "step {step}");
    }
}

#[test]
fn sto_24_brd_44_the_inviter_killed_after_any_step_loses_and_doubles_nothing() {
    everywhere(0, Crash::AfterSave);
}

#[test]
fn sto_24_brd_44_the_invited_killed_after_any_step_loses_and_doubles_nothing() {
    everywhere(1, Crash::AfterSave);
}

#[test]
fn sto_24_brd_44_the_inviter_goes_on_after_a_step_that_was_not_saved() {
    everywhere(0, Crash::NotSaved);
}

#[test]
fn sto_24_brd_44_the_invited_goes_on_after_a_step_that_was_not_saved() {
    everywhere(1, Crash::NotSaved);
}
