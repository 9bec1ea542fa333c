use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where the user's Tor listens (TOR-17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProxyAddress {
    /// A loopback or private IP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl FromStr for ProxyAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("unix: needs a path")
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let address: SocketAddr =
            text.parse().map_err(|_| "must be unix:PATH or IP:PORT, never a name")?;
        if is_near(address.ip()) && address.port() != 0 {
            Ok(Self::Tcp(address))
        } else {
            Err("the address must be of this computer or of a private network")
        }
    }
}

/// Whether an address is a loopback or private one.
fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_near(ip.into()),
            None => ip.is_loopback() || ip.is_unique_local(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_17_only_near_addresses_and_no_names() {
        for good in [
            "127.0.0.1:9050",
            "127.8.0.1:1",
            "10.152.152.10:9050",
            "192.168.1.2:9050",
            "172.16.0.1:9150",
            "[::1]:9050",
            "[fd00::1]:9050",
            "unix:/run/tor/socks",
        ] {
            assert!(good.parse::<ProxyAddress>().is_ok(), "{good}");
        }
        for bad in [
            "localhost:9050",
            "tor.example:9050",
            "8.8.8.8:9050",
            "172.32.0.1:9050",
            "[2001:db8::1]:9050",
            "[::ffff:8.8.8.8]:9050",
            "0.0.0.0:9050",
            "127.0.0.1:0",
            "127.0.0.1",
            "unix:",
            "",
        ] {
            assert!(bad.parse::<ProxyAddress>().is_err(), "{bad}");
        }
    }
}
