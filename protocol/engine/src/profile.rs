use crate::pace::Rhythm;
use crate::rows::{done, get_bytes, get_text, open_row, put_bytes, row};
use crate::schedule::{DayHours, Mode};
use crypto::Zeroizing;
use identity::Identity;
use wire::{Codec, Malformed};

/// Key of the only row of [`crate::changes::Table::Profile`].
pub(crate) const PROFILE_KEY: &[u8] = b"profile";

/// Days that messages stay unless the profile says otherwise.
pub(crate) const RETENTION_DAYS: u16 = 30;

/// What a profile is apart from its contacts.
pub(crate) struct Profile {
    pub(crate) identity: Identity,
    /// The name that peers are shown at pairing.
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) rhythm: Rhythm,
    /// Version of the own inbox set; grows when it changes (BRD-48).
    pub(crate) inbox_version: u32,
    /// Days that messages stay on this device; 0 is for ever (STO-31).
    pub(crate) retention: u16,
}

crypto::opaque!(Profile);

impl Profile {
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let identity = self.identity.to_secret_bytes();
        let mut w = row(identity.len().saturating_add(128));
        put_bytes(&mut w, &identity);
        put_bytes(&mut w, self.name.as_bytes());
        w.u8(match self.mode {
            Mode::Steady => 0,
            Mode::Fast => 1,
        });
        self.rhythm.hours.encode_into(&mut w);
        w.u32(self.inbox_version).u16(self.retention);
        self.rhythm.write_pace(&mut w);
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let identity = Identity::from_secret_bytes(get_bytes(&mut r)?)
            .map_err(|_| Malformed::Field("identity"))?;
        let mut profile = Self {
            identity,
            name: get_text(&mut r)?,
            mode: match r.u8()? {
                0 => Mode::Steady,
                1 => Mode::Fast,
                _ => return Err(Malformed::Field("mode")),
            },
            rhythm: Rhythm::new(DayHours::decode_from(&mut r)?),
            inbox_version: r.u32()?,
            // A row that ends here is older than the setting.
            retention: if r.remaining() == 0 { RETENTION_DAYS } else { r.u16()? },
        };
        if r.remaining() > 0 {
            profile.rhythm.read_pace(&mut r)?;
        }
        r.finish()?;
        Ok(profile)
    }
}
