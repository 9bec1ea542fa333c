//! T0 (mailbox.md, section 8): what leaves a client, and when, is the same whatever is said.

use engine::changes::{EventKind, Table};
use engine::{Command, CommandError, Mode, Pace};
use simnet::{Disk, Faults, HOUR, Kind, MINUTE, World};
use std::collections::{BTreeMap, BTreeSet};

/// What left: time, client, mailbox, operation, size; and for a put, how many operations ago the
/// same bytes left before.
type Outline = Vec<((u64, usize, usize, String, usize), Option<usize>)>;

/// What people do meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Workload {
    Idle,
    Busy,
    /// As busy, and something leaves beside the schedule.
    Eager,
    /// As busy, and the contact is blocked in between.
    Blocking,
    /// As busy, and one has lost its session.
    Renewing,
    /// As busy, and files go both ways; one is cancelled.
    Files,
    /// As busy, and both set timers that run out meanwhile.
    Timers,
}

/// A verified pair at rest, as it was saved.
fn at_rest(mode: Mode) -> [Disk; 2] {
    let mut world = World::verified_pair(60, mode);
    world.send(0, 1, "hello");
    assert!(world.run_until(8 * HOUR, World::all_delivered));
    world.run(2 * HOUR);
    [0, 1].map(|client| {
        let mut disk = world.clients[client].disk.clone();
        disk.forget(Table::Cursor); // the mailboxes of the runs have other pages
        disk
    })
}

/// Two hours with mailboxes that drop, delay and err; gives what left the clients.
fn run(seed: u64, disks: &[Disk; 2], workload: Workload) -> Outline {
    let (busy, eager) = (workload != Workload::Idle, workload == Workload::Eager);
    let mut world = World::new(seed);
    world.tor = true;
    for _ in 0..2 {
        let mailbox = world.add_mailbox();
        world.mailboxes[mailbox].faults = Faults {
            retry: 80,
            lose_answer: 80,
            drop_put: 20,
            duplicate: 50,
            lose_request: 80,
            garbage_fetch: 80,
            flip: 20,
            delay_ms: 30_000,
            dead: false,
            hold: 0,
        };
    }
    for (client, disk) in disks.iter().enumerate() {
        world.add_saved(disk.clone());
        if workload == Workload::Renewing && client == 0 {
            world.clients[client].disk.forget(Table::Ratchet);
        }
        world.switch_on_seeded(client, 2 * seed + u64::try_from(client).unwrap());
    }
    for minute in 0..120 {
        world.run_to(minute * MINUTE);
        // ENG-4: Alice blocks Bob for most of the time, and both have much to say.
        if workload == Workload::Blocking && [20, 80].contains(&minute) {
            let contact = world.peer(0, 1);
            let blocked = minute == 20;
            world.command(0, engine::Command::Block { contact, blocked }).unwrap();
        }
        if workload == Workload::Files && [2, 7, 40].contains(&minute) {
            let file = world.send_file(0, 1, "f", &vec![9; 100_000]);
            world.send_file(1, 0, "g", &vec![8; 30_000]);
            if minute == 7 {
                let contact = world.peer(0, 1);
                world.command(0, engine::Command::CancelFile { contact, file }).unwrap();
            }
        }
        // ENG-7: both set timers against each other, and messages go.
        if workload == Workload::Timers && minute % 5 == 2 {
            for client in [0, 1] {
                let contact = world.peer(client, 1 - client);
                let seconds = 300 * (1 + u32::try_from(minute % 7).unwrap());
                world.command(client, engine::Command::SetTimer { contact, seconds }).unwrap();
                world.read(client);
            }
        }
        let silent = workload == Workload::Blocking && (20..80).contains(&minute);
        // What people say goes first, so that beside files they say less.
        let talks = minute % if workload == Workload::Files { 40 } else { 4 } == 1;
        if busy && talks {
            if !silent {
                world.send(0, 1, &"long ".repeat(700));
            }
            world.send(1, 0, "short");
            if eager {
                world.put_at_once(0, 1);
            }
        }
    }
    let tokens: BTreeSet<[u8; 16]> = world.transcript.iter().map(|r| r.token).collect();
    assert!(eager || tokens.len() == world.transcript.len(), "every token is fresh");
    let moved = |c: usize| {
        world.clients[c].disk.values(Table::Ratchet)[0].1 != disks[c].values(Table::Ratchet)[0].1
    };
    assert!(busy == moved(0) && busy == moved(1), "the workload is under way");
    let renewed = |c: usize| world.clients[c].disk.count(EventKind::SessionRenewed);
    assert_eq!(renewed(0) + renewed(1) > 0, workload == Workload::Renewing);
    let files = world.clients.iter().map(|c| c.engine().files().any(|f| !f.ours && f.done > 0));
    assert!(workload != Workload::Files || files.min() == Some(true), "files are under way");
    let mut last = BTreeMap::new();
    let records = world.transcript.iter().enumerate();
    records
        .map(|(at, record)| {
            let before = match &record.kind {
                Kind::Put(envelope) => last.insert(envelope.digest(), at),
                _ => None,
            };
            (record.outline(), before.map(|before| at - before))
        })
        .collect()
}

