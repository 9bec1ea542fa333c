use super::{BOUND, Report};
use crate::attackers::Attacker;
use crate::games::Game;
use std::fmt::Write as _;

/// Height of a row, and where the scale lies, in points.
const ROW: f64 = 30.0;
const LEFT: f64 = 190.0;
const WIDTH: f64 = 480.0;
/// The advantages that the scale begins and ends with.
const SCALE: (f64, f64) = (-0.1, 0.5);

fn x(advantage: f64) -> f64 {
    let (low, high) = SCALE;
    LEFT + WIDTH * (advantage.clamp(low, high) - low) / (high - low)
}

/// Advantages with their intervals, as an SVG: a row for each game, a bar for each attacker, and the
/// bound as a line.
#[must_use]
pub fn picture(report: &Report, title: &str) -> String {
    let height = ROW * (Game::ALL.len() as f64 + 2.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"700\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"700\" height=\"{height}\" fill=\"white\"/>\n<text x=\"10\" y=\"18\">{title}</text>\n"
    );
    let mut put = |line: String| {
        let _infallible = writeln!(svg, "{line}");
    };
    for (at, colour) in [(0.0, "#888"), (BOUND, "#c00")] {
        let x = x(at);
        put(format!(
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{ROW}\" y2=\"{}\" stroke=\"{colour}\"/>",
            height - ROW
        ));
        put(format!(
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{at}</text>",
            x - 6.0,
            height - 12.0
        ));
    }
    let colours = ["#1f77b4", "#999999", "#2ca02c", "#d62728"];
    for (row, game) in Game::ALL.into_iter().enumerate() {
        let top = ROW * (row as f64 + 1.0);
        put(format!("<text x=\"10\" y=\"{}\">{}</text>", top + 18.0, game.name()));
        for (at, who) in Attacker::ALL.into_iter().enumerate() {
            let Some(outcome) = report.outcomes.get(&(game, who)) else { continue };
            let (a, y, colour) = (outcome.advantage(), top + 6.0 + 6.0 * at as f64, colours[at]);
            let (from, to, middle) = (x(a.low), x(a.high), x(a.value));
            put(format!(
                "<line x1=\"{from}\" x2=\"{to}\" y1=\"{y}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            ));
            put(format!("<circle cx=\"{middle}\" cy=\"{y}\" r=\"2.5\" fill=\"{colour}\"/>"));
        }
    }
    for (at, who) in Attacker::ALL.into_iter().enumerate() {
        let (x, y) = (330.0 + 90.0 * at as f64, height - 12.0);
        put(format!("<text x=\"{x}\" y=\"{y}\" fill=\"{}\">{}</text>", colours[at], who.name()));
    }
    svg.push_str("</svg>\n");
    svg
}
