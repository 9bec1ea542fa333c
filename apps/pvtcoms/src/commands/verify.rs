//! `verify`: comparing words (product.md 5). There is no way past typing them (PRD-9).

use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Comparison};
use daemon::types::view::Contact;

/// Shows the own words, takes the peer's words, and says what came of it.
pub(crate) fn run(face: &Face<'_>, contact: String) -> Outcome {
    let mut client = face.open(true)?;
    loop {
        let comparison: Comparison = client.call(Call::VerifyBegin { contact: contact.clone() })?;
        face.out.item(&comparison, || shown(&comparison))?;
        match compare(&mut client, &contact, &comparison) {
            Ok(verified) => {
                face.out.item(&verified, || show::contact(&verified, face.out))?;
                if let Some(words) = &verified.long_check {
                    face.out.note(&format!("Long-term check: {}", words.join(" ")));
                }
                return Ok(());
            }
            // Only a person tries again; what a script has typed is not typed better twice.
            Err(fault)
                if fault.is(ErrorKind::WrongWords)
                    && comparison.tries_left > 1
                    && ask::person() =>
            {
                face.out.warn(&format!("{fault} Listen again."));
            }
            Err(fault) => return Err(fault),
        }
    }
}

fn compare(client: &mut Client, contact: &str, comparison: &Comparison) -> Outcome<Contact> {
    let words = typed(comparison)?;
    client.call(Call::VerifyWords { contact: contact.to_owned(), words })
}

/// What to read aloud. With `--json` the same is a `Comparison`.
fn shown(comparison: &Comparison) -> String {
    let own: Vec<String> =
        comparison.read_aloud.iter().map(|(at, word)| format!("{at}: {word}")).collect();
    format!(
        "Compare words with {}, by voice or in person.\nRead aloud    {}",
        plain(&comparison.contact),
        own.join("   "),
    )
}

/// The words that the peer reads, one for each position; a line may hold several.
fn typed(comparison: &Comparison) -> Outcome<Vec<String>> {
    let wanted = comparison.listen_for.len();
    let mut words: Vec<String> = Vec::new();
    while let Some(position) = comparison.listen_for.get(words.len()) {
        let line = if ask::person() {
            ask::line(&format!("You hear      {position}: "))?
        } else {
            ask::stdin_line()?.ok_or_else(|| {
                Fault::wrong_use(
                    format!("{} of {wanted} words were typed. Nothing was compared.", words.len()),
                    "Type the words that the contact reads aloud.",
                )
            })?
        };
        words.extend(line.split_whitespace().map(str::to_owned));
    }
    if words.len() > wanted {
        return Err(Fault::wrong_use(
            format!("More than {wanted} words were typed. Nothing was compared."),
            "Type only the words that the contact reads aloud.",
        ));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_are_shown_with_their_positions() {
        let comparison = Comparison {
            contact: "bob".into(),
            read_aloud: vec![(1, "aardvark".into()), (3, "baboon".into()), (5, "cat".into())],
            listen_for: vec![2, 4, 6],
            tries_left: 3,
        };
        let text = shown(&comparison);
        assert!(text.contains("1: aardvark   3: baboon   5: cat"), "{text}");
    }
}
