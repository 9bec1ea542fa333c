//! A name on this device, made of a name that a peer chose (FIL-2).

use crate::display::Untrusted;
use unicode_normalization::char::is_combining_mark;

/// Most bytes of a safe name, in UTF-8: with what is appended to make it unique it stays below the
/// 255 that file systems take.
const MAX_LEN: usize = 120;
/// Most bytes of its extension, with the dot.
const MAX_EXTENSION: usize = 16;
/// What a name becomes of which nothing is left.
const NAMELESS: &str = "file";
/// Kept beside letters and digits. Neither separates folders, nor means anything to a shell when
/// it is not the first.
const KEPT: [char; 6] = [' ', '-', '_', '.', '(', ')'];

/// The name under which a file of a peer is saved: one component of a path, of letters, digits and
/// ` -_.()` alone, 1 to 120 bytes, that begins with a letter, a digit, `_` or `(`, and ends with
/// neither a space nor a dot. What else was in it is an underscore. Making it safe again changes
/// nothing.
///
/// It says nothing about what is in the file, and the extension is the sender's claim.
#[must_use]
pub fn safe_file_name(claimed: &str) -> String {
    let shown = Untrusted::Name(claimed).display();
    let kept: String = shown
        .chars()
        .map(|c| if c.is_alphanumeric() || KEPT.contains(&c) { c } else { '_' })
        .collect();
    let mut name = reserved(trimmed(&kept));
    // What is cut off may leave another extension than before.
    loop {
        let shorter = shortened(&name);
        if shorter.len() == name.len() {
            break;
        }
        name = shorter;
    }
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}

/// At most [`MAX_LEN`] bytes of it, with its extension.
fn shortened(name: &str) -> String {
    let (stem, extension) = split(name);
    let room = MAX_LEN.saturating_sub(extension.len());
    let stem = stem.get(..floor(stem, room)).unwrap_or_default();
    trimmed(&format!("{}{extension}", trimmed(stem))).to_owned()
}

/// Without leading dots, dashes, spaces and marks that would sit on nothing, and without spaces and
/// dots at the end.
fn trimmed(name: &str) -> &str {
    let skipped = |c: char| matches!(c, '.' | '-' | ' ') || is_combining_mark(c);
    name.trim_start_matches(skipped).trim_end_matches(['.', ' '])
}

/// Before the last dot, and from there on; no extension if it is longer than [`MAX_EXTENSION`].
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.').and_then(|dot| name.split_at_checked(dot)) {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= MAX_EXTENSION => {
            (stem, extension)
        }
        _ => (name, ""),
    }
}

/// The last boundary of a character up to `at`.
fn floor(text: &str, at: usize) -> usize {
    let ends = text.char_indices().map(|(start, c)| start.saturating_add(c.len_utf8()));
    ends.take_while(|end| *end <= at).last().unwrap_or(0)
}

/// Names that Windows gives to devices, whatever their extension, are somebody's trap when the
/// folder is shared.
fn reserved(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.as_bytes().is_ascii())
    });
    let device = numbered || ["con", "prn", "aux", "nul"].contains(&stem.as_str());
    if device { format!("_{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fil_2_names_of_peers_become_one_harmless_component() {
        for (claimed, safe) in [
            ("holiday.jpg", "holiday.jpg"),
            ("../../etc/passwd", "_._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("C:\\boot.ini", "C__boot.ini"),
            (".bashrc", "bashrc"),
            ("..", "file"),
            ("", "file"),
            ("-rf", "rf"),
            ("a\u{202E}gpj.exe", "a_gpj.exe"),
            ("a\u{0}b\nc", "a_b c"),
            ("  two  words . ", "two words"),
            ("CON.txt", "_CON.txt"),
            ("com1", "_com1"),
            ("community.txt", "community.txt"),
            ("r\u{00e9}sum\u{00e9}.pdf", "r\u{00e9}sum\u{00e9}.pdf"),
            ("$(reboot);`x`|y", "_(reboot)__x__y"),
            ("~", "_"),
        ] {
            assert_eq!(safe_file_name(claimed), safe, "{claimed:?}");
        }
        let long = safe_file_name(&format!("{}.tar", "\u{00e9}".repeat(120)));
        assert!(long.len() <= 120 && long.ends_with(".tar"), "{long}");
        // Cut off behind two full stops, and behind a device.
        for long in
            [format!("{}..{}", "a".repeat(110), "b".repeat(20)), format!("con.{}", "a".repeat(200))]
        {
            let safe = safe_file_name(&long);
            assert!(safe.len() <= 120, "{safe}");
            assert_eq!(safe_file_name(&safe), safe);
        }
    }

    proptest! {
        #[test]
        fn fil_2_a_safe_name_is_safe_and_stays(claimed in "\\PC{0,300}|[./\\\\ -]{0,20}|.{0,40}") {
            let safe = safe_file_name(&claimed);
            prop_assert!((1..=120).contains(&safe.len()));
            prop_assert!(safe.chars().all(|c| c.is_alphanumeric() || KEPT.contains(&c)));
            prop_assert!(!safe.starts_with(['.', '-', ' ']) && !safe.ends_with(['.', ' ']));
            prop_assert_eq!(safe_file_name(&safe), safe);
        }
    }
}
