//! `pvtcoms-boards run FOLDER SERVER`: everything, with the program SERVER, in a FOLDER that is not
//! there yet; `pvtcoms-boards flood FOLDER SERVER`: what a flood does to deposits;
//! `pvtcoms-boards large FOLDER SERVER`: what a board of two weeks takes. It starts itself as `pvtcoms-boards peer SOCKET ANSWERS`.
#![expect(clippy::print_stdout, reason = "talks to `cargo xtask bench --mailbox`")]

use anyhow::{Result, bail};
use std::fmt::Display;
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["peer", socket, answers] => boards::serve(Path::new(socket), Path::new(answers)),
        ["run", folder, server] => {
            let figures = boards::run(Path::new(folder), Path::new(server))?;
            judge(&figures, &figures.faults())
        }
        ["flood", folder, server] => {
            let times = boards::flood(Path::new(folder), Path::new(server))?;
            println!("flood: p99={times:.2} times the quiet one");
            if times > 2.0 {
                bail!("a flood makes paid deposits wait more than twice as long");
            }
            Ok(())
        }
        ["large", folder, server] => {
            let large = boards::large(Path::new(folder), Path::new(server))?;
            judge(&large, &large.faults())
        }
        _ => bail!("usage: pvtcoms-boards run|flood|large FOLDER SERVER | peer SOCKET ANSWERS"),
    }
}

/// Says the figures, and fails with what is wrong with them.
fn judge(figures: &impl Display, faults: &[String]) -> Result<()> {
    println!("{figures}");
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}
