//! Whether the list of decoders is complete, read off the sources: every public function of the protocol whose name says that it takes
//! bytes in, and every type with a codec, is called in `testing/nopanic/src/decoders.rs`.

use anyhow::Result;

use crate::project::Project;
use crate::sources::rust_texts;

/// Where decoders are. `crypto` takes only what has its length by type, and everybody here goes through it.
const FOLDERS: &[&str] = &[
    "protocol/wire/src",
    "protocol/identity/src",
    "protocol/handshake/src",
    "protocol/ratchet/src",
    "protocol/content/src",
    "protocol/board/src",
    "protocol/engine/src",
    "shell/gate/src",
];

const LIST: &str = "testing/nopanic/src/decoders.rs";

/// Names of functions that take bytes of others, or a state that was saved.
const NAMES: &[&str] = &[
    "accept",
    "add",
    "check",
    "decode",
    "decrypt",
    "finish",
    "from_bytes",
    "from_secret_bytes",
    "from_uri",
    "load",
    "open",
    "push",
    "receive_m2",
    "receive_m3",
    "receive_m4",
    "respond",
    "trusted_from_store",
    "verify",
    "word_matches",
];

/// Who is not called there, and why.
const EXCUSED: &[(&str, &str)] = &[
    (
        "board/src/header/digest.rs from_bytes",
        "a frame of the stream: `DigestReader::push` reads it",
    ),
    ("engine/src/schedule.rs from_bytes", "a part of a row: `Engine::load` reads it"),
    ("board/src/pow.rs verify", "the mailbox's side; what it does is the work of Equi-X"),
];

/// Decoders that the list does not call.
pub(super) fn missing(project: &Project) -> Result<Vec<String>> {
    let list = project.read(LIST)?;
    let mut missing = Vec::new();
    for folder in FOLDERS {
        for (file, text) in rust_texts(project.root(), folder)? {
            let place = file.display();
            for decoder in decoders(&text).into_iter().filter(|decoder| !decoder.is_in(&list)) {
                let name = format!("{place} {}", decoder.name);
                if !EXCUSED.iter().any(|(excused, _)| name.ends_with(excused)) {
                    missing.push(format!("{place}: {}", decoder.call()));
                }
            }
        }
    }
    Ok(missing)
}

#[derive(Debug, PartialEq)]
struct Decoder {
    /// The type whose function it is; none for a free function.
    of: Option<String>,
    name: String,
    /// Called on a value: then the type does not stand at the call.
    method: bool,
}

impl Decoder {
    fn call(&self) -> String {
        match &self.of {
            Some(of) if !self.method => format!("{of}::{}(", self.name),
            Some(_) => format!(".{}(", self.name),
            None => format!("{}(", self.name),
        }
    }

    fn is_in(&self, list: &str) -> bool {
        list.contains(&self.call())
    }
}

/// The decoders of one file, up to its tests. Sources are formatted, so an `impl` begins a line.
fn decoders(text: &str) -> Vec<Decoder> {
    let mut found = Vec::new();
    let mut of = None;
    let lines: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix("impl").and_then(type_of) {
            if line.contains("Codec for ") {
                let name = name.clone();
                found.push(Decoder { of: Some(name), name: "from_bytes".into(), method: false });
            }
            of = Some(name);
        } else if *line == "}" {
            of = None;
        }
        let Some(rest) = line.trim_start().strip_prefix("pub ") else { continue };
        let Some(rest) = rest.trim_start_matches("const ").strip_prefix("fn ") else { continue };
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        let head = lines.iter().skip(at).take(3).copied().collect::<String>();
        let method = head.split("->").next().is_some_and(|args| args.contains("self"));
        if NAMES.contains(&name) {
            found.push(Decoder { of: of.clone(), name: name.to_owned(), method });
        }
    }
    found
}

/// The type of `impl<..> Trait for Type<..> {`, after the word `impl`.
fn type_of(rest: &str) -> Option<String> {
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.trim_start() };
    let rest = rest.split_once(" for ").map_or(rest, |(_, of)| of);
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_1_a_decoder_that_is_not_on_the_list_is_found() {
        let source = "impl<const N: usize> Frame<N> {\n    pub fn decode(bytes: &[u8]) -> Self {\n    pub fn open(&self) {}\n}\n\
            pub fn verify(bytes: &[u8]) {}\nimpl Codec for Row {\n#[cfg(test)]\npub fn add() {}\n";
        let found = decoders(source);
        let calls: Vec<String> = found.iter().map(Decoder::call).collect();
        assert_eq!(calls, ["Frame::decode(", ".open(", "verify(", "Row::from_bytes("]);
        assert!(found.iter().all(|decoder| !decoder.is_in("Frame::encode(1); a.close()")));
        assert!(found.iter().all(|decoder| decoder.is_in(&calls.concat())));
    }
}
