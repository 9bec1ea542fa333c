//! The experiment in small: what needs no statistics holds exactly, and controls that leave no doubt
//! are caught. `cargo xtask linkability` is the long run, with bounds.

use linkability::attackers::{Attacker, ask};
use linkability::controls::{By, Rewritten};
use linkability::exact::structure;
use linkability::games::{Game, draw};
use linkability::report::judge;
use linkability::sides::{Missing, coupling};
use linkability::transcript::keep;
use linkability::world::{Presence, Run, Setup, live};

/// Clients of the small world; everybody knows two or three others.
const CLIENTS: usize = 16;

fn small() -> Run {
    live(&Setup::new(CLIENTS, 2, 7), Presence::default(), None)
}

/// The best advantage of any attacker, and its standard error.
fn best(run: &Run, game: Game) -> f64 {
    let cases = draw(game, &run.log, &run.truth, 1200, 7);
    let each = [Attacker::Logistic, Attacker::UnionFind, Attacker::Stumps]
        .map(|who| ask(who, &cases).advantage().value);
    each.into_iter().fold(0.0, f64::max)
}

#[test]
fn th_2_t1_and_games_on_steady_and_every_control_on_its_log_is_caught() {
    let run = small();
    assert_eq!(structure(&run.log, &run.bytes, run.reused), Vec::<String>::new());
    assert!(run.truth.delays.len() > 20, "people talk");
    // Sixteen clients in two hours say little about 5 %; a link by a circuit or a name shows at once.
    for game in [Game::G3, Game::G4] {
        let found = best(&run, game);
        assert!(found < 0.2, "{game:?}: {found}");
    }
    for control in Rewritten::ALL {
        let (log, truth) = control.rewrite(&run.log, &run.truth);
        let broken = Run { log, truth, bytes: run.bytes.clone(), reused: run.reused };
        match control.by() {
            By::Structure => {
                let wrong = structure(&broken.log, &broken.bytes, broken.reused);
                assert!(!wrong.is_empty(), "{control:?}");
            }
            // What the loss of a network shows needs more losses than two hours have.
            By::Game(..) if control == Rewritten::OpenCircuits => {}
            By::Game(game, _) => {
                let (usual, found) = (best(&run, game), best(&broken, game));
                assert!(found > usual.max(0.05) + 0.1, "{control:?}: {found} in {game:?}");
            }
        }
    }
    let cases = judge(&run, &[Game::G4], 7)[&(Game::G4, Attacker::Trees)].cases();
    assert!(cases > 1000, "the trees were asked as well: {cases}");
    let dir = tempfile::tempdir().unwrap();
    keep(dir.path(), &run.log, &run.truth).unwrap();
    let lines = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let (log, truth) = (lines("transcript.jsonl"), lines("truth.jsonl"));
    assert!(!log.contains("client") && truth.contains("\"client\""), "the log holds no truth");
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert!(first["at"].is_u64() && first["mailbox"].is_u64() && first["event"].is_string());
}

#[test]
fn th_2_t0_a_silent_and_a_busy_hour_look_alike_to_every_mailbox_but_for_bytes_and_chunks() {
    assert_eq!(coupling(6, 11, Missing::Nothing), None);
}

#[test]
fn th_2_t0_control_without_cover_or_with_retries_at_once_they_do_not() {
    assert!(coupling(6, 11, Missing::Cover).is_some());
    assert!(coupling(6, 11, Missing::Patience).is_some());
}
