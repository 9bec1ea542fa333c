//! The rows of HOS-10 that are decided by the string alone.

use content::display::Untrusted::{self, Name, Text};
use proptest::prelude::*;

fn text(s: &str) -> String {
    Text(s).display()
}

fn name(s: &str) -> String {
    Name(s).display()
}

/// Both ways of showing.
fn both(s: &str, want: &str) {
    assert_eq!(text(s), want, "as text");
    assert_eq!(name(s), want, "as a name");
}

#[test]
fn content_hos_10_rows_1_to_4_markup_and_links_stay_literal() {
    for s in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1)) **b** `c`",
        "https://example.org/?a=1&b=2#c",
        r"\\host\share",
    ] {
        both(s, s);
    }
}

#[test]
fn content_hos_10_row_5_bidi_controls_show() {
    for c in "\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}\u{200E}\u{200F}\u{61C}".chars() {
        both(&format!("photo{c}gpj.exe"), "photo\u{FFFD}gpj.exe");
    }
    // The letters themselves are nobody's fault.
    both("שלום عليكم", "שלום عليكم");
}

#[test]
fn content_hos_10_row_6_invisible_characters_show() {
    for c in "\u{200B}\u{200C}\u{200D}\u{AD}\u{2060}\u{FEFF}\u{E0041}\u{E0001}\u{FE0F}\u{180E}\u{3164}\u{115F}\u{34F}\u{2800}".chars() {
        both(&format!("a{c}b"), "a\u{FFFD}b");
    }
}

#[test]
fn content_hos_10_row_6_emoji_sequences_survive_in_text_only() {
    let family = "👩\u{200D}👩\u{200D}👧\u{200D}👦";
    let heart = "❤\u{FE0F}";
    let kiss = "👩🏻\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏼";
    let keycap = "1\u{FE0F}\u{20E3}";
    let wales = "🏴\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}";
    let pirate = "🏴\u{200D}☠\u{FE0F}";
    for emoji in [family, heart, kiss, keycap, wales, pirate] {
        let line = format!("so {emoji} so");
        assert_eq!(text(&line), line);
        assert!(name(&line).contains('\u{FFFD}'));
    }
    // Hidden data in what looks like a flag, and joiners without end.
    let smuggled: String = "🏴".chars().chain((0..40).map(|_| '\u{E0061}')).collect();
    assert_eq!(text(&smuggled), format!("🏴{}", "\u{FFFD}".repeat(40)));
    assert_eq!(text("🏴\u{E007F}"), "🏴\u{FFFD}");
    let chain = "👩\u{200D}".repeat(1000) + "👩";
    assert!(!text(&chain).contains(&("👩\u{200D}".repeat(6) + "👩")));
    assert_eq!(text("👩\u{200D}"), "👩\u{FFFD}", "a joiner that joins nothing");
    assert_eq!(text("a\u{200D}👩"), "a\u{FFFD}👩");
}

#[test]
fn content_hos_10_row_7_names_are_composed_trimmed_and_folded() {
    assert_eq!(name("  Ali\u{A0}\u{3000} ce \n"), "Ali ce");
    assert_eq!(name("Ame\u{301}lie"), "Amélie");
    assert_eq!(name("one\ntwo\tthree"), "one two three");
    assert_eq!(name(""), "");
}

#[test]
fn content_hos_10_row_8_escape_sequences_show() {
    for (s, want) in [
        ("\u{1B}[2J", "\u{FFFD}[2J"),
        ("\u{9B}31m", "\u{FFFD}31m"),
        ("\u{1B}]52;c;aGk=\u{7}", "\u{FFFD}]52;c;aGk=\u{FFFD}"),
        ("\u{1B}P$q\u{1B}\\", "\u{FFFD}P$q\u{FFFD}\\"),
        ("\u{1B}[201~", "\u{FFFD}[201~"),
        ("\u{7F}\0\u{85}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ] {
        both(s, want);
    }
}

#[test]
fn content_hos_10_row_9_only_newline_breaks_and_no_line_is_forged() {
    both("Mallory\rAlice: ok", "Mallory\u{FFFD}Alice: ok");
    both("ab\u{8}c", "ab\u{FFFD}c");
    both("a\u{2028}b\u{2029}c\u{B}d\u{C}e", "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e");
    assert_eq!(text(&format!("a{}b", "\n".repeat(5000))), "a\n\nb");
    assert_eq!(text("a\r\nb\n\nc\td"), "a\nb\n\nc d");
    assert_eq!(name("Alice\nBob (verified): hi"), "Alice Bob (verified): hi");
}

#[test]
fn content_hos_10_row_10_at_most_four_marks_a_base() {
    let marks = |n| "\u{335}".repeat(n);
    both(&format!("a{}b", marks(4)), &format!("a{}b", marks(4)));
    both(&format!("a{}b", marks(1000)), &format!("a{}\u{FFFD}b", marks(4)));
    // Without a base it would sit on what the face draws before it.
    both("\u{335}a", "\u{FFFD}a");
    assert_eq!(text("a\n\u{335}b"), "a\n\u{FFFD}b");
}

#[test]
fn content_hos_10_private_use_and_noncharacters_show() {
    both(
        "a\u{E000}\u{F8FF}\u{F0000}\u{10FFFD}\u{FFFE}\u{FDD0}",
        &("a".to_owned() + &"\u{FFFD}".repeat(6)),
    );
}

/// Strings that are dense in what the rules are about.
fn hostile() -> impl Strategy<Value = String> {
    let class = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\u{2FF}'),
        prop::char::range('\u{300}', '\u{36F}'),
        prop::char::range('\u{2000}', '\u{206F}'),
        prop::char::range('\u{FE00}', '\u{FE0F}'),
        prop::char::range('\u{1F3F0}', '\u{1F468}'),
        prop::char::range('\u{E0020}', '\u{E007F}'),
        prop::char::range('\u{1100}', '\u{11FF}'),
        prop::sample::select(vec!['\u{200D}', '\u{FE0F}', '🏴', '\n', '\r', ' ', '👩', '1']),
    ];
    prop::collection::vec(class, 0..60).prop_map(|chars| chars.into_iter().collect())
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn content_hos_10_what_is_shown_is_clean_and_shown_again_is_the_same(s in hostile()) {
        for (is_name, once) in [(true, name(&s)), (false, text(&s))] {
            let again = if is_name { Untrusted::Name(&once) } else { Untrusted::Text(&once) };
            prop_assert_eq!(&again.display(), &once);
            let mut marks = 0;
            let mut breaks = 0;
            for c in once.chars() {
                prop_assert!(!c.is_control() || (c == '\n' && !is_name), "{:?}", c);
                let hidden = matches!(c, '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' | '\u{E0020}'..='\u{E007F}');
                prop_assert!(!hidden || !is_name, "{:?} in a name", c);
                let moves = matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}');
                prop_assert!(!moves, "{:?}", c);
                marks = if is_mark(c) && !hidden { marks + 1 } else { 0 };
                breaks = if c == '\n' { breaks + 1 } else { 0 };
                prop_assert!(marks <= 4 && breaks <= 2);
            }
            if is_name {
                prop_assert_eq!(once.trim(), &once);
                prop_assert!(!once.contains("  "));
            }
        }
    }

    /// Nothing disappears: what is not folded is there, or shows as U+FFFD.
    #[test]
    fn content_hos_10_text_without_marks_and_breaks_keeps_its_length(s in "[^\\p{M}\r\n]{0,60}") {
        prop_assert_eq!(text(&s).chars().count(), s.chars().count());
    }
}
