//! Arguments, and what a failure means for the exit code.

use std::io;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::socks::ProxyAddress;

/// The gate of pvtcoms: the only program that talks to the network, and only through Tor.
///
/// `client` is started by `pvtcoms daemon`; `host` publishes a mailbox as an onion service.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Serves `pvtcomsd` over an inherited socket: asked for a stream, it dials it through Tor.
    Client(ClientArgs),
    /// Publishes an onion service that forwards to a mailbox on a Unix socket.
    Host(HostArgs),
}

#[derive(Args)]
pub(crate) struct ClientArgs {
    /// Number of the inherited SOCK_SEQPACKET descriptor to the core.
    #[arg(long, value_name = "N")]
    pub(crate) fd: i32,
    #[command(flatten)]
    pub(crate) tor: TorArgs,
    /// Use a Tor that already runs instead of the built-in one: `unix:PATH` (recommended) or
    /// `HOST:PORT`, where HOST is a loopback or private IP address, never a name.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) socks: Option<ProxyAddress>,
    /// Accept a Tor too old to confirm that it isolates streams from each other.
    #[arg(long, requires = "socks")]
    pub(crate) socks_legacy: bool,
    /// A bridge line, `obfs4 IP:PORT FINGERPRINT cert=… iat-mode=…`; may be repeated. With bridges
    /// no other way into Tor is tried.
    #[arg(long = "bridge", value_name = "LINE", conflicts_with = "socks")]
    pub(crate) bridges: Vec<String>,
    /// The program that speaks obfs4 [default: lyrebird, then obfs4proxy, in /usr/bin and
    /// /usr/local/bin].
    #[arg(long, value_name = "PATH", requires = "bridges")]
    pub(crate) transport: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct HostArgs {
    /// The mailbox's socket, `unix:PATH`.
    #[arg(long, value_name = "unix:PATH", value_parser = unix_path)]
    pub(crate) to: PathBuf,
    /// Port of the onion service.
    #[arg(long, default_value_t = 7701, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// Name of the service in the state directory; each name has its own address.
    #[arg(long, default_value = "mailbox")]
    pub(crate) nickname: String,
    /// Print one JSON object a line on standard output.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tor: TorArgs,
}

#[derive(Args)]
pub(crate) struct TorArgs {
    /// Folder for guards and, with `host`, for the key that is the service's address. Keep it.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Folder for Tor's directory; may be deleted at any time.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: PathBuf,
    /// Use the private test network that this file describes. It gives no anonymity.
    #[arg(long, value_name = "NET.JSON")]
    pub(crate) network: Option<PathBuf>,
}

fn unix_path(text: &str) -> Result<PathBuf, &'static str> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err("must be unix:PATH"),
    }
}

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The `--fd` is not what it should be.
    #[error("the inherited descriptor cannot be used: {0}")]
    Descriptor(#[source] io::Error),
    /// The core's side broke the rules of the frames, or its socket failed.
    #[error(transparent)]
    Core(#[from] gate::ServerError),
    /// An argument or file of the user's cannot be used.
    #[error("{0}")]
    Use(String),
    /// Tor cannot start with these folders.
    #[error("Tor cannot start: {0}. Nothing was sent")]
    Tor(String),
    /// Another program already uses the state directory.
    #[error("another pvtcoms-tor uses the same --state directory")]
    InUse,
    /// The runtime could not start.
    #[error("cannot start the program's threads: {0}")]
    Runtime(#[source] io::Error),
    /// A fault of this program's.
    #[error("internal fault: {0}")]
    Internal(&'static str),
}

impl Fault {
    /// PRD-13.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Descriptor(_) | Self::Use(_) => 1,
            Self::Core(_) | Self::Runtime(_) | Self::Internal(_) => 2,
            Self::Tor(_) | Self::InUse => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn host_forwards_to_a_unix_socket_only() {
        let args =
            |to| Cli::try_parse_from(["x", "host", "--state", "s", "--cache", "c", "--to", to]);
        assert!(args("unix:/run/m.sock").is_ok());
        assert!(args("127.0.0.1:80").is_err() && args("unix:").is_err());
    }

    #[test]
    fn tor_17_a_proxy_name_or_public_address_is_refused() {
        let args = |socks| {
            Cli::try_parse_from([
                "x", "client", "--fd", "3", "--state", "s", "--cache", "c", "--socks", socks,
            ])
        };
        assert!(args("127.0.0.1:9050").is_ok() && args("unix:/run/tor/socks").is_ok());
        assert!(args("localhost:9050").is_err() && args("8.8.8.8:9050").is_err());
    }
}
