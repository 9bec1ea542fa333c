use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

/// Trees in a model.
const TREES: usize = 50;
/// Cases that a tree is grown from, at most.
const CASES: usize = 4000;

/// Scores of what was learnt from, and of the others. A model that cannot be grown guesses.
pub(super) fn scores(
    rows: &[Vec<f64>],
    answers: &[f64],
    others: &[Vec<f64>],
) -> (Vec<f64>, Vec<f64>) {
    let guess = || (vec![0.5; rows.len()], vec![0.5; others.len()]);
    let few = rows.len().min(CASES);
    let shape = XGRegressorParameters::default()
        .with_n_estimators(TREES)
        .with_max_depth(4)
        .with_learning_rate(0.15)
        .with_min_child_weight(15)
        .with_subsample(0.7)
        .with_seed(1);
    let matrix = |rows: &[Vec<f64>]| DenseMatrix::from_2d_vec(&rows.to_vec()).ok();
    let (Some(known), Some(all), Some(asked)) =
        (matrix(&rows[..few]), matrix(rows), matrix(others))
    else {
        return guess();
    };
    let Ok(model) = XGRegressor::fit(&known, &answers[..few].to_vec(), shape) else {
        return guess();
    };
    match (model.predict(&all), model.predict(&asked)) {
        (Ok(all), Ok(asked)) => (all, asked),
        _ => guess(),
    }
}
