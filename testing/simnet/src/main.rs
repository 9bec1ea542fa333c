//! `pvtcoms-simnet MESSAGES SEED [LIFE]`: a soak of the engine in the simulator, or one life of it
//! again. `cargo xtask soak --sim` starts it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "talks to the person who runs it")]

use simnet::{A_LIFE, Outcome, Tally, live, plan, soak};
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    let arguments: Option<Vec<u64>> =
        std::env::args().skip(1).map(|argument| argument.parse().ok()).collect();
    let (tally, wrong) = match arguments.as_deref() {
        Some([messages, seed]) => run(*messages, *seed),
        Some([messages, seed, life]) => {
            let plan = plan(*seed, *life, *messages);
            println!("{plan:#?}");
            let (tally, findings) = live(&plan, None);
            (tally, vec![Outcome { life: *life, findings }])
        }
        _ => {
            eprintln!("usage: pvtcoms-simnet MESSAGES SEED [LIFE]");
            return ExitCode::FAILURE;
        }
    };
    println!("  {}", tally.happened());
    let mut sound = true;
    for Outcome { life, findings } in wrong {
        for finding in findings {
            sound = false;
            println!("  life {life}: {finding}");
        }
    }
    println!("{tally}");
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(messages: u64, seed: u64) -> (Tally, Vec<Outcome>) {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Lives under way are lived to their end; a second Ctrl-C does not wait for them.
    let asked = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = asked {
        eprintln!("Ctrl-C will end this at once: {error}");
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lives = messages.div_ceil(A_LIFE);
    let done = soak(seed, messages, threads, &stop, |tally| {
        print!(
            "\r  life {} of {lives}, {} messages, {} things went wrong, {} findings ",
            tally.seeds,
            tally.messages,
            tally.faults,
            tally.differences(),
        );
        // Nobody waits for this line.
        let _ = std::io::stdout().flush();
    });
    println!();
    done
}
