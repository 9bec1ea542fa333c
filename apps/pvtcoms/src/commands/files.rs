//! `files` and `send --file`: files on their way, and the folder for those that come.

use super::waiting;
use crate::args::{Files, WaitFor};
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done, Folder};
use daemon::types::view::{File, FileState};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Lists files, ends one, or chooses the folder.
pub(crate) fn run(face: &Face<'_>, what: Option<Files>) -> Outcome {
    let mut client = face.open(true)?;
    match what.unwrap_or(Files::List { contact: String::new() }) {
        Files::List { contact } => {
            let files: Vec<File> = client.call(Call::Files { contact })?;
            for file in &files {
                face.out.item(file, || show::file(file))?;
            }
            if files.is_empty() {
                face.out.note("No files. To send one: pvtcoms send CONTACT --file PATH");
            }
            Ok(())
        }
        Files::Cancel { file } => {
            let done: Done = client.call(Call::FileCancel { file })?;
            face.out.item(&done, || "ended: the contact is told".to_owned())
        }
        Files::Folder { path } => {
            let path = path.as_deref().map(absolute).transpose()?.unwrap_or_default();
            let folder: Folder = client.call(Call::FileFolder { path })?;
            face.out.item(&folder, || plain(&folder.path))
        }
    }
}

/// Queues a file, and waits for its arrival if that was asked for.
pub(crate) fn send(
    face: &Face<'_>,
    contact: &str,
    path: &Path,
    wait: Option<WaitFor>,
    timeout: Duration,
) -> Outcome {
    if wait == Some(WaitFor::Stored) {
        return Err(Fault::wrong_use(
            "A file is many parts: it is not stored at once. Nothing was queued.",
            "Wait with --wait delivered.",
        ));
    }
    let path = absolute(path)?;
    let mut client = face.open(true)?;
    let file: File = client.call(Call::FileSend { contact: contact.to_owned(), path })?;
    face.out.item(&file, || show::file(&file))?;
    match wait {
        Some(_) => follow(face, client, &file, timeout),
        None => Ok(()),
    }
}

/// The core has another working directory than whoever types a path.
fn absolute(path: &Path) -> Outcome<String> {
    let whole = std::path::absolute(path).ok();
    whole.and_then(|path| path.to_str().map(str::to_owned)).ok_or_else(|| {
        Fault::wrong_use("The path cannot be used. Nothing was done.", "Give a path in UTF-8.")
    })
}

/// Waits until the contact has the file, it has ended otherwise, or the time is over (PRD-13: 3).
fn follow(face: &Face<'_>, mut client: Client, sent: &File, timeout: Duration) -> Outcome {
    let progress = waiting::Progress::new(face, "sending");
    let deadline = Instant::now().checked_add(timeout);
    loop {
        match client.call::<Vec<File>>(Call::Files { contact: String::new() }) {
            Ok(files) => {
                let file = files.into_iter().find(|file| file.id == sent.id).ok_or_else(|| {
                    Fault::wrong_use("There is no such file any more.", "See `pvtcoms files`.")
                })?;
                match file.state {
                    FileState::Done => {
                        drop(progress);
                        return face.out.item(&file, || show::file(&file));
                    }
                    FileState::Offered | FileState::Moving | FileState::Whole => {
                        progress.text(&show::file(&file));
                    }
                    _ => return Err(ended(&file)),
                }
            }
            Err(Fault::Gone) => client = waiting::again(face, true)?.0,
            Err(fault) => return Err(fault),
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Fault::new(
                ErrorKind::Unreachable,
                format!(
                    "Not delivered within {} s. The file {} is kept and goes on by itself.",
                    timeout.as_secs(),
                    sent.id
                ),
                "Look with `pvtcoms files`, or wait longer with --timeout.",
            ));
        }
        std::thread::sleep(LOOK);
    }
}

fn ended(file: &File) -> Fault {
    Fault::new(
        ErrorKind::Unreachable,
        format!("The file {} did not arrive: {}.", file.id, show::file_state(file)),
        "Ask the contact, then send it again.",
    )
}
