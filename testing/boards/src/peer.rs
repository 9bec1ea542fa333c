//! The plain framed server: reads 64 bytes, writes what it has in memory for them, closes.

use anyhow::{Context as _, Result};
use board::frame::HEAD_LEN;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// What is answered to which request.
pub(crate) type Answers = HashMap<[u8; HEAD_LEN], Vec<u8>>;

/// Writes answers for a peer: `request(64) ‖ length(4) ‖ answer`, one after the other.
pub(crate) fn save(path: &Path, answers: &Answers) -> Result<()> {
    let mut bytes = Vec::new();
    for (request, answer) in answers {
        bytes.extend_from_slice(request);
        bytes.extend_from_slice(&u32::try_from(answer.len())?.to_be_bytes());
        bytes.extend_from_slice(answer);
    }
    std::fs::write(path, bytes).context("cannot write the peer's answers")
}

fn load(path: &Path) -> Result<Answers> {
    let bytes = std::fs::read(path)?;
    let mut answers = Answers::new();
    let mut rest = bytes.as_slice();
    while let Some((request, more)) = rest.split_first_chunk() {
        let (len, more) = more.split_first_chunk().context("cut short")?;
        let len = usize::try_from(u32::from_be_bytes(*len))?;
        let (answer, more) = more.split_at_checked(len).context("cut short")?;
        answers.insert(*request, answer.to_vec());
        rest = more;
    }
    Ok(answers)
}

/// Serves until it is killed. One thread, as the mailbox's server has for its connections.
///
/// # Errors
/// If it cannot listen, or has no answers.
pub fn serve(socket: &Path, answers: &Path) -> Result<()> {
    let answers = Arc::new(load(answers)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = UnixListener::bind(socket)?;
        writeln!(std::io::stdout(), "listening")?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(answer(stream, Arc::clone(&answers)));
        }
    })
}

async fn answer(mut stream: UnixStream, answers: Arc<Answers>) -> std::io::Result<()> {
    let mut request = [0; HEAD_LEN];
    stream.read_exact(&mut request).await?;
    if let Some(answer) = answers.get(&request) {
        stream.write_all(answer).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_reads_the_answers_that_were_written_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers");
        let answers = Answers::from([([1; HEAD_LEN], vec![7; 100]), ([2; HEAD_LEN], Vec::new())]);
        save(&path, &answers).unwrap();
        assert_eq!(load(&path).unwrap(), answers);
    }
}
