//! What a face can ask, and who answers it.

use super::handle::{Answered, Ask};
use super::{Core, Exit, Farewell};
use crate::clock;
use crate::dice::Dice;
use crate::types::RPC_VERSION;
use crate::types::error::{ErrorKind, Failure};
use crate::types::method::{Call, Done, Welcome};
use crate::wording;
use crypto::Zeroizing;
use engine::{Command, Reply, Settings};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

impl Core {
    /// Answers one question. The caller may be gone: then the answer goes nowhere.
    pub(super) async fn ask(&mut self, ask: Ask) -> Option<Farewell> {
        match ask {
            Ask::Welcome(answer) => {
                let _ = answer.send(value(&self.welcome()));
            }
            Ask::Subscribe { name, after, answer } => {
                let _ = answer.send(self.subscribe(&name, after.as_deref()));
            }
            Ask::Events { after, limit, answer } => {
                let _ = answer.send(self.events_after(after, limit));
            }
            Ask::Call(call, answer) => return self.dispatch(*call, answer).await,
        }
        None
    }

    async fn dispatch(
        &mut self,
        call: Call,
        answer: oneshot::Sender<Answered>,
    ) -> Option<Farewell> {
        let exit = match call {
            Call::Shutdown {} => Exit::Shutdown,
            // RPC-6: everything is dropped before the answer.
            Call::Lock {} if self.open.is_some() => Exit::Locked,
            call => {
                let result = self.call(call).await;
                let _ = answer.send((result, None));
                return None;
            }
        };
        self.close();
        let (sender, written) = oneshot::channel();
        let _ = answer.send((value(&Done {}), Some(sender)));
        Some((exit, written))
    }

    async fn call(&mut self, call: Call) -> Result<Value, Failure> {
        match call {
            // The connection answers it, for it is about the connection too.
            Call::Hello { .. } => value(&self.welcome()),
            Call::Create { passphrase, name, mode, utc_offset_min } => {
                let mode = super::status::mode_of(mode);
                let settings = Settings { name, mode, utc_offset_min };
                done(self.create(Zeroizing::new(passphrase), settings).await)
            }
            Call::Unlock { passphrase } => done(self.unlock(Zeroizing::new(passphrase)).await),
            Call::Restore { file, file_passphrase, passphrase } => {
                let secrets = (Zeroizing::new(file_passphrase), Zeroizing::new(passphrase));
                done(self.restore(&file, secrets.0, secrets.1))
            }
            Call::Transfer {} => value(&self.transfer()?),
            Call::Status {} => value(&self.status()?),
            // RPC-5.
            call if self.open.is_some() => self.call_open(call),
            _ => Err(wording::locked()),
        }
    }

    /// The calls that need an open profile.
    fn call_open(&mut self, call: Call) -> Result<Value, Failure> {
        match call {
            Call::ModeSet { mode } => self.done(Command::SetMode(super::status::mode_of(mode))),
            Call::PaceSet { pace } => self.done(Command::SetPace(super::status::pace_of(pace))),
            Call::Retention { days } => self.set_retention(days),
            Call::InviteNew { name, hours } => value(&self.invite_new(name, hours)?),
            Call::InviteShow { id } => value(&self.invites(&id)?),
            Call::InviteRevoke { id } => self.invite_revoke(&id),
            Call::Accept { uri, name } => {
                let uri = Zeroizing::new(uri);
                value(&self.accept(uri, name)?)
            }
            Call::Contacts {} => value(&self.contacts()?),
            Call::Rename { contact, name } => self.rename(&contact, name),
            Call::Remove { contact } => self.remove(&contact),
            Call::Block { contact, undo } => self.block(&contact, !undo),
            Call::Timer { contact, seconds } => self.set_timer(&contact, seconds),
            Call::VerifyBegin { contact } => value(&self.verify_begin(&contact)?),
            Call::VerifyWords { contact, words } => value(&self.verify_words(&contact, words)?),
            Call::Send { contact, text, key } => {
                value(&self.send(&contact, Zeroizing::new(text), &key)?)
            }
            Call::FileSend { contact, path } => value(&self.file_send(&contact, &path)?),
            Call::Files { contact } => value(&self.files(&contact)?),
            Call::FileCancel { file } => self.file_cancel(&file),
            Call::FileFolder { path } => value(&self.file_folder(&path)?),
            Call::Recall { message } => self.recall(&message),
            Call::Retry { message } => self.retry(&message),
            Call::Message { message } => value(&self.message(&message)?),
            Call::Read { message } => self.read(&message),
            Call::Inbox { ack } => value(&self.inbox(ack)?),
            Call::History { contact, before, limit } => {
                value(&self.history(&contact, before, limit)?)
            }
            Call::MailboxAdd { address } => value(&self.mailbox_add(&address)?),
            Call::MailboxList {} => value(&self.mailboxes()?),
            Call::MailboxRemove { address } => self.mailbox_remove(&address),
            Call::Ack { name, through } => self.ack(&name, &through),
            Call::Backup { file, passphrase } => {
                done(self.backup(&file, Zeroizing::new(passphrase)))
            }
            // Answered before: by the connection, or by `call`.
            Call::Hello { .. }
            | Call::Create { .. }
            | Call::Unlock { .. }
            | Call::Restore { .. }
            | Call::Transfer {}
            | Call::Lock {}
            | Call::Status {}
            | Call::Shutdown {}
            | Call::Subscribe { .. } => Err(wording::internal()),
        }
    }

    /// Gives the engine a command and saves what it led to. The reply is worth nothing before.
    pub(super) fn command(&mut self, command: Command) -> Result<Reply, Failure> {
        let Some(open) = &mut self.open else { return Err(wording::locked()) };
        let (engine, _) = open.parts()?;
        let (reply, step) =
            engine.handle_command(&mut Dice, clock::now(), command).map_err(wording::refused)?;
        self.commit(step)?;
        Ok(reply)
    }

    /// A command that has nothing to say.
    pub(super) fn done(&mut self, command: Command) -> Result<Value, Failure> {
        done(self.command(command).map(drop))
    }

    fn welcome(&self) -> Welcome {
        Welcome {
            v: RPC_VERSION,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            profile: self.profile_state(),
        }
    }
}

pub(super) fn value<T: Serialize>(result: &T) -> Result<Value, Failure> {
    serde_json::to_value(result).map_err(|_| wording::internal())
}

pub(super) fn done(result: Result<(), Failure>) -> Result<Value, Failure> {
    result.and_then(|()| value(&Done {}))
}

/// A failure that the caller's input is to blame for.
pub(super) fn wrong(message: &str) -> Failure {
    wording::failure(ErrorKind::WrongUse, message)
}
