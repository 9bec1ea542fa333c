//! `vectors [--check]`: makes the vectors of `vectors/`, or says which of them are not what would be
//! made. Run by `cargo xtask vectors`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = std::env::args().nth(1).is_some_and(|word| word == "--check");
    match run(check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}: {error}", vectors::folder().display());
            ExitCode::FAILURE
        }
    }
}

/// Whether the committed files are what is made, in the end.
fn run(check: bool) -> io::Result<bool> {
    let (folder, files) = (vectors::folder(), vectors::generate());
    let different = vectors::differences(&folder, &files)?;
    for name in &different {
        println!("{}: {name}", if check { "differs" } else { "written" });
    }
    if !check {
        vectors::write(&folder, &files)?;
    }
    let mistakes = files.keys().filter(|name| name.starts_with("mistakes/")).count();
    let steps = files.get(vectors::TRANSCRIPT).and_then(|t| t["steps"].as_array());
    println!(
        "vectors: steps={} mistakes={mistakes} changed={}",
        steps.map_or(0, Vec::len),
        different.len()
    );
    if check && !different.is_empty() {
        eprintln!(
            "the vectors are not those of this code: if its bytes may change, run `cargo xtask vectors` and say why"
        );
    }
    Ok(!check || different.is_empty())
}
