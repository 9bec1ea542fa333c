//! The probe and the dial against a proxy that is made for each test.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

/// How the fake proxy behaves.
#[derive(Clone, Copy)]
struct Fake {
    method: u8,
    /// Takes `<torS0X>0`, takes `<torS0X>1`.
    takes: [bool; 2],
    /// How it refuses a username.
    no: &'static [u8],
    /// Reply to CONNECT; on 0 it echoes.
    code: u8,
}

const MODERN: Fake = Fake { method: 2, takes: [true, false], no: &[1, 1], code: 0 };

struct Proxy {
    dir: tempfile::TempDir,
    /// Everything that was sent to it after the greeting.
    heard: Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    fn path(&self) -> PathBuf {
        self.dir.path().join("socks")
    }

    fn start(fake: Fake) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("socks")).unwrap();
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let heard = Arc::clone(&heard);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, fake, Arc::clone(&heard)));
                }
            }
        });
        Self { dir, heard, task }
    }

    fn socks(&self, legacy: bool) -> Arc<Socks> {
        Socks::start(ProxyAddress::Unix(self.path()), legacy)
    }

    fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(
    mut s: UnixStream,
    fake: Fake,
    heard: Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
) -> io::Result<()> {
    let mut greeting = [0; 3];
    s.read_exact(&mut greeting).await?;
    assert_eq!(greeting, [5, 1, 2]);
    s.write_all(&[5, fake.method]).await?;
    if fake.method != 2 {
        return Ok(());
    }
    assert_eq!(s.read_u8().await?, 1);
    let user = text(&mut s).await?;
    let password = text(&mut s).await?;
    let takes = if user == b"<torS0X>1" { fake.takes[1] } else { fake.takes[0] };
    heard.lock().unwrap().push([&user[..], b" ", &password[..]].concat());
    s.write_all(if takes { &[1, 0] } else { fake.no }).await?;
    if !takes {
        return Ok(());
    }
    let mut head = [0; 4];
    s.read_exact(&mut head).await?;
    assert_eq!(head, [5, 1, 0, 3]);
    let host = text(&mut s).await?;
    s.read_u16().await?;
    heard.lock().unwrap().push(host);
    s.write_all(&[5, fake.code, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    let (mut read, mut write) = s.split();
    tokio::io::copy(&mut read, &mut write).await?;
    Ok(())
}

async fn text(s: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(s.read_u8().await?)];
    s.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn judged(fake: Fake, legacy: bool) -> Status {
    let proxy = Proxy::start(fake);
    let socks = proxy.socks(legacy);
    let mut status = socks.status();
    let known = status
        .wait_for(|s| s.blockage != Blockage::None || s.isolation != Isolation::Unknown)
        .await
        .unwrap();
    *known
}

#[tokio::test]
async fn tor_19_tor_20_a_tor_that_refuses_the_unknown_format_is_confirmed() {
    let status = judged(MODERN, false).await;
    assert_eq!((status.stage, status.isolation), (Stage::Waiting, Isolation::Confirmed));
    assert_eq!(status.vanguards, Vanguards::Lite); // TOR-20

    // C tor 0.4.9 refuses with a reply to CONNECT; another proxy may just close.
    for no in [&[5, 1, 0, 4, 0, 0][..], &[]] {
        assert_eq!(judged(Fake { no, ..MODERN }, false).await.isolation, Isolation::Confirmed);
    }
    // Control: neither is taken for consent.
    let never = Fake { takes: [false, false], no: &[5, 1, 0, 4, 0, 0], ..MODERN };
    assert_eq!(judged(never, false).await.blockage, Blockage::NotTor);
}

#[tokio::test]
async fn tor_19_an_old_tor_needs_the_user_s_consent() {
    let old = Fake { takes: [true, true], ..MODERN };
    assert_eq!(judged(old, false).await.blockage, Blockage::NotTor);
    assert_eq!(judged(old, true).await.isolation, Isolation::Unconfirmed);
}

#[tokio::test]
async fn tor_19_a_proxy_that_refuses_both_never_sees_an_onion_name() {
    for fake in [
        Fake { takes: [false, false], ..MODERN },
        Fake { takes: [false, true], ..MODERN },
        Fake { method: 0, ..MODERN },    // TOR-18: "no authentication"
        Fake { method: 0xff, ..MODERN }, // no method at all
    ] {
        let proxy = Proxy::start(fake);
        let socks = proxy.socks(true);
        assert_eq!(socks.dial(&[7; 32], 7701, &[9; 16]).await.err(), Some(Reason::NoTor));
        let name = onion_name();
        assert!(proxy.heard().iter().all(|said| said != &name));
        assert_eq!(socks.status().borrow().blockage, Blockage::NotTor);
    }
}

#[tokio::test]
async fn tor_18_the_token_is_the_password_and_the_onion_the_name() {
    let proxy = Proxy::start(MODERN);
    let socks = proxy.socks(false);
    let mut stream = socks.dial(&[7; 32], 7701, &[0xab; 16]).await.unwrap();
    stream.write_all(b"echo").await.unwrap();
    let mut got = [0; 4];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"echo");
    let heard = proxy.heard();
    let login = b"<torS0X>0 abababababababababababababababab".to_vec();
    assert_eq!(heard[heard.len() - 2..], [login, onion_name()]);
}

#[tokio::test]
async fn tor_21_replies_become_reasons() {
    for (code, reason) in [
        (0xf0, Reason::NoDescriptor),
        (0xf1, Reason::NoDescriptor),
        (0xf2, Reason::Timeout),
        (0xf3, Reason::Timeout),
        (0xf7, Reason::Timeout),
        (6, Reason::Timeout),
        (0xf4, Reason::Refused),
        (0xf5, Reason::Refused),
        (5, Reason::Refused),
        (0xf6, Reason::Internal),
        (1, Reason::Unreachable),
        (4, Reason::Unreachable),
    ] {
        let proxy = Proxy::start(Fake { code, ..MODERN });
        let socks = proxy.socks(false);
        assert_eq!(socks.dial(&[7; 32], 7701, &[9; 16]).await.err(), Some(reason), "{code:#x}");
    }
}

#[tokio::test]
async fn tor_2_a_proxy_that_goes_away_is_no_tor_and_is_proved_anew() {
    let proxy = Proxy::start(MODERN);
    let socks = proxy.socks(false);
    assert!(socks.dial(&[7; 32], 7701, &[1; 16]).await.is_ok());
    proxy.task.abort();
    std::fs::remove_file(proxy.path()).unwrap();
    assert_eq!(socks.dial(&[7; 32], 7701, &[2; 16]).await.err(), Some(Reason::NoTor));
    assert_eq!(socks.status().borrow().blockage, Blockage::NoProxy);
    assert_eq!(socks.dial(&[7; 32], 7701, &[3; 16]).await.err(), Some(Reason::NoTor));
}

fn onion_name() -> Vec<u8> {
    crate::onion::address(&[7; 32]).into_bytes()
}
