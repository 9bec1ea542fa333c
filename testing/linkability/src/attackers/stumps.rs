/// Stumps in a model.
const ROUNDS: usize = 80;
/// How much of each is believed.
const RATE: f64 = 0.2;
/// A side of a stump has at least this many cases.
const LEAST: usize = 20;

struct Stump {
    feature: usize,
    limit: f64,
    below: f64,
    above: f64,
}

/// Stumps, each of which corrects those before it.
pub(super) struct Model(Vec<Stump>);

impl Model {
    pub(super) fn score(&self, row: &[f64]) -> f64 {
        let side = |s: &Stump| if row[s.feature] <= s.limit { s.below } else { s.above };
        self.0.iter().map(side).sum()
    }
}

pub(super) fn learn(rows: &[Vec<f64>], answers: &[f64]) -> Model {
    let order = |feature: usize| {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| rows[*a][feature].total_cmp(&rows[*b][feature]));
        order
    };
    let orders: Vec<Vec<usize>> = (0..rows[0].len()).map(order).collect();
    let mut scores = vec![0.0; rows.len()];
    let mut stumps = Vec::new();
    for _ in 0..ROUNDS {
        let chance: Vec<f64> = scores.iter().map(|s: &f64| 1.0 / (1.0 + (-s).exp())).collect();
        let errors: Vec<f64> = answers.iter().zip(&chance).map(|(y, p)| y - p).collect();
        let weights: Vec<f64> = chance.iter().map(|p| p * (1.0 - p)).collect();
        let Some(stump) = best(rows, &orders, &errors, &weights) else { break };
        for (row, score) in rows.iter().zip(&mut scores) {
            *score += if row[stump.feature] <= stump.limit { stump.below } else { stump.above };
        }
        stumps.push(stump);
    }
    Model(stumps)
}

fn best(
    rows: &[Vec<f64>],
    orders: &[Vec<usize>],
    errors: &[f64],
    weights: &[f64],
) -> Option<Stump> {
    let (all, mass) = (errors.iter().sum::<f64>(), weights.iter().sum::<f64>());
    let gain = |error: f64, mass: f64| error * error / (mass + 1.0);
    let mut found: Option<(f64, Stump)> = None;
    for (feature, order) in orders.iter().enumerate() {
        let (mut error, mut weight) = (0.0, 0.0);
        for (at, two) in order.windows(2).enumerate() {
            error += errors[two[0]];
            weight += weights[two[0]];
            let (x, next) = (rows[two[0]][feature], rows[two[1]][feature]);
            if x == next || at + 1 < LEAST || order.len() - at - 1 < LEAST {
                continue;
            }
            let good = gain(error, weight) + gain(all - error, mass - weight) - gain(all, mass);
            if found.as_ref().is_none_or(|(best, _)| good > *best) {
                let below = RATE * error / (weight + 1.0);
                let above = RATE * (all - error) / (mass - weight + 1.0);
                let limit = f64::midpoint(x, next);
                found = Some((good, Stump { feature, limit, below, above }));
            }
        }
    }
    found.map(|(_, stump)| stump)
}
