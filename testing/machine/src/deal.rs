//! What happens next in a game. Each game has weights of its own, some of them 0: a schedule that does a bit of everything all the time
//! never comes to a limit.

use crate::dice::Chance;

/// One thing that happens to a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    /// It says something.
    Send,
    /// The letter that has waited longest, any of those that wait, or the newest arrives.
    Oldest,
    Any,
    Newest,
    /// A letter that waits will never arrive.
    Lose,
    /// A letter arrives that has arrived or was lost before.
    Again,
    /// A letter arrives damaged.
    Damage,
    /// Something arrives that is not of this session.
    Alien,
    /// The peer sends something malformed under its own key.
    Twist,
    /// It falls over before it has saved what it did.
    Crash,
    /// It is saved and loaded.
    Reload,
    /// Its state is stolen.
    Steal,
    /// Days pass.
    Days,
    /// It says much in a row, most of which is lost or late.
    Burst,
}

/// Weights in an ordinary game.
const WEIGHTS: [(Op, usize); 14] = [
    (Op::Send, 300),
    (Op::Oldest, 180),
    (Op::Any, 80),
    (Op::Newest, 40),
    (Op::Lose, 40),
    (Op::Again, 60),
    (Op::Damage, 80),
    (Op::Alien, 30),
    (Op::Twist, 15),
    (Op::Crash, 40),
    (Op::Reload, 20),
    (Op::Steal, 16),
    (Op::Days, 4),
    (Op::Burst, 3),
];

/// What a game is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// A bit of everything.
    Mixed,
    /// Much is said in a row and skipped: the limit on all keys together.
    Flood,
    /// The newest comes first, so that every chain leaves keys behind: the limit on chains.
    Drift,
}

impl Mood {
    /// Of every 16 games two are special.
    pub(crate) const fn of(game: u64) -> Self {
        match game % 16 {
            3 => Self::Drift,
            7 => Self::Flood,
            _ => Self::Mixed,
        }
    }

    /// The weight that this mood gives instead.
    const fn weight(self, op: Op) -> Option<usize> {
        match (self, op) {
            (Self::Flood, Op::Burst) => Some(30),
            (Self::Drift, Op::Send) => Some(600),
            (Self::Drift, Op::Newest) => Some(300),
            (Self::Drift, Op::Oldest | Op::Any | Op::Burst) => Some(0),
            _ => None,
        }
    }
}

/// What one game is made of.
pub(crate) struct Deal {
    pub(crate) length: usize,
    weights: [(Op, usize); 14],
    /// In a hundred, how much happens to side B.
    to_b: usize,
    /// How much is said in one burst.
    pub(crate) bursts: &'static [usize],
}

impl Deal {
    pub(crate) fn draw(chance: &mut Chance, mood: Mood) -> Self {
        let mut weights = WEIGHTS;
        for (op, weight) in &mut weights {
            *weight *= [0, 1, 1, 3][chance.below(4)];
            // Without these there is no game.
            if matches!(op, Op::Send | Op::Oldest) {
                *weight = (*weight).max(100);
            }
            *weight = mood.weight(*op).unwrap_or(*weight);
        }
        let bursts: &[usize] =
            if mood == Mood::Flood { &[700, 1010] } else { &[5, 30, 200, 700, 1010] };
        Self { length: 40 + chance.below(360), weights, to_b: 30 + chance.below(41), bursts }
    }

    pub(crate) fn next(&self, chance: &mut Chance) -> (Op, usize) {
        let side = usize::from(chance.below(100) >= self.to_b);
        let mut at = chance.below(self.weights.iter().map(|(_, weight)| weight).sum());
        for (op, weight) in self.weights {
            if at < weight {
                return (op, side);
            }
            at -= weight;
        }
        (Op::Send, side)
    }
}
