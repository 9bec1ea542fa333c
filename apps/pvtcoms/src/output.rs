//! Results on standard output, all else on standard error (product.md 8).

use crate::args::Global;
use crate::fault::{Fault, Outcome};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Version of the objects that `--json` prints (PRD-15).
const JSON_VERSION: u8 = 1;

/// How a verb speaks.
pub(crate) struct Out {
    json: bool,
    quiet: bool,
    color: bool,
}

/// One line of `--json`: the version, then the fields of the item.
#[derive(Serialize)]
struct Line<'a, T> {
    v: u8,
    #[serde(flatten)]
    item: &'a T,
}

impl Out {
    /// Follows the global flags; colours only for a terminal that was not told otherwise.
    pub(crate) fn new(global: &Global) -> Self {
        let color = !global.no_color
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && io::stdout().is_terminal();
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// Whether results are for programs.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether only results and errors are wanted.
    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Prints one result: an object a line with `--json`, else `text`.
    pub(crate) fn item<T: Serialize>(&self, item: &T, text: impl FnOnce() -> String) -> Outcome {
        if self.json {
            let line = serde_json::to_string(&Line { v: JSON_VERSION, item })
                .map_err(|_| Fault::internal("A result could not be printed."))?;
            return print(&line);
        }
        print(&text())
    }

    /// Prints something that people want to know and programs do not.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            tell(text);
        }
    }

    /// Prints something that must be seen, `--quiet` or not.
    pub(crate) fn warn(&self, text: &str) {
        tell(text);
    }

    /// Marks text that needs attention.
    pub(crate) fn alarm(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Marks text that stands back.
    pub(crate) fn faint(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Prints the fault and gives the exit code that belongs to it (PRD-13, PRD-14).
    pub(crate) fn fault(&self, fault: &Fault) -> ExitCode {
        if matches!(fault, Fault::NoReader) {
            return ExitCode::SUCCESS;
        }
        let failure = fault.failure();
        let code = failure.kind.exit_code();
        if self.json {
            let line = serde_json::json!({ "v": JSON_VERSION, "error": failure, "exit": code });
            tell(&line.to_string());
        } else {
            tell(&format!("pvtcoms: {}", plain(&failure.message)));
            if !failure.hint.is_empty() {
                tell(&format!("Next: {}", plain(&failure.hint)));
            }
        }
        ExitCode::from(code)
    }
}

/// Text that cannot steer a terminal: the core has cleaned it already, and here it is not believed.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || !c.is_control() { c } else { '\u{fffd}' }).collect()
}

/// Prints lines on standard output.
pub(crate) fn print(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Fault::NoReader,
        _ => Fault::storage("The output could not be written.", "Look at where it goes."),
    })
}

/// Prints lines on standard error; when that is gone there is nobody left to tell.
fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prd_15_json_lines_start_with_their_version() {
        let item = serde_json::json!({ "b": 2, "a": 1 });
        let line = serde_json::to_string(&Line { v: JSON_VERSION, item: &item }).expect("prints");
        assert_eq!(line, r#"{"v":1,"a":1,"b":2}"#);
    }

    #[test]
    fn terminal_controls_do_not_pass() {
        assert_eq!(plain("a\u{1b}[2Jb\r\nc\u{9b}d"), "a\u{fffd}[2Jb\u{fffd}\nc\u{fffd}d");
    }
}
