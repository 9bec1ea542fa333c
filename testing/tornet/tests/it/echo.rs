use std::time::Duration;

use gate::{Backend, Isolation, Reason, Vanguards};
use tokio::io::AsyncReadExt;
use tornet::Tornet;

use super::programs::{Gate, Host, LONG, PORT, token};

fn network() -> std::sync::Arc<Tornet> {
    tokio::task::block_in_place(|| Tornet::shared().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_3_tor_22_bytes_through_an_onion_service_and_back() {
    let network = network();
    let host = Host::start(network.net_json()).await;
    let mut gate = Gate::in_network(network.net_json());
    let status = gate.ready().await;
    assert_eq!(status.vanguards, Some(Vanguards::Full)); // TOR-11
    assert_eq!(status.backend, Some(Backend::Arti));
    assert_eq!(status.isolation, Isolation::Confirmed);
    assert!(status.private_network); // TOR-31
    gate.echo(host.key).await;
    let operations = (0..4).map(|_| gate.echo(host.key));
    futures::future::join_all(operations).await;

    // TOR-6: control, the fresh tokens above were taken.
    let token = token();
    let first = gate.core.dial(host.key, PORT, token, LONG).await.unwrap();
    let again = gate.core.dial(host.key, PORT, token, LONG).await;
    assert_eq!(again.unwrap_err().reason, Reason::ReusedToken);
    drop(first);

    // The service is there; a port that it does not serve is refused.
    let wrong = gate.core.dial(host.key, PORT + 1, self::token(), LONG).await;
    assert_eq!(wrong.unwrap_err().reason, Reason::Refused);

    // A dead gate takes its streams and requests with it; its successor serves again.
    let mut open = gate.core.dial(host.key, PORT, self::token(), LONG).await.unwrap();
    gate.kill();
    assert!(matches!(open.read(&mut [0]).await, Ok(0) | Err(_)));
    let core = gate.core.clone();
    let pending = tokio::spawn(async move { core.dial([1; 32], PORT, self::token(), LONG).await });
    let short = gate.core.dial(host.key, PORT, self::token(), Duration::from_millis(300)).await;
    assert_eq!(short.unwrap_err().reason, Reason::NoTor); // TOR-2
    gate.restart();
    assert_eq!(pending.await.unwrap().unwrap_err().reason, Reason::Aborted);
    gate.ready().await;
    gate.echo(host.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_14_tor_23_state_is_kept_and_serves_one_program() {
    let network = network();
    let host = Host::start(network.net_json()).await;
    let key = host.key;
    let gate = Gate::in_network(network.net_json());
    gate.ready().await;
    let (code, words) = gate.second();
    assert!(code.is_some_and(|code| code != 0), "{words}");
    assert!(words.contains("same --state"), "{words}");
    gate.echo(key).await; // the first one is not disturbed
    let host = host.restarted(network.net_json()).await;
    assert_eq!(host.key, key);
}

/// Control: without the variable a network of its own would have processes.
#[tokio::test(flavor = "multi_thread")]
async fn tor_28_the_network_that_the_variable_names_is_used() {
    let network = network();
    match std::env::var_os(tornet::NET_VARIABLE) {
        Some(path) => {
            assert_eq!(network.net_json(), std::path::Path::new(&path));
            assert!(network.process_ids().is_empty());
        }
        None => assert_eq!(network.process_ids().len(), 6),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_3_an_unknown_onion_has_no_descriptor() {
    let network = network();
    let gate = Gate::in_network(network.net_json());
    gate.ready().await;
    // A valid key (the Ed25519 base point) that publishes nothing.
    let mut nobody = [0x66; 32];
    nobody[0] = 0x58;
    let answer = gate.core.dial(nobody, PORT, token(), LONG).await;
    assert_eq!(answer.unwrap_err().reason, Reason::NoDescriptor);
}
