//! The SOCKS5 messages, with method 2 (username and password) alone (TOR-18).

use std::io;

use data_encoding::HEXLOWER;
use gate::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::onion;
use crate::splice::Stream;

/// Username that asks for isolation by password (proposal 351).
pub(super) const ISOLATING: &str = "<torS0X>0";

/// Username of a format that no Tor serves without more: one that knows the proposal refuses it.
pub(super) const UNKNOWN: &str = "<torS0X>1";

/// Which of the two usernames the proxy took.
pub(super) struct Probe {
    pub(super) isolating: bool,
    pub(super) unknown: bool,
}

/// Why there is no stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Tor says why.
    Tor(Reason),
    /// This is not the proxy that was proved.
    NotTor,
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Self::NotTor
    }
}

/// Whether the proxy takes `username`. Shows it no onion name (TOR-19).
pub(super) async fn probe(proxy: &mut impl Stream, username: &str) -> io::Result<bool> {
    greet(proxy).await?;
    authenticate(proxy, username, "0").await
}

/// Asks for a stream.
pub(super) async fn connect(
    proxy: &mut impl Stream,
    onion: &[u8; 32],
    port: u16,
    token: &[u8; 16],
) -> Result<(), Refusal> {
    greet(proxy).await?;
    if !authenticate(proxy, ISOLATING, &HEXLOWER.encode(token)).await? {
        return Err(Refusal::NotTor);
    }
    let mut request = vec![5, 1, 0, 3];
    push(&mut request, &onion::address(onion))?;
    request.extend(port.to_be_bytes());
    proxy.write_all(&request).await?;
    match answer(proxy).await? {
        0 => Ok(()),
        code => Err(Refusal::Tor(reason(code))),
    }
}

/// Offers method 2 alone; a proxy that wants no authentication cannot isolate.
async fn greet(proxy: &mut impl Stream) -> io::Result<()> {
    proxy.write_all(&[5, 1, 2]).await?;
    let mut answer = [0; 2];
    proxy.read_exact(&mut answer).await?;
    if answer == [5, 2] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Sends the username and password of RFC 1929. A proxy that closes at once refuses too.
async fn authenticate(proxy: &mut impl Stream, user: &str, password: &str) -> io::Result<bool> {
    let mut request = vec![1];
    push(&mut request, user)?;
    push(&mut request, password)?;
    proxy.write_all(&request).await?;
    let mut answer = [0; 2];
    match proxy.read_exact(&mut answer).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error),
        Ok(_) => match answer {
            [1, status] => Ok(status == 0),
            // C tor refuses a username with the reply that belongs to CONNECT.
            [5, code] if code != 0 => Ok(false),
            _ => Err(io::ErrorKind::InvalidData.into()),
        },
    }
}

/// Reads the reply to CONNECT and returns its code.
async fn answer(proxy: &mut impl Stream) -> Result<u8, Refusal> {
    let mut head = [0; 4];
    proxy.read_exact(&mut head).await?;
    let [5, code, 0, kind] = head else { return Err(Refusal::NotTor) };
    let address = match kind {
        1 => 4,
        3 => usize::from(proxy.read_u8().await?),
        4 => 16,
        _ => return Err(Refusal::NotTor),
    };
    let mut rest = vec![0; address.saturating_add(2)]; // address and port, of no meaning here
    proxy.read_exact(&mut rest).await?;
    Ok(code)
}

/// Appends a string of SOCKS: its length in one byte, then its bytes.
fn push(request: &mut Vec<u8>, text: &str) -> io::Result<()> {
    request.push(u8::try_from(text.len()).map_err(|_| io::ErrorKind::InvalidInput)?);
    request.extend(text.as_bytes());
    Ok(())
}

/// TOR-21. C tor sends the codes from 0xF0 on only with `ExtendedErrors` on its port.
pub(super) const fn reason(code: u8) -> Reason {
    match code {
        0xf0 | 0xf1 => Reason::NoDescriptor,
        0xf2 | 0xf3 | 0xf7 | 0x06 => Reason::Timeout,
        0xf4 | 0xf5 | 0x05 => Reason::Refused,
        0xf6 => Reason::Internal,
        _ => Reason::Unreachable,
    }
}
