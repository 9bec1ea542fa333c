//! What each verb does.

mod accept;
mod chat;
mod contacts;
mod doctor;
mod files;
mod inbox;
mod init;
mod invite;
mod mailbox;
mod send;
mod service;
mod status;
mod transfer;
mod verify;
mod waiting;

use crate::args::{Cli, Verb};
use crate::fault::{Fault, Outcome};
use crate::output::Out;
use crate::paths::Paths;
use crate::reach::Face;
use clap::CommandFactory;

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli, out: &Out) -> Outcome {
    let paths = Paths::new(&cli.global.profile)?;
    let face = Face { paths, global: &cli.global, out };
    match cli.verb {
        Verb::Init(arguments) => init::run(&face, arguments),
        Verb::Status { follow } => status::run(&face, follow),
        Verb::Daemon(arguments) => service::daemon(&face, arguments),
        Verb::Lock => service::lock(&face),
        Verb::Unlock => service::unlock(&face),
        Verb::Stop => service::stop(&face),
        Verb::Mode { mode, pace } => status::mode(&face, mode, pace),
        Verb::Retention { days } => status::retention(&face, days),
        Verb::Invite(what) => invite::run(&face, what),
        Verb::Accept { uri, name, wait } => accept::run(&face, uri, name, &wait),
        Verb::Verify { contact } => verify::run(&face, contact),
        Verb::Contacts { what } => contacts::run(&face, what),
        Verb::Block { contact, undo } => contacts::block(&face, contact, undo),
        Verb::Timer { contact, seconds } => contacts::timer(&face, contact, seconds),
        Verb::Send(arguments) => send::run(&face, arguments),
        Verb::Files { what } => files::run(&face, what),
        Verb::Inbox { follow, ack } => inbox::run(&face, follow, ack),
        Verb::History { contact, limit, before } => inbox::history(&face, contact, limit, before),
        Verb::Chat { contact } => chat::run(&face, contact),
        Verb::Mailbox(what) => mailbox::run(&face, what),
        Verb::Backup(arguments) => transfer::backup(&face, &arguments),
        Verb::Restore(arguments) => transfer::restore(&face, &arguments),
        Verb::Doctor { report } => doctor::run(&face, report),
        Verb::Completions { shell } => completions(shell),
    }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pvtcoms", &mut script);
    let script = String::from_utf8(script)
        .map_err(|_| Fault::internal("The completions could not be made."))?;
    crate::output::print(script.trim_end())
}