/// The first operation in which an idle and a busy run differ.
fn difference(seed: u64, disks: &[Disk; 2], workload: Workload) -> Option<String> {
    let (idle, busy) = (run(seed, disks, Workload::Idle), run(seed, disks, workload));
    let at = idle.iter().zip(&busy).position(|(a, b)| a != b);
    let at = at.or_else(|| (idle.len() != busy.len()).then_some(idle.len().min(busy.len())))?;
    Some(format!("operation {at}: {:?} and {:?}", idle.get(at), busy.get(at)))
}

fn couple(seeds: core::ops::Range<u64>, workload: Workload) {
    let disks = at_rest(Mode::Steady);
    for seed in seeds {
        let difference = difference(seed, &disks, workload);
        assert!(difference.is_none(), "seed {seed}, {}", difference.unwrap());
    }
}

#[test]
fn t0_brd_32_brd_33_steady_is_the_same_idle_and_busy_first_half() {
    couple(1000..1025, Workload::Busy);
}

#[test]
fn t0_brd_34_brd_39_steady_is_the_same_idle_and_busy_second_half() {
    couple(1025..1050, Workload::Busy);
}

#[test]
fn t0_eng_4_blocking_and_its_end_change_nothing_that_leaves() {
    couple(1050..1055, Workload::Blocking);
}

#[test]
fn t0_rek_2_a_session_that_is_renewed_changes_nothing_that_leaves() {
    couple(1055..1060, Workload::Renewing);
}

#[test]
fn t0_fil_7_files_change_nothing_that_leaves() {
    couple(1055..1065, Workload::Files);
}

#[test]
fn t0_eng_7_timers_change_nothing_that_leaves() {
    couple(1065..1070, Workload::Timers);
}

#[test]
fn t0_control_fast_is_told_apart() {
    assert!(difference(1000, &at_rest(Mode::Fast), Workload::Busy).is_some());
}

#[test]
fn t0_control_an_eager_put_is_told_apart() {
    assert!(difference(1000, &at_rest(Mode::Steady), Workload::Eager).is_some());
}

#[test]
fn brd_39_a_pace_that_was_chosen_is_followed_from_its_moment_on_also_after_a_restart() {
    let mut world = World::verified_pair(1070, Mode::Steady);
    let count = |world: &mut World, hours: u64| {
        let before = world.transcript.len();
        world.run(hours * HOUR);
        let new = world.transcript[before..].iter();
        new.filter(|r| r.client == 0 && matches!(r.kind, Kind::Put(_))).count()
    };
    world.command(0, Command::SetPace(Pace::Every30)).unwrap();
    let (now, next) = (world.clients[0].engine().pace(world.clock()), count(&mut world, 1));
    assert_eq!(now.0, Pace::DayHours);
    assert!(next < 90, "{next} in the hour after the choice");
    world.switch_off(0);
    world.switch_on(0);
    let held = |world: &World| world.clients[0].engine().pace(world.clock()).0 == Pace::Every30;
    assert!(world.run_until(24 * HOUR, held), "a choice outlives a restart");
    let day = count(&mut world, 24);
    assert!((2600..3200).contains(&day), "{day} puts in a day, of 2880");
    // Also later: what was chosen stays.
    world.switch_on(0);
    assert!(held(&world));
    let refused = world.command(0, Command::SetPace(Pace::Every300));
    assert!(matches!(refused, Err(CommandError::PaceTooSoon { wait_s }) if wait_s < 7 * 86_400));
}
