use clap::Parser;
use std::path::PathBuf;

/// The core of pvtcoms: keys, database and protocol. Started by `pvtcoms daemon`, not by hand.
///
/// It opens no socket: it inherits the RPC's listener, one end of a socket pair to the gate, and
/// the reading end of a pipe that its supervisor holds open while it lives. Exit codes: 0 locked
/// or ended, 10 shutdown asked for, 1 wrong use, 2 internal fault, 7 storage.
#[derive(Parser)]
#[command(name = "pvtcomsd", version)]
pub(crate) struct Cli {
    /// Number of the descriptor of the RPC's listening Unix socket
    #[arg(long, value_name = "N")]
    pub(crate) rpc_fd: i32,
    /// Number of the descriptor of the socket pair (SOCK_SEQPACKET) to the gate
    #[arg(long, value_name = "N")]
    pub(crate) gate_fd: i32,
    /// Number of the descriptor of the pipe whose end ends the core
    #[arg(long, value_name = "N")]
    pub(crate) lifeline_fd: i32,
    /// The profile's directory, made if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The profile's name, for messages
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: String,
    /// The profile belongs to a private test network: every face says that it is not anonymous
    #[arg(long)]
    pub(crate) private_network: bool,
    /// Log the kinds of operations and their results
    #[arg(long)]
    pub(crate) verbose: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn prd_13_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
