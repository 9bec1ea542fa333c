//! Files: sending one of the user's, saving those that came (FIL-3, FIL-12).

use super::Core;
use super::calls::wrong;
use super::contacts::{find, id_text, names};
use crate::clock;
use crate::dice::Dice;
use crate::types::error::Failure;
use crate::types::method::Folder;
use crate::types::view;
use crate::wording;
use content::display::Untrusted;
use content::{MAX_FILE, safe_file_name};
use engine::{Command, ContactId, FileId, FileState, FileView, Outcome, Reply};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::FolderError;

/// A file that could not be saved is tried again after this.
const RETRY_MS: u64 = 60_000;

/// Files that came and could not be saved.
#[derive(Default)]
pub(super) struct Unsaved {
    why: Option<FolderError>,
    retry_at: u64,
}

impl Unsaved {
    /// What the status says of it.
    pub(super) fn warning(&self) -> Option<String> {
        self.why.map(|why| wording::unsaved(why).to_owned())
    }
}

impl Core {
    /// RPC-20: reads a file of the user and queues it; when this returns all of it is saved (FIL-5).
    pub(super) fn file_send(&mut self, contact: &str, path: &str) -> Result<view::File, Failure> {
        let path = Path::new(path);
        if !path.is_absolute() {
            return Err(wrong(wording::FILE_PATH));
        }
        let (engine, _) = self.parts()?;
        let (contact, shown) = find(engine, contact)?;
        let bytes = store::read_whole(path, MAX_FILE).map_err(wording::unreadable)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let command = Command::SendFile { contact, name: name.unwrap_or_default(), bytes };
        let (reply, step) = engine
            .handle_command(&mut Dice, clock::now(), command)
            .map_err(|error| wording::refused_send(error, &shown))?;
        let Reply::File(id) = reply else { return Err(wording::internal()) };
        self.commit(step)?;
        let (engine, _) = self.parts()?;
        let names = names(engine);
        let file = engine.files().find(|file| file.contact == contact && file.id == id);
        file.map(|file| file_view(&file, &names)).ok_or_else(wording::internal)
    }

    /// Files with a contact, or with all, oldest first.
    pub(super) fn files(&mut self, contact: &str) -> Result<Vec<view::File>, Failure> {
        let (engine, _) = self.parts()?;
        let only = (!contact.is_empty()).then(|| find(engine, contact)).transpose()?;
        let names = names(engine);
        let wanted = |file: &FileView| only.as_ref().is_none_or(|(id, _)| *id == file.contact);
        let mut files: Vec<view::File> =
            engine.files().filter(wanted).map(|file| file_view(&file, &names)).collect();
        files.sort_by_key(|file| file.begun);
        Ok(files)
    }

    pub(super) fn file_cancel(&mut self, text: &str) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let named = |file: &FileView| text.len() > 2 && id_text('f', &file.id).starts_with(text);
        let mut found: Vec<(ContactId, FileId)> =
            engine.files().filter(named).map(|file| (file.contact, file.id)).collect();
        match (found.pop(), found.is_empty()) {
            (Some((contact, file)), true) => self.done(Command::CancelFile { contact, file }),
            (None, _) => Err(wrong(wording::NO_FILE)),
            (Some(_), false) => Err(wrong(wording::SEVERAL)),
        }
    }

    /// Chooses the folder for files that come, if a path is given, and shows it.
    pub(super) fn file_folder(&mut self, path: &str) -> Result<Folder, Failure> {
        if !path.is_empty() {
            if !Path::new(path).is_absolute() {
                return Err(wrong(wording::FILE_PATH));
            }
            let found = Path::new(path).metadata().map_err(FolderError::from);
            if !found.map_err(wording::no_folder)?.is_dir() {
                return Err(wording::no_folder(FolderError::Kind));
            }
            let (_, store) = self.parts()?;
            store.set_folder(path).map_err(|error| wording::storage(&error))?;
            self.unsaved = Unsaved::default();
        }
        let folder = self.folder()?.map_err(wording::no_folder)?;
        Ok(Folder { path: folder.to_string_lossy().into_owned() })
    }

    /// Where files that come are saved; that of the profile is made when it is first asked for.
    fn folder(&mut self) -> Result<Result<PathBuf, FolderError>, Failure> {
        let (_, store) = self.parts()?;
        let chosen = store.folder().map_err(|error| wording::storage(&error))?;
        Ok(chosen.map_or_else(|| self.setting.dir.received(), |path| Ok(path.into())))
    }

    /// FIL-12: saves what is whole in the folder, and only then says so to engine and contact.
    pub(super) fn save_files(&mut self) {
        let now = clock::now().mono_ms;
        if self.unsaved.why.is_some() && now < self.unsaved.retry_at {
            return;
        }
        self.unsaved.why = None;
        while let Some((contact, file)) = self.whole_file() {
            let saved = self.folder().map(|folder| self.save_file(&folder?, contact, file));
            let name = match saved {
                Ok(Ok(name)) => name,
                Ok(Err(why)) => {
                    let retry_at = now.saturating_add(RETRY_MS);
                    self.unsaved = Unsaved { why: Some(why), retry_at };
                    return;
                }
                // The state that is left says why.
                Err(_) => return,
            };
            if self.command(Command::FileSaved { contact, file, name }).is_err() {
                return;
            }
        }
    }

    fn whole_file(&mut self) -> Option<(ContactId, FileId)> {
        let (engine, _) = self.parts().ok()?;
        engine.whole_files().next()
    }

    fn save_file(
        &mut self,
        folder: &Path,
        contact: ContactId,
        file: FileId,
    ) -> Result<String, FolderError> {
        let whole = self.parts().ok().and_then(|(engine, _)| engine.whole_file(contact, file));
        let (name, bytes) = whole.ok_or(FolderError::Missing)?;
        store::save_file(folder, &safe_file_name(name), &file, &bytes)
    }
}

pub(super) fn file_view(file: &FileView, names: &BTreeMap<ContactId, String>) -> view::File {
    view::File {
        id: id_text('f', &file.id),
        contact: names.get(&file.contact).cloned().unwrap_or_default(),
        ours: file.ours,
        name: Untrusted::Name(&file.name).display(),
        saved: (!file.saved.is_empty()).then(|| file.saved.clone()),
        size: file.size,
        done: file.done,
        state: state(file.state),
        begun: file.begun,
    }
}

const fn state(state: FileState) -> view::FileState {
    match state {
        FileState::Offered => view::FileState::Offered,
        FileState::Moving => view::FileState::Moving,
        FileState::Whole => view::FileState::Whole,
        FileState::Ended(Outcome::Done) => view::FileState::Done,
        FileState::Ended(Outcome::Cancelled) => view::FileState::Cancelled,
        FileState::Ended(Outcome::Refused) => view::FileState::Refused,
        FileState::Ended(Outcome::NoRoom) => view::FileState::NoRoom,
        FileState::Ended(Outcome::Damaged) => view::FileState::Damaged,
        FileState::Ended(Outcome::Failed) => view::FileState::Failed,
    }
}
