//! What holds between this device and a contact beside keys and places.

use crate::outbox::ItemId;
use crate::rows::{get_flag, put_flag};
use content::{Timer, TimerSetting};
use wire::{Malformed, Reader, Writer};

/// The terms of a contact; the end of its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Nothing goes in or out (ENG-4).
    pub(crate) blocked: bool,
    /// How long messages stay (ENG-7).
    pub(crate) timer: TimerSetting,
    /// What faces were last told of it, and when, on the clock for ages.
    pub(crate) told: Timer,
    pub(crate) told_at: u64,
    /// The item that last told the contact of it.
    pub(crate) telling: Option<ItemId>,
}

impl Terms {
    pub(crate) fn encode_into(self, w: &mut Writer) {
        put_flag(w, self.blocked);
        w.u32(self.timer.counter).u32(self.timer.timer.seconds());
        w.u32(self.told.seconds()).u64(self.told_at);
        put_flag(w, self.telling.is_some());
        if let Some(item) = self.telling {
            w.bytes(&item);
        }
    }

    /// A row that ends before its terms, or before some of them, has none: it is older than they
    /// are.
    pub(crate) fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        if r.remaining() == 0 {
            return Ok(Self::default());
        }
        let blocked = get_flag(r)?;
        if r.remaining() == 0 {
            return Ok(Self { blocked, ..Self::default() });
        }
        let timer = TimerSetting { counter: r.u32()?, timer: get_timer(r)? };
        let (told, told_at) = (get_timer(r)?, r.u64()?);
        let telling = if get_flag(r)? { Some(r.array()?) } else { None };
        Ok(Self { blocked, timer, told, told_at, telling })
    }
}

/// Reads a timer of a row.
pub(crate) fn get_timer(r: &mut Reader<'_>) -> Result<Timer, Malformed> {
    Timer::new(r.u32()?).ok_or(Malformed::Field("timer"))
}
