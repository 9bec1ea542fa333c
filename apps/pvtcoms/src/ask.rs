//! Questions to the person at the terminal, and the passphrase (PRD-14).

use crate::args::Global;
use crate::fault::{Fault, Outcome};
use crate::output::Out;
use daemon::types::error::ErrorKind;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use zeroize::Zeroizing;

/// Longest passphrase, in bytes.
const PASSPHRASE_MAX: usize = 1024;
/// Below so many guesses (as a power of ten) a typed passphrase is refused.
const REFUSED_BELOW: f64 = 8.0;
/// Below so many guesses (as a power of ten) it is called weak.
const WEAK_BELOW: f64 = 14.0;

/// Whether a person can be asked: both standard input and standard error are a terminal.
pub(crate) fn person() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The passphrase of a profile that exists.
pub(crate) fn passphrase(global: &Global) -> Outcome<Zeroizing<String>> {
    if let Some(number) = global.passphrase_fd {
        return from_descriptor(number);
    }
    if !person() {
        return Err(Fault::new(
            ErrorKind::Locked,
            "The profile is locked and there is no terminal to ask for the passphrase. Nothing \
             was done.",
            "Run `pvtcoms unlock` in a terminal, or give --passphrase-fd N.",
        ));
    }
    typed("Passphrase: ")
}

/// The passphrase of a profile that is being made: typed twice, and not one that is guessed soon.
pub(crate) fn new_passphrase(global: &Global, out: &Out) -> Outcome<Zeroizing<String>> {
    let next = "Run it again in a terminal, or give --passphrase-fd N.";
    let about = "Choose a passphrase. Nobody can recover it. Without it everything here is lost.";
    chosen(global.passphrase_fd, out, "Passphrase: ", about, next)
}

/// The passphrase of a backup that is being made, likewise.
pub(crate) fn backup_passphrase(fd: Option<u32>, out: &Out) -> Outcome<Zeroizing<String>> {
    let next = "Run it again in a terminal, or give --backup-passphrase-fd N.";
    let about = "Choose a passphrase for the backup alone. Nobody can recover it.";
    chosen(fd, out, "Passphrase of the backup: ", about, next)
}

/// The passphrase of a backup that exists.
pub(crate) fn passphrase_of_backup(fd: Option<u32>) -> Outcome<Zeroizing<String>> {
    if let Some(number) = fd {
        return from_descriptor(number);
    }
    if !person() {
        return Err(Fault::wrong_use(
            "There is no terminal to ask for the backup's passphrase. Nothing was done.",
            "Run it again in a terminal, or give --backup-passphrase-fd N.",
        ));
    }
    typed("Passphrase of the backup: ")
}

fn chosen(
    fd: Option<u32>,
    out: &Out,
    question: &str,
    about: &str,
    next: &str,
) -> Outcome<Zeroizing<String>> {
    if let Some(number) = fd {
        let passphrase = from_descriptor(number)?;
        if strength(&passphrase) < REFUSED_BELOW {
            out.warn("Warning: this passphrase can be guessed soon.");
        }
        return Ok(passphrase);
    }
    if !person() {
        return Err(Fault::wrong_use(
            "There is no terminal to ask for a passphrase. Nothing was made.",
            next,
        ));
    }
    out.warn(about);
    out.warn(&format!("A suggestion: {}", suggestion()?.as_str()));
    loop {
        let first = typed(question)?;
        let strength = strength(&first);
        if strength < REFUSED_BELOW {
            out.warn("That one can be guessed in minutes. Take more words, chosen by chance.");
            continue;
        }
        if strength < WEAK_BELOW {
            out.warn("That one is weak against somebody who has the device and time.");
        }
        if *typed("The same again: ")? == *first {
            return Ok(first);
        }
        out.warn("The two differ. Once more.");
    }
}

/// Asks on the terminal; an empty answer is an answer.
pub(crate) fn line(question: &str) -> Outcome<String> {
    let mut stderr = io::stderr().lock();
    // A terminal that cannot be written to gives no answer either: the read below says so.
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
    drop(stderr);
    stdin_line()?.ok_or_else(no_answer)
}

