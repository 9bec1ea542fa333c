//! One filter for everything that this program says (TOR-9): no place is named, at any level.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What stands where a place stood.
const SCRUBBED: &str = "[scrubbed]";

/// Starts logging to standard error: ours at `info`, every library's at `warn`. Arti's own
/// redaction (`safelog`) stays on; the writer below removes what it or anybody else forgets.
pub(crate) fn start() {
    let ours = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_targets([("pvtcoms_tor", LevelFilter::INFO), ("gate", LevelFilter::INFO)])
        // Warns of every relay choice in a small network, many times a second.
        .with_target("tor_netdir", LevelFilter::ERROR);
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(Stderr);
    // Fails only if a subscriber is there already, and nothing else sets one.
    let _ = tracing_subscriber::registry().with(ours).with(layer).try_init();
}

/// Prints one line for a person on standard error, scrubbed like the log.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", scrub(line)); // a closed terminal is no reason to stop
}

struct Stderr;

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Scrubbing;
    fn make_writer(&'a self) -> Scrubbing {
        Scrubbing(Vec::new())
    }
}

/// Collects one event and writes it when it is whole, so that no place hides on a border.
struct Scrubbing(Vec<u8>);

impl Write for Scrubbing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Scrubbing {
    fn drop(&mut self) {
        let _ = io::stderr().write_all(scrub(&String::from_utf8_lossy(&self.0)).as_bytes());
    }
}

/// Replaces every address, key and token in `text`.
fn scrub(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "+/.:[]$~".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !in_word(c)).map_or(rest, |end| rest.get(..end).unwrap_or(rest));
        out.push_str(if is_place(word) { SCRUBBED } else { word });
        let after = rest.get(word.len()..).unwrap_or_default();
        let mut chars = after.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    out
}

/// Whether a word is an IP address, an onion address, a fingerprint, a key or a token.
fn is_place(word: &str) -> bool {
    let ended = word.trim_end_matches(['.', ':']);
    let bare = word.trim_matches(['[', ']', '.', ':', '$', '~']);
    // A token in hex has 32 characters, a fingerprint 40, an onion address 56, a key in base64 43.
    let longest_run = bare.split(['.', ':', '[', ']', '~', '/']).map(str::len).max().unwrap_or(0);
    longest_run >= 32
        || word.contains(".onion")
        || [word, ended, bare]
            .iter()
            .any(|w| w.parse::<IpAddr>().is_ok() || w.parse::<SocketAddr>().is_ok())
        || has_quad(bare)
}

/// Whether an IPv4 address stands anywhere in the word.
fn has_quad(word: &str) -> bool {
    word.split(['[', ']', ':', '/', '~', '$', '+']).any(|part| part.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tor_9_places_are_scrubbed_and_words_stay() {
        let line = scrub(
            "connect to 192.0.2.7:9001 or [2001:db8::1]:443 (ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8) failed",
        );
        assert_eq!(line, "connect to [scrubbed] or [scrubbed] ([scrubbed]) failed");
        assert_eq!(scrub("orport=127.0.0.1:9001,x"), "orport=[scrubbed],x");
        assert_eq!(scrub("from ::1: refused, to=::"), "from [scrubbed] refused, to=[scrubbed]");
        let plain = "tor_dirmgr::state: Bootstrapped 45% after 3 tries; clock is fast by around 3h";
        assert_eq!(scrub(plain), plain);
    }

    proptest! {
        #[test]
        fn tor_9_no_address_key_or_token_survives(
            ip in any::<IpAddr>(), port: u16, onion in "[a-z2-7]{56}", token in "[0-9a-f]{32}",
            before in "[a-z ]{0,9}[ (=\"']", after in "[ ,)\"'][a-z ]{0,9}",
        ) {
            let socket = SocketAddr::new(ip, port).to_string();
            for place in [ip.to_string(), socket, format!("{onion}.onion"), onion.clone(), token.clone()] {
                let line = scrub(&format!("{before}{place}{after}"));
                prop_assert!(!line.contains(&place), "{}", line);
                prop_assert!(line.ends_with(&after));
            }
        }
    }
}
