//! How the embedded client is configured.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use arti_client::TorClientConfig;
use arti_client::config::dir::FallbackDir;
use arti_client::config::pt::TransportConfigBuilder;
use arti_client::config::{BridgeConfigBuilder, CfgPath, TorClientConfigBuilder};
use tor_config::ExplicitOrAuto;
use tor_guardmgr::{VanguardConfig, VanguardMode};
use tor_llcrypto::pk::{ed25519::Ed25519Identity, rsa::RsaIdentity};

use crate::cli::{Fault, TorArgs};
use crate::private::{PrivateNetwork, Relay};

/// The one transport that resolves no names (TOR-15).
const TRANSPORT: &str = "obfs4";

/// Bridges, checked, and the program that speaks to them.
pub(crate) struct Bridges {
    lines: Vec<BridgeConfigBuilder>,
    program: PathBuf,
}

impl Bridges {
    /// Checks the lines; none means no bridges.
    pub(crate) fn parse(lines: &[String], program: Option<&Path>) -> Result<Option<Self>, Fault> {
        if lines.is_empty() {
            return Ok(None);
        }
        let lines = lines.iter().map(|line| bridge(line)).collect::<Result<_, _>>()?;
        let program = match program {
            Some(path) => path.is_file().then(|| path.to_owned()),
            None => ["lyrebird", "obfs4proxy"]
                .iter()
                .flat_map(|name| {
                    ["/usr/bin", "/usr/local/bin"].map(|dir| Path::new(dir).join(name))
                })
                .find(|path| path.is_file()),
        };
        let program = program.ok_or_else(|| {
            Fault::Use("no program that speaks obfs4: install `lyrebird` or `obfs4proxy`".into())
        })?;
        Ok(Some(Self { lines, program }))
    }
}

/// TOR-15: an IP literal, and a transport that resolves no name. The line is never repeated in an
/// error: it is a place (TOR-9).
fn bridge(line: &str) -> Result<BridgeConfigBuilder, Fault> {
    let wrong = |why: &str| Fault::Use(format!("--bridge: {why}"));
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some(TRANSPORT) {
        return Err(wrong("only obfs4 is supported; other transports look names up by themselves"));
    }
    if words.next().is_none_or(|address| address.parse::<SocketAddr>().is_err()) {
        return Err(wrong("the address must be IP:PORT, never a name"));
    }
    line.parse().map_err(|_| wrong("is not a bridge line"))
}

pub(super) fn build(
    args: &TorArgs,
    network: Option<&PrivateNetwork>,
    bridges: Option<&Bridges>,
) -> Result<TorClientConfig, Fault> {
    let mut builder = TorClientConfigBuilder::from_directories(&args.state, &args.cache);
    builder.vanguards().mode(ExplicitOrAuto::Explicit(VanguardMode::Full));
    // TOR-12: onion services alone, so no circuit is ever built for an exit.
    builder.preemptive_circuits().set_initial_predicted_ports(Vec::new());
    builder.preemptive_circuits().disable_at_threshold(0);
    builder.address_filter().allow_onion_addrs(true);
    if let Some(network) = network {
        private(&mut builder, network)?;
    }
    if let Some(bridges) = bridges {
        builder.bridges().bridges().clone_from(&bridges.lines);
        let mut transport = TransportConfigBuilder::default();
        let name = TRANSPORT.parse().map_err(|_| Fault::Internal("the transport has no name"))?;
        transport.protocols(vec![name]);
        transport.path(CfgPath::new_literal(&bridges.program));
        transport.run_on_startup(true);
        builder.bridges().transports().push(transport);
        // Not "auto": a profile with bridges never tries a guard without one.
        builder.bridges().enabled(arti_client::config::BoolOrAuto::Explicit(true));
    }
    // Arti's text names fields of its configuration, nothing of the network.
    let config = builder.build().map_err(|error| Fault::Tor(error.to_string()))?;
    confirm_full(&config)?;
    Ok(config)
}

/// TOR-11: read back from what was built; any other mode ends the program.
fn confirm_full(config: &TorClientConfig) -> Result<(), Fault> {
    let vanguards: &VanguardConfig = config.as_ref();
    match vanguards.mode() {
        VanguardMode::Full => Ok(()),
        _ => Err(Fault::Internal("vanguards are not full")),
    }
}

fn private(builder: &mut TorClientConfigBuilder, network: &PrivateNetwork) -> Result<(), Fault> {
    let wrong = || Fault::Use("--network: an identity is not understood".into());
    let caches = network.fallback_caches.iter().map(|relay| {
        let Relay { rsa_identity, ed_identity, orports } = relay;
        let mut cache = FallbackDir::builder();
        cache.rsa_identity(RsaIdentity::from_hex(rsa_identity).ok_or_else(wrong)?);
        cache.ed_identity(Ed25519Identity::from_base64(ed_identity).ok_or_else(wrong)?);
        cache.set_orports(orports.clone());
        Ok(cache)
    });
    let caches = caches.collect::<Result<Vec<_>, Fault>>()?;
    let idents = network.v3idents.iter().map(|hex| RsaIdentity::from_hex(hex).ok_or_else(wrong));
    let idents = idents.collect::<Result<Vec<_>, Fault>>()?;
    builder.tor_network().set_fallback_caches(caches);
    builder.tor_network().authorities().set_v3idents(idents);
    // All relays of a private network share one address. Only here are path rules relaxed.
    builder.path_rules().ipv4_subnet_family_prefix(33).ipv6_subnet_family_prefix(129);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> TorArgs {
        let dir = std::env::temp_dir().join("pvtcoms-tor-config-test");
        TorArgs { state: dir.join("s"), cache: dir.join("c"), network: None }
    }

    #[test]
    fn tor_11_vanguards_are_full_and_another_mode_is_caught() {
        assert!(build(&args(), None, None).is_ok());
        let mut lite = TorClientConfigBuilder::from_directories("s", "c");
        lite.vanguards().mode(ExplicitOrAuto::Explicit(VanguardMode::Lite));
        assert!(confirm_full(&lite.build().unwrap()).is_err());
    }

    #[test]
    fn tor_12_no_circuit_is_built_ahead_for_an_exit() {
        let config = build(&args(), None, None).unwrap();
        let preemptive: &arti_client::config::circ::PreemptiveCircuitConfig = config.as_ref();
        let text = format!("{preemptive:?}");
        assert!(text.contains("disable_at_threshold: 0"), "{text}");
        assert!(text.contains("initial_predicted_ports: []"), "{text}");
    }

    #[test]
    fn tor_15_bridges_are_obfs4_with_an_ip_address() {
        let good =
            "obfs4 192.0.2.3:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=AAAA iat-mode=0";
        assert!(bridge(good).is_ok());
        for bad in [
            "snowflake 192.0.2.3:80 0123456789ABCDEF0123456789ABCDEF01234567 url=https://a.example/",
            "webtunnel 192.0.2.3:80 0123456789ABCDEF0123456789ABCDEF01234567 url=https://a.example/",
            "obfs4 bridge.example:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=AAAA iat-mode=0",
            "192.0.2.3:443 0123456789ABCDEF0123456789ABCDEF01234567",
            "obfs4 192.0.2.3:443",
        ] {
            assert!(bridge(bad).is_err(), "{bad}");
        }
    }
}
