//! For `cargo xtask fuzz`: writes the generated inputs and the committed corpus of every target to
//! `FOLDER/target/`, and prints `target longest-input` for each. Here and not beside the targets, so that
//! what is generated is made with the same stand-ins that will read it.

// What counts edges is in there.
use libfuzzer_sys as _;
use std::io;
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: plan FOLDER"));
    };
    for target in targets::TARGETS {
        let folder = PathBuf::from(&folder).join(target.name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let inputs = (target.seeds)().into_iter().chain(target.corpus());
        for (number, input) in inputs.enumerate() {
            std::fs::write(folder.join(number.to_string()), input)?;
        }
        println!("{} {}", target.name, target.max_len);
    }
    Ok(())
}
