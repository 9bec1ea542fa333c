use crate::{People, Session, TODAY};
use anyhow::Result;

/// Something whose instructions are counted: what is prepared, then what is [`measured`].
pub struct Scenario {
    /// Its name on the command line and in the baseline.
    pub name: &'static str,
    /// Runs it once.
    pub run: fn() -> Result<()>,
}

/// All of them. The last is the control of the check: a burst that does a little more work than it
/// should, which must be told apart from the honest one.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "setup", run: setup },
    Scenario { name: "pingpong", run: pingpong },
    Scenario { name: "burst", run: || burst(BURST) },
    Scenario { name: "skip", run: skip },
    Scenario { name: "slow-burst", run: || burst(SLOW_BURST) },
];

const ROUNDS: u32 = 8;
const BURST: u32 = 100;
/// Four in a hundred more than [`BURST`]: just above what the check lets pass.
const SLOW_BURST: u32 = 104;

/// Runs `work`. Callgrind counts what happens inside this function and nothing else, so it must
/// keep its name and its frame.
#[inline(never)]
pub fn measured<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}

fn setup() -> Result<()> {
    let mut people = People::new(1)?;
    measured(|| people.meet())?;
    Ok(())
}

fn pingpong() -> Result<()> {
    let mut session = Session::new(2)?;
    session.there_and_back()?;
    measured(|| (0..ROUNDS).try_for_each(|_| session.there_and_back()))
}

fn burst(messages: u32) -> Result<()> {
    let mut session = Session::new(3)?;
    session.one_way()?;
    measured(|| (0..messages).try_for_each(|_| session.one_way()))
}

fn skip() -> Result<()> {
    let mut session = Session::new(4)?;
    session.one_way()?;
    let late = session.after_lost(ratchet::MAX_SKIP)?;
    measured(|| session.b.decrypt(TODAY, &late))?;
    Ok(())
}
