use std::time::{Duration, Instant};

/// Two contenders for the same work, by turns.
pub(crate) struct Contest {
    pub(crate) name: &'static str,
    /// The ratio that is wanted, for the reader.
    pub(crate) target: f64,
    pub(crate) rounds: u32,
    /// Runs of one contender before it is the other's turn.
    pub(crate) batch: u32,
}

impl Contest {
    /// Lets both run, times `work` alone, and gives the ratio of the best rounds: other programs
    /// can only make a round slower, and with some hundreds of short ones each has its quiet moment.
    pub(crate) fn run<A, B>(
        &self,
        mut prepare_ours: impl FnMut() -> A,
        mut ours: impl FnMut(&mut A),
        mut prepare_theirs: impl FnMut() -> B,
        mut theirs: impl FnMut(&mut B),
    ) -> f64 {
        let (mut us, mut them) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            // Who begins changes too.
            if round % 2 == 0 {
                us.push(self.time(&mut prepare_ours, &mut ours));
                them.push(self.time(&mut prepare_theirs, &mut theirs));
            } else {
                them.push(self.time(&mut prepare_theirs, &mut theirs));
                us.push(self.time(&mut prepare_ours, &mut ours));
            }
        }
        let (us, them) = (Spread::of(us), Spread::of(them));
        let ratio = us.best / them.best;
        let Self { name, target, .. } = self;
        let verdict = if ratio <= *target { "met" } else { "NOT MET" };
        println!(
            "  {name:<10} ours {us}   vodozemac {them}   ratio {ratio:.3}   target {target:.2} {verdict}"
        );
        ratio
    }

    /// Microseconds of one run.
    fn time<T>(&self, prepare: &mut impl FnMut() -> T, work: &mut impl FnMut(&mut T)) -> f64 {
        let mut spent = Duration::ZERO;
        for _ in 0..self.batch {
            let mut state = prepare();
            let start = Instant::now();
            work(&mut state);
            spent = spent.saturating_add(start.elapsed());
        }
        spent.as_secs_f64() * 1e6 / f64::from(self.batch)
    }
}

/// Best and median of some rounds, in microseconds.
struct Spread {
    best: f64,
    median: f64,
}

impl Spread {
    fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Self { best: *rounds.first().unwrap(), median: *rounds.get(rounds.len() / 2).unwrap() }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7.1} us (median {:.1})", self.best, self.median)
    }
}
