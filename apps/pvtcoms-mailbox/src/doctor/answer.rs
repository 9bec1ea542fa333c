//! The socket, and what a client would get there.

use super::known::Known;
use super::{Check, Where, span};
use crate::clock::Seconds;
use crate::pages::EMPTY_EVERY_S;
use board::frame::{Request, Window};
use board::header::{DigestReader, PageHeader};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a piece of the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much later than it should a page may close before it is worth a word.
const LATE_S: Seconds = 60;

/// The socket's kind and mode, and the newest page that it gives.
pub(super) fn socket(place: &Where, known: &Known, now: Seconds) -> Vec<Check> {
    const WHAT: &str = "socket";
    let Some(path) = known.socket(place) else { return Vec::new() };
    let shown = path.display();
    let found = match fs::symlink_metadata(&path) {
        Ok(found) if found.file_type().is_socket() => found,
        Ok(_) => {
            return vec![Check::fail(WHAT, format!("{shown} is no socket"), "is --listen right?")];
        }
        Err(e) => {
            return vec![Check::fail(
                WHAT,
                format!("{shown}: {e}"),
                "is --listen right? else restart the server",
            )];
        }
    };
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        let found = format!("{shown} has mode {mode:04o}");
        return vec![Check::fail(
            WHAT,
            found,
            "every user of the machine can connect: restart the server",
        )];
    }
    let first = Check::ok(WHAT, format!("{shown}, mode {mode:04o}"));
    vec![first, answer(&path, known, now)]
}

fn answer(path: &Path, known: &Known, now: Seconds) -> Check {
    const WHAT: &str = "pages";
    let Some(mailbox) = known.mailbox() else {
        return Check::fail(WHAT, "the status file names no mailbox", "restart the server");
    };
    let newest = match newest_page(path, mailbox) {
        Ok(newest) => newest,
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            return Check::warn(
                WHAT,
                "you may not connect to the socket",
                "run doctor as the server's user",
            );
        }
        Err(e) => {
            return Check::fail(
                WHAT,
                format!("the server gave none: {e}"),
                "restart it; journalctl -u pvtcoms-mailbox",
            );
        }
    };
    let Some(page) = newest else {
        return Check::fail(
            WHAT,
            "none closed in ten minutes",
            "storage fails? journalctl -u pvtcoms-mailbox",
        );
    };
    let age = now.saturating_sub(page.closed_at);
    let found = format!("page {} closed {} ago", page.page, span(age));
    let slowest = EMPTY_EVERY_S.saturating_add(page.interval_s.into()).saturating_add(LATE_S);
    if page.check(&mailbox).is_err() || page.check_fresh(now).is_err() {
        Check::fail(
            WHAT,
            format!("{found}; clients refuse it"),
            "is the clock right, and the server of this version?",
        )
    } else if age > slowest {
        Check::fail(WHAT, found, "pages do not close: storage fails? journalctl -u pvtcoms-mailbox")
    } else {
        Check::ok(WHAT, found)
    }
}

/// The newest page of the last ten minutes, asked for as a client does.
fn newest_page(path: &Path, mailbox: [u8; 32]) -> io::Result<Option<PageHeader>> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&Request::Digest(Window::LastTenMinutes).encode())?;
    let mut reader = DigestReader::new(mailbox);
    let (mut piece, mut newest) = (vec![0; 64 << 10], None);
    loop {
        let n = stream.read(&mut piece)?;
        if n == 0 {
            return Ok(newest);
        }
        let frames = reader.push(piece.get(..n).unwrap_or_default()).map_err(io::Error::other)?;
        newest = frames.last().map(|frame| frame.header).or(newest);
    }
}
