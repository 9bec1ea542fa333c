/// Rounds of gradient descent.
const ROUNDS: usize = 300;
/// Step, and how much of the last one is kept.
const STEP: (f64, f64) = (0.5, 0.9);
/// Penalty on large weights.
const PENALTY: f64 = 1e-3;

/// A logistic model over standardised features.
pub(super) struct Model {
    means: Vec<f64>,
    scales: Vec<f64>,
    weights: Vec<f64>,
    bias: f64,
}

impl Model {
    fn standard(&self, row: &[f64]) -> Vec<f64> {
        let each = row.iter().zip(&self.means).zip(&self.scales);
        each.map(|((x, mean), scale)| ((x - mean) / scale).clamp(-8.0, 8.0)).collect()
    }

    pub(super) fn score(&self, row: &[f64]) -> f64 {
        let row = self.standard(row);
        self.bias + row.iter().zip(&self.weights).map(|(x, w)| x * w).sum::<f64>()
    }
}

pub(super) fn learn(rows: &[Vec<f64>], answers: &[f64]) -> Model {
    let (n, width) = (rows.len() as f64, rows[0].len());
    let mean = |k: usize| rows.iter().map(|row| row[k]).sum::<f64>() / n;
    let means: Vec<f64> = (0..width).map(mean).collect();
    let scale = |k: usize| {
        let squares = rows.iter().map(|row| (row[k] - means[k]).powi(2)).sum::<f64>();
        (squares / n).sqrt().max(1e-9)
    };
    let scales = (0..width).map(scale).collect();
    let mut model = Model { means, scales, weights: vec![0.0; width], bias: 0.0 };
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| model.standard(row)).collect();
    let (mut speed, mut bias_speed) = (vec![0.0; width], 0.0);
    for _ in 0..ROUNDS {
        let (mut slope, mut bias_slope) = (vec![0.0; width], 0.0);
        for (row, answer) in rows.iter().zip(answers) {
            let score =
                model.bias + row.iter().zip(&model.weights).map(|(x, w)| x * w).sum::<f64>();
            let error = answer - 1.0 / (1.0 + (-score).exp());
            bias_slope += error;
            slope.iter_mut().zip(row).for_each(|(slope, x)| *slope += error * x);
        }
        let (step, kept) = STEP;
        bias_speed = kept * bias_speed + (1.0 - kept) * bias_slope / n;
        model.bias += step * bias_speed;
        for k in 0..width {
            let pull = slope[k] / n - PENALTY * model.weights[k];
            speed[k] = kept * speed[k] + (1.0 - kept) * pull;
            model.weights[k] += step * speed[k];
        }
    }
    model
}
