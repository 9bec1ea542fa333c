//! The command line: every verb, its arguments and its help.

mod values;

pub(crate) use values::{ModeName, PaceName, WaitFor};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Messages between two people who must not be linked, over Tor, without accounts.
///
/// First `pvtcoms init`, then `pvtcoms invite new` on one side and `pvtcoms accept -` on the
/// other, then both compare words with `pvtcoms verify`, then `pvtcoms send`.
#[derive(Debug, Parser)]
#[command(
    name = "pvtcoms",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 wrong use, 2 internal fault, 3 Tor or mailbox unreachable, \
                  4 contact unverified, changed or blocked, 5 rate or proof of work, 6 locked or \
                  wrong passphrase, 7 storage, 8 sandbox not available.\n\n\
                  Not in this version: groups, calls, several devices for one identity, phones, push."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags that every verb takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Which profile: a separate identity with its own contacts.
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub(crate) profile: String,
    /// Print results as one JSON object a line, each with "v":1.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and errors only.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Print no colours.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Fail when the background service does not run, instead of starting it.
    #[arg(long, global = true)]
    pub(crate) no_start: bool,
    /// Read the passphrase from descriptor N, up to the first line end. 0 is standard input.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a profile: identity, passphrase, schedule, mailbox. Needs no network.
    #[command(
        after_help = "Examples:\n  pvtcoms init\n  pvtcoms init --passphrase-fd 0 --name Ann \
        --mode fast --mailbox ADDRESS.onion --network net.json < passphrase-file\n\n\
        Nobody can recover the passphrase. It is never an argument and never in the environment."
    )]
    Init(Init),
    /// Show Tor, mailboxes, waiting messages, and what weakens a promise.
    #[command(after_help = "Examples:\n  pvtcoms status\n  pvtcoms --json status --follow")]
    Status {
        /// Print again whenever something changes.
        #[arg(long)]
        follow: bool,
    },
    /// Run the background service in the foreground: it keeps core and Tor gate running.
    #[command(after_help = "Examples:\n  pvtcoms daemon\n  pvtcoms daemon --background\n\n\
        Other verbs start it by themselves. It ends with `pvtcoms stop`, SIGTERM or Ctrl-C.")]
    Daemon(Daemon),
    /// Close the profile: its keys leave the memory. Messages wait at the mailbox.
    #[command(after_help = "Example:\n  pvtcoms lock")]
    Lock,
    /// Open the profile with its passphrase.
    #[command(
        after_help = "Examples:\n  pvtcoms unlock\n  pvtcoms unlock --passphrase-fd 3 3< file"
    )]
    Unlock,
    /// End the background service, core and Tor gate.
    #[command(after_help = "Example:\n  pvtcoms stop")]
    Stop,
    /// Show or choose the schedule of mailbox visits.
    #[command(after_help = "Examples:\n  pvtcoms mode\n  pvtcoms mode steady\n  \
        pvtcoms mode steady --pace 30s\n\n\
        steady: messages take minutes; even a mailbox that records everything cannot tell who \
        talks to whom.\n\
        fast: messages take seconds; a mailbox that records everything can link some of them.\n\n\
        Whoever sees your traffic sees the pace, so it must not follow what you do: another one \
        holds from a random moment within a day, and can be chosen once a week.")]
    Mode {
        /// The schedule; without it the present one is shown.
        mode: Option<ModeName>,
        /// How often mailboxes are visited, on average: quicker costs more traffic.
        #[arg(long)]
        pace: Option<PaceName>,
    },
    /// Show or choose how long messages stay on this device.
    #[command(after_help = "Examples:\n  pvtcoms retention\n  pvtcoms retention 7d\n  \
        pvtcoms retention off\n\nThe default is 30d. What is older goes within a minute, read or not. \
        Where a conversation has a timer, whichever ends first counts.")]
    Retention {
        /// Days (7d), weeks (2w), one year (1y), or off; without it the present one is shown.
        #[arg(value_name = "TIME", value_parser = values::retention)]
        days: Option<u16>,
    },
    /// Make, show or withdraw an invite.
    #[command(subcommand)]
    Invite(Invite),
    /// Take an invite.
    #[command(
        after_help = "Examples:\n  pvtcoms accept -            (then paste it: it stays out \
        of the shell's history)\n  pvtcoms accept - --name bob --wait < invite.txt"
    )]
    Accept {
        /// The invite, or `-` to read it from standard input.
        #[arg(value_name = "URI|-")]
        uri: String,
        /// What to call the contact here; else its own name.
        #[arg(long, default_value = "")]
        name: String,
        #[command(flatten)]
        wait: WaitFlags,
    },
    /// Compare words with a contact, over a channel you trust. Nothing is sent before.
    #[command(after_help = "Example:\n  pvtcoms verify bob\n\n\
        Call each other or meet. You read three words aloud and type the three that you hear. \
        Three wrong tries void the pairing.")]
    Verify {
        /// Name or identifier.
        contact: String,
    },
    /// List contacts; rename or remove one.
    #[command(
        after_help = "Examples:\n  pvtcoms contacts\n  pvtcoms contacts rename bob Robert",
        args_conflicts_with_subcommands = true
    )]
    Contacts {
        #[command(subcommand)]
        what: Option<Contacts>,
    },
    /// Block a contact: nothing comes in, nothing goes out, and the contact is not told.
    #[command(after_help = "Examples:\n  pvtcoms block bob\n  pvtcoms block bob --undo\n\n\
        What was queued waits. With --undo it goes out, and what the contact wrote meanwhile comes \
        in, as far as the mailbox still has it (14 days).")]
    Block {
        /// Name or identifier.
        contact: String,
        /// End the blocking.
        #[arg(long)]
        undo: bool,
    },
    /// Show or set how long messages of a conversation stay, on both sides.
    #[command(after_help = "Examples:\n  pvtcoms timer bob\n  pvtcoms timer bob 1d\n  \
        pvtcoms timer bob off\n\nA message goes so long after it has left this device, and at the \
        contact's so long after it was read. What was written before keeps its own. Either side can \
        set it; the contact is told. It is a request: nobody can make another device forget.")]
    Timer {
        /// Name or identifier.
        contact: String,
        /// From 5m to 30d (minutes, hours, days), or off; without it the present one is shown.
        #[arg(value_name = "TIME", value_parser = values::timer)]
        seconds: Option<u32>,
    },
    /// Send a message. It is saved and waits here until a mailbox has it.
    #[command(
        after_help = "Examples:\n  pvtcoms send bob 'hello'\n  pvtcoms send bob - < letter.txt\n  \
        pvtcoms send bob 'hello' --wait delivered --timeout 600\n  pvtcoms send bob --file \
        photo.jpg\n  pvtcoms send --recall m_5f\n\n\
        Exits 0 when saved, also offline: queued is success. With --wait a time-out is exit 3, \
        and the message goes on by itself."
    )]
    Send(Send),
    /// List files on their way, end one, or choose the folder for those that come.
    #[command(
        after_help = "Examples:\n  pvtcoms files\n  pvtcoms files list bob\n  pvtcoms files cancel f_5f\n  \
        pvtcoms files folder ~/Downloads\n\nFiles that come are saved by themselves, in the folder \
        `received` of the profile until another is chosen, and are not under the passphrase there.",
        args_conflicts_with_subcommands = true
    )]
    Files {
        #[command(subcommand)]
        what: Option<Files>,
    },
    /// Show what came in and was not marked read. Showing changes nothing.
    #[command(after_help = "Examples:\n  pvtcoms inbox\n  pvtcoms inbox --ack\n  \
        pvtcoms --json inbox --follow")]
    Inbox {
        /// Go on printing what comes in.
        #[arg(long)]
        follow: bool,
        /// Mark what is shown as read.
        #[arg(long)]
        ack: bool,
    },
    /// Show a conversation, newest last.
    #[command(after_help = "Examples:\n  pvtcoms history bob\n  pvtcoms history bob --limit 50 \
        --before 1041\n\nMarks: ○ queued  ◐ stored at a mailbox  ● delivered  ✕ failed")]
    History {
        /// Name or identifier.
        contact: String,
        /// How many messages.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Only what was saved before this row.
        #[arg(long, value_name = "ROW")]
        before: Option<i64>,
    },
    /// A conversation in a terminal: prints what comes, sends each line typed.
    #[command(after_help = "Example:\n  pvtcoms chat bob\n\nCtrl-D ends it.")]
    Chat {
        /// Name or identifier.
        contact: String,
    },
    /// Add, list or remove your own mailboxes, where messages wait for you.
    #[command(subcommand)]
    Mailbox(Mailbox),
    /// Write everything into one file under a passphrase of its own, and read it back.
    #[command(after_help = "Examples:\n  pvtcoms backup ~/pvtcoms.backup\n  \
        pvtcoms backup FILE --backup-passphrase-fd 3 3< file\n\n\
        A file that is there is not touched. Ctrl-C leaves none. The passphrase is the backup's \
        own: nobody can recover it, and with both one is you to your contacts.")]
    Backup(Backup),
    /// Make a new profile of a backup. Sessions with contacts are renewed by themselves.
    #[command(after_help = "Examples:\n  pvtcoms restore ~/pvtcoms.backup\n  \
        pvtcoms --profile second restore FILE\n\n\
        What came after the backup is not there. Do not go on with the profile that it was made of: \
        two copies of one profile harm each other.")]
    Restore(Restore),
    /// Check programs, folders, service, Tor, clock and mailboxes, each with a next step.
    #[command(
        after_help = "Examples:\n  pvtcoms doctor\n  pvtcoms doctor --report > report.txt\n\n\
        The report holds no secret, name or onion address."
    )]
    Doctor {
        /// Print a report that can be shown to others.
        #[arg(long)]
        report: bool,
    },
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  pvtcoms completions bash > \
        ~/.local/share/bash-completion/completions/pvtcoms")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The name that contacts see when they pair with you; may be empty.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The schedule: steady (default) or fast. See `pvtcoms mode --help`.
    #[arg(long)]
    pub(crate) mode: Option<ModeName>,
    /// A mailbox where messages wait for you; may be given twice.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mailbox: Vec<String>,
    /// Bind the profile to a private test network, for ever: not anonymous.
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tor: TorFlags,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new file.
    pub(crate) file: PathBuf,
    /// Read the backup's passphrase from descriptor N, up to the first line end.
    #[arg(long, value_name = "N")]
    pub(crate) backup_passphrase_fd: Option<u32>,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    pub(crate) file: PathBuf,
    /// Read the backup's passphrase from descriptor N, up to the first line end.
    #[arg(long, value_name = "N")]
    pub(crate) backup_passphrase_fd: Option<u32>,
    /// Bind the profile to a private test network, for ever: not anonymous.
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tor: TorFlags,
}

