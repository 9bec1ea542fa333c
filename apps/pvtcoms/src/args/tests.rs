use super::*;
use clap::CommandFactory;
use daemon::types::view::MessageState;
use std::fmt::Write;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("pvtcoms").chain(line.split_whitespace()))
}

#[test]
fn definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn global_flags_stand_before_and_after_the_verb() {
    for line in ["--profile p --json status --follow", "status --follow --profile p --json"] {
        let cli = parse(line).expect("parses");
        assert_eq!(cli.global.profile, "p");
        assert!(cli.global.json);
        assert!(matches!(cli.verb, Verb::Status { follow: true }));
    }
    let cli = parse("status").expect("parses");
    assert_eq!(cli.global.profile, "default");
    assert_eq!(cli.global.passphrase_fd, None);
}

#[test]
fn prd_14_no_flag_takes_a_passphrase() {
    assert!(parse("unlock secret").is_err());
    assert!(parse("unlock --passphrase secret").is_err());
    assert!(parse("unlock --passphrase-fd 3").is_ok(), "control");
}

#[test]
fn send_needs_a_contact_and_a_text_or_an_identifier() {
    assert!(parse("send bob hi").is_ok());
    assert!(parse("send --recall m_1").is_ok());
    assert!(parse("send --retry m_1 --wait stored").is_ok());
    for wrong in [
        "send",
        "send bob",
        "send bob hi --recall m_1",
        "send --recall m_1 --retry m_2",
        "send bob hi --timeout 5",
        "send bob hi --wait read",
        "send --recall m_1 --wait stored",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn timers_and_retentions_are_off_or_within_their_bounds() {
    let timers = [("off", 0), ("5m", 300), ("1h", 3600), ("1d", 86_400), ("30d", 2_592_000)];
    for (text, seconds) in timers {
        assert_eq!(values::timer(text), Ok(seconds));
    }
    for text in ["", "0h", "4m", "31d", "1", "-1h", "1y", "1é", "4294967295d"] {
        assert!(values::timer(text).is_err(), "{text}");
    }
    for (text, days) in [("off", 0), ("1d", 1), ("2w", 14), ("1y", 365), ("365d", 365)] {
        assert_eq!(values::retention(text), Ok(days));
    }
    for text in ["", "0d", "366d", "2y", "1h", "5", "65537d"] {
        assert!(values::retention(text).is_err(), "{text}");
    }
}

#[test]
fn invites_last_an_hour_to_thirty_days() {
    for (text, hours) in [("1h", 1), ("48h", 48), ("7d", 168), ("30d", 720)] {
        assert_eq!(values::hours(text), Ok(hours));
    }
    for text in ["", "h", "0h", "721h", "31d", "48", "-1h", "4294967295d", "1w"] {
        assert!(values::hours(text).is_err(), "{text}");
    }
}

#[test]
fn prd_10_waiting_ends_at_the_state_or_beyond() {
    assert!(WaitFor::Stored.reached(MessageState::Stored));
    assert!(WaitFor::Stored.reached(MessageState::Delivered));
    assert!(!WaitFor::Delivered.reached(MessageState::Stored));
    assert!(!WaitFor::Stored.reached(MessageState::Queued));
    assert!(!WaitFor::Stored.reached(MessageState::Failed));
}

#[test]
fn every_verb_has_help_with_an_example() {
    fn visit(command: &clap::Command, path: &str) {
        let name = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{name} says nothing of itself");
        if command.has_subcommands() {
            command.get_subcommands().for_each(|below| visit(below, &name));
        } else if command.get_name() != "list" {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("pvtcoms "), "{name} has no example");
        }
        for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
            assert!(argument.get_help().is_some(), "{name}: {}", argument.get_id());
        }
    }
    visit(&Cli::command(), "");
}

/// The reference, made from the definitions that parse the arguments.
fn reference() -> String {
    fn section(command: &mut clap::Command, path: &str, out: &mut String) {
        let name = format!("{path}{}", command.get_name());
        let help = command.clone().bin_name(&name).term_width(100).render_long_help().to_string();
        let body: Vec<&str> = help.lines().map(str::trim_end).collect();
        write!(out, "\n## {name}\n\n```text\n{}\n```\n", body.join("\n").trim_end()).expect("fits");
        let below: Vec<String> =
            command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        for child in below {
            let child = command.find_subcommand_mut(&child).expect("listed");
            section(child, &format!("{name} "), out);
        }
    }
    let mut out = String::from(
        "# Command line\n\nEvery verb with its help, as the program prints it. Exit codes, output \
         and paths: `spec/` and product rules PRD-13 to PRD-16.\n",
    );
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    section(&mut command, "", &mut out);
    out
}

/// `UPDATE_DOCS=1 cargo test -p pvtcoms reference` writes the page anew.
#[test]
fn prd_15_reference_is_made_from_the_definitions() {
    // Asked when the test runs: checkouts share a build directory.
    let page = std::env::var("CARGO_MANIFEST_DIR").expect("by cargo") + "/../../docs/cli.md";
    let made = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &made).expect("writes");
    }
    let kept = std::fs::read_to_string(page).expect("docs/cli.md is there");
    assert!(kept == made, "docs/cli.md is out of date: run with UPDATE_DOCS=1");
}
