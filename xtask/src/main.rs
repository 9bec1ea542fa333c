//! Every chore of the project, the same on a laptop and on the build server: `cargo xtask VERB`.
//!
//! It runs programs (cargo, tar, git) and reads files of this checkout. Nothing here sees bytes of a peer.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod ci;
mod claims;
mod demo;
mod deny;
#[cfg(test)]
mod dials;
mod fuzz;
mod layers;
mod linkability;
mod lints;
mod machine;
mod models;
mod mutants;
mod natives;
mod nopanic;
mod programs;
mod project;
mod rules;
mod secrets;
mod soak;
mod sources;
mod timing;
mod vectors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the pvtcoms workspace")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything the build server checks, cheapest first
    Ci,
    /// The quick part of `ci`: formatting, clippy, layers, claims, spec, secrets
    Lint,
    /// Who may import whom, and which crate may name which library
    Layers,
    /// Every claim of docs/claims.md names a requirement and what shows it
    Claims,
    /// Every rule of docs/spec stands at a line of code and in the name of a test
    Spec,
    /// Types that hold secrets cannot be copied, printed or compared with `==`
    Secrets,
    /// Advisories, bans, licences and sources of all dependencies
    Deny,
    /// No decoder can panic: shown on the linked program, function by function
    Nopanic,
    /// Comparisons and decapsulation take as long for one kind of input as for another
    Timing,
    /// Make the test vectors of ours in `vectors/` anew
    Vectors {
        /// Write nothing: fail if the committed ones are not what would be made
        #[arg(long)]
        check: bool,
    },
    /// Two people talk: the whole program on a private Tor network
    Demo {
        /// Leave it running and print the commands to chat by hand in two terminals
        #[arg(long)]
        keep: bool,
    },
    /// The ratchet under random schedules and thieves, in the release profile
    Machine {
        /// How many things happen
        #[arg(long, default_value_t = 1_000_000)]
        steps: u64,
        /// Everything follows from it
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Play this one game of the run again, as a failure names it
        #[arg(long)]
        game: Option<u64>,
    },
    /// People talk while everything goes wrong that can; a model knows what each must see
    Soak(soak::Options),
    /// What mailboxes that write everything down can link: games, attackers, negative controls
    Linkability(linkability::Options),
    /// Mistakes planted in the ratchet, each of which the machine must find
    Mutants,
    /// Speed of the protocol, in figures
    Bench {
        /// Beside vodozemac, in the same run; ends with the line `peers: ..`
        #[arg(long, group = "what")]
        peers: bool,
        /// Count instructions under callgrind and fail if one rose by more than 3 %
        #[arg(long, group = "what")]
        check: bool,
        /// Count them and write them down as what the next check compares with
        #[arg(long, group = "what")]
        bless: bool,
        /// What a message costs with 100,000 stored ones and 200 contacts, beside 100 and 2; ends with the line `scale: ..`
        #[arg(long, group = "what")]
        scale: bool,
        /// The mailbox server beside the storage engine and a server in memory; ends with the line `mailbox: ..`
        #[arg(long, group = "what")]
        mailbox: bool,
        /// What a flood of deposits that nobody paid for does to those that are paid; ends with the line `flood: ..`
        #[arg(long, group = "what")]
        flood: bool,
        /// What a board of two weeks of a thousand people takes, or as much of it as the disk has room for (14 days: 58 GB); ends with the line `large: ..`
        #[arg(long, group = "what")]
        large: bool,
    },
    /// Random inputs, guided by coverage, for everything that reads bytes of others
    Fuzz(fuzz::Options),
    /// Search symbolic models of the pairing for attacks (installs Verifpal at the first call)
    Models,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Project::find().and_then(|project| match cli.verb {
        Verb::Ci => ci::ci(&project),
        Verb::Lint => ci::lint(&project),
        Verb::Layers => layers::run(&project),
        Verb::Claims => claims::run(&project),
        Verb::Spec => rules::run(&project),
        Verb::Secrets => secrets::run(&project),
        Verb::Deny => deny::run(&project),
        Verb::Nopanic => nopanic::run(&project),
        Verb::Timing => timing::run(&project),
        Verb::Vectors { check } => vectors::run(&project, check),
        Verb::Demo { keep } => demo::run(&project, keep),
        Verb::Machine { steps, seed, game } => machine::run(&project, steps, seed, game),
        Verb::Soak(options) => soak::run(&project, &options),
        Verb::Linkability(options) => linkability::run(&project, &options),
        Verb::Mutants => mutants::run(&project),
        Verb::Bench { peers: true, .. } => bench::peers(&project),
        Verb::Bench { check: true, .. } => bench::count::check(&project),
        Verb::Bench { bless: true, .. } => bench::count::bless(&project),
        Verb::Bench { scale: true, .. } => bench::scale::run(&project),
        Verb::Bench { mailbox: true, .. } => bench::mailbox::run(&project, "run"),
        Verb::Bench { flood: true, .. } => bench::mailbox::run(&project, "flood"),
        Verb::Bench { large: true, .. } => bench::mailbox::run(&project, "large"),
        Verb::Bench { .. } => bench::run(&project),
        Verb::Fuzz(options) => fuzz::fuzz(&project, &options),
        Verb::Models => models::run(&project),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The verbs of this program, for the claims ledger.
pub(crate) fn verbs() -> Vec<String> {
    use clap::CommandFactory as _;
    Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
        assert!(super::verbs().contains(&"layers".to_owned()));
    }
}