/// Arguments of `daemon`.
#[derive(Debug, Args)]
pub(crate) struct Daemon {
    /// Stay in the foreground (the default).
    #[arg(long, conflicts_with = "background")]
    pub(crate) foreground: bool,
    /// Return as soon as it runs.
    #[arg(long)]
    pub(crate) background: bool,
    /// Leave the terminal; set by the verb that starts it.
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
    /// The private test network of this profile. A profile never changes networks.
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tor: TorFlags,
}

/// The user's own way to Tor.
#[derive(Debug, Args)]
pub(crate) struct TorFlags {
    /// Use a Tor that you run: HOST:PORT or unix:PATH (preferred).
    #[arg(long, value_name = "ADDR")]
    pub(crate) socks: Option<String>,
    /// Reach Tor through this bridge; may be given more than once.
    #[arg(long, value_name = "LINE", conflicts_with = "socks")]
    pub(crate) bridge: Vec<String>,
}

/// Waiting for the other side.
#[derive(Debug, Args)]
pub(crate) struct WaitFlags {
    /// Wait until a contact has come of it.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Seconds to wait at most.
    #[arg(long, value_name = "S", default_value_t = 3600, requires = "wait")]
    pub(crate) timeout: u64,
}

/// Verbs of `invite`.
#[derive(Debug, Subcommand)]
pub(crate) enum Invite {
    /// Make an invite and print it once a mailbox holds it.
    #[command(
        after_help = "Examples:\n  pvtcoms invite new --name bob\n  pvtcoms invite new --for 12h \
        --uri > invite.txt\n\nIt works once. Hand it over on a channel you trust: whoever has it first uses it."
    )]
    New {
        /// What to call the contact that comes of it; else its own name.
        #[arg(long, default_value = "")]
        name: String,
        /// How long it works: hours (48h) or days (7d), at most 30d.
        #[arg(long = "for", value_name = "TIME", default_value = "48h", value_parser = values::hours)]
        hours: u32,
        #[command(flatten)]
        form: InviteForm,
        /// Return at once; `invite show` prints it later.
        #[arg(long)]
        no_wait: bool,
        /// Seconds to wait for the mailbox at most.
        #[arg(long, value_name = "S", default_value_t = 900)]
        timeout: u64,
    },
    /// Show one invite, or all.
    #[command(after_help = "Examples:\n  pvtcoms invite show\n  pvtcoms invite show i_5f --qr\n  \
        pvtcoms invite show i_5f --wait")]
    Show {
        /// Identifier or its beginning.
        #[arg(default_value = "")]
        id: String,
        #[command(flatten)]
        form: InviteForm,
        #[command(flatten)]
        wait: WaitFlags,
    },
    /// Withdraw an invite: it cannot be used any more.
    #[command(after_help = "Example:\n  pvtcoms invite revoke i_5f")]
    Revoke {
        /// Identifier or its beginning.
        id: String,
    },
}

