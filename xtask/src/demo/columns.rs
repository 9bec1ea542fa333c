//! What Alice saw, what Bob saw, what the mailbox saw: side by side.
#![expect(clippy::arithmetic_side_effects, reason = "counts for one screen")]

use serde_json::Value;

/// Width of a column in characters.
const WIDTH: usize = 44;
/// Rows of the mailbox's column at each end.
const EDGE: usize = 8;

/// Whether an observation is a deposit.
pub(super) fn is_put(line: &Value) -> bool {
    line["event"] == "put" || line["op"] == "put"
}

/// Prints the three columns.
pub(super) fn print(alice: &[Value], bob: &[Value], mailbox: &[Value]) {
    let columns = [
        column("WHAT ALICE SAW", alice.iter().map(spoken).collect()),
        column("WHAT BOB SAW", bob.iter().map(spoken).collect()),
        column("WHAT THE MAILBOX SAW", observed(mailbox)),
    ];
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..rows {
        let cells = columns.iter().map(|c| c.get(row).map_or("", String::as_str));
        let line: Vec<String> = cells.map(|cell| format!("{cell:<WIDTH$}")).collect();
        println!("{}", line.join("│ ").trim_end());
    }
    println!();
}

fn column(title: &str, lines: Vec<String>) -> Vec<String> {
    let head = [title.to_owned(), "─".repeat(WIDTH - 1)];
    head.into_iter().chain(lines.into_iter().map(|line| fit(&line))).collect()
}

fn fit(line: &str) -> String {
    let line = line.replace('\n', " ");
    if line.chars().count() < WIDTH {
        return line;
    }
    line.chars().take(WIDTH - 2).chain(['…']).collect()
}

fn spoken(message: &Value) -> String {
    let text = message["text"].as_str().unwrap_or_default();
    let from = message["contact"].as_str().unwrap_or("?");
    if text.len() > 1000 {
        return format!("{from}: {} bytes: {text}", text.len());
    }
    format!("{from}: {text}")
}

/// One line an operation: seconds since the first, what was asked, and every number there is.
fn observed(lines: &[Value]) -> Vec<String> {
    let shown = |line: &&Value| line["event"] != "accept" && line["event"] != "close";
    let start = lines.iter().find(shown).and_then(|line| line["at"].as_u64()).unwrap_or(0);
    let told: Vec<String> = lines
        .iter()
        .filter(shown)
        .map(|line| {
            let after = line["at"].as_u64().unwrap_or(0).saturating_sub(start);
            let hidden = ["at", "connection", "event", "bytes_in", "bytes_out", "head"];
            let rest = line.as_object().into_iter().flatten().filter_map(|(key, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (!hidden.contains(&key.as_str())).then(|| format!("{key} {text}"))
            });
            let event = line["event"].as_str().unwrap_or("?").to_uppercase();
            format!("{after:>4} s {event:<6} {}", rest.collect::<Vec<_>>().join(" "))
        })
        .collect();
    if told.len() <= EDGE * 2 {
        return told;
    }
    let hidden = told.len() - EDGE * 2;
    let first = told.iter().take(EDGE).cloned();
    let last = told.iter().skip(told.len() - EDGE).cloned();
    first.chain([format!("… {hidden} more lines of the same kinds …")]).chain(last).collect()
}
