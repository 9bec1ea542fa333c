//! The SOCKS backend with a real C tor (TOR-17 to TOR-21).

use gate::{Backend, Isolation, Reason, Vanguards};
use tornet::{Options, Profile, TorProcess, Tornet};

use super::programs::{Gate, Host, LONG, PORT, folder, token};

#[tokio::test(flavor = "multi_thread")]
async fn tor_18_bytes_through_the_user_s_own_tor() {
    let options = Options { profile: Profile::Interop, ..Options::default() };
    let network = tokio::task::block_in_place(|| Tornet::start(&options).unwrap());
    let dir = folder();
    let socket = dir.path().join("socks");
    let lines = format!("SocksPort unix:{} ExtendedErrors\n", socket.display());
    let tor = TorProcess::client(network.net(), &dir.path().join("tor"), &lines).unwrap();

    let mut gate = Gate::start(&["--socks", &format!("unix:{}", socket.display())]);
    let status = gate.ready().await;
    assert_eq!(status.backend, Some(Backend::Socks));
    assert_eq!(status.isolation, Isolation::Confirmed, "this tor confirms isolation"); // TOR-19
    assert_eq!(status.vanguards, Some(Vanguards::Lite)); // TOR-20

    let host = Host::start(network.net_json()).await;
    let bootstrapped = async {
        while tor.bootstrapped() < 100 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LONG, bootstrapped).await.unwrap();
    gate.echo(host.key).await;
    gate.echo(host.key).await;

    let mut nobody = [0x66; 32];
    nobody[0] = 0x58;
    let answer = gate.core.dial(nobody, PORT, token(), LONG).await;
    assert_eq!(answer.unwrap_err().reason, Reason::NoDescriptor); // TOR-21

    drop(tor); // TOR-2: no other way is taken
    let answer = gate.core.dial(host.key, PORT, token(), LONG).await;
    assert_eq!(answer.unwrap_err().reason, Reason::NoTor);
    gate.kill();
}
