//! Invites, given and taken.

use super::Core;
use super::calls::wrong;
use super::contacts::{id_text, names};
use crate::types::error::Failure;
use crate::types::view;
use crate::wording;
use content::display::Untrusted;
use crypto::Zeroizing;
use engine::{Command, Engine, InviteId, InviteState, Reply};
use serde_json::Value;

impl Core {
    pub(super) fn invite_new(&mut self, name: String, hours: u32) -> Result<view::Invite, Failure> {
        let name = self.name_for_invite(&name)?;
        self.invite_from(Command::NewInvite { name, hours })
    }

    pub(super) fn accept(
        &mut self,
        uri: Zeroizing<String>,
        name: String,
    ) -> Result<view::Invite, Failure> {
        let name = self.name_for_invite(&name)?;
        self.invite_from(Command::Accept { uri, name })
    }

    /// A new name, cleaned; or the engine's name of the contact that is called so here, to whom
    /// the invite then belongs (ID-3).
    fn name_for_invite(&mut self, name: &str) -> Result<String, Failure> {
        let (engine, _) = self.parts()?;
        let wanted = Untrusted::Name(name).display();
        let names = names(engine);
        let known = engine.contacts().find(|contact| names.get(&contact.id) == Some(&wanted));
        Ok(known.map_or(wanted, |contact| contact.name))
    }

    fn invite_from(&mut self, command: Command) -> Result<view::Invite, Failure> {
        let Reply::Invite(id) = self.command(command)? else { return Err(wording::internal()) };
        let (engine, _) = self.parts()?;
        let mut views = invite_views(engine);
        views.retain(|view| view.id == id_text('i', &id));
        views.pop().ok_or_else(wording::internal)
    }

    /// The invites whose identifier begins with `id`; all for an empty one.
    pub(super) fn invites(&mut self, id: &str) -> Result<Vec<view::Invite>, Failure> {
        let (engine, _) = self.parts()?;
        let mut views = invite_views(engine);
        if id.is_empty() {
            return Ok(views);
        }
        views.retain(|view| view.id.starts_with(id));
        if views.is_empty() { Err(wrong(wording::NO_INVITE)) } else { Ok(views) }
    }

    pub(super) fn invite_revoke(&mut self, id: &str) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let found: Vec<InviteId> = engine
            .invites()
            .map(|invite| invite.id)
            .filter(|found| id.len() > 2 && id_text('i', found).starts_with(id))
            .collect();
        match found.as_slice() {
            [id] => self.done(Command::RevokeInvite(*id)),
            [] => Err(wrong(wording::NO_INVITE)),
            _ => Err(wrong(wording::SEVERAL)),
        }
    }
}

fn invite_views(engine: &Engine) -> Vec<view::Invite> {
    let names = names(engine);
    engine
        .invites()
        .map(|invite| view::Invite {
            id: id_text('i', &invite.id),
            name: Untrusted::Name(&invite.name).display(),
            ours: invite.ours,
            state: state(invite.state),
            expires: invite.expires,
            uri: invite.uri.map(|uri| uri.to_string()),
            contact: invite.contact.and_then(|contact| names.get(&contact).cloned()),
        })
        .collect()
}

const fn state(state: InviteState) -> view::InviteState {
    match state {
        InviteState::Depositing => view::InviteState::Depositing,
        InviteState::Ready => view::InviteState::Ready,
        InviteState::Answered => view::InviteState::Answered,
        InviteState::Used => view::InviteState::Used,
        InviteState::Reused => view::InviteState::Reused,
        InviteState::Refused => view::InviteState::Refused,
        InviteState::Accepting => view::InviteState::Accepting,
        InviteState::Dead => view::InviteState::Dead,
    }
}
