//! Do comparisons and decapsulation take longer for one kind of input than for another?
//!
//! Inputs of two classes are timed in random order, and the two sets of times are compared (`stats.rs`). A comparison that leaks on
//! purpose shows that the measurement would find one.
#![expect(clippy::print_stdout, reason = "a measurement talks to the person who runs it")]

mod lab;
mod stats;
mod subjects;

use std::process::ExitCode;
use std::time::Instant;

use stats::{BOUND, max_t};
use subjects::{CONTROL, SUBJECTS, Subject};

fn main() -> ExitCode {
    println!("|t| of Welch's test between two classes of input; {BOUND} and above is a leak\n");
    let mut worst: f64 = 0.0;
    for subject in SUBJECTS {
        worst = worst.max(report(subject));
    }
    let control = report(&CONTROL);
    println!("\ntiming: max_t={worst:.2} control_t={control:.2}");
    if control < BOUND {
        println!(
            "the leaky control was not found, so this run shows nothing: try a quieter machine"
        );
        return ExitCode::FAILURE;
    }
    if worst >= BOUND {
        println!(
            "one class takes longer; run again: a leak stays, a bad moment of the machine goes"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn report(subject: &Subject) -> f64 {
    let begun = Instant::now();
    let times = (subject.time)(&subject.plan);
    let t = max_t(&times.left, &times.right);
    let (name, samples) = (subject.name, subject.plan.samples);
    println!("  {name:<46} {t:>8.2}   {samples} samples, {:.0} s", begun.elapsed().as_secs_f32());
    t
}
