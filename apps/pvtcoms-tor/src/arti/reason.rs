//! What Arti's kinds of error mean for the core. Never their texts: those may name a place.

use arti_client::ErrorKind;
use gate::{Blockage, Reason, Stage, Status};

pub(super) fn of(kind: ErrorKind, status: &Status) -> Reason {
    use ErrorKind as K;
    match kind {
        K::OnionServiceNotFound
        | K::OnionServiceMissingClientAuth
        | K::OnionServiceWrongClientAuth => Reason::NoDescriptor,
        // The service's rendezvous circuit stood: it answered, or ended the circuit, on purpose.
        K::RemoteConnectionRefused
        | K::ExitPolicyRejected
        | K::RemoteStreamClosed
        | K::RemoteStreamReset
        | K::RemoteStreamError
        | K::CircuitCollapse
        // Arti's word for a circuit that the service ended while our BEGIN was under way.
        | K::BadApiUsage => Reason::Refused,
        K::TorNetworkTimeout | K::RemoteNetworkTimeout | K::ExitTimeout => of_timeout(status),
        K::TorAccessFailed
        | K::LocalNetworkError
        | K::BootstrapRequired
        | K::DirectoryExpired
        | K::TorDirectoryUnusable
        | K::ExternalToolFailed => match of_timeout(status) {
            Reason::Timeout => Reason::Blocked,
            reason => reason,
        },
        K::Internal
        | K::InvalidConfig
        | K::FeatureDisabled
        | K::InvalidStreamTarget
        | K::ForbiddenStreamTarget
        | K::LocalResourceExhausted
        | K::ReactorShuttingDown
        | K::ArtiShuttingDown => Reason::Internal,
        _ => Reason::Unreachable,
    }
}

/// A dial that ran into its deadline, by what Tor says about itself.
pub(super) const fn of_timeout(status: &Status) -> Reason {
    match (status.stage, status.blockage) {
        (Stage::Ready, Blockage::None) => Reason::Timeout,
        (_, Blockage::Clock) => Reason::Clock,
        (_, Blockage::None) => Reason::Timeout,
        _ => Reason::Blocked,
    }
}