/// One line of standard input without its end; nothing at the end of the input.
pub(crate) fn stdin_line() -> Outcome<Option<String>> {
    let mut text = String::new();
    let read = io::stdin().lock().read_line(&mut text).map_err(|_| no_answer())?;
    Ok((read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// All of standard input as text, at most `max` bytes.
pub(crate) fn stdin_text(max: u64) -> Outcome<String> {
    let mut text = String::new();
    io::stdin().lock().take(max.saturating_add(1)).read_to_string(&mut text).map_err(|_| {
        Fault::wrong_use("Standard input is no text. Nothing was done.", "Give UTF-8 text.")
    })?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= max) {
        return Ok(text);
    }
    Err(Fault::new(
        ErrorKind::TooLong,
        "Standard input is too long. Nothing was done.",
        format!("At most {max} bytes are possible."),
    ))
}

fn no_answer() -> Fault {
    Fault::wrong_use("There was no answer. Nothing was done.", "Run it again in a terminal.")
}

/// Asks without showing what is typed.
fn typed(question: &str) -> Outcome<Zeroizing<String>> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|_| no_answer())
}

/// The first line that a descriptor has.
///
/// Read byte by byte and past every buffer, so that no copy stays and what follows on standard
/// input is left for the verb. Any other descriptor is opened anew by its number, which needs no
/// ownership of it.
fn from_descriptor(number: u32) -> Outcome<Zeroizing<String>> {
    let unreadable = |_| {
        Fault::wrong_use(
            format!("No passphrase could be read from descriptor {number}. Nothing was done."),
            "Redirect a file or pipe to it, such as `--passphrase-fd 3 3< file`.",
        )
    };
    let opened = match number {
        0 => None,
        _ => Some(File::open(format!("/proc/self/fd/{number}")).map_err(unreadable)?),
    };
    let read = |byte: &mut [u8; 1]| match &opened {
        Some(file) => (&mut &*file).read(byte),
        None => Ok(rustix::io::read(rustix::stdio::stdin(), byte)?),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSPHRASE_MAX));
    let mut byte = [0_u8; 1];
    while read(&mut byte).map_err(unreadable)? == 1 && byte != *b"\n" {
        if bytes.len() == PASSPHRASE_MAX {
            return Err(Fault::wrong_use(
                "The passphrase is longer than 1024 bytes. Nothing was done.",
                "Take a shorter one: six words by chance are enough.",
            ));
        }
        bytes.extend_from_slice(&byte);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Fault::wrong_use("The passphrase is no UTF-8 text. Nothing was done.", "Use UTF-8.")
    })?;
    if text.is_empty() {
        return Err(Fault::wrong_use(
            "The passphrase is empty. Nothing was done.",
            "Nobody is protected by an empty one: six words by chance are enough.",
        ));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Guesses that are needed, as a power of ten.
fn strength(passphrase: &str) -> f64 {
    zxcvbn::zxcvbn(passphrase, &["pvtcoms"]).guesses_log10()
}

/// Six words by chance of a published list of 2048: 66 bits.
fn suggestion() -> Outcome<Zeroizing<String>> {
    let list = bip39::Language::English.word_list();
    let mut words = Zeroizing::new(String::with_capacity(64));
    for _ in 0..6 {
        let number = getrandom::u32()
            .ok()
            .and_then(|bits| usize::try_from(bits & 0x7ff).ok())
            .ok_or_else(|| Fault::internal("The system gives no random numbers."))?;
        let word = list.get(number).copied().unwrap_or_default();
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_passphrases_are_six_strong_words_and_differ() {
        let one = suggestion().expect("words");
        assert_eq!(one.split(' ').filter(|word| word.len() >= 3).count(), 6);
        assert!(strength(&one) >= WEAK_BELOW, "{}", strength(&one));
        assert_ne!(*one, *suggestion().expect("words"));
    }

    #[test]
    fn strength_is_counted_in_guesses_not_in_character_classes() {
        assert!(strength("Passw0rd!") < REFUSED_BELOW);
        assert!(strength("pvtcoms1") < REFUSED_BELOW);
        assert!(strength("zebra quilt ponder vocal lumber mirth") >= WEAK_BELOW);
    }
}