/// How an invite is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct InviteForm {
    /// Print the QR code also when the output is no terminal.
    #[arg(long, conflicts_with = "uri")]
    pub(crate) qr: bool,
    /// Print the URI alone.
    #[arg(long)]
    pub(crate) uri: bool,
}

/// Verbs of `contacts`.
#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    /// List contacts (the default).
    List,
    /// Change what a contact is called on this device.
    #[command(after_help = "Example:\n  pvtcoms contacts rename bob Robert")]
    Rename {
        /// Name or identifier.
        contact: String,
        /// The name from here on.
        name: String,
    },
    /// Remove a contact and its conversation from this device.
    #[command(after_help = "Example:\n  pvtcoms contacts remove bob")]
    Remove {
        /// Name or identifier.
        contact: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Verbs of `files`.
#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// List files on their way, and what became of others in the last 30 days (the default).
    #[command(after_help = "Example:\n  pvtcoms files list bob")]
    List {
        /// Name or identifier of a contact; else of all.
        #[arg(default_value = "")]
        contact: String,
    },
    /// End a file that is on its way, in either direction. The contact is told.
    #[command(after_help = "Example:\n  pvtcoms files cancel f_5f")]
    Cancel {
        /// Identifier or its beginning.
        file: String,
    },
    /// Choose the folder for files that come, or show it.
    #[command(after_help = "Examples:\n  pvtcoms files folder\n  pvtcoms files folder ~/Downloads")]
    Folder {
        /// A folder that is there; without it the present one is shown.
        path: Option<PathBuf>,
    },
}

