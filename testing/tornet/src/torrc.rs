//! The configuration of the processes. Each trap of the design has its line here.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::keys::Authority;

/// Which implementations meet in the network.
///
/// Under `TestingTorNetwork` C tor ignores `hsdir_interval` and uses 24 times the voting interval
/// as its time period; Arti obeys the consensus. Where both ends are Arti the longest period keeps
/// a run within one period; where one end is C tor both must come to the same length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Arti at both ends of every onion connection.
    #[default]
    Arti,
    /// C tor at one end: 24 × 60 s = 24 min, which is `hsdir_interval=24`.
    Interop,
}

/// The torrc of one authority.
pub(crate) fn authority(own: &Authority, lines: &[String], profile: Profile, owner: u32) -> String {
    let mut torrc = common(&own.dir, lines, owner);
    let Authority { name, or_port, dir_port, .. } = own;
    torrc.push_str(&format!(
        "Nickname {name}\nContactInfo test@example.invalid\nSocksPort 0\n\
         ORPort 127.0.0.1:{or_port}\nDirPort 127.0.0.1:{dir_port}\nAddress 127.0.0.1\n\
         AssumeReachable 1\nNumCPUs 1\nExitRelay 0\n\
         AuthoritativeDirectory 1\nV3AuthoritativeDirectory 1\nTestingMinExitFlagThreshold 0\n\
         V3AuthVoteDelay 2\nV3AuthDistDelay 2\nV3AuthNIntervalsValid 3\n\
         TestingDirAuthVoteExit *\nTestingDirAuthVoteGuard *\nTestingDirAuthVoteHSDir *\n"
    ));
    // A short voting interval, so that one late voter heals at the next boundary. The timeouts
    // keep Arti from learning that circuits take 50 ms, after which it gives up on every slower
    // one for good; the cure is in the network, the product's settings stay as they are.
    let (voting, initial, delay, hsdir) = match profile {
        Profile::Arti => (20, 5, 2, 14_400),
        Profile::Interop => (60, 10, 3, 24),
    };
    torrc.push_str(&format!(
        "V3AuthVotingInterval {voting}\nTestingV3AuthInitialVotingInterval {initial}\n\
         TestingV3AuthInitialVoteDelay {delay}\nTestingV3AuthInitialDistDelay {delay}\n\
         ConsensusParams hsdir_interval={hsdir} cbtmintimeout=10000 cbtinitialtimeout=60000\n"
    ));
    torrc
}

/// The torrc of a client or onion service in the same network, without its own `extra` lines.
pub(crate) fn client(dir: &Path, lines: &[String], owner: u32) -> String {
    let mut torrc = common(dir, lines, owner);
    torrc.push_str("PathsNeededToBuildCircuits 0.67\n");
    torrc
}

/// Without the GeoIP lines each process costs seconds of CPU and 25 MB. The owner's number makes
/// tor end by itself some seconds after its owner, even one that was killed (TOR-29).
fn common(dir: &Path, lines: &[String], owner: u32) -> String {
    let d = dir.display();
    let mut torrc = format!(
        "TestingTorNetwork 1\nDataDirectory {d}\nPidFile {d}/pid\nLog notice file {d}/notice.log\n\
         ShutdownWaitLength 0\nGeoIPFile /dev/null\nGeoIPv6File /dev/null\n\
         __OwningControllerProcess {owner}\n"
    );
    for line in lines {
        torrc.push_str(&format!("DirAuthority {line}\n"));
    }
    torrc
}