/// Arguments of `send`.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Name or identifier.
    #[arg(required_unless_present_any = ["recall", "retry"])]
    pub(crate) contact: Option<String>,
    /// What to say, or `-` to read it from standard input.
    #[arg(value_name = "TEXT|-", required_unless_present_any = ["recall", "retry", "file"])]
    pub(crate) text: Option<String>,
    /// Send this file, 1 byte to 8 MiB. All of it is kept here: the source may vanish.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["text", "recall", "retry", "key"])]
    pub(crate) file: Option<PathBuf>,
    /// Wait until it is stored at a mailbox, or delivered to the contact.
    #[arg(long, value_name = "STATE", conflicts_with = "recall")]
    pub(crate) wait: Option<WaitFor>,
    /// Seconds to wait at most.
    #[arg(long, value_name = "S", default_value_t = 900, requires = "wait")]
    pub(crate) timeout: u64,
    /// Take a queued message back, if nothing of it has left.
    #[arg(long, value_name = "ID", conflicts_with_all = ["contact", "text", "retry", "key"])]
    pub(crate) recall: Option<String>,
    /// Queue a failed message again.
    #[arg(long, value_name = "ID", conflicts_with_all = ["contact", "text", "key"])]
    pub(crate) retry: Option<String>,
    /// Do it once for this key, for 14 days, however often it is called.
    #[arg(long, value_name = "K", default_value = "")]
    pub(crate) key: String,
}

/// Verbs of `mailbox`.
#[derive(Debug, Subcommand)]
pub(crate) enum Mailbox {
    /// Add a mailbox of yours.
    #[command(after_help = "Example:\n  pvtcoms mailbox add ADDRESS.onion")]
    Add {
        /// `<56 letters>.onion`, with or without `pvtcoms-mailbox:` before it.
        address: String,
    },
    /// List your mailboxes with their last answers.
    #[command(after_help = "Example:\n  pvtcoms mailbox list")]
    List,
    /// Remove a mailbox of yours. Contacts are told; it is read for 14 days more, or no more if removed again.
    #[command(after_help = "Example:\n  pvtcoms mailbox remove ADDRESS.onion")]
    Remove {
        /// Address or its beginning.
        address: String,
    },
}

#[cfg(test)]
mod tests;
